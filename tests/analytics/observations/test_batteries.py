"""Rows of packs, batteries and events: the same whatever order they came in, at times that are corrected."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.batteries import batteries, events, packs
from analytics.schemas import BATTERIES, EVENTS, PACKS
from logger.tables import shaped
from tests.analytics.hand import at

OFF_S = 3600  # a clock that is an hour behind


def pack(minute: int, port: str, soc: float | None) -> dict[str, Any]:
    who = {"provider": "p", "vehicle": "a", "clock": "server", "via": "poll"}
    return {**who, "time": at(minute), "received_at": at(minute), "port": port, "pack_soc_pct": soc}


TOLD = [pack(minute, port, 90.0 - minute) for minute in range(4) for port in "12"]


@settings(deadline=None)
@given(st.permutations(TOLD))
def test_the_order_of_rows_does_not_matter(told: list[dict[str, Any]]) -> None:
    got = packs(shaped(pl.DataFrame(told), "pack").lazy())
    assert got.schema == PACKS
    assert got.select("port", "pack_soc_pct").rows() == [(port, 90 - n) for port in "12" for n in range(4)]


def test_an_empty_port_is_no_pack() -> None:
    told = [pack(0, "2", 20.0), pack(0, "1", None)]
    assert packs(shaped(pl.DataFrame(told), "pack").lazy())["port"].to_list() == ["2"]


def test_events_of_a_clock_that_is_off_are_put_right() -> None:
    told = [
        {"provider": "p", "vehicle": "a", "kind": "alert", "code": str(n), "via": "push", "clock": "device",
         "time": at(n) - timedelta(seconds=OFF_S), "received_at": at(n)}
        for n in range(5)
    ]  # fmt: skip
    got = events(shaped(pl.DataFrame(told), "event").lazy())
    assert got.schema == EVENTS
    assert got["at"].to_list() == [at(n) for n in range(5)]


def test_nothing_said_is_nothing_made() -> None:
    assert batteries(shaped(pl.DataFrame(), "battery").lazy()).schema == BATTERIES


def electric(*told: tuple[float, float | None, float | None, float | None]) -> list[float | None]:
    """Power of rows of (second, V, A, W)."""
    at = datetime(2026, 5, 4, 8, tzinfo=UTC)
    rows = [
        {"provider": "import", "vehicle": "a", "time": at + timedelta(seconds=second), "received_at": at, "sequence": 1}
        | {"via": "import", "clock": "device", "voltage_v": volt, "current_a": ampere, "power_w": watt}
        for second, volt, ampere, watt in told
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return batteries(shaped(frame, "battery").lazy())["power_w"].to_list()


def test_voltage_times_current_is_the_power_where_none_is_told() -> None:
    assert electric((0, 60.0, -10.0, None), (1, 60.0, -10.0, -550.0)) == [-600, -550]


def test_a_voltage_is_carried_for_half_a_minute_and_current_sets_the_clock() -> None:
    told = [(0, 60.0, None, None), (20, None, -10.0, None), (30, None, -5.0, None), (31, None, -5.0, None)]
    assert electric(*told) == [None, -600, -300, None]
