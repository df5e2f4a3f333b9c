"""What a preset is: the files of one app as tables, their column → our signal, with unit and zone."""

from collections.abc import Mapping

import msgspec

from logger.sources.files.options import ColumnMapping, LongTable, parse_mapping


class Moment(msgspec.Struct, frozen=True):
    """Rows that a row of the file gives at one of its times.

    `times` are columns that may hold it: the first that the file has counts, and `A+B` are two joined by a blank.
    Of several fields with one target, the first whose column the file has counts. `constants` hold in each such row.
    """

    times: tuple[str, ...]
    fields: tuple[ColumnMapping, ...]
    constants: Mapping[str, str] = {}


class Sheet(msgspec.Struct, frozen=True):
    """One kind of file of an app. A file that has all columns `marks` is of this kind.

    `table` is its name in a dump of the app's database, `orders` are its columns in files that do not name them.
    """

    marks: tuple[str, ...]
    moments: tuple[Moment, ...]
    table: str = ""
    orders: tuple[tuple[str, ...], ...] = ()


class Preset(msgspec.Struct, frozen=True):
    """The files of one app: `what` they are in a few words, the `zone` of its local times where that is fixed.

    `formats` are of times that are neither ISO 8601 nor an epoch, in the words of Python's `strptime`.
    """

    name: str
    what: str
    sheets: tuple[Sheet, ...] = ()
    zone: str = ""
    formats: tuple[str, ...] = ()
    long: LongTable | None = None


def fields(*texts: str) -> tuple[ColumnMapping, ...]:
    """Return `COLUMN=SIGNAL:UNIT` texts as mappings."""
    return tuple(map(parse_mapping, texts))


def words(column: str, to: str, **meanings: str) -> ColumnMapping:
    """Return a mapping of a column whose words are not ours: `meanings` are ours by theirs, `_` for a blank."""
    return ColumnMapping((column,), to, words={theirs.replace("_", " "): ours for theirs, ours in meanings.items()})
