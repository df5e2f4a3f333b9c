"""A situation: what a vehicle told, in rows of raw tables, and what derived tables must say."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

import msgspec
import polars as pl

from logger.settings.schema import Model, Settings, Vehicle
from logger.signals import SIGNALS
from logger.tables import shaped
from tests.cases.reports.checks import Check, Tables
from tests.cases.reports.story import Row

_RAW = ("time", "received_at", "vehicle", "provider", "via", "clock", "table")
_VIA = {"import": "import", "segway": "push"}  # the others are polled
CAR, MOPED = Model(capacity_wh=58_000, wh_per_km=165), Model(capacity_wh=1_440, wh_per_km=30, top_speed_kmh=50)


class Situation(msgspec.Struct, frozen=True):
    """`rows` hold signals beside their `time`, or name their `table`; `late` ones come after a first analysis.

    A row that names no vehicle is of the one that is called as the situation. Situations of one `lake` are analysed
    side by side, as far as their settings allow it.
    """

    rows: list[Row]
    checks: tuple[Check, ...]
    name: str = ""
    says: str = ""
    provider: str = "import"
    late: list[Row] = []
    settings: Settings = Settings()
    lake: str = "shared"

    @property
    def vehicles(self) -> frozenset[str]:
        """All that rows tell of."""
        return frozenset(row.get("vehicle", self.name) for row in [*self.rows, *self.late])

    def frames(self, rows: Iterable[Row]) -> dict[str, pl.DataFrame]:
        """These rows by raw table; `sequence` is left to whoever stores them."""
        tables: dict[str, list[Row]] = {}
        for row in rows:
            for name, part in _parts(row):
                tables.setdefault(name, []).append({**self._origin(row), **part})
        made = {name: pl.DataFrame(parts, infer_schema_length=None) for name, parts in tables.items()}
        return {name: shaped(frame, name) for name, frame in made.items()}

    def failures(self, tables: Tables) -> Iterator[str]:
        """A line for each check that does not hold."""
        for check in self.checks:
            good, got = check.result(tables)
            if not good:
                yield f"{check.says}; got {got}"

    def _origin(self, row: Row) -> Row:
        named = {"vehicle": self.name, "provider": self.provider, "via": _VIA.get(self.provider, "poll")}
        heard = {"clock": "device", "received_at": row["time"] + timedelta(seconds=2)}
        return {**named, **heard, **{name: row[name] for name in _RAW[:-1] if name in row}}


def _parts(row: Row) -> Iterable[tuple[str, Row]]:
    """The row's columns by table; a row without any signal is one of `status`."""
    told = {name: value for name, value in row.items() if name not in _RAW}
    if "table" in row:
        return [(row["table"], told)]
    parts: dict[str, Row] = {}
    for name, value in told.items():
        parts.setdefault("pack" if name == "port" else SIGNALS[name].table, {})[name] = value
    return parts.items() if parts else [("status", {})]


def situation(make: Callable[[], Situation]) -> Situation:
    """A situation is called as the function that makes it, and says what its docstring says."""
    made = make()
    return msgspec.structs.replace(made, name=make.__name__, says=" ".join((make.__doc__ or "").split()))


def settings(vehicle: str, model: Model | None = None, timezone: str | None = None) -> Settings:
    """What the settings say of one vehicle; its model is called as the vehicle."""
    models: Mapping[str, Any] = {vehicle: model} if model else {}
    told = Vehicle(model=vehicle if model else None, timezone=timezone)
    return Settings(models=models, vehicles={vehicle: told})
