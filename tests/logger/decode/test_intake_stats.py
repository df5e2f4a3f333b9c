"""Intake statistics count every message once and are the same however messages are split into batches."""

import statistics
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logger.decode.intake_stats import HOUR_MS, LATE_MS, IntakeStats
from logger.decode.result import MESSAGES, DecodeResult
from logger.stores.merge import merge_rows
from logger.tables import RAW
from tests.helpers.segway_pushes import AT, RECEIVED, VEHICLE, account, body, decode_all, envelope

HOUR = RECEIVED // HOUR_MS * HOUR_MS
Message = tuple[str, int, int | None, str]  # vehicle, received [ms], device [ms], identity


def when(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def batch_of(*messages: Message, first: int = 1) -> DecodeResult:
    """These as the readable messages of a batch, the first of which has this place in the spool."""
    lines = [
        (sequence, "moped", "segway", vehicle, received, device, identity)
        for sequence, (vehicle, received, device, identity) in enumerate(messages, first)
    ]
    return DecodeResult({}, pl.DataFrame(lines, schema=MESSAGES, orient="row"))


def intake_rows(*batches: DecodeResult) -> pl.DataFrame:
    """The rows of `intake` after these batches."""
    intake = IntakeStats()
    for each in batches:
        intake.add(each)
    return intake.changed_rows().sort("time", "vehicle")


def columns(intake: pl.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return intake.select(names).rows()


def test_there_is_a_row_per_vehicle_source_and_hour() -> None:
    intake = intake_rows(
        batch_of(("a", HOUR, HOUR, "1"), ("b", HOUR + 1, HOUR, "2"), ("a", HOUR + HOUR_MS, HOUR + HOUR_MS, "3"))
    )
    assert intake.schema == RAW["intake"].schema
    assert columns(intake, "provider", "vehicle", "source", "time", "received") == [
        ("segway", "a", "moped", when(HOUR), 1),
        ("segway", "b", "moped", when(HOUR), 1),
        ("segway", "a", "moped", when(HOUR + HOUR_MS), 1),
    ]
    assert columns(intake, "via", "clock", "flags") == [("push", "server", None)] * 3


def test_a_row_has_the_receipt_and_sequence_of_its_last_message() -> None:
    intake = intake_rows(batch_of(("a", HOUR, HOUR, "1"), ("b", HOUR + 5, HOUR, "2"), ("a", HOUR + 9, HOUR, "3")))
    assert columns(intake, "vehicle", "received_at", "sequence") == [("a", when(HOUR + 9), 3), ("b", when(HOUR + 5), 2)]


def test_a_message_that_comes_again_is_a_duplicate() -> None:
    intake = intake_rows(batch_of(*[("a", HOUR + at, HOUR, identity) for at, identity in enumerate("1211")]))
    assert columns(intake, "received", "duplicates") == [(4, 2)]


def test_a_message_that_comes_again_in_the_next_batch_is_a_duplicate() -> None:
    intake = intake_rows(batch_of(("a", HOUR, HOUR, "1")), batch_of(("a", HOUR + 5000, HOUR, "1"), first=2))
    assert columns(intake, "received", "duplicates") == [(2, 1)]


def test_a_message_is_late_more_than_a_minute_after_its_own_time() -> None:
    delays = (0, LATE_MS, LATE_MS + 1, -LATE_MS - 1, None)
    intake = intake_rows(
        batch_of(*[("a", HOUR, None if delay is None else HOUR - delay, f"{delay}") for delay in delays])
    )
    assert columns(intake, "received", "late") == [(5, 1)]


def test_the_median_counts_a_repeated_message_once_with_its_first_delay() -> None:
    intake = intake_rows(
        batch_of(
            ("a", HOUR + 1000, HOUR, "1"),
            ("a", HOUR + 2000, HOUR, "2"),
            ("a", HOUR + 9000, HOUR, "3"),
            ("a", HOUR + 20_000, HOUR, "3"),
            ("a", HOUR + 30_000, HOUR, "3"),
        )
    )
    assert columns(intake, "median_latency_s") == [(2.0,)]


def test_messages_without_a_device_time_have_no_latency() -> None:
    intake = intake_rows(batch_of(("a", HOUR, None, "1"), ("b", HOUR, None, "2"), ("b", HOUR + 500, HOUR, "3")))
    assert columns(intake, "vehicle", "received", "median_latency_s") == [("a", 1, None), ("b", 2, 0.5)]


def test_a_clock_that_is_off_by_decades_does_no_harm() -> None:
    intake = intake_rows(batch_of(("a", HOUR, 0, "1"), ("b", HOUR, 10**13, "2")))
    assert columns(intake, "late") == [(1,), (0,)]


def test_only_the_hours_that_changed_make_rows_again() -> None:
    intake = IntakeStats()
    intake.add(batch_of(("a", HOUR, HOUR, "1")))
    assert intake.changed_rows().height == 1
    assert intake.changed_rows().schema == RAW["intake"].schema
    assert intake.changed_rows().height == 0
    intake.add(batch_of(("a", HOUR + HOUR_MS, HOUR, "2"), first=2))
    assert columns(intake.changed_rows(), "time") == [(when(HOUR + HOUR_MS),)]


def test_the_newest_two_hours_stay_open_and_older_ones_are_forgotten() -> None:
    intake = IntakeStats()
    for hour in range(4):
        intake.add(batch_of(("a", HOUR + hour * HOUR_MS, HOUR, f"{hour}"), first=hour + 1))
        intake.changed_rows()
    assert sorted(intake._hours) == [HOUR + 2 * HOUR_MS, HOUR + 3 * HOUR_MS]
    intake.add(batch_of(("a", HOUR + 3 * HOUR_MS - 1, HOUR, "late"), first=9))
    assert columns(intake.changed_rows(), "time", "received") == [(when(HOUR + 2 * HOUR_MS), 2)]


def test_an_hour_whose_rows_were_not_taken_yet_is_not_forgotten() -> None:
    intake = IntakeStats()
    for hour in range(4):
        intake.add(batch_of(("a", HOUR + hour * HOUR_MS, HOUR, f"{hour}"), first=hour + 1))
    assert intake.changed_rows()["received"].to_list() == [1, 1, 1, 1]


def test_each_readable_push_is_counted_once_however_many_rows_it_makes() -> None:
    position = {"latitude": "22.6", "longitude": "114.1", "gpsUtcTime": f"{AT}"}
    result = decode_all(
        envelope("status", body("status", **position)),
        envelope("status", body("status", **position), at=RECEIVED + 5000),
        envelope("location", body("location")),
        envelope("location", body("location", iotCode="861477038719118")),
        envelope("fault", body("fault", statusUtcTime=f"{AT - 100}")),
        sources={"moped": account()},
    )
    intake = intake_rows(result)
    assert columns(intake, "vehicle", "received", "duplicates", "late", "median_latency_s") == [(VEHICLE, 4, 1, 1, 1.5)]


# ---- properties ----------------------------------------------------------------------------------------------------

MESSAGES_OF_THREE_HOURS = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.integers(HOUR, HOUR + 3 * HOUR_MS - 1),
        st.none() | st.integers(HOUR - 2 * LATE_MS, HOUR + HOUR_MS),
        st.sampled_from("12345"),
    ),
    max_size=15,
).map(lambda messages: sorted(messages, key=lambda message: message[1]))


