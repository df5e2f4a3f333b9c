"""Where a charge lies between two polls, trips at both of its ends used what their way took."""

import polars as pl
import pytest

from analytics.observations.soc_at import soc_path
from analytics.observations.soc_used import used
from analytics.schemas import OBSERVATIONS
from tests.analytics.hand import at, rows

WHO = {"provider": "segway", "vehicle": "a"}
KM_PCT = 2.0  # of this car


def polled(*told: tuple[int, float, float], charging: frozenset[int] = frozenset()) -> pl.DataFrame:
    """Of (minute, percent, kilometre)."""
    return rows(OBSERVATIONS, *(
        {"minute": minute, "soc_pct": pct, "way_m": 1000 * km, "odometer_m": 1000 * km, "charging": minute in charging}
        for minute, pct, km in told
    ))  # fmt: skip


def parts(readings: pl.DataFrame, *trips: tuple[float, float]) -> list[tuple[float, float]]:
    """Percent at both ends of trips (from and to a minute)."""
    spans = pl.DataFrame([{**WHO, "started_at": at(begin), "finished_at": at(end)} for begin, end in trips])
    spans = spans.cast({name: OBSERVATIONS["at"] for name in ("started_at", "finished_at")})
    return used(soc_path(readings, trips=spans), spans).select("soc_start_pct", "soc_finish_pct").rows()


# 60 km/h: at minute 50 it arrives with 25 %, charges until 70 to 75 %, drives on
STRADDLED = polled(
    (0, 50, 0), (20, 40, 20), (40, 30, 40), (60, 50, 50), (80, 70, 60), (100, 60, 80), (120, 60, 80),
    charging=frozenset({60}),
)  # fmt: skip


def test_trips_before_and_after_a_charge_used_what_their_way_took() -> None:
    (began, arrived), (left, ended) = parts(STRADDLED, (0, 50), (70, 100))
    assert (began, ended) == pytest.approx((50.5, 60.5), abs=0.6)
    assert arrived == pytest.approx(25.5, abs=0.6)
    assert left == pytest.approx(75.5, abs=0.6)


@pytest.mark.parametrize(("charging", "before"), [({60}, True), ({0}, False)])
def test_a_trip_whole_in_the_interval_of_a_charge_lies_on_the_side_that_flags_leave(
    charging: set[int], before: bool
) -> None:
    readings = polled((-60, 60, -10), (0, 55, 0), (60, 80, 10), (120, 75, 20), charging=frozenset(charging))
    ((began, ended),) = parts(readings, (20, 30))
    assert began - ended == pytest.approx(10 / KM_PCT, abs=0.6)
    assert began == pytest.approx(55.5 if before else 85.5, abs=0.6)


def test_falls_that_a_charge_parts_are_no_slow_fall() -> None:
    readings = polled(
        (0, 80, 0), (30, 75, 20), (60, 77, 20), (90, 80, 20), (3000, 80, 40), (3030, 75, 60), (3060, 77, 60),
        (3090, 80, 60), charging=frozenset({60, 90, 3060, 3090}),
    )  # fmt: skip
    ((began, ended),) = parts(readings, (3000, 3030))
    assert (began, ended) == pytest.approx((80.5, 75.5), abs=0.6)
