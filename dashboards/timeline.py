"""Timeline: what each vehicle did when, and when nobody knows."""

from dashboards.kit import style
from dashboards.kit.influxql import (
    AND_A_WEEK_BEFORE,
    BEYOND_TWO_DAYS,
    DAY,
    EACH_VEHICLE,
    UP_TO_A_MONTH,
    UP_TO_TWO_DAYS,
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

_WHEN = "of a range up to two days, all states that began in it, of a longer one, the days (UTC) that began in it"


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
        f"How was the time spent? Length of each state, summed over the vehicles: {_WHEN}.",
        *(named(query, state.replace("_", " ")) for state in STATES for query in _time_in(state)),
        unit="dtdurations",
        width=12,
    )


def by_day() -> Panel:
    return columns(
        "Time on trips, charging and without data",
        "How do the days differ? Length of states by day, in UTC; parked time fills the rest. In a range up to two "
        "days, a state counts for the day of its start.",
        *(
            named(query, state.replace("_", " "))
            for state in ("riding", "paused", "charging", "offline", "no_data")
            for query in _time_in(state, every="1d")
        ),
        unit="dtdurations",
    )


def longest_silences() -> Panel:
    return rows(
        "Longest silences",
        "Which vehicles were silent for longest? The 1,000 longest states `no_data` that began in the chosen range, "
        "which may have 31 days.",
        select(
            'top("duration_s", 1000) AS "duration_s", "vehicle", "started_at", "finished_at"',
            "states",
            "\"state\" = 'no_data'",
            UP_TO_A_MONTH,
        ),
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
    short, long = _time_in(state)
    text = f"{question} Length of the states `{state}`, all vehicles together: {_WHEN}."
    return number(title, text, short, "duration_s", width=6, also=[long])


def _time_in(state: str, every: str = "") -> tuple[Query, Query]:
    """How long vehicles were in a state: one query for ranges up to two days, and one for longer ones."""
    alias = "" if every else ' AS "duration_s"'
    single = select(f'sum("duration_s"){alias}', "states", f'"state" = {text(state)}', UP_TO_TWO_DAYS, every=every)
    return single, select(f'sum("{state}_s"){alias}', "states_1d", BEYOND_TWO_DAYS, every=every)
