"""What a firmware means by percent and range is decided by data, vehicle by vehicle, or not at all."""

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from analytics.battery_health.calibration import CHECKS, INSUFFICIENT
from analytics.battery_health.firmware import APART_PCT, MOMENTS, PCTS, checks, points
from analytics.schemas import OBSERVATIONS, PACKS
from logger.tables import TIME
from tests.analytics.readings_made import AT, made

FACTOR_M = 452.0
NO_PACKS = PACKS.to_frame()


def told(kind: str, vehicle: str = "a", rounded: bool = False, minutes: int = 600) -> pl.DataFrame:
    """A long ride from 96.3 %, 0.1 % a minute; a range of this kind, in steps of 10 m."""
    rows = []
    for minute in range(minutes):
        fine = 96.3 - 0.1 * minute
        shown = math.floor(fine + (0.5 if rounded else 0.0))
        factor = FACTOR_M * (1 + 0.1 * math.sin(minute // 60)) if kind == "recent_use" else FACTOR_M
        range_m = 10.0 * math.floor((fine if kind == "vernier" else shown) * factor / 10)
        rows.append((AT + timedelta(minutes=minute), float(shown), range_m))
    frame = pl.DataFrame(rows, orient="row", schema=["at", "soc_pct", "range_m"])
    return frame.with_columns(
        provider=pl.lit("p"), vehicle=pl.lit(vehicle), at=pl.col("at").cast(pl.Datetime("ms", "UTC"))
    )


def asked(check: str, readings: pl.DataFrame, packs: pl.DataFrame = NO_PACKS) -> dict[str, object]:
    known = readings.select("provider", "vehicle").unique().with_columns(model=pl.lit("m"))
    return checks(points(readings, packs), known).filter(check=check).row(0, named=True)


@pytest.mark.parametrize("kind", ["vernier", "fixed_factor", "recent_use"])
def test_a_range_is_known_for_what_it_is(kind: str) -> None:
    got = asked("range", told(kind))
    assert (got["answer"], got["value"], got["n"]) == (kind, 1.0, 1)


def test_vehicles_that_disagree_are_mixed_and_few_percents_tell_nothing() -> None:
    both = pl.concat([told("vernier"), told("fixed_factor", "b")])
    assert asked("range", both)["answer"] == "mixed"
    assert asked("range", told("vernier", minutes=50))["answer"] == INSUFFICIENT


@pytest.mark.parametrize(("rounded", "word"), [(False, "floor"), (True, "round")])
def test_where_a_percent_is_cut_is_told_by_a_range_that_is_finer(rounded: bool, word: str) -> None:
    assert asked("percent_cut", told("vernier", rounded=rounded))["answer"] == word


def test_where_a_percent_is_cut_is_not_guessed() -> None:
    assert asked("percent_cut", told("vernier", minutes=100))["answer"] == INSUFFICIENT


def packs(count: int, apart: int) -> tuple[pl.DataFrame, list[float]]:
    """Two packs of one vehicle every minute; and their mean, cut off."""
    rows, means = [], []
    for minute in range(count):
        one, two = 90 - minute // 5, 90 - apart - minute // 4
        means.append(float((one + two) // 2))
        rows += [(AT + timedelta(minutes=minute), port, float(pct)) for port, pct in (("1", one), ("2", two))]
    frame = pl.DataFrame(rows, orient="row", schema=["at", "port", "pack_soc_pct"])
    at = pl.col("at").cast(pl.Datetime("ms", "UTC"))
    return frame.with_columns(provider=pl.lit("p"), vehicle=pl.lit("a"), at=at), means


def test_the_percent_of_two_packs_is_found_among_the_rules() -> None:
    rows, means = packs(150, 20)
    readings = made([(60.0 * minute, pct, 0.0) for minute, pct in enumerate(means)])
    assert asked("percent_of_packs", readings, rows)["answer"] == "mean"
    least = rows.group_by("at", maintain_order=True).agg(pl.col("pack_soc_pct").min())["pack_soc_pct"].to_list()
    readings = made([(60.0 * minute, pct, 0.0) for minute, pct in enumerate(least)])
    assert asked("percent_of_packs", readings, rows)["answer"] == "least"


def test_packs_that_are_alike_or_few_tell_no_rule() -> None:
    for count, apart in ((20, 20), (MOMENTS + 9, 0)):
        rows, means = packs(count, apart)
        readings = made([(60.0 * minute, pct, 0.0) for minute, pct in enumerate(means)])
        assert asked("percent_of_packs", readings, rows)["answer"] == INSUFFICIENT


def test_a_percent_that_no_rule_fits_is_none() -> None:
    rows, means = packs(150, 20)
    readings = made([(60.0 * minute, pct + 4, 0.0) for minute, pct in enumerate(means)])
    got = asked("percent_of_packs", readings, rows)
    assert (got["answer"], got["n"]) == (INSUFFICIENT, 150)
    assert isinstance(got["value"], float)
    assert 3.5 < got["value"] < 4.5


# ---- points --------------------------------------------------------------------------------------------------------


def of(check: str, readings: pl.DataFrame, packs: pl.DataFrame = NO_PACKS) -> list[Any]:
    return points(readings, packs).filter(check=check).select("x", "y").rows()


def test_a_step_of_the_percent_is_told_with_the_range_between_and_only_where_it_falls_by_one() -> None:
    told = [(60.0, 900.0), (60.0, 890.0), (59.0, 880.0), (57.0, 860.0), (58.0, 870.0), (57.0, None), (56.0, 850.0)]
    assert of("percent_edge", read(told)) == [(60, 885)]


def test_readings_below_a_third_or_without_a_range_tell_nothing_of_it() -> None:
    assert of("percent_edge", read([(30.0, 450.0), (29.0, 440.0)])) == []
    assert of("range_run", read([(29.0, 440.0)] * 9 + [(60.0, None)] * 9 + [(59.0, 900.0)] * 3)) == []


def test_a_run_of_one_percent_moves_or_stays() -> None:
    still, moves = [(60.0, 900.0), (60.0, 900.0), (60.0, 890.0), (60.0, 890.0)], [(59.0, 885.0 - n) for n in range(4)]
    assert of("range_run", read([*still, *moves])) == [
        (0, pytest.approx(895 / 60)),
        (1, pytest.approx(883.5 / 59)),
    ]


def read(told: Sequence[tuple[float, float | None]]) -> pl.DataFrame:
    """Of (percent, range), a minute each."""
    schema = {"soc_pct": pl.Float64(), "range_m": pl.Float64()}
    minutes = pl.duration(minutes=pl.int_range(pl.len()))
    return pl.DataFrame(told, schema=schema, orient="row").with_columns(
        provider=pl.lit("p"), vehicle=pl.lit("a"), at=(pl.lit(AT) + minutes).cast(TIME)
    )


def test_packs_are_compared_with_the_vehicle_s_percent_of_a_minute_before_at_most() -> None:
    """Of 80 and 76 %: their mean is 78."""
    two = pl.DataFrame({"port": ["1", "2"], "pack_soc_pct": [76.0 + APART_PCT, 76.0]})
    for late, expected in ((60, [(1.0, 1.0)]), (61, [])):
        rows = two.with_columns(
            provider=pl.lit("p"), vehicle=pl.lit("a"), at=pl.lit(AT + timedelta(seconds=late)).cast(TIME)
        )
        assert of("packs_mean", read([(79.0, None)]), rows) == expected
    one = rows.with_columns(at=pl.lit(AT).cast(TIME)).head(1)
    assert of("packs_mean", read([(79.0, None)]), one) == []


def test_each_model_answers_and_models_and_providers_are_told_apart() -> None:
    rows = pl.concat([told("vernier"), told("fixed_factor", "b"), told("recent_use", "c")])
    known = pl.DataFrame({"provider": "p", "vehicle": ["a", "b", "c", "d"], "model": ["m", "n", None, "still"]})
    got = checks(points(rows, NO_PACKS), known)
    assert got.schema == CHECKS
    assert got.filter(check="range").select("model", "answer").rows() == [
        ("m", "vernier"), ("n", "fixed_factor"), ("still", INSUFFICIENT),
    ]  # fmt: skip
    assert got.height == 3 * 3


def test_four_of_five_vehicles_are_a_model() -> None:
    def fleet(odd: int) -> pl.DataFrame:
        return pl.concat(told("fixed_factor" if n < odd else "vernier", str(n), minutes=60 * PCTS) for n in range(10))

    got = asked("range", fleet(2))
    assert (got["answer"], got["value"], got["n"]) == ("vernier", 0.8, 10)
    assert asked("range", fleet(3))["answer"] == "mixed"


def test_nothing_in_nothing_out() -> None:
    none = points(OBSERVATIONS.to_frame(), NO_PACKS)
    assert none.is_empty()
    assert none.schema == points(told("vernier"), NO_PACKS).schema
    got = checks(none, pl.DataFrame(schema=dict.fromkeys(("provider", "vehicle", "model"), pl.String())))
    assert got.is_empty()
    assert got.schema == CHECKS
