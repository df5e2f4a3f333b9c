"""Content of a battery at both ends of a span: what it fell by, how sure, and what lies too far away to count."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.observations.content import SCALE_SD, content_used
from analytics.schemas import BATTERIES
from tests.analytics.hand import at, rows

HOUR_S = 3600.0


def span(first: float, last: float) -> pl.DataFrame:
    told = {"provider": "segway", "vehicle": "a", "started_at": [at(first)], "finished_at": [at(last)]}
    return pl.DataFrame(told).cast(dict.fromkeys(("started_at", "finished_at"), pl.Datetime("ms", "UTC")))


def fell(
    told: Sequence[tuple[float, float]], first: float = 0, last: float = 30, others: pl.DataFrame | None = None
) -> tuple[float | None, float | None]:
    polls = rows(BATTERIES, *({"minute": minute, "energy_wh": wh} for minute, wh in told))
    used, sd = content_used(span(first, last), polls, HOUR_S, others).row(0)
    return used, sd


def test_what_stood_before_and_after_is_that_of_the_ends() -> None:
    assert fell([(-40, 41_050), (-20, 41_000), (12, 39_500), (45, 38_010), (70, 38_000)])[0] == 2990


def test_readings_inside_count_where_none_is_near_outside() -> None:
    used, sd = fell([(-90, 41_030), (1, 40_050), (15, 39_000), (29, 38_250)])
    assert used == pytest.approx(1800 * 30 / 28)
    assert sd is not None
    assert sd > (fell([(0, 40_050), (30, 38_250)])[1] or 0)


def test_readings_of_the_middle_alone_tell_nothing() -> None:
    assert fell([(10, 40_000), (20, 39_000)]) == (None, None)


def test_one_reading_tells_nothing() -> None:
    assert fell([(0, 40_000)]) == (None, None)
    assert fell([]) == (None, None)


def test_a_charge_between_the_reading_and_the_span_leaves_the_reading_out() -> None:
    told = [(-50, 20_030), (0.5, 40_000), (29.5, 38_000)]
    assert (fell(told)[0] or 0) < 0
    assert fell(told, others=span(-45, -5))[0] == pytest.approx(2000 * 30 / 29)


def test_coarse_steps_are_less_sure() -> None:
    fine, coarse = fell([(0, 40_001), (30, 38_001)])[1], fell([(0, 40_000), (30, 38_000)])[1]
    assert fine is not None
    assert coarse is not None
    assert coarse > 1.5 * fine


def stepped(step_wh: float) -> float:
    """The standard error of 3.5 of 31.4 kWh, told in such steps, relative and with that of the scale."""
    told = [(float(n), round((31_404 - 3_500 * n / 30) / step_wh) * step_wh) for n in range(31)]
    used, sd = fell(told)
    return float(((sd or 0) ** 2 + (SCALE_SD * 3_500) ** 2) ** 0.5 / (used or 1))


def test_a_trip_is_as_sure_as_the_steps_are_fine() -> None:
    errors = [stepped(step) for step in (1, 10, 77.5, 100, 314, 1000)]
    assert errors == sorted(errors)
    assert errors[1] < 0.035
    assert errors[3] < 0.045
    assert errors[4] > 0.055
    assert errors[5] > 0.12


@pytest.mark.parametrize("step_wh", [10.0, 77.5, 100.0, 314.0, 500.0])
def test_a_content_in_steps_is_off_by_no_more_than_it_says(step_wh: float) -> None:
    """Of many trips of a content that is told right but in steps, 19 of 20 lie in their intervals, or more."""
    outside = 0
    for trip in range(200):
        first, fallen = 30_000 + 7.3 * trip, 3_500 + 1.7 * trip
        told = [(float(n), float(int((first - fallen * n / 30) / step_wh) * step_wh)) for n in range(31)]
        used, sd = fell([(n, wh) for n, wh in told])
        outside += abs((used or 0) - fallen) > 1.96 * (sd or 0)
    assert outside <= 10


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 0.99))
def test_adjoining_spans_add_up(share: float) -> None:
    told = [(3.0 * n, 40_000.0 - 7 * n**2) for n in range(-20, 31)]
    cut = round(60 * share) * 1.0
    parts = [fell(told, *ends)[0] for ends in ((0, 60), (0, cut), (cut, 60)) if ends[0] < ends[1]]
    whole, rest = parts[0] or 0, [each or 0 for each in parts[1:]]
    assert sum(rest) == pytest.approx(whole, abs=2 * 7 * 2 * 20)
