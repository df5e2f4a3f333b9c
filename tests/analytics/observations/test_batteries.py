"""Rows of packs, batteries and events: the same whatever order they came in, at times that are corrected."""

from datetime import timedelta
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
