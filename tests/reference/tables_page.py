"""`tables.md`: every table with what a row is, and every column with its type, unit, meaning and source."""

from collections.abc import Iterable, Iterator

from logger.columns import Column, Table
from logger.tables import DERIVED, RAW, ROLLUPS, TABLES
from tests.reference.markdown import TYPES, code, sentence, table, unit
from tests.reference.vendor_fields import FieldsOfColumn, fields_of_columns

_INTRODUCTION = """
# Tables

Everything that voltrail stores is in tables. *Raw* tables hold what vehicles and clouds reported, each value under the
name of its [signal](signals.md). *Derived* tables hold what analyses compute from them: trips, charges, consumption.

`voltrail export trips --out trips.csv` writes a table as a file, and any program that reads Delta Lake can read the
folder `lake/` in the data folder.

- **Types.** *text*; *number*; *whole number*; *yes/no* (`true`, `false`); *word*: one of those that are listed;
  *list of words*; *time (UTC)*: to the millisecond, in files as `2026-10-01T08:00:00.000Z`; *bytes*.
- **Missing.** What is not known is empty (null), never 0 and never *no*.
- **Units.** Where a column has a unit, it is the last word of its name.
- **Key.** The columns of the key name a row: there is one row for each. Where two messages report the same key, the row
  takes each value from the later message that has it, so that repeats do no harm.
- **Intervals.** `low` and `high` are the ends of a 95 % interval.
- **Positive.** Power and current are positive into the battery; derived energies are positive when used.
"""
_COLUMN_HEAD = ("column", "type", "unit", "meaning")
_SAME_IN_ALL = ("provider", "vehicle", "time")
_TIME = Column("time", "time", "", "what it is differs: see each table", key=True)
_ORIGIN = RAW["collector"].described[3:]  # the table that has no other columns


def text() -> str:
    """Return the page."""
    derived = [name for name in DERIVED if name not in ROLLUPS]
    fields = fields_of_columns()
    parts = [
        _INTRODUCTION,
        _contents(),
        "## Columns of every table\n",
        _columns((*TABLES["status"].described[:2], _TIME)),
        "## Raw tables\n\nEvery raw table also has these columns, which say where a row is from:\n",
        _columns(_ORIGIN),
        *_words(_ORIGIN),
        *(_section(each, fields) for each in RAW.values()),
        "## Derived tables\n",
        *(_section(DERIVED[name], fields) for name in derived),
        *_rollups(),
    ]
    return "\n".join(parts)


def _contents() -> str:
    rows = [
        (f"[`{name}`](#{name if name not in ROLLUPS else 'rollups'})", sentence(each.row), each.source)
        for name, each in TABLES.items()
    ]
    return table(("table", "one row is", "filled by"), rows) + "\n"


def _section(of: Table, fields: FieldsOfColumn) -> str:
    own = [column for column in of.described if column.name not in _SAME_IN_ALL and column not in _ORIGIN]
    sources = {column.name: _messages(fields, of.name, column.name) for column in own}
    parts = [f"### `{of.name}`\n", _about(of)]
    if own:
        parts += [_columns(own, sources if any(sources.values()) else None), *_words(own)]
    return "\n".join(parts)


def _about(of: Table) -> str:
    time = next(column.meaning for column in of.described if column.name == "time")
    lines = [
        f"One row is {of.row}.",
        f"`time` is {time}.",
        f"Key: {', '.join(map(code, of.key))}.",
        f"Filled by {of.source}.",
        "In the lake alone, not in InfluxDB." if of.lake_only else "",
    ]
    return " ".join(filter(None, lines)) + "\n"


def _columns(columns: Iterable[Column], sources: dict[str, str] | None = None) -> str:
    head = _COLUMN_HEAD if sources is None else (*_COLUMN_HEAD, "read from")
    rows = [
        (
            code(column.name),
            TYPES[column.type],
            unit(column.unit),
            _meaning(column),
            *([sources[column.name]] if sources is not None else []),
        )
        for column in columns
    ]
    return table(head, rows) + "\n"


def _meaning(column: Column) -> str:
    if column.words and not any(column.words.values()):
        return f"One of {code(*column.words)}."
    return sentence(column.meaning) + (" The words are listed below." if column.words else "")


def _messages(fields: FieldsOfColumn, name: str, column: str) -> str:
    messages: dict[str, list[str]] = {}
    for vendor, message in fields.get((name, column), {}):
        messages.setdefault(vendor, []).append(message)
    return "; ".join(f"{vendor} {', '.join(words)}" for vendor, words in messages.items())


def _words(columns: Iterable[Column]) -> Iterator[str]:
    for column in columns:
        if any(column.words.values()):
            yield f"`{column.name}`:\n"
            yield "\n".join(f"- `{word}`: {meaning}" for word, meaning in column.words.items()) + "\n"


def _rollups() -> Iterator[str]:
    yield "### Rollups\n"
    yield (
        "A rollup has one row for every five minutes (`…_5m`) or day (`…_1d`, UTC) in which its raw table has any, so\n"
        "that a long range is few rows. Filled by `voltrail rollup`. `time` is the start of the span.\n"
    )
    yield table(("rollup", "of"), [(code(name), f"[`{raw}`](#{raw})") for name, (raw, _) in ROLLUPS.items()]) + "\n"
    yield "Its columns are the key of the raw table, and:\n"
    rows = [
        ("`samples`", "How many rows of the raw table are in the span."),
        ("each other column, such as `soc_pct`", "The last known value in the span."),
        (
            "`min_soc_pct` `mean_soc_pct` `max_soc_pct` …",
            "Of each number: lowest, mean and highest in the span.",
        ),
    ]
    yield table(("column", "meaning"), rows) + "\n"
