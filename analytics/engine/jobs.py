"""`voltrail analyze`: derived tables of the vehicles and days that new rows touched, into the lake."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from analytics.digests import digest
from analytics.engine import checkpoints
from analytics.engine.changes import merged, news
from analytics.engine.habits import Habits
from analytics.engine.health import TABLES as HEALTH
from analytics.engine.health import Health
from analytics.engine.load import Rows, known
from analytics.engine.plan import GROUP_ROWS, MARGIN, Plan
from analytics.engine.recompute import Made, make
from analytics.engine.registry import OF_FLEETS, RULES, Analysis, chosen, of_fleets
from analytics.engine.splice import put
from analytics.engine.windows import throughout
from analytics.fleet.forecast import SILENT, WEEKS, forecasts
from analytics.frames import DAY, Read
from analytics.schemas import TOUCHED
from logger.errors import ConfigError, Retry, UnknownName
from logger.locks import exclusive_lock
from logger.process_state import write_state
from logger.settings.schema import Settings
from logger.spool.open import open_spool
from logger.stores import open_lake as the_lake
from logger.stores import open_store
from logger.stores.contract import Store
from logger.stores.lake.lake import Lake
from logger.tables import TIME

Progress = Callable[[str], None]
_OF_STINTS = ("trips", "charges")  # what stints and verdicts follow from
_ANEW = pl.Schema({"vehicle": pl.String(), "since": TIME, "until": TIME})
_COMMITS = 2  # side by side


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
    with exclusive_lock(settings.data_dir / "analysis.lock") as free:
        if not free:
            raise Retry("another analysis is under way: wait until it has ended")
        began = time.monotonic()
        try:
            with open_store(settings, wish.source) as store:
                run = Run(settings, store, analyses, progress, of_fleets(wish.names))
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
    """One run of some analyses on the rows of one store; about `group_rows` rows of it are analysed together."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        analyses: Mapping[str, Analysis],
        progress: Progress,
        fleets: Sequence[str] = tuple(OF_FLEETS),
        group_rows: int = GROUP_ROWS,
    ) -> None:
        self._settings, self._store, self._progress = settings, store, progress
        self._analyses, self._fleets = analyses, fleets
        self._lake = store if isinstance(store, Lake) else the_lake(settings)
        self._reads = tuple(sorted({name for each in analyses.values() for name in each.reads}))
        self._tables = {each.table or name for name, each in analyses.items()}
        self._counts = {name: [0, 0, 0] for name in (*analyses, *fleets)}
        self._plan = Plan(store, self._lake, self._reads, tuple(self._tables), group_rows)
        self._told = known(store.latest("vehicles"), settings)
        self._file, self._rules = settings.data_dir / "analysed.json", self._ruled()
        self._noted = checkpoints.read(self._file)
        self._habits = Habits(store, settings, self._noted.get("traits", []))
        versions = self._noted.get("health", {}) if self._noted.get("rules") == self._rules else {}
        self._health = Health(self._lake, store, self._plan, self._told, versions)
        self._is_first, self._renamed = not versions, False
        self._counted: set[str] = set()  # analyses whose vehicles and rows are counted: these are looked at once more
        self._of_log = {name: each for name, each in analyses.items() if each.reach == "all"}
        self._waiting = pl.DataFrame(schema=TOUCHED)  # vehicles of which these are to be made
        self._anew: list[pl.DataFrame] = []  # vehicles and the days of which trips and charges were made anew
        self._last: tuple[tuple[list[str], Read], Rows] | None = None

    def news(self) -> list[Analysed]:
        """All that is new; then note how far that is."""
        self._progress("looking for what is new")
        state, touched = self._state(self._noted)
        self._analyse(touched)
        checkpoints.write(self._file, {**state, "traits": self._habits.noted, "health": self._health.versions()})
        return self._result()

    def wished(self, wish: Wish) -> list[Analysed]:
        """What was asked for, whatever was done before. Raises `UnknownName`."""
        first, last = wish.since or self._plan.begin, wish.until or self._plan.end
        asked = pl.col("vehicle").is_in(wish.vehicles) if wish.vehicles else True
        whose = self._plan.vehicles(first, last).filter(asked)
        if silent := sorted({*wish.vehicles} - {*whose["vehicle"]}):
            raise UnknownName(
                f"no row of vehicle {silent[0]!r} in this span: `voltrail status` tells who spoke, and when"
            )
        self._habits.learn(wanted := throughout(whose, first, last))
        self._analyse(dict.fromkeys(self._reads, wanted))
        return self._result()

    # ---- what is new -----------------------------------------------------------------------------------------------

    def _ruled(self) -> str:
        """What tells one way to make all tables from another."""
        texts = (repr(self._settings.places), repr(self._settings.tariffs), self._settings.collector.timezone)
        return digest(RULES, *self._analyses, *texts)

    def _state(self, noted: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, pl.DataFrame]]:
        """What to note after this run, and what it has to look at, by raw table."""
        told = {row[1]: digest(*map(str, row)) for row in self._told.iter_rows()}
        with closing(open_spool(self._settings)) as log_spool:
            log_id = log_spool.log_id
        old = noted if noted.get("rules") == self._rules else {}
        same = old.get("log") == log_id
        found, tables = {}, {}
        for name in self._reads:
            before = old.get("tables", {}).get(name, {})
            found[name], tables[name] = news(self._lake, name, tuple(self._tables), before, same_log=same)
        marks = self._habits.learn(merged(list(found.values())))
        told = {name: digest(told.get(name, ""), marks.get(name, "")) for name in {**told, **marks}}
        other = [name for name, mark in told.items() if old and old.get("known", {}).get(name) != mark]
        self._renamed = bool(other)
        renamed = pl.DataFrame({"vehicle": other}, schema={"vehicle": pl.String()})
        again = throughout(renamed, self._plan.begin, self._plan.end)
        touched = {name: merged([each, again]) for name, each in found.items()}
        return {"rules": self._rules, "log": log_id, "known": told, "tables": tables}, touched

    # ---- the work --------------------------------------------------------------------------------------------------

    def _analyse(self, touched: Mapping[str, pl.DataFrame]) -> None:
        """First what follows from rows and from figures so far, then figures, then what is weighed by others now."""
        near = {name: each for name, each in self._analyses.items() if name not in self._of_log}
        weighed = {name: each for name, each in near.items() if each.weighed}
        makes_health = bool({*HEALTH} & {*self._fleets})
        waits = {*weighed} - {*_OF_STINTS} if self._is_first and makes_health else set()
        first = {name: each for name, each in near.items() if name not in waits}
        self._waiting = throughout(self._read_by(touched, self._of_log), self._plan.begin, self._plan.end)
        self._analyse_groups(self._reaching_back(self._read_by(touched, first)), first, "trips, charges and days")
        self._analyse_groups(self._waiting, {}, "faults and alerts")
        if makes_health:
            again = [self._make_health(), *([self._read_by(touched, weighed)] if waits else ())]
            self._counted = {*weighed} - waits
            self._analyse_groups(self._reaching_back(merged(again)), weighed, "energies")
        if "forecast" in self._fleets:
            self._forecast()
        self._progress("")

    def _make_health(self) -> pl.DataFrame:
        """Vehicles whose energies follow other figures now, and when, as `TOUCHED`."""
        self._progress("what models use and packs hold")
        moved = self._health.make(pl.concat([_ANEW.to_frame(), *self._anew]), renamed=self._renamed)
        self._counts.update({name: self._health.counts[name] for name in HEALTH if name in self._fleets})
        if self._last:
            self._last[1].forget_worth()
        return moved

    def _read_by(self, touched: Mapping[str, pl.DataFrame], analyses: Mapping[str, Analysis]) -> pl.DataFrame:
        return merged([touched[name] for name in {name for each in analyses.values() for name in each.reads}])

    def _analyse_groups(self, touched: pl.DataFrame, analyses: Mapping[str, Analysis], what: str) -> None:
        margin, waiting = MARGIN, touched
        while waiting.height:
            missing, groups = [], list(self._plan.groups(waiting, margin))
            if self._last and self._last[0] == _whose(*groups[-1]):
                groups.reverse()  # its rows are at hand
            for place, (part, read) in enumerate(groups, 1):
                days = f"{read.since:%Y-%m-%d} to {read.until:%Y-%m-%d}"
                self._progress(f"{what}: {part.height:,} vehicles, {days} ({place} of {len(groups)})")
                missing.append(self._group(part, read, analyses))
            waiting, margin = pl.concat(missing), 2 * margin

    def _reaching_back(self, touched: pl.DataFrame) -> pl.DataFrame:
        return self._plan.reaching_back(touched, [n for n, each in self._analyses.items() if each.reach == "stretch"])

    def _group(self, part: pl.DataFrame, read: Read, analyses: Mapping[str, Analysis]) -> pl.DataFrame:
        """Analyse these; returns those of which more must be read."""
        rows = self._rows(part, read)
        if read.from_begin and read.to_end:
            self._make_of_log(rows, part)
        if not analyses:
            return part.clear()
        made = make(analyses, rows, part, self._there)
        if not {*_OF_STINTS}.isdisjoint(analyses):
            self._anew.append(made.ready.select(_ANEW.names()))
        self._commit_all(made)
        return part.join(made.ready, on="vehicle", how="anti")

    def _make_of_log(self, rows: Rows, part: pl.DataFrame) -> None:
        """What depends on all that a vehicle ever said, of those of these that wait for it."""
        due = self._waiting.join(part, on="vehicle", how="semi")
        if due.height:
            self._commit_all(make(self._of_log, rows, due, self._there))
            self._waiting = self._waiting.join(due, on="vehicle", how="anti")

    def _rows(self, part: pl.DataFrame, read: Read) -> Rows:
        """The same as the last time where that was asked for: what is weighed follows what it is weighed by."""
        asked = _whose(part, read)
        if self._last is None or self._last[0] != asked:
            self._last = None  # before new ones are made: memory
            rows = Rows(self._store, *asked, self._told, self._habits.of, self._worth, self._settings)
            self._last = asked, rows
        return self._last[1]

    def _worth(self, vehicles: Sequence[str], read: Read) -> tuple[pl.DataFrame, pl.DataFrame]:
        return self._health.checks, self._health.verdicts(vehicles, read.since, read.until)

    def _there(self, name: str, whose: pl.DataFrame) -> pl.DataFrame:
        """All rows that this analysis made of these vehicles."""
        into, own = self._analyses[name].table or name, self._analyses[name].own
        return self._lake.scan(into, None, None, whose["vehicle"].to_list()).filter(own).collect()

    def _commit_all(self, made: Made) -> None:
        """Tables side by side: a commit is mostly spent in deltalake and on the disk."""
        into: dict[str, list[str]] = {}
        if made.ready.is_empty():
            return
        for name in made.days:
            into.setdefault(self._analyses[name].table or name, []).append(name)

        def commit(names: list[str]) -> None:
            for name in names:
                self._commit(name, made.rows[name], made.days[name])

        with ThreadPoolExecutor(_COMMITS) as pool:
            list(pool.map(commit, into.values()))

    def _commit(self, name: str, made: pl.DataFrame, days: Sequence[pl.DataFrame]) -> None:
        into, own = self._analyses[name].table or name, self._analyses[name].own
        for ready in days:
            rows, differs = put(self._lake, into, own, made, ready)
            seen = (0, 0) if name in self._counted else (ready.height, rows)
            for place, count in enumerate((*seen, int(differs))):
                self._counts[name][place] += count

    def _forecast(self) -> None:
        self._progress("forecast")
        last, weeks = self._plan.last, timedelta(weeks=WEEKS)
        since = last - SILENT - DAY
        heard, trips = self._store.scan("status", since, last), self._lake.scan("trips", since - weeks)
        rests = self._lake.scan("standby", last - 2 * weeks)
        new = forecasts(heard, trips, rests, self._told, self._settings.analytics)
        old = self._lake.scan("forecast").sort("provider", "vehicle").collect()
        if not new.equals(old):
            self._lake.replace("forecast", new, None, self._plan.begin, self._plan.end)
            self._counts["forecast"] = [0, new.height, 1]

    def _result(self) -> list[Analysed]:
        return [Analysed(name, *counts) for name, counts in self._counts.items()]


def _whose(part: pl.DataFrame, read: Read) -> tuple[list[str], Read]:
    return part["vehicle"].to_list(), read
