"""Contradictions between tables are found where they are planted, and nowhere else."""

from typing import Any

import polars as pl
import pytest

from logger.tables import shaped
from tests.analytics.contradictions import CONTRADICTIONS
from tests.analytics.hand import AT, at
from tests.cases.reports.checks import Tables
from tests.cases.reports.fleet import DERIVED_NAMES

TRIP = {
    "kind": "observed", "distance_m": 6000.0, "duration_s": 600.0, "start_uncertainty_s": 5.0,
    "finish_uncertainty_s": 5.0, "soc_used_pct": 4.0, "soc_used_low_pct": 3.0, "soc_used_high_pct": 5.0,
}  # fmt: skip
DAY = {"day": "2026-03-02", "distance_m": 6000.0, "trips": 1}
BOOKS = {"day": "2026-03-02", "odometer_m": 6200.0, "trips_m": 6000.0, "pushed_m": 200.0, "unplaced_m": 0.0}


def span(begin: float, end: float, **more: Any) -> dict[str, Any]:
    """A row from one minute to another."""
    times = {"time": at(begin), "started_at": at(begin), "finished_at": at(end), "duration_s": 60 * (end - begin)}
    return {"provider": "p", "vehicle": "a", **times, **more}


def tables(**changed: list[dict[str, Any]]) -> Tables:
    """A vehicle that was parked, ridden from minute 60 to 70, and charged; some tables are others than that."""
    day = {"provider": "p", "vehicle": "a", "time": AT}
    rows: dict[str, list[dict[str, Any]]] = {
        "trips": [span(60, 70, **TRIP)],
        "states": [span(0, 60, state="parked"), span(60, 70, state="riding"), span(70, 200, state="parked")],
        "charges": [span(90, 120, kind="charge")], "standby": [span(0, 60)], "consumption": [day | DAY],
        "coverage": [day | BOOKS], **changed,
    }  # fmt: skip
    return {name: frame(name, rows.get(name, [])) for name in DERIVED_NAMES}


def frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """These rows as the table of this name."""
    return shaped(pl.DataFrame(rows or [{}], infer_schema_length=None), name).head(len(rows))


def test_tables_that_agree_have_no_contradiction() -> None:
    assert [name for name, find in CONTRADICTIONS.items() if find(tables()).height] == []


PLANTED: list[tuple[str, dict[str, list[dict[str, Any]]]]] = [
    ("trips_that_overlap", {"trips": [span(60, 70, **TRIP), span(69, 80, **TRIP)]}),
    ("states_that_leave_a_gap", {"states": [span(0, 59, state="parked"), span(60, 70, state="riding")]}),
    ("riding_without_a_trip", {"states": [span(0, 30, state="riding"), span(30, 200, state="parked")]}),
    ("trips_without_riding", {"states": [span(0, 200, state="parked")]}),
    ("trips_without_riding", {"states": [span(0, 65, state="parked"), span(65, 200, state="riding")]}),
    ("charges_under_way", {"charges": [span(62, 66, kind="charge")]}),
    ("standby_on_trips_or_charges", {"standby": [span(0, 61)]}),
    ("standby_on_trips_or_charges", {"standby": [span(110, 150)]}),
    ("days_with_other_metres_than_their_trips", {"trips": [span(60, 70, **TRIP | {"distance_m": 5000.0})]}),
    ("days_with_another_count_of_trips", {"trips": []}),
    ("days_with_another_energy_than_their_charges", {"charges": [span(90, 120, kind="charge", energy_wh=900.0)]}),
    (
        "days_with_another_energy_than_their_charges",
        {"charges": [], "consumption": [{"provider": "p", "vehicle": "a", "time": AT, **DAY, "charged_wh": 300.0}]},
    ),
    ("hours_with_other_sums_than_their_trips", {"trips": [span(60, 70, **TRIP | {"energy_wh": 150.0})]}),
    ("trips_faster_than_the_vehicle", {"trips": [span(60, 70, **TRIP | {"distance_m": 60_000.0})]}),
    ("trips_that_gain_percent", {"trips": [span(60, 70, **TRIP | {"soc_used_pct": -9.0})]}),
    ("values_outside_of_their_interval", {"trips": [span(60, 70, **TRIP | {"soc_used_pct": 5.5})]}),
    ("rows_that_are_not_finite", {"standby": [span(0, 60, pct_per_day=float("nan"))]}),
]


@pytest.mark.parametrize(("name", "changed"), PLANTED, ids=[name for name, _ in PLANTED])
def test_a_contradiction_is_found(name: str, changed: dict[str, list[dict[str, Any]]]) -> None:
    assert CONTRADICTIONS[name](tables(**changed)).height == 1


def test_metres_that_are_in_no_book_are_found() -> None:
    day = {"provider": "p", "vehicle": "a", "time": AT}
    found = CONTRADICTIONS["metres_that_are_in_no_book"](tables(coverage=[day | BOOKS | {"odometer_m": 6300.0}]))
    assert found["odometer_m"].to_list() == [6300]


def test_a_trip_over_midnight_is_shared_between_its_days() -> None:
    who = {"provider": "p", "vehicle": "a"}
    night = [
        {**who, "time": at(0), "day": "2026-03-02", "distance_m": 2000.0, "trips": 1},
        {**who, "time": at(1440), "day": "2026-03-03", "distance_m": 4000.0, "trips": 0},
    ]
    shared = tables(trips=[span(1435, 1445, **TRIP)], consumption=night)
    assert CONTRADICTIONS["days_with_other_metres_than_their_trips"](shared).is_empty()
    assert CONTRADICTIONS["days_with_another_count_of_trips"](shared).is_empty()
