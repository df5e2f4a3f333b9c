"""Rows in the order of vehicles and time, and what the row before said, where it is the same vehicle's.

A shift and a mask do in one pass what a window by vehicle does in three, and a sort by one number takes a seventh of a
sort by names (measured: 0.4 s against 2.8 s for two million rows).
"""

import polars as pl

WHO = ("provider", "vehicle")
_SHIFT, _PAST = 1 << 43, 1 << 42  # milliseconds of 278 years, half of them before 1970


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """These rows with `who`: the number of the vehicle among them, in the order of vehicles."""
    names = rows.select(WHO).unique().sort(WHO).with_row_index("who").with_columns(pl.col("who").cast(pl.Int64))
    if names["vehicle"].n_unique() == names.height:  # one name finds its number in a seventh of the time of two
        return rows.join(names.drop("provider"), on="vehicle", how="left", maintain_order="left")
    return rows.join(names, on=WHO, how="left", maintain_order="left")


def ordered(rows: pl.DataFrame, time: str, *ties: str) -> pl.DataFrame:
    """These rows by vehicle and time; rows of one moment by these columns, nulls first. Adds `fresh`, see `marked`.

    Rows that are `numbered` already lose their number.
    """
    known = rows if "who" in rows.columns else numbered(rows)
    key = pl.col("who") * _SHIFT + pl.col(time).dt.epoch("ms") + _PAST
    by_key = known.with_columns(key.alias("key")).sort("key")
    if by_key.select((pl.col("key") == pl.col("key").shift(1)).any()).item():
        by_key = by_key.sort("key", *ties)
    return marked(by_key.drop("who", "key"))


def marked(rows: pl.DataFrame) -> pl.DataFrame:
    """These rows with `fresh`: true in the first row of each vehicle. They must be in the order of vehicles."""
    other = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in WHO)
    return rows.with_columns(other.fill_null(True).alias("fresh"))


def before(name: str) -> pl.Expr:
    """What the row before says, null in a vehicle's first."""
    return pl.when(~pl.col("fresh")).then(pl.col(name).shift(1))


def carried(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """These columns with the last value that each vehicle told; null before its first."""
    gaps = [name for name in names if rows[name].null_count()]
    return rows.with_columns(pl.col(name).forward_fill().over(WHO) for name in gaps) if gaps else rows


def as_of(rows: pl.DataFrame, moment: str, facts: pl.DataFrame) -> pl.DataFrame:
    """These rows, in their order, with what holds of their vehicle at this moment.

    That is the last of `facts` whose `since` is not after it; facts without `since` hold always. Null where none is.
    """
    if "since" not in facts.columns:
        return rows.join(facts, on=WHO, how="left", maintain_order="left")
    told = facts.rename({"since": "fact_since"}).cast({"fact_since": rows.schema[moment]}).sort("fact_since")
    numbered = rows.with_row_index("as_of_row").sort(moment)
    found = numbered.join_asof(told, left_on=moment, right_on="fact_since", by=WHO, check_sortedness=False)
    return found.sort("as_of_row").drop("as_of_row", "fact_since")
