"""Charges and trips tell what a battery holds where their energy is measured, as sure as their percents are."""

import random
from collections.abc import Sequence

import polars as pl
import pytest

from analytics.battery_health.stint_months import stint_months
from analytics.battery_health.stints import bounds
from analytics.charging.energies import LOST
from tests.analytics.battery_health.stints_made import DAY, Row, begun, charge, charges, polls, ride, rides, swapped
from tests.analytics.hand import at

CAPACITY_WH = 60_000.0


def told(minute: float, pct: float, source: str = "power", error_pct: float = 0.0, **more: object) -> Row:
    wh = CAPACITY_WH * (1 + LOST) * (pct + error_pct) / 100
    return charge(minute, pct, energy_wh=wh, energy_source=source, **more)


def made(*rows: Row, swaps: Sequence[float] = ()) -> pl.DataFrame:
    cuts = bounds(swapped(*swaps), polls(), begun())
    got = stint_months(cuts, rides(), pl.concat([charges(*rows), swapped(*swaps)]), polls())
    return got.filter(method="charge_energy")


def test_charges_of_a_month_are_summed_energy_over_percent() -> None:
    got = made(told(600, 30), told(DAY + 600, 50, "reported"), told(40 * DAY, 20))
    assert got.select("time", "n", "soc_used_pct", "as_of").rows() == [
        (at(0), 2, 80, "2026-03-03"), (at(30 * DAY), 1, 20, "2026-04-11"),
    ]  # fmt: skip
    assert got["capacity_wh"].to_list() == pytest.approx([CAPACITY_WH] * 2)
    assert set(got["verdict"]) == {"estimate"}


def test_an_energy_that_follows_from_a_capacity_tells_none() -> None:
    assert made(told(600, 30, "soc"), told(900, 30, "content"), told(1200, 30, kind="swap")).is_empty()
    assert made(charge(600, 30), charge(900, -3, energy_wh=10.0, energy_source="power")).is_empty()


def test_a_charge_that_only_two_polls_show_counts_too() -> None:
    assert made(told(600, 30, "reported", kind="inferred"))["n"].item() == 1


def test_parts_of_a_charge_give_a_figure_that_says_how_unsure_it_is() -> None:
    wide, narrow = (made(told(600, pct)).row(0, named=True) for pct in (10.0, 60.0))
    halves = [(each["capacity_high_wh"] - each["capacity_wh"]) / each["capacity_wh"] for each in (wide, narrow)]
    assert halves[0] == pytest.approx(1.96 * (1.17 / (100 - 1.17) + 0.025**2 + 0.03**2 + 0.029**2) ** 0.5, rel=0.01)
    assert halves[1] < 0.5 * halves[0]


def test_a_coarse_percent_and_shallow_charges_are_less_sure_however_many_there_are() -> None:
    def half(*pct: float) -> float:
        row = made(*(told(600 + DAY * n, each) for n, each in enumerate(pct * 4))).row(0, named=True)
        return float(row["capacity_high_wh"] / row["capacity_wh"] - 1)

    assert half(50, 70, 41, 62) < 0.08
    assert half(50, 70, 40, 60) == pytest.approx(1.96 * (0.039**2 + (2.9 / 55) ** 2) ** 0.5, rel=0.15)
    assert half(5, 7, 4, 6) > 1.3 * half(50, 71, 40, 62)


def test_what_was_read_throughout_a_charge_counts_in_place_of_a_beginning_and_an_end_that_nobody_saw() -> None:
    wide = {"energy_wh": 30_000.0, "energy_low_wh": 10_000.0, "energy_high_wh": 50_000.0, "energy_source": "power"}
    assert made(charge(600, 30, **wide)).is_empty()
    read = {"read_wh": CAPACITY_WH * (1 + LOST) * 0.2, "read_pct": 20.0}
    assert made(charge(600, 30, **wide, **read))["capacity_wh"].item() == pytest.approx(CAPACITY_WH)
    by_percent = {"energy_source": "soc", "energy_wh": 1.0}
    assert made(charge(600, 30, **by_percent, **read))["capacity_wh"].item() == pytest.approx(CAPACITY_WH)


