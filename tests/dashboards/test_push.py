"""`voltrail dashboards push` against a server that answers as Grafana's API documents it."""

import json
from collections.abc import Iterator
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
    """Grafana's folders, data sources and dashboards; `state` is what it holds, `broken` a status for every answer."""

    state: dict[str, Any]
    broken = 0

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
        body = b"<html>" if self.broken == 200 else json.dumps(content).encode()
        self.send_response(self.broken or status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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


@pytest.mark.parametrize(("status", "error"), [(500, Retry), (429, Retry), (412, LoginNeeded), (200, LoginNeeded)])
def test_a_server_that_is_no_grafana_or_is_in_trouble_is_an_error_of_one_line(
    status: int, error: type[Exception], token: Path, state: dict[str, Any]
) -> None:
    with http_server(Stub, state=state, broken=status) as url, pytest.raises(error) as raised:
        push(url, token, Settings())
    assert "\n" not in str(raised.value)
    assert TOKEN not in str(raised.value)
