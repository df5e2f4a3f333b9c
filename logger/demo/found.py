"""What analyses found, beside what really happened. The truth is read here, when all results are written."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl

from logger.stores.lake import Lake

_SAME = 0.5  # of their way together that a found and a real ride must share to be one
_KINDS = ("observed", "bridged", "inferred")
_WHO = ("provider", "vehicle")


class Found(msgspec.Struct, frozen=True):
    """Trips found, by kind, beside rides; of how many the other was found; metres of both.

    Of matched trips: `start_s` and `finish_s` are median errors [s]; of those that state an energy, its sum, the sum in
    truth [Wh], and the share whose 95 % interval holds the truth, None where none states any.
    """

    trips: int
    rides: int
    matched: int
    kinds: dict[str, int]
    trips_m: float
    rides_m: float
    start_s: float | None
    finish_s: float | None
    energy_wh: float | None
    true_wh: float | None
    held: float | None

    def lines(self) -> Iterator[str]:
        """For people."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.items() if count)
        yield f"trips         {self.trips:,} found ({kinds}) of {self.rides:,} rides; {self.matched:,} match"
        if self.start_s is not None and self.finish_s is not None:
            yield f"times         start within {self.start_s:.0f} s, end within {self.finish_s:.0f} s (medians)"
        yield f"kilometres    {self.trips_m / 1000:,.1f} km in trips, {self.rides_m / 1000:,.1f} km ridden"
        if self.energy_wh is not None and self.true_wh is not None and self.held is not None:
            held = f"the interval of {self.held:.0%} of the trips holds the truth (aim: 95 %)"
            yield f"energy        {self.energy_wh / 1000:,.2f} kWh, in truth {self.true_wh / 1000:,.2f} kWh; {held}"


def found(lake: Lake, truth: Path) -> Found:
    """Hold the lake's trips against the truth in this folder."""
    trips, rides = lake.scan("trips").collect(), pl.read_parquet(truth / "trips.parquet")
    if "started_at" not in rides.columns:
        rides = trips.clear()  # nobody rode
    pairs = matched(trips, rides)
    told = pairs.drop_nulls(["energy_wh", "energy_low_wh", "energy_high_wh"])
    held = pl.col("true_energy_wh").is_between(pl.col("energy_low_wh"), pl.col("energy_high_wh"))
    counts = dict(trips["kind"].value_counts().iter_rows())
    return Found(
        trips.height,
        rides.height,
        pairs.height,
        {kind: counts.get(kind, 0) for kind in _KINDS},
        float(trips["distance_m"].sum()),
        float(rides["distance_m"].sum()),
        _median_s(pairs, "started_at"),
        _median_s(pairs, "finished_at"),
        float(told["energy_wh"].sum()) if told.height else None,
        float(told["true_energy_wh"].sum()) if told.height else None,
        float(told.select(held.mean()).item()) if told.height else None,
    )


def matched(trips: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Trips with their ride as `true_…`: the pairs that share half of their way together or more.

    By the odometer, because a moped's clock may be wrong, within a day, because an odometer may begin anew. Rides do
    not overlap, nor do trips, so that none can share so much with two.
    """
    columns = ("started_at", "finished_at", "start_odometer_m", "finish_odometer_m", "energy_wh")
    known = trips.drop_nulls(["start_odometer_m", "finish_odometer_m"])
    both = known.join(rides.select(*_WHO, pl.col(columns).name.prefix("true_")), on=list(_WHO))
    starts, finishes = ("start_odometer_m", "true_start_odometer_m"), ("finish_odometer_m", "true_finish_odometer_m")
    shared = pl.min_horizontal(finishes) - pl.max_horizontal(starts)
    whole = pl.max_horizontal(finishes) - pl.min_horizontal(starts)
    apart = (pl.col("started_at") - pl.col("true_started_at")).abs()
    return both.filter((shared > _SAME * whole) & (apart < timedelta(days=1)))


def _median_s(pairs: pl.DataFrame, name: str) -> float | None:
    error = (pairs[name] - pairs[f"true_{name}"]).dt.total_milliseconds().abs().median()
    return None if error is None else float(error) / 1000  # type: ignore[arg-type]
