import io
import sqlite3
import tempfile
from collections.abc import Sequence
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
from logger.decode.messages import AHEAD_MS, BEHIND_MS, decode
from logger.decode.odometer_check import OdometerCheck
from logger.decode.result import DecodeResult, merge_results
from logger.envelope import Batch, Envelope
from logger.errors import Retry
from tests.helpers.segway_pushes import (
    AT,
    IDS,
    OTHER,
    RECEIVED,
    SAMPLES,
    VEHICLE,
    Row,
    account,
    batch,
    body,
    decode_all,
    envelope,
    form,
    reason,
    row,
    rows,
)

STRANGER = "861477038719118"
DAY_MS = 86_400_000


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def seconds(milliseconds: int) -> str:
    """A device time as the vendor writes it."""
    return f"{milliseconds / 1000:.3f}"


# ---- what cannot be used is set aside, and only that ---------------------------------------------------------------


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
def test_a_message_of_no_use_is_kept_as_it_came_with_the_reason(kind: str, content: bytes, why: str) -> None:
    assert reason(kind, content) == why


@pytest.mark.parametrize("content", [b"\xff\xfe", b"iotCode=%ff", b"iotCode=\xc3&a=1", b"%c3%28=1"])
def test_a_body_that_is_no_utf_8_is_kept_as_it_came(content: bytes) -> None:
    assert reason("status", content).startswith("not a form in UTF-8: 'utf-8' codec can't decode")


def test_a_message_of_an_unknown_source_is_kept_as_it_came() -> None:
    (found,) = rows(decode_all(envelope("status", body("status"), source="gone")), "quarantine")
    assert (found["reason"], found["source"], found["path"]) == (
        "source 'gone' is not in the settings",
        "gone",
        "status",
    )
    assert (found["provider"], found["vehicle"], found["body"]) == ("none", "none", body("status"))


def test_quarantine_says_whose_message_it_was_and_when_it_came() -> None:
    (found,) = rows(decode_all(envelope("status", body("status", iotCode=STRANGER))), "quarantine")
    assert (found["provider"], found["vehicle"], found["via"], found["clock"]) == (
        "segway",
        STRANGER,
        "push",
        "received",
    )
    assert found["time"] == found["received_at"] == at(RECEIVED)


def test_one_body_of_no_use_is_one_message_however_often_it_comes() -> None:
    odd = [envelope("status", body("status", iotCode=each)) for each in (STRANGER, STRANGER, VEHICLE[:-1])]
    found = rows(decode_all(*odd), "quarantine")
    assert [each["message"] == found[0]["message"] for each in found] == [True, True, False]


def test_the_others_of_the_batch_arrive() -> None:
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
    assert {name: found.height for name, found in result.rows.items()} == {
        "status": 2,
        "location": 1,
        "event": 3,
        "quarantine": 6,
    }
    assert result.quarantined == 6
    assert result.rows["quarantine"].sort("sequence")["body"].to_list() == [each.body for each in bad]
    assert sorted(result.messages["sequence"].to_list()) == [2, 4, 6, 8, 10, 12]


def test_nothing_comes_of_nothing() -> None:
    result = decode_all()
    assert (result.rows, result.messages.height, result.quarantined) == ({}, 0, 0)


class Touchy:
    """An account whose decoder stumbles over one vehicle."""

    provider = "segway"

    def __init__(self, error: BaseException) -> None:
        moped = account()
        self.bound, self.shapes, self.variants, self._error = moped.bound, moped.shapes, moped.variants, error

    def is_known(self, vehicle: str) -> bool:
        if vehicle == STRANGER:
            raise self._error
        return True


