"""Rows that begin before what was read or end after it: put together with the rows that are there already."""

from datetime import datetime

import msgspec
import polars as pl

from analytics.frames import DAY, WHO, Read
from logger.stores.lake.lake import Lake
from logger.tables import TIME, table

_CODE = [*WHO, "code"]
_KEY = [*_CODE, "time"]
_BEGIN, _END = ("time", "started_at", "text", "odometer_m"), ("finished_at", "open")


class Seam(msgspec.Struct, frozen=True):
    """Episodes as they are there and as they shall be; `lost` are vehicles of which more must be read to know."""

    there: pl.DataFrame
    rows: pl.DataFrame
    lost: list[str]

    def changes(self, ready: pl.DataFrame) -> list[pl.DataFrame]:
        """Where episodes of these vehicles differ, as in `Made`.

        The last first: an end is put where it belongs before it goes.
        """
        old, new = (frame.join(ready, on="vehicle", how="semi") for frame in (self.there, self.rows))
        either = [
            one.join(other, on=one.columns, how="anti", nulls_equal=True) for one, other in ((old, new), (new, old))
        ]
        days = pl.concat(either).select("vehicle", day=pl.col("time").dt.truncate("1d")).unique().sort("day", "vehicle")
        apart = (pl.col("day") - pl.col("day").shift(1) > DAY).fill_null(False).cum_sum()
        spans = days.with_columns(span=apart).group_by("span", maintain_order=True)
        found = spans.agg(pl.col("day").min(), pl.col("day").max().alias("last"), pl.col("vehicle").unique().sort())
        parts = found.select(pl.col("vehicle"), since="day", until=pl.col("last") + DAY).reverse()
        return [part.explode("vehicle") for part in parts.iter_slices(1)]


def between(known: pl.DataFrame, ready: pl.DataFrame, read: Read) -> pl.DataFrame:
    """As `KNOWN_SPAN` of these vehicles: nulls where what is known does not hold the days from `since` to `until`.

    Parameters
    ----------
    known : DataFrame of `KNOWN_SPAN`; of a vehicle that is not there nothing was read, so that nothing is all there is
    ready : DataFrame with `vehicle`, `since` and `until` of the days to make anew
    read : what was read
    """
    told = ready.join(known.with_columns(told=True), on="vehicle", how="left", maintain_order="left")
    first, last = pl.min_horizontal("since", pl.lit(read.since)), pl.max_horizontal("until", pl.lit(read.until))
    begin = first if read.from_begin else pl.when("told").then("known_from").otherwise("since")
    end = last if read.to_end else pl.when("told").then("known_to").otherwise("until")
    both = told.with_columns(begin.cast(TIME).alias("known_from"), end.cast(TIME).alias("known_to"))
    holds = (pl.col("known_from") <= pl.col("since")) & (pl.col("known_to") >= pl.col("until"))
    return both.select("vehicle", *(pl.when(holds).then(name).alias(name) for name in ("known_from", "known_to")))


def seam(made: pl.DataFrame, there: pl.DataFrame, known: pl.DataFrame) -> Seam:
    """All episodes of some vehicles: made anew between two moments, kept elsewhere.

    Parameters
    ----------
    made : DataFrame of `SEEN`: what was read makes them between these moments
    there : DataFrame of `episodes`: all rows that there are of these vehicles and this analysis
    known : DataFrame of `KNOWN_SPAN`: the moments, one row per vehicle

    Returns
    -------
    `Seam`; a vehicle is `lost` where a moment is null, or where the start or the end of one of its episodes is neither
    in what was read nor in what is there.

    Notes
    -----
    Episodes of one vehicle and code do not overlap, so that one that goes on at either moment is the one that is there
    at that moment: what lies beyond it has not changed.
    """
    rows = made.join(known, on="vehicle", maintain_order="left")
    begun = _met(rows, there, "started_at", _BEGIN, "start")
    whole = _met(begun, there, "known_to", _END, "end")
    loose = whole.filter(~(pl.col("start_met") & pl.col("end_met")))["vehicle"]
    lost = pl.concat([known.filter(pl.col("known_to").is_null())["vehicle"], loose]).unique().sort()
    inside = pl.col("time").is_between("known_from", "known_to").fill_null(False)
    kept = there.join(known, on="vehicle").filter(~inside).join(whole, on=_KEY, how="anti")
    both = pl.concat([frame.select(there.columns) for frame in (whole, kept)])
    return Seam(there, both, lost.to_list())


def _met(rows: pl.DataFrame, there: pl.DataFrame, moment: str, names: tuple[str, ...], side: str) -> pl.DataFrame:
    """Rows with these columns of the row that is there at this moment, where their own `side` was not seen."""
    old = there.select(*_CODE, *(pl.col(name).alias(f"old_{name}") for name in {*names, "time", "finished_at", "open"}))
    found = rows.sort(moment).join_asof(
        old.sort("old_time"), left_on=moment, right_on="old_time", by=_CODE, check_sortedness=False, coalesce=False
    )
    holds = (pl.col("old_open") | (pl.col("old_finished_at") >= pl.col(moment))).fill_null(False)
    seen = pl.col(f"{side}_seen")
    taken = [pl.when(seen).then(name).otherwise(pl.when(holds).then(f"old_{name}")).alias(name) for name in names]
    met = found.with_columns(*taken, (seen | holds).alias(f"{side}_met"))
    return met.drop(pl.selectors.starts_with("old_"))


# ---- rows in place of others ---------------------------------------------------------------------------------------


def put(lake: Lake, into: str, own: pl.Expr, made: pl.DataFrame, days: pl.DataFrame) -> tuple[int, bool]:
    """Put rows in place of a table's own ones, in these days of each vehicle, in one commit.

    Parameters
    ----------
    own : which rows of the table are these analyses' own
    made : rows of the table, perhaps more than those of these days
    days : DataFrame with `vehicle`, `since` and `until`, one row per vehicle

    Returns
    -------
    How many rows are made in these days, and whether anything is other than before; else nothing is committed.
    """
    since, until = days.select(pl.col("since").min(), pl.col("until").max()).row(0)
    key, vehicles = table(into).key, days["vehicle"].to_list()
    old = lake.scan(into, since, until, vehicles).collect()
    rows = made.join(days, on="vehicle", maintain_order="left").filter(_inside()).select(made.columns)
    dated = old.join(days, on="vehicle", maintain_order="left").with_columns(mine=own & _inside())
    stays = dated.filter(~pl.col("mine")).select(old.columns)
    new = pl.concat([rows, stays]).sort(key)
    whose, changed = differing(new, old.sort(key))
    if changed:
        first, end = changed[0], changed[-1] + DAY
        part = pl.col("time").is_between(first, end, closed="left") & pl.col("vehicle").is_in(whose)
        lake.replace(into, new.filter(part), whose, first, end)
    return rows.height, bool(changed)


def _inside() -> pl.Expr:
    return (pl.col("time") >= pl.col("since")) & (pl.col("time") < pl.col("until"))


def differing(new: pl.DataFrame, old: pl.DataFrame) -> tuple[list[str], list[datetime]]:
    """The vehicles and the UTC days of rows that are in one of these and not in the other, in order."""
    if new.equals(old):
        return [], []
    other = pl.concat([unlike(new, old), unlike(old, new)])
    day = other["time"].dt.truncate("1d").unique().sort()
    return other["vehicle"].unique().sort().to_list(), day.to_list()


def unlike(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """The rows of one frame that are not in the other."""
    return one.join(other, on=one.columns, how="anti", nulls_equal=True)
