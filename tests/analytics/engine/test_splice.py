"""Episodes made of a part of the rows, joined with those that are there."""

from datetime import datetime
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.engine.splice import between, seam
from analytics.frames import DAY, Read
from analytics.stays.visits import KNOWN_SPAN, SEEN
from logger.tables import TIME, shaped
from tests.analytics.hand import AT, at

Stay = tuple[int, int | None]  # first and last minute; None while it lasts


def stays(inside: list[bool]) -> list[Stay]:
    """Of a vehicle that was inside in these minutes."""
    found: list[Stay] = []
    for minute, here in enumerate(inside):
        if here and (not minute or not inside[minute - 1]):
            found.append((minute, minute))
        elif here:
            found[-1] = (found[-1][0], minute)
    return [(begin, None if end == len(inside) - 1 else end) for begin, end in found]


def there(*told: Stay) -> pl.DataFrame:
    rows = [(at(begin), None if end is None else at(end), end is None) for begin, end in told]
    schema = pl.Schema({"started_at": TIME, "finished_at": TIME, "open": pl.Boolean()})
    named = {"provider": "p", "vehicle": "a", "kind": "pipeline", "code": "Depot", "text": "in Depot"}
    told_of = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        time="started_at", **{name: pl.lit(word) for name, word in named.items()}
    )
    return shaped(told_of, "episodes")


def made(inside: list[bool], begin: int, end: int, count: int) -> pl.DataFrame:
    """Rows of `SEEN` of what is known from one minute to another, both included."""
    part = inside[begin : end + 1]
    rows = there(*((begin + first, None if last is None else begin + last) for first, last in stays(part)))
    seen = rows.with_columns(
        start_seen=(pl.col("time") > at(begin)) | (begin == 0), end_seen=~pl.col("open") | (end == count - 1)
    )
    return seen.select(SEEN.names()).cast(SEEN)


def known(begin: float, end: float) -> pl.DataFrame:
    return pl.DataFrame([("a", at(begin), at(end))], schema=KNOWN_SPAN, orient="row")


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=2, max_size=30), st.data())
def test_a_part_made_anew_gives_what_comes_of_all(inside: list[bool], data: Any) -> None:
    count = len(inside)
    begin = data.draw(st.integers(0, count - 1))
    end = data.draw(st.integers(begin, count - 1))
    changed = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    other = [
        new if begin < minute < end else old for minute, (old, new) in enumerate(zip(inside, changed, strict=True))
    ]
    got = seam(made(other, begin, end, count), there(*stays(inside)), known(begin, end))
    assert got.lost == []
    assert got.rows.sort("time").equals(there(*stays(other)))


def test_an_end_that_nobody_knows_asks_for_more() -> None:
    inside = [False, True, True, True]
    assert seam(made(inside, 0, 2, 4), there(), known(0, 2)).lost == ["a"]
    assert seam(made(inside, 2, 3, 4), there(), known(2, 3)).lost == ["a"]
    assert seam(made(inside, 0, 3, 4), there(), known(0, 3)).lost == []
    assert seam(made(inside, 0, 2, 4), there((1, None)), known(0, 2)).rows.equals(there((1, None)))


def test_days_that_differ_are_told_the_last_first_and_neighbours_at_once() -> None:
    day = 1440
    new = there((5, 6), (day, day + 1), (9 * day, None))
    found = seam(new.with_columns(start_seen=True, end_seen=True), there((5, 7)), known(0, 10 * day))
    ready = pl.DataFrame({"vehicle": ["a"]})
    told = [each.rows() for each in found.changes(ready)]
    assert told == [[("a", at(9 * day), at(10 * day))], [("a", AT, at(2 * day))]]
    assert found.changes(ready.clear()) == []


def held(begin: datetime | None, end: datetime | None, *, from_begin: bool = False, to_end: bool = False) -> list[Any]:
    ready = pl.DataFrame({"vehicle": ["a"], "since": [AT], "until": [AT + DAY]})
    told = pl.DataFrame([("a", begin, end)], schema=KNOWN_SPAN, orient="row")
    return between(told, ready, Read(AT - DAY, AT + 3 * DAY, from_begin, to_end)).rows()


def test_what_is_known_must_hold_the_days() -> None:
    none = [("a", None, None)]
    assert held(AT, AT + DAY) == [("a", AT, AT + DAY)]
    assert held(at(1), AT + DAY) == none
    assert held(None, None) == none
    assert held(at(1), AT + DAY, from_begin=True) == [("a", AT - DAY, AT + DAY)]
    assert held(AT, None, to_end=True) == [("a", AT, AT + 3 * DAY)]


def test_of_a_vehicle_without_positions_the_days_themselves_are_known() -> None:
    ready = pl.DataFrame({"vehicle": ["a"], "since": [AT], "until": [AT + DAY]})
    got = between(pl.DataFrame(schema=KNOWN_SPAN), ready, Read(AT - DAY, AT + 3 * DAY, False, False))
    assert got.rows() == [("a", AT, AT + DAY)]
