"""Compares what the verdicts say of the packs in mopeds with what these packs truly hold."""

import statistics
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl

from logger.simulator.demo.observable_truth import scan_mopeds
from logger.stores.lake.lake import Lake

SHOWN = 8  # vehicles in the table
_VEHICLE = ("provider", "vehicle")


class VehicleHealth(msgspec.Struct, frozen=True):
    """The last verdict of a vehicle, None where it gives no figure, beside the truth."""

    vehicle: str
    capacity_wh: float | None
    capacity_low_wh: float | None
    capacity_high_wh: float | None
    soh_pct: float | None
    soh_low_pct: float | None
    soh_high_pct: float | None
    true_wh: float
    true_soh_pct: float

    @property
    def contains_truth(self) -> bool:
        """Whether the interval contains the truth."""
        return (self.capacity_low_wh or 0.0) <= self.true_wh <= (self.capacity_high_wh or 0.0)

    def line(self) -> str:
        """Return the row of the table for people."""
        span = f"{self.capacity_low_wh:,.0f}–{self.capacity_high_wh:,.0f}"
        known = self.soh_pct is not None
        health = f"{self.soh_pct:.0f}{f'{self.soh_low_pct:.0f}–{self.soh_high_pct:.0f}':>9}" if known else "–"
        truth = f"{self.true_wh:>10,.0f}{health:>15}{self.true_soh_pct:>10.0f}"
        return f"  {self.vehicle:<18}{self.capacity_wh:>9,.0f}{span:>14}{truth}"


class HealthComparison(msgspec.Struct, frozen=True):
    """The last verdicts that give a figure, and how many vehicles are `without`."""

    vehicles: tuple[VehicleHealth, ...]
    without: int

    def lines(self) -> Iterator[str]:
        """Yield the table for people."""
        if not self.vehicles:
            yield f"batteries     no figure yet for {self.without:,} vehicles: `battery_health` tells why"
            return
        count, inside = len(self.vehicles), sum(each.contains_truth for each in self.vehicles)
        off = statistics.median(abs((each.capacity_wh or 0.0) / each.true_wh - 1) for each in self.vehicles)
        without = f"; {self.without:,} without a figure" if self.without else ""
        coverage = f"the interval of {inside / count:.0%} contains the truth, off by {100 * off:.1f} % (median)"
        yield f"batteries     {count:,} with a figure: {coverage}{without}"
        head = f"{'holds Wh':>9}{'95 %':>14}{'in truth':>10}{'health %':>10}{'95 %':>5}{'in truth':>10}"
        yield f"  {'vehicle':<18}{head}"
        yield from (each.line() for each in self.vehicles[:SHOWN])
        if count > SHOWN:
            yield f"  … and {count - SHOWN:,} more in `battery_health`"


def compare_health(lake: Lake, truth: Path) -> HealthComparison:
    """Compare the last verdict of each moped with its packs on the last day that it counts."""
    rows = scan_mopeds(lake, "battery_health").filter(pl.col("method") == "verdict").collect()
    last = rows.sort("time").group_by(_VEHICLE, maintain_order=True).last()
    day = pl.col("as_of").str.to_date()
    packs = pl.read_parquet(truth / "packs.parquet").drop_nulls("port")
    days = packs.group_by(*_VEHICLE, "day").agg(
        pl.col("capacity_wh").sum().alias("true_wh"), pl.col("soh_pct").mean().alias("true_soh_pct")
    )
    told = last.with_columns(day.alias("day")).join(days, on=[*_VEHICLE, "day"], how="inner").sort(_VEHICLE)
    known = told.drop_nulls("capacity_wh").select(VehicleHealth.__struct_fields__)
    vehicles = tuple(VehicleHealth(**row) for row in known.iter_rows(named=True))
    return HealthComparison(vehicles, last.height - len(vehicles))
