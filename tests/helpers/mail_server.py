"""A mail server on loopback that keeps what it is sent; it speaks just enough SMTP for a client without TLS."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser


class _Session(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self._answer("220 loopback")
        while line := self.rfile.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self._answer("354 go on")
                self.server.received.append(BytesParser().parsebytes(self._text()))
                self._answer("250 kept")
            elif word == b"QUIT":
                return self._answer("221 bye")
            else:
                self._answer("250 ok")

    def _text(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _answer(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    received: list[Message]


@contextmanager
def mail_server() -> Iterator[tuple[int, list[Message]]]:
    """Run it while the block lasts; yield its port and the mails that it has received."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        server.received = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1], server.received
        server.shutdown()
        thread.join()
