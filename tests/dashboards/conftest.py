"""What tests of dashboards share: the demo's data in a database of its own."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from logger.stores.influx.client import InfluxClient
from tests.dashboards.chosen import Demo
from tests.dashboards.demo_store import fill
from tests.helpers.influx_server import Server


@pytest.fixture(scope="session")
def demo(influx_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo's data, and a car, a bike and a van."""
    if influx_server.major != "1":
        pytest.skip("the demo is copied with the user and password of a 1.x")
    with influx_server.database() as name:
        settings = influx_server.settings(name)
        fill(tmp_path_factory.mktemp("demo"), settings)
        with closing(InfluxClient(settings)) as client:
            yield Demo(client, name)
