"""Faults and alerts: what broke when, how often, on which vehicles, and how long they last between faults."""

from dashboards.kit import style
from dashboards.kit.influxql import (
    BY_MODEL,
    EACH_VEHICLE,
    EVER,
    LAST_QUARTER,
    NEWEST_ROWS,
    either,
    named,
    newest_rows,
    outer,
    select,
    text,
)
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, bars, columns, number, timeline
from dashboards.kit.tables import TO_VEHICLE, rows

_TROUBLES = either("kind", ["alert", "fault"])
_FAULTS, _ALERTS = "\"kind\" = 'fault'", "\"kind\" = 'alert'"
_EVENTS = ("alert", "fault", "component")


def page() -> Page:
    """Episodes of faults and alerts."""
    return Page(
        uid="voltrail-faults",
        title="Faults and alerts",
        text="What broke when, how often, on which vehicles, and how far they go between two faults.",
        since="now-30d",
        rows=[
            ("In sum", [faults(), alerts(), affected(), lasting(), longest(), codes()]),
            ("What lasts", [open_now(), when()]),
            ("How often", [per_day(), by_code(), alerts_by_code(), offenders()]),
            ("Between faults", [between_km(), between_h(), every(), components()]),
        ],
    )


def faults() -> Panel:
    return _count("Faults", "How many faults began?", _FAULTS)


def alerts() -> Panel:
    return _count("Alerts", "How many alerts began?", _ALERTS)


def affected() -> Panel:
    return number(
        "Vehicles with faults",
        "How many vehicles had a fault? Vehicles with at least one fault that began in the chosen range.",
        select('count("count") AS "episodes"', "episodes", _FAULTS, by=EACH_VEHICLE),
        "episodes",
        calc="count",
    )


def lasting() -> Panel:
    return number(
        "Open faults",
        "How many faults last? Faults that nothing has ended yet, of those that began in the last 90 days.",
        select('count("count") AS "lasting"', "episodes", _FAULTS, '"open" = true', span=LAST_QUARTER),
        "lasting",
        limits=style.high_is_bad(1, 5),
    )


def longest() -> Panel:
    inner = select('"finished_at" - "started_at" AS "lasted_ms"', "episodes", _FAULTS)
    return number(
        "Median length",
        "How long does a fault last? Median of the faults that have ended.",
        outer('median("lasted_ms") / 1000 AS "lasted_s"', inner),
        "lasted_s",
    )


def codes() -> Panel:
    return number(
        "Codes",
        "How many different codes appeared? Codes of faults and alerts in the chosen range.",
        select('count("count") AS "episodes"', "episodes", _TROUBLES, by=["kind", "code"]),
        "episodes",
        calc="count",
    )


def open_now() -> Panel:
    return rows(
        "Open now",
        "What lasts now? Faults and alerts of the last 90 days that nothing has ended yet, newest first.",
        select(
            '"vehicle", "started_at", "kind", "code", "system", "text", "count"', "episodes", _TROUBLES,
            '"open" = true', span=LAST_QUARTER, order=NEWEST_ROWS,
        ),
        "started_at",
        "vehicle",
        "kind",
        "code",
        "text",
        "count",
        sort="started_at",
        links=[TO_VEHICLE],
    )  # fmt: skip


def when() -> Panel:
    return timeline(
        "Messages of faults",
        "When did faults appear and clear? Each band is a code of a vehicle, from one message to the next.",
        named(select('"state"', "event", _FAULTS, by=["vehicle", "code"]), "$tag_vehicle: $tag_code"),
        mappings=style.word_mappings({"appeared": ("appeared", style.RED), "cleared": ("cleared", style.GREEN)}),
        width=12,
        height=9,
    )


def per_day() -> Panel:
    return columns(
        "Faults and alerts",
        "Are they getting more? Faults and alerts that began, by day in UTC, repeats of a message counted once.",
        *(
            named(select('count("started_at")', "episodes", f'"kind" = {text(kind)}', every="1d"), f"{kind}s")
            for kind in ("fault", "alert")
        ),
        unit="short",
    )


def by_code() -> Panel:
    return rows(
        "Codes",
        "Which codes appear most? Episodes by code, and how often they were reported.",
        select(
            'count("count") AS "episodes", sum("count") AS "reports", last("text") AS "text"',
            "episodes",
            _TROUBLES,
            by=["kind", "code"],
        ),
        "kind",
        "code",
        "text",
        "episodes",
        "reports",
        sort="episodes",
    )


def alerts_by_code() -> Panel:
    return bars(
        "Alerts by code",
        "Which alerts come most? Alerts that began in the chosen range, by the vendor's code.",
        select('count("count") AS "episodes"', "episodes", _ALERTS, by=["code"]),
        "code",
        "episodes",
        sort="episodes",
        descending=True,
        most=15,
    )


def offenders() -> Panel:
    return rows(
        "Top offenders",
        "Which vehicles have most faults? Faults that began in the chosen range, by vehicle.",
        select('count("count") AS "episodes", sum("count") AS "reports"', "episodes", _FAULTS, by=["vehicle"]),
        "vehicle",
        "episodes",
        "reports",
        sort="episodes",
        links=[TO_VEHICLE],
    )


def between_km() -> Panel:
    return _between("Kilometres between faults", "mtbf_km", "How far do vehicles go between two faults?", "suffix: km")


def between_h() -> Panel:
    return _between("Hours between faults", "mtbf_h", "How long do vehicles ride between two faults?", "suffix: h")


def every() -> Panel:
    return rows(
        "Faults and alerts",
        "What happened lately? Faults and alerts in the chosen range, newest first, with the odometer at their start.",
        newest_rows(
            '"vehicle", "started_at", "finished_at", "kind", "code", "system", "text", "count", "odometer_m"',
            "episodes",
            _TROUBLES,
        ),
        "started_at",
        "finished_at",
        "vehicle",
        "kind",
        "code",
        "text",
        "count",
        "odometer_m",
        sort="started_at",
        links=[TO_VEHICLE],
    )


def components() -> Panel:
    return columns(
        "Messages of events",
        "How much do vehicles report? Messages of alerts, faults and components by day, in UTC.",
        *(
            named(select('count("state")', "event", f'"kind" = {text(kind)}', every="1d"), f"{kind}s")
            for kind in _EVENTS
        ),
        unit="short",
    )


def _count(title: str, question: str, condition: str) -> Panel:
    return number(
        title,
        f"{question} Episodes that began in the chosen range.",
        select('count("count") AS "episodes"', "episodes", condition),
        "episodes",
    )


def _between(title: str, check: str, question: str, unit: str) -> Panel:
    return rows(
        title,
        f"{question} Mean of each model, by month, of the three months before, with its interval of 95 %.",
        select(
            '"model", "answer", "value", "low", "high", "n"', "calibration", f'"check" = {text(check)}', span=EVER,
            only=BY_MODEL,
        ),
        "Time",
        "model",
        "answer",
        "value",
        "low",
        "high",
        sort="Time",
        overrides=[style.override(name, unit=unit) for name in ("value", "low", "high")],
    )  # fmt: skip
