"""What analyses found of charging and of its cost, beside what chargers in vehicles really gave and took."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl

from logger.simulator.demo.heard import more, sessions_heard
from logger.simulator.demo.sums import Sum, alike, bought
from logger.simulator.vehicle.depot import CURRENCY, LABEL_EFFICIENCY, PER_KWH
from logger.stores.lake.lake import Lake

_WHO = ("provider", "vehicle")
_SESSIONS = {
    "provider": pl.String(),
    "vehicle": pl.String(),
    "true_started_at": pl.Datetime("ms", "UTC"),
    "true_wh": pl.Float64(),
    "true_cost": pl.Float64(),
}
_APART = timedelta(hours=2)  # a clock may be wrong by one
_PER_WH = PER_KWH / 1000 / LABEL_EFFICIENCY  # at the battery
_EFFICIENCY_SD = 0.03  # of a charger's data sheet: load, wear and standing by are not those of its test


class Charged(msgspec.Struct, frozen=True):
    """Charges found, `sessions` of charging in vehicles, and how many of both are one; sums as of `sums.alike`.

    `untold` others lie in a silence that lasts.

    `energy_wh` is what came into the battery, `cost` what it took from the wall. `held` is the share of matched charges
    whose 95 % interval of energy holds the truth, None where none states any.
    """

    charges: int
    sessions: int
    untold: int
    matched: int
    energy_wh: Sum
    held: float | None
    cost: Sum

    def lines(self) -> Iterator[str]:
        """For people."""
        matched = f"{self.matched:,} match{more(self.untold)}"
        yield f"charges       {self.charges:,} found of {self.sessions:,} by cable; {matched}"
        held = "" if self.held is None else f"; the interval of {self.held:.0%} of the charges holds the truth"
        yield f"charged       {self.energy_wh.told('kWh', 1000)}{held}"
        yield f"cost          {self.cost.told(CURRENCY)}"


def charged(lake: Lake, truth: Path) -> Charged:
    """Hold the lake's charges against the truth in this folder. A swap is none: its charge was paid for elsewhere."""
    told = lake.scan("charges").filter(pl.col("kind") != "swap").collect()
    every = by_cable(pl.read_parquet(truth / "charges.parquet"))
    sessions = sessions_heard(every, truth)
    pairs = matched(told, sessions)
    known = pairs.drop_nulls("energy_high_wh")
    held = pl.col("true_wh").is_between("energy_low_wh", "energy_high_wh")
    unreported = told.filter(pl.col("flags").list.contains("unreported"))  # it may be a swap that nobody told of
    moot_wh = float(unreported["energy_wh"].sum())
    energy = alike(told["energy_wh"], told["energy_high_wh"], float(sessions["true_wh"].sum()), moot_wh)
    return Charged(
        told.height,
        sessions.height,
        every.height - sessions.height,
        pairs.height,
        energy,
        float(known.select(held.mean()).item()) if known.height else None,
        bought(energy, float(told["cost"].sum()), _PER_WH, _EFFICIENCY_SD, float(sessions["true_cost"].sum())),
    )


def by_cable(charges: pl.DataFrame) -> pl.DataFrame:
    """Sessions in vehicles; packs that were plugged in together are one."""
    if "port" not in charges.columns:  # nothing was charged anywhere
        return pl.DataFrame(schema=_SESSIONS)
    together = charges.drop_nulls("port").group_by(*_WHO, pl.col("started_at").alias("true_started_at"))
    return together.agg(pl.col("energy_wh").sum().alias("true_wh"), pl.col("cost").sum().alias("true_cost"))


def matched(charges: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Charges with the session as `true_…` that began in them, the nearest, each in one pair."""
    began = pl.col("true_started_at")
    near = charges.join(sessions, on=list(_WHO)).filter(
        began.is_between(pl.col("started_at") - _APART, pl.col("finished_at") + _APART)
    )
    by_start = near.sort((began - pl.col("started_at")).abs())
    one = by_start.unique([*_WHO, "true_started_at"], keep="first", maintain_order=True)
    return one.unique([*_WHO, "started_at"], keep="first", maintain_order=True)
