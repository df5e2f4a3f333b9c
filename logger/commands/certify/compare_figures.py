"""Compare stints, figures and verdict of a certificate with those that analyses find now.

A figure may move as rows come: that of a month or stint that still went on, or that reaches to a day on which rows came
late, and what follows from the model's figures where other vehicles have moved these. Then one of both must lie in
the interval of the other, and that of the certificate in its own. Every other figure must be the same.
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
_INTERVALS = {  # figures with an interval in every row that has them; `months_to_80` may have no upper end
    "capacity_wh": ("capacity_low_wh", "capacity_high_wh"),
    "soh_pct": ("soh_low_pct", "soh_high_pct"),
    "km_per_pct": ("km_per_pct_low", "km_per_pct_high"),
    "fade_pct_per_year": ("fade_low", "fade_high"),
    "months_to_80": ("months_to_80_low", "months_to_80_high"),
}


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


def compare_model(certified: Sequence[Row], stored: Sequence[Row], *, may_move: bool) -> Finding:
    """Return whether the figures of the model are others now; they may move where rows have come since."""
    now, then = ({_key("calibration", row): row for row in rows} for rows in (stored, certified))
    pairs = {key: (then.get(key, {}), now.get(key, {})) for key in sorted({*then, *now})}
    changed = [f"{key[-1]} {key[0][:7]}: {text}" for key, rows in pairs.items() if (text := _changes(*rows))]
    if not changed:
        return Finding("same", _MODEL, f"{len(then):,} answers (`calibration`)")
    if may_move:
        return Finding("moved", _MODEL, f"by rows that came later; {'; '.join(changed)}")
    return Finding("differs", _MODEL, f"and no row has come since; {'; '.join(changed)}")


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
    detail = _changes(then, now)
    if not detail:
        return Finding("same", name, _figure(then))
    apart = any(_are_apart(figure, then, now) for figure in _INTERVALS if figure in then and figure in now)
    return Finding("moved" if may_move and not apart else "differs", name, detail)


def _changes(then: Row, now: Row) -> str:
    """Return what two rows differ in, for people; empty where they are the same."""
    changed = [each for each in sorted({*then, *now}) if not are_equal(then.get(each), now.get(each))]
    return "; ".join(f"{each} {_text(then.get(each))} -> {_text(now.get(each))}" for each in changed)


def _are_apart(figure: str, then: Row, now: Row) -> bool:
    """Return whether neither figure lies in the other's interval, or the certified one not in its own."""
    first, second = (_interval(figure, row) for row in (then, now))
    value, new = (_number(row.get(figure), math.nan) for row in (then, now))
    near = second[0] <= value <= second[1] or first[0] <= new <= first[1]
    return not (near and first[0] <= value <= first[1])


def _interval(figure: str, row: Row) -> tuple[float, float]:
    """Return the ends of a figure's interval, with what rounding takes; without an end it is the figure itself."""
    low_name, high_name = _INTERVALS[figure]
    value = _number(row.get(figure), math.nan)
    low = _number(row.get(low_name), value)
    high = _number(row.get(high_name), math.inf if figure == "months_to_80" else value)
    margin = _EXACT * max(abs(low), abs(value), 1.0)
    return low - margin, high + margin


def _number(value: object, missing: float) -> float:
    return missing if isinstance(value, bool) or not isinstance(value, int | float) else float(value)


def are_equal(then: object, now: object) -> bool:
    """Return whether two values of rows or settings are the same, to nine digits; `true` is not 1."""
    if isinstance(then, bool) or isinstance(now, bool):
        return then is now
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
