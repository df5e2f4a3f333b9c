"""Where there is nothing, every query answers with nothing: an empty database, one vehicle, a measurement missing."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.catalogue import pages
from logger.stores.influx.client import InfluxClient
from logger.stores.influx.influx import Influx
from logger.tables import TABLES
from tests.dashboards.answers import result
from tests.dashboards.grafana import Everything, Value, View
from tests.dashboards.vehicles import choices, made_rows, vehicle_options
from tests.helpers.influx_server import Server

pytestmark = pytest.mark.xdist_group("dashboards")
NOW = datetime.now(UTC).replace(microsecond=0)
PANELS = [panel for page in pages().values() for panel in page.panels]


def view(days: int = 1) -> View:
    values: dict[str, Value | Everything] = {
        "low": "20",
        "provider": Everything(".*"),
        "group": Everything("[^\\t]*"),
        "model": Everything(".*"),
    }
    return View(NOW - timedelta(days=days), NOW, {**values, "vehicle": "van"})


@pytest.mark.parametrize("days", [1, 30, 365])
def test_an_empty_database_answers_nothing(days: int, influx_server: Server) -> None:
    with influx_server.database() as name, closing(InfluxClient(influx_server.settings(name))) as client:
        assert [choices(client, name, each) for each in ("provider", "group", "model", "vehicle")] == [{}, {}, {}, {}]
        for panel in PANELS:
            found = result(panel, view(days), client, name)
            assert (found.rows, found.series) == ([], {}), panel.title


def test_without_a_measurement_its_panels_are_empty_and_none_is_an_error(influx_server: Server) -> None:
    with influx_server.database() as name, closing(InfluxClient(influx_server.settings(name))) as client:
        for table in set(TABLES) - {"vehicles"}:
            with closing(Influx(influx_server.settings(name))) as store:
                store.write(table, made_rows(table, ["van"], NOW, {"van": "vans"}))
        assert vehicle_options(client, name) == {}
        for missing in TABLES:
            client.query_series(name, f'DROP MEASUREMENT "{missing}"')
            for panel in PANELS:
                if any(f'FROM "{missing}"' in query.text for query in panel.queries):
                    found = result(panel, view(), client, name)
                    alone = all(f'FROM "{missing}"' in query.text for query in panel.queries)
                    assert not alone or (found.rows, found.series) == ([], {}), panel.title
