"""Compare stints, figures and verdict of a certificate with those that analyses find now.

A figure may move as rows come: that of a month or stint that still went on, or that reaches to a day on which rows came
late, and what follows from the model's figures where other vehicles have moved these. Then its interval must still meet
that of the certificate. Every other figure must be the same.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from logger.commands.certify.certificate import Row
from logger.commands.certify.figures import latest
from logger.commands.certify.finding import Finding
from logger.tables import TABLES

_EXACT = 1e-9  # relative: sums may round in another order
_MARGIN = timedelta(days=1)  # a day of a vehicle is a local one, and a trip may end on the next
_MODEL = "figures of the model"


class Later(msgspec.Struct, frozen=True):
    """What came after a certificate: the first day with rows more (None: no such), other figures of the model.

    `last_at` is the time of the last certified row, as text.
    """

    first_day: date | None
    model_moved: bool
    last_at: str

    def explains(self, table_name: str, row: Row) -> bool:
        """Return whether this row may be another than it was."""
        of_rows = self.first_day is not None and self.first_day <= _end(table_name, row) + _MARGIN
        return of_rows or (self.model_moved and table_name == "battery_health")


def compare_figures(
    table_name: str, certified: Sequence[Row], stored: Sequence[Row], later: Later
) -> Iterator[Finding]:
    """Yield what became of the certified rows of `stints` or `battery_health`."""
    now, then = ({_key(table_name, row): row for row in rows} for rows in (stored, certified))
    for key, row in then.items():
        yield _compare_row(_name(table_name, row), row, now.get(key), may_move=later.explains(table_name, row))
    yield from _not_certified(table_name, then, stored, later)


def compare_model(certified: Sequence[Row], stored: Sequence[Row]) -> Finding:
    """Return whether the figures of the model are others now, by rows of any of its vehicles."""
    now, then = ({_key("calibration", row): row for row in rows} for rows in (stored, certified))
    changed = [key for key in {**then, **now} if not _equal_rows(then.get(key, {}), now.get(key, {}))]
    if not changed:
        return Finding("same", _MODEL, f"{len(then):,} answers (`calibration`)")
    names = ", ".join(sorted({key[-1] for key in changed}))
    return Finding("moved", _MODEL, f"rows of this or other vehicles that came later have changed {names}")


def _not_certified(
    table_name: str, certified: Mapping[tuple[str, ...], Row], stored: Sequence[Row], later: Later
) -> Iterator[Finding]:
    """Yield rows that the certificate would have if nothing had come since, and how many are of later."""
    before = [row for row in stored if str(row["time"]) <= later.last_at]
    for row in latest(before) if table_name == "battery_health" else before:
        if _key(table_name, row) not in certified and not later.explains(table_name, row):
            yield Finding("differs", _name(table_name, row), "stored, and not in the certificate")
    if more := [row for row in stored if str(row["time"]) > later.last_at and _key(table_name, row) not in certified]:
        yield Finding("new", table_name, f"rows of later: {len(more):,}")


def _compare_row(name: str, then: Row, now: Row | None, *, may_move: bool) -> Finding:
    if now is None:
        return Finding("differs", name, "certified, and not stored")
    changed = [each for each in sorted({*then, *now}) if not _equal(then.get(each), now.get(each))]
    if not changed:
        return Finding("same", name, _figure(then))
    detail = "; ".join(f"{each} {_text(then.get(each))} -> {_text(now.get(each))}" for each in changed)
    if not may_move:
        return Finding("differs", name, detail)
    apart = [each for each in changed if "_low" in each and _are_apart(each, then, now)]
    return Finding("differs" if apart else "moved", name, detail)


def _are_apart(low: str, then: Row, now: Row) -> bool:
    """Return whether two intervals have nothing in common."""
    names = (low, low.replace("_low", "_high"))
    first, second = ([end for name in names if isinstance(end := row.get(name), int | float)] for row in (then, now))
    return len(first) == len(second) == 2 and (max(first) < min(second) or max(second) < min(first))


def _equal_rows(then: Row, now: Row) -> bool:
    return then.keys() == now.keys() and all(_equal(then[name], now[name]) for name in then)


def _equal(then: object, now: object) -> bool:
    if isinstance(then, float) and isinstance(now, float):
        return math.isclose(then, now, rel_tol=_EXACT, abs_tol=_EXACT)
    return then == now


def _key(table_name: str, row: Row) -> tuple[str, ...]:
    return tuple(str(row.get(name, "")) for name in TABLES[table_name].key if name not in ("provider", "vehicle"))


def _end(table_name: str, row: Row) -> date:
    """Return the last day on which rows count for it: of a stint its end, else that of its month."""
    if table_name == "stints":
        return date.fromisoformat(str(row["finished_at"])[:10]) if "finished_at" in row else date.max - _MARGIN
    begin = date.fromisoformat(str(row["time"])[:10])
    return (begin.replace(day=1) + timedelta(days=31)).replace(day=1)


def _name(table_name: str, row: Row) -> str:
    words = (row.get("method"), row.get("port") and f"port {row['port']}", f"from {str(row['time'])[:10]}")
    return f"{table_name}: {', '.join(str(word) for word in words if word)}"


def _figure(row: Row) -> str:
    """Return the figure of a row for people, with its interval where it has one."""
    if "capacity_wh" in row:
        ends = (_text(row.get(name)) for name in ("capacity_low_wh", "capacity_high_wh"))
        return f"capacity {_text(row['capacity_wh'])} Wh ({' to '.join(ends)})"
    if "km_per_pct" in row:
        return f"{_text(row['km_per_pct'])} km per percent"
    return ""


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"
    return "none" if value is None else str(value)
