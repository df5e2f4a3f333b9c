"""What trips took of packs by stint and month: sums are exact, and no part of them crosses a swap or a month."""

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.battery_health.pooling import parts
from analytics.battery_health.ratios import KM_CV, POLLED_CV, Z
from analytics.battery_health.stint_months import stint_months
from analytics.battery_health.stints import bounds, stints
from analytics.observations.power import SENSOR_SD
from logger.tables import table
from tests.analytics.battery_health.stints_made import DAY, begun, polls, ride, rides, swapped
from tests.analytics.hand import at

NO_SWAPS, NO_POLLS = swapped(), polls()
APRIL, MAY = 30 * DAY, 60 * DAY  # the story begins on the second of March


def made(trips: pl.DataFrame, swaps: pl.DataFrame = NO_SWAPS, packs: pl.DataFrame = NO_POLLS) -> pl.DataFrame:
    return stint_months(bounds(swaps, packs, begun()), trips, swaps, packs)


def way(of: pl.DataFrame) -> pl.DataFrame:
    return of.filter(method="km_per_pct")


def eight(polled_wh: float) -> pl.DataFrame:
    """Trips of 4 km and 10 %, each with this energy by readings of power."""
    return rides(*(ride(100 + 60 * place, 4, 10, polled_wh=polled_wh) for place in range(8)))


def power(of: pl.DataFrame) -> pl.DataFrame:
    return of.filter(method="ride_energy")


# ---- where a part begins and ends ----------------------------------------------------------------------------------


def test_a_part_begins_with_a_swap_or_with_a_month() -> None:
    trips = rides(ride(100, 1), ride(600, 2), ride(40 * DAY, 4), ride(MAY, 8), ride(MAY + 50, 16))
    got = way(made(trips, swapped(500, 40 * DAY + 300)))
    assert got.select("time", "distance_m").rows() == [
        (at(0), 1000), (at(500), 2000), (at(APRIL), 4000), (at(MAY), 24000),
    ]  # fmt: skip
    assert got["stint_id"].to_list() == [f"segway/a/1@{1000 * at(minute).timestamp():.0f}" for minute in _STINTS]


_STINTS = (0, 500, 500, 40 * DAY + 300)


def test_a_part_has_the_name_of_its_stint_and_its_port_where_the_vehicle_has_one() -> None:
    trips, swaps = rides(ride(100), ride(600), ride(40 * DAY)), swapped(500)
    whole = stints(bounds(swaps, NO_POLLS, begun()), trips, swaps, NO_POLLS)
    got = way(made(trips, swaps))
    assert set(got["stint_id"]) == set(whole["stint_id"])
    assert set(got["port"]) == {"1"}
    assert way(made(trips))["port"].to_list() == [None] * 2


def test_packs_of_several_ports_are_one_until_either_is_changed() -> None:
    packs = polls((10, "1", 50), (10, "2", 90), (900, "2", 300))
    got = way(made(rides(ride(100, 1), ride(600, 2), ride(1000, 4)), swapped(500, 900, port="2"), packs))
    assert got.select("time", "port", "distance_m", "cycles").rows() == [
        (at(0), None, 1000, 70), (at(500), None, 2000, None), (at(900), None, 4000, 300),
    ]  # fmt: skip
    assert got["stint_id"].is_unique().all()


def test_a_part_counts_to_the_last_day_on_which_a_trip_of_it_ended() -> None:
    assert way(made(rides(ride(100), ride(9 * DAY - 5), ride(3 * DAY))))["as_of"].to_list() == ["2026-03-11"]


def test_cycles_are_the_mean_of_those_that_the_pack_had_first_and_last_in_this_part() -> None:
    packs = polls((10, "1", 200), (400, "1", 203), (600, "1", 77), (700, "1", None), (35 * DAY, "1", 90))
    trips = rides(ride(100), ride(600), ride(33 * DAY), ride(62 * DAY))
    assert way(made(trips, swapped(500), packs))["cycles"].to_list() == [201.5, 77, 90, None]


def test_vehicles_have_their_own_parts() -> None:
    of = bounds(swapped(500), NO_POLLS, begun(0, "a", "b"))
    got = way(stint_months(of, rides(ride(600, 1, vehicle="b"), ride(600, 2), ride(100, 4)), NO_SWAPS, NO_POLLS))
    assert got.select("vehicle", "time", "distance_m").rows() == [
        ("a", at(0), 4000), ("a", at(500), 2000), ("b", at(0), 1000),
    ]  # fmt: skip


