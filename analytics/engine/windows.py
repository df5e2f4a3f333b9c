"""How far a changed row reaches: from the last rest before it to the first after it nothing else can change."""

from datetime import datetime
from typing import Literal

import polars as pl

from analytics.frames import DAY, Read
from analytics.schemas import TOUCHED
from analytics.trips.segmentation import BOUNCE_S


def throughout(vehicles: pl.DataFrame, first: datetime, last: datetime) -> pl.DataFrame:
    """All of these vehicles between two moments, as `TOUCHED`."""
    return vehicles.select("vehicle", first_at=pl.lit(first), last_at=pl.lit(last)).cast(TOUCHED)


def reaching_back(touched: pl.DataFrame, there: pl.LazyFrame, since: datetime | None = None) -> pl.DataFrame:
    """`touched` from the start of the row of a derived table that may go on into it, if that is earlier.

    It is the last one that began before, or one that had not ended when that began: rows of two ports overlap.
    Where `there` holds no more than rows that began since `since`, or had not ended then, only vehicles of which one
    began since are in the result: of the others, more must be read.
    """
    begun = there.join(touched.lazy(), on="vehicle").filter(pl.col("time") < pl.col("first_at"))
    last = pl.col("time").max()
    beside = (pl.col("finished_at") > last).fill_null(True) | (pl.col("time") == last)
    rows = begun.group_by("vehicle").agg(pl.col("time").filter(beside).min(), last.alias("begun_at")).collect()
    joined = touched.join(rows, on="vehicle", how="left").sort("vehicle")
    enough = pl.lit(True) if since is None else pl.col("begun_at") >= since
    return joined.filter(enough).select("vehicle", pl.min_horizontal("first_at", "time").alias("first_at"), "last_at")


def windows(steps: pl.DataFrame, touched: pl.DataFrame, read: Read) -> pl.DataFrame:
    """Whole UTC days in which derived rows may have changed.

    Parameters
    ----------
    steps : DataFrame of `intervals`, of what was read
    touched : DataFrame of `TOUCHED`, one row per vehicle
    read : what was read

    Returns
    -------
    DataFrame with `vehicle`, `since` (included) and `until` (not included), one row per touched vehicle; either is null
    where more must be read to know it.

    Notes
    -----
    Between two locked readings apart by more than a bounce, nothing ridden, every ride has ended and none has begun.
    Such a rest more than a day before the first touched row begins the days, one more than a day after the last ends
    them; and another, a day before and after these days, must be there, so that what is made of them is what is made of
    everything. A day, because a local day that a touched row lies in may begin so early. The percent must have changed
    between these rests and the days, and the touched rows, too: the charge of a ride is known by its nearest changes. A
    vehicle without readings has no rests.
    """
    rests = (
        steps.lazy()
        .filter((pl.col("role") == "park") & (pl.col("dt_s") >= BOUNCE_S))
        .select("provider", "vehicle", "soc_pct", rest="since", rested="at")
        .collect()
    )
    whose = steps.select("provider", "vehicle").unique()
    asked = whose.join(rests, on=["provider", "vehicle"], how="left").join(touched, on="vehicle").sort("rested")
    early, late = pl.col("first_at").dt.truncate("1d") - DAY, pl.col("last_at").dt.truncate("1d") + 2 * DAY
    who = ["provider", "vehicle"]
    days = asked.group_by(who, maintain_order=True).agg(
        _other("rested", pl.col("rested") < early, "last").max().dt.truncate("1d").alias("since"),
        (_other("rested", pl.col("rest") >= late, "first").min().dt.truncate("1d") + DAY).alias("until"),
    )
    edges = asked.join(days, on=who, maintain_order="left").group_by(who, maintain_order=True).agg(
        pl.col("since", "until").first(),
        _other("rested", pl.col("rested") <= pl.col("since"), "last").min().alias("first_rest_at"),
        _other("rest", pl.col("rest") >= pl.col("until"), "first").max().alias("last_rest_at"),
    )  # fmt: skip
    known = edges.select("vehicle", _since(read), _until(read)).group_by("vehicle").agg(
        pl.when(pl.col("since").is_not_null().all()).then(pl.col("since").min()),
        pl.when(pl.col("until").is_not_null().all()).then(pl.col("until").max()),
    )  # fmt: skip
    return pl.concat([known, _without_readings(touched, known)])


def ended(spans: pl.DataFrame, made: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Those of `spans` whose rows have all ended in what was read.

    Parameters
    ----------
    spans : DataFrame with `vehicle`, `since` and `until`
    made : DataFrame of a derived table with `finished_at`
    readings : DataFrame of `OBSERVATIONS`, of what was read

    Notes
    -----
    A row that ends with the last reading, or with the last that tells a percent, may go on behind it.
    """
    told = pl.col("at").filter(pl.col("soc_pct").is_not_null()).max()
    last = readings.group_by("vehicle").agg(pl.min_horizontal(pl.col("at").max(), told).alias("heard_at"))
    rows = made.select("vehicle", "time", "finished_at").join(spans, on="vehicle").join(last, on="vehicle")
    inside = (pl.col("time") >= pl.col("since")) & (pl.col("time") < pl.col("until"))
    goes_on = pl.col("finished_at").is_null() | (pl.col("finished_at") >= pl.col("heard_at"))
    return spans.join(rows.filter(inside & goes_on), on="vehicle", how="anti", maintain_order="left")


def _other(name: str, where: pl.Expr, nearest: Literal["first", "last"]) -> pl.Expr:
    """This column of the rests there at which the percent is another than at the nearest of them, or is not known."""
    there = pl.col("soc_pct").filter(where)
    percent = there.first() if nearest == "first" else there.last()
    return pl.col(name).filter(where & (pl.col("soc_pct") != percent).fill_null(True))


def _since(read: Read) -> pl.Expr:
    if read.from_begin:
        return pl.col("since").fill_null(read.since).clip(read.since).alias("since")
    return pl.when(pl.col("first_rest_at") <= pl.col("since") - DAY).then("since").alias("since")


def _until(read: Read) -> pl.Expr:
    if read.to_end:
        return pl.col("until").fill_null(read.until).clip(None, read.until).alias("until")
    enough = (pl.col("last_rest_at") >= pl.col("until")) & (pl.col("until") + 2 * DAY <= read.until)
    return pl.when(enough).then("until").alias("until")


def _without_readings(touched: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    others = touched.join(known, on="vehicle", how="anti")
    since, until = pl.col("first_at").dt.truncate("1d") - 2 * DAY, pl.col("last_at").dt.truncate("1d") + 2 * DAY
    return others.select("vehicle", since.alias("since"), until.alias("until"))
