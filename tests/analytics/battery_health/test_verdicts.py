"""A verdict weighs what the model's trips and a pack's charges say, and says plainly where neither says anything."""

from typing import Any

import polars as pl
import pytest

from analytics.battery_health.pooling import parts
from analytics.battery_health.ratios import relative_sd
from analytics.battery_health.spreads import models
from analytics.battery_health.verdicts import AGED, RIDDEN_SD, SOONER, ridden_sd, verdicts
from logger.tables import TIME, shaped, table
from tests.analytics.battery_health.packs_made import NO_HISTORY, NO_PAIRS, SHEET_WH, Fleet, figures, fleet
from tests.analytics.hand import AT

NO_MODELS = figures(fleet(1, vehicles=2, times=2)).clear()


def charged(**more: Any) -> pl.DataFrame:
    """A stint that no trip tells of."""
    row = {"provider": "segway", "vehicle": "car", "time": AT, "method": "charge_energy", "stint_id": "s",
           "as_of": "2026-03-09", **more}  # fmt: skip
    return shaped(pl.DataFrame([row], schema_overrides={"time": TIME}), "battery_health")


def measured(
    capacity_wh: float = 1200.0, pct: float = 50.0, n: int = 6, vehicle: str = "car", stint: str = "s"
) -> pl.DataFrame:
    """Charges of this stint."""
    own = {"provider": "segway", "vehicle": vehicle, "at": AT, "source": "charge", "pct": pct, "pct_var": 1.17}
    wh = capacity_wh * 1.05 * pct / 100
    return pl.DataFrame([{**own, "wh": wh, "ah": None, "stint_id": stint}] * n, schema=NO_PAIRS.schema)


def of(pairs: pl.DataFrame, sheet_wh: float | None = None) -> dict[str, Any]:
    known = parts(charged()).with_columns(model=pl.lit("moped"), sheet_wh=pl.lit(sheet_wh, pl.Float64()))
    return verdicts(known, pairs, NO_HISTORY, NO_MODELS, AT).row(0, named=True)


@pytest.fixture(scope="module")
def some() -> Fleet:
    return fleet(3, vehicles=40, times=8)


def test_charges_alone_tell_what_a_battery_holds_to_one_percent() -> None:
    got = of(measured(1234.0))
    assert got["capacity_wh"] == pytest.approx(1234, rel=0.0051)
    assert got["capacity_low_wh"] < 1234 < got["capacity_high_wh"]
    assert (got["verdict"], got["reason"], got["n"]) == ("estimate", "charges", 6)
    assert (got["stint_id"], got["as_of"]) == ("s", "2026-03-09")
    assert got["wh_per_km"] is got["soh_pct"] is got["weak_probability"] is None


def test_health_is_a_share_of_what_the_data_sheet_says_where_the_model_has_no_figures() -> None:
    got = of(measured(1200.0), sheet_wh=1500.0)
    assert got["soh_pct"] == pytest.approx(80, rel=0.006)
    assert got["reference"] == "data sheet of the model: 1500 Wh"
    assert got["soh_low_pct"] < got["soh_pct"] < got["soh_high_pct"]


def test_where_nothing_tells_a_capacity_the_verdict_says_why() -> None:
    got = of(measured(pct=2.0, n=1))
    assert got["capacity_wh"] is got["soh_pct"] is got["reference"] is None
    assert got["verdict"] == "insufficient"
    assert got["reason"] == "no model with readings of power, and no charges or trips whose energy is measured"


def test_charges_older_than_a_year_and_of_other_stints_do_not_count() -> None:
    def later(months: int, stint: str = "s") -> dict[str, Any]:
        late = charged(stint_id=stint).with_columns(pl.col("time").dt.offset_by(f"{months}mo"))
        known = parts(pl.concat([charged(), late])).with_columns(
            model=pl.lit("moped"), sheet_wh=pl.lit(None, pl.Float64())
        )
        return verdicts(known, measured(900.0), NO_HISTORY, NO_MODELS, AT).row(1, named=True)

    assert later(11)["capacity_wh"] == pytest.approx(900, rel=0.01)
    assert later(14)["verdict"] == "insufficient"
    assert later(2, stint="t")["verdict"] == "insufficient"


