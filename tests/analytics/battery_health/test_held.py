"""What packs hold: intervals keep what they promise, the past stays, and nobody's figure depends on others' rows."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.held import MEMORY_MONTHS, held, worth
from logger.tables import shaped
from tests.analytics.battery_health.packs_made import C_WH, PACK_CV, SHEET_WH, Fleet, figures, fitted, fleet
from tests.analytics.hand import AT

KEY = ("vehicle", "time")
MS = pl.Datetime("ms", "UTC")


def found(of: Fleet, model: pl.DataFrame | None = None) -> pl.DataFrame:
    return held(of["spells"], figures(of, fitted(of) if model is None else model), AT)


@pytest.fixture(scope="module")
def some() -> Fleet:
    return fleet(1)


@pytest.fixture(scope="module")
def model(some: Fleet) -> pl.DataFrame:
    return fitted(some)


def errors(fleets: int = 22, vehicles: int = 60) -> Iterator[pl.DataFrame]:
    """By how many of its standard errors each pack is off when it was last in, and its vehicle."""
    for seed in range(fleets):
        of = fleet(seed, vehicles)
        rows = found(of).join(of["true"], on=["provider", *KEY]).sort(KEY)
        off = [((pl.col(a) / pl.col(b)).log() / pl.col(c)).alias(a) for a, b, c in _FIGURES]
        yield rows.unique(["vehicle", "pack"], keep="last", maintain_order=True).select(*off)


_FIGURES = (("capacity_wh", "true_wh", "capacity_sd"), ("wh_per_km", "true_use", "wh_per_km_sd"))


@pytest.mark.long
def test_intervals_of_five_thousand_packs_hold_what_they_promise() -> None:
    off = pl.concat(errors())
    assert off.height > 5000
    for name in off.columns:
        inside, mean = off.select((pl.col(name).abs() < 1.96).mean().alias("inside"), pl.col(name).mean()).row(0)
        assert 0.93 <= inside <= 0.97
        assert abs(mean) < 0.3


@pytest.mark.long
def test_a_fleet_of_two_is_not_surer_than_it_may_be() -> None:
    off = pl.concat(errors(fleets=40, vehicles=2))
    inside = off.select((pl.col("capacity_wh").abs() < 1.96).mean()).item()
    assert inside >= 0.93


def test_packs_are_better_known_than_by_their_model_alone(some: Fleet, model: pl.DataFrame) -> None:
    last = found(some, model).sort(KEY).group_by("vehicle").last()
    own = (pl.col("capacity_sd") ** 2 - model["pack_wh_cv"].item() ** 2).sqrt().median()
    assert last.select(own).item() < 0.75 * PACK_CV


def test_a_spell_is_better_known_the_more_went_before_it(some: Fleet, model: pl.DataFrame) -> None:
    sd = found(some, model).group_by("time").agg(pl.col("capacity_sd", "wh_per_km_sd").mean()).sort("time")
    for name in ("capacity_sd", "wh_per_km_sd"):
        assert sd[name][-1] < 0.9 * sd[name][0]


def test_a_vehicle_alone_is_told_the_same_as_in_its_fleet(some: Fleet, model: pl.DataFrame) -> None:
    whole = found(some, model).filter(vehicle="007")
    mine = {name: rows.filter(pl.col("vehicle") == "007") for name, rows in some.items()}
    assert found(mine, model).equals(whole)
    assert whole.height == 12


@settings(max_examples=20, deadline=None)
@given(turns=st.integers(1, 11))
def test_what_comes_later_changes_nothing_of_what_is_told(some: Fleet, model: pl.DataFrame, turns: int) -> None:
    begun = AT + timedelta(days=turns)
    early = {name: rows.filter(pl.col("vehicle") < "005") for name, rows in some.items()}
    cut = {**early, "spells": early["spells"].filter(pl.col("since") < begun)}
    assert found(cut, model).equals(found(early, model).filter(pl.col("time") < begun))


def test_only_spells_from_a_moment_on_are_told_the_same(some: Fleet, model: pl.DataFrame) -> None:
    since = AT + timedelta(days=7)
    late = held(some["spells"], figures(some, model), since)
    assert late.equals(found(some, model).filter(pl.col("time") >= since))


def test_the_order_of_rows_does_not_matter(some: Fleet) -> None:
    mixed = {name: rows.sample(fraction=1.0, shuffle=True, seed=5) for name, rows in some.items()}
    a, b = (found({**each, "spells": each["spells"].sort("vehicle", "since")}).sort(KEY) for each in (some, mixed))
    assert a["capacity_wh"].to_list() == pytest.approx(b["capacity_wh"].to_list())


def test_what_is_older_than_a_year_counts_no_more(some: Fleet, model: pl.DataFrame) -> None:
    """A spell that begins thirteen months later is told as if nothing had been before."""
    mine = some["spells"].filter(pl.col("vehicle") == "000")
    months = timedelta(days=31 * (MEMORY_MONTHS + 2))
    late = (
        mine.tail(1).with_columns(since=pl.col("since") + months).with_columns(month=pl.col("since").dt.truncate("1mo"))
    )
    both = {"spells": pl.concat([mine, late])}
    assert found(both, model).tail(1).equals(found({"spells": late}, model))


def test_a_pack_that_was_never_ridden_is_one_of_its_cycles(some: Fleet, model: pl.DataFrame) -> None:
    mine = some["spells"].filter(pl.col("vehicle") == "000").head(1)
    new = mine.with_columns(
        first_low=900, first_high=900, last_low=901, last_high=901, cycles=900.5, km=0.0, used_pct=0.0, spell=99,
        polled_km=0.0, polled_wh=0.0, since=AT + timedelta(days=20),
    ).cast(mine.schema)  # fmt: skip
    got = found({"spells": pl.concat([mine, new])}, model).row(1, named=True)
    row = model.row(0, named=True)
    worn = row["pack_wh"] / (1 + row["fade"] * (900.5 - row["pack_cycles"]))
    assert got["capacity_wh"] == pytest.approx(worn, rel=0.005)
    assert got["capacity_sd"] == pytest.approx((row["pack_cv"] ** 2 + row["pack_wh_cv"] ** 2) ** 0.5, rel=0.005)


def test_a_month_in_which_the_model_tells_nothing_has_no_rows(some: Fleet, model: pl.DataFrame) -> None:
    none = figures(some, model).with_columns(pack_wh=pl.lit(None, pl.Float64()))
    got = held(some["spells"], none, AT)
    assert got.height == 0
    assert shaped(got, "worth").height == 0


def test_nothing_in_nothing_out(model: pl.DataFrame) -> None:
    of = {name: rows.clear() for name, rows in fleet(1, vehicles=1).items()}
    assert found(of, model).is_empty()


# ---- worth ---------------------------------------------------------------------------------------------------------


def sheets(*since: datetime) -> pl.DataFrame:
    """What `calibrated` tells of vehicle 000, the same at each of these moments."""
    told = {
        "provider": "segway", "vehicle": "000", "capacity_wh": SHEET_WH, "wh_per_km": 32.0, "capacity_sd": 0.1,
        "wh_per_km_sd": 0.15, "percent_slope": 0.1, "motor_power_sign": "discharge_positive",
    }  # fmt: skip
    return pl.DataFrame([told | {"since": at} for at in since], schema_overrides={"since": MS})


def rows(*told: tuple[datetime, float]) -> pl.DataFrame:
    """Rows of `worth` of (time, capacity)."""
    made = [
        {"provider": "segway", "vehicle": "000", "time": at, "capacity_wh": wh, "capacity_sd": 0.02, "wh_per_km": 30.0,
         "wh_per_km_sd": 0.03} for at, wh in told
    ]  # fmt: skip
    return shaped(pl.DataFrame(made), "worth")


ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)


def test_what_the_packs_of_a_time_hold_goes_before_what_their_model_does() -> None:
    begun = MARCH + timedelta(days=4)
    got = worth(sheets(ALWAYS, MARCH), rows((begun, C_WH)))
    assert got.select("since", "capacity_wh", "wh_per_km_sd").rows() == [
        (ALWAYS, SHEET_WH, 0.15), (MARCH, SHEET_WH, 0.15), (begun, C_WH, 0.03),
    ]  # fmt: skip
    assert set(got["percent_slope"]) == {0.1}
    assert got.columns == sheets(ALWAYS).columns


def test_what_packs_hold_is_told_to_the_end_of_the_month_and_no_longer() -> None:
    got = worth(sheets(ALWAYS, MARCH, APRIL), rows((MARCH + timedelta(days=4), C_WH)))
    assert got.filter(pl.col("since") == APRIL)["capacity_wh"].to_list() == [SHEET_WH]


def test_packs_of_vehicles_that_are_not_asked_for_are_left_out() -> None:
    other = rows((MARCH, C_WH)).with_columns(vehicle=pl.lit("001"))
    assert worth(sheets(ALWAYS), other).equals(sheets(ALWAYS))
