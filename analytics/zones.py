"""Local days of vehicles: each has a zone of its own."""

import polars as pl

from analytics.steps import WHO

_MS = pl.Datetime("ms", "UTC")


def zoned(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """These rows with `timezone`: by `known` (`provider` `vehicle` `timezone`), UTC where that says nothing."""
    zones = known.select(*WHO, "timezone").unique(WHO, keep="last", maintain_order=True)
    return rows.join(zones, on=WHO, how="left", maintain_order="left").with_columns(pl.col("timezone").fill_null("UTC"))


def localised(rows: pl.DataFrame, time: str) -> pl.DataFrame:
    """Rows of `zoned` with `local`, what the clock on the wall says at the moment of this column."""
    parts = [
        part.with_columns(pl.col(time).dt.convert_time_zone(str(zone)).dt.replace_time_zone(None).alias("local"))
        for (zone,), part in rows.group_by("timezone", maintain_order=True)
    ]
    return pl.concat(parts) if parts else rows.with_columns(pl.lit(None, pl.Datetime("ms")).alias("local"))


def with_day(rows: pl.DataFrame, known: pl.DataFrame, time: str) -> pl.DataFrame:
    """These rows with `timezone` and `day`, the local date (YYYY-MM-DD) of this column."""
    parts = [
        part.with_columns(pl.col(time).dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d").alias("day"))
        for (zone,), part in zoned(rows, known).group_by("timezone", maintain_order=True)
    ]
    return pl.concat(parts) if parts else zoned(rows, known).with_columns(pl.lit("").alias("day"))


def with_midnight(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows of `with_day` with this column: when their day begins, in UTC.

    Where clocks leap over midnight, the day begins with the first moment that there is; where midnight comes twice,
    with the first.
    """
    parts = [
        part.with_columns(_begins(zone).alias(name)) for (zone,), part in rows.group_by("timezone", maintain_order=True)
    ]
    return pl.concat(parts) if parts else rows.with_columns(pl.lit(None, dtype=_MS).alias(name))


def _begins(zone: object) -> pl.Expr:
    wall = pl.col("day").str.to_datetime("%Y-%m-%d", time_unit="ms")
    hours = [
        (wall + pl.duration(hours=late)).dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
        for late in (0, 1, 2)
    ]
    return pl.coalesce(hours).dt.convert_time_zone("UTC").cast(_MS)
