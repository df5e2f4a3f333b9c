"""What all tests share."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from logger.settings.schema import InfluxSettings
from tests.helpers import influx_server as servers

if TYPE_CHECKING:
    from playwright.sync_api import Browser

settings.register_profile("untimed", deadline=None)  # machines are shared: no test is timed
settings.load_profile("untimed")
SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture
def rides() -> Path:
    """The folder of real recordings; they stay outside the project."""
    folder = SHARED / "data" / "rides"
    if not folder.is_dir():
        pytest.skip(f"no recordings: {folder} is not there")
    return folder


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real Chromium, for a module of tests: while it is open, this thread has a running event loop."""
    from tests.helpers.browser import running_browser  # which few tests need

    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def influx_server() -> Iterator[servers.Server]:
    """A real InfluxDB."""
    with servers.running_server() as server:
        yield server


@pytest.fixture(scope="session")
def influx_adapter(influx_server: servers.Server) -> Iterator[servers.Server]:
    """The same, spoken to by the API of 2.x."""
    if influx_server.major != "1":
        yield influx_server
        return
    with servers.v2_adapter(influx_server) as server:
        yield server


@pytest.fixture(params=["as 1.x", "as 2.x"])
def influx(
    request: pytest.FixtureRequest, influx_server: servers.Server, influx_adapter: servers.Server
) -> Iterator[InfluxSettings]:
    """A database of its own on it; a 1.x server is spoken to by its own API and by that of 2.x."""
    with influx_server.database() as name:
        if influx_server.major != "1":
            if request.param == "as 1.x":
                pytest.skip("the server is no 1.x")
            yield influx_server.settings(name)
        elif request.param == "as 1.x":
            yield influx_server.settings(name)
        else:
            yield influx_adapter.settings(name, "2")


@pytest.fixture
def native(influx_server: servers.Server) -> Iterator[InfluxSettings]:
    """A database of its own, spoken to as the server is."""
    with influx_server.database() as name:
        yield influx_server.settings(name)
