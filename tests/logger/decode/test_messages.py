"""A message that cannot be read is in quarantine; no other message of its batch is affected."""

import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logger.decode.first_receipts import FirstReceipts
from logger.decode.messages import decode
from logger.decode.result import DecodeResult, merge_results
from logger.envelope import Batch, Envelope
from tests.helpers.segway_pushes import (
    AT,
    IDS,
    OTHER,
    RECEIVED,
    SAMPLES,
    VEHICLE,
    account,
    batch,
    body,
    decode_all,
    envelope,
    form,
    reason,
    rows,
)

STRANGER = "861477038719118"


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


@pytest.mark.parametrize(
    ("kind", "content", "why"),
    [
        ("status", body("status", iotCode=STRANGER), "unknown vehicle: iotCode is not listed"),
        ("status", body("status", iotCode=VEHICLE[:-1]), "unknown vehicle: iotCode is not listed"),
        ("status", body("status", without={"iotCode"}), "unknown vehicle: iotCode is not listed"),
        ("status", body("status", platformCode="E20081"), "platformCode is not the account's"),
        ("status", body("status", platformCode=""), "platformCode is not the account's"),
        ("status", body("status", without={"platformCode"}), "platformCode is not the account's"),
        ("status", body("location"), "lacks statusUtcTime"),
        ("location", body("status"), "lacks gpsUtcTime or gpsUTCTime or locationStatus"),
        ("location", body("location", faultStatus="0"), "faultStatus belongs to another path"),
        ("alert", body("fault"), "faultStatus belongs to another path"),
        ("fault", body("alert"), "alertStatus belongs to another path"),
        ("components", body("alert"), "lacks type"),
        ("nonsense", body("status"), "segway has no message 'nonsense'"),
        ("", b"", "segway has no message ''"),
    ],
)
def test_a_message_that_cannot_be_used_is_quarantined_with_the_reason(kind: str, content: bytes, why: str) -> None:
    assert reason(kind, content) == why


@pytest.mark.parametrize("content", [b"\xff\xfe", b"iotCode=%ff", b"iotCode=\xc3&a=1", b"%c3%28=1"])
def test_a_body_that_is_no_utf_8_is_quarantined_as_it_came(content: bytes) -> None:
    assert reason("status", content).startswith("not a form in UTF-8: 'utf-8' codec can't decode")


def test_a_message_of_an_unknown_source_is_quarantined_as_it_came() -> None:
    (message,) = rows(decode_all(envelope("status", body("status"), source="gone")), "quarantine")
    assert (message["reason"], message["source"], message["path"]) == (
        "source 'gone' is not in the settings",
        "gone",
        "status",
    )
    assert (message["provider"], message["vehicle"], message["body"]) == ("none", "none", body("status"))


def test_a_quarantined_message_has_its_vehicle_and_time_of_receipt() -> None:
    (message,) = rows(decode_all(envelope("status", body("status", iotCode=STRANGER))), "quarantine")
    assert (message["provider"], message["vehicle"], message["via"], message["clock"]) == (
        "segway",
        STRANGER,
        "push",
        "received",
    )
    assert message["time"] == message["received_at"] == at(RECEIVED)


def test_a_quarantined_body_is_one_message_however_often_it_comes() -> None:
    odd = [envelope("status", body("status", iotCode=each)) for each in (STRANGER, STRANGER, VEHICLE[:-1])]
    messages = rows(decode_all(*odd), "quarantine")
    assert [each["message"] == messages[0]["message"] for each in messages] == [True, True, False]


def test_quarantined_messages_affect_no_other_message_of_the_batch() -> None:
    good = [envelope(kind, body(kind)) for kind in SAMPLES]
    bad = [
        envelope("status", body("status", iotCode=STRANGER)),
        envelope("status", b"\xff"),
        envelope("location", body("status")),
        envelope("status", body("status"), source="gone"),
        envelope("nonsense", body("status")),
        envelope("fault", b""),
    ]
    mixed = [each for pair in zip(bad, [*good, good[0]], strict=True) for each in pair]
    result = decode_all(*mixed)
    assert {name: table.height for name, table in result.rows.items()} == {
        "status": 2,
        "location": 1,
        "event": 3,
        "quarantine": 6,
    }
    assert result.quarantined == 6
    assert result.rows["quarantine"].sort("sequence")["body"].to_list() == [each.body for each in bad]
    assert sorted(result.messages["sequence"].to_list()) == [2, 4, 6, 8, 10, 12]


