"""Swaps: a pack that took another's place, and not one that was charged."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from analytics.charging.swaps import swaps
from analytics.observations.soc import clean_soc
from analytics.schemas import BATTERIES, EVENTS, OBSERVATIONS, PACKS
from tests.analytics.hand import at, rows

Told = Sequence[Mapping[str, Any]]


def pack(minute: float, soc: float, cycles: int, volts: float = 50.0, port: str = "1") -> dict[str, Any]:
    return {"minute": minute, "port": port, "pack_soc_pct": soc, "pack_cycles": cycles, "pack_voltage_v": volts}


def said(minute: float, soc: float, charging: bool = False) -> dict[str, Any]:
    return {"minute": minute, "soc_pct": soc, "charging": charging, "locked": True}


def found(packs: Told, readings: Told = (), events: Told = (), *, swappable: bool = True) -> pl.DataFrame:
    told = clean_soc(rows(OBSERVATIONS, *readings))
    traits = pl.DataFrame({"provider": ["segway"], "vehicle": ["a"], "swappable": [swappable]})
    return swaps(rows(PACKS, *packs), told, rows(BATTERIES), rows(EVENTS, *events), traits)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(pack(60, 50, 90), id="its cycles fell"),
        pytest.param(pack(60, 50, 140), id="its cycles rose by forty in an hour"),
        pytest.param(pack(10, 95, 100), id="its percent rose faster than any charger can"),
        pytest.param(pack(10, 50, 100, volts=54), id="its voltage jumped at rest"),
    ],
)
def test_another_pack_is_told_by_what_it_says(after: dict[str, Any]) -> None:
    readings = [said(0, 50), said(60, 50)]
    assert found([pack(0, 50, 100), after], readings)["port"].to_list() == ["1"]


@pytest.mark.parametrize(
    ("after", "charging"),
    [
        pytest.param(pack(10, 95, 100), True, id="the vehicle charged"),
        pytest.param(pack(90, 95, 100), False, id="a charger could have done it"),
        pytest.param(pack(60, 48, 101), False, id="it was ridden"),
        pytest.param(pack(60, 52, 100), False, id="it rested"),
    ],
)
def test_the_same_pack_is_no_swap(after: dict[str, Any], charging: bool) -> None:
    assert found([pack(0, 50, 100), after], [said(0, 50), said(5, 50, charging), said(90, 50)]).is_empty()


def test_packs_that_change_places_are_no_swap() -> None:
    before = [pack(0, 90, 100, port="1"), pack(0, 20, 300, port="2")]
    assert found([before[0], pack(5, 20, 300, port="1"), before[1], pack(5, 90, 100, port="2")]).is_empty()


def test_the_vehicles_percent_alone_tells_a_swap_without_its_port() -> None:
    got = found([], [said(0, 20), said(15, 95), said(30, 95)])
    assert got.select("at", "port", "soc_before_pct", "soc_after_pct").rows() == [(at(7.5), None, 20, 95)]


def test_a_percent_that_falls_out_for_one_reading_is_no_swap() -> None:
    assert found([], [said(0, 60), said(15, 0), said(30, 60)]).is_empty()


def test_a_swap_that_both_show_is_one_with_the_port_of_the_poll_and_the_time_of_the_percent() -> None:
    got = found([pack(0, 20, 100), pack(60, 90, 300)], [said(0, 20), said(15, 20), said(30, 90), said(60, 90)])
    assert got.select("at", "port", "since", "until").rows() == [(at(22.5), "1", at(15), at(30))]


def test_a_pack_that_was_reported_out_was_swapped_then() -> None:
    out = {"minute": 33, "kind": "alert", "code": "10", "state": "appeared"}
    got = found([pack(0, 40, 100), pack(120, 60, 101)], [], [out])
    assert got.select("since", "at", "until").rows() == [(at(33), at(33), at(120))]


def test_a_reading_without_its_pack_belongs_to_the_swap() -> None:
    got = found([], [said(0, 31), said(15, 31), said(30, 0), said(45, 98), said(60, 98)])
    assert got.select("since", "until", "soc_before_pct", "soc_after_pct").rows() == [(at(15), at(45), 31, 98)]


def test_a_slow_rise_with_a_pack_reported_out_is_a_swap_even_where_packs_are_not_asked() -> None:
    out = {"minute": 100, "kind": "alert", "code": "10", "state": "appeared"}
    got = found([], [said(0, 30), said(180, 80)], [out])
    assert got.select("at", "port").rows() == [(at(100), None)]
    assert found([], [said(0, 30), said(180, 80)]).is_empty()


def test_where_packs_cannot_be_swapped_nothing_is_a_swap() -> None:
    out = {"minute": 33, "kind": "alert", "code": "10", "state": "appeared"}
    packs = [pack(0, 20, 100), pack(60, 95, 30)]
    assert found(packs, [said(0, 20), said(15, 95), said(30, 95)], [out], swappable=False).is_empty()


def test_what_does_not_stay_is_no_swap() -> None:
    assert found([pack(0, 60, 100), pack(10, 0, 0), pack(20, 60, 100), pack(30, 59, 100)]).is_empty()
    assert found([], [said(0, 20), said(15, 20), said(30, 95)]).is_empty()
