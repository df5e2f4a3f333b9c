"""Alert rules and contact points, as Grafana reads them at its start: one function a rule."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from dashboards.kit.influxql import DATASOURCE, EACH_VEHICLE, IN_RANGE, NO_FILTER, Query, either, select
from logger.settings.schema import Settings

FOLDER, GROUP, RECEIVER = "voltrail", "voltrail", "voltrail"
_EVERY = "1m"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_EXPRESSION = "__expr__"  # the data source of expressions
_MOVED, _FELL = ["1"], ["2", "4"]  # alerts of Segway, see logger/sources/segway/messages.py
_APPEARED = "\"state\" = 'appeared'"
_MARGIN_PCT = 5.0  # by which a low charge must rise again, so that a reading to and fro is one alert


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """An alert: `query` over the last `range_s` gives a number for each vehicle; `above` or `below` it fires.

    `again` is the number at which it ends, where that is another one. `lasting` is how long it must hold.
    `without_data` is what an answer without a row means: `OK`, since most rules wait for rows that must not come, and
    of vehicles and of the collector other rules say when they are silent. A query that fails is an alert of its own,
    `DatasourceError`, and says nothing of vehicles.
    """

    uid: str
    title: str
    text: str
    query: Query
    range_s: int
    above: float | None = None
    below: float | None = None
    again: float | None = None
    lasting: str = "0s"
    severity: str = "warning"
    without_data: str = "OK"
    dashboard: str = "voltrail-vehicle"


def rules(settings: Settings) -> list[Rule]:
    """Return all rules."""
    return [
        silent(),
        low_charge(settings.analytics.swap_below_pct),
        moved_while_locked(),
        fell_over(),
        fault_opened(),
        pack_weak(),
        influx_behind(),
        lake_behind(),
        spool_filling(),
        clock_off(),
    ]


def silent() -> Rule:
    return Rule(
        uid="voltrail-silent",
        title="Vehicle silent",
        text="{{ $labels.vehicle }} has reported nothing for 24 hours.",
        query=_each('moving_average(count("sequence"), 24)', "status", every="1h"),
        range_s=7 * _DAY,
        below=0.001,
        lasting="30m",
    )


def low_charge(percent: float) -> Rule:
    return Rule(
        uid="voltrail-low-charge",
        title="Low charge",
        text="{{ $labels.vehicle }} is at {{ $values.B.Value }} %.",
        query=_each('last("soc_pct")', "status"),
        range_s=2 * _DAY,
        below=percent,
        again=percent + _MARGIN_PCT,
        lasting="10m",
    )


def moved_while_locked() -> Rule:
    return Rule(
        uid="voltrail-moved-while-locked",
        title="Moved while locked",
        text="{{ $labels.vehicle }} was moved while it was locked.",
        query=_events("alert", _MOVED),
        range_s=_HOUR,
        above=0,
        severity="critical",
    )


def fell_over() -> Rule:
    return Rule(
        uid="voltrail-fell-over",
        title="Fell over",
        text="{{ $labels.vehicle }} fell over.",
        query=_events("alert", _FELL),
        range_s=_HOUR,
        above=0,
    )


def fault_opened() -> Rule:
    return Rule(
        uid="voltrail-fault-opened",
        title="Fault opened",
        text="{{ $labels.vehicle }} reports fault {{ $labels.code }}.",
        query=select(
            'count("state")', "event", "\"kind\" = 'fault'", _APPEARED, only=NO_FILTER, by=[*EACH_VEHICLE, "code"]
        ),
        range_s=_HOUR,
        above=0,
    )


def pack_weak() -> Rule:
    return Rule(
        uid="voltrail-pack-weak",
        title="Pack weak",
        text="The pack in port {{ $labels.port }} of {{ $labels.vehicle }} is probably weak.",
        query=select('last("weak_probability")', "battery_health", only=NO_FILTER, by=[*EACH_VEHICLE, "port"]),
        range_s=62 * _DAY,  # a verdict stands at the start of its month or stint
        above=0.9,
        again=0.7,
        dashboard="voltrail-battery",
    )


def influx_behind() -> Rule:
    return Rule(
        uid="voltrail-influx-behind",
        title="InfluxDB is behind, or voltrail is down",
        text="No heartbeat of the collector has come to InfluxDB for 15 minutes.",
        query=select('count("sequence")', "collector", only=NO_FILTER),
        range_s=15 * _MINUTE,
        below=1,
        lasting="5m",
        severity="critical",
        without_data="Alerting",
        dashboard="voltrail-pipeline",
    )


def lake_behind() -> Rule:
    return Rule(
        uid="voltrail-lake-behind",
        title="The lake is behind",
        text="{{ $values.B.Value }} messages wait for the lake.",
        query=select('last("lake_waiting")', "collector", only=NO_FILTER),
        range_s=15 * _MINUTE,
        above=10_000,
        again=1_000,
        lasting="15m",
        dashboard="voltrail-pipeline",
    )


def spool_filling() -> Rule:
    return Rule(
        uid="voltrail-spool-filling",
        title="The spool fills",
        text="The spool is more than half full; when it is full, pushes are refused.",
        query=select('last("spool_share")', "collector", only=NO_FILTER),
        range_s=15 * _MINUTE,
        above=0.5,
        again=0.4,
        severity="critical",
        dashboard="voltrail-pipeline",
    )


def clock_off() -> Rule:
    return Rule(
        uid="voltrail-clock-off",
        title="Clock off",
        text="The clock of {{ $labels.vehicle }} is so far off that the time of receipt takes its place.",
        query=_each('count("sequence")', "status", "\"clock\" = 'received'"),
        range_s=_HOUR,
        above=0,
        lasting="15m",
        dashboard="voltrail-pipeline",
    )


def rule_file(settings: Settings, stored: Callable[[Query], Query]) -> Mapping[str, Any]:
    """Return the content of the file of alert rules; `stored` gives a query that reads tables where they are stored."""
    found = [msgspec.structs.replace(rule, query=stored(rule.query)) for rule in rules(settings)]
    group = {"orgId": 1, "name": GROUP, "folder": FOLDER, "interval": _EVERY, "rules": [*map(_content, found)]}
    return {"apiVersion": 1, "groups": [group]}


def contact_file() -> Mapping[str, Any]:
    """Return the content of the file of contact points and of who gets what: mail, its address from the environment."""
    mail = {
        "uid": "voltrail-mail",
        "type": "email",
        "settings": {"addresses": "$VOLTRAIL_ALERT_MAIL", "singleEmail": True},
    }
    policy = {
        "orgId": 1,
        "receiver": RECEIVER,
        "group_by": ["alertname", "vehicle"],
        "group_wait": "1m",
        "group_interval": "5m",
        "repeat_interval": "24h",
    }
    points = [{"orgId": 1, "name": RECEIVER, "receivers": [mail]}]
    return {"apiVersion": 1, "contactPoints": points, "policies": [policy]}


def _content(rule: Rule) -> Mapping[str, Any]:
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "C",
        "for": rule.lasting,
        "noDataState": rule.without_data,
        "execErrState": "Error",
        "annotations": {"summary": rule.text, "__dashboardUid__": rule.dashboard},
        "labels": {"severity": rule.severity, "source": "voltrail"},
        "data": [_query(rule), _newest(), _threshold(rule)],
    }


def _query(rule: Rule) -> Mapping[str, Any]:
    model = {"refId": "A", "datasource": DATASOURCE, "rawQuery": True, "query": rule.query.text}
    return {
        "refId": "A",
        "datasourceUid": DATASOURCE["uid"],
        "relativeTimeRange": {"from": rule.range_s, "to": 0},
        "model": {**model, "resultFormat": "time_series"},
    }


def _newest() -> Mapping[str, Any]:
    settings = {"mode": "dropNN"}
    model = {"refId": "B", "type": "reduce", "expression": "A", "reducer": "last", "settings": settings}
    return {"refId": "B", "datasourceUid": _EXPRESSION, "model": model}


def _threshold(rule: Rule) -> Mapping[str, Any]:
    kind, limit = ("gt", rule.above) if rule.above is not None else ("lt", rule.below)
    condition: dict[str, Any] = {"evaluator": {"type": kind, "params": [limit]}}
    if rule.again is not None:
        condition["unloadEvaluator"] = {"type": {"gt": "lt", "lt": "gt"}[kind], "params": [rule.again]}
    return {
        "refId": "C",
        "datasourceUid": _EXPRESSION,
        "model": {"refId": "C", "type": "threshold", "expression": "B", "conditions": [condition]},
    }


def _each(what: str, table: str, *where: str, every: str = "") -> Query:
    return select(what, table, *where, only=NO_FILTER, by=EACH_VEHICLE, every=every, fill="0", span=IN_RANGE)


def _events(kind: str, codes: list[str]) -> Query:
    conditions = (f"\"kind\" = '{kind}'", either("code", codes), _APPEARED)
    return select('count("state")', "event", *conditions, only=NO_FILTER, by=EACH_VEHICLE)
