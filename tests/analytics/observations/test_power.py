"""Energy by power: an integral where readings are close, nothing where they are not, a sign that is never guessed."""

import itertools
import random
import statistics
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.power import powered as powered_of
from tests.analytics.readings_made import moment, span


def polls(told: Sequence[tuple[float, float]], name: str = "motor_power_w") -> pl.DataFrame:
    """Of (second, watts)."""
    rows = [("p", "a", moment(at), watts) for at, watts in told]
    frame = pl.DataFrame(rows, orient="row", schema=["provider", "vehicle", "at", name])
    other = "power_w" if name == "motor_power_w" else "motor_power_w"
    return frame.with_columns(pl.col("at").cast(pl.Datetime("ms", "UTC")), pl.lit(None, pl.Float64()).alias(other))


def powered(trips: pl.DataFrame, batteries: pl.DataFrame, sign: str | None) -> pl.DataFrame:
    known = pl.DataFrame({"provider": "p", "vehicle": "a", "motor_power_sign": sign}, SIGN)
    return powered_of(trips, batteries, known)


SIGN = {"provider": pl.String(), "vehicle": pl.String(), "motor_power_sign": pl.String()}
RIDE = [(10.0 * step, 700.0 if step % 6 else -200.0) for step in range(121)]


@pytest.mark.parametrize(("sign", "way"), [("discharge_positive", 1), ("charge_positive", -1)])
def test_power_is_integrated_and_what_is_fed_back_is_told_apart(sign: str, way: int) -> None:
    got = powered(span(0, 1200), polls([(at, way * watts) for at, watts in RIDE]), sign)
    assert got["power_wh"].item() == pytest.approx((100 * 700 - 20 * 200) * 10 / 3600, rel=0.01)
    assert got["regen_wh"].item() == pytest.approx(20 * 200 * 10 / 3600, rel=0.01)


@settings(deadline=None)
@given(st.lists(st.floats(-2000, 4000), min_size=50, max_size=130))
def test_net_is_what_was_discharged_less_what_was_fed_back(watts: list[float]) -> None:
    """T9: and gross is never less than net."""
    told = [(10.0 * step, each) for step, each in enumerate(watts)]
    got = powered(span(0, told[-1][0]), polls(told), "discharge_positive").row(0, named=True)
    halves = [
        (a + b) * 5 / 3600 for part in (0, 1) for a, b in itertools.pairwise(max(0, w * (1 - 2 * part)) for w in watts)
    ]
    discharged, back = sum(halves[: len(watts) - 1]), sum(halves[len(watts) - 1 :])
    assert got["power_wh"] == pytest.approx(discharged - back, abs=1e-6)
    assert got["regen_wh"] == pytest.approx(back, abs=1e-6)
    assert got["power_wh"] + got["regen_wh"] >= got["power_wh"]


def test_power_into_the_battery_needs_no_sign_to_be_found() -> None:
    into = polls([(at, -watts) for at, watts in RIDE], "power_w")
    unsigned = powered(span(0, 1200), polls(RIDE), "discharge_positive")
    assert powered(span(0, 1200), into, None)["power_wh"].item() == unsigned["power_wh"].item()


def test_a_sign_that_nobody_knows_gives_no_energy() -> None:
    assert powered(span(0, 1200), polls(RIDE), None).row(0) == (None, None, None)


def test_a_reading_a_minute_gives_no_energy_of_a_ride() -> None:
    assert powered(span(0, 1200), polls(RIDE[::6]), "discharge_positive").row(0) == (None, None, None)


def test_a_part_without_readings_counts_at_the_mean() -> None:
    steady = [(at, 600.0) for at, _ in RIDE if not 300 < at < 480]
    got = powered(span(0, 1200), polls(steady), "discharge_positive")
    assert got["power_wh"].item() == pytest.approx(200)


def test_thinner_readings_are_less_sure() -> None:
    chance = random.Random(4)
    told = [(float(second), 600 + chance.gauss(0, 300)) for second in range(1201)]
    sds = [powered(span(0, 1200), polls(told[::n]), "discharge_positive")["power_sd_wh"].item() for n in (1, 5, 10, 25)]
    assert sds == sorted(sds)
    assert sds[-1] > 3 * sds[0]


@pytest.mark.parametrize("every", [10, 20, 30])
def test_the_error_of_readings_far_apart_is_that_which_they_are_off_by(every: int) -> None:
    chance = random.Random(every)
    off, said = [], []
    for _ in range(60):
        told = [(float(second), 600 + chance.gauss(0, 700)) for second in range(0, 1201, 5)]
        whole, thin = (
            powered(span(0, 1200), polls(part), "discharge_positive") for part in (told, told[:: every // 5])
        )
        off.append(thin["power_wh"].item() - whole["power_wh"].item())
        said.append(thin["power_sd_wh"].item())
    ratio = statistics.fmean(each**2 for each in off) / statistics.fmean(each**2 for each in said)
    assert 0.2 < ratio < 1.4


@settings(deadline=None, max_examples=20)
@given(st.floats(0.01, 50), st.sampled_from([-1, 1]))
def test_energy_and_its_error_follow_scale_and_sign(scale: float, way: int) -> None:
    plain = powered(span(0, 1200), polls(RIDE), "discharge_positive")
    other = powered(span(0, 1200), polls([(at, way * scale * watts) for at, watts in RIDE]), "discharge_positive")
    assert other["power_wh"].item() == pytest.approx(way * scale * plain["power_wh"].item())
    assert other["power_sd_wh"].item() == pytest.approx(scale * plain["power_sd_wh"].item())


def test_trips_keep_their_order_and_do_not_share_readings() -> None:
    both = pl.concat([span(610, 1200), span(0, 590)])
    got = powered(both, polls(RIDE), "discharge_positive")
    alone = [powered(both[number : number + 1], polls(RIDE), "discharge_positive") for number in (0, 1)]
    assert got.equals(pl.concat(alone))


def test_a_sign_holds_from_when_it_was_found() -> None:
    known = pl.DataFrame({"provider": "p", "vehicle": "a", "motor_power_sign": "discharge_positive"}, SIGN)
    rides = pl.concat([span(0, 590), span(610, 1200)])
    got = powered_of(rides, polls(RIDE), known.with_columns(since=rides["started_at"][1]))
    assert got["power_wh"].is_null().to_list() == [True, False]
