"""What is known of vehicles: data sheets, their fleet's figures and the verdicts of their packs, each in its time."""

import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from analytics.battery_health.calibration import CHECKS, INSUFFICIENT, OF_PACKS, check
from analytics.battery_health.figures import PACK_CV, VEHICLE_CV, calibrated, figures, with_verdicts
from analytics.battery_health.ratios import Z
from analytics.battery_health.spreads import SHEET_SD
from analytics.frames import as_of
from logger.tables import TIME, shaped

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
MARCH, APRIL, MAY = (datetime(2026, number, 1, tzinfo=UTC) for number in (3, 4, 5))
DAY = timedelta(days=1)


def known(capacity_wh: float | None = 1440.0, vehicle: str = "a") -> pl.DataFrame:
    told = {"provider": ["p"], "vehicle": [vehicle], "model": ["m"], "capacity_wh": [capacity_wh], "wh_per_km": [31.0]}
    return pl.DataFrame(told, schema_overrides={"capacity_wh": pl.Float64()})


def found(*rows: dict[str, object], at: datetime = MARCH) -> pl.DataFrame:
    """Rows of `CHECKS` of this month."""
    return pl.DataFrame([{"provider": "p", "time": at, **row} for row in rows], schema=CHECKS)


def now(known: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """What holds in the end."""
    return calibrated(known, checks).sort("since").tail(1)


# ---- figures of a model --------------------------------------------------------------------------------------------


def test_checks_of_packs_stand_side_by_side_by_model_and_month() -> None:
    rows = [found(*(check("m", name, "estimate", at.month + 0.5, None, 9) for name in OF_PACKS), at=at)
            for at in (APRIL, MARCH)]  # fmt: skip
    sign = found(
        check("m", "motor_power_sign", "charge_positive", -30.0, 1.0, 9),
        check("m", "percent_slope", "estimate", 0.1, 0.01, 9), at=APRIL,
    )  # fmt: skip
    other = found(check("other", "pack_wh", "estimate", 900.0, 1.0, 9))
    got = figures(pl.concat([*rows, sign, other]))
    assert got.select("model", "time", "pack_wh", "km_cv", "power_sign", "percent_slope").rows() == [
        ("m", MARCH, 3.5, 3.5, None, None), ("m", APRIL, 4.5, 4.5, -1, 0.1), ("other", MARCH, 900, None, None, None),
    ]  # fmt: skip


def test_a_check_that_could_not_answer_is_no_figure() -> None:
    rows = found(
        check("m", "pack_cv", "estimate", 0.05, None, 9), check("m", "pack_wh", INSUFFICIENT, 900.0, 1.0, 9),
        check("m", "motor_power_sign", INSUFFICIENT, 30.0, 20.0, 9),
    )  # fmt: skip
    assert figures(rows).select("pack_cv", "pack_wh", "power_sign").row(0) == (0.05, None, None)


# ---- data sheets and figures ---------------------------------------------------------------------------------------


def test_a_sure_figure_of_the_fleet_outweighs_a_data_sheet() -> None:
    got = now(known(), found(check("m", "capacity_wh", "estimate", 1270.0, 13.0, 500)))
    assert got["capacity_wh"].item() == pytest.approx(1270, rel=0.003)
    assert got["capacity_sd"].item() == pytest.approx(PACK_CV, rel=0.02)
    assert got["wh_per_km"].item() == 31


def test_a_figure_and_a_data_sheet_are_weighed_by_their_variances() -> None:
    got = now(known(), found(check("m", "wh_per_km", "estimate", 25.0, 25.0 * SHEET_SD, 30)))
    assert got["wh_per_km"].item() == pytest.approx(28, rel=0.001)
    assert got["wh_per_km_sd"].item() == pytest.approx(math.hypot(SHEET_SD / 2**0.5, VEHICLE_CV), rel=0.01)


def test_an_unsure_figure_of_the_fleet_hardly_moves_a_data_sheet() -> None:
    got = now(known(), found(check("m", "capacity_wh", "estimate", 900.0, 450.0, 30)))
    assert 1400 < got["capacity_wh"].item() < 1440


def test_a_figure_of_the_fleet_stands_alone_where_no_data_sheet_is_known() -> None:
    got = now(known(None), found(check("m", "capacity_wh", "estimate", 1270.0, 50.0, 500)))
    assert got["capacity_wh"].item() == 1270
    assert now(known(None), found())["capacity_wh"].item() is None


def test_a_check_that_could_not_answer_and_other_models_and_providers_change_nothing() -> None:
    theirs = found(check("m", "capacity_wh", "estimate", 900.0, 1.0, 500)).with_columns(provider=pl.lit("q"))
    mine = found(
        check("m", "capacity_wh", INSUFFICIENT, 900.0, 1.0, 3),
        check("other", "capacity_wh", "estimate", 900.0, 1.0, 900),
        check("m", "pack_wh", "estimate", 900.0, 1.0, 900),
    )
    rows = pl.concat([mine, theirs])
    assert calibrated(known(), rows).height == 1
    got = now(known(), rows)
    assert got["capacity_wh"].item() == 1440
    assert got["capacity_sd"].item() == pytest.approx(math.hypot(SHEET_SD, PACK_CV))
    sure = now(known().with_columns(capacity_sd=pl.lit(0.03)), rows)
    assert sure["capacity_sd"].item() == 0.03


def test_figures_hold_from_their_month_to_the_next_and_a_data_sheet_before() -> None:
    rows = [found(check("m", "capacity_wh", "estimate", value, 1.0, 500), at=at)
            for at, value in ((APRIL, 1100.0), (MARCH, 1200.0))]  # fmt: skip
    got = calibrated(known(), pl.concat(rows)).sort("since")
    assert got.select("since", pl.col("capacity_wh").round(0)).rows() == [(ALWAYS, 1440), (MARCH, 1200), (APRIL, 1100)]
    moments = [MARCH - DAY, MARCH, APRIL - DAY, APRIL + 99 * DAY]
    asked = pl.DataFrame({"at": moments}, schema={"at": TIME}).with_columns(provider=pl.lit("p"), vehicle=pl.lit("a"))
    assert as_of(asked.reverse(), "at", got)["capacity_wh"].round(0).to_list() == [1100, 1200, 1200, 1440]


def test_the_slope_of_the_percent_and_the_sign_of_power_come_with_them() -> None:
    sign = check("m", "motor_power_sign", "charge_positive", 9, 1, 500)
    rows = found(check("m", "percent_slope", "estimate", 0.1, 0.01, 500), sign)
    assert now(known(), rows).select("percent_slope", "motor_power_sign").row(0) == (0.1, "charge_positive")
    assert now(known(), found()).select("percent_slope", "motor_power_sign").row(0) == (0.0, None)


# ---- verdicts of packs ---------------------------------------------------------------------------------------------


def sheets(*since: datetime) -> pl.DataFrame:
    """What `calibrated` tells of vehicle a, the same at each of these moments."""
    told = {
        "provider": "p", "vehicle": "a", "model": "m", "capacity_wh": 1440.0, "wh_per_km": 32.0, "capacity_sd": 0.1,
        "wh_per_km_sd": 0.15, "percent_slope": 0.1, "motor_power_sign": "discharge_positive",
    }  # fmt: skip
    return pl.DataFrame([told | {"since": at} for at in since], schema_overrides={"since": TIME})


def verdicts(*told: tuple[datetime, float | None], method: str = "verdict") -> pl.DataFrame:
    """Rows of `battery_health` of (time, capacity), sure to 2 % and 3 %."""
    made = [
        {"provider": "p", "vehicle": "a", "time": at, "method": method, "capacity_wh": wh,
         "capacity_high_wh": None if wh is None else wh * (1 + 0.02 * Z), "wh_per_km": 30.0,
         "wh_per_km_high": 30 * (1 + 0.03 * Z)}
        for at, wh in told
    ]  # fmt: skip
    return shaped(pl.DataFrame(made, infer_schema_length=None), "battery_health")


def test_what_the_packs_of_a_time_hold_goes_before_what_their_model_does() -> None:
    begun = MARCH + 4 * DAY
    got = with_verdicts(sheets(ALWAYS, MARCH), verdicts((begun, 1200.0)))
    assert got.select("since", "capacity_wh", "wh_per_km").rows() == [
        (ALWAYS, 1440, 32), (MARCH, 1440, 32), (begun, 1200, 30),
    ]  # fmt: skip
    assert got.select("capacity_sd", "wh_per_km_sd").row(2) == pytest.approx((0.02, 0.03))
    assert set(got["percent_slope"]) == {0.1}
    assert got.columns == sheets(ALWAYS).columns


def test_the_next_verdict_takes_the_place_of_the_one_before() -> None:
    got = with_verdicts(sheets(ALWAYS), verdicts((MARCH + 4 * DAY, 1200.0), (MARCH + 9 * DAY, 1300.0)))
    assert got["capacity_wh"].to_list() == [1440, 1200, 1300]


def test_what_packs_hold_is_told_to_the_end_of_the_month_and_no_longer() -> None:
    got = with_verdicts(sheets(ALWAYS, MARCH, APRIL, MAY), verdicts((MARCH + 4 * DAY, 1200.0), (MAY, 1100.0)))
    assert got.filter(pl.col("since") >= APRIL).select("since", "capacity_wh").rows() == [(APRIL, 1440), (MAY, 1100)]


def test_a_figure_that_begins_to_hold_in_a_month_leaves_its_verdict() -> None:
    got = with_verdicts(sheets(ALWAYS, MARCH + 9 * DAY), verdicts((MARCH + 4 * DAY, 1200.0)))
    assert got["capacity_wh"].to_list() == [1440, 1200, 1200]


def test_other_methods_and_verdicts_without_a_capacity_are_no_figures() -> None:
    for rows in (verdicts((MARCH, 1200.0), method="ride_energy"), verdicts((MARCH, None))):
        assert with_verdicts(sheets(ALWAYS), rows).equals(sheets(ALWAYS))


def test_packs_of_vehicles_that_are_not_asked_for_are_left_out() -> None:
    other = verdicts((MARCH, 1200.0)).with_columns(vehicle=pl.lit("b"))
    assert with_verdicts(sheets(ALWAYS), other).equals(sheets(ALWAYS))


def test_a_calibrated_fleet_takes_verdicts_as_it_is() -> None:
    checks = found(check("m", "capacity_wh", "estimate", 1270.0, 13.0, 500))
    whole = calibrated(pl.concat([known(), known(vehicle="b")]), checks)
    got = with_verdicts(whole, verdicts((MARCH + DAY, 1200.0)))
    assert got.schema == whole.schema
    assert got.filter(vehicle="a")["capacity_wh"].round(0).to_list() == [1440, 1272, 1200]
    assert got.filter(vehicle="b")["capacity_wh"].round(0).to_list() == [1440, 1272]


_MORE = ("power_sign", "percent_slope", "fade_sd")


def test_nothing_in_nothing_out() -> None:
    assert figures(found()).is_empty()
    assert set(figures(found()).columns) == {"provider", "model", "time", *_MORE, *OF_PACKS}
    none = calibrated(known().clear(), found())
    assert with_verdicts(none, verdicts()).is_empty()
    assert none.schema == calibrated(known(), found()).schema
