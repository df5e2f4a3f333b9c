"""Charges: reported, unreported and seen by two readings; what they added, and how sure that is."""

from typing import Any

import polars as pl
import pytest

from logger.tables import DERIVED
from tests.analytics.charging.made import HOUR, KNOWN, Told, found, power, said
from tests.analytics.hand import at


def test_a_charge_lies_between_the_middles_of_the_windows_that_readings_leave() -> None:
    got = found(HOUR)
    assert got.schema == DERIVED["charges"].schema
    assert got.select("kind", "started_at", "finished_at").rows() == [("charge", at(1), at(63))]
    assert got.select("soc_start_pct", "soc_finish_pct", "soc_added_pct", "flags").rows() == [(40, 70, 30, None)]


def test_energy_of_a_charge_is_capacity_times_percent_where_power_is_not_known() -> None:
    energy, low, high, source, mean = found(HOUR).select(
        "energy_wh", "energy_low_wh", "energy_high_wh", "energy_source", "mean_w"
    ).row(0)  # fmt: skip
    in_wh = 1.05 * 450  # 5 % are lost
    half = 1.96 * in_wh * ((0.408 / 30) ** 2 + (1 / 30) ** 2 + 0.12**2 + 0.03**2) ** 0.5
    assert (energy, source) == (in_wh, "soc")
    assert (low, high, mean) == pytest.approx((in_wh - half, in_wh + half, in_wh * 60 / 62))


def test_a_charge_is_surer_where_the_capacity_is_known_better_than_by_a_data_sheet() -> None:
    measured, sheet = found(HOUR, known=KNOWN.with_columns(capacity_sd=pl.lit(0.03))), found(HOUR)
    width = pl.col("energy_high_wh") - pl.col("energy_low_wh")
    assert measured["energy_wh"].item() == sheet["energy_wh"].item()
    assert measured.select(width).item() < 0.5 * sheet.select(width).item()


def test_energy_of_a_charge_is_the_integral_of_power_where_polls_cover_it() -> None:
    got = found(HOUR, [power(minute, 400, 450) for minute in range(2, 63)]).row(0, named=True)
    assert (got["energy_source"], got["peak_w"]) == ("power", 400)
    assert (got["energy_wh"], got["wall_wh"]) == pytest.approx((400 * 62 / 60, 450 * 62 / 60))
    assert got["efficiency"] == pytest.approx(400 / 450)
    sd = (0.01**2 + (2 / 62) ** 2 / 3) ** 0.5  # two minutes at the edges have no power
    assert got["energy_high_wh"] - got["energy_low_wh"] == pytest.approx(2 * 1.96 * sd * got["energy_wh"])


def test_power_that_polls_hardly_cover_is_not_energy() -> None:
    assert found(HOUR, [power(30, 400), power(35, 400)])["energy_source"].to_list() == ["soc"]


def test_a_wall_that_gave_less_than_the_battery_took_is_flagged_and_not_clipped() -> None:
    got = found(HOUR, [power(minute, 400, 350) for minute in range(2, 63)])
    assert got["efficiency"][0] == pytest.approx(400 / 350)
    assert got["flags"].to_list() == [["efficiency_odd"]]


def test_what_a_charge_added_without_a_known_capacity_is_null() -> None:
    unknown = KNOWN.with_columns(capacity_wh=pl.lit(None, pl.Float64))
    columns = ("energy_wh", "energy_low_wh", "energy_high_wh", "energy_source", "mean_w")
    assert found(HOUR, known=unknown).select(columns).row(0) == (None,) * 5


def test_a_charge_within_one_step_of_the_percent_has_an_interval_and_no_value() -> None:
    got = found([said(0, 40), said(2, 40, True), said(8, 40, True), said(9, 40)])
    assert got.select("energy_wh", "energy_low_wh").row(0) == (None, 0)
    assert got["energy_high_wh"][0] == pytest.approx(1.96 * (0.408**2 + 1) ** 0.5 * 15 * 1.05)


def test_a_charge_that_power_tells_begins_at_the_percent_before_it_even_if_that_is_asked_for_at_the_same_moments() -> (
    None
):
    soc = [40.0, 52.0, 70.0, 70.0]
    readings = [said(30 * place, pct, None) for place, pct in enumerate(soc)]
    got = found(readings, [power(30 * place, watt) for place, watt in enumerate((0.0, 400.0, 400.0, 0.0))])
    assert got.select("kind", "soc_start_pct", "soc_finish_pct").rows() == [("charge", 40, 70)]


