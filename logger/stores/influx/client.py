"""One InfluxDB over HTTP: which version it is, writes, questions; alone knows what its answers mean.

Writes to 2.x and 3.x go through `influxdb-client`, to 1.x through `/write`. Questions are InfluxQL at `/query`, which
all three serve. An answer is sorted into what to do: wait (`Retry`), tell a person (`LoginNeeded`), or make the batch
smaller until the line that is refused stands alone (`Unfit`). What cannot be found out: a server that says 204 and has
written nothing.
"""

import gzip
import ipaddress
import queue
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from logger.errors import LoggerError, LoginNeeded, Retry
from logger.retry_after import parse_retry_after_s
from logger.settings.schema import InfluxSettings

_CONNECT_S = _PING_S = 5.0
_WRITE_S = 30.0  # a slow server still answers; what takes longer is written again, harmlessly, and nobody waits to stop
_READ_S = 120.0  # a question may look at years
_WAIT_S, _LONGEST_WAIT_S = 2.0, 600.0
_CHUNK_ROWS = 10_000  # measured: a third more rows a second than one piece, and the server's memory stays flat
_EXPIRED = re.compile("(beyond|outside) retention policy")
_HEADER = b"name,tags"  # how an answer in CSV begins
_NO_SPACE = ": give its disk room, then start it again, or it keeps saying so"  # seen on 1.6
_END = 250  # characters of a long message, at either end: what it is about, and what is wrong
_LIMIT = "limit exceeded"  # of series or tag values: no fault of the row, and the next row would fare no better


class BatchRefused(LoggerError):
    """The server does not take this batch as it is: too large, or a line in it is wrong."""