def test_a_percent_that_hardly_rose_tells_no_capacity_and_says_so() -> None:
    got = made(told(600, 3)).row(0, named=True)
    assert got["capacity_wh"] is got["capacity_low_wh"] is None
    assert (got["verdict"], got["n"]) == ("insufficient", 1)
    assert got["reason"] == "the percent changed too little in all of them together"


def test_charges_of_one_pack_are_not_those_of_the_next() -> None:
    got = made(told(300, 30), told(900, 40), swaps=[600])
    assert got.select("time", "soc_used_pct").rows() == [(at(0), 30), (at(600), 40)]
    assert got["stint_id"].n_unique() == 2


def test_a_charge_far_from_the_others_is_left_out_and_named() -> None:
    rows = [told(600 + place * DAY, 40) for place in range(8)]
    got = made(*rows, told(600 + 8 * DAY, 40, error_pct=25)).row(0, named=True)
    assert got["capacity_wh"] == pytest.approx(CAPACITY_WH)
    assert (got["n"], got["reason"]) == (8, "1 left out, too far from the others: 2026-03-10 10:00")


def test_of_two_charges_that_contradict_each_other_nobody_knows_which_is_wrong() -> None:
    got = made(told(600, 40), told(DAY, 40, error_pct=25)).row(0, named=True)
    assert got["n"] == 2
    alone = made(told(600, 40)).row(0, named=True)
    halves = [(each["capacity_high_wh"] - each["capacity_wh"]) / each["capacity_wh"] for each in (got, alone)]
    assert halves[0] > 2 * halves[1]


def test_charges_whose_current_is_read_tell_ampere_hours() -> None:
    got = made(told(600, 30, added_ah=45.0), told(900, 50, added_ah=75.0)).row(0, named=True)
    assert got["capacity_ah"] == pytest.approx(150)
    only = made(charge(600, 30, added_ah=45.0, energy_source="soc", energy_wh=9.0)).row(0, named=True)
    assert only["capacity_ah"] == pytest.approx(150)
    assert only["capacity_wh"] is None


def test_trips_whose_power_is_read_throughout_tell_a_capacity_too() -> None:
    read = {"soc_used_low_pct": 29.2, "soc_used_high_pct": 30.8, "energy_source": "power", "energy_wh": 360.0}
    cuts = bounds(charges(), polls(), begun())
    got = stint_months(cuts, rides(ride(600, 12, 30.0, used_ah=5.0, **read)), charges(), polls())
    row = got.filter(method="ride_energy").row(0, named=True)
    assert (row["capacity_wh"], row["capacity_ah"]) == (pytest.approx(1200), pytest.approx(100 / 6, rel=1e-6))
    assert (row["verdict"], row["n"]) == ("estimate", 1)
    weighed = {**read, "energy_source": "soc+power"}
    assert "ride_energy" not in [
        *stint_months(cuts, rides(ride(600, 12, 30.0, **weighed)), charges(), polls())["method"]
    ]


def test_intervals_hold_what_they_promise_with_whole_percents_and_a_battery_that_errs_by_one() -> None:
    """Counter and losses err alike in all charges of a vehicle: 2.5 and 3 %."""
    chance, inside, off = random.Random(5), 0, 0.0
    for _ in range(400):
        gain = (1 + chance.gauss(0, 0.025)) * (1 + chance.gauss(0, 0.03))
        rows = []
        for place in range(6):
            low, depth = chance.uniform(5, 40), chance.uniform(10, 55)
            shown = round(low + depth + chance.gauss(0, 0.7)) - round(low + chance.gauss(0, 0.7))
            wh = CAPACITY_WH * (1 + LOST) * gain * depth / 100
            rows.append(charge(600 + 1440 * place, shown, energy_wh=wh, energy_source="power"))
        got = made(*rows).row(0, named=True)
        inside += got["capacity_low_wh"] <= CAPACITY_WH <= got["capacity_high_wh"]
        off += got["capacity_wh"] / CAPACITY_WH - 1
    assert 0.92 <= inside / 400 <= 0.98
    assert abs(off / 400) < 0.01
