"""Charges that only the counter of added energy proves are found once, and what is none is left alone."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.analytics.charging.made import KNOWN, found, polled, said
from tests.analytics.hand import at

HOURLY = [0.0, 0.0, 2_000.0, 4_000.0, 6_000.0, 6_000.0]


def charges(readings: Sequence[dict[str, Any]], **more: Any) -> list[tuple[Any, ...]]:
    got = found(readings, swappable=False, known=KNOWN.clear(), **more)
    return got.select("kind", "started_at", "finished_at", "energy_wh").rows()


def counter(wh: Sequence[float | None], **more: Any) -> list[dict[str, Any]]:
    """Hourly rows of a vehicle that denies charging, as a cloud does that answers late."""
    return polled([None] * len(wh), charge_added_wh=list(wh), **{"charging": False, **more})


def test_a_counter_that_rises_while_the_percent_is_not_told_is_a_charge() -> None:
    assert charges(counter(HOURLY)) == [("charge", at(60), at(240), 6000)]


def test_two_readings_of_the_counter_are_an_inferred_charge() -> None:
    assert charges(counter([0, 9_000, 9_000])) == [("inferred", at(0), at(60), 9000)]


def test_a_slow_charge_that_a_flag_denies_is_proven_by_the_counter() -> None:
    rows = polled([70, 71, 72, 73, 74], charging=False, charge_added_wh=[0.0, 600.0, 1200.0, 1800.0, 2400.0])
    assert charges(rows) == [("charge", at(0), at(240), 2400)]
    assert charges([row | {"charge_added_wh": None} for row in rows]) == []


@pytest.mark.parametrize("flag", [False, None])
def test_a_charge_that_the_percent_tells_is_not_found_again(flag: bool | None) -> None:
    rows = polled([70, 70, 76, 82, 88, 88], charging=flag, charge_added_wh=HOURLY)
    assert [each[3] for each in charges(rows)] == [6000]


def test_a_charge_that_a_flag_tells_is_not_found_again_where_the_counter_comes_late() -> None:
    told = [0.0, 0.0, 0.0, 400.0, 800.0, 800.0, 1200.0, 1200.0]
    flags = [False, True, True, True, True, False, False, False]
    rows = [said(5 * n, None, flags[n]) | {"charge_added_wh": wh} for n, wh in enumerate(told)]
    assert len(charges(rows)) == 1


def test_a_counter_that_tells_the_last_charge_for_days_is_none() -> None:
    assert charges(counter([9_000.0] * 72)) == []


def test_a_counter_that_is_put_right_or_begins_anew_at_nothing_is_no_charge() -> None:
    assert charges(counter([9_000, 8_990, 8_990, 0, 0, 30, 30])) == []


def test_a_counter_that_begins_anew_tells_a_charge_of_its_own() -> None:
    ways = [0.0, 0.0, 20_000.0, 20_000.0, 20_000.0]
    rows = counter([11_900, 11_900, 11_900, 7_000, 7_000], way_m=ways)
    assert charges(rows) == [("inferred", at(120), at(180), 7000)]


def test_after_a_way_a_counter_that_is_higher_began_anew_in_the_meantime() -> None:
    rows = counter([4_000, 4_000, 4_000, 9_000, 9_000], way_m=[0.0, 0.0, 20_000.0, 20_000.0, 20_000.0])
    assert charges(rows) == [("inferred", at(120), at(180), 9000)]
    stood = counter([4_000, 4_000, 4_000, 9_000, 9_000])
    assert charges(stood) == [("inferred", at(120), at(180), 5000)]


def test_what_braking_gave_to_a_counter_is_no_charge() -> None:
    rows = [
        said(n, 80 - n // 4, None, way=600.0 * n) | {"charge_added_wh": 20.0 * n, "speed_kmh": 36.0} for n in range(40)
    ]
    assert charges(rows) == []


def test_what_a_counter_gains_right_before_the_odometer_moves_was_braking() -> None:
    rows = [said(5 * n, None, None, way=4_000.0 * max(n - 1, 0)) | {"charge_added_wh": 120.0 * n} for n in range(9)]
    assert charges(rows) == []


def test_a_counter_that_rises_while_the_percent_falls_is_no_charge() -> None:
    assert charges(polled([70, 69, 68, 67], charging=False, charge_added_wh=[0.0, 300.0, 600.0, 900.0])) == []
