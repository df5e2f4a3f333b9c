"""Cells in series and their chemistry are guessed by volts at rest, where levels enough are known."""

from datetime import timedelta

import polars as pl
import pytest

from analytics.battery_health.cells import at_rest, cells
from logger.tables import TIME, shaped
from tests.analytics.hand import AT

WHOSE = {"provider": "p", "vehicle": "v"}
KNOWN = pl.DataFrame({**WHOSE, "model": ["m"]})
NMC = {95: 4.10, 90: 4.05, 50: 3.68, 25: 3.58, 20: 3.54}  # volts of a cell by its percent
LFP = {95: 3.34, 90: 3.33, 50: 3.29, 25: 3.24, 20: 3.22}


def volts(curve: dict[int, float], count: int, step_v: float = 1.0, each: int = 6) -> pl.DataFrame:
    rows = [{**WHOSE, "pct": float(pct), "volts": round(count * cell / step_v) * step_v} for pct, cell in curve.items()]
    return pl.DataFrame(rows * each)


@pytest.mark.parametrize(("curve", "word"), [(NMC, "nmc"), (LFP, "lfp")])
@pytest.mark.parametrize("count", [13, 14, 16, 96])
def test_cells_are_counted_by_whole_volts(curve: dict[int, float], word: str, count: int) -> None:
    got = cells(volts(curve, count), KNOWN).row(0, named=True)
    assert got["answer"] == word
    assert got["low"] <= count <= got["high"]
    assert abs(got["value"] - count) <= max(1, 0.01 * count)


def test_a_battery_that_was_never_nearly_empty_tells_nothing() -> None:
    got = cells(volts({95: 4.1, 50: 3.68}, 13), KNOWN).row(0, named=True)
    assert (got["answer"], got["value"], got["n"]) == ("insufficient", None, 0)
    few = cells(volts(NMC, 13, each=1), KNOWN).row(0, named=True)
    assert few["answer"] == "insufficient"
    assert cells(volts(NMC, 13).clear(), KNOWN)["answer"].to_list() == ["insufficient"]


def frame(column: str, *told: tuple[float, float]) -> pl.DataFrame:
    rows = [{**WHOSE, "at": AT + timedelta(minutes=minute), column: value} for minute, value in told]
    return pl.DataFrame(
        rows, schema={"provider": pl.String(), "vehicle": pl.String(), "at": TIME, column: pl.Float64()}
    )


def test_volts_under_load_and_without_a_percent_beside_them_do_not_count() -> None:
    trips = shaped(pl.DataFrame({**WHOSE, "started_at": [AT], "finished_at": [AT + timedelta(minutes=30)]}), "trips")
    packs = frame("pack_voltage_v").with_columns(pack_soc_pct=pl.lit(None, pl.Float64()))
    told = frame("voltage_v", (10, 380.0), (40, 390.0), (100, 391.0))
    got = at_rest(told, frame("soc_pct", (9, 60.0), (35, 50.0)), packs, trips)
    assert got.select("pct", "volts").rows() == [(50.0, 390.0)]
    own = frame("pack_voltage_v", (50, 48.0)).with_columns(pack_soc_pct=pl.lit(52.0))
    assert at_rest(told, frame("soc_pct", (35, 50.0)), own, trips).select("pct", "volts").rows() == [(52.0, 48.0)]


def test_a_battery_counts_beside_vehicles_that_tell_volts_of_their_packs() -> None:
    trips = shaped(pl.DataFrame({**WHOSE, "started_at": [AT], "finished_at": [AT + timedelta(minutes=30)]}), "trips")
    both = pl.concat([trips, trips.with_columns(vehicle=pl.lit("moped"))])
    packs = frame("pack_voltage_v", (50, 48.0)).with_columns(pack_soc_pct=pl.lit(52.0), vehicle=pl.lit("moped"))
    got = at_rest(frame("voltage_v", (40, 390.0)), frame("soc_pct", (35, 50.0)), packs, both)
    assert set(got.select("vehicle", "volts").rows()) == {("v", 390.0), ("moped", 48.0)}
