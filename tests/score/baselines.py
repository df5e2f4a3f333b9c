"""What others do, on the same data: rules that are in use elsewhere, and a library's.

Each takes rows of a scenario and gives `vehicle` `started_at` `finished_at` `distance_m`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from typing import Any

import polars as pl

_POLL, _STOOD = "10m", timedelta(minutes=10)
_GAP = timedelta(seconds=300)
TUNED = (timedelta(seconds=164), 114.0)  # published with Stop&Go (analytics facts, 1.6)
EXAMPLE = (timedelta(seconds=60), 7.0)  # of the library's documentation: it has no defaults
_LEAST_M = 30.0  # shorter ones are none, as in ours
HAS_LIBRARY = find_spec("movingpandas") is not None


def polled(status: pl.DataFrame) -> pl.DataFrame:
    """The odometer asked every ten minutes, cut where it stood for longer than ten.

    An answer is what the cloud heard last, taken as of the moment of asking, as pollers do.
    """
    rose = (pl.col("odometer_m") > pl.col("odometer_m").shift(1)).over("vehicle")
    return _cut(asked(status), rose, _STOOD)


def asked(status: pl.DataFrame, every: str = _POLL) -> pl.DataFrame:
    """The answers, `vehicle` `at` `odometer_m`, by vehicle and time, of polls so far apart."""
    heard = status.select("vehicle", pl.col("received_at").alias("at"), "odometer_m").drop_nulls().sort("vehicle", "at")
    moments = heard.group_by("vehicle", maintain_order=True).agg(
        pl.datetime_range(pl.col("at").min().dt.round(every), pl.col("at").max(), every).alias("at")
    )
    known = moments.explode("at").sort("at").join_asof(heard.sort("at"), on="at", by="vehicle", check_sortedness=False)
    return known.sort("vehicle", "at")


def gap_rule(readings: pl.DataFrame) -> pl.DataFrame:
    """Readings, already cleaned, in which the vehicle moves; another trip begins after 300 s without one."""
    rose = (pl.col("odometer_m") > pl.col("odometer_m").shift(1)).over("vehicle")
    return _cut(readings.sort("vehicle", "at"), rose | (pl.col("speed_kmh") > 0), _GAP)


def _cut(rows: pl.DataFrame, moves: pl.Expr, stood: timedelta) -> pl.DataFrame:
    """Runs of rows that move, apart by more than `stood`; each begins with the row before its first."""
    before = (pl.col(name).shift(1).over("vehicle").alias(f"last_{name}") for name in ("at", "odometer_m"))
    moving = rows.with_columns(*before).filter(moves.fill_null(False))
    new = ((pl.col("last_at") - pl.col("at").shift(1).over("vehicle")) > stood).fill_null(True)
    return (
        moving.with_columns(trip=new.cum_sum().over("vehicle"))
        .group_by("vehicle", "trip", maintain_order=True)
        .agg(
            pl.coalesce("last_at", "at").first().alias("started_at"),
            pl.col("at").last().alias("finished_at"),
            (pl.col("odometer_m").last() - pl.col("last_odometer_m").first()).alias("distance_m"),
        )
    )


def library(fixes: pl.DataFrame, stop: tuple[timedelta, float]) -> pl.DataFrame:
    """movingpandas' StopSplitter: a stop lasts so long within such a diameter [m]; what lies between two is a trip."""
    found = [trip for _, rows in fixes.group_by("vehicle", maintain_order=True) for trip in _split(rows, stop)]
    return pl.DataFrame(
        found, schema=["vehicle", "started_at", "finished_at", "distance_m"], orient="row"
    ).with_columns(pl.col("started_at", "finished_at").cast(pl.Datetime("ms", "UTC")))


def _split(fixes: pl.DataFrame, stop: tuple[timedelta, float]) -> Iterator[tuple[str, datetime, datetime, float]]:
    import movingpandas
    import pandas

    rows = fixes.unique("at", keep="first", maintain_order=True)
    table = pandas.DataFrame(
        {name: rows[name].to_list() for name in ("lat_deg", "lon_deg")},
        index=pandas.DatetimeIndex(rows["at"].dt.replace_time_zone(None).to_list(), name="t"),
    )
    track: Any = movingpandas.Trajectory(table, rows["vehicle"][0], x="lon_deg", y="lat_deg", crs=4326)
    split = movingpandas.StopSplitter(track).split(min_duration=stop[0], max_diameter=stop[1], min_length=_LEAST_M)
    for part in split.trajectories:
        begin, end = (moment.replace(tzinfo=UTC) for moment in (part.get_start_time(), part.get_end_time()))
        yield rows["vehicle"][0], begin, end, float(part.get_length())
