"""One InfluxDB over HTTP: find out its version, write lines, run queries, and translate its answers into errors.

Lines go to 1.x through `/write`, to 2.x and 3.x through influxdb-client. Queries are InfluxQL at `/query`, which all
three serve. An answer that is not a success becomes `Retry` (wait), `LoginNeeded` (only a person can help) or
`BatchRefused` (write fewer lines at once, until the faulty one is alone). A server that answers 204 without having
written anything cannot be detected.
"""

import gzip
import ipaddress
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import msgspec

from logger.errors import LoggerError, LoginNeeded, Retry
from logger.retry_after import parse_retry_after_s
from logger.settings.schema import InfluxSettings

if TYPE_CHECKING:
    from logger.stores.influx.write_api import WriteApi

_CONNECT_S = _PING_S = 5.0
_WRITE_S = 30.0  # enough for a slow server; what takes longer is written again, harmlessly, and does not delay a stop
_READ_S = 120.0  # a query may read years
_WAIT_S, _LONGEST_WAIT_S = 2.0, 600.0
_CHUNK_ROWS = 10_000  # measured: a third more rows a second than in one piece, and the server's memory stays flat
_EXPIRED = re.compile("(beyond|outside) retention policy")
_CSV_HEADER = b"name,tags"
_NO_SPACE = ": free some of its disk, then start it again; until then it repeats this"  # observed with 1.6
_TEXT_END = 250  # characters kept of a long text at either end, where its subject and its reason stand
_LIMIT = "limit exceeded"  # of series or tag values: not the row's fault, and the next row would be refused as well


class BatchRefused(LoggerError):
    """The server does not take this batch as it is: it is too large, or a line in it is faulty."""


