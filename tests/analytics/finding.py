"""What analyses make of rows of vehicles: their observations, and what lies between them."""

import polars as pl

from analytics.frames import WHO
from analytics.observations.clocks import clocks, corrected
from analytics.observations.observations import observations
from analytics.observations.positions import path
from analytics.schemas import OBSERVATIONS
from analytics.trips.segments import learnt_traits, segments, travelled
from analytics.trips.traits import TRAITS, traits
from analytics.trips.trips import trips
from logger.sources.contract import Traits
from logger.tables import table

USE = Traits(lock="use", swappable=True, cadence_s=900)


def observed(status: pl.LazyFrame, location: pl.LazyFrame | None = None, *, use: bool = True) -> pl.DataFrame:
    """Observations with their way so far; `use` as for `segments_of`."""
    places = table("location").schema.to_frame().lazy() if location is None else location
    rows = observations(status, places)
    return travelled(rows, segments_of(rows, use=use))


def segments_of(
    rows: pl.DataFrame, downtime: pl.DataFrame | None = None, idle: pl.DataFrame | None = None, *, use: bool = True
) -> pl.DataFrame:
    """What lies between anchors; a way made by hand is the odometer's.

    With `use`, unlocked means in use, as of shared mopeds; without, what signals mean is learnt from the rows.
    """
    counts = "way_m" if rows["placed"].null_count() == rows.height else "count_m"
    made = rows.with_columns(pl.col(counts).alias("count_m"), pl.col("reset", "placed").fill_null(False))
    declared = {name: USE for name in made["provider"].unique()} if use else {}
    learnt = TRAITS.to_frame() if use else learnt_traits(made)
    return segments(made, traits(made, learnt, declared, {}), downtime, idle)


def trips_of(rows: pl.DataFrame) -> pl.DataFrame:
    """Trips of vehicles of which nothing is said but by their rows."""
    return trips(segments_of(rows, use=False))


def placed_at(fixes: pl.DataFrame) -> pl.DataFrame:
    """Observations of vehicles that tell nothing but where they are; `fixes` are a DataFrame of `FIXES`."""
    heard = fixes.select("provider", "vehicle", "at", placed=pl.lit(True), reset=pl.lit(False), received_at="at")
    rows = heard.join(path(fixes), on=["provider", "vehicle", "at"], how="left", maintain_order="left")
    missing = [pl.lit(None, kind).alias(name) for name, kind in OBSERVATIONS.items() if name not in rows.columns]
    return rows.with_columns(missing).select(OBSERVATIONS.names()).cast(OBSERVATIONS)


def timed(rows: pl.LazyFrame, table: str = "status") -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of a table by vehicle and corrected time, and which were changed or set aside: `time` and `reason`."""
    raw = rows.collect()
    told = corrected(raw, table, clocks({table: raw}))
    why = told.drop_nulls("reason").select(*WHO, "time", "reason")
    return told.drop_nulls("at").sort(*WHO, "at"), why
