"""A vehicle or group with any name selects exactly itself, in every variable and in every query."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from dashboards.catalogue import pages
from logger.stores.influx.client import InfluxClient
from logger.stores.influx.influx import Influx
from logger.tables import TABLES
from tests.dashboards.grafana import Everything, Value, View, expand
from tests.dashboards.vehicles import choices, made_rows, vehicle_options
from tests.helpers.influx_server import Server

pytestmark = pytest.mark.xdist_group("dashboards")
HOSTILE = (
    "plain",
    "plain2",
    "'; DROP MEASUREMENT trips; --",
    'say "hi", back\\slash\\',
    "$vehicle ${provider:regex} a/b",
    ".*",
    "^(a|b)?[c]{2}+$ 100 % Ü 🛵",
    "$__all",
    "$vehicle",
    "two\nlines\tand a tab/",
    "a=b, c d",
    "none",
)
GROUPS = {vehicle: f"of {HOSTILE[at - at % 2]}" for at, vehicle in enumerate(HOSTILE)}
UNTIL = datetime.now(UTC).replace(microsecond=0)
LENGTH = "(${__to} - ${__from})"
ALL: dict[str, Value | Everything] = {
    "low": "20",
    "provider": Everything(".*"),
    "group": Everything("[^\\t]*"),
    "model": Everything(".*"),
}


def fill(server: Server, name: str, vehicles: tuple[str, ...]) -> InfluxClient:
    """Write rows of every table for these of the hostile vehicles; return a client."""
    settings = server.settings(name)
    with closing(Influx(settings)) as store:
        for table in TABLES:
            rows = made_rows(table, HOSTILE, UNTIL, GROUPS)
            store.write(table, rows.filter(rows["vehicle"].is_in(vehicles)))
    return InfluxClient(settings)


@pytest.fixture(scope="module")
def crowd(influx_server: Server) -> Iterator[tuple[InfluxClient, str]]:
    """All of them in one database."""
    with influx_server.database() as name, closing(fill(influx_server, name, HOSTILE)) as client:
        yield client, name


def test_each_vehicle_is_offered_by_its_title_and_chosen_by_its_tag(crowd: tuple[InfluxClient, str]) -> None:
    offered = vehicle_options(*crowd)
    assert set(offered) == {f"label {number}" for number in range(1, len(HOSTILE) + 1)}
    encoded = {each: f"%{ord(each):02X}" for each in "%\\\n\t"}
    assert set(offered.values()) == {"".join(encoded.get(each, each) for each in name) for name in HOSTILE}


def test_a_group_offers_its_own_vehicles_and_no_others(crowd: tuple[InfluxClient, str]) -> None:
    groups = choices(*crowd, "group")
    assert set(groups) == set(GROUPS.values())
    for group in groups.values():
        found = vehicle_options(*crowd, group=group)
        assert set(found) == {f"label {at}" for at, vehicle in enumerate(HOSTILE, 1) if GROUPS[vehicle] == group}


def test_a_model_offers_its_own_vehicles_and_no_others(crowd: tuple[InfluxClient, str]) -> None:
    for number in range(1, len(HOSTILE) + 1):
        assert list(vehicle_options(*crowd, model=[f"model {number}"])) == [f"label {number}"]


@pytest.mark.parametrize("vehicle", HOSTILE)
def test_every_query_of_one_vehicle_answers_as_if_it_were_alone(
    vehicle: str, crowd: tuple[InfluxClient, str], influx_server: Server
) -> None:
    client, everybody = crowd
    (tag,) = vehicle_options(client, everybody, model=f"model {HOSTILE.index(vehicle) + 1}").values()
    model = f"model {HOSTILE.index(vehicle) + 1}"
    views = [
        View(UNTIL - timedelta(days=days), UNTIL, {**ALL, "vehicle": [tag], "model": model}) for days in (1, 10, 60)
    ]
    texts = {query.text for page in pages().values() for panel in page.panels for query in panel.queries}
    with influx_server.database() as name, closing(fill(influx_server, name, (vehicle,))) as alone:
        of_all = {text for text in texts if "vehicle:regex" not in text and "model:regex" not in text}
        assert len(texts) - len(of_all) > 90
        answered = 0
        for text in texts - of_all:  # which of some queries has rows depends on the length of the range
            queries = [expand(text, view) for view in views[: 3 if LENGTH in text else 1]]
            answers = [client.query_series(everybody, query) for query in queries]
            assert answers == [alone.query_series(name, query) for query in queries], text
            answered += any(answers)
        assert answered > len(texts) / 2
