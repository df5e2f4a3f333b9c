"""Figures of models, month by month: of what each vehicle's whole days told in that month and the two before it.

A month, because what a percent is worth changes over months; whole days, so that a fleet's trips are weighed anew once
a day and not after every ride. A month's figures hold until the next month's.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, time

import polars as pl

from analytics import firmware, notes
from analytics.calibration import CHECKS, INSUFFICIENT, WEIGHED, checks
from analytics.reliability import mtbf
from analytics.steps import WHO
from logger.stores.files import by_day
from logger.stores.lake import Lake
from logger.tables import TIME, shaped

MONTHS = 3
_KEY = ("provider", "model", "time")
_EVIDENCE = ("provider", "vehicle", "time", "check")  # sums of floats have an order


def month(moment: datetime, later: int = 0) -> datetime:
    """The beginning of the month of this moment, or of one so many months later."""
    count = moment.year * 12 + moment.month - 1 + later
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)


def calibration(lake: Lake, known: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """Rows of `calibration` of the months from that of this moment on.

    Parameters
    ----------
    lake : with the `evidence` and the `episodes` of all vehicles
    known : DataFrame with `provider` `vehicle` `model` `capacity_wh`; a vehicle without a model tells nothing

    Returns
    -------
    DataFrame of `calibration` by its key: the checks of `calibration`, `firmware` and `reliability`; `time` is when the
    month begins.
    """
    days = _days(lake)
    models = known.drop_nulls("model")
    begins = sorted({month(day) for day in days if day >= month(since)})
    made = [_of_month(lake, models, begin, max(days)) for begin in begins]  # one at a time, so that memory stays flat
    return pl.concat([shaped(CHECKS.to_frame(), "calibration"), *made]).sort("provider", "time", "model", "check")


def _of_month(lake: Lake, models: pl.DataFrame, begin: datetime, last_day: datetime) -> pl.DataFrame:
    """The figures of this month, of days before the last, which is not whole yet."""
    span = (month(begin, 1 - MONTHS), month(begin, 1))
    told = lake.scan("evidence", *span).join(models.lazy().select(WHO), on=WHO, how="semi").sort(_EVIDENCE).collect()
    here = told.filter(pl.col("time") >= begin).select(WHO).unique()
    whose = models.join(models.join(here, on=WHO, how="semi"), on=["provider", "model"], how="semi")
    faults = lake.scan("episodes", *span).filter(pl.col("kind") == "fault").collect()
    days, failed = (rows.filter(pl.col("time") < last_day) for rows in (told, faults))
    rows = pl.concat([checks(days, whose), firmware.checks(days, whose), mtbf(days, failed, whose)])
    return shaped(rows.with_columns(time=pl.lit(begin), vehicle=pl.lit("none")), "calibration")


def _days(lake: Lake) -> list[datetime]:
    """When the days begin that have evidence."""
    told = by_day(lake.files("evidence")).items()
    return [datetime.combine(day, time(tzinfo=UTC)) for day, files in told if any(file.rows for file in files)]


def marks(told: pl.DataFrame) -> dict[str, str]:
    """What tells one state of the figures that energies follow from another: by provider, model and month."""
    used = told.filter(pl.col("check").is_in(WEIGHED) & (pl.col("answer") != INSUFFICIENT)).sort(*_KEY, "check")
    rows = used.select("check", "answer", "value", "low", "high")
    return {
        json.dumps([provider, model, at.isoformat()]): notes.digest(*(str(rows.row(place)) for place in places))
        for provider, model, at, places in used.with_row_index("place").group_by(_KEY).agg("place").iter_rows()
    }


def weighed_anew(
    old: Mapping[str, str], new: Mapping[str, str], known: pl.DataFrame, first: datetime, last: datetime
) -> pl.DataFrame:
    """Vehicles whose energies follow from figures that are other than before, and when, as `TOUCHED`.

    `old` and `new` are `marks`; figures hold until those of the next month that has some. No span leaves `first` to
    `last`.
    """
    spans = []
    for mark in sorted(old.keys() | new.keys()):
        if old.get(mark) != new.get(mark):
            provider, model, begin = json.loads(mark)
            later = [at for *of, at in map(json.loads, new) if of == [provider, model] and at > begin]
            until = datetime.fromisoformat(min(later)) if later else last
            spans.append((provider, model, max(datetime.fromisoformat(begin), first), min(until, last)))
    schema = {"provider": pl.String(), "model": pl.String(), "first_at": TIME, "last_at": TIME}
    changed = pl.DataFrame(spans, schema=schema, orient="row").filter(pl.col("first_at") < pl.col("last_at"))
    whose = known.join(changed, on=["provider", "model"])
    return whose.group_by("vehicle").agg(pl.col("first_at").min(), pl.col("last_at").max()).sort("vehicle")