class InfluxClient:
    """The server in these settings, for any number of threads. Its version is requested when it is first needed."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._local = _is_local(settings.url)
        auth = httpx.BasicAuth(settings.username, settings.password) if settings.username else None
        headers = {"Accept-Encoding": "identity" if self._local else "gzip"}
        if settings.token:
            headers["Authorization"] = f"Token {settings.token}"
        timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
        self._http = httpx.Client(base_url=settings.url, auth=auth, headers=headers, timeout=timeout)
        self._version: str = "" if settings.version == "auto" else settings.version
        self._write_api: WriteApi | None = None
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._settings.url

    @property
    def version(self) -> str:
        """`1`, `2` or `3`, from the settings or the server. Raises `Retry`, or `LoginNeeded` if it is no InfluxDB."""
        return self._version or self.ping()

    def ping(self) -> str:
        """Return the version, but only once the server has answered. Raises as `version`, within seconds."""
        answer = self._send("GET", "/ping", timeout=_PING_S)
        if answer.status_code >= 500:
            self._raise_for_status(answer.status_code, answer.text, answer.headers)
        self._version = self._version or self._detect_version(answer)
        return self._version

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        if self._write_api:
            self._write_api.close()

    def write(self, database: str, policy: str, lines: bytes) -> None:
        """Write these lines, with times in ms, into a database (2.x, 3.x: bucket) and retention policy ("": default).

        The server leaves out lines older than it keeps. Raises `Retry`, `LoginNeeded`, or `BatchRefused` with the
        server's text.
        """
        body = lines if self._local else gzip.compress(lines, 1)
        if self.version != "1":
            self._raise_for_write(*self._opened_write_api().write(bucket_name(database, policy), body))
            return
        params = {"db": database, "precision": "ms", **({"rp": policy} if policy else {})}
        headers = {} if self._local else {"Content-Encoding": "gzip"}
        answer = self._send("POST", "/write", params=params, content=body, headers=headers, timeout=_WRITE_S)
        self._raise_for_write(answer.status_code, answer.text, answer.headers)

    def query_csv(self, database: str, statement: str) -> bytes:
        """Return the answer to one SELECT as CSV with columns `name,tags,time,…`, times in ms; empty without rows."""
        answer = self._query(database, statement, {"Accept": "application/csv"}, chunked=True)
        if not answer.content.strip():
            self.query_series(database, statement)  # an error is an empty answer as CSV; as JSON it has its text
        elif not answer.content.startswith(_CSV_HEADER) or not answer.content.endswith(b"\n"):
            raise self._incomplete()
        return answer.content

    def query_series(self, database: str, statement: str) -> list[dict[str, Any]]:
        """Return the answer to one statement: `name`, `tags`, `columns`, `values` of each series. Raises as `write`."""
        answer = self._query(database, statement, {"Accept": "application/json"}, chunked=False)
        try:
            content = msgspec.json.decode(answer.content)
            (result,) = content["results"]
        except (msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
            raise self._incomplete() from error
        if "error" in result:
            raise self._server_error(result["error"])
        return list(result.get("series", ()))

    def call_api(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Send one request to the API of 2.x; `arguments` are httpx's. Raises `Retry` and `LoginNeeded`."""
        answer = self._send(method, path, **arguments)
        self._raise_for_status(answer.status_code, answer.text, answer.headers)
        return answer

    def _query(self, database: str, statement: str, headers: Mapping[str, str], *, chunked: bool) -> httpx.Response:
        params = {"q": statement, "epoch": "ms", **({"db": database} if database else {})}
        if chunked:
            params |= {"chunked": "true", "chunk_size": str(_CHUNK_ROWS)}
        answer = self._send("POST", "/query", data=params, headers=headers)
        self._raise_for_status(answer.status_code, answer.text if answer.status_code >= 300 else "", answer.headers)
        return answer

    def _send(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **arguments)
        except httpx.HTTPError as error:
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Retry(f"{self._label} does not answer as it should: {reason}", after=_WAIT_S) from error
        except httpx.InvalidURL as error:
            raise LoginNeeded(f"{self._label}: {error}") from error

    def _opened_write_api(self) -> "WriteApi":
        from logger.stores.influx.write_api import WriteApi

        with self._lock:
            if self._write_api is None:
                self._write_api = WriteApi(
                    self._settings, gzipped=not self._local, connect_s=_CONNECT_S, write_s=_WRITE_S
                )
            return self._write_api

    def _detect_version(self, answer: httpx.Response) -> str:
        """Return the first digit of the version, from the answer to a ping or, where that lacks it, from `/health`."""
        text = answer.headers.get("X-Influxdb-Version", "") or _json_version(answer)
        if not text:
            text = _json_version(self._send("GET", "/health", timeout=_PING_S))
        match = re.match(r"v?([123])\.", text)
        if match is None:
            raise LoginNeeded(
                f"{self._label} does not report its version (HTTP {answer.status_code}): is it an InfluxDB? "
                "If so, set sinks.influx.version"
            )
        return match[1]

    # ---- what an answer means --------------------------------------------------------------------------------------

    def _raise_for_status(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        """Raise `Retry` or `LoginNeeded` unless the answer is a success."""
        if 200 <= status < 300:
            return
        text = self._without_secret(_server_text(text))
        if status == 429 or status >= 500:
            advice = _NO_SPACE if "no space left" in text else ""
            after_s = parse_retry_after_s(str(headers.get("Retry-After") or ""), _LONGEST_WAIT_S)
            raise Retry(
                f"{self._label} answers HTTP {status}: {text}{advice}", after=_WAIT_S if after_s is None else after_s
            )
        raise self._server_error(f"HTTP {status}: {text}")

    def _raise_for_write(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        text = self._without_secret(_server_text(text))
        if status == 204 or (400 <= status < 500 and _EXPIRED.search(text)):
            return  # written, but for rows that the database's retention would delete at once
        if status in (400, 413, 422) and _LIMIT not in text:
            raise BatchRefused(text or f"HTTP {status}")
        self._raise_for_status(status, text, headers)
        raise self._server_error(f"HTTP {status} for rows, where an InfluxDB that has written them answers 204")

    def _without_secret(self, text: str) -> str:
        """Return the text without our secrets, which a server or a proxy may repeat."""
        for secret in filter(None, (self._settings.token, self._settings.password)):
            text = text.replace(secret, "…")
        return text

    def _server_error(self, text: str) -> LoggerError:
        """Return `Retry` for an error that passes with time, else `LoginNeeded` with what to do."""
        if "timeout" in text or "killed" in text:
            return Retry(f"{self._label}: {text}", after=_WAIT_S)
        return LoginNeeded(f"{self._label} refuses: {text}: {self._advice(text.lower())}")

    def _advice(self, text: str) -> str:
        """Return what a person can do about a refusal with this text, which is in lower case."""
        if _LIMIT in text:
            return "too many series: `voltrail check` has the number; raise the server's limit"
        if "not found" in text:
            return (
                f"does {self._settings.bucket!r} exist there? A start of voltrail makes it, or `voltrail check` says "
                "how; `voltrail copy --from lake --to influx` fills it"
            )
        if any(word in text for word in ("401", "403", "unauthorized", "authorization", "permission")):
            return "check token or password, and what it may do"
        if "204" in text:
            return "does something else stand at that address, or in front of it?"
        return "see the server's log"

    def _incomplete(self) -> Retry:
        return Retry(f"{self._label} sent no answer, or half of one, to a query", after=_WAIT_S)

    @property
    def _label(self) -> str:
        return f"InfluxDB at {self._settings.url}"


def bucket_name(database: str, policy: str) -> str:
    """Return the name of the bucket for a retention policy of a database."""
    return f"{database}/{policy}" if policy else database


def _json_version(answer: httpx.Response) -> str:
    """Return the version in a JSON answer; "" where there is none."""
    try:
        content = answer.json()
    except ValueError:
        return ""
    return str(content.get("version", "")) if isinstance(content, dict) else ""


def _server_text(text: str) -> str:
    """Return the error text in an answer, in one line, shortened in the middle."""
    try:
        content = msgspec.json.decode(text)
    except msgspec.DecodeError:
        content = None
    if isinstance(content, dict):
        text = str(content.get("error") or content.get("message") or text)
    line = " ".join(text.split())
    return line if len(line) <= 2 * _TEXT_END else f"{line[:_TEXT_END]} … {line[-_TEXT_END:]}"


def _is_local(url: str) -> bool:
    """Whether the server runs on this machine, where compression costs more than it saves."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
