"""A proxy in front of a real InfluxDB that lies when it is told to, and remembers every statement it passed on."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

PASSED = ("Accept", "Authorization", "Content-Encoding", "Content-Type")
TOLD = ("Content-Type", "Retry-After", "X-Influxdb-Version")
CUTS = ("lost", "cut within")
ABOUT_ANSWERS = ("lost", "cut within", "half")  # lies about what the real server has really done


class Lie(msgspec.Struct, frozen=True):
    """What becomes of the next `times` requests whose path ends in `path`, once `skip` were told the truth.

    A status with `headers` and `body`, or `cut before` (nothing is passed on), `lost` (passed on, no answer),
    `cut within` (half an answer, less than its length says), `half` (half an answer that says it is whole).
    """

    path: str
    kind: int | str
    times: int = 1
    skip: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Proxy:
    """Where it is, what it has passed on, and whatever lies it is told."""

    def __init__(self, upstream: str) -> None:
        self.statements: list[tuple[str, str]] = []
        self.requests: Counter[str] = Counter()
        self.slow_s, self.served_late = 0.0, 0  # of writes
        self.url = ""
        self._http = httpx.Client(base_url=upstream, timeout=60)
        self._lies: list[Lie] = []
        self._lock = threading.Lock()

    def lie(self, *lies: Lie) -> None:
        """Tell these, each for its path and its times."""
        with self._lock:
            self._lies += lies

    @property
    def honest(self) -> bool:
        """Whether all lies are told."""
        return not self._lies

    def next(self, path: str) -> Lie | None:
        """What becomes of a request for this path."""
        with self._lock:
            self.requests[path] += 1
            lie = next((lie for lie in self._lies if path.endswith(lie.path)), None)
            if lie is None:
                return None
            place = self._lies.index(lie)
            fewer = {"skip": lie.skip - 1} if lie.skip else {"times": lie.times - 1}
            left = msgspec.structs.replace(lie, **fewer)
            self._lies[place : place + 1] = [left] if left.times else []
            return None if lie.skip else lie

    def passed(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """The real server's answer."""
        url = urlsplit(path)
        if url.path == "/query":
            form = parse_qs(body.decode()) if method == "POST" else parse_qs(url.query)
            self.statements += [(method, statement) for statement in form["q"]]
        if self.slow_s and "write" in url.path:
            threading.Event().wait(self.slow_s)
            self.served_late += 1
        return self._http.request(method, path, content=body, headers=headers)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name in PASSED}
        lie = self.proxy.next(urlsplit(self.path).path)
        if lie is None or lie.kind in ABOUT_ANSWERS:
            answer = self.proxy.passed(self.command, self.path, body, headers)
            self._answer(answer, lie.kind if lie else "")
        elif isinstance(lie.kind, int):
            self._answer(httpx.Response(lie.kind, headers=dict(lie.headers), content=lie.body), "")
        else:
            self.close_connection = True

    do_GET = do_POST

    def _answer(self, answer: httpx.Response, lie: int | str) -> None:
        self.close_connection = self.close_connection or lie in CUTS
        if lie == "lost":
            return
        content = answer.content[: len(answer.content) // 2] if lie == "half" else answer.content
        told = [f"{name}: {answer.headers[name]}" for name in TOLD if name in answer.headers]
        length = [] if answer.status_code == 204 else [f"Content-Length: {len(content)}"]
        head = "\r\n".join([f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", *told, *length, "", ""])
        whole = head.encode() + content
        self.wfile.write(whole[: len(whole) // 2] if lie == "cut within" else whole)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def lying(upstream: str) -> Iterator[Proxy]:
    """A proxy in front of this address."""
    proxy = Proxy(upstream)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as served:
        served.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{served.server_address[1]}"
        thread = threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield proxy
        served.shutdown()
        thread.join()
    proxy._http.close()
