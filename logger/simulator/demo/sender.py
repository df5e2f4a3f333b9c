"""A minimal HTTP client that keeps many connections busy, each with one request under way.

It exists because simulated vehicles must send faster than a full client can: httpx sends about a thousand requests
a second, this one some fifty thousand.
"""

import selectors
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

_TIMEOUT_S = 60.0
_DueS = Callable[[int], float]  # when the request of this number is due, since the start


class Answer(msgspec.Struct, frozen=True):
    """One request's number in the order of sending, HTTP status, and time from due to answered [s]."""

    number: int
    status: int
    seconds: float


class _Connection:
    """One connection and the request under way on it."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._number, self._due = 0, 0.0
        self._received = b""

    def send(self, number: int, due: float, request: bytes) -> None:
        self._number, self._due, self._received = number, due, b""
        self.socket.sendall(request)

    def read(self) -> Answer | None:
        """Read what has come; return the answer once it is complete. Raises `ConnectionError` if the server closed."""
        part = self.socket.recv(65536)
        if not part:
            raise ConnectionResetError("the server closed the connection")
        self._received += part
        head, separator, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if not separator or len(body) < int(length or 0):
            return None
        return Answer(self._number, int(head[9:12]), time.perf_counter() - self._due)


class _Queue:
    """The requests that are still to be sent, and when each is due."""

    def __init__(self, requests: Iterable[bytes], due_s: _DueS | None) -> None:
        self._requests, self._due_s = enumerate(requests), due_s
        self._start = time.perf_counter()
        self.next = next(self._requests, None)

    def due(self, now: float) -> float:
        """Return when the next request is due; without a schedule, now."""
        return self._start + self._due_s(self.next[0]) if self._due_s and self.next else now

    def send_due(self, idle: list[_Connection]) -> None:
        """Send the requests that are due now, as long as there are idle connections."""
        now = time.perf_counter()
        while self.next and idle and self.due(now) <= now:
            number, request = self.next
            idle.pop(0).send(number, self.due(now), request)
            self.next = next(self._requests, None)


def send(
    address: tuple[str, int],
    requests: Iterable[bytes],
    connections: int = 32,
    per_second: float = 0,
    at_s: Sequence[float] = (),
) -> Iterator[Answer]:
    """Send all as fast as answers come, at a steady rate, or each at its moment [s since the start, rising].

    Yields the answers in the order they come. Where a request is due at a moment, the time that it waits for a free
    connection counts. Raises `OSError` if the server closes a connection or does not answer.
    """
    pool = [_Connection(address) for _ in range(connections)]
    due_s: _DueS | None = at_s.__getitem__ if at_s else (lambda number: number / per_second) if per_second else None
    try:
        yield from _exchange(pool, _Queue(requests, due_s))
    finally:
        for connection in pool:
            connection.socket.close()


def _exchange(pool: list[_Connection], queue: _Queue) -> Iterator[Answer]:
    idle = list(pool)
    with selectors.DefaultSelector() as selector:
        for connection in pool:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        while queue.next or len(idle) < len(pool):
            queue.send_due(idle)
            now = time.perf_counter()
            wait_s = max(0.0, queue.due(now) - now) if queue.next and idle else _TIMEOUT_S
            ready = selector.select(wait_s)
            if not ready and wait_s == _TIMEOUT_S:
                raise TimeoutError(f"no answer within {_TIMEOUT_S:.0f} s")
            for key, _ in ready:
                if answer := key.data.read():
                    idle.append(key.data)
                    yield answer


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post(path: str, body: bytes, host: str = "localhost", headers: Mapping[str, str] = _FORM) -> bytes:
    """Return one POST, of a form unless the headers say otherwise, as bytes to be sent."""
    more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def get(address: tuple[str, int], path: str) -> tuple[int, bytes]:
    """Return status and body of one GET. Raises `OSError` if nothing answers."""
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head[9:12]), body
