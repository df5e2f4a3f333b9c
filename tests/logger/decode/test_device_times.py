"""The time of a row is the device's clock where it is usable, else the first receipt of its message."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from logger.decode.first_receipts import FirstReceipts
from logger.decode.row_times import AHEAD_MS, BEHIND_MS
from logger.errors import Retry
from tests.helpers.segway_pushes import (
    AT,
    OTHER,
    RECEIVED,
    Row,
    body,
    decode_all,
    envelope,
    row,
    rows,
)

DAY_MS = 86_400_000


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def seconds(milliseconds: int) -> str:
    """A device time as the vendor writes it."""
    return f"{milliseconds / 1000:.3f}"


@pytest.mark.parametrize("off", [0, 1, -1, AHEAD_MS, -BEHIND_MS, AHEAD_MS - 1, 1 - BEHIND_MS])
def test_a_device_time_up_to_the_limits_is_the_time(off: int) -> None:
    result = row("status", statusUtcTime=seconds(RECEIVED + off))
    assert (result["time"], result["clock"], result["flags"]) == (at(RECEIVED + off), "device", [])


@pytest.mark.parametrize(
    ("off", "flag"),
    [
        (AHEAD_MS + 1, "time_ahead"),
        (DAY_MS, "time_ahead"),
        (-BEHIND_MS - 1, "time_behind"),
        (-RECEIVED, "time_behind"),
        (-RECEIVED - 5000, "time_behind"),
    ],
)
def test_a_device_time_beyond_the_limits_is_replaced_by_the_receipt_and_flagged(off: int, flag: str) -> None:
    result = row("status", statusUtcTime=seconds(RECEIVED + off))
    assert (result["time"], result["received_at"], result["clock"]) == (at(RECEIVED), at(RECEIVED), "received")
    assert result["flags"] == [flag]
    assert result["odometer_m"] == 9000.0


def test_a_position_in_a_status_has_its_own_time() -> None:
    push = envelope("status", body("status", latitude="22.6", longitude="114.1", gpsUtcTime="1"))
    result = decode_all(push)
    (status,), (location,) = rows(result, "status"), rows(result, "location")
    assert (status["time"], status["clock"], status["flags"]) == (at(AT * 1000), "device", None)
    assert (location["time"], location["clock"], location["flags"]) == (at(RECEIVED), "received", ["time_behind"])


def rows_of_repeats(push: bytes, later_ms: Sequence[int], folder: Path, kind: str = "status") -> list[Row]:
    """The rows of this push and its repeats, received so much later and each decoded by a process of its own."""
    repeats = []
    for later in later_ms:
        with closing(FirstReceipts(folder)) as receipts:
            (result,) = rows(decode_all(envelope(kind, push, at=RECEIVED + later), receipts=receipts), kind)
        repeats.append(result)
    return repeats


@pytest.mark.parametrize(
    ("time", "later_ms"),
    [
        ("", 3 * DAY_MS),
        ("1", 3 * DAY_MS),
        ("4102444800", 3 * DAY_MS),
        (seconds(RECEIVED + DAY_MS), 50_000),
        (seconds(RECEIVED + AHEAD_MS + 1), 50_000),
        (seconds(RECEIVED - BEHIND_MS - 1), 3 * DAY_MS),
    ],
)
def test_a_repeat_of_a_message_whose_time_was_replaced_gets_the_same_time(
    time: str, later_ms: int, tmp_path: Path
) -> None:
    repeats = rows_of_repeats(body("status", statusUtcTime=time), (0, 5000, later_ms), tmp_path)
    assert [each["clock"] for each in repeats] == ["received"] * 3
    assert [each["time"] for each in repeats] == [at(RECEIVED)] * 3
    assert [each["received_at"] for each in repeats] == [at(RECEIVED + later) for later in (0, 5000, later_ms)]


def test_a_repeat_in_the_same_batch_gets_the_same_time(tmp_path: Path) -> None:
    push = body("status", statusUtcTime="1")
    with closing(FirstReceipts(tmp_path)) as receipts:
        pushes = [envelope("status", push, at=RECEIVED + later) for later in (0, 5000)]
        assert {each["time"] for each in rows(decode_all(*pushes, receipts=receipts), "status")} == {at(RECEIVED)}


@pytest.mark.parametrize(
    ("time", "clock"),
    [(seconds(RECEIVED + AHEAD_MS + 2000), "received"), (seconds(RECEIVED - BEHIND_MS + 2000), "device")],
)
def test_a_repeat_that_is_beyond_a_limit_unlike_the_first_gets_the_same_time_and_flag(
    time: str, clock: str, tmp_path: Path
) -> None:
    first, second = rows_of_repeats(body("status", statusUtcTime=time), (0, 5000), tmp_path)
    assert (first["time"], first["clock"], first["flags"]) == (second["time"], second["clock"], second["flags"])
    assert first["clock"] == clock


def test_another_message_another_vehicle_and_another_path_get_a_time_of_their_own(tmp_path: Path) -> None:
    fields = {"statusUtcTime": "1", "code": "2"}
    others = [
        envelope("alert", body("alert", without={"alertStatus"}, **fields), at=RECEIVED),
        envelope("alert", body("alert", without={"alertStatus"}, **fields, note="x"), at=RECEIVED + 1),
        envelope("alert", body("alert", without={"alertStatus"}, **fields, iotCode=OTHER), at=RECEIVED + 2),
        envelope("fault", body("alert", without={"alertStatus"}, **fields), at=RECEIVED + 3),
    ]
    with closing(FirstReceipts(tmp_path)) as receipts:
        result = rows(decode_all(*others, receipts=receipts), "event")
    assert [each["time"] for each in result] == [at(RECEIVED + later) for later in range(4)]


def test_a_signature_in_other_case_is_the_same_message(tmp_path: Path) -> None:
    push = body("status", statusUtcTime="1")
    head, signature = push[:-32], push[-32:]
    (first,) = rows_of_repeats(push, (0,), tmp_path)
    (second,) = rows_of_repeats(head + signature.upper(), (5000,), tmp_path)
    assert first["time"] == second["time"]


def test_receipts_that_cannot_be_written_stop_the_batch_and_quarantine_no_message(tmp_path: Path) -> None:
    odd = envelope("status", body("status", statusUtcTime="1"))
    with closing(FirstReceipts(tmp_path)) as receipts:
        with closing(sqlite3.connect(tmp_path / "replaced-times.db")) as other:
            other.execute("DROP TABLE seen")
        with pytest.raises(Retry, match="is the disk full or gone") as raised:
            decode_all(envelope("status", body("status")), odd, receipts=receipts)
        assert raised.value.after == 1.0


def test_receipts_that_cannot_be_read_stop_the_batch(tmp_path: Path) -> None:
    with closing(FirstReceipts(tmp_path)) as receipts:
        with closing(sqlite3.connect(tmp_path / "replaced-times.db")) as other:
            other.execute("ALTER TABLE seen RENAME COLUMN at TO other")
        with pytest.raises(Retry):
            receipts.remember(["a"], [1])
