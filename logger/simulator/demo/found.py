"""What analyses found, beside what really happened. The truth is read here, when all results are written."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl

from logger.simulator.demo.charged import Charged, charged
from logger.simulator.demo.heard import more, rides_heard
from logger.simulator.demo.sums import Sum, alike
from logger.stores.lake.lake import Lake

_SAME = 0.5  # of their way together that a found and a real ride must share to be one
_KINDS = ("observed", "bridged", "inferred")
_WHO = ("provider", "vehicle")


class Found(msgspec.Struct, frozen=True):
    """Trips found, by kind, beside rides; of how many the other was found; metres and energy of both, in sum.

    Rides are what was told of them; `untold` others lie in a silence that lasts.

    Of matched trips: `start_s` and `finish_s` are median errors [s]; `held` is, of those that state an energy, the
    share whose 95 % interval holds the truth, None where none states any. `charged` is of charges.
    """

    trips: Sum
    untold: int
    matched: int
    kinds: dict[str, int]
    metres: Sum
    start_s: float | None
    finish_s: float | None
    energy_wh: Sum
    held: float | None
    charged: Charged

    def lines(self) -> Iterator[str]:
        """For people."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.items() if count)
        yield f"trips         {self.trips.told(digits=0)} rides: {kinds}; {self.matched:,} match{more(self.untold)}"
        if self.start_s is not None and self.finish_s is not None:
            yield f"times         start within {self.start_s:.0f} s, end within {self.finish_s:.0f} s (medians)"
        yield f"kilometres    {self.metres.told('km', 1000, 1)}"
        held = "" if self.held is None else f"; the interval of {self.held:.0%} of the trips holds the truth"
        yield f"energy        {self.energy_wh.told('kWh', 1000)}{held}"
        yield from self.charged.lines()


def found(lake: Lake, truth: Path) -> Found:
    """Hold the lake's trips and charges against the truth in this folder."""
    trips, rides = lake.scan("trips").collect(), pl.read_parquet(truth / "trips.parquet")
    if "started_at" not in rides.columns:
        rides = trips.clear()  # nobody rode
    told = rides_heard(rides, lake.scan("status"))
    books, days = lake.scan("coverage").collect(), lake.scan("consumption").collect()
    pairs = matched(trips, rides)
    counts = dict(trips["kind"].value_counts().iter_rows())
    return Found(
        counted(trips, books, told.height),
        rides.height - told.height,
        pairs.height,
        {kind: counts.get(kind, 0) for kind in _KINDS},
        measured(trips, books, float(told["distance_m"].sum())),
        _median_s(pairs, "started_at"),
        _median_s(pairs, "finished_at"),
        alike(days["driven_wh"], days["driven_high_wh"], float(told["energy_wh"].sum())),
        _held(pairs),
        charged(lake, truth),
    )


def counted(trips: pl.DataFrame, books: pl.DataFrame, rides: int) -> Sum:
    """Trips, where each that was not observed may be none or two, and a day with metres in none may hide one more."""
    unseen = trips.filter(pl.col("kind") != "observed").height
    hidden = books.filter(pl.col("pushed_m") + pl.col("unplaced_m") > 0).height
    return Sum(trips.height, trips.height - unseen, trips.height + unseen + hidden, rides)


def measured(trips: pl.DataFrame, books: pl.DataFrame, rides_m: float) -> Sum:
    """Metres of trips, to the whole metre of an odometer at each end.

    What `books` (rows of `coverage`) give to no trip may have been ridden; those of a trip that is but inferred may
    have been pushed.
    """
    value = float(trips["distance_m"].sum())
    doubt = float(trips.filter(pl.col("kind") == "inferred")["distance_m"].sum())
    besides = float(books["pushed_m"].sum()) + float(books["unplaced_m"].sum())
    return Sum(value, value - doubt - trips.height, value + besides + trips.height, rides_m)


def _held(pairs: pl.DataFrame) -> float | None:
    told = pairs.drop_nulls(["energy_low_wh", "energy_high_wh"])
    held = pl.col("true_energy_wh").is_between("energy_low_wh", "energy_high_wh")
    return float(told.select(held.mean()).item()) if told.height else None


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
    error = (pl.col(name) - pl.col(f"true_{name}")).dt.total_milliseconds().abs().median() / 1000
    found: float | None = pairs.select(error.alias("error")).item()
    return found
