"""Chunks of a file as rows of ours: the time, the vehicle and the value of each signal, and the rows set aside."""

from collections.abc import Iterator, Mapping

import msgspec
import polars as pl

from logger.errors import ConfigError
from logger.signals import SIGNALS, signal
from logger.sources.files.columns import Plan, RowPlan, no_vehicle, plan_of
from logger.sources.files.faults import Fault, Faults, no_value
from logger.sources.files.layout import Header
from logger.sources.files.likely import likely_long
from logger.sources.files.long_tables import LongRows, options_of_widened
from logger.sources.files.options import ColumnMapping, LongTable, Options
from logger.sources.files.presets import preset
from logger.sources.files.row_times import RowTimes
from logger.sources.files.table import MORE, Chunk
from logger.sources.files.values import Cells


class Part(msgspec.Struct):
    """What a chunk gives: its rows, those set aside, and how many rows the file had there."""

    rows: pl.DataFrame
    faults: list[Fault]
    height: int


class Converter:
    """Converts the chunks of one file, in their order. Raises `ConfigError` for what holds of the file as a whole."""

    def __init__(self, options: Options) -> None:
        self._preset = preset(options.form) if options.form else None
        self._options = options
        fixed = self._preset.zone if self._preset else ""
        formats = self._preset.formats if self._preset else ()
        own = options.time_format
        self._times = RowTimes(fixed or options.zone, (own,) if own else formats, only=bool(own))
        self._plans: dict[tuple[Header, str], Plan | None] = {}
        self._vehicle: str | None = None
        self._vehicles: set[str] = set()
        self._long = options.long or (self._preset.long if self._preset else None)
        self._entities: set[str] = set()

    def convert(self, chunk: Chunk) -> Part | None:
        """Return the rows of this chunk; None for one of a table that no preset reads."""
        cells = Cells(chunk.decimal, self._options.words)
        if self._long is not None:
            self._entities |= set(_entities(chunk, self._long))
            chunk = LongRows(self._long, self._options, cells).widen(chunk)
        plan = self._plan(chunk)
        if plan is None:
            return None
        faults, parts = Faults(), []
        for each in plan.rows:
            parts.append(_RowMaker(chunk, plan, each, cells, faults, self).rows())
        return self._part(chunk, parts, faults)

    def check(self, height: int) -> None:
        """Raise `ConfigError` where none of the file's rows, of which `height` could be read, is one that is wanted."""
        if self._preset is not None and self._long is None and not height:
            raise ConfigError(f"--format {self._preset.name} reads none of the tables in this dump")
        if self._long is not None and not height:
            mapped = ", ".join(each.columns[0] for each in self._options.mappings if each.to in SIGNALS)
            there = ", ".join(sorted(self._entities)[:20])
            raise ConfigError(f"no line is of an entity that --map names ({mapped}); there are: {there}")

    def _plan(self, chunk: Chunk) -> Plan | None:
        key = (chunk.header, chunk.table)
        if key not in self._plans:
            chosen = None if self._long is not None else self._preset
            options = self._options if self._long is None else options_of_widened(self._options)
            long = likely_long(chunk.header.names)
            entities = _entities(chunk, long) if long else []
            self._plans[key] = plan_of(chunk.header, options, chosen, chunk.table, entities)
        return self._plans[key]

    def _part(self, chunk: Chunk, parts: list[pl.DataFrame], faults: Faults) -> Part:
        aside = faults.rows
        is_aside = pl.int_range(chunk.rows.height, eager=True).is_in(aside)
        rows = pl.concat((part.filter(~is_aside & part["time"].is_not_null()) for part in parts), how="diagonal")
        near = parts[0]["time"].fill_null(strategy="forward").fill_null(strategy="backward").dt.epoch("ms")
        text = chunk.lines or [b""] * chunk.rows.height
        found = [faults.of(at, chunk.numbers[at], text[at].decode(errors="replace"), near[at] or 0) for at in aside]
        return Part(rows, found, chunk.rows.height)

    # ---- what a row maker needs ------------------------------------------------------------------------------------

    def times(self, chunk: Chunk, plan: RowPlan, vehicles: pl.Series, cells: Cells) -> tuple[pl.Series, pl.Series]:
        """Return the time of each row, and why one has none."""
        label = "+".join(plan.time)
        first = chunk.rows[plan.time[0]]
        if isinstance(first.dtype, pl.Datetime | pl.Date):
            return self._times.in_utc(first, vehicles, label)
        if len(plan.time) == 1:
            return self._times.read(first, vehicles, label, cells.text)
        texts = [cells.text(chunk.rows[name]) for name in plan.time]
        joined = pl.select(pl.concat_str(map(pl.lit, texts), separator=" ")).to_series()
        return self._times.read(joined, vehicles, label, cells.text)

    def vehicles(self, chunk: Chunk, plan: Plan, cells: Cells) -> pl.Series:
        """Return the vehicle of each row. Raises `ConfigError` where nothing names one, or one name is for several."""
        height = chunk.rows.height
        read = cells.text if plan.fills_vehicle else cells.names  # an app writes its words for nothing there, too
        column = read(chunk.rows[plan.vehicle]) if plan.vehicle else None
        if self._options.vehicle:
            self._check_one(column, plan)
            return pl.repeat(self._options.vehicle, height, dtype=pl.String, eager=True)
        if column is None:
            raise no_vehicle(chunk.header)
        if not plan.fills_vehicle:
            return column
        filled = pl.concat([pl.Series([self._vehicle], dtype=pl.String), column]).fill_null(strategy="forward")
        filled = filled.fill_null(strategy="backward")[1:]
        self._vehicle = filled[-1] if height else self._vehicle
        return filled

    def _check_one(self, column: pl.Series | None, plan: Plan) -> None:
        """Raise `ConfigError` where one name is given for what the file says are several vehicles."""
        if column is None or not plan.fills_vehicle:
            return
        self._vehicles |= set(column.drop_nulls().unique().to_list())
        if len(self._vehicles) > 1:
            names = ", ".join(sorted(self._vehicles)[:5])
            raise ConfigError(
                f"column {plan.vehicle!r} names {len(self._vehicles)} vehicles ({names}), and --vehicle one: "
                "leave --vehicle out"
            )

    @property
    def provider(self) -> str:
        """The provider that the options name."""
        return self._options.provider


