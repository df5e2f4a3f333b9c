"""Standby: what is lost at rest, without rides, charges, swaps and the hour after them."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
import pytest

from analytics.charging.discharges import discharges
from analytics.energy.standby import pooled, standby
from analytics.observations.soc import clean_soc
from analytics.schemas import BATTERIES, OBSERVATIONS, SWAPS
from logger.tables import DERIVED
from tests.analytics.finding import segments_of
from tests.analytics.hand import at, rows

KNOWN = pl.DataFrame({"provider": ["segway"], "vehicle": ["a"], "capacity_wh": [1440.0]})
_SPANS = {
    "provider": pl.String(),
    "vehicle": pl.String(),
    **dict.fromkeys(("started_at", "finished_at"), OBSERVATIONS["at"]),
}


def said(minute: float, soc: float | None, *, locked: bool = True, way: float = 0, **more: Any) -> dict[str, Any]:
    return {"minute": minute, "soc_pct": soc, "locked": locked, "way_m": way, "jump": False, **more}


def found(*readings: Mapping[str, Any], spans: Sequence[tuple[float, float]] = ()) -> pl.DataFrame:
    made = [{"provider": "segway", "vehicle": "a", "started_at": at(x), "finished_at": at(y)} for x, y in spans]
    told = clean_soc(rows(OBSERVATIONS, *readings))
    charged = pl.DataFrame(made, schema=_SPANS)
    return standby(segments_of(told), told, charged, SWAPS.to_frame(), discharges(told, BATTERIES.to_frame()), KNOWN)


def test_a_day_at_rest_has_a_rate_with_the_interval_of_whole_percents() -> None:
    got = found(said(0, 80), said(720, 79), said(1440, 78))
    assert got.schema == DERIVED["standby"].schema
    row = got.row(0, named=True)
    assert (row["started_at"], row["finished_at"], row["soc_lost_pct"]) == (at(0), at(1440), 2)
    assert (row["pct_per_day_low"], row["pct_per_day_high"]) == pytest.approx((2 - 0.776, 2 + 0.776))
    assert row["mean_w"] == pytest.approx(0.02 * 1440 / 24)


@pytest.mark.parametrize(("days", "least"), [(1, 0.95), (3, 0.317), (7, 0.136)])
def test_the_loss_that_could_have_been_seen_shrinks_with_time(days: int, least: float) -> None:
    got = found(*(said(1440 * day, 80) for day in range(days + 1)))
    assert got["resolvable"][0] == pytest.approx(least, abs=0.001)


def test_a_battery_that_recovers_is_a_negative_loss_and_is_kept() -> None:
    assert found(said(0, 80), said(1440, 81))["soc_lost_pct"].to_list() == [-1]


def test_the_first_hour_after_a_ride_is_left_out() -> None:
    ride = [said(0, 80), said(1, 80, locked=False), said(2, 78, locked=False, way=900), said(3, 78, way=1000)]
    parked = [said(30, 77, way=1000), said(75, 76, way=1000), said(300, 75, way=1000)]
    got = found(*ride, *parked)
    assert got.select("started_at", "soc_lost_pct").rows() == [(at(75), 1)]


@pytest.mark.parametrize(
    ("readings", "spans"),
    [
        pytest.param([said(0, 80), said(200, 80), said(300, 85, charging=True), said(500, 90)], [], id="reported"),
        pytest.param([said(0, 80), said(200, 80), said(300, 85), said(500, 90)], [(200, 500)], id="inferred"),
        pytest.param([said(0, 10), said(200, 10), said(500, 90)], [(350, 360)], id="swapped"),
    ],
)
def test_what_a_charge_or_a_swap_brings_is_no_standby(readings: Any, spans: Any) -> None:
    assert found(*readings, spans=spans)["finished_at"].to_list() == [at(200)]


def test_a_rest_without_a_percent_or_of_half_an_hour_has_no_row() -> None:
    assert found(said(0, None), said(1440, None)).is_empty()
    assert found(said(0, 80), said(30, 80)).is_empty()


def test_pooled_rates_are_the_sum_of_losses_over_the_sum_of_times() -> None:
    long, short = found(said(0, 80), said(2880, 78)), found(said(0, 80), said(720, 80))
    got = pooled(pl.concat([long, short]), "provider")
    rate, low, high = got.select("pct_per_day", "pct_per_day_low", "pct_per_day_high").row(0)
    spread = (2 - 0.8 * 2) ** 2 + (0 - 0.8 * 0.5) ** 2
    half = 1.96 * (2 * spread) ** 0.5 / 2.5
    assert (rate, low, high) == pytest.approx((0.8, 0.8 - half, 0.8 + half))
    assert got.select("days", "n").row(0) == (2.5, 2)


def test_losses_that_agree_have_still_the_spread_of_whole_percents() -> None:
    got = pooled(pl.concat([found(said(0, 80), said(1440, 79))] * 4), "provider")
    assert got["pct_per_day_high"][0] == pytest.approx(1 + 1.96 * 0.408 * 4**0.5 / 4)


def test_what_is_given_on_purpose_is_no_standby() -> None:
    word = {n: "discharging" if 4 <= n < 32 else "unplugged" for n in range(100)}
    soc = [80 - 0.8 * min(max(n - 4, 0), 28) for n in range(100)]
    got = found(*(said(15 * n, round(soc[n], 1), charge_state=word[n], charging=False) for n in range(100)))
    assert got["soc_lost_pct"].to_list() == [0, 0]
    assert got["started_at"].to_list() == [at(0), at(15 * 36)]


def test_a_glitch_or_a_percent_that_is_put_right_is_no_loss() -> None:
    assert found(*(said(60 * n, 0 if n == 9 else 50) for n in range(24)))["soc_lost_pct"].to_list() == [0]
    assert found(*(said(60 * n, 60 if n < 9 else 48) for n in range(24)))["soc_lost_pct"].to_list() == [0, 0]


def test_a_vehicle_without_a_lock_that_is_polled_daily_has_standby() -> None:
    drives = [said(1440 * n, 90 - n - (10 if n >= 7 else 0), locked=None, way=50_000 * (n >= 7)) for n in range(14)]  # type: ignore[arg-type]
    assert found(*drives).select("started_at", "soc_lost_pct").rows() == [(at(0), 6), (at(7 * 1440), 6)]


def test_what_fell_before_the_last_percent_of_a_stand_is_standby() -> None:
    told = [said(60 * n, 80 - n) for n in range(6)]
    segments = segments_of(rows(OBSERVATIONS, told[0], said(330, 60, way=20_000), said(400, 60, way=20_000)))
    seen = rows(OBSERVATIONS, *told, said(330, 60, way=20_000), said(400, 60, way=20_000))
    placed = segments.with_columns(began_at=pl.lit(at(310)).cast(OBSERVATIONS["at"]))
    got = standby(
        placed, seen, pl.DataFrame(schema=_SPANS), SWAPS.to_frame(), discharges(seen, BATTERIES.to_frame()), KNOWN
    )
    assert got.select("finished_at", "soc_lost_pct").rows() == [(at(300), 5)]


def test_a_percent_with_decimals_is_a_loss_with_a_narrower_interval() -> None:
    row = found(said(0, 80.0), said(720, 79.5), said(1440, 79.1)).row(0, named=True)
    assert row["pct_per_day_high"] - row["pct_per_day"] == pytest.approx(0.0776)
