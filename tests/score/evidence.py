"""Kinds of evidence: what a vehicle tells, less what another one would not tell; trips by each of them alone.

A vehicle that tells its lock is declared by its source. Of one whose lock is blanked nobody says what its signals mean:
that is learnt, as for imported logs.
"""

from collections.abc import Callable, Mapping, Sequence

import msgspec
import polars as pl

from analytics.observations.observations import STATUS, observations
from analytics.trips.segments import learnt_traits, segments
from analytics.trips.traits import TRAITS, traits
from analytics.trips.trips import trips
from logger.sources import TRAITS as DECLARED
from tests.score.baselines import asked
from tests.score.scenarios import Case

KM_M = 1000.0
COUNTERS = ("odometer_m", "ride_time_s")
Rows = Mapping[str, pl.DataFrame]
Blank = Callable[[Rows], Rows]


class Kind(msgspec.Struct, frozen=True):
    """What of a vehicle's rows is left, whether its source says what its lock means, and the mean F1 to be reached."""

    name: str
    blank: Blank
    declared: bool = False
    bar: float = 0.0


def without(*columns: str) -> Blank:
    """Rows of status in which these columns tell nothing."""
    return lambda rows: {**rows, "status": _blanked(rows["status"], columns)}


def alone(*columns: str) -> Blank:
    """Rows of status in which these columns tell something, and nothing else does; positions as they are."""
    others = [name for name in STATUS if name not in columns]
    return lambda rows: {**rows, "status": _telling(_blanked(rows["status"], others))}


def unplaced(blank: Blank) -> Blank:
    """The same, without rows of positions."""
    return lambda rows: {**blank(rows), "location": rows["location"].clear()}


def placed_only(rows: Rows) -> Rows:
    """Rows of positions."""
    return {**rows, "status": rows["status"].clear()}


def whole_km(rows: Rows) -> Rows:
    """The odometer cut off to whole kilometres."""
    cut = (pl.col("odometer_m") // KM_M * KM_M).alias("odometer_m")
    return {**rows, "status": rows["status"].with_columns(cut)}


def polled(every: str) -> Blank:
    """The odometer as a poller has it that asks so often."""

    def blank(rows: Rows) -> Rows:
        told = asked(rows["status"], every).rename({"at": "time"})
        answers = told.with_columns(received_at="time", sequence=pl.lit(0), provider=pl.lit("segway"))
        made = pl.concat([rows["status"].clear(), answers], how="diagonal_relaxed")
        return {**rows, "status": made.with_columns(via=pl.lit("poll"), clock=pl.lit("server"))}

    return blank


def whole_km_alone(rows: Rows) -> Rows:
    """The odometer in whole kilometres, and nothing else."""
    return unplaced(alone("odometer_m"))(whole_km(rows))


KINDS = (
    Kind("lock + counters", dict, declared=True, bar=0.995),
    Kind("without lock", without("locked"), bar=0.97),
    Kind("without odometer", without("odometer_m"), declared=True),
    Kind("speed and lock", unplaced(without(*COUNTERS)), declared=True),
    Kind("speed alone", unplaced(without("locked", *COUNTERS)), bar=0.95),
    Kind("positions alone", placed_only, bar=0.975),
    Kind("percent + positions", alone("soc_pct")),
    Kind("odometer every 10 min", unplaced(polled("10m"))),
    Kind("odometer every 30 min", unplaced(polled("30m"))),
    Kind("whole km, with lock", whole_km, declared=True),
    Kind("whole km alone", whole_km_alone),
)


def steps(status: pl.LazyFrame, location: pl.LazyFrame, *, declared: bool = False) -> pl.DataFrame:
    """What lies between anchors of vehicles whose source says what their signals mean, or of which that is learnt."""
    told = observations(status, location)
    learnt = TRAITS.to_frame() if declared else learnt_traits(told)
    return segments(told, traits(told, learnt, DECLARED if declared else {}, {}))


def steps_by(kind: Kind, of: Case) -> pl.DataFrame:
    """What lies between anchors, by this kind of evidence."""
    rows = kind.blank(of.rows)
    return steps(rows["status"].lazy(), rows["location"].lazy(), declared=kind.declared)


def trips_by(kind: Kind, of: Case) -> pl.DataFrame:
    """Trips by this kind of evidence."""
    return trips(steps_by(kind, of))


def _blanked(status: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    return status.with_columns(pl.lit(None, status.schema[name]).alias(name) for name in columns)


def _telling(status: pl.DataFrame) -> pl.DataFrame:
    return status.filter(pl.any_horizontal(pl.col(STATUS).is_not_null()))
