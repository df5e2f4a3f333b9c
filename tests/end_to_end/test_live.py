"""`voltrail run` with `[live]`: the page is a process of its own, and ends with the service."""

from pathlib import Path

import httpx
import pytest

from logger.errors import ConfigError
from logger.service import supervisor
from logger.settings.load import load_settings
from logger.simulator.demo.collector import Collector, free_port
from tests.helpers.waiting import wait_until

VEHICLE = "860000000000001"


def test_the_page_is_served_beside_the_receiver_and_ends_with_it(tmp_path: Path) -> None:
    port = free_port()
    live = f'[live]\nlisten = "127.0.0.1:{port}"\ntoken_file = "live.token"\n'
    (tmp_path / "live.token").write_text("a-token")
    with Collector(tmp_path, [VEHICLE], live):
        wait_until(lambda: _status(port, {"authorization": "Bearer a-token"}) == 200, "the page answers")
        assert _status(port, {}) == 401
    assert "ended with" not in (tmp_path / "run.log").read_text(), "no process died"


def _status(port: int, headers: dict[str, str]) -> int:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/api/vehicles", headers=headers, timeout=5).status_code
    except httpx.TransportError:
        return 0


def test_without_a_token_there_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "voltrail.toml").write_text('[live]\nlisten = "127.0.0.1:8090"\n')
    with pytest.raises(ConfigError, match="live: no token: name a file as `token_file`, or set VOLTRAIL_LIVE_TOKEN"):
        load_settings(tmp_path / "voltrail.toml", {})


def test_reports_that_go_nowhere_stop_the_start(tmp_path: Path) -> None:
    settings = '[[sources]]\nkind = "segway"\nname = "segway"\nclient_id = "A1"\nvehicles = []\n'
    (tmp_path / "voltrail.toml").write_text(settings + '[reports]\nweekly = ["fleet"]\n')
    found = load_settings(tmp_path / "voltrail.toml", {"VOLTRAIL_SEGWAY_CLIENT_SECRET": "x"})
    with pytest.raises(ConfigError, match="nowhere to send them"):
        supervisor.run(found, supervisor.Commands())