def test_an_empty_batch_makes_no_rows() -> None:
    result = decode_all()
    assert (result.rows, result.messages.height, result.quarantined) == ({}, 0, 0)


class FailingAccount:
    """An account whose decoder raises an error for one vehicle."""

    provider = "segway"

    def __init__(self, error: BaseException) -> None:
        moped = account()
        self.account_id, self.shapes, self.variants = moped.account_id, moped.shapes, moped.variants
        self.steps, self._error = moped.steps, error

    def is_known(self, vehicle: str) -> bool:
        if vehicle == STRANGER:
            raise self._error
        return True


@pytest.mark.parametrize("error", [RuntimeError("failed"), pl.exceptions.PanicException("failed")])
@pytest.mark.parametrize("place", [0, 37, 99])
def test_a_decoder_that_fails_on_one_message_in_a_hundred_costs_that_one(error: BaseException, place: int) -> None:
    pushes = [envelope("status", body("status", iotCode=STRANGER if n == place else VEHICLE)) for n in range(100)]
    result = decode_all(*pushes, sources={"moped": FailingAccount(error)})
    assert result.rows["status"].sort("sequence")["sequence"].to_list() == [n for n in range(1, 101) if n != place + 1]
    (message,) = rows(result, "quarantine")
    assert (message["sequence"], message["body"]) == (place + 1, pushes[place].body)
    assert message["reason"] == f"decoder failed: {type(error).__name__}: failed"


def test_a_decoder_that_fails_on_every_message_loses_none() -> None:
    pushes = [envelope("status", body("status", iotCode=STRANGER)) for _ in range(9)]
    result = decode_all(*pushes, sources={"moped": FailingAccount(RuntimeError("failed"))})
    assert list(result.rows) == ["quarantine"]
    assert result.quarantined == 9


# ---- batches -------------------------------------------------------------------------------------------------------

TIMES = ["", "1", f"{AT}", f"{AT}500", f"{AT + 601}", f"{AT + 605}", f"{AT - 30 * 86400 + 3}", f"{AT + 86400}"]
ODD = [b"", b"\xff", b"iotCode", b"a=1&&", b"%", form({**IDS, "statusUtcTime": "1"})]
MESSAGES = st.one_of(
    st.builds(
        lambda kind, vehicle, time, code: (
            kind,
            body(kind, iotCode=vehicle, statusUtcTime=time, gpsUtcTime=time, code=code, latitude="0", longitude=code),
        ),
        st.sampled_from(list(SAMPLES)),
        st.sampled_from([VEHICLE, OTHER, STRANGER]),
        st.sampled_from(TIMES),
        st.sampled_from(["", "0", "7"]),
    ),
    st.tuples(st.sampled_from([*SAMPLES, "nonsense"]), st.sampled_from(ODD)),
)
BATCHES = st.lists(
    st.builds(
        lambda message, later, source: envelope(message[0], message[1], at=RECEIVED + later, source=source),
        MESSAGES,
        st.integers(0, 8000),
        st.sampled_from(["moped"] * 8 + ["gone"]),
    ),
    max_size=20,
)


def in_parts(whole: Batch, cuts: list[int]) -> DecodeResult:
    """The same batch decoded in parts, one after the other."""
    ends = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    with tempfile.TemporaryDirectory() as folder, closing(FirstReceipts(Path(folder))) as receipts:
        parts = [whole.part(start, stop) for start, stop in pairwise(ends)]
        return merge_results([decode(part, {"moped": account()}, receipts) for part in parts])


@settings(max_examples=50, deadline=None)
@given(BATCHES, st.lists(st.integers(0, 20), max_size=5))
def test_the_result_is_the_same_however_the_batch_is_split(pushes: list[Envelope], cuts: list[int]) -> None:
    whole, parts = in_parts(batch(*pushes), []), in_parts(batch(*pushes), cuts)
    assert sorted(whole.rows) == sorted(parts.rows)
    for name, table in whole.rows.items():
        assert_frame_equal(table.sort("sequence"), parts.rows[name].sort("sequence"))
    assert_frame_equal(whole.messages.sort("sequence"), parts.messages.sort("sequence"))


@settings(max_examples=50, deadline=None)
@given(BATCHES)
def test_every_message_is_either_read_or_quarantined(pushes: list[Envelope]) -> None:
    result = decode_all(*pushes)
    quarantined = [each["sequence"] for each in rows(result, "quarantine")]
    assert sorted(result.messages["sequence"].to_list() + quarantined) == list(range(1, len(pushes) + 1))
    for message in rows(result, "quarantine"):
        assert message["body"] == pushes[message["sequence"] - 1].body