@pytest.mark.parametrize("error", [RuntimeError("stumbled"), pl.exceptions.PanicException("stumbled")])
@pytest.mark.parametrize("place", [0, 37, 99])
def test_a_decoder_that_fails_on_one_message_in_a_hundred_costs_that_one(error: BaseException, place: int) -> None:
    pushes = [envelope("status", body("status", iotCode=STRANGER if n == place else VEHICLE)) for n in range(100)]
    result = decode_all(*pushes, sources={"moped": Touchy(error)})
    assert result.rows["status"].sort("sequence")["sequence"].to_list() == [n for n in range(1, 101) if n != place + 1]
    (found,) = rows(result, "quarantine")
    assert (found["sequence"], found["body"]) == (place + 1, pushes[place].body)
    assert found["reason"] == f"decoder failed: {type(error).__name__}: stumbled"


def test_a_decoder_that_fails_on_every_message_loses_none() -> None:
    pushes = [envelope("status", body("status", iotCode=STRANGER)) for _ in range(9)]
    result = decode_all(*pushes, sources={"moped": Touchy(RuntimeError("stumbled"))})
    assert list(result.rows) == ["quarantine"]
    assert result.quarantined == 9


# ---- times ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("off", [0, 1, -1, AHEAD_MS, -BEHIND_MS, AHEAD_MS - 1, 1 - BEHIND_MS])
def test_a_device_time_up_to_the_bounds_is_the_time(off: int) -> None:
    got = row("status", statusUtcTime=seconds(RECEIVED + off))
    assert (got["time"], got["clock"], got["flags"]) == (at(RECEIVED + off), "device", [])


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
def test_a_device_time_beyond_the_bounds_is_replaced_by_the_receipt_and_flagged(off: int, flag: str) -> None:
    got = row("status", statusUtcTime=seconds(RECEIVED + off))
    assert (got["time"], got["received_at"], got["clock"]) == (at(RECEIVED), at(RECEIVED), "received")
    assert got["flags"] == [flag]
    assert got["odometer_m"] == 9000.0


def test_a_position_in_a_status_has_its_own_time() -> None:
    push = envelope("status", body("status", latitude="22.6", longitude="114.1", gpsUtcTime="1"))
    result = decode_all(push)
    (status,), (location,) = rows(result, "status"), rows(result, "location")
    assert (status["time"], status["clock"], status["flags"]) == (at(AT * 1000), "device", None)
    assert (location["time"], location["clock"], location["flags"]) == (at(RECEIVED), "received", ["time_behind"])


def received_at(push: bytes, later_ms: Sequence[int], folder: Path, kind: str = "status") -> list[Row]:
    """The rows of this push and its repeats, each decoded by a process of its own."""
    found = []
    for later in later_ms:
        with closing(FirstReceipts(folder)) as receipts:
            (got,) = rows(decode_all(envelope(kind, push, at=RECEIVED + later), receipts=receipts), kind)
        found.append(got)
    return found


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
    found = received_at(body("status", statusUtcTime=time), (0, 5000, later_ms), tmp_path)
    assert [each["clock"] for each in found] == ["received"] * 3
    assert [each["time"] for each in found] == [at(RECEIVED)] * 3
    assert [each["received_at"] for each in found] == [at(RECEIVED + later) for later in (0, 5000, later_ms)]


def test_a_repeat_in_the_same_batch_gets_the_same_time(tmp_path: Path) -> None:
    push = body("status", statusUtcTime="1")
    with closing(FirstReceipts(tmp_path)) as receipts:
        pushes = [envelope("status", push, at=RECEIVED + later) for later in (0, 5000)]
        assert {each["time"] for each in rows(decode_all(*pushes, receipts=receipts), "status")} == {at(RECEIVED)}


@pytest.mark.parametrize(
    ("time", "clock"),
    [(seconds(RECEIVED + AHEAD_MS + 2000), "received"), (seconds(RECEIVED - BEHIND_MS + 2000), "device")],
)
def test_a_repeat_that_comes_on_the_other_side_of_a_bound_is_judged_like_the_first(
    time: str, clock: str, tmp_path: Path
) -> None:
    first, second = received_at(body("status", statusUtcTime=time), (0, 5000), tmp_path)
    assert (first["time"], first["clock"], first["flags"]) == (second["time"], second["clock"], second["flags"])
    assert first["clock"] == clock


