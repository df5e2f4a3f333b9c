"""Figures of models, month by month: of what each model's vehicles told in the three months before it.

A month, because what a percent is worth changes over months. Months that are over, so that a month's trips are not
weighed anew by them as it goes on; a model that was not there in the first two of these is told by the month itself,
too, but for its last day.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time

import polars as pl

from analytics import digests
from analytics.battery_health import firmware, spreads
from analytics.battery_health.calibration import CHECKS, INSUFFICIENT, WEIGHED, check, checks
from analytics.battery_health.reliability import mtbf
from analytics.frames import DAY, WHO, month
from logger.stores.lake.data_files import files_by_day
from logger.stores.lake.lake import Lake
from logger.tables import TIME, shaped

MONTHS = 3
DAYS = "days"  # the check that tells which days a model's figures are of
TO_DATE, BEFORE = "to_date", "before"
_KEY = ("provider", "model", "time")
_SOURCES = ("evidence", "stretches", "episodes")
_EVIDENCE = ("provider", "vehicle", "time", "check")  # sums of floats have an order
_STRETCHES = ("provider", "vehicle", "time")


def months(told: pl.DataFrame, known: pl.DataFrame, touched: pl.DataFrame) -> set[datetime]:
    """The months by whose own days a model is told, of which some were made anew.

    Parameters
    ----------
    told : rows of `calibration` so far
    known : DataFrame with `provider` `vehicle` `model`
    touched : DataFrame with `vehicle` `since` `until` of days that were made anew
    """
    models = known.join(touched, on="vehicle").drop_nulls("model").group_by("provider", "model").agg(
        pl.col("since").min(), (pl.col("until").max() - pl.duration(milliseconds=1)).alias("last")
    )  # fmt: skip
    rows = told.filter((pl.col("check") == DAYS) & (pl.col("answer") == BEFORE))
    settled = set(rows.select("provider", "model", "time").rows())
    return {
        begin
        for provider, model, since, last in models.iter_rows()
        for begin in _between(month(since), month(last))
        if (provider, model, begin) not in settled
    }


def _between(first: datetime, last: datetime) -> Iterator[datetime]:
    while first <= last:
        yield first
        first = month(first, 1)


def sources(lake: Lake, known: pl.DataFrame) -> dict[datetime, str]:
    """What tells one state of the rows that figures of a month follow from another, for all months that have some."""
    files = {name: files_by_day(lake.files(name)) for name in _SOURCES}
    days = {(day, name): digests.mark(some) for name, told in files.items() for day, some in told.items()}
    sheets = digests.digest(*map(str, known.select(*WHO, "model", "capacity_wh").iter_rows()))
    found: dict[datetime, list[str]] = {}
    for (day, name), mark in sorted(days.items()):
        begin = month(datetime.combine(day, time(tzinfo=UTC)))
        found.setdefault(begin, [])
        for later in range(1, MONTHS + 1):
            found.setdefault(month(begin, later), []).append(f"{day} {name} {mark}")
    told = {month(datetime.combine(day, time(tzinfo=UTC))) for day in files["evidence"]}
    return {begin: digests.digest(sheets, *marks) for begin, marks in found.items() if begin in told}


def calibration(lake: Lake, known: pl.DataFrame, begin: datetime) -> pl.DataFrame:
    """Rows of `calibration` of the month that begins then.

    Parameters
    ----------
    lake : with the `evidence`, the `stretches` and the `episodes` of all vehicles
    known : DataFrame with `provider` `vehicle` `model` `capacity_wh`; a vehicle without a model tells nothing

    Returns
    -------
    DataFrame of `calibration` by its key: the checks of `calibration`, `spreads`, `firmware` and `reliability`, and
    `days`: how many days of vehicles they are of, of the months `before` or the month `to_date`.
    """
    models, span = known.drop_nulls("model"), (month(begin, -MONTHS), month(begin, 1))
    told, parts = (
        lake.scan(name, *span).join(models.lazy().select(WHO), on=WHO, how="semi").sort(key).collect()
        for name, key in (("evidence", _EVIDENCE), ("stretches", _STRETCHES))
    )
    faults = lake.scan("episodes", *span).filter(pl.col("kind") == "fault").collect()
    if told.is_empty():
        return shaped(CHECKS.to_frame(), "calibration")
    whose = _whose(told, models, begin)
    told, parts, faults = (_counted(rows, whose) for rows in (told, parts, faults))
    base = checks(told, whose)
    rows = [base, spreads.checks(told, parts, whose, base), firmware.checks(told, whose), mtbf(told, faults, whose)]
    made = pl.concat([_of_days(told, whose), *rows])
    return shaped(made.with_columns(time=pl.lit(begin), vehicle=pl.lit("none")), "calibration").sort(*_KEY, "check")


def _whose(told: pl.DataFrame, models: pl.DataFrame, begin: datetime) -> pl.DataFrame:
    """Vehicles of models that tell something, whether a model is `settled`, and `until`: days before that count.

    The last day of a model that is not settled does not count: it may not be whole.
    """
    days = told.join(models.select(*WHO, "model"), on=WHO).group_by("provider", "model").agg(
        (pl.col("time").min() < month(begin, -1)).alias("settled"), pl.col("time").max().alias("last")
    )  # fmt: skip
    until = pl.when("settled").then(pl.lit(begin)).otherwise("last").cast(TIME)
    ends = days.with_columns(until.alias("until")).drop("last")
    return models.join(ends, on=["provider", "model"], maintain_order="left")


def _counted(rows: pl.DataFrame, whose: pl.DataFrame) -> pl.DataFrame:
    """Rows of the days that count."""
    dated = rows.join(whose.select(*WHO, "until"), on=WHO, maintain_order="left")
    return dated.filter(pl.col("time") < pl.col("until")).drop("until")


def _of_days(told: pl.DataFrame, whose: pl.DataFrame) -> pl.DataFrame:
    days = told.select(*WHO, "time").unique().join(whose, on=WHO).group_by("provider", "model").len()
    models = whose.select("provider", "model", "settled").unique().join(days, on=["provider", "model"], how="left")
    rows = [
        {"provider": provider, **check(model, DAYS, BEFORE if settled else TO_DATE, None, None, n or 0)}
        for provider, model, settled, n in models.sort("provider", "model").iter_rows()
    ]
    return pl.DataFrame(rows, schema=CHECKS)


class Models:
    """The figures of models in a lake: `checks`, rows of `calibration`; `noted` tells which rows they follow so far."""

    def __init__(self, lake: Lake, known: pl.DataFrame, noted: Mapping[str, str]) -> None:
        self._lake, self._known = lake, known
        self.checks, self.noted = lake.scan("calibration").collect(), dict(noted)
        self._new: dict[datetime, pl.DataFrame] = {}

    def anew(self, touched: pl.DataFrame) -> None:
        """Make anew what follows from days that were: a DataFrame with `vehicle` `since` `until`."""
        now = {begin.isoformat(): state for begin, state in sources(self._lake, self._known).items()}
        told = {datetime.fromisoformat(at) for at in now.keys() | self.noted}
        moved = {at for at in told if now.get(at.isoformat()) != self.noted.get(at.isoformat())}
        for begin in sorted(moved | (told & months(self.checks, self._known, touched))):
            new, old = calibration(self._lake, self._known, begin), self.checks.filter(pl.col("time") == begin)
            if not new.equals(old.sort(*_KEY, "check")):
                self._new[begin] = new
                self.checks = pl.concat([self.checks.filter(pl.col("time") != begin), new])
        self.noted = now

    def commit(self) -> tuple[int, int]:
        """Put what was made anew into the lake; returns how many rows and commits that was."""
        for begin, new in self._new.items():
            self._lake.replace("calibration", new, None, begin, begin + DAY)
        return sum(new.height for new in self._new.values()), len(self._new)


FOLLOW: Mapping[str, tuple[str, ...]] = {"energies": WEIGHED, "packs": (*WEIGHED, *spreads.FIGURES)}


def marks(told: pl.DataFrame) -> dict[str, str]:
    """What tells one state of the figures that energies or packs follow from another: by model, month and which."""
    sure = told.filter(pl.col("answer") != INSUFFICIENT).sort(*_KEY, "check")
    found = {}
    for what, names in FOLLOW.items():
        used = sure.filter(pl.col("check").is_in(names))
        rows = used.select("check", "answer", "value", "low", "high")
        for provider, model, at, places in used.with_row_index("place").group_by(_KEY).agg("place").iter_rows():
            state = digests.digest(*(str(rows.row(place)) for place in places))
            found[json.dumps([what, provider, model, at.isoformat()])] = state
    return found


def weighed_anew(
    what: str, old: Mapping[str, str], new: Mapping[str, str], known: pl.DataFrame, first: datetime, last: datetime
) -> pl.DataFrame:
    """Vehicles whose energies or packs follow from figures that are other than before, and when, as `TOUCHED`.

    `what` is one of `FOLLOW`; `old` and `new` are `marks`; figures hold until those of the next month that has some. No
    span leaves `first` to `last`.
    """
    ours = {mark for mark in old.keys() | new.keys() if json.loads(mark)[0] == what}
    spans = []
    for mark in sorted(ours):
        if old.get(mark) != new.get(mark):
            *of, begin = json.loads(mark)
            later = [at for *other, at in map(json.loads, new) if other == of and at > begin]
            until = datetime.fromisoformat(min(later)) if later else last
            spans.append((*of[1:], max(datetime.fromisoformat(begin), first), min(until, last)))
    schema = {"provider": pl.String(), "model": pl.String(), "first_at": TIME, "last_at": TIME}
    changed = pl.DataFrame(spans, schema=schema, orient="row").filter(pl.col("first_at") < pl.col("last_at"))
    whose = known.join(changed, on=["provider", "model"])
    return whose.group_by("vehicle").agg(pl.col("first_at").min(), pl.col("last_at").max()).sort("vehicle")
