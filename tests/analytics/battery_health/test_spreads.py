"""How much packs and vehicles of a model differ is found again, refused where nothing tells, and kept as checks."""

from datetime import UTC, datetime

import polars as pl
import pytest

from analytics.battery_health.calibration import CHECKS
from analytics.battery_health.spreads import FIGURES, checks, figures
from logger.tables import shaped
from tests.analytics.battery_health.packs_made import (
    C_WH,
    FADE,
    KM_CV,
    PACK_CV,
    SHEET_WH,
    VEHICLE_CV,
    Fleet,
    fitted,
    fleet,
)


@pytest.fixture(scope="module")
def some() -> Fleet:
    return fleet(1)


def test_the_spreads_that_made_a_fleet_are_found() -> None:
    got = fitted(fleet(2, vehicles=250)).row(0, named=True)
    assert got["pack_cv"] == pytest.approx(PACK_CV, rel=0.15)
    assert got["vehicle_cv"] == pytest.approx(VEHICLE_CV, rel=0.25)
    assert got["km_cv"] == pytest.approx(KM_CV, rel=0.1)
    assert got["fade"] == pytest.approx(FADE, rel=0.3)
    assert got["pack_wh"] == pytest.approx(C_WH, rel=0.03)
    assert got["same"] > 0.95


def test_twice_the_power_is_twice_the_capacity(some: Fleet) -> None:
    double = some["spells"].with_columns(pl.col("polled_wh") * 2, pl.col("capacity_wh") * 2)
    once, twice = fitted(some).row(0, named=True), fitted({"spells": double}).row(0, named=True)
    assert twice["pack_wh"] == pytest.approx(2 * once["pack_wh"])
    assert twice["pack_wh_cv"] == pytest.approx(once["pack_wh_cv"])


def test_a_data_sheet_hardly_moves_what_many_packs_say(some: Fleet) -> None:
    none = some["spells"].with_columns(capacity_wh=pl.lit(None, pl.Float64()))
    sheet, alone = (fitted({"spells": rows})["pack_wh"].item() for rows in (some["spells"], none))
    assert alone < sheet < alone + 0.05 * (SHEET_WH - alone)


def test_without_power_nobody_tells_what_packs_hold(some: Fleet) -> None:
    none = some["spells"].with_columns(polled_km=0.0, polled_wh=0.0)
    row = fitted({"spells": none}).row(0, named=True)
    assert (row["pack_wh_per_km"], row["pack_wh"]) == (None, None)
    assert row["pack_cv"] == pytest.approx(PACK_CV, rel=0.3)


def test_a_model_without_cycles_is_known_by_its_ways_alone(some: Fleet) -> None:
    names = ("first_low", "first_high", "last_low", "last_high", "ports", "cycles")
    blind = some["spells"].with_columns(pl.lit(None, some["spells"].schema[name]).alias(name) for name in names)
    row = fitted({"spells": blind}).row(0, named=True)
    assert row["same"] == 0
    assert row["fade"] == pytest.approx(3e-4)


# ---- as checks -----------------------------------------------------------------------------------------------------

KNOWN = pl.DataFrame({"provider": ["segway"], "vehicle": ["000"], "model": ["moped"], "capacity_wh": [SHEET_WH]})
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def stretches(of: Fleet) -> pl.DataFrame:
    """Each spell is one stretch."""
    return shaped(of["spells"].rename({"since": "time"}).with_columns(swapped=pl.lit(True)), "stretches")


def evidence() -> pl.DataFrame:
    told = {"provider": "segway", "vehicle": "000", "time": NOW, "check": "use_wh", "n": 100}
    sums = {"sum_x": 400.0, "sum_y": 12000.0, "sum_xx": 2000.0, "sum_xy": 60000.0, "sum_yy": 1.9e6}
    return shaped(pl.DataFrame([told | sums]), "evidence")


def asked(of: Fleet, answer: str = "estimate") -> pl.DataFrame:
    known = of["spells"].select("provider", "vehicle", "model", "capacity_wh").unique()
    power = {"provider": "segway", "model": "moped", "check": "wh_per_km", "answer": answer, "value": 30.0, "n": 100}
    return checks(evidence(), stretches(of), known, pl.DataFrame([power], schema=CHECKS))


def test_figures_are_kept_as_checks_and_told_again(some: Fleet) -> None:
    rows = asked(some)
    assert rows.schema == CHECKS
    assert set(rows["check"]) == set(FIGURES)
    told = figures(rows.with_columns(time=pl.lit(NOW).cast(CHECKS["time"]))).row(0, named=True)
    assert told["pack_wh"] == pytest.approx(C_WH, rel=0.05)
    assert told["even_km"] is told["percent_slope"] is told["motor_power_sign"] is None
    row = rows.filter(check="pack_wh").row(0, named=True)
    assert row["low"] == pytest.approx(row["value"] * (1 - 1.96 * told["pack_wh_cv"]), rel=0.01)


def test_power_that_was_hardly_ever_read_tells_no_capacity(some: Fleet) -> None:
    rows = asked(some, "insufficient")
    assert rows.filter(pl.col("check").is_in(["pack_wh", "polled_cv"]))["answer"].to_list() == ["insufficient"] * 2


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.3, 3.0, 5.0])
def test_one_sensor_that_is_wrong_spoils_nobody_elses_packs(some: Fleet, factor: float) -> None:
    wrong = pl.when(pl.col("vehicle") == "003").then(factor * pl.col("polled_wh")).otherwise("polled_wh")
    spoilt = {"spells": some["spells"].with_columns(wrong.alias("polled_wh"))}
    right, other = (fitted(of).row(0, named=True) for of in (some, spoilt))
    for name in ("pack_wh", "pack_wh_per_km", "vehicle_cv", "pack_cv", "pack_wh_cv"):
        assert other[name] == pytest.approx(right[name], rel=0.03)


def test_vehicles_without_a_model_are_left_out(some: Fleet) -> None:
    known = KNOWN.with_columns(model=pl.lit(None, pl.String()))
    assert checks(evidence(), stretches(some), known, CHECKS.to_frame()).is_empty()


def test_nothing_in_nothing_out() -> None:
    none = {name: rows.clear() for name, rows in fleet(1, vehicles=1).items()}
    assert fitted(none).is_empty()
    assert checks(evidence().clear(), stretches(none), KNOWN, CHECKS.to_frame()).is_empty()
