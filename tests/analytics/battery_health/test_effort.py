"""Even ways: what fast and unsteady kilometres take is found again, and no way is made longer or shorter in all."""

import itertools
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.calibration import CHECKS, DIGITS, EVEN, INSUFFICIENT, Sums, calibrated
from analytics.battery_health.effort import RIDES, efforts, even_m, ways
from analytics.battery_health.evidence import evidence
from analytics.battery_health.moments import pooled
from analytics.observations.soc_steps import TICKS
from analytics.schemas import BATTERIES, OBSERVATIONS, PACKS
from analytics.trips.trips import trips
from logger.tables import TIME, shaped
from tests.analytics.finding import observed, segments_of
from tests.analytics.hand import at

KNOWN = pl.DataFrame(
    {
        "provider": "segway",
        "vehicle": ["a", "b"],
        "model": "moped",
        "timezone": "UTC",
        "capacity_wh": 1440.0,
        "wh_per_km": 31.0,
    }
)
KM, DRAG, RUSH = 1.2, 0.8, 0.3  # percents that each takes
ROUNDED = 0.5 * 10 ** (1 - DIGITS)  # what a figure of so many digits is off by
Rides = list[tuple[float, float, float]]
Row = dict[str, Any]


def some(count: int = 2 * RIDES) -> Rides:
    """(km, drag, rush) of rides that are all different."""
    turns = [(0.618 * place % 1, 0.755 * place % 1, 0.57 * place % 1) for place in range(1, count + 1)]
    return [(1 + 6 * a, (1 + 6 * a) * (0.5 + b), 10 * a * (0.5 + c)) for a, b, c in turns]


def ridden(rides: Rides, packs: float = 1.0) -> pl.DataFrame:
    """Of vehicle a, one in three hours, on packs of which a percent holds less."""
    made = [
        {
            "started_at": at(180 * place), "finished_at": at(180 * place + 20), "distance_m": 1000 * km, "drag": drag,
            "rush": rush, "soc_used_pct": packs * (KM * km + DRAG * drag + RUSH * rush),
        }
        for place, (km, drag, rush) in enumerate(rides)
    ]  # fmt: skip
    told = {"provider": "segway", "vehicle": "a", "kind": "observed", "swaps": 0, "soc_mean_pct": 50.0}
    rows = pl.DataFrame(made, schema_overrides={"started_at": TIME, "finished_at": TIME})
    nothing = {"start_place": pl.String(), "ambient_c": pl.Float64(), "riding_s": pl.Float64()}
    return rows.with_columns(
        *(pl.lit(value).alias(name) for name, value in told.items()),
        *(pl.lit(None, dtype).alias(name) for name, dtype in nothing.items()),
    )


def days(rides: pl.DataFrame) -> pl.DataFrame:
    """Rows of `evidence`."""
    none = OBSERVATIONS.to_frame()
    return evidence(
        none, segments_of(none), TICKS.to_frame(), rides, BATTERIES.to_frame(), PACKS.to_frame(), KNOWN
    )  # fmt: skip


def sums(evidence: pl.DataFrame) -> Sums:
    """Of the model, by check."""
    told = evidence.join(KNOWN, on=["provider", "vehicle"], maintain_order="left")
    return pooled(told, "provider", "model").get(("segway", "moped"), {})


def found(rides: pl.DataFrame) -> list[Row]:
    """Rows of checks of these rides."""
    whole = rides.select(pl.col("distance_m").sum() / 1000, pl.col("drag", "rush").sum()).row(0)
    return list(efforts("moped", sums(days(rides)), whole))


def evened(trips: pl.DataFrame, checks: list[Row], since: float = 0) -> pl.Series:
    """`even_m` by these checks, that hold since then."""
    rows = pl.DataFrame([{**row, "provider": "segway", "time": at(since)} for row in checks], schema=CHECKS)
    return even_m(trips, calibrated(KNOWN, rows))


