"""Compares the charges in the lake and their cost with the true charging sessions by cable."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl

from logger.simulator.demo.estimated_sum import EstimatedSum, energy_cost, sum_estimates
from logger.simulator.demo.observable_truth import observable_sessions, scan_mopeds, unobservable_note
from logger.simulator.vehicle.charger import CURRENCY, DATA_SHEET_EFFICIENCY, PRICE_PER_KWH
from logger.stores.lake.lake import Lake

_VEHICLE = ("provider", "vehicle")
_SESSIONS = {
    "provider": pl.String(),
    "vehicle": pl.String(),
    "true_started_at": pl.Datetime("ms", "UTC"),
    "true_wh": pl.Float64(),
    "true_cost": pl.Float64(),
}
_TOLERANCE = timedelta(hours=2)  # a vehicle's clock may be wrong by one hour
_PRICE_PER_WH = PRICE_PER_KWH / 1000 / DATA_SHEET_EFFICIENCY  # at the battery
_EFFICIENCY_SD = 0.03  # of the data sheet's efficiency: load, wear and standby differ from those of its test


class ChargeComparison(msgspec.Struct, frozen=True):
    """Charges in the lake, true `sessions`, how many of both match, and their energy and cost.

    `unobservable` sessions more began after the vehicle's last message. `energy_wh` came into the battery, `cost` is
    for the energy from the wall; sums as of `sum_estimates`. `interval_coverage` is the share of the matched charges
    whose 95 % interval of energy contains the truth, None where none has an interval.
    """

    charges: int
    sessions: int
    unobservable: int
    matched: int
    energy_wh: EstimatedSum
    interval_coverage: float | None
    cost: EstimatedSum

    def lines(self) -> Iterator[str]:
        """Yield the comparison as lines for people."""
        matched = f"{self.matched:,} match{unobservable_note(self.unobservable)}"
        yield f"charges       {self.charges:,} found of {self.sessions:,} by cable; {matched}"
        share = self.interval_coverage
        coverage = "" if share is None else f"; the interval of {share:.0%} of the charges contains the truth"
        yield f"charged       {self.energy_wh.text('kWh', 1000)}{coverage}"
        yield f"cost          {self.cost.text(CURRENCY)}"


def compare_charges(lake: Lake, truth: Path) -> ChargeComparison:
    """Compare the lake's charges with the truth in this folder. Swaps are left out: they cost nothing here."""
    charges = scan_mopeds(lake, "charges").filter(pl.col("kind") != "swap").collect()
    all_sessions = cable_sessions(pl.read_parquet(truth / "charges.parquet"))
    sessions = observable_sessions(all_sessions, truth)
    pairs = match_charges(charges, sessions)
    energy = _sum_energy(charges, float(sessions["true_wh"].sum()))
    cost, true_cost = float(charges["cost"].sum()), float(sessions["true_cost"].sum())
    return ChargeComparison(
        charges=charges.height,
        sessions=sessions.height,
        unobservable=all_sessions.height - sessions.height,
        matched=pairs.height,
        energy_wh=energy,
        interval_coverage=_interval_coverage(pairs),
        cost=energy_cost(energy, cost, _PRICE_PER_WH, _EFFICIENCY_SD, true_cost),
    )


def _sum_energy(charges: pl.DataFrame, true_wh: float) -> EstimatedSum:
    """Add up the energy [Wh]; a charge that no message reports may be a swap that no message reports."""
    unreported = charges.filter(pl.col("flags").list.contains("unreported"))
    return sum_estimates(charges["energy_wh"], charges["energy_high_wh"], true_wh, float(unreported["energy_wh"].sum()))


def _interval_coverage(pairs: pl.DataFrame) -> float | None:
    known = pairs.drop_nulls("energy_high_wh")
    contains = pl.col("true_wh").is_between("energy_low_wh", "energy_high_wh")
    return float(known.select(contains.mean()).item()) if known.height else None


def cable_sessions(charges: pl.DataFrame) -> pl.DataFrame:
    """Return the true charging sessions in vehicles; packs that were plugged in together are one session."""
    if "port" not in charges.columns:  # nothing was charged anywhere
        return pl.DataFrame(schema=_SESSIONS)
    sessions = charges.drop_nulls("port").group_by(*_VEHICLE, pl.col("started_at").alias("true_started_at"))
    return sessions.agg(pl.col("energy_wh").sum().alias("true_wh"), pl.col("cost").sum().alias("true_cost"))


def match_charges(charges: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Return charges with the nearest session (`true_…`) that began within them, each in one pair at most."""
    began = pl.col("true_started_at")
    near = charges.join(sessions, on=list(_VEHICLE)).filter(
        began.is_between(pl.col("started_at") - _TOLERANCE, pl.col("finished_at") + _TOLERANCE)
    )
    by_distance = near.sort((began - pl.col("started_at")).abs())
    unique = by_distance.unique([*_VEHICLE, "true_started_at"], keep="first", maintain_order=True)
    return unique.unique([*_VEHICLE, "started_at"], keep="first", maintain_order=True)
