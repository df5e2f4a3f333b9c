"""Charges of vehicles that tell little of them: few polls, flags that are wrong or not there, percents alone."""

import polars as pl
import pytest

from analytics.charging.sessions import sessions
from analytics.observations.soc import clean_soc
from analytics.schemas import BATTERIES, OBSERVATIONS, SWAPS
from tests.analytics.charging.made import HOUR, TRIPS, Told, found, of_car, polled, power, said
from tests.analytics.hand import at
from tests.conftest import SHARED


def test_unplugged_at_every_poll_nothing_is_charged() -> None:
    assert of_car(polled([59, 60, 61, 62, 63, 63], charging=False, plugged=False)) == []
    assert of_car(polled([59, 66], charging=False, plugged=False)) == []


def test_a_plug_that_was_told_once_long_ago_denies_no_charge_and_one_beside_it_does() -> None:
    flags = [False, True, True, True, False]
    assert of_car(polled([50, 50, 60, 70, 71], charging=flags, plugged=[False, *[None] * 4])) == [("charge", 50, 71)]
    assert of_car(polled([50, 50, 50, 50, 50], 15, charging=flags, plugged=False)) == []


def test_a_rise_that_nothing_but_a_charge_explains_is_one_whatever_the_vehicle_says() -> None:
    between = [
        *polled([14, 14], 24, charging=False),
        *(row | {"minute": row["minute"] + 48} for row in polled([79, 79], 24, charging=False)),
    ]
    assert of_car(between) == [("inferred", 14, 79)]
    assert of_car(polled([20, 80, 80], 1440, charging=False, plugged=False)) == [("inferred", 20, 80)]
    assert of_car(polled([20, 24, 28, 32, 32], 5, charging=False)) == [("charge", 20, 32)]


def test_a_percent_that_leaps_faster_than_any_charger_is_put_right() -> None:
    assert of_car(polled([20, 20, 50, 50, 50], 1)) == []


def test_a_charge_in_few_polls_has_all_percents_that_arrive_after_the_last_word() -> None:
    flags = [False, *[True] * 7, False, False]
    assert of_car(polled([19, 20, 30, 40, 50, 60, 70, 80, 81, 81], 40, charging=flags)) == [("charge", 19, 81)]
    assert of_car(polled([37, 48, 48], 5, charging=[True, False, False], plugged=[True, True, False])) == [
        ("charge", 37, 48)
    ]


def test_a_way_that_is_told_late_parts_no_charge() -> None:
    ways = [78_000.0 * (n >= 7) + 76_000.0 * (n >= 8) for n in range(9)]
    flags = [False, *[True] * 7, False]
    late = [
        row | {"way_m": way}
        for row, way in zip(polled([19, 20, 30, 40, 50, 60, 70, 80, 70], 40, charging=flags), ways, strict=True)
    ]
    assert of_car(late) == [("charge", 19, 80)]


def test_a_flag_that_is_stuck_under_way_is_no_charge() -> None:
    assert of_car([said(15 * n, 80 - 3 * n, True, way=15_000 * n) for n in range(12)]) == []


def test_a_charge_that_was_driven_off_from_unseen_has_what_is_left_of_its_percents() -> None:
    drove = [said(0, 30), said(60, 40, True), said(120, 55, True), said(180, 70, way=20_000)]
    assert of_car(drove) == [("charge", 30, 70)]


def test_power_that_stops_every_third_minute_and_behind_clouds_is_a_charge_with_few_sessions() -> None:
    sun = [n % 3 != 2 and not 120 <= n % 240 < 145 for n in range(480)]
    soc = [round(50 + sum(sun[:n]) * 0.03, 1) for n in range(480)]
    got = of_car(polled(soc, 1, charging=sun, plugged=True))
    assert len(got) <= 4
    assert sum(high - low for _, low, high in got) == pytest.approx(soc[-1] - soc[0], abs=0.11)


