"""Put the dashboards into a running Grafana through its HTTP API."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from dashboards.build import dashboards
from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Settings

FOLDER, _SOURCE = "voltrail", "voltrail"  # uids of the folder, and of the data source that panels name
WAIT_S = 30.0  # for an answer
_MAX_BYTES = 1_000_000  # an answer has less than a kilobyte
_WANTED = "wanted is http://HOST:PORT or https://HOST"
_TOKEN_ADVICE = "the token of a service account with the role Editor is needed, see deploy/README.md"


class Pushed(msgspec.Struct, frozen=True):
    """A dashboard that Grafana has taken: its name here, where it is there, and its version."""

    name: str
    url: str
    version: int


def push(
    url: str,
    token_file: Path,
    settings: Settings,
    progress: Callable[[str], None] = lambda text: None,
    *,
    wait_s: float = WAIT_S,
) -> list[Pushed]:
    """Create or replace every dashboard in the folder `voltrail`; each answer may take `wait_s`.

    Raises `ConfigError` for the token's file or the address, `LoginNeeded` where Grafana refuses, `Retry` where it
    does not answer.
    """
    headers = {"Authorization": f"Bearer {_token(token_file)}", "Accept": "application/json"}
    with httpx.Client(base_url=_address(url), headers=headers, timeout=wait_s) as http:
        _check_source(http)
        _create_folder(http)
        return list(_push_all(http, settings, progress))


def _push_all(http: httpx.Client, settings: Settings, progress: Callable[[str], None]) -> Iterator[Pushed]:
    for name, text in dashboards(settings).items():
        progress(name)
        body = {"dashboard": msgspec.json.decode(text), "folderUid": FOLDER, "overwrite": True, "message": "voltrail"}
        answer = _call(http, "POST", "/api/dashboards/db", body)
        version = answer.get("version")
        yield Pushed(name, str(answer.get("url", "")), version if isinstance(version, int) else 0)


def _check_source(http: httpx.Client) -> None:
    """Raise `ConfigError` where the data source is missing, without which every panel would be an error."""
    if _call(http, "GET", f"/api/datasources/uid/{_SOURCE}", missing_is_fine=True) is None:
        raise ConfigError(
            f"{http.base_url} has no data source with the uid {_SOURCE}: create one for InfluxDB (InfluxQL), as "
            "deploy/grafana/provisioning/datasources/voltrail.yaml describes it"
        )


def _create_folder(http: httpx.Client) -> None:
    if _call(http, "GET", f"/api/folders/{FOLDER}", missing_is_fine=True) is None:
        _call(http, "POST", "/api/folders", {"uid": FOLDER, "title": "voltrail"})


def _call(
    http: httpx.Client, method: str, path: str, body: object | None = None, *, missing_is_fine: bool = False
) -> Any:
    """Return the answer's content, an object of JSON; None where nothing is there and that is fine."""
    try:
        answer = _exchange(http, method, path, body)
    except httpx.TimeoutException as error:
        raise Retry(
            f"Grafana at {http.base_url} gives no answer within {_wait(http):g} s: try again", after=1
        ) from error
    except httpx.HTTPError as error:
        why = str(error) or type(error).__name__
        raise Retry(f"Grafana at {http.base_url} does not answer as it should: {why}", after=1) from error
    if answer.status_code == 404 and missing_is_fine:
        return None
    _raise_for_status(http, answer)
    content = _content(answer)
    if not isinstance(content, dict):
        raise LoginNeeded(f"{http.base_url} answers no object of JSON: is it a Grafana?")
    return content


def _exchange(http: httpx.Client, method: str, path: str, body: object | None) -> httpx.Response:
    """Return the whole answer. httpx bounds each read, not the time and size of all of them."""
    end = time.monotonic() + _wait(http)
    with http.stream(method, path, json=body) as answer:
        read = b""
        for part in answer.iter_bytes():
            read += part
            if len(read) > _MAX_BYTES:
                raise httpx.ReadError(f"it is longer than {_MAX_BYTES:,} bytes")
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the rest of it is late")
    return httpx.Response(answer.status_code, headers={"location": answer.headers.get("location", "")}, content=read)


def _wait(http: httpx.Client) -> float:
    return float(http.timeout.read or 0)


def _raise_for_status(http: httpx.Client, answer: httpx.Response) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    said = f"Grafana at {http.base_url} answers HTTP {status}"
    if 300 <= status < 400:
        to = answer.headers["location"]
        raise LoginNeeded(f"{said}, to {_one_line(http, to)}: give --url the address that Grafana itself has")
    said += f": {_one_line(http, _message(answer))}"
    if status == 429 or status >= 500:
        raise Retry(said, after=1)
    raise LoginNeeded(f"{said}; {_TOKEN_ADVICE}" if status in (401, 403) else said)


def _message(answer: httpx.Response) -> str:
    content = _content(answer)
    return str(content.get("message", "")) if isinstance(content, dict) else answer.text


def _content(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except (ValueError, RecursionError):
        return None


def _one_line(http: httpx.Client, text: str) -> str:
    """Return the text as a line without the token, which a server may have put into it."""
    token = http.headers["Authorization"].removeprefix("Bearer ")
    return " ".join(text.replace(token, "…").split())[:200]


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError(f"--url {url}: {error}; {_WANTED}") from error
    if address.userinfo:
        raise ConfigError(f"--url with a name or password: the token in --token-file is enough; {_WANTED}")
    if address.scheme not in ("http", "https") or not address.host:
        raise ConfigError(f"--url {url}: {_WANTED}")
    return address


def _token(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--token-file {path}: {getattr(error, 'strerror', None) or 'not a text'}") from error
    if not token or not token.isascii() or any(each.isspace() for each in token):
        raise ConfigError(f"--token-file {path}: wanted is a file that holds the token and nothing else")
    return token
