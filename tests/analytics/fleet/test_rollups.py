"""Rollups: everything that was said is in one stretch, and only there."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.fleet.rollups import rolled
from logger.tables import DERIVED, RAW, ROLLUPS, shaped

AT = datetime(2026, 3, 1, tzinfo=UTC)


def said(*told: tuple[int, float | None], vehicle: str = "a") -> pl.LazyFrame:
    """Status rows: (second, percent)."""
    made = [{"provider": "p", "vehicle": vehicle, "time": AT + timedelta(seconds=at), "soc_pct": x} for at, x in told]
    schema = {name: RAW["status"].schema[name] for name in ("provider", "vehicle", "time", "soc_pct")}
    return shaped(pl.DataFrame(made, schema=schema), "status").lazy()


def test_a_stretch_has_the_last_known_value_and_the_spread_of_what_was_said() -> None:
    rows = said((310, 50), (5, 60), (299, None), (120, 40), (0, 80))
    got = rolled(rows, "status_5m").sort("time").select("time", "samples", "soc_pct", "min_soc_pct", "mean_soc_pct")
    assert got.collect().rows() == [
        (AT, 4, 40, 40, 60),
        (AT + timedelta(minutes=5), 1, 50, 50, 50),
    ]


def test_a_stretch_in_which_nothing_was_said_is_not_there() -> None:
    got = rolled(said((0, 1.0), (86_400 * 3, 2.0)), "status_1d").sort("time").collect()
    assert got["time"].to_list() == [AT, AT + timedelta(days=3)]


@pytest.mark.parametrize("name", sorted(ROLLUPS))
def test_every_rollup_has_the_columns_of_its_table(name: str) -> None:
    empty = pl.LazyFrame(schema=RAW[ROLLUPS[name][0]].schema)
    assert rolled(empty, name).collect().schema == DERIVED[name].schema


@given(st.lists(st.tuples(st.integers(0, 4000), st.floats(0, 100) | st.none()), unique_by=lambda told: told[0]))
def test_no_row_is_lost_and_order_does_not_matter(told: list[tuple[int, float | None]]) -> None:
    got = rolled(said(*told), "status_5m").sort("time").collect()
    assert got["samples"].sum() == len(told)
    assert got.equals(rolled(said(*reversed(told)), "status_5m").sort("time").collect())
    assert (got["min_soc_pct"] <= got["max_soc_pct"]).all()
