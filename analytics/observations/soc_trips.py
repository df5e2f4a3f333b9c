"""Readings with the edges of trips between them, and what the percent was there where a charge hides it.

All way between two readings was made in the trips of the interval. Where the percent rose by what only a charge brings,
the charge was at rest: what the way took, the intervals beside it tell.
"""

from typing import Literal

import polars as pl

from analytics.frames import WHO, before, carried, marked

CHARGED_PCT = 2.0  # under way nothing else brings so much
PACE_M, MOST_PCT_M = 1000.0, 1 / 100  # a way that tells what ways take; full power takes no more
_EDGES: tuple[tuple[str, Literal["backward", "forward"], bool], ...] = (
    ("started_at", "backward", False),
    ("finished_at", "forward", True),
)


def ridden(readings: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Readings, and where rides began and ended between them: all way of that interval was made within the ride.

    Parameters
    ----------
    readings : DataFrame of `OBSERVATIONS`, by vehicle and time
    rides : DataFrame `provider` `vehicle` `started_at` `finished_at`

    Returns
    -------
    DataFrame of `OBSERVATIONS`, perhaps with `turn`, and rows that tell `at`, `locked` and `way_m` alone, so that a
    ride is not spread over all of a gap that hides it; and `soc_pct` in an interval in which the percent rose by more
    than 2 %: before the charge that of the reading before, less what the way took since, after it that of the reading
    after and what the way took until then, at the pace of the interval before or after, else of the other (1 km or
    more). `turn` is 1 there: no tick before it tells of what lies behind it.
    """
    ways = readings.drop_nulls("way_m").select(*WHO, pl.col("at").alias("read_at"), "way_m").sort("read_at")
    told = []
    for name, strategy, locked in _EDGES:
        moments = rides.select(*WHO, pl.col(name).alias("at"), *(pl.col(edge) for edge, *_ in _EDGES)).sort("at")
        edges = moments.unique([*WHO, "at"], keep="first", maintain_order=True).join_asof(
            ways, left_on="at", right_on="read_at", by=WHO, strategy=strategy, check_sortedness=False
        )  # fmt: skip
        told.append(edges.with_columns(pl.lit(locked).alias("locked")).drop("read_at"))
    new = pl.concat(told).drop_nulls("way_m").unique([*WHO, "at"], keep="first", maintain_order=True)
    new = _add_percents(new.join(readings.select(*WHO, "at"), on=[*WHO, "at"], how="anti").sort("at"), readings)
    return pl.concat([readings, new], how="diagonal").sort(*WHO, "at", maintain_order=True)


def _add_percents(edges: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Edges with `soc_pct` where a charge lies in their interval."""
    rises = _rises(readings)
    if not rises.height:
        return edges.drop(name for name, *_ in _EDGES)
    placed = edges.join_asof(
        rises.sort("since"), left_on="at", right_on="since", by=WHO, check_sortedness=False, allow_exact_matches=False
    )  # fmt: skip
    whole = (pl.col("started_at") >= pl.col("since")) & (pl.col("finished_at") <= pl.col("until"))
    after = pl.when(whole).then(~pl.col("arrives")).otherwise(~pl.col("locked"))
    way_m = pl.when(after).then(pl.col("next_m") - pl.col("way_m")).otherwise(pl.col("way_m") - pl.col("last_m"))
    took = way_m * pl.when(after).then("pace_after").otherwise("pace_before")
    pct = pl.when(after).then(pl.col("next_pct") + took).otherwise(pl.col("last_pct") - took).clip(0.0, 100.0)
    inside = (pl.col("at") < pl.col("until")).fill_null(False)
    told = placed.with_columns(pl.when(inside).then(pct).alias("soc_pct"), pl.when(inside).then(1).alias("turn"))
    return told.select(*WHO, "at", "locked", "way_m", "soc_pct", "turn")


def _rises(readings: pl.DataFrame) -> pl.DataFrame:
    """Intervals with a way and a charge; `arrives`, whether the vehicle charged at the end, and not at the begin."""
    names = (*WHO, "at", "soc_pct", "way_m", "charging")
    rows = marked(carried(readings.select(names), "way_m").drop_nulls("soc_pct"))
    step, way_m = pl.col("soc_pct") - before("soc_pct"), pl.col("way_m") - before("way_m")
    pace = pl.when((way_m >= PACE_M) & (step <= 0)).then((-step / way_m).clip(0.0, MOST_PCT_M))
    charges, charged = pl.col("charging").fill_null(False), before("charging").fill_null(False)
    known = rows.with_columns(
        before("at").alias("since"), step.alias("step_pct"), way_m.alias("d_m"), pace.alias("pace"),
        before("soc_pct").alias("last_pct"), before("way_m").alias("last_m"), (charges & ~charged).alias("arrives"),
    )  # fmt: skip
    earlier, later = before("pace"), pl.when(~pl.col("fresh").shift(-1)).then(pl.col("pace").shift(-1))
    paced = known.with_columns(
        pl.coalesce(earlier, later, pl.lit(0.0)).alias("pace_before"),
        pl.coalesce(later, earlier, pl.lit(0.0)).alias("pace_after"),
    )
    found = paced.filter((pl.col("step_pct") > CHARGED_PCT) & (pl.col("d_m") > 0))
    return found.select(
        *WHO, "since", "last_pct", "last_m", "arrives", "pace_before", "pace_after",
        until="at", next_pct="soc_pct", next_m="way_m",
    )  # fmt: skip
