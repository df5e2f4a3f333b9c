"""A pack is called weak where it lies farther from its model than packs differ, and trips tell enough to know."""

import polars as pl
import pytest

from analytics.battery_health.weak import weak_probability


def odds(more: float, sd: float = 0.03, pack_cv: float = 0.03) -> float | None:
    values = {"apart": more, "variance": sd**2, "pack_cv": pack_cv}
    rows = pl.DataFrame({name: [value] for name, value in values.items()})
    odds: float | None = rows.select(weak_probability(*map(pl.col, values))).item()
    return odds


def test_a_pack_that_takes_a_fifth_more_is_weak_and_one_like_the_others_is_not() -> None:
    assert (odds(0.2) or 0) > 0.95
    assert (odds(0.6) or 0) > 0.99
    assert (odds(0.0) or 0) < 0.01
    assert (odds(-0.3) or 0) < 0.01


def test_few_trips_and_packs_that_differ_much_say_less() -> None:
    assert (odds(0.2, sd=0.15) or 0) < 0.2
    assert (odds(0.16, pack_cv=0.08) or 0) < (odds(0.16) or 0)


def test_what_is_known_before_any_trip_is_the_share_of_weak_packs() -> None:
    assert odds(0.0, sd=10.0) == pytest.approx(0.02, abs=0.002)


def test_a_pack_that_was_not_ridden_has_no_probability() -> None:
    assert odds(0.0, sd=float("inf")) is None