def moped(speeds: list[float], every_s: int = 10) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Intervals and trips of a ride at these speeds [km/h] every ten seconds; it stands before and after."""
    told, metres = [row(-30, True, 0.0, 0.0, 0.0), row(0, False, 0.0, 0.0, 0.0)], 0.0
    for place, (was, speed) in enumerate(itertools.pairwise([0.0, *speeds, 0.0]), 1):
        metres += every_s * (was + speed) / 2 / 3.6
        told.append(row(place * every_s / 60, place > len(speeds), metres, speed, place * every_s))
    told.append(row(600, True, metres, 0.0, place * every_s))
    clean = observed(shaped(pl.DataFrame(told), "status").lazy())
    steps = segments_of(clean)
    return steps, trips(steps)


def row(minute: float, locked: bool, metres: float, speed: float, ride_s: float) -> Row:
    times = {"time": at(minute), "received_at": at(minute)}
    who = {
        "provider": "segway",
        "vehicle": "a",
        "via": "push",
        "clock": "device",
        "sequence": round(60 * minute) + 9000,
    }
    ride = {"odometer_m": round(1000 + metres), "ride_time_s": 50.0 + ride_s, "speed_kmh": speed}
    return {**who, **times, "locked": locked, **ride}


def test_the_shares_that_made_rides_are_found_whatever_their_packs_hold() -> None:
    rides = some()
    usual = sum(KM * km + DRAG * drag + RUSH * rush for km, drag, rush in rides) / sum(km for km, _, _ in rides)
    for packs in (1.0, 1.3):
        rows = found(ridden(rides, packs))
        assert [row["check"] for row in rows] == list(EVEN)
        assert {(row["answer"], row["n"]) for row in rows} == {("estimate", len(rides))}
        shares = [KM / usual, DRAG / usual, RUSH / usual]
        assert [row["value"] for row in rows] == pytest.approx(shares, rel=ROUNDED)


def test_even_ways_are_together_as_long_as_they_are_and_in_the_ratio_of_what_they_took() -> None:
    rides = ridden(some())
    got = evened(rides, found(rides))
    assert got.sum() == pytest.approx(rides["distance_m"].sum(), rel=ROUNDED)
    low, *_, high = (rides["soc_used_pct"] / got).sort()
    assert high == pytest.approx(low, rel=2 * ROUNDED)
    low, *_, high = (rides["soc_used_pct"] / rides["distance_m"]).sort()
    assert high > 1.5 * low


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 2 * RIDES - 1))
def test_sums_of_parts_of_the_time_add_up(cut: int) -> None:
    rides = ridden(some())
    added, whole = sums(pl.concat([days(rides.head(cut)), days(rides.slice(cut))])), sums(days(rides))
    assert added.keys() == whole.keys()
    for check, told in whole.items():
        assert msgspec.structs.astuple(added[check]) == pytest.approx(msgspec.structs.astuple(told))


def test_too_few_rides_and_rides_all_alike_tell_nothing() -> None:
    alike = [(4.0, 3.0, 5.0)] * 2 * RIDES
    still = [(km, 0.0, 0.0) for km, _, _ in some()]
    for rides in (some(RIDES - 1), alike, still):
        assert {(row["answer"], row["value"], row["n"]) for row in found(ridden(rides))} == {
            (INSUFFICIENT, None, len(rides))
        }
    assert {row["answer"] for row in found(ridden(some(RIDES)))} == {"estimate"}


def test_speed_that_takes_less_than_nothing_is_no_answer() -> None:
    rides = ridden(some()).with_columns(soc_used_pct=3 * pl.col("distance_m") / 1000 - 0.5 * pl.col("drag"))
    assert {row["answer"] for row in found(rides)} == {INSUFFICIENT}


def test_rides_with_a_swap_and_rides_of_which_something_is_unknown_tell_nothing() -> None:
    rides = ridden(some())
    odd = {"swaps": 1, "drag": None, "rush": None, "soc_used_pct": None}
    wrong = pl.concat(
        [rides.head(9).with_columns(pl.lit(value, rides.schema[name]).alias(name)) for name, value in odd.items()]
    )
    wrong = wrong.with_columns(pl.col("soc_used_pct") * 9, pl.col("started_at", "finished_at").dt.offset_by("1h"))
    assert days(pl.concat([rides, wrong])).filter(EFFORT).equals(days(rides).filter(EFFORT))


def test_a_ride_weighs_by_its_way_alone() -> None:
    rides = ridden([(3.0, 5.0, 7.0), (1.0, 5.0, 7.0)])
    got = {check: sums for check, *sums in days(rides).filter(EFFORT).select("check", "sum_x", "sum_y").iter_rows()}
    assert got["effort_km_drag"] == pytest.approx([3 / 4 + 1 / 2, 5 / 4 + 5 / 2])
    assert got["effort_drag_rush"] == pytest.approx([5 / 4 + 5 / 2, 7 / 4 + 7 / 2])


EFFORT = pl.col("check").str.starts_with("effort_")


def test_a_trip_of_which_no_speed_is_known_has_no_even_way() -> None:
    rides = ridden(some())
    checks = found(rides)
    silent = rides.head(1).with_columns(pl.lit(None, pl.Float64()).alias(name) for name in ("drag", "rush"))
    assert evened(pl.concat([silent, rides.head(1)]), checks).is_null().to_list() == [True, False]


def test_a_model_of_which_no_effort_is_known_has_no_even_way() -> None:
    rides = ridden(some())
    assert evened(rides.head(1), []).to_list() == [None]
    assert evened(rides.head(1), found(rides.head(RIDES - 1))).to_list() == [None]
    assert evened(rides.head(3), found(rides), since=170).is_null().to_list() == [True, False, False]


def test_a_steady_ride_at_thirty_is_as_long_as_its_drag_and_speeds_up_once() -> None:
    steps, rides = moped([30.0] * 60)
    got = ways(steps, rides).row(0, named=True)
    assert got["drag"] == pytest.approx(rides["distance_m"].item() / 1000, rel=0.02)
    assert got["rush"] == pytest.approx(1.0, rel=0.02)


def test_every_stop_is_one_rush_more() -> None:
    steps, rides = moped(([30.0] * 9 + [0.0]) * 6)
    assert ways(steps, rides)["rush"].item() == pytest.approx(6, rel=0.02)


def test_twice_the_speed_is_four_times_the_drag_a_kilometre() -> None:
    slow, fast = (moped([speed] * 60) for speed in (20.0, 40.0))
    a, b = (ways(*each)["drag"].item() / each[1]["distance_m"].item() for each in (slow, fast))
    assert b / a == pytest.approx(4, rel=0.02)


def test_a_minute_between_readings_tells_nothing_of_how_it_was_ridden() -> None:
    steps, rides = moped([30.0] * 20, every_s=60)
    assert ways(steps, rides).row(0) == (None, None)


def test_nothing_in_nothing_out() -> None:
    none = ridden(some(1)).clear()
    assert days(none).is_empty()
    told = list(efforts("moped", {}, (0.0, 0.0, 0.0)))
    assert [(row["check"], row["answer"], row["value"], row["n"]) for row in told] == [
        (name, INSUFFICIENT, None, 0) for name in EVEN
    ]
    assert evened(none, found(ridden(some()))).is_empty()