def test_one_poll_alone_that_denies_it_parts_no_charge() -> None:
    assert of_car(polled([30, 33, 40, 50, 60], charging=[False, True, False, True, False])) == [("charge", 30, 60)]


@pytest.mark.parametrize(("every", "rows"), [(1, 600), (60, 12)])
def test_a_slow_charge_is_one_whatever_the_cadence(every: int, rows: int) -> None:
    soc = [40.0 + max(0, n * every - 60) // 35 for n in range(rows)]
    [(kind, low, high)] = of_car(polled(soc, every))
    assert (kind, low) == ("charge", 40)
    assert high - low >= 12


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param(polled([59, 60, 61, 62, 63, 63]), id="a battery that warms up"),
        pytest.param(
            [said(n, 60 + max(0, n - 30) // 3, None, way=1000 * max(0, n - 30)) for n in range(50)], id="a pass"
        ),
        pytest.param([said(0, 60), said(60, 63, way=30_000), said(120, 63, way=30_000)], id="a pass between two polls"),
        pytest.param(
            [said(n / 6, 50 if n < 60 else 54, None, way=10.0 * min(n, 58)) for n in range(90)], id="a load gone"
        ),
    ],
)
def test_a_percent_that_rises_without_a_cable_is_no_charge(readings: Told) -> None:
    assert of_car(readings) == []


def test_a_cable_and_a_rising_percent_are_a_charge() -> None:
    assert of_car(polled([50, 51, 52, 53], 20, plugged=True)) == [("charge", 50, 53)]


def test_power_into_a_standing_battery_is_a_charge_and_that_of_brakes_is_none() -> None:
    polls = [power(5 * n + 1, 2000 if 3 <= n < 9 else 0) for n in range(12)]
    assert len(of_car(polled([None] * 12, 5), batteries=polls)) == 1
    under_way = [said(n, None, None, way=800 * n) for n in range(60)]
    assert of_car(under_way, batteries=[power(n + 0.5, 9000) for n in range(0, 60, 2)]) == []


def test_no_charge_lies_in_an_observed_trip() -> None:
    trip = {"minute": 0, "kind": "observed", "started_at": at(0), "finished_at": at(31)}
    assert of_car(polled([40, 42, 46, 50, 50], 7, charging=None), trips=[trip]) == []
    got = found(HOUR, trips=[trip | {"finished_at": at(1.5)}])
    assert got.select("started_at", "finished_at").rows() == [(at(1.5), at(63))]


RECORDED = SHARED / "data" / "recordings"


@pytest.mark.skipif(not RECORDED.is_dir(), reason="recordings of fast charges are not here")
def test_fast_charges_of_which_two_polls_tell_are_found_each_with_its_percent() -> None:
    told = pl.read_csv(RECORDED / "fast_charges_200.csv", try_parse_dates=True).with_columns(
        pl.lit("p").alias("provider"), pl.col("time").dt.replace_time_zone("UTC").cast(OBSERVATIONS["at"]).alias("at")
    )
    missing = [pl.lit(None, kind).alias(name) for name, kind in OBSERVATIONS.items() if name not in told.columns]
    known = pl.read_csv(RECORDED / "fast_charges_200.known.csv")
    rows = told.with_columns(missing).select(OBSERVATIONS.names()).cast(OBSERVATIONS).sort("vehicle", "at")
    none = pl.DataFrame(schema={"provider": pl.String(), "vehicle": pl.String(), "swappable": pl.Boolean()})
    got = sessions(clean_soc(rows), BATTERIES.to_frame(), SWAPS.to_frame(), TRIPS.to_frame(), none)
    both = got.join(known, on="vehicle", validate="1:1")
    added, right = both["soc_finish_pct"] - both["soc_start_pct"], both["soc_left_pct"] - both["soc_arrived_pct"]
    assert got.height == both.height == known.height
    assert ((added - right).abs() < 0.1).all()
