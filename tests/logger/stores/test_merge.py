import random
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logger.stores.merge import merge_rows
from logger.tables import RAW, shaped

START = datetime(2026, 3, 1, tzinfo=UTC)
Part = tuple[int, int, int, float | None, bool | None, list[str] | None]


def moment(second: int) -> datetime:
    return START + timedelta(seconds=second)


def rows_of(table: str, *parts: dict[str, Any]) -> pl.DataFrame:
    """Rows of this table of one vehicle and moment, each a second and a sequence later than the one before."""
    key = {"provider": "segway", "vehicle": "v1", "time": START}
    return pl.concat(
        shaped(pl.DataFrame([{**key, "received_at": moment(number), "sequence": number, **part}]), table)
        for number, part in enumerate(parts, 1)
    )


def merge(rows: pl.DataFrame, table: str = "status") -> pl.DataFrame:
    key = RAW[table].key
    return merge_rows(rows.lazy(), key).collect().sort(key)


def test_rows_of_one_key_are_merged_field_by_field() -> None:
    result = merge(rows_of("status", {"soc_pct": 80.0, "speed_kmh": 20.0}, {"soc_pct": 79.0}, {"odometer_m": 5.0}))
    assert result.select("soc_pct", "speed_kmh", "odometer_m", "sequence").rows() == [(79.0, 20.0, 5.0, 3)]


def test_the_value_received_last_wins_whatever_the_order_of_rows() -> None:
    parts = rows_of(
        "status",
        {"soc_pct": 3.0, "received_at": moment(3), "sequence": 1},
        {"soc_pct": 1.0, "received_at": moment(1), "sequence": 2},
        {"soc_pct": 2.0, "received_at": moment(2), "sequence": 3},
    )
    assert merge(parts)["soc_pct"].to_list() == [3.0]


def test_of_values_received_together_the_one_with_the_higher_sequence_wins() -> None:
    parts = rows_of(
        "status",
        {"soc_pct": 9.0, "received_at": moment(1), "sequence": 9},
        {"soc_pct": 10.0, "received_at": moment(1), "sequence": 10},
        {"soc_pct": 8.0, "received_at": moment(1), "sequence": 8},
    )
    assert merge(parts).select("soc_pct", "sequence").rows() == [(10.0, 10)]


def test_false_and_zero_are_values_and_null_is_not() -> None:
    result = merge(rows_of("status", {"locked": True, "speed_kmh": 20.0}, {"locked": False, "speed_kmh": 0.0}, {}))
    assert result.select("locked", "speed_kmh").rows() == [(False, 0.0)]


def test_a_repeat_changes_nothing_but_receipt_and_sequence() -> None:
    once = {"soc_pct": 80.0, "flags": ["unit:lock_voltage_v"]}
    result, single = merge(rows_of("status", once, once)), rows_of("status", once)
    assert result.drop("received_at", "sequence").equals(single.drop("received_at", "sequence"))
    assert result.select("received_at", "sequence").rows() == [(moment(2), 2)]


def test_a_row_whose_key_does_not_repeat_is_unchanged() -> None:
    rows = rows_of("status", {"soc_pct": 80.0}, {"soc_pct": 79.0, "time": moment(1)}, {"vehicle": "v2"})
    assert_frame_equal(merge(rows), rows.sort(RAW["status"].key))


@pytest.mark.parametrize("table", RAW)
def test_columns_and_types_are_kept(table: str) -> None:
    rows = rows_of(table, {}, {})
    assert merge(rows, table).schema == RAW[table].schema
    assert merge(rows.clear(), table).schema == RAW[table].schema


def test_two_packs_of_one_millisecond_stay_apart() -> None:
    rows = rows_of("pack", {"port": "1", "pack_soc_pct": 80.0}, {"port": "2", "pack_soc_pct": 40.0}, {"port": "1"})
    assert merge(rows, "pack").select("port", "pack_soc_pct").rows() == [("1", 80.0), ("2", 40.0)]