def test_a_drive_of_a_vehicle_that_tells_nothing_of_charging_denies_no_slow_charge_after_it() -> None:
    drive = [said(minute, 60 - minute / 3, None, 500.0 * minute) for minute in range(0, 31, 5)]
    slow = [said(30 + 5 * step, 50 + step // 8, None, 15_000) for step in range(1, 81)]  # a percent in 40 min
    got = found([*drive, *slow])
    assert got.select("kind", "soc_start_pct", "soc_finish_pct").rows() == [("charge", 50, 60)]


def test_a_speed_that_a_standing_sensor_tells_hides_no_charge() -> None:
    readings = [said(30 * place, 40.0 + 5 * place, None) | {"speed_kmh": 2.0} for place in range(5)]
    assert found(readings).select("soc_start_pct", "soc_finish_pct").rows() == [(40, 60)]
    polls = [power(30 * place, 400.0) | {"soc_pct": None} for place in range(1, 4)]
    assert found(readings, polls)["kind"].to_list() == ["charge"]


@pytest.mark.parametrize(("pause", "sessions"), [(6, 1), (20, 2)])
def test_a_pause_of_more_than_ten_minutes_parts_two_charges(pause: float, sessions: int) -> None:
    later = [said(64 + pause, 70, True), said(90 + pause, 82, True), said(92 + pause, 82)]
    assert found([*HOUR, *later]).height == sessions


def test_a_flag_that_flickered_is_no_charge() -> None:
    assert found([said(0, 40), said(1, 40, True), said(2, 40)]).is_empty()


def test_a_charge_that_goes_on_is_open_and_one_with_a_silence_before_it_is_unsure() -> None:
    assert found([said(0, 40), said(90, 45, True), said(120, 60, True)])["flags"].to_list() == [
        ["open", "start_unsure"]
    ]


def test_a_rise_between_two_readings_is_inferred_within_their_window() -> None:
    got = found([said(0, 30), said(180, 80), said(195, 80)])
    assert got.select("kind", "started_at", "finished_at", "flags", "mean_w").rows() == [
        ("inferred", at(0), at(180), ["unreported"], None)
    ]


@pytest.mark.parametrize(
    ("readings", "batteries"),
    [
        pytest.param([said(100, None, None)], [], id="a status"),
        pytest.param([], [{"minute": 100, "bms_charging": False}], id="a battery"),
    ],
)
def test_what_says_no_percent_does_not_narrow_the_window_of_a_rise(readings: Told, batteries: Told) -> None:
    got = found([said(0, 30), *readings, said(180, 80), said(195, 80)], batteries)
    assert got.select("kind", "started_at", "finished_at").rows() == [("inferred", at(0), at(180))]


def test_a_rise_that_may_be_a_swap_that_nobody_saw_may_be_no_energy_at_all() -> None:
    swap = {"minute": -900, "port": "1", "since": at(-901), "until": at(-899)}
    got = found([said(0, 30), said(180, 80), said(195, 80)], swaps=[swap]).filter(pl.col("kind") == "inferred")
    assert got.select("flags", "energy_wh", "energy_low_wh").rows() == [(["or_swap", "unreported"], None, 0)]
    assert got["energy_high_wh"][0] > 750


def test_a_rise_step_by_step_is_a_charge_that_nobody_reported() -> None:
    got = found([said(5 * n, 30 + 3 * n, None) for n in range(8)])
    assert got.select("kind", "soc_added_pct").rows() == [("charge", 21)]


@pytest.mark.parametrize(
    "readings",
    [
        pytest.param([said(0, 50), said(15, 52), said(30, 52)], id="a battery that recovers"),
        pytest.param([said(0, 50), said(5, 53, way=2000), said(6, 53, way=2500)], id="regenerated on the way down"),
    ],
)
def test_a_rise_that_no_charger_made_is_no_charge(readings: Told) -> None:
    assert found(readings).is_empty()


def test_a_swap_adds_percent_and_no_charged_energy() -> None:
    swap = {"minute": 20, "port": "1", "soc_before_pct": 20, "soc_after_pct": 95, "since": at(15), "until": at(30)}
    got = found([said(0, 20), said(15, 20), said(30, 95)], swaps=[swap])
    assert got.select("kind", "port", "soc_added_pct", "energy_wh", "energy_high_wh").rows() == [
        ("swap", "1", 75, 0, 0)
    ]


@pytest.mark.parametrize(
    ("minute", "first", "last"), [pytest.param(1, 15, 70, id="before"), pytest.param(63, 40, 99, id="after")]
)
def test_the_percent_of_a_pack_that_was_swapped_beside_a_charge_is_not_the_charges(
    minute: float, first: float, last: float
) -> None:
    swap = {"minute": minute, "port": "1", "since": at(minute), "until": at(minute + 0.5)}
    readings = [said(0, first), *HOUR[1:-1], said(64, last)]
    got = found(readings, swaps=[swap]).filter(pl.col("kind") == "charge")
    assert got.select("soc_start_pct", "soc_finish_pct").rows() == [(40, 70)]


def test_a_charge_has_a_position_of_its_own_time_and_no_earlier_one() -> None:
    def fix(minute: float) -> dict[str, Any]:
        return {"minute": minute, "lat_deg": minute, "lon_deg": 7.0}

    assert found(HOUR, fixes=[fix(-60), fix(30)])["lat_deg"].to_list() == [30]
    assert found(HOUR, fixes=[fix(-60)])["lat_deg"].to_list() == [None]


def test_the_name_of_a_charge_does_not_change_with_readings_that_come_later() -> None:
    later = [*HOUR, said(75, 70, True), said(90, 78, True), said(92, 78)]
    assert found(later)["charge_id"].to_list()[:1] == found(HOUR)["charge_id"].to_list()
    assert found(later)["charge_id"].is_unique().all()


def test_the_battery_query_tells_of_charges_that_the_status_does_not() -> None:
    polls = [
        {"minute": m, "bms_charging": on, "bms_soc_pct": soc}
        for m, on, soc in ((0, False, 40), (5, True, 41), (30, True, 60), (35, False, 60))
    ]
    got = found([], polls)
    assert got.select("kind", "soc_start_pct", "soc_finish_pct").rows() == [("charge", 40, 60)]