def test_another_message_another_vehicle_and_another_path_get_a_time_of_their_own(tmp_path: Path) -> None:
    told = {"statusUtcTime": "1", "code": "2"}
    others = [
        envelope("alert", body("alert", without={"alertStatus"}, **told), at=RECEIVED),
        envelope("alert", body("alert", without={"alertStatus"}, **told, note="x"), at=RECEIVED + 1),
        envelope("alert", body("alert", without={"alertStatus"}, **told, iotCode=OTHER), at=RECEIVED + 2),
        envelope("fault", body("alert", without={"alertStatus"}, **told), at=RECEIVED + 3),
    ]
    with closing(FirstReceipts(tmp_path)) as receipts:
        got = rows(decode_all(*others, receipts=receipts), "event")
    assert [each["time"] for each in got] == [at(RECEIVED + later) for later in range(4)]


def test_the_case_of_the_signature_makes_no_other_message(tmp_path: Path) -> None:
    push = body("status", statusUtcTime="1")
    head, signature = push[:-32], push[-32:]
    (first,) = received_at(push, (0,), tmp_path)
    (second,) = received_at(head + signature.upper(), (5000,), tmp_path)
    assert first["time"] == second["time"]


def test_a_memory_that_cannot_write_holds_up_the_batch_and_condemns_no_message(tmp_path: Path) -> None:
    odd = envelope("status", body("status", statusUtcTime="1"))
    with closing(FirstReceipts(tmp_path)) as receipts:
        with closing(sqlite3.connect(tmp_path / "replaced-times.db")) as other:
            other.execute("DROP TABLE seen")
        with pytest.raises(Retry, match="is the disk full or gone") as found:
            decode_all(envelope("status", body("status")), odd, receipts=receipts)
        assert found.value.after == 1.0


def test_a_memory_that_lost_what_it_wrote_holds_up_the_batch(tmp_path: Path) -> None:
    with closing(FirstReceipts(tmp_path)) as receipts:
        with closing(sqlite3.connect(tmp_path / "replaced-times.db")) as other:
            other.execute("ALTER TABLE seen RENAME COLUMN at TO other")
        with pytest.raises(Retry):
            receipts.remember(["a"], [1])


# ---- values --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "name", "text", "signal"),
    [
        ("status", "powerPercent", "101", "soc_pct"),
        ("status", "powerPercent", "-1", "soc_pct"),
        ("status", "powerPercent", "nan", "soc_pct"),
        ("status", "speed", "301", "speed_kmh"),
        ("status", "odometer", "1e11", "odometer_m"),
        ("status", "odometer", "inf", "odometer_m"),
        ("status", "speedMode", "16", "ride_mode"),
        ("status", "networkSignal", "100", "network_signal"),
        ("location", "latitude", "90.1", "lat_deg"),
        ("location", "longitude", "-180.1", "lon_deg"),
        ("location", "altitude", "9001", "altitude_m"),
        ("location", "hdop", "100.5", "hdop"),
        ("location", "satelliteNumber", "-1", "satellites"),
    ],
)
def test_an_implausible_value_becomes_null_and_is_flagged(kind: str, name: str, text: str, signal: str) -> None:
    usual, got = row(kind), row(kind, **{name: text})
    assert (got.pop(signal), got.pop("flags")) == (None, [f"implausible:{signal}"])
    assert got == {key: value for key, value in usual.items() if key not in (signal, "flags")}


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("100", 100.0), ("80.5", 80.5), (" 80 ", 80.0), ("1e1", 10.0)])
def test_the_ends_of_a_range_are_plausible(text: str, value: float) -> None:
    got = row("status", powerPercent=text)
    assert (got["soc_pct"], got["flags"]) == (value, [])


