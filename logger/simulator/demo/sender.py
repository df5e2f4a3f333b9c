"""A bare HTTP client that keeps many connections busy, each with one request under way.

It exists because simulated vehicles must send faster than a full client can: httpx sends about a thousand requests
a second, this some fifty thousand.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

_PATIENCE_S = 60.0
_DueS = Callable[[int], float]  # when the request of this place is due, since the start


class Answer(msgspec.Struct, frozen=True):
    """What one request got: its place in the order of sending, HTTP status, and time from due to answered [s]."""

    place: int
    status: int
    seconds: float


class _Line:
    """One connection and the request under way on it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.place, self.due = 0, 0.0
        self._got = b""

    def send(self, place: int, due: float, request: bytes) -> None:
        self.place, self.due, self._got = place, due, b""
        self.socket.sendall(request)

    def answer(self) -> Answer | None:
        """Read on; the answer, once it is whole. Raises `ConnectionError` where the server went away."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionResetError("the server closed the connection")
        self._got += part
        head, ended, body = self._got.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not ended or len(body) < int(length or 0):
            return None
        return Answer(self.place, int(head[9:12]), time.perf_counter() - self.due)


def send(
    address: tuple[str, int],
    requests: Iterable[bytes],
    connections: int = 32,
    per_second: float = 0,
    at_s: Sequence[float] = (),
) -> Iterator[Answer]:
    """Send all as fast as answers come, at a steady rate, or each at its moment [s since the start, rising].

    Yields the answers in the order they come. Where a request is due at a moment, the time that it waited for a free
    connection counts. Raises `OSError` where the server goes away or is silent.
    """
    lines = [_Line(address) for _ in range(connections)]
    due_s: _DueS | None = at_s.__getitem__ if at_s else (lambda place: place / per_second) if per_second else None
    try:
        yield from _exchange(lines, enumerate(requests), due_s)
    finally:
        for line in lines:
            line.socket.close()


def _exchange(lines: list[_Line], requests: Iterator[tuple[int, bytes]], due_s: _DueS | None) -> Iterator[Answer]:
    idle, start = list(lines), time.perf_counter()
    following = next(requests, None)
    with selectors.DefaultSelector() as selector:
        for line in lines:
            selector.register(line.socket, selectors.EVENT_READ, line)
        while following or len(idle) < len(lines):
            now = time.perf_counter()
            while following and idle and _due(start, following[0], due_s, now) <= now:
                idle.pop(0).send(following[0], _due(start, following[0], due_s, now), following[1])
                following = next(requests, None)
            wait = _due(start, following[0], due_s, now) - now if following and idle else _PATIENCE_S
            ready = selector.select(wait)
            if not ready and wait == _PATIENCE_S:
                raise TimeoutError(f"no answer within {_PATIENCE_S:.0f} s")
            for key, _ in ready:
                if answer := key.data.answer():
                    idle.append(key.data)
                    yield answer


def _due(start: float, place: int, due_s: _DueS | None, now: float) -> float:
    return start + due_s(place) if due_s else now


def post(path: str, body: bytes, host: str = "localhost") -> bytes:
    """One POST of a form, ready for the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(address: tuple[str, int], path: str) -> tuple[int, bytes]:
    """Status and body of one GET. Raises `OSError` where nobody answers."""
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        got = b""
        while part := line.recv(65536):
            got += part
    head, _, body = got.partition(b"\r\n\r\n")
    return int(head[9:12]), body
