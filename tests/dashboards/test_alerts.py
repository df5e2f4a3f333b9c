"""Alert rules: each fires on the demo's data where it should, ends where it should, and is what Grafana reads."""

import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
import yaml
from grafana_foundation_sdk.models import alerting

from dashboards import alerts, build
from dashboards.catalogue import pages
from dashboards.kit.influxql import Query
from logger.settings.schema import Analytics, InfluxSettings, Settings, Sinks
from logger.tables import TABLES
from tests.dashboards.car import MOPED
from tests.dashboards.chosen import Demo
from tests.dashboards.grafana import View, expand, time_series

RULES = alerts.rules(Settings())
FILES = build.files(Settings())
# What the demo and its three other vehicles give rise to within the last days
FIRES = {
    "voltrail-silent",
    "voltrail-low-charge",
    "voltrail-moved-while-locked",
    "voltrail-fell-over",
    "voltrail-fault-opened",
    "voltrail-influx-behind",
}


def values(query: Query, range_s: int, demo: Demo) -> dict[str, float | None]:
    """The newest value of each series, as the reduce expression of a rule takes it."""
    now = datetime.now(UTC)
    view = View(datetime.fromtimestamp(now.timestamp() - range_s, UTC), now, {})
    answer = demo.client.query_series(demo.database, expand(query.text, view))
    found = time_series(answer, "$tag_vehicle" if "vehicle" in query.text else "all")
    return {name: [value for _, value in points if value is not None][-1] for name, points in found.items()}


def beyond(rule: alerts.Rule, value: float) -> bool:
    return value > rule.above if rule.above is not None else rule.below is not None and value < rule.below


@pytest.mark.xdist_group("dashboards")
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.uid))
def test_a_rule_fires_on_the_demo_where_it_should(rule: alerts.Rule, demo: Demo) -> None:
    found = values(rule.query, max(rule.range_s, 4 * 86_400), demo)  # events of the demo are days old
    known = {name: value for name, value in found.items() if value is not None}
    firing = {name for name, value in known.items() if beyond(rule, value)}
    if rule.uid == "voltrail-silent":
        assert firing == {"$van/(1)"}
    elif rule.uid == "voltrail-low-charge":
        assert "$van/(1)" in firing
    elif rule.uid == "voltrail-influx-behind":
        assert set(found) == {"all"}  # a heartbeat a minute while the demo runs: it is not behind
        assert not firing
    elif rule.uid == "voltrail-pack-weak":
        assert MOPED in firing
    elif rule.uid in FIRES:
        assert firing
    else:
        assert not firing - set(found)


def content(rule: alerts.Rule) -> dict[str, Any]:
    (group,) = yaml.safe_load(FILES["provisioning/alerting/rules.yaml"])["groups"]
    (found,) = [each for each in group["rules"] if each["uid"] == rule.uid]
    return dict(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.uid))
def test_a_rule_has_the_keys_that_the_sdk_knows(rule: alerts.Rule) -> None:
    found = content(rule)
    again = alerting.Rule.from_json({**found, "folderUID": "voltrail", "ruleGroup": "voltrail", "orgID": 1}).to_json()
    assert set(found) <= set(again)
    assert {key: again[key] for key in found if key != "data"} == {key: found[key] for key in found if key != "data"}
    assert [each["refId"] for each in found["data"]] == ["A", "B", "C"]


def test_rules_read_tables_that_there_are_and_lead_to_dashboards_that_there_are() -> None:
    uids = {page.uid for page in pages().values()}
    for rule in RULES:
        assert rule.dashboard in uids
        assert rule.query.text.partition('FROM "')[2].partition('"')[0] in {*TABLES, "battery_health"}
        assert (rule.above is None) != (rule.below is None)
    assert len({rule.uid for rule in RULES}) == len(RULES)


def test_what_swings_around_a_limit_is_one_alert() -> None:
    low = alerts.low_charge(20)
    (condition,) = content(low)["data"][2]["model"]["conditions"]
    assert condition["evaluator"] == {"type": "lt", "params": [20.0]}
    assert condition["unloadEvaluator"] == {"type": "gt", "params": [25.0]}


def test_low_is_what_the_settings_call_low() -> None:
    settings = msgspec.structs.replace(Settings(), analytics=Analytics(swap_below_pct=33))
    assert next(rule for rule in alerts.rules(settings) if rule.uid == "voltrail-low-charge").below == 33


def test_no_heartbeat_at_all_is_an_alert_as_well_and_no_other_rule_needs_one() -> None:
    states = {rule.uid: content(rule)["noDataState"] for rule in RULES}
    assert states.pop("voltrail-influx-behind") == "Alerting"
    assert {*states.values()} == {"OK"}


def test_a_query_that_fails_is_an_error_and_no_alert_of_vehicles() -> None:
    assert {content(rule)["execErrState"] for rule in RULES} == {"Error"}


def test_a_rule_counts_rows_by_a_column_that_each_of_them_has() -> None:
    for rule in RULES:
        for column in re.findall(r'count\("(\w+)"\)', rule.query.text):
            assert column == "sequence" or f'"{column}" = ' in rule.query.text, rule.uid


def test_rules_read_the_policy_in_which_tables_are_kept() -> None:
    influx = InfluxSettings("http://127.0.0.1:1", "voltrail", retention_days=90)
    text = build.files(msgspec.structs.replace(Settings(), sinks=Sinks(influx=influx)))[
        "provisioning/alerting/rules.yaml"
    ]
    assert 'FROM \\"long\\".\\"battery_health\\"' in text
    assert 'FROM \\"status\\"' in text


def test_every_alert_has_somebody_who_gets_it() -> None:
    found = yaml.safe_load(FILES["provisioning/alerting/contact-points.yaml"])
    assert [each["receiver"] for each in found["policies"]] == [each["name"] for each in found["contactPoints"]]


def test_the_data_source_is_the_one_that_panels_name() -> None:
    (source,) = yaml.safe_load(FILES["provisioning/datasources/voltrail.yaml"])["datasources"]
    assert (source["uid"], source["type"], source["jsonData"]["version"]) == ("voltrail", "influxdb", "InfluxQL")
    assert "token" not in source["secureJsonData"]["httpHeaderValue1"].partition("{")[0]