@pytest.mark.parametrize("text", ["eighty", "80%", "0x50", "8_0", "80,5", "1 2", "٨٠", "--", "true"])
def test_a_text_that_is_no_number_becomes_null_and_is_flagged(text: str) -> None:
    got = row("status", powerPercent=text)
    assert (got["soc_pct"], got["flags"]) == (None, ["unreadable:soc_pct"])


@pytest.mark.parametrize("text", ["22.5", "1e300", "nan", "inf", "-0.1"])
def test_a_count_that_is_no_whole_number_is_unreadable(text: str) -> None:
    got = row("status", networkSignal=text)
    assert (got["network_signal"], got["flags"]) == (None, ["unreadable:network_signal"])


def test_a_count_may_be_written_with_a_point() -> None:
    assert row("status", networkSignal="22.0")["network_signal"] == 22


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_a_blank_is_null_and_no_fault(text: str) -> None:
    got = row("status", powerPercent=text, networkSignal=text, speedMode=text, lockVoltage=text)
    assert [got[name] for name in ("soc_pct", "network_signal", "ride_mode", "lock_voltage_v")] == [None] * 4
    assert got["flags"] == []


def test_flags_are_sorted_and_stand_once() -> None:
    got = row("status", speed="400", powerPercent="x", lockVoltage="1500", statusUtcTime="1", remainderRange="1")
    assert got["flags"] == [
        "differ:range_m",
        "implausible:lock_voltage_v",
        "implausible:speed_kmh",
        "time_behind",
        "unit:lock_voltage_v",
        "unreadable:soc_pct",
    ]


# ---- odometers -----------------------------------------------------------------------------------------------------


def ride(*readings: tuple[int, int], vehicle: str = VEHICLE) -> pl.DataFrame:
    """Rows of `status` with these (second, odometer)."""
    pushes = [
        envelope("status", body("status", iotCode=vehicle, statusUtcTime=f"{AT + second}", odometer=f"{metres}"))
        for second, metres in readings
    ]
    return decode_all(*pushes).rows["status"]


def flags(found: pl.DataFrame) -> list[list[str] | None]:
    return found["flags"].to_list()


def test_an_odometer_that_goes_back_or_jumps_is_kept_and_flagged() -> None:
    status = ride((0, 9000), (10, 9100), (20, 9050), (30, 99_000), (40, 99_100))
    found = OdometerCheck(status.clear()).check(status)
    assert found.drop("flags").equals(status.drop("flags"))
    assert flags(found) == [None, None, ["odometer_back"], ["odometer_jump"], None]


def test_an_odometer_is_held_against_the_last_row_of_the_store() -> None:
    odometers = OdometerCheck(ride((0, 9000)))
    assert flags(odometers.check(ride((10, 8999)))) == [["odometer_back"]]
    assert flags(odometers.check(ride((10, 9001)))) == [None]
    assert flags(odometers.check(ride((-10, 8000)))) == [None]


def test_readings_count_once_they_are_delivered() -> None:
    odometers = OdometerCheck(ride((0, 9000)))
    for _ in range(2):
        assert flags(odometers.check(ride((10, 9100)))) == [None]
    odometers.commit()
    assert flags(odometers.check(ride((20, 9050)))) == [["odometer_back"]]


def test_a_reading_that_comes_late_is_let_be_and_nothing_is_held_against_it() -> None:
    status = ride((0, 9000), (20, 9200), (10, 9100), (15, 9300), (30, 9250))
    assert flags(OdometerCheck(status.clear()).check(status)) == [None] * 5


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from((9000, 9020, 9040, 99_000))), min_size=1, max_size=8),
    st.sets(st.integers(1, 7)),
)
def test_the_flags_are_the_same_however_the_messages_are_split(readings: list[tuple[int, int]], cuts: set[int]) -> None:
    status = ride(*readings)
    odometers, found = OdometerCheck(status.clear()), []
    ends = [0, *sorted(cut for cut in cuts if cut < status.height), status.height]
    for start, stop in pairwise(ends):
        found += flags(odometers.check(status[start:stop]))
        odometers.commit()
    assert found == flags(OdometerCheck(status.clear()).check(status))