# ---- sums ----------------------------------------------------------------------------------------------------------


def test_kilometres_of_a_percent_count_all_trips_whose_percent_tells_of_one_pack() -> None:
    trips = rides(ride(100, 1, 4), ride(200, 6, 10), ride(300, 9, None), ride(400, 3, 7, swaps=1), ride(500, 0, 1))
    got = way(made(trips)).row(0, named=True)
    assert [got[name] for name in ("n", "distance_m", "soc_used_pct", "km_per_pct")] == [2, 7000, 14, 0.5]
    assert got["capacity_wh"] is got["wh_per_km"] is None


def test_the_level_of_a_part_is_that_at_which_its_percents_were_used() -> None:
    high, low = {"soc_start_pct": 95.0, "soc_finish_pct": 85.0}, {"soc_start_pct": 40.0, "soc_finish_pct": 10.0}
    got = way(made(rides(ride(100, 4, 10, **high), ride(200, 9, 30, **low), ride(300, 4, 10))))
    assert got["soc_mean_pct"].to_list() == [(90 * 10 + 25 * 30 + 50 * 10) / 50]


def test_energy_is_that_of_trips_with_readings_of_power_and_the_percent_theirs() -> None:
    trips = rides(
        ride(100, 4, 10, polled_wh=120.0), ride(200, 2, 4, polled_wh=40.0), ride(300, 9, 20),
        ride(400, 5, None, polled_wh=999.0), ride(600, 5, 9, polled_wh=999.0, swaps=1),
    )  # fmt: skip
    got = power(made(trips)).row(0, named=True)
    assert [got[name] for name in ("n", "distance_m", "soc_used_pct", "energy_wh")] == [2, 6000, 14, 160]
    assert got["km_per_pct"] is None
    assert way(made(trips))["soc_used_pct"].item() == 34


def test_energy_keeps_the_sign_of_its_readings_and_capacity_has_none() -> None:
    signs = [power(made(eight(sign * 120.0))).row(0, named=True) for sign in (1, -1)]
    assert [each.pop("energy_wh") for each in signs] == [960, -960]
    assert signs[0] == signs[1]
    assert signs[0]["capacity_wh"] == pytest.approx(1200)
    assert signs[0]["wh_per_km"] == pytest.approx(30)


def test_fewer_than_eight_trips_with_readings_of_power_tell_no_capacity_and_say_so() -> None:
    got = power(made(eight(120.0).head(7))).row(0, named=True)
    assert (got["n"], got["energy_wh"], got["verdict"]) == (7, 840, "insufficient")
    assert got["reason"] == "fewer than 8 trips with readings of power"
    assert got["capacity_wh"] is got["capacity_high_wh"] is got["wh_per_km"] is None


def test_without_readings_of_power_there_is_no_energy_and_without_a_percent_no_row_at_all() -> None:
    assert power(made(rides(ride(100)))).is_empty()
    assert power(made(rides(ride(100, polled_wh=0.0)))).is_empty()
    assert made(rides(ride(100, 4, None, polled_wh=120.0), ride(200, 4, 0))).is_empty()


def test_one_trip_is_as_unsure_as_trips_of_its_length_usually_are() -> None:
    got = way(made(rides(ride(100, 4, 10))))
    assert (got["km_per_pct_high"] / got["km_per_pct"]).item() == pytest.approx(1 + Z * KM_CV / 2)


def test_trips_that_agree_by_chance_are_still_as_unsure_as_five_usual_ones_make_them() -> None:
    got = made(eight(120.0))
    sd = (POLLED_CV**2 * 5 / 12 / 32 + SENSOR_SD**2) ** 0.5
    for value, high in (("capacity_wh", "capacity_high_wh"), ("wh_per_km", "wh_per_km_high")):
        assert (power(got)[high] / power(got)[value]).item() == pytest.approx(1 + Z * sd)


def test_however_much_was_ridden_energy_is_not_surer_than_a_sensor() -> None:
    many = rides(*(ride(100 + 20 * place, 4, 10, polled_wh=119.0 + place % 3) for place in range(900)))
    got = power(made(many)).row(0, named=True)
    assert got["wh_per_km_high"] >= got["wh_per_km"] * (1 + Z * SENSOR_SD)
    assert got["wh_per_km_high"] < got["wh_per_km"] * (1 + 1.1 * Z * SENSOR_SD)


_RIDDEN = st.lists(
    st.tuples(st.integers(0, 70), st.floats(0.1, 9), st.floats(0.1, 30), st.none() | st.floats(-200, 200)),
    min_size=1, max_size=20,
)  # fmt: skip