def by_hand(messages: list[Message]) -> list[tuple[Any, ...]]:
    """The statistics without polars."""
    groups: dict[tuple[datetime, str], list[Message]] = defaultdict(list)
    for message in messages:
        groups[when(message[1] // HOUR_MS * HOUR_MS), message[0]].append(message)
    rows = []
    for (hour, vehicle), group in sorted(groups.items()):
        first = {identity: (received, device) for _, received, device, identity in reversed(group)}
        delays = [received - device for received, device in first.values() if device is not None]
        late = sum(device is not None and received - device > LATE_MS for _, received, device, _ in group)
        median = statistics.median(delays) / 1000 if delays else None
        rows.append((hour, vehicle, len(group), len(group) - len(first), late, median))
    return rows


@settings(deadline=None)
@given(MESSAGES_OF_THREE_HOURS)
def test_the_statistics_are_right(messages: list[Message]) -> None:
    intake = intake_rows(batch_of(*messages))
    assert columns(intake, "time", "vehicle", "received", "duplicates", "late", "median_latency_s") == by_hand(messages)


@settings(deadline=None)
@given(MESSAGES_OF_THREE_HOURS, st.lists(st.integers(0, 15), max_size=4))
def test_the_statistics_are_the_same_however_the_messages_are_split(messages: list[Message], cuts: list[int]) -> None:
    ends = [0, *sorted(cut for cut in cuts if cut < len(messages)), len(messages)]
    intake, written = IntakeStats(), [intake_rows(batch_of())]
    for start, stop in pairwise(ends):
        intake.add(batch_of(*messages[start:stop], first=start + 1))
        written.append(intake.changed_rows())
    key = RAW["intake"].key
    stored = merge_rows(pl.concat(written).lazy(), key).collect().sort(key)
    assert_frame_equal(stored, intake_rows(batch_of(*messages)).sort(key))
