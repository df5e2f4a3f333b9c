"""Timeline: what each vehicle did when, and when nobody knows."""

from dashboards.kit import style
from dashboards.kit.influxql import (
    AND_A_WEEK_BEFORE,
    DAY,
    EACH_VEHICLE,
    UP_TO_A_MONTH,
    VISITS,
    Query,
    named,
    select,
    text,
)
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, columns, daily, number, ranking, timeline
from dashboards.kit.tables import TO_VEHICLE, rows
from logger.derived_tables import STATES


def page() -> Page:
    """States of many vehicles side by side."""
    return Page(
        uid="voltrail-timeline",
        title="Timeline",
        text="What each vehicle did when: riding, charging, parked, offline, and when nobody knows.",
        since="now-2d",
        rows=[
            ("State by state", [states()]),
            ("In sum", [ridden(), charged(), parked(), unknown(), shares(), by_day()]),
            ("Where nobody knows", [longest_silences(), longest_gap(), visits()]),
        ],
    )


def states() -> Panel:
    return timeline(
        "States",
        "What did each vehicle do when? Each state lasts until the next one begins, and the last one is drawn up to "
        "the right edge. Red is time without data: silent for twice its usual pace and over 30 min. Of many vehicles "
        "the first 100 are drawn: choose a group. Ranges up to 31 days.",
        named(
            select('"state"', "states", UP_TO_A_MONTH, span=AND_A_WEEK_BEFORE, by=EACH_VEHICLE, order="SLIMIT 100"),
            "$tag_vehicle",
        ),
        mappings=style.state_mappings(),
        height=16,
    )


def ridden() -> Panel:
    return _hours("On trips", "How long were vehicles on trips?", "riding")


def charged() -> Panel:
    return _hours("Charging", "How long did they charge?", "charging")


def parked() -> Panel:
    return _hours("Parked", "How long did they stand?", "parked")


def unknown() -> Panel:
    return _hours("No data", "For how long is nothing known?", "no_data")


def shares() -> Panel:
    return ranking(
        "Time in each state",
        "How was the time spent? Length of all states that began in the chosen range, summed over the vehicles.",
        *(named(_time_in(state), state.replace("_", " ")) for state in STATES),
        unit="dtdurations",
        width=12,
    )


def by_day() -> Panel:
    return columns(
        "Time on trips, charging and without data",
        "How do the days differ? Length of states by the day of their start, in UTC; parked time fills the rest.",
        *(
            named(
                select('sum("duration_s")', "states", f'"state" = {text(state)}', every="1d"), state.replace("_", " ")
            )
            for state in ("riding", "paused", "charging", "offline", "no_data")
        ),
        unit="dtdurations",
    )


def longest_silences() -> Panel:
    return rows(
        "Longest silences",
        "Which vehicles were silent for longest? States `no_data` in the chosen range, longest first.",
        select('"vehicle", "started_at", "finished_at", "duration_s"', "states", "\"state\" = 'no_data'"),
        "vehicle",
        "started_at",
        "finished_at",
        "duration_s",
        sort="duration_s",
        links=[TO_VEHICLE],
    )


def longest_gap() -> Panel:
    return daily(
        "Longest gap of a day",
        "How long was the worst gap? Longest time between two readings, of the worst and of the median vehicle.",
        named(select('max("longest_gap_s")', "coverage", every=DAY), "worst vehicle"),
        named(select('median("longest_gap_s")', "coverage", every=DAY), "median vehicle"),
        unit="dtdurations",
    )


def visits() -> Panel:
    return rows(
        "Stays in places",
        "How often do vehicles stay where? Visits of places of the settings, and when the newest that is over ended.",
        select('count("count") AS "visits", last("finished_at") AS "finished_at"', "episodes", *VISITS, by=["code"]),
        "code",
        "visits",
        "finished_at",
        sort="visits",
        width=24,
    )


def _hours(title: str, question: str, state: str) -> Panel:
    return number(
        title,
        f"{question} Length of the states `{state}` that began in the chosen range, all vehicles together.",
        _time_in(state),
        "duration_s",
        width=6,
    )


def _time_in(state: str) -> Query:
    return select('sum("duration_s") AS "duration_s"', "states", f'"state" = {text(state)}')
