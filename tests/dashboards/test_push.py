"""`voltrail dashboards push` against a server that answers as Grafana's API documents it."""

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from dashboards.catalogue import PAGES
from dashboards.push import push
from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Settings
from tests.helpers.command_line import voltrail
from tests.helpers.http_server import http_server

TOKEN = "glsa_secret"


class Stub(BaseHTTPRequestHandler):
    """Grafana's folders, data sources and dashboards; `state` is what it holds, `broken` a status for every answer.

    An `odd` answer is this body, said to be `longer` by so many bytes than it is.
    """

    state: dict[str, Any]
    broken, longer = 0, 0
    odd: bytes | None = None

    def do_GET(self) -> None:
        kind, _, uid = self.path.removeprefix("/api/").rpartition("/")
        held = self.state["folders" if kind == "folders" else "sources"]
        self._answer(200 if uid in held else 404, {"uid": uid} if uid in held else {"message": "not found"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/api/folders":
            self.state["folders"].add(body["uid"])
            self._answer(200, body)
        elif self.path == "/api/dashboards/db" and body["folderUid"] in self.state["folders"]:
            uid = body["dashboard"]["uid"]
            versions = self.state["dashboards"]
            if uid in versions and not body["overwrite"]:
                self._answer(412, {"message": "A dashboard with the same uid already exists", "status": "name-exists"})
                return
            versions[uid] = versions.get(uid, 0) + 1
            self._answer(200, {"uid": uid, "url": f"/d/{uid}", "status": "success", "version": versions[uid]})
        else:
            self._answer(404, {"message": "folder not found"})

    def _answer(self, status: int, content: object) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status, content = 401, {"message": "Invalid API key"}
        body = json.dumps(content).encode() if self.odd is None else self.odd
        self.send_response(self.broken or status)
        self.send_header("Content-Length", str(len(body) + self.longer))
        self.send_header("Location", f"https://grafana.example.org/?token={TOKEN}")
        self.end_headers()
        self.wfile.write(body)


class Silent(Stub):
    """Takes every request and answers nothing until `ended`; at once with `drips`, a byte of a body that never ends."""

    ended: threading.Event
    drips = False

    def do_GET(self) -> None:
        if self.drips:
            self.send_response(200)
            self.send_header("Content-Length", "1000000")
            self.end_headers()
        with suppress(ConnectionError):  # the client has left
            while not self.ended.wait(0.01):
                if self.drips:
                    self.wfile.write(b" ")

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def state() -> dict[str, Any]:
    return {"folders": set(), "sources": {"voltrail"}, "dashboards": {}}


@pytest.fixture
def url(state: dict[str, Any]) -> Iterator[str]:
    with http_server(Stub, state=state) as url:
        yield url


@pytest.fixture
def ended() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "grafana.token"
    path.write_text(f"{TOKEN}\n")
    return path


def test_every_dashboard_is_created_in_its_folder_and_replaced_by_the_next_push(
    url: str, token: Path, state: dict[str, Any]
) -> None:
    assert [each.name for each in push(url, token, Settings())] == list(PAGES)
    assert {each.version for each in push(url, token, Settings())} == {2}
    assert state["folders"] == {"voltrail"}
    assert len(state["dashboards"]) == len(PAGES)


def test_the_command_prints_what_it_pushed(url: str, token: Path, tmp_path: Path) -> None:
    done = voltrail(tmp_path, "dashboards", "push", "--url", url, "--token-file", str(token))
    assert (done.returncode, done.stderr) == (0, "")
    assert "/d/voltrail-fleet" in done.stdout


def test_a_wrong_token_says_which_one_is_needed(url: str, token: Path) -> None:
    token.write_text("other")
    with pytest.raises(LoginNeeded, match="HTTP 401: Invalid API key; the token of a service account"):
        push(url, token, Settings())


def test_a_missing_data_source_says_how_to_create_it(url: str, token: Path, state: dict[str, Any]) -> None:
    state["sources"].clear()
    with pytest.raises(ConfigError, match="no data source with the uid voltrail"):
        push(url, token, Settings())


@pytest.mark.parametrize("text", ["", "two words", "Ü"])
def test_a_file_that_holds_no_token_is_named(url: str, token: Path, text: str) -> None:
    token.write_text(text)
    with pytest.raises(ConfigError, match="holds the token and nothing else"):
        push(url, token, Settings())


def test_a_file_that_is_not_there_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        push(url, tmp_path / "nowhere", Settings())


@pytest.mark.parametrize("address", ["127.0.0.1:3000", "ftp://127.0.0.1", "", "http://[::1", "http://a:b"])
def test_an_address_that_is_none_is_named(address: str, token: Path) -> None:
    with pytest.raises(ConfigError, match="wanted is http://HOST:PORT"):
        push(address, token, Settings())


def test_nobody_at_the_address_is_an_error_of_one_line(token: Path) -> None:
    with pytest.raises(Retry, match="does not answer"):
        push("http://127.0.0.1:1", token, Settings())


TROUBLES: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "500": ({"broken": 500}, Retry, "answers HTTP 500: "),
    "429": ({"broken": 429}, Retry, "answers HTTP 429: "),
    "412": ({"broken": 412}, LoginNeeded, "answers HTTP 412: "),
    "403": ({"broken": 403}, LoginNeeded, "answers HTTP 403: .*; the token of a service account with the role Editor"),
    "301": (
        {"broken": 301},
        LoginNeeded,
        "answers HTTP 301, to https://grafana.example.org/.*: give --url the address",
    ),
    "a token in the answer": ({"broken": 500, "odd": f"no\n{TOKEN}".encode()}, Retry, "answers HTTP 500: no …$"),
    "a page": ({"odd": b"<html>"}, LoginNeeded, "answers no object of JSON: is it a Grafana"),
    "a list": ({"odd": b"[]"}, LoginNeeded, "answers no object of JSON"),
    "half an object": ({"odd": b'{"uid": '}, LoginNeeded, "answers no object of JSON"),
    "no end": ({"longer": 9}, Retry, "does not answer as it should: peer closed connection"),
    "too much": ({"odd": b" " * 1_000_001}, Retry, "does not answer as it should: it is longer than 1,000,000 bytes"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_server_that_is_no_grafana_or_is_in_trouble_is_an_error_of_one_line(
    trouble: str, token: Path, state: dict[str, Any]
) -> None:
    attributes, error, text = TROUBLES[trouble]
    with http_server(Stub, state=state, **attributes) as url, pytest.raises(error, match=text) as raised:
        push(url, token, Settings())
    assert "\n" not in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("drips", [False, True])
def test_a_slow_server_is_left_when_its_time_is_over(drips: bool, token: Path, ended: threading.Event) -> None:
    with http_server(Silent, ended=ended, drips=drips) as url, pytest.raises(Retry) as raised:
        push(url, token, Settings(), wait_s=0.1)
    assert str(raised.value) == f"Grafana at {url} gives no answer within 0.1 s: try again"


def test_trouble_is_one_line_of_the_command_without_the_token(
    token: Path, state: dict[str, Any], tmp_path: Path
) -> None:
    with http_server(Stub, state=state, broken=403) as url:
        done = voltrail(tmp_path, "dashboards", "push", "--url", url, "--token-file", str(token), "--debug")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"voltrail: Grafana at {url} answers HTTP 403: ")
    assert TOKEN not in done.stderr + done.stdout


def test_a_password_in_the_address_is_not_said_again(token: Path) -> None:
    with pytest.raises(ConfigError, match="--url with a name or password") as raised:
        push("http://admin:secret@127.0.0.1:3000", token, Settings())
    assert "secret" not in str(raised.value)
