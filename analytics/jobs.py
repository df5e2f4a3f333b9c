"""`voltrail analyze`: derived tables of the vehicles and days that new rows touched, into the lake."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from analytics import fleet, notes
from analytics.forecast import SILENT, WEEKS, forecasts
from analytics.load import Rows, known
from analytics.making import make
from analytics.news import merged, news
from analytics.registry import ANALYSES, OF_FLEETS, RULES, Analysis, chosen
from analytics.seams import Days
from analytics.windows import DAY, TOUCHED, Read, differing, reaching_back, throughout
from logger.config import Settings
from logger.errors import ConfigError, Retry, UnknownName
from logger.service import spool
from logger.state import write_state
from logger.stores import Store, opened
from logger.stores import lake as the_lake
from logger.stores.delta import span
from logger.stores.files import within
from logger.stores.lake import Lake
from logger.tables import table
from logger.turns import sole

Progress = Callable[[str], None]
_GROUP_ROWS = 1_000_000  # of readings that are analysed together, so that memory stays flat: a gigabyte
_MARGIN = 4 * DAY  # read before and after what was touched, to begin with; twice as much where that is not enough


class Analysed(msgspec.Struct, frozen=True):
    """What became of an analysis: vehicles and rows of the days looked at, commits that changed something.

    Of an analysis whose rows are joined with those that are there, only days that differ count.
    """

    table: str
    vehicles: int
    rows: int
    commits: int


class Wish(msgspec.Struct, frozen=True):
    """What to analyse: by default all that is new. Tables by name, a store, a span, vehicles."""

    names: tuple[str, ...] = ()
    source: str = "lake"
    since: datetime | None = None
    until: datetime | None = None
    vehicles: tuple[str, ...] = ()

    @property
    def news(self) -> bool:
        """Whether only what is new is wanted."""
        return self == Wish()


def analyze(settings: Settings, wish: Wish, progress: Progress = lambda text: None) -> list[Analysed]:
    """Make derived tables anew and commit them to the lake. Raises `ConfigError`, `Retry` and `LoginNeeded`."""
    analyses = chosen(wish.names)
    with sole(settings.data_dir / "analysis.lock") as free:
        if not free:
            raise Retry("another analysis is under way: wait until it has ended")
        began = time.monotonic()
        try:
            with opened(settings, wish.source) as store:
                run = Run(settings, store, analyses, progress)
                told = run.news() if wish.news else run.wished(wish)
        except ConfigError:  # a wish that cannot be met tells nothing of the analyses that are done on schedule
            raise
        except Exception as error:
            write_state(settings.data_dir, "analysis", {"error": " ".join(str(error).split())})
            raise
        vehicles, rows = max(each.vehicles for each in told), {each.table: each.rows for each in told}
        state = {"error": "", "seconds": time.monotonic() - began, "vehicles": vehicles, "rows": rows}
        write_state(settings.data_dir, "analysis", state)
        return told


class Run:
    """One run of some analyses on the rows of one store."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        analyses: Mapping[str, Analysis],
        progress: Progress,
        margin: timedelta = _MARGIN,
    ) -> None:
        self._settings, self._store, self._progress = settings, store, progress
        self._analyses = analyses
        self._lake = store if isinstance(store, Lake) else the_lake(settings)
        self._reads = tuple(sorted({name for each in analyses.values() for name in each.reads}))
        self._fleets = [name for name, parts in OF_FLEETS.items() if all(part in analyses for part in parts)]
        self._tables = {each.table or name for name, each in analyses.items()}
        self._counts = {name: [0, 0, 0] for name in (*analyses, *self._fleets)}
        self._begin, self._end = self._edges()
        self._told = known(store.latest("vehicles"), settings)
        self._checks = self._lake.scan("calibration").collect()
        self._since = self._end  # the earliest moment of which something was made anew

    def news(self) -> list[Analysed]:
        """All that is new; then note how far that is."""
        file = self._settings.data_dir / "analysed.json"
        noted = notes.read(file)
        state, touched = self._state(noted)
        self._analyse(touched)
        weighed = self._fleet(noted.get("weighed", {}) if state["rules"] == noted.get("rules") else {})
        notes.write(file, {**state, "weighed": weighed})
        return self._result()

    def wished(self, wish: Wish) -> list[Analysed]:
        """What was asked for, whatever was done before. Raises `UnknownName`."""
        first, last = wish.since or self._begin, wish.until or self._end
        whose = self._vehicles(first, last).filter(pl.col("vehicle").is_in(wish.vehicles) if wish.vehicles else True)
        if silent := sorted({*wish.vehicles} - {*whose["vehicle"]}):
            raise UnknownName(
                f"no row of vehicle {silent[0]!r} in this span: `voltrail status` tells who spoke, and when"
            )
        weighed = fleet.marks(self._checks)
        self._analyse(dict.fromkeys(self._reads, throughout(whose, first, last)))
        self._fleet(weighed)
        return self._result()

    # ---- what is new -----------------------------------------------------------------------------------------------

    def _state(self, noted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
        """What to note after this run, and what it has to look at, by raw table."""
        told = {row[1]: notes.digest(*map(str, row)) for row in self._told.iter_rows()}
        rules = notes.digest(RULES, *self._analyses, repr(self._settings.places), repr(self._settings.tariffs))
        rules = notes.digest(rules, self._settings.collector.timezone)
        log_id = self._log_id()
        old = noted if noted.get("rules") == rules else {}
        same = old.get("log") == log_id
        found, tables = {}, {}
        for name in self._reads:
            before = old.get("tables", {}).get(name, {})
            found[name], tables[name] = news(self._lake, name, tuple(self._tables), before, same_log=same)
        other = [name for name, mark in told.items() if old and old.get("known", {}).get(name) != mark]
        renamed = pl.DataFrame({"vehicle": other}, schema={"vehicle": pl.String()})
        again = throughout(renamed, self._begin, self._end)
        touched = {name: merged([each, again]) for name, each in found.items()}
        return {"rules": rules, "log": log_id, "known": told, "tables": tables}, touched

    def _log_id(self) -> str:
        log_spool = spool(self._settings)
        try:
            return log_spool.log_id
        finally:
            log_spool.close()

    def _edges(self) -> tuple[datetime, datetime]:
        """The first day of anything, less one for local days, and the one after the last."""
        all_in_lake = isinstance(self._store, Lake)
        days = self._lake.days({*self._tables, *self._reads} if all_in_lake else self._tables)
        if not all_in_lake:
            days |= {day.date() for name in self._reads for day, _ in self._store.count(name)}
        today = datetime.now(UTC).date()
        return span(min(days, default=today))[0] - DAY, span(max(days, default=today))[1] + DAY

    def _vehicles(self, since: datetime, until: datetime) -> pl.DataFrame:
        raw = [self._store.scan(name, since, until).select("vehicle") for name in self._reads]
        made = [self._lake.scan(name, since, until).select("vehicle") for name in self._tables]
        return pl.concat([*raw, *made]).unique().sort("vehicle").collect()

    # ---- the work --------------------------------------------------------------------------------------------------

    def _analyse(self, touched: Mapping[str, pl.DataFrame]) -> None:
        near = {name: each for name, each in self._analyses.items() if each.reach != "all"}
        reads = {name for each in near.values() for name in each.reads}
        self._made(self._reaching_back(merged([touched[name] for name in reads])), near)
        for name, each in self._analyses.items():
            if each.reach == "all":
                whose = merged([touched[table] for table in each.reads])
                self._made(throughout(whose, self._begin, self._end), {name: each})
        self._progress("")

    def _made(self, touched: pl.DataFrame, analyses: Mapping[str, Analysis]) -> None:
        margin, waiting = _MARGIN, touched
        while waiting.height and analyses:
            missing = [self._group(part, margin, analyses) for part in self._groups(waiting, margin)]
            waiting, margin = pl.concat(missing), 2 * margin

    def _reaching_back(self, touched: pl.DataFrame) -> pl.DataFrame:
        for name in [name for name, each in self._analyses.items() if each.reach == "stretch"]:
            touched = self._back(name, touched, _MARGIN)
        return touched

    def _back(self, name: str, touched: pl.DataFrame, margin: timedelta) -> pl.DataFrame:
        """By the rows of one table: read so far back, and farther for vehicles that have none there."""
        if touched.is_empty():
            return touched
        since = min(touched["first_at"]) - margin
        there = self._lake.lasting(name, since, max(touched["first_at"]), touched["vehicle"].to_list())
        found = reaching_back(touched, there, since if since > self._begin else None)
        missing = touched.join(found, on="vehicle", how="anti")
        return merged([found, self._back(name, missing, 4 * margin)])

    def _groups(self, touched: pl.DataFrame, margin: timedelta) -> Iterator[pl.DataFrame]:
        """Vehicles of the same days together, as many as memory takes."""
        days = [pl.col(name).dt.truncate("1d").alias(f"{name}_day") for name in ("first_at", "last_at")]
        dated = touched.with_columns(days).sort("vehicle")
        for _, part in dated.group_by("first_at_day", "last_at_day", maintain_order=True):
            yield from self._split(part.select(TOUCHED.names()), self._reach(part, margin))

    def _split(self, part: pl.DataFrame, read: Read) -> Iterator[pl.DataFrame]:
        if isinstance(self._store, Lake):
            held = [file.rows for file in self._store.files("status") if within(file.day, read.since, read.until)]
            if sum(held) <= _GROUP_ROWS:
                yield part
                return
        rows = self._store.scan("status", read.since, read.until, part["vehicle"].to_list())
        counted = part.join(rows.group_by("vehicle").len().collect(), on="vehicle", how="left").sort("vehicle")
        place = counted.with_columns((pl.col("len").fill_null(0).cum_sum() // _GROUP_ROWS).alias("place"))
        for _, each in place.group_by("place", maintain_order=True):
            yield each.select(TOUCHED.names())

    def _reach(self, part: pl.DataFrame, margin: timedelta) -> Read:
        ends = part.select(pl.col("first_at").min(), pl.col("last_at").max())
        first, last = ends.select(pl.all().dt.truncate("1d")).row(0)
        since, until = max(first - margin, self._begin), min(last + DAY + margin, self._end)
        return Read(since, until, since == self._begin, until == self._end)

    def _group(self, part: pl.DataFrame, margin: timedelta, analyses: Mapping[str, Analysis]) -> pl.DataFrame:
        """Analyse these; returns those of which more must be read."""
        read, vehicles = self._reach(part, margin), part["vehicle"].to_list()
        self._progress(f"{len(vehicles):,} vehicles from {read.since:%Y-%m-%d} to {read.until:%Y-%m-%d}")
        rows = Rows(self._store, vehicles, read, self._told, self._checks, self._settings)
        made = make(analyses, rows, part, self._there)
        self._since = min([self._since, *made.ready["since"]])
        for name, days in made.days.items():
            self._commit(name, made.rows[name], days)
        return part.join(made.ready, on="vehicle", how="anti")

    def _there(self, name: str, whose: pl.DataFrame) -> pl.DataFrame:
        """All rows that this analysis made of these vehicles."""
        into, own = self._analyses[name].table or name, self._analyses[name].own
        return self._lake.scan(into, None, None, whose["vehicle"].to_list()).filter(own).collect()

    def _commit(self, name: str, made: pl.DataFrame, days: Sequence[Days]) -> None:
        """Put rows in place of its own ones of these vehicles, from the first day on which they differ to the last."""
        into, own = self._analyses[name].table or name, self._analyses[name].own
        for since, until, vehicles in days:
            rows = made.filter(
                pl.col("vehicle").is_in(vehicles), pl.col("time").is_between(since, until, closed="left")
            )
            old = self._lake.scan(into, since, until, vehicles).sort(table(into).key).collect()
            new = pl.concat([rows, old.filter(~own)]).sort(table(into).key)
            changed = differing(new, old)
            if changed:
                first, end = changed[0], changed[-1] + DAY
                whole = pl.col("time").is_between(first, end, closed="left")
                self._lake.replace(into, new.filter(whole), vehicles, first, end)
            for place, count in enumerate((len(vehicles), rows.height, int(bool(changed)))):
                self._counts[name][place] += count

    # ---- figures of the fleet ----------------------------------------------------------------------------------------

    def _fleet(self, weighed: Mapping[str, str]) -> dict[str, str]:
        """Make the figures of models anew, and what was `weighed` by others than these; returns their marks."""
        if "calibration" in self._fleets and self._since < self._end:
            self._calibrate()
        new = fleet.marks(self._checks)
        touched = fleet.weighed_anew(weighed, new, self._told, self._begin, self._end)
        follow = {name: each for name, each in self._analyses.items() if each.weighed}
        if touched.height and follow:
            self._made(self._reaching_back(touched), follow)
        if "forecast" in self._fleets:
            self._forecast()
        self._progress("")
        return new

    def _forecast(self) -> None:
        self._progress("forecast")
        since, weeks = self._end - SILENT - DAY, timedelta(weeks=WEEKS)
        heard, trips = self._store.scan("status", since), self._lake.scan("trips", since - weeks)
        rests = self._lake.scan("standby", self._end - 2 * weeks)
        new = forecasts(heard, trips, rests, self._told, self._settings.analytics)
        old = self._lake.scan("forecast").sort("provider", "vehicle").collect()
        if not new.equals(old):
            self._lake.replace("forecast", new, None, self._begin, self._end)
            self._counts["forecast"] = [0, new.height, 1]

    def _calibrate(self) -> None:
        self._progress("figures of models")
        begin = fleet.month(self._since)
        new = fleet.calibration(self._lake, self._told, self._since)
        old = self._checks.filter(pl.col("time") >= begin).sort("provider", "time", "model", "check")
        if not new.equals(old):
            self._lake.replace("calibration", new, None, begin, self._end)
            self._checks = pl.concat([self._checks.filter(pl.col("time") < begin), new])
            self._counts["calibration"] = [0, new.height, 1]

    def _result(self) -> list[Analysed]:
        return [Analysed(name, *counts) for name, counts in self._counts.items()]


def lines(told: Sequence[Analysed]) -> list[str]:
    """The results for people."""
    head = f"{'table':<14}{'vehicles':>10}{'rows':>12}{'commits':>10}"
    return [head, *(f"{each.table:<14}{each.vehicles:>10,}{each.rows:>12,}{each.commits:>10,}" for each in told)]


__all__ = ["ANALYSES", "Analysed", "Wish", "analyze", "lines"]