def ridden(told: Sequence[tuple[int, float, float, float | None]]) -> pl.DataFrame:
    """Of (day, km, percent, energy), each at an hour of its own."""
    return rides(
        *(ride(day * DAY + 60 * place, km, pct, polled_wh=wh) for place, (day, km, pct, wh) in enumerate(told))
    )


@settings(deadline=None, max_examples=25)
@given(_RIDDEN, st.sets(st.integers(1, 140)))
def test_no_kilometre_percent_or_watt_hour_is_lost_or_counted_twice(
    told: Sequence[tuple[int, float, float, float | None]], late: set[int]
) -> None:
    got = made(ridden(told), swapped(*(DAY * each / 2 for each in late), within=0))
    seen = [(km, wh) for _, km, _, wh in told if wh]
    assert way(got).select(pl.col("n", "distance_m", "soc_used_pct").sum()).row(0) == pytest.approx(
        (len(told), 1000 * sum(km for _, km, _, _ in told), sum(pct for _, _, pct, _ in told))
    )
    assert power(got)["energy_wh"].sum() == pytest.approx(sum(wh for _, wh in seen))
    assert got.select("provider", "vehicle", "time", "port", "method").is_unique().all()


@settings(deadline=None, max_examples=25)
@given(_RIDDEN, st.sets(st.integers(1, 140)))
def test_parts_of_a_month_follow_from_trips_of_that_month_alone(
    told: Sequence[tuple[int, float, float, float | None]], late: set[int]
) -> None:
    trips, swaps = ridden(told), swapped(*(DAY * each / 2 for each in late), within=0)
    cut = pl.col("started_at") < at(APRIL)
    halves = [made(rows, swaps) for rows in (trips.filter(cut), trips.filter(~cut))]
    so_far = "efc"  # of the whole stint until then
    assert_frame_equal(pl.concat(halves).drop(so_far), made(trips, swaps).drop(so_far))


@settings(deadline=None, max_examples=25)
@given(_RIDDEN)
def test_parts_are_told_side_by_side_with_no_row_twice(told: Sequence[tuple[int, float, float, float | None]]) -> None:
    rows = made(ridden(told), swapped(20 * DAY), polls((10, "1", 5)))
    got = parts(rows)
    assert got.height == way(rows).height
    assert got.select(pl.col("km", "used_pct").sum()).row(0) == pytest.approx(
        (way(rows)["distance_m"].sum() / 1000, way(rows)["soc_used_pct"].sum())
    )
    assert got["seen_wh"].sum() == pytest.approx(power(rows)["energy_wh"].sum())
    assert (got["month"] == got["since"].dt.truncate("1mo")).all()
    assert got.filter((pl.col("seen_km") == 0) != (pl.col("seen_wh") == 0)).is_empty()


def test_full_cycles_are_counted_from_the_beginning_of_a_stint_and_anew_after_a_swap() -> None:
    got = made(rides(ride(100, pct=30), ride(45 * DAY, pct=20), ride(50 * DAY, pct=10)), swapped(48 * DAY))
    assert way(got)["efc"].to_list() == pytest.approx([0.15, 0.25, 0.05])


def test_packs_that_show_another_percent_on_the_mean_are_out_of_balance() -> None:
    told = [(minute, port, pct) for minute in (50, 60) for port, pct in (("1", 62.0), ("2", 60.0 - minute / 60))]
    packs = polls((50, "1", None)).clear()
    rows = pl.DataFrame(
        [{"provider": "segway", "vehicle": "a", "port": port, "at": at(minute), "pack_cycles": 3, "pack_soc_pct": pct}
         for minute, port, pct in told], schema=packs.schema,
    )  # fmt: skip
    got = way(made(rides(ride(100)), NO_SWAPS, rows))
    assert got["imbalance_pct"].to_list() == pytest.approx([2 + 55 / 60])
    alone = way(made(rides(ride(100)), NO_SWAPS, rows.filter(port="1")))
    assert alone["imbalance_pct"].to_list() == [None]


def test_rows_are_those_of_the_table_and_none_follow_from_none() -> None:
    whole, none = made(rides(ride(100, polled_wh=99.0)), swapped(500)), made(rides(), swapped(500))
    assert whole.schema == none.schema == table("battery_health").schema
    assert none.is_empty()
    assert parts(none).is_empty()
    assert set(parts(none).columns) == set(parts(whole).columns)
