"""Energy of charges: what vehicles say that they added goes first, contradiction widens, and nothing is silent."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.analytics.charging.made import KNOWN, found, power, said

NOBODY = KNOWN.with_columns(pl.lit(None, pl.Float64()).alias("capacity_wh"))


def counted(wh: Sequence[float | None], begin: int = 0, pct: float = 40.0) -> list[dict[str, Any]]:
    """Ten minutes before a charge, a row each five minutes in it, and five after: 2 % and this count at each row."""
    count = len(wh)
    flags = [False, *[True] * (count - 2), False]
    return [
        said(begin + 5 * n, pct + 2 * min(max(n - 1, 0), count - 3), flags[n]) | {"charge_added_wh": value}
        for n, value in enumerate(wh)
    ]


def energy(rows: list[dict[str, Any]], known: pl.DataFrame = NOBODY, **more: Any) -> list[tuple[Any, ...]]:
    got = found(rows, known=known, swappable=False, **more)
    return [(each and round(each), source) for each, source in got.select("energy_wh", "energy_source").rows()]


RISES = [0.0, 0.0, 400.0, 800.0, 1200.0, 1600.0, 1600.0]


def test_the_rise_of_the_counter_is_the_energy_whatever_is_known_of_the_battery() -> None:
    got = found(counted(RISES), known=NOBODY, swappable=False)
    assert got.select("energy_wh", "energy_source", "flags").rows() == [(1600.0, "reported", None)]
    assert got["energy_low_wh"].item() < 1600 < got["energy_high_wh"].item()


@pytest.mark.parametrize(
    "wh",
    [
        pytest.param([900.0, 900.0, 400.0, 800.0, 1200.0, 1600.0, 1600.0], id="the count of the charge before stays"),
        pytest.param([9000.0, 0.0, 400.0, 800.0, 1200.0, 1600.0, 0.0], id="it begins anew at both ends"),
        pytest.param([None, 0.0, 400.0, 800.0, 1200.0, 1600.0, None], id="it is told while charging alone"),
        pytest.param([0.0, 0.0, 400.0, 900_000.0, 1200.0, 1600.0, 1600.0], id="a glitch upwards"),
        pytest.param([0.0, 0.0, 400.0, 0.0, 1200.0, 1600.0, 1600.0], id="a glitch to nothing"),
        pytest.param([0.0, 0.0, 0.0, 0.0, 1600.0, 1600.0, 1600.0], id="coarse steps"),
        pytest.param([900.0, 900.0, 900.0, 100.0, 800.0, 1600.0, 1600.0], id="it begins anew late"),
        pytest.param([300.0, 300.0, 400.0, 800.0, 1200.0, 1600.0, 1600.0], id="nobody saw it begin anew"),
    ],
)
def test_a_counter_with_faults_tells_the_same(wh: list[float | None]) -> None:
    assert energy(counted(wh)) == [(1600, "reported")]


def test_each_charge_has_its_own_rise() -> None:
    second = [1600.0, 1600.0, 300.0, 600.0, 900.0, 900.0]
    assert energy([*counted(RISES), *counted(second, begin=300)]) == [(1600, "reported"), (900, "reported")]


def test_a_log_that_begins_in_a_charge_counts_what_it_saw() -> None:
    assert energy(counted(RISES)[3:]) == [(800, "reported")]


def test_a_counter_that_stands_still_tells_nothing() -> None:
    assert energy(counted([500.0] * 7), known=KNOWN) == [(pytest.approx(126, abs=1), "soc")]


def test_a_counter_that_was_last_told_early_gives_way_to_the_percent() -> None:
    assert energy(counted([0.0, 0.0, 400.0, None, None, None, None, None]), known=KNOWN)[0][1] == "soc"


@settings(deadline=None, max_examples=30)
@given(st.floats(0.01, 100))
def test_energy_and_its_interval_follow_the_scale_of_the_counter(scale: float) -> None:
    names = ("energy_wh", "energy_low_wh", "energy_high_wh")
    plain, scaled = (
        found(counted([each * turn for each in RISES]), known=NOBODY, swappable=False).select(names).row(0)
        for turn in (1.0, scale)
    )
    assert scaled == pytest.approx([scale * each for each in plain])


def test_two_sources_that_differ_widen_the_interval() -> None:
    def half(added: float) -> float:
        wh = [each * added / 1600 for each in RISES]
        got = found(counted(wh), known=KNOWN, swappable=False)
        return float((got["energy_high_wh"] - got["energy_wh"]).item() / got["energy_wh"].item())

    assert half(1600) > 2 * half(130)


def test_content_of_the_battery_is_a_finer_percent() -> None:
    rows = [each | {"charge_added_wh": None} for each in counted(RISES)]
    polls = [{"minute": 5 * n, "energy_wh": 600.0 + 30 * min(max(n - 1, 0), 4)} for n in range(7)]
    assert energy(rows, batteries=polls) == [(126, "content")]


def test_a_charge_of_which_no_energy_is_known_says_why() -> None:
    silent = [each | {"charge_added_wh": None} for each in counted(RISES)]
    assert found(silent, known=NOBODY, swappable=False)["flags"].to_list() == [["no_capacity"]]
    blind = [each | {"soc_pct": None} for each in silent]
    assert found(blind, known=NOBODY, swappable=False)["flags"].to_list() == [["no_percent"]]
    told = [power(5 * n, 1200.0) for n in range(1, 6)]
    assert found(blind, batteries=told, known=NOBODY, swappable=False)["flags"].to_list() == [None]


def test_power_out_of_the_battery_and_a_counter_in_kilowatt_hours_are_no_energy_of_a_charge() -> None:
    blind = [each | {"charge_added_wh": None} for each in counted(RISES)]
    turned = [power(5 * n, -1200.0) for n in range(1, 6)]
    assert energy(blind, batteries=turned) == [(None, None)]
    assert energy(counted([each / 1000 for each in RISES])) == [(None, None)]
    assert energy(counted([each / 1000 for each in RISES]), known=KNOWN) == [(126, "soc")]


def test_a_counter_of_all_charges_ever_tells_of_each_what_it_rose_by() -> None:
    first = [wh + 61_000 for wh in RISES]
    second = [wh + 62_600 for wh in RISES]
    rows = [*counted(first), *counted(second, begin=600, pct=20.0)]
    assert energy(rows) == [(1600, "reported"), (1600, "reported")]


def test_a_counter_that_tells_more_than_any_battery_holds_is_not_believed() -> None:
    rows = [row | {"charge_added_wh": row["charge_added_wh"] and 1e6} for row in counted([0.0, *RISES[1:]])]
    assert energy(rows, KNOWN)[0][1] == "soc"


def test_power_that_stays_the_same_is_joined_over_an_hour_and_one_that_changes_over_ten_minutes() -> None:
    blind = [said(60 * n, 40.0 + 10 * min(max(n - 1, 0), 3), 1 <= n <= 4) for n in range(7)]
    hourly = [power(60 * n, 1200.0) for n in range(1, 5)]
    got = found(blind, batteries=hourly, known=NOBODY, swappable=False).row(0, named=True)
    assert (got["read_wh"], got["read_pct"]) == (3600.0, 30.0)
    assert (got["energy_source"], got["energy_low_wh"] < 3600 < got["energy_high_wh"]) == ("power", True)
    waves = [power(60 * n, 1200.0 if n % 2 else 600.0) for n in range(1, 5)]
    none = found(blind, batteries=waves, known=NOBODY, swappable=False).row(0, named=True)
    assert (none["read_wh"], none["energy_source"]) == (None, None)


def test_an_energy_by_a_percent_in_steps_of_ten_is_less_sure() -> None:
    def half(step: float) -> float:
        rows = [said(5 * n, step * (3 + min(max(n - 1, 0), 6) // 3), 1 <= n <= 7) for n in range(40)]
        row = found(rows, swappable=False).row(0, named=True)
        assert row["energy_source"] == "soc"
        return float(row["energy_high_wh"] / row["energy_wh"] - 1)

    assert half(10.0) > half(20.0 / 3)
