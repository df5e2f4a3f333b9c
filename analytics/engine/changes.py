"""Which vehicles' rows are new or other than before, since the last analysis."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from analytics.digests import mark
from analytics.schemas import TOUCHED
from logger.stores.lake.data_files import days_together, files_by_day
from logger.stores.lake.delta import Span, day_span
from logger.stores.lake.lake import Lake

_ROWS = 1_000_000  # that are looked at together


def news(
    lake: Lake, table: str, derived: Sequence[str], noted: Mapping[str, Any], *, same_log: bool
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """What happened to a raw table since `noted`, as `TOUCHED` (a vehicle perhaps more than once), and the new note.

    Rows of a higher sequence than noted are new, but for those that were replaced, which the table's versions tell.
    Where those are forgotten, or the spool is another one (`same_log` false), all rows of a changed day are new.
    `derived` are tables that may hold rows of vehicles of which nothing is left. Raises `Retry`.
    """
    files = files_by_day(lake.files(table))
    days = {day.isoformat(): mark(some) for day, some in files.items()}
    version, spans = lake.replaced_since(table, noted.get("version"))
    old = noted.get("days", {})
    seen = noted.get("sequence", -1) if same_log and spans is not None else -1
    changed = [day for day, state in days.items() if old.get(day) != state]
    parts = days_together([files[date.fromisoformat(day)] for day in changed], _ROWS)
    fresh = [_fresh(lake, table, {file.day for file in part}, seen) for part in parts]
    gone = [Span(None, *day_span(date.fromisoformat(day))) for day in old if day not in days]
    again = [frame for each in (*(spans or ()), *gone) for frame in _replaced(lake, (table, *derived), each)]
    told = [each.select(TOUCHED.names()) for each in fresh]
    last = max((value for each in fresh if isinstance(value := each["sequence"].max(), int)), default=seen)
    touched = pl.concat([pl.DataFrame(schema=TOUCHED), *told, *again])
    return touched, {"version": version, "sequence": max(last, seen), "days": days}


def _fresh(lake: Lake, table: str, days: Collection[date], seen: int) -> pl.DataFrame:
    """Vehicles with rows above this sequence. A row counts up to its receipt, which its moment may be corrected by."""
    rows = lake.unmerged_rows(table, days).filter(pl.col("sequence") > seen)
    live = pl.when(pl.col("via") != "import").then("received_at")
    return rows.group_by("vehicle").agg(
        pl.min_horizontal("time", live).min().alias("first_at"),
        pl.max_horizontal("time", live).max().alias("last_at"),
        pl.col("sequence").max(),
    ).collect()  # fmt: skip


def _replaced(lake: Lake, tables: Sequence[str], each: Span) -> Iterator[pl.DataFrame]:
    if each.vehicles is not None:
        yield _whole(pl.DataFrame({"vehicle": list(each.vehicles)}, schema={"vehicle": pl.String()}), each)
        return
    for table in tables:
        yield _whole(lake.scan(table, each.since, each.until).select("vehicle").unique().collect(), each)


def _whole(vehicles: pl.DataFrame, each: Span) -> pl.DataFrame:
    return vehicles.select("vehicle", first_at=pl.lit(each.since), last_at=pl.lit(each.until)).cast(TOUCHED)


def merged(touched: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """As `TOUCHED`, one row per vehicle, by vehicle."""
    rows = pl.concat([pl.DataFrame(schema=TOUCHED), *touched])
    return rows.group_by("vehicle").agg(pl.col("first_at").min(), pl.col("last_at").max()).sort("vehicle")