class _RowMaker:
    """Makes the rows of one plan from a chunk, and notes faults of rows."""

    def __init__(
        self, chunk: Chunk, plan: Plan, row: RowPlan, cells: Cells, faults: Faults, converter: Converter
    ) -> None:
        self._chunk, self._plan, self._row, self._cells = chunk, plan, row, cells
        self._faults, self._converter = faults, converter

    def rows(self) -> pl.DataFrame:
        vehicles = self._converter.vehicles(self._chunk, self._plan, self._cells)
        times = self._times(vehicles)
        columns = [times.alias("time"), vehicles.alias("vehicle"), self._provider()]
        if self._plan.port:
            columns.append(self._cells.names(self._chunk.rows[self._plan.port]).alias("port"))
        columns += self._signals()
        self._check_width()
        return pl.DataFrame(columns)

    def _times(self, vehicles: pl.Series) -> pl.Series:
        times, why = self._converter.times(self._chunk, self._row, vehicles, self._cells)
        wrong = why.is_not_null()
        name = self._row.time[0]
        if self._row.optional:
            wrong &= self._cells.text(self._chunk.rows[name]).is_not_null()
        label = "+".join(self._row.time)
        self._faults.add(wrong, label, lambda at: self._chunk.rows[name][at] or "", lambda at: str(why[at]))
        self._faults.add(vehicles.is_null(), self._plan.vehicle, lambda at: "", lambda at: "is no vehicle")
        return times

    def _provider(self) -> pl.Series:
        if self._converter.provider or not self._plan.provider:
            name = self._converter.provider or "import"
            return pl.repeat(name, self._chunk.rows.height, dtype=pl.String, eager=True).alias("provider")
        return self._cells.names(self._chunk.rows[self._plan.provider]).fill_null("import").alias("provider")

    def _signals(self) -> Iterator[pl.Series]:
        given = {each.to for each in self._row.signals}
        for mapping in self._row.signals:
            yield self._value(mapping)
        for name, word in _constants(self._row.constants, given).items():
            cells = pl.repeat(word, self._chunk.rows.height, dtype=pl.String, eager=True)
            yield self._cells.values(cells, ColumnMapping((name,), name))[0]

    def _value(self, mapping: ColumnMapping) -> pl.Series:
        column = self._chunk.rows[mapping.columns[0]]
        value, lost = self._cells.values(column, mapping)
        self._faults.add(lost, mapping.columns[0], lambda at: column[at], lambda at: no_value(signal(mapping.to)))
        return value

    def _check_width(self) -> None:
        if MORE not in self._chunk.rows.columns:
            return
        more, count = self._chunk.rows[MORE], len(self._chunk.header.names)
        wide = self._cells.text(more).is_not_null()
        self._faults.add(wide, "", lambda at: more[at], lambda at: f"is a cell more than the {count} columns")


def _entities(chunk: Chunk, long: LongTable) -> list[str]:
    """The entities of these rows of a long table, in the order in which they first come."""
    if long.entity not in chunk.rows.columns:
        return []
    return chunk.rows[long.entity].cast(pl.String).drop_nulls().unique(maintain_order=True).to_list()


def _constants(constants: Mapping[str, str], given: set[str]) -> dict[str, str]:
    return {name: word for name, word in constants.items() if name in SIGNALS and name not in given}
