"""A proxy in front of a real InfluxDB that injects faults, and remembers every statement that it passed on."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec

from tests.helpers.http_server import http_server

_REQUEST_HEADERS = ("Accept", "Authorization", "Content-Encoding", "Content-Type")
_ANSWER_HEADERS = ("Content-Type", "Retry-After", "X-Influxdb-Version")
_CLOSING = ("lost", "cut within")  # faults that close the connection
_PASSED_ON = ("lost", "cut within", "half")  # faults of the answer: the real server has handled the request


class Fault(msgspec.Struct, frozen=True):
    """What happens to the next `times` requests whose path ends in `path`, after `skip` of them without a fault.

    A status with `headers` and `body`, or `cut before` (nothing is passed on), `lost` (passed on, no answer),
    `cut within` (half an answer, less than its stated length), `half` (half an answer with a length that fits).
    """

    path: str
    kind: int | str
    times: int = 1
    skip: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Proxy:
    """The address of the proxy, what it has passed on, and the faults that it is to inject."""

    def __init__(self, upstream: str) -> None:
        self.statements: list[tuple[str, str]] = []
        self.requests: Counter[str] = Counter()
        self.write_delay_s, self.delayed_writes = 0.0, 0
        self.url = ""
        self._http = httpx.Client(base_url=upstream, timeout=60)
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def inject(self, *faults: Fault) -> None:
        """Inject these faults, each for its path and its number of times."""
        with self._lock:
            self._faults += faults

    @property
    def is_exhausted(self) -> bool:
        """Whether all faults have been injected."""
        return not self._faults

    def next(self, path: str) -> Fault | None:
        """Count a request for this path; return its fault."""
        with self._lock:
            self.requests[path] += 1
            fault = next((fault for fault in self._faults if path.endswith(fault.path)), None)
            if fault is None:
                return None
            position = self._faults.index(fault)
            change = {"skip": fault.skip - 1} if fault.skip else {"times": fault.times - 1}
            rest = msgspec.structs.replace(fault, **change)
            self._faults[position : position + 1] = [rest] if rest.times else []
            return None if fault.skip else fault

    def pass_on(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Return the real server's answer."""
        url = urlsplit(path)
        if url.path == "/query":
            form = parse_qs(body.decode()) if method == "POST" else parse_qs(url.query)
            self.statements += [(method, statement) for statement in form["q"]]
        if self.write_delay_s and "write" in url.path:
            threading.Event().wait(self.write_delay_s)
            self.delayed_writes += 1
        return self._http.request(method, path, content=body, headers=headers)

    def close(self) -> None:
        """Close the connections to the real server."""
        self._http.close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: value for name, value in self.headers.items() if name in _REQUEST_HEADERS}
        fault = self.proxy.next(urlsplit(self.path).path)
        if fault is None or fault.kind in _PASSED_ON:
            answer = self.proxy.pass_on(self.command, self.path, body, headers)
            self._answer(answer, fault.kind if fault else "")
        elif isinstance(fault.kind, int):
            self._answer(httpx.Response(fault.kind, headers=dict(fault.headers), content=fault.body), "")
        else:
            self.close_connection = True

    do_GET = do_POST

    def _answer(self, answer: httpx.Response, fault: int | str) -> None:
        self.close_connection = self.close_connection or fault in _CLOSING
        if fault == "lost":
            return
        content = answer.content[: len(answer.content) // 2] if fault == "half" else answer.content
        headers = [f"{name}: {answer.headers[name]}" for name in _ANSWER_HEADERS if name in answer.headers]
        length = [] if answer.status_code == 204 else [f"Content-Length: {len(content)}"]
        head = "\r\n".join([f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", *headers, *length, "", ""])
        whole = head.encode() + content
        self.wfile.write(whole[: len(whole) // 2] if fault == "cut within" else whole)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[Proxy]:
    """Run a proxy in front of this address while the block lasts."""
    proxy = Proxy(upstream)
    with http_server(_Handler, proxy=proxy) as url:
        proxy.url = url
        yield proxy
    proxy.close()
