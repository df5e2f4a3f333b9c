"""Situations in a lake: one vehicle beside the other, analysed as `voltrail analyze` does it."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import msgspec
import polars as pl

from logger.settings.schema import Collector, LakeSettings, Settings, Sinks
from logger.stores.lake.lake import Lake
from logger.tables import DERIVED, RAW, ROLLUPS, table
from tests.cases.reports.checks import Tables
from tests.cases.reports.engine import Wish, analyze
from tests.cases.reports.situations import Situation

DERIVED_NAMES = tuple(name for name in DERIVED if name not in ROLLUPS)
READ = (*DERIVED_NAMES, "status", "battery", "body")


class Fleet:
    """A lake in a folder, and settings that are those of all its situations."""

    def __init__(self, folder: Path, situations: Sequence[Situation]) -> None:
        own = [each.settings for each in situations]
        self.settings = Settings(
            Collector(data_dir=str(folder)),
            Sinks(LakeSettings(str(folder / "lake"))),
            models={name: model for each in own for name, model in each.models.items()},
            vehicles={name: vehicle for each in own for name, vehicle in each.vehicles.items()},
        )
        self.situations = situations
        self.lake = Lake(str(folder / "lake"), "reports")
        self._sequence = 1

    def analyse(self) -> None:
        """Store what came first and analyse it, then what came late."""
        self.write(frames for each in self.situations for frames in [each.frames(each.rows)])
        analyze(self.settings, Wish())
        late = [each.frames(each.late) for each in self.situations if each.late]
        if late:
            self.write(late)
            analyze(self.settings, Wish())

    def write(self, parts: Iterable[dict[str, pl.DataFrame]]) -> None:
        """Each raw table in one commit, in this order of receipt."""
        every = list(parts)
        for name in RAW:
            frames = [tables[name] for tables in every if name in tables]
            if frames:
                whole = pl.concat(frames)
                numbers = pl.int_range(self._sequence, self._sequence + whole.height, dtype=pl.Int64, eager=True)
                self._sequence += whole.height
                self.lake.write(name, whole.with_columns(numbers.alias("sequence")))

    def tables(self, names: Iterable[str] = READ) -> Tables:
        """These tables of all vehicles, by key."""
        return {name: self.lake.scan(name).sort(table(name).key).collect() for name in names}


def of_vehicles(tables: Tables, vehicles: Iterable[str]) -> Tables:
    """Rows of these vehicles alone."""
    wanted = sorted(vehicles)
    return {name: rows.filter(pl.col("vehicle").is_in(wanted)) for name, rows in tables.items()}


def fleets(folder: Path, situations: Sequence[Situation]) -> list[Fleet]:
    """Lakes for these situations: one for all that share it and whose settings do not get in each other's way."""
    groups: dict[tuple[str, bytes], list[Situation]] = {}
    for each in situations:
        rest = msgspec.structs.replace(each.settings, models={}, vehicles={})
        groups.setdefault((each.lake, msgspec.json.encode(rest)), []).append(each)
    return [Fleet(folder / f"lake_{place}", group) for place, group in enumerate(groups.values())]


def analysed(
    folder: Path, situations: Sequence[Situation], done: Callable[[Fleet], None] = lambda fleet: None
) -> dict[str, Tables]:
    """What derived tables say of each situation, by its name."""
    told: dict[str, Tables] = {}
    for fleet in fleets(folder, situations):
        fleet.analyse()
        done(fleet)
        tables = fleet.tables()
        told |= {each.name: of_vehicles(tables, each.vehicles) for each in fleet.situations}
    return told
