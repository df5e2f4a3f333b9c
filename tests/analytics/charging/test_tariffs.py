"""What charges cost, by hand-reckoned sums."""

from datetime import UTC, datetime

import polars as pl
import pytest

from analytics.charging.tariffs import priced
from logger.settings.schema import Rate, Tariffs
from logger.tables import shaped

NIGHT = Tariffs(currency="EUR", per_kwh=0.30, rates=(Rate("22:00", "06:00", 0.20),))


def cost(
    tariffs: Tariffs, start: str, end: str, energy_wh: float | None = 6000, wall_wh: float | None = None,
    kind: str = "charge",
) -> float | None:  # fmt: skip
    made = {"provider": "p", "vehicle": "a", "kind": kind, "energy_wh": energy_wh, "wall_wh": wall_wh}
    moments = {"started_at": datetime.fromisoformat(start), "finished_at": datetime.fromisoformat(end)}
    moments = {name: moment.replace(tzinfo=UTC) for name, moment in moments.items()}
    known = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "timezone": ["Europe/Berlin"]})
    got = priced(shaped(pl.DataFrame([made | moments]), "charges"), tariffs, known)
    assert got["currency"].to_list() == [None if got["cost"][0] is None else tariffs.currency]
    found: float | None = got["cost"][0]
    return found


def test_a_flat_price_and_a_fee() -> None:
    flat = Tariffs(currency="EUR", per_kwh=0.30, session_fee=0.5)
    assert cost(flat, "2026-01-05T10:00", "2026-01-05T12:00") == pytest.approx(6 * 0.30 + 0.5)


def test_a_charge_across_a_change_of_price_pays_each_part_by_local_time() -> None:
    got = cost(NIGHT, "2026-01-05T20:20", "2026-01-05T21:20")  # 21:20 to 22:20 in Berlin
    assert got == pytest.approx(6 * (40 * 0.30 + 20 * 0.20) / 60)


@pytest.mark.parametrize(
    ("start", "end", "dear_h", "cheap_h"),
    [
        pytest.param("2026-03-29T00:00", "2026-03-29T06:00", 2, 4, id="the night an hour is left out"),
        pytest.param("2026-10-25T00:00", "2026-10-25T07:00", 2, 5, id="the night an hour comes twice"),
    ],
)
def test_the_clocks_change_in_a_charge(start: str, end: str, dear_h: float, cheap_h: float) -> None:
    assert cost(NIGHT, start, end) == pytest.approx(6 * (dear_h * 0.30 + cheap_h * 0.20) / (dear_h + cheap_h))


@pytest.mark.parametrize(("day", "price"), [("2026-01-10", 0.1), ("2026-01-12", 0.3)])
def test_a_rate_of_some_days_holds_past_midnight_and_on_no_other_day(day: str, price: float) -> None:
    friday = Tariffs(currency="EUR", per_kwh=0.30, rates=(Rate("22:00", "06:00", 0.1, ("fri",)),))
    assert cost(friday, f"{day}T01:00", f"{day}T02:00") == pytest.approx(6 * price)


def test_the_first_rate_that_fits_holds() -> None:
    rates = (Rate("00:00", "00:00", 0.1, ("mon",)), Rate("00:00", "00:00", 0.2))
    two = Tariffs(currency="EUR", rates=rates)
    assert cost(two, "2026-01-05T10:00", "2026-01-05T11:00") == pytest.approx(0.6)
    assert cost(two, "2026-01-06T10:00", "2026-01-06T11:00") == pytest.approx(1.2)


def test_energy_is_bought_at_the_wall() -> None:
    flat = Tariffs(currency="EUR", per_kwh=0.30, efficiency=0.8)
    hour = ("2026-01-05T10:00", "2026-01-05T11:00")
    assert cost(flat, *hour, wall_wh=7000) == pytest.approx(2.1)
    assert cost(flat, *hour) == pytest.approx(6 / 0.8 * 0.30)


def test_what_was_not_bought_here_has_no_cost() -> None:
    hour = ("2026-01-05T10:00", "2026-01-05T11:00")
    assert cost(NIGHT, *hour, energy_wh=None) is None
    assert cost(NIGHT, *hour, kind="swap") is None


def test_without_a_currency_or_with_a_gap_in_the_prices_nothing_is_priced() -> None:
    gap = Tariffs(currency="EUR", rates=NIGHT.rates)
    for tariffs in (Tariffs(), gap):
        assert cost(tariffs, "2026-01-05T20:00", "2026-01-05T22:00") is None


def test_a_moment_without_length_has_the_price_of_its_time() -> None:
    assert cost(NIGHT, "2026-01-05T23:00", "2026-01-05T23:00") == pytest.approx(6 * 0.20)
