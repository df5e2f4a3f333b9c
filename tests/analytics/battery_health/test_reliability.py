"""Mean distance between failures, against published figures and against a simulated truth."""

import random
from functools import cache
from typing import Any

import polars as pl
import pytest

from analytics.battery_health.calibration import CHECKS
from analytics.battery_health.evidence import evidence
from analytics.battery_health.reliability import _interval, mtbf
from analytics.observations.soc_steps import TICKS
from analytics.schemas import BATTERIES, OBSERVATIONS, PACKS
from logger.tables import shaped
from tests.analytics.battery_health.nothing import NO_TRIPS
from tests.analytics.finding import segments_of
from tests.analytics.hand import at, rows

WHO = {"provider": ["segway"], "vehicle": ["a"]}
KNOWN = pl.DataFrame({**WHO, "model": ["E-moped"], "timezone": ["UTC"]})


def watched(faults: int, km: float = 1000, hours: float | None = 50) -> pl.DataFrame:
    told = [{**{name: word[0] for name, word in WHO.items()}, "kind": kind, "code": "14", "time": at(n)}
            for kind, count in (("fault", faults), ("alert", 5), ("pipeline", 3)) for n in range(count)]  # fmt: skip
    ridden_s = None if hours is None else 3600 * hours
    first = {"minute": 0, "way_m": 0, "ride_s": None if hours is None else 0}
    rides: list[dict[str, Any]] = [first, {"minute": 9, "way_m": km * 1000, "ride_s": ridden_s}]
    said = rows(OBSERVATIONS, *rides)
    polls, packs = BATTERIES.to_frame(), PACKS.to_frame()
    ridden = evidence(said, segments_of(said), TICKS.to_frame(), NO_TRIPS, polls, packs, KNOWN)
    return mtbf(ridden, shaped(pl.DataFrame(told), "episodes"), KNOWN)


@pytest.mark.parametrize(("n", "low", "high"), [(3, 114, 1616), (10, 54, 209)])
def test_the_interval_is_that_of_the_tables(n: int, low: float, high: float) -> None:
    got = watched(n).filter(pl.col("check") == "mtbf_km")
    assert got.schema == CHECKS
    assert got.select("model", "answer", "n").rows() == [("E-moped", "estimate", n)]
    assert got.select("value", "low", "high").row(0) == pytest.approx((1000 / n, low, high), rel=0.01)


def test_without_a_failure_there_is_a_lower_end_alone() -> None:
    got = watched(0).filter(pl.col("check") == "mtbf_km")
    assert got.select("answer", "value", "high", "n").rows() == [("none_seen", None, None, 0)]
    assert got["low"][0] == pytest.approx(271, abs=0.5)


def test_riding_time_is_another_exposure_and_without_its_counter_there_is_no_row() -> None:
    assert watched(4).filter(pl.col("check") == "mtbf_h")["value"].to_list() == [12.5]
    assert watched(4, hours=None)["check"].to_list() == ["mtbf_km"]


def test_the_interval_contains_the_truth_in_ninety_five_of_a_hundred_fleets() -> None:
    chance, inside, fleets, interval = random.Random(1), 0, 2000, cache(_interval)
    for _ in range(fleets):
        n, ridden = 0, chance.expovariate(1)
        while ridden < 20:
            n, ridden = n + 1, ridden + chance.expovariate(1)
        low, high = interval(20, n)
        inside += low <= 1 and (high is None or high >= 1)
    assert 0.94 <= inside / fleets <= 0.98  # a count is whole: exact intervals are a little wide


def test_many_failures_have_an_interval_too() -> None:
    low, high = _interval(1e6, 5000)
    assert low < 200 < (high or 0)
    assert ((high or 0) - low) / 200 == pytest.approx(2 * 1.96 / 5000**0.5, rel=0.02)
