"""What rides used, rests lost and charges brought adds up, whatever happened on the way (T8, T9, T10, T18)."""

import itertools
import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.charging.charges import charges
from analytics.charging.sessions import sessions
from analytics.charging.swaps import swaps
from analytics.energy.days import days
from analytics.energy.trips import energies
from analytics.observations.soc_at import soc_path
from analytics.observations.soc_used import parts, used
from analytics.schemas import BATTERIES, EVENTS, FIXES, PACKS
from analytics.trips.trips import trips
from tests.analytics.energy.test_days import consumed, known, life
from tests.analytics.finding import segments_of
from tests.analytics.readings_made import made, span

C_WH = 1440.0
SHEET = pl.DataFrame(
    {"provider": ["p"], "vehicle": ["a"], "timezone": ["UTC"], "capacity_wh": [C_WH]}
).with_columns(wh_per_km=pl.lit(None, pl.Float64))  # fmt: skip
TRAITS = SHEET.select("provider", "vehicle", swappable=pl.lit(True))
RIDE = (3600, 5400)  # 9 km, 18 %


def outing(swap_at: float = math.inf) -> pl.DataFrame:
    """An hour parked, half an hour ridden at 5 m/s and a hundredth of a percent a second, an hour parked."""
    told, pct, way_m = [], 40.5, 0.0
    for second in [*range(0, RIDE[0], 300), *range(*RIDE, 10), *range(RIDE[1], 9001, 300)]:
        told.append((float(second), float(math.floor(pct)), way_m))
        riding = RIDE[0] <= second < RIDE[1]
        pct += (58.0 if second < swap_at <= second + 10 else 0.0) - (0.1 if riding else 0.0)
        way_m += 50.0 if riding else 0.0
    return made(told, unlocked=RIDE)


def rode(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Its trips with charge and energy, and its swaps."""
    found = swaps(PACKS.to_frame(), rows, BATTERIES.to_frame(), EVENTS.to_frame(), TRAITS)
    rides = trips(segments_of(rows))
    told = pl.concat([rides, used(soc_path(rows, found, rides), rides, found)], how="horizontal")
    return pl.concat([told, energies(told, SHEET)], how="horizontal"), found


@pytest.mark.parametrize("swap_at", [3700, 4000, 4507, 5300])
def test_a_swap_on_the_way_leaves_one_ride_its_way_and_its_energy_and_charges_nothing(swap_at: float) -> None:
    """T8."""
    (plain, none), (ride, found) = rode(outing()), rode(rows := outing(swap_at))
    assert (none.height, found.height, ride.height) == (0, 1, 1)
    same = ("started_at", "finished_at", "distance_m", "trip_id")
    assert ride.select(same).equals(plain.select(same))
    assert ride["swaps"].item() == 1
    assert ride["soc_used_pct"].item() == pytest.approx(plain["soc_used_pct"].item(), abs=0.6)
    assert ride["energy_wh"].item() == pytest.approx(C_WH * ride["soc_used_pct"].item() / 100)
    charged = sessions(rows, BATTERIES.to_frame(), found, ride, TRAITS)
    brought = charges(charged, found, rows, BATTERIES.to_frame(), SHEET, FIXES.to_frame())
    assert brought.select("kind", "energy_wh").rows() == [("swap", 0)]
    booked = days(rows, segments_of(rows), ride, soc_path(rows, found, ride), SHEET, charged)
    assert booked["charged_wh"].to_list() == [0]


@given(st.floats(0.2, 5))
@settings(deadline=None, max_examples=20)
def test_a_kilometre_of_another_length_changes_the_use_for_one_and_no_energy(scale: float) -> None:
    """T9."""
    plain, _ = rode(outing())
    scaled = energies(plain.with_columns(pl.col("distance_m") * scale), SHEET)
    assert scaled["energy_wh"].item() == pytest.approx(plain["energy_wh"].item())
    assert scaled["wh_per_km"].item() * scale == pytest.approx(plain["wh_per_km"].item())


@given(
    st.lists(st.tuples(st.sampled_from([10, 60, 900]), st.sampled_from([-2, -1, -1, 0, 0, 1, 45])), min_size=3),
    st.lists(st.floats(0, 1), min_size=1, max_size=6),
)
@settings(deadline=None, max_examples=60)
def test_what_parts_of_a_time_used_adds_up_to_the_whole_wherever_it_is_cut(
    steps: list[tuple[int, int]], cuts: list[float]
) -> None:
    """T10: of any percents, packs changed and charged among them."""
    told, second, pct = [(0.0, 60.0, 0.0)], 0.0, 60.0
    for seconds, change in steps:
        second, pct = second + seconds, min(100.0, max(0.0, pct + change))
        told.append((second, pct, told[-1][2] + (100.0 if change < 0 else 0.0)))
    rows = made(told)
    ends = [0.0, *sorted({round(second * cut) for cut in cuts} - {0, round(second)}), second]
    pieces = pl.concat([span(a, b) for a, b in itertools.pairwise(ends)])
    whole = float(parts(soc_path(rows), span(0, second))["used"].sum())
    assert float(parts(soc_path(rows), pieces)["used"].sum()) == pytest.approx(whole, abs=1e-9)


def test_without_noise_nothing_is_left_over() -> None:
    """T18: the use for a kilometre and the capacity are exact; what is left is the rounding of a tick."""
    exact = known().with_columns(wh_per_km=pl.lit(32.0), capacity_sd=pl.lit(0.001))
    booked = consumed(life(36), exact)
    assert min(booked["driven_wh"]) > 500
    assert max(map(abs, booked["residual_wh"])) < C_WH * 0.1 / 100
