"""Spans in which energy is given on purpose: by the vehicle's word, or by power."""

import pytest

from analytics.charging.discharges import DISCHARGES, discharges
from analytics.schemas import BATTERIES, OBSERVATIONS
from tests.analytics.hand import at, rows


@pytest.mark.parametrize(
    ("words", "spans"),
    [
        pytest.param(["unplugged", "discharging", "discharging", "plugged"], [(at(10), at(30))], id="until it ends"),
        pytest.param(["discharging", None, None, "discharging"], [(at(0), at(30))], id="rows without a word"),
        pytest.param(
            ["discharging", "complete", "discharging", "complete"], [(at(0), at(10)), (at(20), at(30))], id="twice"
        ),
        pytest.param(["charging_ac", "complete", None, "unplugged"], [], id="never"),
        pytest.param(["plugged", "plugged", "plugged", "discharging"], [], id="nobody knows for how long"),
    ],
)
def test_a_discharge_lasts_as_long_as_the_vehicle_says_so(words: list[str | None], spans: list[object]) -> None:
    told = rows(OBSERVATIONS, *({"minute": 10 * n, "charge_state": word} for n, word in enumerate(words)))
    got = discharges(told, BATTERIES.to_frame())
    assert got.schema == DISCHARGES
    assert got.select("started_at", "finished_at").rows() == spans


@pytest.mark.parametrize(
    ("watts", "percents", "spans"),
    [
        pytest.param([0, -3000, -3000, 0], [80, 80, 76, 72], [(at(10), at(30))], id="negative"),
        pytest.param([0, 3000, 3000, 0], [80, 80, 76, 72], [(at(10), at(30))], id="of the other sign"),
        pytest.param([0, -300, -300, 0], [80, 80, 76, 72], [], id="too little for a load"),
        pytest.param([0, -3000, -3000, 0], [80, 80, 80, 79], [], id="the percent hardly falls"),
        pytest.param([0, 3000, 3000, 0], [72, 72, 76, 80], [], id="charging"),
    ],
)
def test_power_of_a_stand_at_which_the_percent_falls_is_a_discharge(
    watts: list[float], percents: list[float], spans: list[object]
) -> None:
    told = rows(OBSERVATIONS, *({"minute": 10 * n, "soc_pct": soc, "way_m": 0} for n, soc in enumerate(percents)))
    asked = rows(BATTERIES, *({"minute": 10 * n, "power_w": power} for n, power in enumerate(watts)))
    assert discharges(told, asked).select("started_at", "finished_at").rows() == spans


def test_power_on_the_way_is_no_discharge() -> None:
    told = rows(OBSERVATIONS, *({"minute": 10 * n, "soc_pct": 80 - 3 * n, "way_m": 5000 * n} for n in range(5)))
    asked = rows(BATTERIES, *({"minute": 10 * n, "power_w": -9000} for n in range(5)))
    assert discharges(told, asked).is_empty()


def test_power_says_nothing_more_of_what_the_vehicle_itself_calls_a_discharge() -> None:
    words = [None, "discharging", "discharging", "plugged", "plugged", "plugged", "plugged", "plugged"]
    falls = [80, 80, 76, 72, 72, 72, 68, 64]
    watts = [0, -3000, -3000, 0, 0, -3000, -3000, 0]
    told = rows(
        OBSERVATIONS,
        *(
            {"minute": 10 * n, "charge_state": word, "soc_pct": soc, "way_m": 0}
            for n, (word, soc) in enumerate(zip(words, falls, strict=True))
        ),
    )
    asked = rows(BATTERIES, *({"minute": 10 * n, "power_w": power} for n, power in enumerate(watts)))
    got = discharges(told, asked)
    assert got.select("started_at", "finished_at").rows() == [(at(10), at(30)), (at(50), at(70))]
