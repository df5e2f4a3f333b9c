"""Mean distance between failures, against published figures and against a simulated truth."""

import random
from functools import cache

import polars as pl
import pytest

from analytics.battery_health.calibration import CHECKS
from analytics.battery_health.reliability import _interval, mtbf
from logger.tables import shaped
from tests.analytics.hand import at

WHO = {"provider": "segway", "vehicle": "a"}
KNOWN = pl.DataFrame([{**WHO, "model": "E-moped"}])


def watched(faults: int, km: float = 1000, hours: float | None = 50) -> pl.DataFrame:
    """Two trips, and events of them."""
    told = [{**WHO, "kind": kind, "code": "14", "time": at(n)}
            for kind, count in (("fault", faults), ("alert", 5), ("pipeline", 3)) for n in range(count)]  # fmt: skip
    ridden_s = None if hours is None else 1800 * hours
    trips = [{**WHO, "distance_m": 500 * km, "riding_s": ridden_s, "time": at(10 * n)} for n in range(2)]
    rows = shaped(pl.DataFrame(trips, infer_schema_length=None), "trips")
    return mtbf(rows, shaped(pl.DataFrame(told), "episodes"), KNOWN)


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


def test_faults_and_trips_of_vehicles_without_a_model_and_of_other_models_do_not_count() -> None:
    models = {"a": "one", "b": "two", "c": None}
    known = pl.DataFrame([{**WHO, "vehicle": name, "model": model} for name, model in models.items()])
    made = [{**WHO, "vehicle": name, "distance_m": 1000.0 * place, "kind": "fault"}
            for place, name in enumerate("aabcd", 1)]  # fmt: skip
    trips, faults = (shaped(pl.DataFrame(made), name) for name in ("trips", "episodes"))
    got = mtbf(trips, faults, known)
    assert got.select("model", "check", "value", "n").rows() == [("one", "mtbf_km", 1.5, 2), ("two", "mtbf_km", 3, 1)]
    theirs = faults.with_columns(provider=pl.lit("q"))
    assert set(mtbf(trips, theirs, known)["answer"]) == {"none_seen"}


def test_nothing_in_nothing_out() -> None:
    none = {name: shaped(pl.DataFrame(), name) for name in ("trips", "episodes")}
    for known in (KNOWN, KNOWN.clear()):
        got = mtbf(none["trips"], none["episodes"], known)
        assert got.is_empty()
        assert got.schema == CHECKS
