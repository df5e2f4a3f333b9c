"""Long tables, which have a line for each entity and change: the value of each entity becomes a column of its own."""

import shlex

import msgspec
import polars as pl

from logger.errors import ConfigError
from logger.signals import SIGNALS
from logger.sources.files.layout import Header
from logger.sources.files.likely import mapping_options
from logger.sources.files.options import LongTable, Options
from logger.sources.files.table import MORE, Chunk
from logger.sources.files.values import Cells
from logger.suggest import nearest

_SHOWN = 40


class LongRows:
    """Widens chunks of a long table. Raises `ConfigError` for columns that are missing and entities nobody mapped."""

    def __init__(self, long: LongTable, options: Options, cells: Cells) -> None:
        self._long, self._cells = long, cells
        self._options = options
        self._entities = {each.columns[0] for each in options.mappings if each.to in SIGNALS}

    def widen(self, chunk: Chunk) -> Chunk:
        """Return the lines of mapped entities: the time in `time`, the value in a column named as its entity."""
        self._check(chunk.header)
        named = chunk.rows.with_columns(self._cells.text(chunk.rows[self._long.entity]).alias(self._long.entity))
        self._check_entities(named[self._long.entity])
        is_mapped = named[self._long.entity].is_in(sorted(self._entities)).fill_null(False)
        kept = named.filter(is_mapped)
        entity, state = pl.col(self._long.entity), pl.col(self._long.state)
        keys = [each.columns[0] for each in self._options.mappings if each.to not in SIGNALS and each.to != "time"]
        others = [name for name in ("vehicle", "provider", "port") if name in chunk.header.names and name not in keys]
        rows = kept.select(
            pl.col(self._long.time).alias("time"),
            *keys,
            *others,
            *(pl.when(entity == name).then(state).alias(name) for name in sorted(self._entities)),
            *([MORE] if MORE in kept.columns else []),
        )
        at = is_mapped.to_list()
        lines = [line for line, keep in zip(chunk.lines, at, strict=True) if keep] if chunk.lines else []
        numbers = [number for number, keep in zip(chunk.numbers, at, strict=True) if keep]
        names = tuple(name for name in rows.columns if name != MORE)
        return Chunk(Header(names), rows, numbers, lines, chunk.decimal, chunk.table)

    def _check(self, header: Header) -> None:
        for name in (self._long.entity, self._long.state, self._long.time):
            if name not in header.names:
                raise ConfigError(f"--long: there is no column {name!r}{nearest(name, header.names)}")

    def _check_entities(self, found: pl.Series) -> None:
        """Raise `ConfigError` for entities that are neither mapped nor left out, all of them at once."""
        names = found.drop_nulls().unique(maintain_order=True).to_list()
        if not self._entities:
            raise ConfigError(f"no entity is mapped to a signal: {_list_names(names)}{_offer(names)}")
        if self._options.only_mapped:
            return
        unknown = [name for name in names if name not in self._entities and name not in self._options.ignore]
        if unknown:
            raise ConfigError(f"entities that nobody mapped: {_list_names(unknown)}{_offer(unknown)}")


def options_of_widened(options: Options) -> Options:
    """Return the options for a widened table, whose time is in `time` and which has no column to leave out."""
    mappings = tuple(each for each in options.mappings if each.to != "time")
    return msgspec.structs.replace(options, mappings=mappings, ignore=())


def _list_names(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _offer(names: list[str]) -> str:
    likely = mapping_options(names)
    example = likely or f"--map {shlex.quote(f'{names[0]}=SIGNAL:UNIT')}" if names else ""
    return f"; map them with {example}, and leave others out with --only-mapped"
