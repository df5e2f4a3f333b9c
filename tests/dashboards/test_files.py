"""The built files: fresh, valid by Grafana's published types, and read by the SDK without losing anything."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import GraphFieldConfig
from grafana_foundation_sdk.models.dashboard import Dashboard
from jsonschema import Draft7Validator

from dashboards import build
from dashboards.catalogue import pages
from dashboards.kit.influxql import register
from dashboards.kit.units import GRAFANA_UNITS, unit_of
from logger.settings.load import load_settings
from logger.settings.schema import InfluxSettings, Settings, Sinks
from logger.tables import RAW, TABLES

ROOT = Path(__file__).parents[2]
SCHEMA = Draft7Validator(json.loads((Path(__file__).parent / "schema" / "dashboard.schema.json").read_text()))
BUILT = build.dashboards(Settings())
# Columns of tables that an analysis does not write yet, as they are agreed
OWN_FIELDS = {"retracted", "title", "menu"}  # which the store of InfluxDB writes beside the columns
PROPERTIES = {"unit", "displayName", "links", "thresholds", "color", "custom.cellOptions"}


def panels(name: str) -> list[dict[str, Any]]:
    return list(json.loads(BUILT[name])["panels"])


def targets(name: str) -> Iterator[tuple[str, str]]:
    """The title and the query of every target."""
    for panel in panels(name):
        for target in panel.get("targets", ()):
            yield panel["title"], target["query"]


def test_the_committed_files_are_those_that_the_code_builds() -> None:
    stale = build.differences(ROOT / build.FOLDER, Settings())
    assert [str(path.relative_to(ROOT)) for path in stale] == [], "run `voltrail dashboards build`"


@pytest.mark.parametrize("name", BUILT)
def test_a_dashboard_is_valid_by_the_published_types(name: str) -> None:
    errors = [
        f"{list(error.absolute_path)}: {error.message[:200]}" for error in SCHEMA.iter_errors(json.loads(BUILT[name]))
    ]
    assert errors == []


@pytest.mark.parametrize(
    "path", [("panels", 1, "options"), ("panels", 1, "fieldConfig", "defaults"), ("panels", 1), ()]
)
def test_a_misspelt_key_is_found(path: tuple[str | int, ...]) -> None:
    dashboard = json.loads(BUILT["fleet"])
    place = dashboard
    for step in path:
        place = place[step]
    place["tiitle"] = 1
    assert not SCHEMA.is_valid(dashboard)


@pytest.mark.parametrize("name", BUILT)
def test_the_sdk_reads_a_dashboard_and_writes_the_same(name: str) -> None:
    register_default_plugins()
    register()
    assert build.encode(Dashboard.from_json(json.loads(BUILT[name]))) == BUILT[name]


@pytest.mark.parametrize("name", BUILT)
def test_panels_have_ids_of_their_own_and_do_not_overlap(name: str) -> None:
    found = panels(name)
    assert len({panel["id"] for panel in found}) == len(found)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in found)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert all(0 <= x < 24 for x, _ in cells)


def test_dashboards_have_uids_of_their_own_and_links_lead_to_one_of_them() -> None:
    uids = [json.loads(text)["uid"] for text in BUILT.values()]
    assert len(set(uids)) == len(uids)
    linked = {uid for text in BUILT.values() for uid in re.findall(r"/d/([\w-]+)", text)}
    assert linked
    assert linked <= set(uids)


@pytest.mark.parametrize("name", BUILT)
def test_a_dashboard_uses_one_data_source_and_variables_that_it_has(name: str) -> None:
    content = json.loads(BUILT[name])
    sources = {json.dumps(each) for each in re.findall(r'"datasource": (\{[^}]*\})', BUILT[name])}
    assert {tuple(json.loads(json.loads(each)).items()) for each in sources} == {
        (("type", "influxdb"), ("uid", "voltrail"))
    }
    known = {each["name"] for each in content["templating"]["list"]} | {"__from", "__to", "__interval", "timeFilter"}
    if name in ("battery", "consumption", "faults", "vehicle"):
        assert {"provider", "group", "model", "vehicle"} <= known
    for title, query in targets(name):
        used = set(re.findall(r"\$\{?(\w+)", query))
        assert used <= known, title
    assert all(each["type"] in ("query", "custom") for each in content["templating"]["list"])


@pytest.mark.parametrize("name", BUILT)
def test_every_query_reads_tables_and_columns_that_there_are(name: str) -> None:
    for title, query in targets(name):
        tables = set(re.findall(r'FROM "(\w+)"', query))
        assert tables <= set(TABLES), title
        columns = {column for table in tables for column in TABLES[table].columns}
        names = set(re.findall(r'"(\w+)"', query)) - tables
        aliases = set(re.findall(r'AS "(\w+)"', query))
        assert names - aliases <= columns | OWN_FIELDS, title


@pytest.mark.parametrize("name", BUILT)
def test_every_query_leaves_out_rows_that_are_no_longer_valid(name: str) -> None:
    for title, query in targets(name):
        derived = len([table for table in re.findall(r'FROM "(\w+)"', query) if table not in RAW])
        assert query.count('("retracted" = true) = false') == derived, title


def test_every_unit_is_one_of_grafana() -> None:
    known = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
    used = {unit for text in BUILT.values() for unit in re.findall(r'"unit": "([^"]+)"', text)}
    used |= set(GRAFANA_UNITS.values())
    assert {unit for unit in used if not unit.startswith("suffix:")} <= known


def test_a_unit_follows_from_the_column() -> None:
    assert (unit_of("distance_m"), unit_of("soc_pct"), unit_of("received")) == ("lengthm", "percent", "short")
    assert (unit_of("coverage"), unit_of("started_at"), unit_of("state")) == (
        "percentunit",
        "dateTimeAsLocal",
        "string",
    )
    assert unit_of("Time") == "dateTimeAsLocal"
    assert (unit_of("stay_s"), unit_of("late_share"), unit_of("visits")) == ("dtdurations", "percentunit", "short")


@pytest.mark.parametrize("name", BUILT)
def test_an_override_sets_properties_that_there_are(name: str) -> None:
    custom = {f"custom.{field}" for field in ("fillBelowTo", "fillOpacity", "lineWidth", "hideFrom")}
    graph = GraphFieldConfig(fill_below_to="a", fill_opacity=1, line_width=1, hide_from=None)
    assert set(graph.to_json()) >= {"fillBelowTo", "fillOpacity", "lineWidth"}
    for panel in panels(name):
        for override in panel.get("fieldConfig", {}).get("overrides", ()):
            assert {each["id"] for each in override["properties"]} <= PROPERTIES | custom, panel["title"]


@pytest.mark.parametrize("name", BUILT)
def test_what_is_missing_is_a_gap_and_never_a_zero(name: str) -> None:
    assert "fill(0)" not in BUILT[name]
    assert "nullValueMode" not in BUILT[name]
    for panel in panels(name):
        if panel["type"] == "timeseries":
            assert panel["fieldConfig"]["defaults"]["custom"]["spanNulls"] is not True, panel["title"]


def test_every_panel_says_what_it_answers_and_how() -> None:
    for page in pages().values():
        for panel in page.panels:
            question, _, how = panel.text.partition("?")
            assert question, panel.title
            assert len(how.split()) >= 3, f"{page.title}: {panel.title} does not say how"


def test_the_percentage_that_counts_as_low_is_that_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "voltrail.toml").write_text("[analytics]\nswap_below_pct = 33\n")
    content = json.loads(build.dashboards(load_settings(tmp_path / "voltrail.toml"))["fleet"])
    (low,) = [each for each in content["templating"]["list"] if each["name"] == "low"]
    assert low["current"]["value"] == "33"


def test_with_retention_derived_tables_are_read_from_the_policy_that_keeps_them() -> None:
    influx = InfluxSettings("http://127.0.0.1:1", "voltrail", retention_days=90)
    text = build.dashboards(msgspec.structs.replace(Settings(), sinks=Sinks(influx=influx)))["fleet"]
    queries = [target["query"] for panel in json.loads(text)["panels"] for target in panel.get("targets", ())]
    assert any('FROM "long"."trips"' in query or 'FROM "long"."consumption"' in query for query in queries)
    assert any('FROM "status"' in query for query in queries)
    assert not any('FROM "consumption"' in query or '"long"."status"' in query for query in queries)


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_server_that_can_delete_is_not_asked_for_rows_that_are_no_longer_valid(version: Literal["1", "2"]) -> None:
    influx = InfluxSettings("http://127.0.0.1:1", "voltrail", version=version)
    built = build.files(msgspec.structs.replace(Settings(), sinks=Sinks(influx=influx)))
    assert not [name for name, text in built.items() if "retracted" in text]
    assert any("retracted" in text for text in build.files(Settings()).values())
    panels = [panel for panel in json.loads(built["dashboards/fleet.json"])["panels"] if panel["type"] != "row"]
    queries = [target["query"] for panel in panels for target in panel["targets"]]
    assert not [query for query in queries if re.search(r"WHERE\s*(AND|GROUP|\))|AND\s*(GROUP|\)|AND)|AND$", query)]


def test_build_writes_what_differs_and_removes_what_is_left_over(tmp_path: Path) -> None:
    assert len(build.write(tmp_path, Settings())) == len(build.files(Settings()))
    assert build.write(tmp_path, Settings()) == []
    half = tmp_path / "dashboards" / "fleet.json"
    half.write_text(half.read_text()[:100])
    left = tmp_path / "dashboards" / "former.json"
    left.write_text("{}")
    assert build.differences(tmp_path, Settings()) == [half, left]
    assert build.write(tmp_path, Settings()) == [half, left]
    assert (half.read_text(), left.exists()) == (BUILT["fleet"], False)
