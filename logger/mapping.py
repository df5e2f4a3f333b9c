"""The grammar of a vendor's tables: the vendor's name → our signal → conversion, a line for each field.

Conversions are numbers and not functions, so that a table can be printed, documented and tested.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

# A named step of an account: the body of a JSON document → its parts, as values by name. `ValueError` says why it is
# not to be stored, `msgspec.DecodeError` that it is no JSON. A step that parses only what it reads is the fastest.
Step = Callable[[bytes], Iterable[Mapping[str, Any]]]


class Band(msgspec.Struct, frozen=True):
    """Raw values from `low` up to, but without, `high` are multiplied by `scale`."""

    low: float
    high: float
    scale: float


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table: value = raw * scale + offset.

    `path` is the vendor's name; `a|b` is either spelling, `a+b` two texts joined by `+`. `to` is a signal or a column
    of the table. `bands` replace `scale` where the unit follows from the size of the raw value. Where the message names
    the unit, at `unit_at`, `units` has a scale (or bands) for each of its spellings in lower case, "" for none; a value
    with another unit is unreadable. A text in `unknown` stands for a value that the vehicle does not know. `choices`
    maps texts to values; a text that it lacks becomes `otherwise`, else it is unreadable, except in a lookup
    (`lookup=True`), where it is null. A `doubtful` unit flags every value.
    """

    path: str
    to: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    bands: tuple[Band, ...] = ()
    unit_at: str = ""
    units: Mapping[str, float | tuple[Band, ...]] = {}
    unknown: tuple[str, ...] = ()
    choices: Mapping[str, str | bool] | None = None
    otherwise: str | None = None
    lookup: bool = False
    doubtful: bool = False

    @property
    def spellings(self) -> tuple[str, ...]:
        """The vendor's names for this value."""
        return tuple(self.path.split("|"))

    @property
    def names(self) -> tuple[str, ...]:
        """Every vendor name that this line reads."""
        names = tuple(name for spelling in self.spellings for name in spelling.split("+"))
        return (*names, self.unit_at) if self.unit_at else names


class Rows(msgspec.Struct, frozen=True):
    """The rows that a message makes in one table; `constants` are columns with a fixed word.

    A message without a value of any field makes no row. `time` is the vendor's name (or names, `a|b`) of the time by
    `clock`: that of the `device` or of the vendor's `server`; where it is missing, `server_time` takes its place, if
    the vendor has one. With `each`, every element of that array makes a row, and the fields are read below it. Rows
    that are `first_seen` stand at the first receipt of their key: the vendor repeats what holds still. Rows of a
    `history` may be of any time in the past, from the year 2000 on. All rows get the `flag`, if there is one.
    """

    table: str
    time: str
    fields: tuple[Field, ...]
    constants: Mapping[str, str] = {}
    clock: str = "device"
    each: str = ""
    server_time: str = ""
    first_seen: bool = False
    history: bool = False
    flag: str = ""

    @property
    def time_names(self) -> frozenset[str]:
        """The vendor's names of the times of these rows."""
        return frozenset((*self.time.split("|"), *self.server_time.split("|"))) - {""}

    @property
    def names(self) -> frozenset[str]:
        """Every vendor name that these rows read."""
        return self.time_names.union(*(field.names for field in self.fields))


class Shape(msgspec.Struct, frozen=True):
    """One kind of message: the field with its vehicle, what it must contain, and the rows it makes.

    `needs` lists groups of names: one of each group must be present; none of `forbids` may be. `identity` is the field
    that a repeat of the same message shares with it; `account_field` is the field that must hold the account's own id.
    A document is `json`, and makes rows only where its code is one of `codes`, if there are any. What no table of names
    can say of a document is the matter of a `step` of the account, by this name: it takes the document apart first.
    Where a signature does not tell a repeat from a replay of long ago, the first receipts of all messages are
    `remembered`.
    """

    vehicle: str
    needs: tuple[tuple[str, ...], ...]
    forbids: tuple[str, ...]
    rows: tuple[Rows, ...]
    identity: str
    account_field: str = ""
    json: bool = False
    codes: tuple[str, ...] = ()
    step: str = ""
    remembered: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every vendor name that decoding this kind of message reads, sorted; those below an array are left out."""
        code = {"code"} if self.codes else set[str]()
        names = {self.vehicle, self.identity, self.account_field, *self.forbids, *code} - {""}
        row_names = (rows.time_names if rows.each else rows.names for rows in self.rows)
        return tuple(sorted(names.union(*self.needs, *row_names)))
