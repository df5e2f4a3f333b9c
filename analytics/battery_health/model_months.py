"""Figures of models, month by month: of what each model's vehicles told in the three months before it.

A month, because what a percent is worth changes over months. Months that are over, so that a month's trips are not
weighed anew by them as it goes on; a model that was not there in the first two of these is told by the month itself,
too, but for its last day.
"""

from datetime import datetime
from typing import TypeVar

import polars as pl

from analytics.battery_health.calibration import CHECKS, check, checks
from analytics.battery_health.pooling import MODEL
from analytics.battery_health.reliability import mtbf
from analytics.battery_health.stints import middles
from analytics.frames import WHO, month
from logger.tables import TIME, shaped

Rows = TypeVar("Rows", pl.DataFrame, pl.LazyFrame)
MONTHS = 3
DAYS = "days"  # the check that tells which days a model's figures are of
TO_DATE, BEFORE = "to_date", "before"
_CYCLES = ("cycles", "first_cycles", "last_cycles")
_SEPARATOR = "\x1f"  # between a provider's name and a month; no name has it


def in_month(rows: Rows, begin: datetime) -> Rows:
    """Rows that count for the month that begins then: their `provider` names it, too.

    So figures of many months are made in one pass, in which a model of each month is one of its own.
    """
    return rows.with_columns(pl.format(f"{{}}{_SEPARATOR}{begin:%Y-%m}", "provider").alias("provider"))


def counted(trips: pl.DataFrame, known: pl.DataFrame, begin: datetime) -> pl.DataFrame:
    """Vehicles whose models have figures of the month that begins then.

    Parameters
    ----------
    trips : rows of `trips` of the three months before and of this month
    known : DataFrame with `provider` `vehicle` `model` `sheet_wh`; a vehicle without a model tells nothing

    Returns
    -------
    `known` of these models, with `settled` (whether only the months before count) and `until`, before which days count:
    the last day of a model that is not settled may not be whole.
    """
    models = known.drop_nulls("model")
    days = trips.join(models, on=WHO).group_by(MODEL).agg(
        (pl.col("started_at").min() < month(begin, -1)).alias("settled"),
        pl.col("started_at").max().dt.truncate("1d").alias("last"),
    )  # fmt: skip
    until = pl.when("settled").then(pl.lit(begin)).otherwise("last").cast(TIME)
    return models.join(days.with_columns(until.alias("until")).drop("last"), on=MODEL, maintain_order="left")


def calibration(
    trips: pl.DataFrame,
    stint_months: pl.DataFrame,
    faults: pl.DataFrame,
    whose: pl.DataFrame,
    firmware: pl.DataFrame,
) -> pl.DataFrame:
    """Rows of `calibration` of some months; all frames are `in_month`.

    Parameters
    ----------
    trips, stint_months, faults : rows of `trips`, of `battery_health` (method `km_per_pct`) and of `episodes` (kind
        `fault`), of the three months before each and of that month
    whose : the frame of `counted`
    firmware : DataFrame of `CHECKS` of `firmware.checks`

    Returns
    -------
    DataFrame of `calibration` by its key: the checks of `calibration`, `firmware` and `reliability`, and `days`: how
    many days of vehicles with trips they are of, of the months `before` or the month `to_date`.
    """
    told, seen = (_before(rows, whose, "started_at") for rows in (trips, faults))
    rows = [checks(_place_in_stints(told, stint_months)), firmware, mtbf(told, seen, whose), _of_days(told, whose)]
    made = pl.concat([each.select(CHECKS.names()) for each in rows])
    words = pl.col("provider").str.split_exact(_SEPARATOR, 1).struct
    month_begin = words.field("field_1").str.to_datetime("%Y-%m", time_unit="us", time_zone="UTC")
    named = made.with_columns(
        words.field("field_0").alias("provider"), month_begin.alias("time"), vehicle=pl.lit("none")
    )
    return shaped(named, "calibration").sort("provider", "model", "time", "check")


def _before(rows: pl.DataFrame, whose: pl.DataFrame, moment: str) -> pl.DataFrame:
    """Rows of the days that count, with what is known of their vehicle."""
    dated = rows.join(whose, on=WHO, maintain_order="left")
    return dated.filter(pl.col(moment) < pl.col("until"))


def _place_in_stints(trips: pl.DataFrame, stint_months: pl.DataFrame) -> pl.DataFrame:
    """Trips as `calibration.checks` takes them."""
    parts = stint_months.select(*WHO, pl.col("time").alias("since"), "stint_id", *_CYCLES).sort("since")
    found = middles(trips).sort("at").join_asof(
        parts, left_on="at", right_on="since", by=WHO, check_sortedness=False
    ).sort(*WHO, "started_at")  # fmt: skip
    return found.select(
        *WHO, "model", "sheet_wh", "since", "stint_id", *_CYCLES, "pct", "level_pct", "polled_wh",
        pl.col("started_at").dt.date().alias("day"), (pl.col("distance_m") / 1000).alias("km"),
    )  # fmt: skip


def _of_days(trips: pl.DataFrame, whose: pl.DataFrame) -> pl.DataFrame:
    days = trips.select(*MODEL, "vehicle", pl.col("started_at").dt.date()).unique().group_by(MODEL).len()
    models = whose.select(*MODEL, "settled").unique().join(days, on=MODEL, how="left")
    rows = [
        {"provider": provider, **check(model, DAYS, BEFORE if settled else TO_DATE, None, None, n or 0)}
        for provider, model, settled, n in models.sort(MODEL).iter_rows()
    ]
    return pl.DataFrame(rows, schema=CHECKS)