class InfluxClient:
    """The server of these settings, for any number of threads; asked for its version when that is first needed."""

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
        self._idle: queue.LifoQueue[InfluxDBClient] = queue.LifoQueue()

    @property
    def url(self) -> str:
        """Where it is."""
        return self._settings.url

    @property
    def version(self) -> str:
        """`1`, `2` or `3`, as the settings or the server say. Raises `Retry`, or `LoginNeeded` for what is none."""
        return self._version or self.ping()

    def ping(self) -> str:
        """The version, once the server has answered. Raises as `version`, and soon where the server hangs."""
        answer = self._sent("GET", "/ping", timeout=_PING_S)
        if answer.status_code >= 500:
            self._judge(answer.status_code, answer.text, answer.headers)
        self._version = self._version or self._told_version(answer)
        return self._version

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()
        while not self._idle.empty():
            self._idle.get_nowait().close()  # type: ignore[no-untyped-call]

    def write(self, database: str, policy: str, lines: bytes) -> None:
        """Write these lines, times in ms; those older than the server keeps any are left out there, as they would be.

        Raises `Retry`, `LoginNeeded`, or `Unfit` with the server's words.
        """
        body = lines if self._local else gzip.compress(lines, 1)
        if self.version == "1":
            words = {"db": database, "precision": "ms", **({"rp": policy} if policy else {})}
            coding = {} if self._local else {"Content-Encoding": "gzip"}
            answer = self._sent("POST", "/write", params=words, content=body, headers=coding, timeout=_WRITE_S)
            self._judge_write(answer.status_code, answer.text, answer.headers)
        else:
            self._write_by_client(f"{database}/{policy}" if policy else database, body)

    def table(self, database: str, statement: str) -> bytes:
        """The answer to one SELECT as CSV, columns `name,tags,time,…`, times in ms; empty where there are no rows."""
        answer = self._asked(database, statement, {"Accept": "application/csv"}, chunked=True)
        if not answer.content.strip():
            self.series(database, statement)  # as JSON it says whether that is an error
        elif not answer.content.startswith(_HEADER) or not answer.content.endswith(b"\n"):
            raise self._no_answer()
        return answer.content

    def series(self, database: str, statement: str) -> list[dict[str, Any]]:
        """The answer to one statement: `name`, `tags`, `columns`, `values` of each series. Raises as `write`."""
        answer = self._asked(database, statement, {"Accept": "application/json"}, chunked=False)
        try:
            told = msgspec.json.decode(answer.content)
            (result,) = told["results"]
        except (msgspec.DecodeError, ValueError, KeyError, TypeError) as error:
            raise self._no_answer() from error
        if "error" in result:
            raise self._complaint(result["error"])
        return list(result.get("series", ()))

    def call(self, method: str, path: str, **words: Any) -> httpx.Response:
        """One call of the 2.x API. Raises `Retry` and `LoginNeeded`."""
        answer = self._sent(method, path, **words)
        self._judge(answer.status_code, answer.text, answer.headers)
        return answer

    def _asked(self, database: str, statement: str, headers: Mapping[str, str], *, chunked: bool) -> httpx.Response:
        words = {"q": statement, "epoch": "ms", **({"db": database} if database else {})}
        if chunked:
            words |= {"chunked": "true", "chunk_size": str(_CHUNK_ROWS)}
        answer = self._sent("POST", "/query", data=words, headers=headers)
        self._judge(answer.status_code, answer.text if answer.status_code >= 300 else "", answer.headers)
        return answer

    def _sent(self, method: str, path: str, **words: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **words)
        except httpx.HTTPError as error:
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            raise Retry(f"{self._who()} does not answer as it should: {what}", after=_WAIT_S) from error
        except httpx.InvalidURL as error:
            raise LoginNeeded(f"{self._who()}: {error}") from error

    def _write_by_client(self, bucket: str, body: bytes) -> None:
        with self._lent() as client:
            try:
                client.write_api(write_options=SYNCHRONOUS).write(bucket, self._settings.org, body, "ms")  # type: ignore[arg-type]
            except ApiException as error:
                self._judge_write(error.status or 0, error.body or str(error.reason), error.headers or {})
            except (HTTPError, OSError) as error:
                raise Retry(f"{self._who()} does not answer as it should: {error}", after=_WAIT_S) from error
            else:
                self._judge_write(client.api_client.last_response.status, "", {})

    @contextmanager
    def _lent(self) -> Iterator[InfluxDBClient]:
        """A client for one write alone: it remembers its last answer, which must be that of this write."""
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = self._made_client()
        try:
            yield client
        finally:
            self._idle.put(client)

    def _made_client(self) -> InfluxDBClient:
        settings, milliseconds = self._settings, (_CONNECT_S * 1000, _WRITE_S * 1000)
        token = settings.token or f"{settings.username}:{settings.password}"
        client = InfluxDBClient(settings.url, token, timeout=milliseconds, org=settings.org)
        if not self._local:  # the client's own gzip is at level 9, slower than the line it saves
            client.api_client.set_default_header("Content-Encoding", "gzip")  # type: ignore[no-untyped-call]
        return client

    def _told_version(self, answer: httpx.Response) -> str:
        said = answer.headers.get("X-Influxdb-Version", "") or _said_version(answer)
        if not said:
            said = _said_version(self._sent("GET", "/health", timeout=_PING_S))
        found = re.match(r"v?([123])\.", said)
        if found is None:
            raise LoginNeeded(
                f"{self._who()} does not say which version it is (HTTP {answer.status_code}): is it an InfluxDB? "
                "If so, set sinks.influx.version"
            )
        return found[1]

    def _judge(self, status: int, text: str, headers: Any) -> None:
        """What an answer asks of us; returns where all is well."""
        if 200 <= status < 300:
            return
        words = _plain(text)
        if status == 429 or status >= 500:
            more = _NO_SPACE if "no space left" in words else ""
            after_s = parse_retry_after_s(str(headers.get("Retry-After") or ""), _LONGEST_WAIT_S)
            raise Retry(
                f"{self._who()} says HTTP {status}: {words}{more}", after=_WAIT_S if after_s is None else after_s
            )
        raise self._complaint(f"HTTP {status}: {words}")

    def _judge_write(self, status: int, text: str, headers: Any) -> None:
        words = _plain(text)
        if status == 204 or (400 <= status < 500 and _EXPIRED.search(words)):
            return  # at worst partly written: all but rows that the database's own retention would delete at once
        if status in (400, 413, 422) and _LIMIT not in words:
            raise BatchRefused(words or f"HTTP {status}")
        self._judge(status, text, headers)
        raise self._complaint(f"HTTP {status} for rows, where an InfluxDB that has them says 204")

    def _complaint(self, words: str) -> LoggerError:
        """A fault that only a person can mend, or that time does."""
        if "timeout" in words or "killed" in words:
            return Retry(f"{self._who()}: {words}", after=_WAIT_S)
        return LoginNeeded(f"{self._who()} refuses: {words}: {self._advice(words)}")

    def _advice(self, words: str) -> str:
        low = words.lower()
        if _LIMIT in low:
            return "too many series: `voltrail check` has the number; raise the server's limit"
        if "not found" in low:
            return (
                f"does {self._settings.bucket!r} exist there? A start of voltrail makes it, or `voltrail check` says "
                "how; `voltrail copy --from lake --to influx` fills it"
            )
        if any(word in low for word in ("401", "403", "unauthorized", "authorization", "permission")):
            return "check token or password, and what it may do"
        if "204" in low:
            return "does something else stand at that address, or in front of it?"
        return "see the server's log"

    def _no_answer(self) -> Retry:
        return Retry(f"{self._who()} answers a question with what is no answer, or half of one", after=_WAIT_S)

    def _who(self) -> str:
        return f"InfluxDB at {self._settings.url}"


def _said_version(answer: httpx.Response) -> str:
    try:
        told = answer.json()
    except ValueError:
        return ""
    return str(told.get("version", "")) if isinstance(told, dict) else ""


def _plain(text: str | bytes) -> str:
    """The server's own words, in one line."""
    text = text.decode(errors="replace") if isinstance(text, bytes) else text
    try:
        told = msgspec.json.decode(text)
    except msgspec.DecodeError:
        told = None
    if isinstance(told, dict):
        text = str(told.get("error") or told.get("message") or text)
    words = " ".join(text.split())
    return words if len(words) <= 2 * _END else f"{words[:_END]} … {words[-_END:]}"


def _is_local(url: str) -> bool:
    """Whether it runs on this machine, where packing costs more than sending."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
