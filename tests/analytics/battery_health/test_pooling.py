"""What packs hold: intervals keep what they promise, the past stays, and nobody's figure depends on others' rows."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.battery_health.pooling import MEMORY_MONTHS, STEP
from analytics.battery_health.ratios import relative_sd
from analytics.battery_health.verdicts import ridden_sd, verdicts
from logger.tables import table
from tests.analytics.battery_health.packs_made import C_WH, NO_HISTORY, NO_PAIRS, PACK_CV, Fleet, figures, fleet
from tests.analytics.hand import AT

KEY = ["provider", "vehicle", "time"]
DAY = timedelta(days=1)


def found(parts: pl.DataFrame, of: pl.DataFrame, since: datetime = AT) -> pl.DataFrame:
    """Verdicts by the figures of a model, with relative errors: `sd`, as their own trips take it, and `use_sd`."""
    sd = ridden_sd().alias("sd"), relative_sd("wh_per_km").alias("use_sd")
    return verdicts(parts, NO_PAIRS, NO_HISTORY, of, since).with_columns(sd)


@pytest.fixture(scope="module")
def some() -> Fleet:
    return fleet(1, vehicles=40, trips=20)


@pytest.fixture(scope="module")
def model(some: Fleet) -> pl.DataFrame:
    """The figures of March."""
    return figures(some)


def of(parts: pl.DataFrame, *vehicles: str) -> pl.DataFrame:
    return parts.filter(pl.col("vehicle").is_in(vehicles))


def moved(parts: pl.DataFrame, by: timedelta) -> pl.DataFrame:
    """As if it had been then."""
    later = parts.with_columns(pl.col("since") + by)
    return later.with_columns(month=pl.col("since").dt.truncate("1mo"))


def monthly(model: pl.DataFrame, *parts: pl.DataFrame) -> pl.DataFrame:
    """The same figures in each month of these parts."""
    months = pl.concat(part.select(time="month") for part in parts).unique()
    return model.drop("time").join(months, how="cross")


# ---- how sure they are ---------------------------------------------------------------------------------------------


def errors(fleets: int, vehicles: int) -> Iterator[pl.DataFrame]:
    """By how many of its standard errors each pack is off, and its vehicle, by the models that their trips make."""
    for seed in range(fleets):
        each = fleet(seed, vehicles, sheet_wh=C_WH / Random(seed).uniform(0.75, 1.05))  # packs hold so much of it
        rows = found(each.parts, figures(each)).join(each.true, on=KEY)
        assert rows.height == each.true.height
        yield rows.select(
            ((pl.col("capacity_wh") / pl.col("true_wh")).log() / pl.col("sd")).alias("pack"),
            ((pl.col("wh_per_km") / pl.col("true_use")).log() / pl.col("use_sd")).alias("use"),
        )


def test_intervals_of_five_thousand_packs_hold_what_they_promise() -> None:
    """T12."""
    off = pl.concat(errors(8, vehicles=60))
    assert off.height > 5000
    for name in off.columns:
        inside, mean = off.select((pl.col(name).abs() < 1.96).mean().alias("inside"), pl.col(name).mean()).row(0)
        assert 0.93 <= inside <= 0.97
        assert abs(mean) < 0.3


@pytest.mark.long
def test_a_fleet_of_two_is_not_surer_than_it_may_be() -> None:
    off = pl.concat(errors(60, vehicles=2))
    assert off.select((pl.col("pack").abs() < 1.96).mean()).item() >= 0.93


def test_packs_are_better_known_than_by_their_model_alone(some: Fleet, model: pl.DataFrame) -> None:
    own = (pl.col("sd") ** 2 - model["pack_wh_cv"].item() ** 2).sqrt()
    assert found(some.parts, model).select(own.median()).item() < 0.75 * PACK_CV


def test_a_stint_is_better_known_the_more_its_vehicle_was_ridden_before(some: Fleet, model: pl.DataFrame) -> None:
    sd = found(some.parts, model).group_by("time").agg(pl.col("sd", "use_sd").mean()).sort("time")
    assert sd["sd"][-1] < 0.95 * sd["sd"][0]
    assert sd["use_sd"][-1] < 0.75 * sd["use_sd"][0]


def test_what_a_pack_told_in_the_months_before_counts_while_it_stays(some: Fleet, model: pl.DataFrame) -> None:
    first = of(some.parts, "000").head(1)
    stays = moved(first, 40 * DAY)
    other = stays.with_columns(stint_id=pl.lit("another"))
    figures = monthly(model, first, stays)
    one, two = (found(pl.concat([first, later]), figures) for later in (stays, other))
    assert one["sd"][1] < 0.95 * one["sd"][0]
    assert one["sd"][1] < two["sd"][1]
    assert one.head(1).equals(two.head(1))


def test_a_pack_that_was_never_ridden_is_one_of_its_cycles(some: Fleet, model: pl.DataFrame) -> None:
    mine = of(some.parts, "000").head(1)
    new = moved(mine, 9 * DAY).with_columns(
        stint_id=pl.lit("new"), cycles=pl.lit(900.0), km=pl.lit(0.0), used_pct=pl.lit(0.0), seen_km=pl.lit(0.0),
        seen_wh=pl.lit(0.0),
    )  # fmt: skip
    got, row = found(pl.concat([mine, new]), model).row(1, named=True), model.row(0, named=True)
    assert got["capacity_wh"] == pytest.approx(row["pack_wh"] / (1 + row["fade"] * (900 - row["pack_cycles"])), 0.006)
    assert got["sd"] == pytest.approx(math.hypot(row["pack_cv"], row["pack_wh_cv"]), rel=0.05)


def test_a_pack_whose_cycles_nobody_knows_is_one_of_the_models(some: Fleet, model: pl.DataFrame) -> None:
    mine = of(some.parts, "000").head(1)
    unknown, usual = (
        found(mine.with_columns(cycles=pl.lit(count, pl.Float64())), model)
        for count in (None, model["pack_cycles"].item())
    )
    assert unknown["capacity_wh"].equals(usual["capacity_wh"])
    assert unknown["cycles"].item() is None


def test_what_was_used_of_a_full_pack_counts_for_more(some: Fleet, model: pl.DataFrame) -> None:
    """A tenth fewer percents at 100 %, where each holds a tenth more."""
    mine, slope = of(some.parts, "000"), model.with_columns(percent_slope=pl.lit(0.1))
    full = mine.with_columns(pl.col("used_pct") / 1.1, soc_mean_pct=pl.lit(100.0))
    at_half = found(mine.with_columns(soc_mean_pct=pl.lit(50.0)), slope)
    assert found(full, slope)["capacity_wh"].to_list() == pytest.approx(at_half["capacity_wh"].to_list())
    assert found(full, model)["capacity_wh"].mean() != at_half["capacity_wh"].mean()


# ---- power ---------------------------------------------------------------------------------------------------------


def test_readings_of_power_are_turned_by_the_sign_that_the_model_has(some: Fleet, model: pl.DataFrame) -> None:
    turned = some.parts.with_columns(-pl.col("seen_wh"))
    got = found(turned, model.with_columns(power_sign=pl.lit(-1.0)))
    assert got.equals(found(some.parts, model))


def test_power_that_is_too_odd_to_be_believed_is_as_if_it_had_not_been_read(some: Fleet, model: pl.DataFrame) -> None:
    mine = of(some.parts, "000")
    without = found(mine.with_columns(seen_km=pl.lit(0.0), seen_wh=pl.lit(0.0)), model)
    for factor in (-1.0, 0.2, 3.0, 7.0):
        odd = found(mine.with_columns(pl.col("seen_wh") * factor), model)
        last = odd.tail(6)  # of few kilometres nobody can say what is odd
        assert last["wh_per_km"].equals(without.tail(6)["wh_per_km"])
        assert last["use_sd"].equals(without.tail(6)["use_sd"])


def test_a_vehicle_that_uses_more_by_power_than_its_model_is_told_so(some: Fleet, model: pl.DataFrame) -> None:
    mine = of(some.parts, "000")
    once, more = (found(mine.with_columns(pl.col("seen_wh") * by), model)["wh_per_km"][-1] for by in (1.0, 1.08))
    assert once * 1.01 < more < once * 1.08


# ---- what does not matter ------------------------------------------------------------------------------------------


def test_a_vehicle_alone_is_told_the_same_as_in_its_fleet(some: Fleet, model: pl.DataFrame) -> None:
    whole = found(some.parts, model).filter(vehicle="007")
    assert found(of(some.parts, "007"), model).equals(whole)
    assert whole.height == 12


@settings(max_examples=11, deadline=None)
@given(turns=st.integers(1, 11))
def test_what_comes_later_changes_nothing_of_what_is_told(some: Fleet, model: pl.DataFrame, turns: int) -> None:
    early, cut = of(some.parts, "000", "001", "002"), AT + turns * DAY
    whole = found(early, model)
    assert found(early.filter(pl.col("since") < cut), model).equals(whole.filter(pl.col("time") < cut))


def test_only_parts_from_a_moment_on_are_told_the_same(some: Fleet, model: pl.DataFrame) -> None:
    since = AT + 7 * DAY
    assert found(some.parts, model, since).equals(found(some.parts, model).filter(pl.col("time") >= since))


def test_the_order_of_rows_does_not_matter(some: Fleet, model: pl.DataFrame) -> None:
    mixed = some.parts.sample(fraction=1.0, shuffle=True, seed=5)
    assert found(mixed, model).equals(found(some.parts, model))


def test_what_is_older_than_a_year_counts_no_more(some: Fleet, model: pl.DataFrame) -> None:
    mine = of(some.parts, "000")
    for months, counts in ((MEMORY_MONTHS, True), (MEMORY_MONTHS + 1, False)):
        late = mine.tail(1).with_columns(pl.col("since", "month").dt.offset_by(f"{months}mo"), stint_id=pl.lit("x"))
        figures = monthly(model, mine, late)
        both, alone = found(pl.concat([mine, late]), figures).tail(1), found(late, figures)
        assert both.equals(alone) != counts


def test_each_part_is_judged_by_the_figures_of_its_own_month(some: Fleet, model: pl.DataFrame) -> None:
    mine = of(some.parts, "000").head(2)
    late = moved(mine, 31 * DAY).with_columns(stint_id=pl.concat_str("stint_id", pl.lit("x")))
    double = monthly(model, late).with_columns(pl.col("pack_wh", "pack_wh_per_km") * 2)
    got = found(pl.concat([mine, late]), pl.concat([monthly(model, mine), double]))
    assert got.head(2).equals(found(mine, model))
    assert got["capacity_wh"][2] == pytest.approx(2 * model["pack_wh"].item(), rel=0.2)


def test_in_a_month_in_which_the_model_tells_nothing_there_is_no_figure(some: Fleet, model: pl.DataFrame) -> None:
    other = model.with_columns(model=pl.lit("other"))
    for nothing in (model.with_columns(pack_wh=pl.lit(None, pl.Float64())), model.clear(), other):
        got = found(some.parts, nothing)
        assert set(got["verdict"]) == {"insufficient"}
        assert got["capacity_wh"].null_count() == got["wh_per_km"].null_count() == some.parts.height


def test_figures_move_in_steps_so_that_a_trip_seldom_makes_them_anew(some: Fleet, model: pl.DataFrame) -> None:
    got = found(some.parts, model)
    for name in ("capacity_wh", "wh_per_km"):
        steps = (got[name].log() / STEP).to_list()
        assert steps == pytest.approx([round(step) for step in steps], abs=0.06)  # four digits are kept
        assert 5 < got[name].n_unique() < 60


def test_rows_are_those_of_the_table_and_none_follow_from_none(some: Fleet, model: pl.DataFrame) -> None:
    got, none = (verdicts(each, NO_PAIRS, NO_HISTORY, model, AT) for each in (some.parts, some.parts.clear()))
    assert got.schema == none.schema == table("battery_health").schema
    assert none.is_empty()
    assert set(got["method"]) == {"verdict"}
    assert got.select("stint_id", "port", "as_of", "cycles", "n", time="time").equals(
        some.parts.select("stint_id", "port", "as_of", "cycles", "n", time="since")
    )
