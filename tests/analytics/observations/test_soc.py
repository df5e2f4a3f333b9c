"""The percent without readings that no battery had: once, again and again, under load; and what stays is kept."""

from collections.abc import Callable, Iterable
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.soc import clean_soc, resolutions
from analytics.schemas import OBSERVATIONS
from tests.analytics.hand import rows

Tell = Callable[[int], float]
NO: dict[str, Any] = {"charging": False}
LOOSE: dict[str, Any] = {"charging": False, "plugged": False}


def told(soc: Iterable[float], every: float = 15, way_m: Tell | None = lambda _: 0.0, **more: Any) -> pl.DataFrame:
    """Percents so many minutes apart."""
    made = ({"minute": n * every, "soc_pct": pct, "way_m": way_m and way_m(n), **more} for n, pct in enumerate(soc))
    return rows(OBSERVATIONS, *made)


def kept(rows: pl.DataFrame, swappable: bool = False) -> list[float]:
    traits = pl.DataFrame({"provider": ["segway"], "vehicle": ["a"], "swappable": [swappable]})
    return clean_soc(rows, traits)["soc_pct"].drop_nulls().to_list()


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(told([50] * 8 + [0] + [50] * 20, every=60, **NO), id="0 once, polled hourly"),
        pytest.param(told([50] * 8 + [0] * 5 + [50] * 20, every=60, **NO), id="0 five times"),
        pytest.param(told([50] * 8 + [0] + [50] * 20, every=60, way_m=None), id="0, and nobody tells of a way"),
        pytest.param(told([50] * 8 + [100] * 3 + [50] * 20, every=60), id="100 three times"),
        pytest.param(told([50, 50, 58] * 16, **LOOSE), id="what the last charge ended with, every third time"),
        pytest.param(told([50, 50, 58] * 16, every=60, **LOOSE), id="the same, polled hourly"),
        pytest.param(told([50, 50, 30] * 16), id="an old percent that is lower"),
        pytest.param(told([58, 50, 50] * 16, **LOOSE), id="from the first reading on"),
        pytest.param(told([50] * 20 + [0], **NO), id="in the last reading"),
    ],
)
def test_a_percent_that_comes_back_faster_than_any_battery_is_none(rows: pl.DataFrame) -> None:
    got = kept(rows)
    assert set(got[:-1]) == {50}
    assert len(got) >= (rows["soc_pct"] == 50).sum()


@pytest.mark.parametrize(
    ("rows", "swappable"),
    [
        pytest.param(told([14] * 10 + [79] * 10, every=24, **NO), False, id="a fast charge between two polls"),
        pytest.param(told([60] * 10 + [52] * 20, **NO), False, id="put right"),
        pytest.param(told([80 - 7 * n for n in range(9)], every=60), False, id="a cabin that is heated"),
        pytest.param(told([20] * 9 + [97] * 9, every=1 / 6, **NO), True, id="a pack that was swapped"),
        pytest.param(told([31] * 9 + [0] * 8 + [98] * 9, **NO), True, id="a pack that was out for two hours"),
        pytest.param(told([91, 81, 69, 57, 41], every=30), False, id="a drive with an odometer that stands still"),
        pytest.param(told([12, 0], every=60, way_m=lambda n: 9000.0 * n), False, id="arriving empty"),
        pytest.param(told([40, 20], every=60, **NO), False, id="two readings"),
    ],
)
def test_what_stays_is_kept(rows: pl.DataFrame, swappable: bool) -> None:
    assert kept(rows, swappable)[:10] == rows["soc_pct"].to_list()[:10]
    assert len(kept(rows, swappable)) >= rows.height - 1


def test_an_empty_battery_that_is_charged_was_empty() -> None:
    drive = told([40, 12, 0], every=60, way_m=lambda n: 40_000.0 * n, **NO)
    charge = rows(
        OBSERVATIONS, *({"minute": 120 + 60 * n, "soc_pct": 20 * n, "way_m": 8e4, "charging": True} for n in (1, 2))
    )
    assert kept(pl.concat([drive, charge])) == [40, 12, 0, 20, 40]


def test_a_pack_that_is_put_back_was_no_other() -> None:
    assert kept(told([31] * 9 + [0] + [31] * 9, **NO), swappable=True) == [31] * 18


def load(n: int) -> float:
    """Percent of a battery under a load that comes and goes, at 5 Hz."""
    return 90.0 - n / 600 - (30 if n % 200 > 120 and 300 < n < 2700 else 0)


def test_a_percent_that_sags_under_load_falls_slowly_without_it() -> None:
    rows = told(
        [float(round(load(n))) for n in range(3000)], every=0.2 / 60, way_m=lambda n: 3.0 * min(max(n - 300, 0), 2400)
    )
    got = kept(rows)
    assert len(got) > 1500
    assert min(got) >= 84


def test_a_battery_that_is_driven_and_charged_keeps_every_reading() -> None:
    fall = [80 - n for n in range(30)]
    rows = told([*fall, *range(51, 80)], every=4, way_m=lambda n: 5000.0 * min(n, 29))
    assert kept(rows) == rows["soc_pct"].to_list()


def test_vehicles_do_not_touch_each_other() -> None:
    one = told([50] * 8 + [0] + [50] * 8, **NO)
    other = told([90] * 8 + [20] + [90] * 8, **NO).with_columns(vehicle=pl.lit("b"))
    both = clean_soc(pl.concat([one, other]))
    assert both.equals(pl.concat([clean_soc(one), clean_soc(other)]))


@given(st.lists(st.integers(0, 100), max_size=30), st.sampled_from([0.1, 5, 60, 1440]))
@settings(deadline=None, max_examples=60)
def test_readings_are_left_out_and_never_changed(soc: list[int], every: float) -> None:
    rows = told([float(pct) for pct in soc], every=every, **NO)
    got = clean_soc(rows)
    assert got.drop("soc_pct").equals(rows.drop("soc_pct"))
    assert (got["soc_pct"].is_null() | (got["soc_pct"] == rows["soc_pct"])).all()


@pytest.mark.parametrize(("soc", "step"), [([80, 79], 1.0), ([80, 79.5], 0.5), ([80, 79.9], 0.1), ([80, 79.98], 0.01)])
def test_a_percent_has_the_step_in_which_it_is_told(soc: list[float], step: float) -> None:
    assert resolutions(told(soc))["step_pct"].to_list() == [step]


@pytest.mark.parametrize("every", [60.0, 390.0])
def test_a_charge_between_two_polls_far_apart_leaves_the_percent_before_it(every: float) -> None:
    """Driven between two polls and charged between the next two: both say that it is unplugged and does not charge."""
    rows = told([94, 82, 99, 97], every=every, way_m=lambda n: 5200.0 * n, **LOOSE)
    assert kept(rows) == [94, 82, 99, 97]


def test_between_two_polls_near_each_other_nobody_charged() -> None:
    rows = told([94, 82, 99, 97], every=20, way_m=lambda n: 5200.0 * n, **LOOSE)
    assert kept(rows) == [94, 99, 97]
