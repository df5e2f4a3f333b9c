"""Dates that never were: rows years from all others of their vehicle, and few against them.

A receiver whose count of weeks began anew is 1,024 weeks back; a clock that lost its battery begins in 1970 or 2000.
"""

from collections.abc import Iterable, Mapping

import polars as pl

from analytics.frames import DAY, WHO, within
from logger.tables import TIME

APART_DAYS = 366  # rows farther from each other than this lie on two islands of a vehicle's log
FEW, FEW_ROWS = 10, 100  # an island is wrong if the largest has so many times its rows, and it no more than these;
FAR, FAR_DAYS = 2, 3653  # or if the largest has so many times its rows, and ten years lie around it
LITTLE_ROWS = 1000  # so few imported rows do not tell by themselves whether their date is right

# Rows of a vehicle by UTC day, counted since 1970.
DAYS = pl.Schema({"provider": pl.String(), "vehicle": pl.String(), "day": pl.Int32(), "rows": pl.Int64()})
# Dates that are wrong: those of a vehicle from `begin` up to, but without, `end`.
WRONG_DATES = pl.Schema({"provider": pl.String(), "vehicle": pl.String(), "begin": TIME, "end": TIME})
# Rows that were set aside, by table and by the right row that is nearest to them.
SET_ASIDE = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "near_at": TIME,
        "table": pl.String(),
        "rows": pl.Int64(),
        "first_at": TIME,
        "last_at": TIME,
        "imported": pl.Boolean(),
    }
)


def rows_by_day(tables: Iterable[pl.LazyFrame]) -> pl.DataFrame:
    """How many rows a vehicle has on each day, in all tables together, as `DAYS`."""
    rows = pl.concat([rows.select(*WHO, pl.col("time").dt.date().alias("day")) for rows in tables])
    return rows.group_by(*WHO, pl.col("day").to_physical()).agg(pl.len().alias("rows")).collect().cast(DAYS)


def years_apart(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """As `DAYS`, of rows by table; none where they all lie within a year, so that no date can be wrong."""
    times = pl.concat([rows.select("time") for rows in frames.values()])
    days = times.select((pl.col("time").max() - pl.col("time").min()).dt.total_days()).item()
    if days is None or days <= APART_DAYS:
        return DAYS.to_frame()
    return rows_by_day(rows.lazy() for rows in frames.values())


def wrong_dates(days: pl.DataFrame) -> pl.DataFrame:
    """Dates that lie years from a vehicle's other rows, and have few rows against them, as `WRONG_DATES`.

    Parameters
    ----------
    days : DataFrame of `DAYS`: all that is known of these vehicles, the more of the log the better

    Notes
    -----
    Rows more than a year from all others are an island. The largest is right. Another is wrong if it has no more than a
    hundred rows, and the largest ten times as many; where no other row lies within ten years, twice as many are
    enough: nobody keeps a log and then none for ten years, but a receiver that counts its weeks anew does. So a log
    with a pause of years and many rows on both sides is right.
    """
    rows = days.sort(*WHO, "day").with_columns(_leaps().cum_sum().alias("island"))
    islands = rows.group_by(*WHO, "island", maintain_order=True).agg(
        pl.col("day").first().alias("first"), pl.col("day").last().alias("last"), pl.col("rows").sum()
    )
    held = islands.with_columns(most=pl.col("rows").max().over(WHO))
    few = (pl.col("rows") * FEW <= pl.col("most")) & (pl.col("rows") <= FEW_ROWS)
    rest = held.filter(~few)
    alone = pl.min_horizontal(
        pl.col("first") - pl.col("last").shift(1).over(WHO), pl.col("first").shift(-1).over(WHO) - pl.col("last")
    )
    far = rest.filter((pl.col("rows") * FAR <= pl.col("most")) & (alone > FAR_DAYS))
    wrong = pl.concat([held.filter(few), far]).sort(*WHO, "first")
    return wrong.select(*WHO, _midnight("first").alias("begin"), _midnight("last", 1).alias("end"))


def _leaps() -> pl.Expr:
    """Whether a day is another vehicle's than the one before, or years after it."""
    other = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in WHO)
    return (other | (pl.col("day") - pl.col("day").shift(1) > APART_DAYS)).fill_null(True)


def _midnight(day: str, later: int = 0) -> pl.Expr:
    return (pl.col(day) + later).cast(pl.Date).cast(pl.Datetime("ms")).dt.replace_time_zone("UTC")


def unsure(frames: Mapping[str, pl.DataFrame]) -> list[str]:
    """Vehicles of which these rows, a part of the log, do not tell whether a date is wrong.

    That is where some are years from others, or where they are few and imported: of a message, voltrail checks the date
    when it comes.
    """
    rows = pl.concat([rows.select(*WHO, "time", pl.col("via") == "import") for rows in frames.values()])
    apart = pl.col("time").max() - pl.col("time").min() > DAY * APART_DAYS
    little = pl.col("via").any() & (pl.len() <= LITTLE_ROWS)
    if rows.select(~(apart | pl.col("via").any())).item():
        return []
    return rows.group_by(WHO).agg(doubt=apart | little).filter("doubt")["vehicle"].unique().sort().to_list()


def set_aside(frames: Mapping[str, pl.DataFrame], wrong: pl.DataFrame) -> pl.DataFrame:
    """What was set aside of these rows by table, as `SET_ASIDE` by vehicle, moment and table; `wrong` dates decide."""
    if wrong.is_empty():
        return SET_ASIDE.to_frame()
    every = pl.concat([rows.select(*WHO, "time", "via", pl.lit(name).alias("table")) for name, rows in frames.items()])
    rows = every.join(wrong, on=WHO, how="semi").sort("time")
    gone = within(rows, "time", wrong)
    right = rows.filter(~gone).select(*WHO, "time", near_at="time")
    near = rows.filter(gone).join_asof(right, on="time", by=WHO, strategy="nearest", check_sortedness=False)
    told = near.drop_nulls("near_at").group_by(*WHO, "near_at", "table").agg(
        pl.len().alias("rows"), pl.col("time").min().alias("first_at"), pl.col("time").max().alias("last_at"),
        (pl.col("via") == "import").all().alias("imported"),
    )  # fmt: skip
    return told.select(SET_ASIDE.names()).cast(SET_ASIDE).sort(*WHO, "near_at", "table")


def right_span(frames: Mapping[str, pl.DataFrame], wrong: pl.DataFrame) -> pl.DataFrame:
    """Between which rows of a vehicle, the first and the last of them, no row is unknown: `vehicle` `first` `last`."""
    rows = pl.concat([rows.select(*WHO, "time") for rows in frames.values()])
    right = rows.filter(~within(rows, "time", wrong)) if wrong.height else rows
    each = right.group_by(WHO).agg(pl.col("time").min().alias("first"), pl.col("time").max().alias("last"))
    return each.group_by("vehicle").agg(pl.col("first").max(), pl.col("last").min()).sort("vehicle")
