"""What somebody chose above the panels, over the demo's data in a database."""

from datetime import UTC, datetime, timedelta

import msgspec

from dashboards import trip
from dashboards.kit.page import Page
from logger.stores.influx.client import InfluxClient
from tests.dashboards.car import CAR, MOPED
from tests.dashboards.grafana import Everything, Value, View, expand, table_rows
from tests.dashboards.vehicles import vehicle_options

_NEWEST_TRIPS = """SELECT "started_at", "finished_at" FROM "trips" WHERE "vehicle" =~ /^${vehicle:regex}$/
    ORDER BY time DESC LIMIT 5"""


class Demo(msgspec.Struct, frozen=True):
    """The demo's data in InfluxDB."""

    client: InfluxClient
    database: str

    def views(self, page: Page) -> list[View]:
        """What people choose on a page: all vehicles, or in turn a moped and a car.

        The range is that with which the page opens, or that of a trip, for what a row of trips leads to.
        """
        values: dict[str, Value | Everything] = {
            "low": "20",
            "provider": Everything(".*"),
            "model": Everything(".*"),
            "group": Everything("[^\\t]*"),
        }
        tags = list(vehicle_options(self.client, self.database).values())
        one = [tag for tag in tags if tag in (MOPED, CAR.replace("%", "%25"))]
        chosen = one if page.of == "vehicle" else [tags]
        return [
            View(*span, {**values, "vehicle": vehicle}) for vehicle in chosen for span in self._spans(page, vehicle)
        ]

    def _spans(self, page: Page, vehicle: Value) -> list[tuple[datetime, datetime]]:
        if page.uid == trip.page().uid:
            return self._trips(vehicle)
        length, unit = int(page.since[4:-1]), {"d": "days", "h": "hours"}[page.since[-1]]
        until = datetime.now(UTC)
        return [(until - timedelta(**{unit: length}), until)]

    def _trips(self, vehicle: Value) -> list[tuple[datetime, datetime]]:
        """The newest trips of a vehicle, each from start to end."""
        any_time = View(datetime.fromtimestamp(0, UTC), datetime.now(UTC), {"vehicle": vehicle})
        rows = table_rows(self.client.query_series(self.database, expand(_NEWEST_TRIPS, any_time)))
        return [(_moment(row["started_at"]), _moment(row["finished_at"])) for row in rows]


def _moment(epoch_ms: float) -> datetime:
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)
