"""What packs hold, in the lake: rows of `worth`, made anew from the spell on that something is new of."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from analytics.battery_health.held import MEMORY_MONTHS, held
from analytics.battery_health.spells import spells
from analytics.frames import WHO, Read, month
from analytics.schemas import TOUCHED
from logger.stores.lake.delta import day_span
from logger.stores.lake.lake import Lake
from logger.tables import TIME, shaped, table

_VEHICLES = 100  # together, so that memory stays flat: each spell is beside all of a year before it
_MORE = 3  # months before those that count, for the packs that came back in them
_KEY = ("provider", "vehicle", "time")


class Packs:
    """The rows of `worth` of a lake, and those that take their place once what follows from them is made."""

    def __init__(self, lake: Lake, known: pl.DataFrame) -> None:
        self._lake, self._known = lake, known.select(*WHO, "model").drop_nulls("model")
        self._new = table("worth").schema.to_frame()  # of vehicles whose rows change, from their `since` on
        self._other = self._new.select("vehicle", "time", since="time")  # what differs

    def anew(self, touched: pl.DataFrame, models: pl.DataFrame, end: datetime) -> pl.DataFrame:
        """Make anew what packs of these vehicles hold; returns where that is other than before, both as `TOUCHED`.

        Parameters
        ----------
        touched : vehicles, and from when on their `stretches` or the figures of their model may be other than before
        models : DataFrame of `spreads.figures`
        end : when the log ends
        """
        parts = touched.sort("first_at", "vehicle").iter_slices(_VEHICLES)
        return pl.concat([TOUCHED.to_frame(), *(self._part(part, models, end) for part in parts)])

    def _part(self, touched: pl.DataFrame, models: pl.DataFrame, end: datetime) -> pl.DataFrame:
        vehicles, since = touched["vehicle"].to_list(), month(min(touched["first_at"]))
        rows = self._lake.scan("stretches", month(since, -MEMORY_MONTHS - _MORE), None, vehicles).collect()
        parts = spells(rows).join(self._known, on=WHO, maintain_order="left")
        new = shaped(held(parts, models, since), "worth")
        old = self._lake.scan("worth", since, None, vehicles).collect()
        pairs = ((new, old), (old, new))
        other = pl.concat([one.join(two, on=one.columns, how="anti", nulls_equal=True) for one, two in pairs])
        self._other = pl.concat([self._other, other.select("vehicle", "time", since=pl.lit(since).cast(TIME))])
        self._new = pl.concat([self._new, new.join(other, on="vehicle", how="semi")])
        times = pl.concat([new, old]).select("vehicle", "time").unique().sort("vehicle", "time")
        until = times.with_columns(pl.col("time").shift(-1).over("vehicle").fill_null(end).alias("until"))
        return until.join(other, on=["vehicle", "time"], how="semi").group_by("vehicle").agg(
            pl.col("time").min().alias("first_at"), pl.col("until").max().alias("last_at")
        ).cast(TOUCHED).sort("vehicle")  # fmt: skip

    def worth(self, vehicles: Sequence[str], read: Read) -> pl.DataFrame:
        """The rows of `worth` that count for these vehicles in what is read: those made anew before those there."""
        since = month(read.since)
        there = self._lake.scan("worth", since, read.until, vehicles).collect()
        gone = self._other.select("vehicle", "since").unique()
        kept = there.join(gone, on="vehicle", how="left").filter((pl.col("time") < pl.col("since")).fill_null(True))
        new = self._new.filter(pl.col("vehicle").is_in(vehicles) & (pl.col("time") >= since))
        return pl.concat([kept.drop("since"), new]).sort(_KEY)

    def commit(self) -> None:
        """Put what was made anew into the lake: last, so that a kill before leaves it to be made again."""
        if self._other.height:
            first, last = self._other.select(pl.col("time").min().alias("a"), pl.col("time").max().alias("b")).row(0)
            since, until = day_span(first.date())[0], day_span(last.date())[1]
            vehicles = self._other["vehicle"].unique().to_list()
            rows = self.worth(vehicles, Read(since, until, False, False)).filter(
                pl.col("time").is_between(since, until, closed="left")
            )
            self._lake.replace("worth", rows, vehicles, since, until)
