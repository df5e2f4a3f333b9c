"""The declarative tables of a source: their name → our signal → conversion, a line each.

Numbers, not functions, so that a table can be printed, documented and tested.
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

    `path` is the vendor's name; `a|b` takes either spelling, `a+b` joins two texts by `+`. `to` is a signal or a
    column of the table. `bands` replace `scale` where the raw magnitude tells the unit. A text in `unknown`
    means that the vehicle does not know. `choices` maps texts to values; a text that is missing there is
    unreadable, but for a lookup (`lookup=True`), where it is merely null. A `doubtful` unit flags every value.
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
        """The vendor's names for the one value."""
        return tuple(self.path.split("|"))

    @property
    def names(self) -> tuple[str, ...]:
        """Every vendor name that this line reads."""
        return tuple(name for spelling in self.spellings for name in spelling.split("+"))


class Rows(msgspec.Struct, frozen=True):
    """The rows that a message makes in one table; `constants` are columns with a fixed word.

    A message that holds none of the fields' values makes no row. `time` names the clock (any spelling), which is the
    `device`'s or the vendor's `server`'s. With `each`, every element of that array makes a row, and the fields are read
    below it.
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
    """One kind of message: whom it speaks of, what it must hold, and which rows it makes.

    `needs` lists groups of names, one of each group must be there; none of `forbids` may. `identity` names what
    makes a repeat of the same message recognisable; `bound` names what must be the account's own. An answer is `json`,
    and of its vendor's `codes` only these make rows.
    """

    vehicle: str
    needs: tuple[tuple[str, ...], ...]
    forbids: tuple[str, ...]
    rows: tuple[Rows, ...]
    identity: str
    bound: str = ""
    json: bool = False
    codes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every vendor name that decoding this kind of message reads, sorted; those below an array left out."""
        named = {self.vehicle, self.identity, self.bound, *self.forbids, *(["code"] if self.codes else [])} - {""}
        rows = (frozenset(rows.time.split("|")) if rows.each else rows.names for rows in self.rows)
        return tuple(sorted(named.union(*self.needs, *rows)))
