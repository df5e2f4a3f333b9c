"""What tests of dashboards share: the demo's data in a database, and what somebody chose above the panels."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from dashboards.kit.page import Page
from logger.stores.influx.client import InfluxClient
from tests.dashboards.car import CAR, MOPED
from tests.dashboards.demo_store import fill
from tests.dashboards.grafana import Everything, Value, View
from tests.dashboards.vehicles import vehicle_options
from tests.helpers.influx_server import Server


class Demo(msgspec.Struct, frozen=True):
    """The demo's data in InfluxDB."""

    client: InfluxClient
    database: str

    def views(self, page: Page) -> list[View]:
        """What people choose on a page: the range that it opens with; all vehicles, or in turn a moped and a car."""
        length, unit = int(page.since[4:-1]), {"d": "days", "h": "hours"}[page.since[-1]]
        until = datetime.now(UTC)
        values: dict[str, Value | Everything] = {
            "low": "20",
            "provider": Everything(".*"),
            "model": Everything(".*"),
            "group": Everything("[^\\t]*"),
        }
        tags = list(vehicle_options(self.client, self.database).values())
        one = [tag for tag in tags if tag in (MOPED, CAR.replace("%", "%25"))]
        chosen = one if page.of == "vehicle" else [tags]
        since = until - timedelta(**{unit: length})
        return [View(since, until, {**values, "vehicle": vehicle}) for vehicle in chosen]


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