def one_with(some: Fleet, capacity_wh: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """The last verdict of a vehicle by its model alone, and with charges of this capacity besides."""
    model = figures(some, models(some.trips))
    mine = some.parts.filter(vehicle="000")
    last = mine.filter(pl.col("since") == pl.col("since").max())
    pairs = measured(capacity_wh, vehicle="000", n=9, stint=last["stint_id"].item())
    own = pairs.with_columns(at=last["since"].item())
    plain, with_charges = (
        verdicts(mine, each, NO_HISTORY, model, AT).row(-1, named=True) for each in (own.clear(), own)
    )
    return plain, with_charges


def test_charges_and_the_model_are_weighed_together(some: Fleet) -> None:
    plain, _ = one_with(some, 1200.0)
    plain, both = one_with(some, 1.06 * plain["capacity_wh"])
    assert plain["capacity_wh"] < both["capacity_wh"] < 1.06 * plain["capacity_wh"]
    width = [each["capacity_high_wh"] / each["capacity_low_wh"] for each in (plain, both)]
    assert width[1] < width[0]
    assert both["reason"] == "trips and readings of power of the model; charges"
    assert plain["reason"] == "trips and readings of power of the model"


def test_charges_that_contradict_the_model_make_the_verdict_less_sure(some: Fleet) -> None:
    plain, _ = one_with(some, 1200.0)
    _, agree = one_with(some, plain["capacity_wh"])
    _, differ = one_with(some, 1.6 * plain["capacity_wh"])
    assert differ["capacity_high_wh"] / differ["capacity_wh"] > agree["capacity_high_wh"] / agree["capacity_wh"]


def test_health_is_a_share_of_what_new_packs_of_the_model_hold(some: Fleet) -> None:
    model = figures(some, models(some.trips))
    of_model = model.row(0, named=True)
    new = of_model["pack_wh"] * (1 + SOONER * of_model["fade"] * of_model["pack_cycles"] + AGED)
    got = verdicts(some.parts, NO_PAIRS, NO_HISTORY, model, AT)
    assert got["soh_pct"].to_list() == pytest.approx((100 * got["capacity_wh"] / new).to_list(), rel=0.001)
    assert got["reference"].unique().to_list() == [f"packs of the model when new, by its own figures: {new:.0f} Wh"]
    assert SHEET_WH not in got["capacity_wh"].to_list()


@pytest.mark.parametrize("celsius_pct", [1.2, 2.6, 5.6])  # lost by age in a year at 15, 25 and 35 degrees
@pytest.mark.parametrize("cycles", [50.0, 150.0, 300.0])
def test_what_packs_lost_since_they_were_new_is_within_the_error_of_health(
    some: Fleet, cycles: float, celsius_pct: float
) -> None:
    """Schmalstieg et al. 2014, doi 10.1016/j.jpowsour.2014.02.012: with the root of the cycles, 5.4 % after 50."""
    lost = 0.054 * (cycles / 50) ** 0.5
    law = figures(some, models(some.trips)).with_columns(
        pack_cycles=pl.lit(cycles), fade=pl.lit(lost / 2 / cycles), fade_sd=pl.lit(1e-5)
    )
    got = verdicts(some.parts, NO_PAIRS, NO_HISTORY, law, AT)
    held = law["pack_wh"][0]
    new = held / (1 - lost - celsius_pct / 100)
    same = got.with_columns(true=100 * pl.col("capacity_wh") / new)
    assert same.select(pl.col("true").is_between("soh_low_pct", "soh_high_pct").all()).item()


def test_a_capacity_that_trips_alone_tell_is_surer_for_trips_than_for_a_test_bench(some: Fleet) -> None:
    model = figures(some, models(some.trips))
    got = verdicts(some.parts, NO_PAIRS, NO_HISTORY, model, AT)
    bench, ridden = got.select(relative_sd("capacity_wh").alias("bench"), ridden_sd().alias("ridden")).get_columns()
    assert (bench**2 - ridden**2).to_list() == pytest.approx([RIDDEN_SD**2] * got.height)
    charged = pl.DataFrame([of(measured(1234.0))], schema=table("battery_health").schema)
    assert charged.select(ridden_sd()).item() == charged.select(relative_sd("capacity_wh")).item()


def test_a_pack_that_holds_a_fifth_less_is_probably_weak_and_others_are_not(some: Fleet) -> None:
    model = figures(some, models(some.trips))
    weak = (pl.col("vehicle") == "000") & (pl.col("since") == pl.col("since").max())
    more = some.parts.with_columns(
        pl.when(weak).then(pl.col("used_pct") * 1.45).otherwise("used_pct").alias("used_pct")
    )
    got = verdicts(more, NO_PAIRS, NO_HISTORY, model, AT).filter(pl.col("time") == pl.col("time").max())
    odds = dict(got.select("vehicle", "weak_probability").rows())
    worst = odds.pop("000")
    assert worst > 10 * sum(odds.values()) / len(odds)
    assert max(odds.values()) < 0.2
    assert got["weak_probability"].is_between(0, 1).all()


def test_rows_are_those_of_the_table_and_none_follow_from_none() -> None:
    none = parts(charged().clear()).with_columns(model=pl.lit("m"), sheet_wh=pl.lit(1.0))
    assert verdicts(none, NO_PAIRS, NO_HISTORY, NO_MODELS, AT).schema == table("battery_health").schema
    assert verdicts(none, NO_PAIRS, NO_HISTORY, NO_MODELS, AT).is_empty()


# ---- what the vehicle itself says, and trends ----------------------------------------------------------------------


def said(**more: Any) -> pl.DataFrame:
    """A day's row of what the vehicle reports."""
    return charged(method="reported", stint_id=None, **more)


def verdict(*rows: pl.DataFrame, history: pl.DataFrame = NO_HISTORY, pairs: pl.DataFrame = NO_PAIRS) -> dict[str, Any]:
    known = parts(pl.concat(rows)).with_columns(model=pl.lit("m"), sheet_wh=pl.lit(None, pl.Float64()))
    return verdicts(known, pairs, history, NO_MODELS, AT.replace(day=1)).row(-1, named=True)


def test_what_a_vehicle_reports_holds_where_nothing_is_measured_and_says_so() -> None:
    got = verdict(said(capacity_wh=51_000.0, soh_pct=88.0), said(capacity_wh=51_400.0, soh_pct=88.0))
    assert got["capacity_wh"] == pytest.approx(51_200, rel=0.006)
    assert (got["soh_pct"], got["reference"], got["verdict"]) == (88, "the vehicle's own", "estimate")
    assert got["reason"] == "what the vehicle itself reports, which nobody has checked"


def test_a_reported_capacity_that_differs_from_day_to_day_is_what_is_left_in_the_battery_and_none() -> None:
    got = verdict(*(said(capacity_wh=wh) for wh in (51_000.0, 33_000.0, 42_000.0)))
    assert (got["capacity_wh"], got["verdict"]) == (None, "insufficient")


def test_a_health_without_a_capacity_is_a_figure_too() -> None:
    got = verdict(said(soh_pct=93.0))
    assert (got["soh_pct"], got["capacity_wh"], got["verdict"]) == (93, None, "estimate")


def test_what_is_measured_goes_before_what_a_vehicle_reports() -> None:
    got = verdict(charged(), said(capacity_wh=51_000.0, soh_pct=88.0), pairs=measured(1200.0))
    assert got["capacity_wh"] == pytest.approx(1200, rel=0.006)
    assert got["reason"] == "charges"


def test_a_trend_is_that_of_the_same_stint_until_then() -> None:
    own = {"provider": "segway", "vehicle": "car", "stint_id": "s", "method": "charge_energy", "era": 0}
    rows = [
        {**own, "at": AT.replace(year=2024 + k // 12, month=1 + k % 12), "capacity_wh": 1200.0 - 6 * k}
        for k in range(24)
    ]
    known = pl.DataFrame(rows, schema=NO_HISTORY.schema)
    got = verdict(charged(), history=known, pairs=measured(1062.0))
    assert got["fade_pct_per_year"] == pytest.approx(100 * 72 / 1194, rel=0.02)
    assert got["reference"] == "this battery's first three months: 1194 Wh"
    assert got["soh_pct"] == pytest.approx(100 * 1062 / 1194, rel=0.006)
    assert got["months_to_80_low"] <= got["months_to_80"] <= got["months_to_80_high"]
    assert got["soh_high_pct"] - got["soh_low_pct"] < 0.5 * 100 * (
        got["capacity_high_wh"] / got["capacity_wh"] - got["capacity_low_wh"] / got["capacity_wh"]
    )
