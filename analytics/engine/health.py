"""Stints, battery health and figures of models, in the lake: made anew from where trips, charges or faults changed.

All of it follows from stored rows alone. What changed since the last analysis that came to its end, the store tells by
its versions; so a run that is killed leaves nothing stale: the next takes up what it had changed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import polars as pl

from analytics.battery_health.calibration import INSUFFICIENT
from analytics.battery_health.figures import WEIGHED, figures
from analytics.battery_health.jumps import JUMP, jumps
from analytics.battery_health.model_months import MONTHS
from analytics.battery_health.pairs import METHODS
from analytics.battery_health.pooling import MEMORY_MONTHS, MODEL, POOLED, parts
from analytics.battery_health.stint_months import stint_months, stint_pairs
from analytics.battery_health.stints import bounds, stints
from analytics.battery_health.trends import history
from analytics.battery_health.verdicts import verdicts
from analytics.engine.changes import merged
from analytics.engine.model_figures import TRIPS, ModelFigures
from analytics.engine.plan import Plan
from analytics.engine.splice import put, unlike
from analytics.frames import DAY, WHO, month
from analytics.schemas import TOUCHED
from logger.stores.contract import Store
from logger.stores.lake.delta import Span
from logger.stores.lake.lake import Lake
from logger.tables import TIME

TABLES = ("stints", "battery_health", "calibration")
_WATCHED = ("battery_health", "calibration", "episodes")
_VEHICLES = 100  # together, so that memory stays flat
_VERDICT = pl.col("method") == "verdict"
_POOLED = pl.col("method").is_in(POOLED)
_CHECK = ("check", "answer", "value", "low", "high")
_CHARGES = (
    *WHO, "kind", "port", "started_at", "finished_at", "soc_start_pct", "soc_finish_pct", "soc_added_pct", "energy_wh",
    "energy_low_wh", "energy_high_wh", "energy_source", "added_ah", "read_wh", "read_pct",
)  # fmt: skip
_MOVED = pl.Schema({"provider": pl.String(), "model": pl.String(), "time": TIME})


class Health:
    """The rows of `stints`, `battery_health` and `calibration`; `noted` are the versions that the last run has used."""

    def __init__(self, lake: Lake, store: Store, plan: Plan, known: pl.DataFrame, noted: Mapping[str, Any]) -> None:
        self._lake, self._store, self._plan, self._noted = lake, store, plan, noted
        self._known = known.select(*WHO, "model", sheet_wh="capacity_wh")
        self._left = (
            self._replaced_spans("battery_health"),
            self._replaced_spans("calibration"),
        )  # by runs that did not end
        self._models = ModelFigures(lake, store, self._known)
        self.counts = {name: [0, 0, 0] for name in TABLES} | {"calibration": self._models.counts}

    @property
    def checks(self) -> pl.DataFrame:
        """The rows of `calibration`."""
        return self._models.checks

    def versions(self) -> dict[str, int]:
        """What is to be noted once all that follows from these tables is made."""
        return {name: self._lake.replaced_since(name, None)[0] for name in _WATCHED}

    def verdicts(self, vehicles: Sequence[str], since: datetime, until: datetime) -> pl.DataFrame:
        """The verdicts that count for these vehicles between two moments."""
        return self._lake.scan("battery_health", month(since), until, vehicles).filter(_VERDICT).collect()

    def make(self, days: pl.DataFrame, *, renamed: bool) -> pl.DataFrame:
        """Make all of it anew; returns vehicles whose energies follow other figures now, and when, as `TOUCHED`.

        Parameters
        ----------
        days : DataFrame `vehicle` `since` `until` of days of which trips and charges were made anew
        renamed : whether a vehicle may be of another model than before, or a model of another data sheet
        """
        touched = merged([days.select("vehicle", first_at="since", last_at="until").cast(TOUCHED)])
        for part in touched.sort("first_at", "vehicle").iter_slices(_VEHICLES):
            self._make_stints(part)
        before = self.checks
        self._models.make(self._months(renamed=renamed))
        other = _other_figures(before, self.checks)
        weighed = other.filter(pl.col("check").is_in(WEIGHED)).select(_MOVED.names()).unique()
        found = [self._of_models(weighed), *self._unfinished(), *self._judge(touched, other)]
        return merged(found)

    # ---- stints ------------------------------------------------------------------------------------------------------

    def _make_stints(self, touched: pl.DataFrame) -> None:
        """Of some vehicles, from the earliest stint on that is touched; where none is known, from their beginning."""
        whose, there = self._beginnings(touched)
        vehicles, since = whose["vehicle"].to_list(), min(whose["first_at"])
        trips = self._lake.scan("trips", since, None, vehicles).select(TRIPS).collect()
        charges = self._lake.scan_overlapping("charges", since, self._plan.end, vehicles).select(_CHARGES).collect()
        polls = self._store.scan("pack", since, None, vehicles)
        full = pl.any_horizontal(pl.col("pack_cycles", "pack_soc_pct").is_not_null())
        packs = polls.filter(full).select(*WHO, "port", "pack_cycles", "pack_soc_pct", at="time").collect()
        swaps, begun = charges.filter(pl.col("kind") == "swap"), _begun(whose, trips, charges, packs)
        leaps = jumps(stint_pairs(bounds(swaps, packs, begun), charges, trips))
        found = _sure(bounds(swaps, packs, begun, leaps), whose, there)
        span = whose.select("vehicle", since="first_at", until=pl.lit(self._plan.end).cast(TIME))
        self._put("stints", stints(found, trips, charges, packs), span, pl.lit(True))
        self._put("battery_health", stint_months(found, trips, charges, packs), span, _POOLED)

    def _beginnings(self, touched: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """From when on stints are made: `vehicle` `first_at` `whole`; and the stints that are there and began then.

        One that began with a jump may begin elsewhere, now that more is known: its vehicle is read as a whole.
        """
        back = self._plan.reaching_back(touched, ["stints"]).join(touched, on="vehicle", suffix="_touched")
        first, last, vehicles = min(back["first_at"]), max(back["first_at"]), back["vehicle"].to_list()
        columns = (*WHO, pl.col("port").fill_null(""), "started_at", "start_reason")
        there = self._lake.scan("stints", first, last + DAY, vehicles).select(columns).collect()
        jumped = there.filter(start_reason=JUMP).select("vehicle", first_at="started_at", jumped=True).unique()
        known = back.join(jumped, on=["vehicle", "first_at"], how="left", maintain_order="left")
        whole = (pl.col("first_at") == pl.col("first_at_touched")) | pl.col("jumped").fill_null(False)
        begin = pl.when(whole).then(pl.lit(self._plan.begin).cast(TIME)).otherwise("first_at")
        return known.select("vehicle", begin.alias("first_at"), whole.alias("whole")), there

    def _put(self, table: str, rows: pl.DataFrame, days: pl.DataFrame, own: pl.Expr) -> None:
        made, differs = put(self._lake, table, own, rows, days)
        for place, count in enumerate((days.height, made, int(differs))):
            self.counts[table][place] += count

    # ---- figures of models -------------------------------------------------------------------------------------------

    def _months(self, *, renamed: bool) -> list[datetime]:
        """The months of which there are trips, or were, whose figures may be others."""
        there = {month(datetime(day.year, day.month, 1, tzinfo=UTC)) for day in self._lake.days(["trips"])}
        every = sorted(there | set(self.checks["time"].unique()))
        spans = [self._replaced_spans(name) for name in ("battery_health", "episodes")]
        if renamed or None in spans:
            return every
        changed = {begin for some in spans for span in some or () for begin in _months_of(span, self._plan)}
        return [begin for begin in every if changed & {month(begin, -ago) for ago in range(MONTHS + 1)}]

    def _of_models(self, moved: pl.DataFrame) -> pl.DataFrame:
        """Vehicles of these models, from these months to the next that has figures, as `TOUCHED`."""
        begins = self.checks.select(_MOVED.names()).unique().sort("time")
        later = begins.with_columns(pl.col("time").shift(-1).over(MODEL).alias("until"))
        spans = moved.join(later, on=[*MODEL, "time"], how="left").join(self._known, on=MODEL)
        last = pl.col("until").fill_null(pl.lit(self._plan.end).cast(TIME))
        rows = spans.select("vehicle", first_at="time", last_at=last)
        inside = rows.with_columns(
            pl.col("first_at").clip(self._plan.begin), pl.col("last_at").clip(None, self._plan.end)
        )
        return inside.filter(pl.col("first_at") < pl.col("last_at")).cast(TOUCHED)

    # ---- verdicts ----------------------------------------------------------------------------------------------------

    def _judge(self, touched: pl.DataFrame, other: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Make verdicts anew; yields where they are other than before, as `TOUCHED`."""
        models = other.select(_MOVED.names()).unique().join(self._known, on=MODEL).select("vehicle", first_at="time")
        left = [_touched(span, self._known) for span in self._replaced_spans("battery_health") or ()]
        whose = pl.concat([touched, *left]).select("vehicle", pl.col("first_at").dt.truncate("1mo"))
        rows = pl.concat([whose, models.cast(whose.schema)]).group_by("vehicle").agg(pl.col("first_at").min())
        made = figures(self.checks)
        for part in rows.sort("first_at", "vehicle").iter_slices(_VEHICLES):
            yield self._judge_some(part, made)

    def _judge_some(self, whose: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
        vehicles, since = whose["vehicle"].to_list(), month(min(whose["first_at"]))
        begin = month(since, -MEMORY_MONTHS)
        methods = pl.col("method").is_in([*POOLED, "reported", "verdict"])
        rows = self._lake.scan("battery_health", begin, None, vehicles).filter(methods).collect()
        known = parts(rows).join(self._known, on=WHO, maintain_order="left")
        new = verdicts(known, self._pairs(vehicles, begin), self._history(vehicles), models, since)
        old = rows.filter(_VERDICT & (pl.col("time") >= since))
        span = {"since": pl.lit(since).cast(TIME), "until": pl.lit(self._plan.end).cast(TIME)}
        self._put("battery_health", new, whose.select("vehicle", **span), _VERDICT)
        moments = pl.concat([new, old]).select("vehicle", "time").unique().sort("vehicle", "time")
        end = pl.lit(self._plan.end).cast(TIME)
        until = moments.with_columns(pl.col("time").shift(-1).over("vehicle").fill_null(end).alias("until"))
        apart = pl.concat([unlike(new, old), unlike(old, new)]).select("vehicle", "time")
        return until.join(apart, on=["vehicle", "time"], how="semi").group_by("vehicle").agg(
            pl.col("time").min().alias("first_at"), pl.col("until").max().alias("last_at")
        ).cast(TOUCHED)  # fmt: skip

    def _pairs(self, vehicles: list[str], since: datetime) -> pl.DataFrame:
        """The frame of `stint_pairs` from then on."""
        span = since, self._plan.end, vehicles
        stints, charges = (self._lake.scan_overlapping(name, *span).collect() for name in ("stints", "charges"))
        measured = pl.col("energy_source").eq("power") | pl.col("used_ah").is_not_null()
        trips = self._lake.scan("trips", since, None, vehicles).filter(measured).select(TRIPS).collect()
        bounds = stints.select(*WHO, pl.col("port").fill_null(""), "started_at", "finished_at")
        return stint_pairs(bounds, charges, trips)

    def _history(self, vehicles: list[str]) -> pl.DataFrame:
        """Months' capacities of all times, as `trends` takes them."""
        own = pl.col("method").is_in(METHODS.values()) & (pl.col("verdict") == "estimate")
        rows = self._lake.scan("battery_health", None, None, vehicles).filter(own).collect()
        events = self._store.scan("event", None, None, vehicles).filter(pl.col("kind") == "firmware")
        return history(rows, events.select(*WHO, at="time").collect())

    # ---- what runs that did not end have changed ---------------------------------------------------------------------

    def _replaced_spans(self, table: str) -> list[Span] | None:
        """What was replaced in this table since the last run that came to its end; None where nobody knows."""
        noted = self._noted.get(table)
        return None if noted is None else self._lake.replaced_since(table, noted)[1]

    def _unfinished(self) -> Iterator[pl.DataFrame]:
        """What a run that did not end may have left with energies of former figures, as `TOUCHED`."""
        for span in self._left[0] or ():
            yield _touched(span, self._known)
        for span in self._left[1] or ():
            yield self._of_models(
                self.checks.filter(pl.col("time").is_between(span.since, span.until)).select(_MOVED.names()).unique()
            )


def _begun(whose: pl.DataFrame, *frames: pl.DataFrame) -> pl.DataFrame:
    """When the first pack of each vehicle was there, or what was read begins: `provider` `vehicle` `begun_at`."""
    moments = [
        rows.select(*WHO, pl.col("started_at" if "started_at" in rows.columns else "at").alias("at")) for rows in frames
    ]
    first = pl.concat(moments).group_by(WHO).agg(pl.col("at").min()).join(whose, on="vehicle")
    begun = pl.when("whole").then("at").otherwise("first_at").cast(TIME)
    return first.select(*WHO, begun.alias("begun_at")).sort(WHO)


def _sure(bounds: pl.DataFrame, whose: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Stints without those that began before what was read: they are there, and stay as they are.

    What began the first of those that are made anew lies before what was read, too.
    """
    known = there.select(*WHO, "port", "started_at", began="start_reason", there=True)
    rows = bounds.join(whose, on="vehicle", maintain_order="left")
    rows = rows.join(known, on=[*WHO, "port", "started_at"], how="left", maintain_order="left")
    later = pl.col("started_at") > pl.col("first_at")
    sure = rows.filter(pl.col("whole") | later | pl.col("there").fill_null(False))
    began = pl.when(pl.col("whole") | later).then("start_reason").otherwise("began")
    return sure.with_columns(began.alias("start_reason")).select(bounds.columns)


def _other_figures(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Checks that are in one of these and not in the other, but for how many trips they are of."""
    old, new = (
        rows.filter(pl.col("answer") != INSUFFICIENT).select(*_MOVED.names(), *_CHECK) for rows in (before, after)
    )
    return pl.concat([unlike(old, new), unlike(new, old)])


def _touched(span: Span, known: pl.DataFrame) -> pl.DataFrame:
    vehicles = known["vehicle"].to_list() if span.vehicles is None else list(span.vehicles)
    rows = pl.DataFrame({"vehicle": vehicles}, schema={"vehicle": pl.String()})
    return rows.select("vehicle", first_at=pl.lit(span.since), last_at=pl.lit(month(span.until, 1))).cast(TOUCHED)


def _months_of(span: Span, plan: Plan) -> Iterator[datetime]:
    begin, last = month(max(span.since, plan.begin)), min(span.until, plan.end)
    while begin <= last:
        yield begin
        begin = month(begin, 1)
