"""What a firmware means by percent and range is decided by data, vehicle by vehicle, or not at all."""

import math
from datetime import timedelta

import polars as pl
import pytest

from analytics.battery_health.calibration import INSUFFICIENT
from analytics.battery_health.evidence import evidence
from analytics.battery_health.firmware import checks
from analytics.observations.soc_steps import TICKS
from analytics.schemas import BATTERIES, OBSERVATIONS, PACKS
from tests.analytics.battery_health.nothing import NO_TRIPS
from tests.analytics.finding import segments_of
from tests.analytics.readings_made import AT, made

FACTOR_M = 452.0


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


def asked(check: str, readings: pl.DataFrame, packs: pl.DataFrame | None = None) -> dict[str, object]:
    rows = pl.concat([OBSERVATIONS.to_frame(), readings], how="diagonal")
    known = rows.select("provider", "vehicle").unique().with_columns(model=pl.lit("m"), timezone=pl.lit("UTC"))
    ports = PACKS.to_frame() if packs is None else packs
    told = evidence(rows, segments_of(rows), TICKS.to_frame(), NO_TRIPS, BATTERIES.to_frame(), ports, known)
    return checks(told, known).filter(check=check).row(0, named=True)


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
    for count, apart in ((20, 20), (20, 0)):
        rows, means = packs(count, apart)
        readings = made([(60.0 * minute, pct, 0.0) for minute, pct in enumerate(means)])
        assert asked("percent_of_packs", readings, rows)["answer"] == INSUFFICIENT
