"""Compares the trips in the lake with the true ones."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl

from logger.simulator.demo.estimated_sum import EstimatedSum, sum_estimates
from logger.simulator.demo.observable_truth import observable_trips, scan_mopeds, unobservable_note
from logger.stores.lake.lake import Lake

_OVERLAP = 0.5  # the share of their joint distance that two trips must have in common to match
_KINDS = ("observed", "bridged", "inferred")
_VEHICLE = ("provider", "vehicle")


class TripComparison(msgspec.Struct, frozen=True):
    """Trips in the lake by kind, how many match a true one, and number, distance and energy of both.

    The sums are of true trips that messages report; `unobservable` trips more began after the vehicle's last message.
    `start_error_s` and `finish_error_s` are median errors of the matched trips [s]. `interval_coverage` is the share
    of the matched trips whose 95 % interval of energy contains the truth, None where none has an interval.
    """

    trips: EstimatedSum
    unobservable: int
    matched: int
    kinds: dict[str, int]
    distance_m: EstimatedSum
    start_error_s: float | None
    finish_error_s: float | None
    energy_wh: EstimatedSum
    interval_coverage: float | None

    def lines(self) -> Iterator[str]:
        """Yield the comparison as lines for people."""
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in self.kinds.items() if count)
        matched = f"{self.matched:,} match{unobservable_note(self.unobservable)}"
        yield f"trips         {self.trips.text(digits=0)}: {kinds}; {matched}"
        if self.start_error_s is not None and self.finish_error_s is not None:
            errors = f"start within {self.start_error_s:.0f} s, end within {self.finish_error_s:.0f} s"
            yield f"times         {errors} (medians)"
        yield f"kilometres    {self.distance_m.text('km', 1000, 1)}"
        share = self.interval_coverage
        coverage = "" if share is None else f"; the interval of {share:.0%} of the trips contains the truth"
        yield f"energy        {self.energy_wh.text('kWh', 1000)}{coverage}"


def compare_trips(lake: Lake, truth: Path) -> TripComparison:
    """Compare the lake's trips with the truth in this folder."""
    trips, true_trips = scan_mopeds(lake, "trips").collect(), pl.read_parquet(truth / "trips.parquet")
    if "started_at" not in true_trips.columns:
        true_trips = trips.clear()  # there was no trip
    observable = observable_trips(true_trips, scan_mopeds(lake, "status"))
    coverage, days = scan_mopeds(lake, "coverage").collect(), scan_mopeds(lake, "consumption").collect()
    pairs = match_trips(trips, true_trips)
    counts = dict(trips["kind"].value_counts().iter_rows())
    return TripComparison(
        trips=sum_trips(trips, coverage, observable.height),
        unobservable=true_trips.height - observable.height,
        matched=pairs.height,
        kinds={kind: counts.get(kind, 0) for kind in _KINDS},
        distance_m=sum_distance(trips, coverage, float(observable["distance_m"].sum())),
        start_error_s=_median_error_s(pairs, "started_at"),
        finish_error_s=_median_error_s(pairs, "finished_at"),
        energy_wh=sum_estimates(days["driven_wh"], days["driven_high_wh"], float(observable["energy_wh"].sum())),
        interval_coverage=_interval_coverage(pairs),
    )


def sum_trips(trips: pl.DataFrame, coverage: pl.DataFrame, true: int) -> EstimatedSum:
    """Count the trips; one that is not observed may be none or two, and a day with metres in no trip may hide one."""
    unobserved = trips.filter(pl.col("kind") != "observed").height
    hidden = coverage.filter(pl.col("pushed_m") + pl.col("unplaced_m") > 0).height
    return EstimatedSum(trips.height, trips.height - unobserved, trips.height + unobserved + hidden, true)


def sum_distance(trips: pl.DataFrame, coverage: pl.DataFrame, true_m: float) -> EstimatedSum:
    """Add up the distance of the trips [m], to the whole metre of an odometer at each end.

    Metres that `coverage` assigns to no trip may have been ridden; those of an inferred trip may have been pushed.
    """
    value = float(trips["distance_m"].sum())
    inferred = float(trips.filter(pl.col("kind") == "inferred")["distance_m"].sum())
    outside = float(coverage["pushed_m"].sum()) + float(coverage["unplaced_m"].sum())
    return EstimatedSum(value, value - inferred - trips.height, value + outside + trips.height, true_m)


def _interval_coverage(pairs: pl.DataFrame) -> float | None:
    known = pairs.drop_nulls(["energy_low_wh", "energy_high_wh"])
    contains = pl.col("true_energy_wh").is_between("energy_low_wh", "energy_high_wh")
    return float(known.select(contains.mean()).item()) if known.height else None


def match_trips(trips: pl.DataFrame, true_trips: pl.DataFrame) -> pl.DataFrame:
    """Return trips with their true trip as `true_…`: the pairs that share half of their joint distance or more.

    They are matched by the odometer, because a moped's clock may be wrong, and within a day, because an odometer may
    begin again. True trips do not overlap, nor do trips, so none can share so much with two.
    """
    columns = ("started_at", "finished_at", "start_odometer_m", "finish_odometer_m", "energy_wh")
    known = trips.drop_nulls(["start_odometer_m", "finish_odometer_m"])
    both = known.join(true_trips.select(*_VEHICLE, pl.col(columns).name.prefix("true_")), on=list(_VEHICLE))
    starts, finishes = ("start_odometer_m", "true_start_odometer_m"), ("finish_odometer_m", "true_finish_odometer_m")
    shared = pl.min_horizontal(finishes) - pl.max_horizontal(starts)
    joint = pl.max_horizontal(finishes) - pl.min_horizontal(starts)
    difference = (pl.col("started_at") - pl.col("true_started_at")).abs()
    return both.filter((shared > _OVERLAP * joint) & (difference < timedelta(days=1)))


def _median_error_s(pairs: pl.DataFrame, name: str) -> float | None:
    error = (pl.col(name) - pl.col(f"true_{name}")).dt.total_milliseconds().abs().median() / 1000
    median_s: float | None = pairs.select(error.alias("error")).item()
    return median_s