def test_vehicles_do_not_mix_their_odometers() -> None:
    status = pl.concat([ride((0, 9000)), ride((10, 50), vehicle=OTHER).with_columns(sequence=pl.lit(2, pl.Int64))])
    assert flags(OdometerCheck(status.clear()).check(status)) == [None, None]


def test_a_flag_of_the_odometer_joins_the_others() -> None:
    status = decode_all(
        envelope("status", body("status")),
        envelope("status", body("status", odometer="8000", statusUtcTime=f"{AT + 1}", speed="400")),
    ).rows["status"]
    assert flags(OdometerCheck(status.clear()).check(status))[1] == ["implausible:speed_kmh", "odometer_back"]


def test_one_odd_reading_of_an_imported_file_flags_that_row_alone() -> None:
    status = decode_all(imported(odometer_m=[1.0, 2.0, 1.0, 3.0])).rows["status"]
    assert flags(OdometerCheck(status.clear()).check(status)) == [None, None, ["odometer_back"], None]


# ---- messages of our own -------------------------------------------------------------------------------------------


def imported(**columns: list[float]) -> Envelope:
    """A slice of a file, a row a second."""
    buffer = io.BytesIO()
    height = len(next(iter(columns.values())))
    times = pl.Series([at(RECEIVED + 1000 * each) for each in range(height)], dtype=pl.Datetime("ms", "UTC"))
    pl.DataFrame(
        {"provider": ["import"] * height, "vehicle": ["van"] * height, "time": times, **columns}
    ).write_parquet(buffer)
    return Envelope("import", "rows", RECEIVED, "import", buffer.getvalue())


def test_an_imported_slice_is_split_over_the_tables_of_its_columns() -> None:
    result = decode_all(imported(soc_pct=[50.0, 101.0], lat_deg=[0.0, 48.0], lon_deg=[0.0, 11.0]))
    assert sorted(result.rows) == ["location", "status"]
    assert [(each["soc_pct"], each["flags"]) for each in rows(result, "status")] == [
        (50.0, None),
        (None, ["implausible:soc_pct"]),
    ]
    places = [(each["lat_deg"], each["fix_valid"], each["flags"]) for each in rows(result, "location")]
    assert places == [(None, False, ["null_island"]), (48.0, None, None)]
    assert {each["clock"] for each in rows(result, "status")} == {"device"}


def test_an_imported_slice_that_is_no_parquet_is_set_aside() -> None:
    broken = Envelope("import", "rows", RECEIVED, "import", b"PAR1 no more")
    result = decode_all(broken, imported(soc_pct=[50.0]))
    assert (result.rows["status"].height, result.quarantined) == (1, 1)
    assert rows(result, "quarantine")[0]["reason"].startswith("decoder failed: ComputeError: parquet: ")


def test_a_heartbeat_is_a_row_of_nobody() -> None:
    (found,) = rows(decode_all(Envelope("collector", "heartbeat", RECEIVED, "push", b"")), "collector")
    assert (found["provider"], found["vehicle"], found["time"], found["clock"]) == (
        "none",
        "none",
        at(RECEIVED),
        "server",
    )


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
    for name, found in whole.rows.items():
        assert_frame_equal(found.sort("sequence"), parts.rows[name].sort("sequence"))
    assert_frame_equal(whole.messages.sort("sequence"), parts.messages.sort("sequence"))


@settings(max_examples=50, deadline=None)
@given(BATCHES)
def test_every_message_is_either_read_or_set_aside(pushes: list[Envelope]) -> None:
    result = decode_all(*pushes)
    aside = [each["sequence"] for each in rows(result, "quarantine")]
    assert sorted(result.messages["sequence"].to_list() + aside) == list(range(1, len(pushes) + 1))
    for found in rows(result, "quarantine"):
        assert found["body"] == pushes[found["sequence"] - 1].body
