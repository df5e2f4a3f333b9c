"""Whatever stands in place of a value costs that value: no row is impossible, and no message makes decoding fail."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from logger.decode.result import DecodeResult
from tests.logger.sources.test_cases import CASES, decode_case

OLDEST, MARK = datetime(2000, 1, 1, tzinfo=UTC), "@@"
HOSTILE = (
    *("NaN", "Infinity", "1e400", "-1e400", "9" * 400, "9" * 5000, "1e308", "1e-320", "-0.0", "true", "null"),
    *('""', '"  "', '"a\\u0000\\u001b[31m"', '"\\ud800"', '"NaN"', '"-Infinity"', '"1,5"', '"1_000"', '"0x10"'),
    *("[]", "[1]", "{}", '{"value":1}', "[" * 2000 + "]" * 2000, '{"a":' * 3000 + "1" + "}" * 3000, f'"{"x" * 9999}"'),
    # times: of 1970 and 2106, in microseconds and nanoseconds, without a zone, with none that is, far ahead
    *("0", "4294967296", "1790852400000000", "1790852400000000000", "-1790852400000", '"2026-10-01T12:00:00"'),
    *('"2026-10-01T12:00:00+99:00"', '"2999-01-01T00:00:00Z"'),
)
BROKEN = (
    *(b"", b"\0" * 9, b"\xff\xfe{\0}\0", b'{"code":0}}', b"\xef\xbb\xbf{}", b'{"a":1,"a":2}', b'{"\xff":1}'),
    *(b"[" * 100_000, b'"' * 3, b"null", b"[]", b"7"),
)
KITS = sorted({path.parent.name for path in CASES})


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of a document: each object, each list, each value."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in pairs:
        yield from leaves(below, (*path, key))


def put(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """The document with this text at this place."""
    if not path:
        return text
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = put(value[path[0]], path[1:], text)
    return changed


@cache
def places(kit: str) -> list[tuple[Path, tuple[Any, ...]]]:
    found = [(path, json.loads(path.read_text())) for path in CASES if path.parent.name == kit]
    return [(path, place) for path, case in found if "body" in case for place in leaves(case["body"])]


def check(result: DecodeResult, case: Mapping[str, Any]) -> None:
    """Fail where decoding failed, or a row cannot be."""
    if "quarantine" in result.rows:
        assert not result.rows["quarantine"]["reason"].str.contains("decoder failed").any()
    latest = datetime.fromisoformat(case["received_at"]) + timedelta(minutes=10, milliseconds=1)
    for rows in result.rows.values():
        assert rows["time"].is_between(OLDEST, latest).all()
        assert [
            name for name, kind in rows.schema.items() if kind.is_float() and not rows[name].is_finite().all()
        ] == []


@pytest.mark.parametrize("kit", KITS)
@given(data=st.data())
@examples(max_examples=40)
def test_a_hostile_value_costs_no_more_than_itself(kit: str, data: st.DataObject) -> None:
    path, place = data.draw(st.sampled_from(places(kit)))
    case = json.loads(path.read_text())
    hostile = data.draw(st.sampled_from(HOSTILE))
    text = json.dumps(put(case["body"], place, MARK)).replace(f'"{MARK}"', hostile)
    check(decode_case(case, kit, text.encode()), case)


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("body", BROKEN, ids=lambda body: repr(body[:12]))
def test_what_is_no_document_makes_no_row(kit: str, body: bytes) -> None:
    for path in [path for path in CASES if path.parent.name == kit][:2]:
        case = json.loads(path.read_text())
        result = decode_case(case, kit, body)
        assert result.rows.keys() <= {"quarantine"}
        check(result, case)


def test_a_trip_of_long_ago_is_kept_at_its_time_and_one_of_before_2000_at_its_receipt() -> None:
    case = json.loads((CASES[0].parents[1] / "smart" / "journal_that_runs_backwards.json").read_text())
    for start, clock in (("978307200000", "server"), ("0", "received")):
        text = json.dumps(put(case["body"], ("data", "list", 0, "startTime"), MARK)).replace(f'"{MARK}"', start)
        clocks = decode_case(case, "smart", text.encode()).rows["journal"]["clock"].to_list()
        assert clock in clocks
        assert (clocks.count("received") == 0) == (clock == "server")
