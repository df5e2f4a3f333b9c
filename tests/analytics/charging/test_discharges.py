"""Spans in which energy is given on purpose: by the vehicle's word, from the row that says so to the next."""

import pytest

from analytics.charging.discharges import DISCHARGES, discharges
from analytics.schemas import OBSERVATIONS
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
    got = discharges(told)
    assert got.schema == DISCHARGES
    assert got.select("started_at", "finished_at").rows() == spans