def test_two_events_of_one_millisecond_stay_apart() -> None:
    rows = rows_of(
        "event",
        {"kind": "fault", "code": "10", "state": "appeared"},
        {"kind": "alert", "code": "10", "state": "cleared"},
        {"kind": "fault", "code": "11", "state": "appeared"},
        {"kind": "fault", "code": "10", "text": "ECU communication"},
    )
    assert merge(rows, "event").select("kind", "code", "state", "text").rows() == [
        ("alert", "10", "cleared", None),
        ("fault", "10", "appeared", "ECU communication"),
        ("fault", "11", "appeared", None),
    ]


def test_two_messages_in_quarantine_of_one_millisecond_stay_apart() -> None:
    rows = rows_of("quarantine", {"message": "a", "body": b"1"}, {"message": "b", "body": b"2"}, {"message": "a"})
    assert merge(rows, "quarantine").select("message", "body").rows() == [("a", b"1"), ("b", b"2")]


def test_the_intake_statistics_of_two_sources_stay_apart() -> None:
    rows = rows_of(
        "intake", {"source": "a", "received": 1}, {"source": "b", "received": 5}, {"source": "a", "received": 2}
    )
    assert merge(rows, "intake").select("source", "received").rows() == [("a", 2), ("b", 5)]


# ---- properties ----------------------------------------------------------------------------------------------------

PARTS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 2),
        st.integers(0, 3),
        st.none() | st.sampled_from([0.0, 1.0, 50.0]),
        st.none() | st.booleans(),
        st.none() | st.sampled_from([["null_island"], ["odometer_back", "time_ahead"]]),
    ),
    max_size=12,
)


def status_rows(parts: list[Part]) -> pl.DataFrame:
    """Rows of `status`, each with the sequence of its position."""
    rows = [
        {
            "vehicle": f"v{vehicle}",
            "time": moment(second),
            "received_at": moment(received),
            "sequence": sequence,
            "soc_pct": soc,
            "locked": locked,
            "flags": flags,
        }
        for sequence, (vehicle, second, received, soc, locked, flags) in enumerate(parts)
    ]
    return rows_of("status", *rows) if rows else rows_of("status", {}).clear()


def merge_by_hand(parts: list[Part]) -> dict[tuple[str, datetime], list[Any]]:
    """Return the values of each key, merged row by row."""
    values_by_key: dict[tuple[str, datetime], list[Any]] = {}
    for vehicle, second, _, *values in sorted(parts, key=lambda part: part[2]):  # stable: ties by sequence
        row = values_by_key.setdefault((f"v{vehicle}", moment(second)), [None] * 3)
        for column, value in enumerate(values):
            row[column] = row[column] if value is None else value
    return values_by_key


@settings(deadline=None)
@given(PARTS)
def test_merging_agrees_with_a_merge_row_by_row(parts: list[Part]) -> None:
    result = merge(status_rows(parts)).select("vehicle", "time", "soc_pct", "locked", "flags").rows()
    assert {(vehicle, time): values for vehicle, time, *values in result} == merge_by_hand(parts)
    assert len(result) == len(merge_by_hand(parts))


@settings(deadline=None)
@given(PARTS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(parts: list[Part], order: random.Random) -> None:
    rows = status_rows(parts)
    indices = list(range(rows.height))
    order.shuffle(indices)
    assert_frame_equal(merge(rows), merge(rows[indices]))


@settings(deadline=None)
@given(PARTS)
def test_merging_twice_is_merging_once(parts: list[Part]) -> None:
    once = merge(status_rows(parts))
    assert_frame_equal(merge(once), once)


@settings(deadline=None)
@given(PARTS, st.integers(0, 12))
def test_rows_that_were_merged_before_the_rest_came_merge_to_the_same(parts: list[Part], cut: int) -> None:
    rows = status_rows(sorted(parts, key=lambda part: part[2]))
    early = merge(rows[:cut])
    assert_frame_equal(merge(pl.concat([early, rows[cut:]])), merge(rows))
