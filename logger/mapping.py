"""The grammar of a vendor's tables: the vendor's name → our signal → conversion, a line for each field.

Conversions are numbers and not functions, so that a table can be printed, documented and tested.
"""

from collections.abc import Mapping

import msgspec


class Band(msgspec.Struct, frozen=True):
    """Raw values from `low` up to, but without, `high` are multiplied by `scale`."""

    low: float
    high: float
    scale: float


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table: value = raw * scale + offset.

    `path` is the vendor's name; `a|b` is either spelling, `a+b` two texts joined by `+`. `to` is a signal or a column
    of the table. `bands` replace `scale` where the unit follows from the size of the raw value. A text in `unknown`
    stands for a value that the vehicle does not know. `choices` maps texts to values; a text that it lacks is
    unreadable, except in a lookup (`lookup=True`), where it is null. A `doubtful` unit flags every value.
    """

    path: str
    to: str
    unit: str = ""
    scale: float = 1.0
    offset: float = 0.0
    bands: tuple[Band, ...] = ()
    unknown: tuple[str, ...] = ()
    choices: Mapping[str, str | bool] | None = None
    lookup: bool = False
    doubtful: bool = False

    @property
    def spellings(self) -> tuple[str, ...]:
        """The vendor's names for this value."""
        return tuple(self.path.split("|"))

    @property
    def names(self) -> tuple[str, ...]:
        """Every vendor name that this line reads."""
        return tuple(name for spelling in self.spellings for name in spelling.split("+"))


class Rows(msgspec.Struct, frozen=True):
    """The rows that a message makes in one table; `constants` are columns with a fixed word.

    A message without a value of any field makes no row. `time` is the vendor's name (or names, `a|b`) of the time by
    `clock`: that of the `device` or of the vendor's `server`. With `each`, every element of that array makes a row, and
    the fields are read below it.
    """

    table: str
    time: str
    fields: tuple[Field, ...]
    constants: Mapping[str, str] = {}
    clock: str = "device"
    each: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Every vendor name that these rows read."""
        return frozenset(self.time.split("|")).union(*(field.names for field in self.fields))


class Shape(msgspec.Struct, frozen=True):
    """One kind of message: the field with its vehicle, what it must contain, and the rows it makes.

    `needs` lists groups of names: one of each group must be present; none of `forbids` may be. `identity` is the field
    that a repeat of the same message shares with it; `account_field` is the field that must hold the account's own id.
    An answer to a poll is `json`, and makes rows only where its code is one of `codes`, if there are any.
    """

    vehicle: str
    needs: tuple[tuple[str, ...], ...]
    forbids: tuple[str, ...]
    rows: tuple[Rows, ...]
    identity: str
    account_field: str = ""
    json: bool = False
    codes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every vendor name that decoding this kind of message reads, sorted; those below an array are left out."""
        code = {"code"} if self.codes else set[str]()
        names = {self.vehicle, self.identity, self.account_field, *self.forbids, *code} - {""}
        row_names = (frozenset(rows.time.split("|")) if rows.each else rows.names for rows in self.rows)
        return tuple(sorted(names.union(*self.needs, *row_names)))
