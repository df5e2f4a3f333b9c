"""What somebody chose above the panels, over the demo's data in a database."""

from datetime import UTC, datetime, timedelta

import msgspec

from dashboards.kit.page import Page
from logger.stores.influx.client import InfluxClient
from tests.dashboards.car import CAR, MOPED
from tests.dashboards.grafana import Everything, Value, View
from tests.dashboards.vehicles import vehicle_options


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
