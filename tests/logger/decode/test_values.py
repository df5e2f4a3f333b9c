"""A field that cannot be used becomes null, with a flag; all other fields of the message stay."""

import pytest

from tests.helpers.segway_pushes import (
    row,
)


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
    usual, result = row(kind), row(kind, **{name: text})
    assert (result.pop(signal), result.pop("flags")) == (None, [f"implausible:{signal}"])
    assert result == {key: value for key, value in usual.items() if key not in (signal, "flags")}


@pytest.mark.parametrize(("text", "value"), [("0", 0.0), ("100", 100.0), ("80.5", 80.5), (" 80 ", 80.0), ("1e1", 10.0)])
def test_the_ends_of_a_range_are_plausible(text: str, value: float) -> None:
    result = row("status", powerPercent=text)
    assert (result["soc_pct"], result["flags"]) == (value, [])


@pytest.mark.parametrize("text", ["eighty", "80%", "0x50", "8_0", "80,5", "1 2", "٨٠", "--", "true"])
def test_a_text_that_is_no_number_becomes_null_and_is_flagged(text: str) -> None:
    result = row("status", powerPercent=text)
    assert (result["soc_pct"], result["flags"]) == (None, ["unreadable:soc_pct"])


@pytest.mark.parametrize("text", ["22.5", "1e300", "nan", "inf", "-0.1"])
def test_a_count_that_is_no_whole_number_is_unreadable(text: str) -> None:
    result = row("status", networkSignal=text)
    assert (result["network_signal"], result["flags"]) == (None, ["unreadable:network_signal"])


def test_a_count_may_be_written_with_a_point() -> None:
    assert row("status", networkSignal="22.0")["network_signal"] == 22


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_a_blank_is_null_without_a_flag(text: str) -> None:
    result = row("status", powerPercent=text, networkSignal=text, speedMode=text, lockVoltage=text)
    assert [result[name] for name in ("soc_pct", "network_signal", "ride_mode", "lock_voltage_v")] == [None] * 4
    assert result["flags"] == []


def test_flags_are_sorted_and_unique() -> None:
    result = row("status", speed="400", powerPercent="x", lockVoltage="1500", statusUtcTime="1", remainderRange="1")
    assert result["flags"] == [
        "differ:range_m",
        "implausible:lock_voltage_v",
        "implausible:speed_kmh",
        "time_behind",
        "unit:lock_voltage_v",
        "unreadable:soc_pct",
    ]
