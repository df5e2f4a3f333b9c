"""Documents that a step takes apart, units that a document names, and times in every form."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from logger.decode.result import DecodeResult
from logger.envelope import Envelope
from logger.mapping import Band, Field, Rows, Shape
from tests.helpers.segway_pushes import decode_all, rows

RECEIVED = 1_767_268_800_000  # 2026-01-01T12:00Z [ms]
KM: Mapping[str, float | tuple[Band, ...]] = {"km": 1000, "mi": 1609.344, "": (Band(10, 1e6, 1000),)}
STATUS = (
    Field(path="way", to="odometer_m", unit_at="unit", units=KM),
    Field(path="charge", to="soc_pct"),
)
FIRMWARE = (Field(path="version", to="code"),)
TRIP = (
    Field(path="end", to="finished_at"),
    Field(path="length", to="distance_m", unit="km", scale=1000),
    Field(path="energy", to="energy_wh", unit="kWh", scale=1000),
)
SHAPE = Shape(
    "car",
    (),
    (),
    (
        Rows("status", "at", STATUS, server_time="asked"),
        Rows("event", "", FIRMWARE, {"kind": "firmware", "state": "appeared"}, first_seen=True),
        Rows("journal", "start", TRIP, history=True),
        Rows("location", "at", (Field(path="latitude", to="lat_deg"),), flag="position_untrusted"),
    ),
    identity="id",
    json=True,
    step="parts",
)


def parts(body: bytes) -> Iterable[Mapping[str, Any]]:
    document = json.loads(body)
    if "test" in document:
        raise ValueError("a test, not stored")
    return [{"id": document.get("id"), **part} for part in document["parts"]]


class Maker:
    """An account whose documents hold several parts."""

    provider, account_id, shapes, variants, steps = "maker", "", {"parts": SHAPE}, (), {"parts": parts}

    def is_known(self, vehicle: str) -> bool:
        return vehicle in ("a", "b")


def decode(*documents: dict[str, Any], at: int = RECEIVED) -> DecodeResult:
    bodies = [json.dumps(each).encode() for each in documents]
    envelopes = [Envelope("maker", "parts", at + 1000 * n, "push", body) for n, body in enumerate(bodies)]
    return decode_all(*envelopes, sources={"maker": Maker()})


def status(**part: Any) -> dict[str, Any]:
    (row,) = rows(decode({"id": "1", "parts": [{"car": "a", "at": RECEIVED, **part}]}), "status")
    return row


def test_the_parts_of_a_document_are_rows_of_their_own_vehicles_and_times() -> None:
    document = {"id": "1", "parts": [{"car": "a", "at": RECEIVED - 5000, "charge": 5}, {"car": "b", "charge": 6}]}
    result = decode(document)
    found = {row["vehicle"]: (row["soc_pct"], row["clock"]) for row in rows(result, "status")}
    assert found == {"a": (5, "device"), "b": (6, "received")}
    assert sorted(result.messages["vehicle"]) == ["a", "b"]


def test_an_unknown_vehicle_beside_a_known_one_puts_the_document_into_quarantine_and_stores_the_known_one() -> None:
    result = decode({"id": "1", "parts": [{"car": "x", "charge": 5}, {"car": "y"}, {"car": "a", "charge": 6}]})
    assert [row["vehicle"] for row in rows(result, "status")] == ["a"]
    (kept,) = rows(result, "quarantine")
    assert (kept["reason"], kept["vehicle"]) == ("unknown vehicle: car is not listed", "x")


def test_what_a_step_refuses_is_in_quarantine_with_its_reason_and_costs_no_other() -> None:
    result = decode({"test": True}, {"id": "2", "parts": [{"car": "a", "charge": 6}]})
    assert [row["reason"] for row in rows(result, "quarantine")] == ["a test, not stored"]
    assert len(rows(result, "status")) == 1


@pytest.mark.parametrize("body", [b"[]", b'{"parts": 5}', b'{"parts": [1]}', b"{", b"", b"\xff"])
def test_a_document_of_another_form_is_in_quarantine(body: bytes) -> None:
    result = decode_all(Envelope("maker", "parts", RECEIVED, "push", body), sources={"maker": Maker()})
    assert result.quarantined == 1


@pytest.mark.parametrize(("unit", "metres"), [("km", 50_000), ("KM", 50_000), ("mi", 80_467.2), (None, 50_000)])
def test_a_value_follows_the_unit_beside_it_in_any_case(unit: str | None, metres: float) -> None:
    row = status(way=50, unit=unit)
    assert (row["odometer_m"], row["flags"]) == (metres, None)


def test_a_value_of_an_unknown_unit_is_lost_and_flagged() -> None:
    row = status(way=50, unit="furlong")
    assert (row["odometer_m"], row["flags"]) == (None, ["unreadable:odometer_m"])


def test_a_value_outside_of_the_bands_of_its_unit_is_kept_as_it_came_and_flagged() -> None:
    row = status(way=5)
    assert (row["odometer_m"], row["flags"]) == (5, ["unit:odometer_m"])


@pytest.mark.parametrize("at", [RECEIVED // 1000, str(RECEIVED), "2026-01-01T12:00:00.000Z", "2026-01-01T14:00+02:00"])
def test_a_time_is_a_count_or_iso_8601_with_a_zone(at: Any) -> None:
    row = status(at=at, charge=5)
    assert (row["time"], row["clock"]) == (datetime(2026, 1, 1, 12, tzinfo=UTC), "device")


def test_a_time_without_a_zone_is_none() -> None:
    row = status(at="2026-01-01T11:00:00", charge=5)
    assert (row["clock"], row["flags"]) == ("received", ["time_missing"])


def test_the_servers_time_stands_in_for_a_missing_time_of_the_device() -> None:
    row = status(at=None, asked=RECEIVED - 7000, charge=5)
    assert (row["time"], row["clock"]) == (datetime(2026, 1, 1, 11, 59, 53, tzinfo=UTC), "server")


def test_what_a_vendor_repeats_stands_once_at_its_first_receipt() -> None:
    versions = ("1.0", "1.0", "1.1", "1.0")
    result = decode(*({"id": str(n), "parts": [{"car": "a", "version": v}]} for n, v in enumerate(versions)))
    events = {(row["code"], row["time"], row["flags"]) for row in map(hashable, rows(result, "event"))}
    first, third = (datetime.fromtimestamp(RECEIVED / 1000 + n, UTC) for n in (0, 2))
    assert events == {("1.0", first, None), ("1.1", third, None)}


def hashable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}


def test_messages_without_an_identity_and_a_time_are_not_taken_for_one() -> None:
    found = rows(decode(*({"parts": [{"car": "a", "charge": n}]} for n in range(3))), "status")
    assert len({row["time"] for row in found}) == 3


def test_a_journal_has_times_and_amounts_in_our_units() -> None:
    trip = {"car": "a", "start": RECEIVED - 3_600_000, "end": str(RECEIVED / 1000), "length": "12.5", "energy": 2}
    (row,) = rows(decode({"id": "1", "parts": [trip]}), "journal")
    assert (row["time"], row["finished_at"]) == (
        datetime(2026, 1, 1, 11, tzinfo=UTC),
        datetime(2026, 1, 1, 12, tzinfo=UTC),
    )
    assert (row["distance_m"], row["energy_wh"], row["flags"]) == (12_500, 2000, None)


def test_a_journal_may_tell_of_last_year_but_not_of_tomorrow() -> None:
    past, future = RECEIVED - 200 * 86_400_000, RECEIVED + 86_400_000
    trips = [{"car": "a", "start": start, "length": 1} for start in (past, future)]
    old, new = sorted(rows(decode({"id": "1", "parts": trips}), "journal"), key=lambda row: str(row["time"]))
    assert (old["time"].timestamp() * 1000, old["flags"]) == (past, None)
    assert (new["clock"], new["flags"]) == ("received", ["time_ahead"])


@pytest.mark.parametrize(("text", "flag"), [("soon", "unreadable:finished_at"), ("1e30", "unreadable:finished_at")])
def test_a_text_that_is_no_time_is_flagged(text: str, flag: str) -> None:
    (row,) = rows(decode({"id": "1", "parts": [{"car": "a", "start": RECEIVED, "end": text, "length": 1}]}), "journal")
    assert (row["finished_at"], row["flags"]) == (None, [flag])


def test_all_rows_of_a_kind_may_have_a_flag() -> None:
    (row,) = rows(decode({"id": "1", "parts": [{"car": "a", "at": RECEIVED, "latitude": 52}]}), "location")
    assert (row["lat_deg"], row["flags"]) == (52, ["position_untrusted"])
