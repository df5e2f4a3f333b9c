"""Consumption by temperature, speed, hour and place: a trip counts once, and sums of rows are those of their trips."""

import itertools
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.energy.bins import BINS, bins
from analytics.engine.jobs import Wish, analyze
from logger.settings.schema import Collector, LakeSettings, Model, Settings, Sinks, Vehicle
from logger.stores.lake.lake import Lake
from logger.tables import DERIVED, TIME
from tests.analytics.driven import around, driven, located, stored

KEY = DERIVED["consumption_by"].key
AT = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
SUMS = ("trips", "distance_m", "energy_wh", "distance_km2", "energy_wh_km", "energy_wh2")
WHO = {"provider": "p", "vehicle": "a"}
SCHEMA = pl.Schema(
    {
        "provider": pl.String(), "vehicle": pl.String(), "kind": pl.String(), "started_at": TIME,
        "distance_m": pl.Float64(), "mean_speed_kmh": pl.Float64(), "ambient_c": pl.Float64(),
        "start_place": pl.String(), "energy_wh": pl.Float64(), "own_sd_wh": pl.Float64(), "common_sd_wh": pl.Float64(),
    }
)  # fmt: skip


def trip(**more: Any) -> dict[str, Any]:
    """Five kilometres at 22 km/h and 7 degrees from the depot, 150 Wh, and what is else."""
    told = {"kind": "observed", "started_at": AT, "distance_m": 5000.0, "mean_speed_kmh": 22.0, "ambient_c": 7.0}
    energy = {"start_place": "Depot", "energy_wh": 150.0, "own_sd_wh": 3.0, "common_sd_wh": 4.0}
    return {**WHO, **told, **energy, **more}


def made(*trips: dict[str, Any], timezone: str | None = "UTC") -> pl.DataFrame:
    """Their rows, all in one time zone."""
    rows = pl.DataFrame(list(trips), schema=SCHEMA)
    return bins(rows, rows.select("provider", "vehicle", timezone=pl.lit(timezone)).unique())


def named(rows: pl.DataFrame) -> dict[str, list[str]]:
    """The bins of each `by`."""
    return {str(by): part["bin"].to_list() for (by,), part in rows.group_by("by", maintain_order=True)}


def test_a_trip_is_once_in_each_of_temperature_speed_hour_and_place() -> None:
    got = made(trip())
    assert got.schema == DERIVED["consumption_by"].schema
    assert named(got) == {"hour": ["06"], "place": ["Depot"], "speed": ["20..25"], "temperature": ["5..10"]}
    assert got["bin_start"].to_list() == [6, None, 20, 5]
    assert got.select("trips", "distance_m", "energy_wh").unique().rows() == [(1, 5000, 150)]


def test_what_is_not_known_of_a_trip_makes_no_row() -> None:
    got = made(trip(ambient_c=None, mean_speed_kmh=None, start_place=None))
    assert named(got) == {"hour": ["06"]}


@pytest.mark.parametrize("more", [{"kind": "inferred"}, {"energy_wh": None}, {"distance_m": 0.0}])
def test_trips_that_nobody_saw_or_without_energy_or_way_are_left_out(more: dict[str, Any]) -> None:
    assert_frame_equal(made(trip(), trip(**more)), made(trip()))
    assert made(trip(**more)).is_empty()


def test_a_bridged_trip_counts() -> None:
    assert made(trip(kind="bridged"))["trips"].to_list() == [1] * 4


def test_a_bin_holds_its_lower_end_and_not_its_upper_one() -> None:
    got = made(*(trip(ambient_c=each) for each in (-5.0, -0.1, 0.0, 5.0)))
    rows = got.filter(pl.col("by") == "temperature").sort("bin_start")
    assert rows.select("bin", "trips").rows() == [("-5..0", 2), ("0..5", 1), ("5..10", 1)]


def test_day_and_hour_are_those_of_the_local_clock_at_the_start() -> None:
    got = made(trip(started_at=datetime(2026, 3, 28, 23, 30, tzinfo=UTC)), timezone="Europe/Berlin")
    assert got["day"].unique().to_list() == ["2026-03-29"]
    assert got["time"].unique().to_list() == [datetime(2026, 3, 28, 23, tzinfo=UTC)]
    assert named(got)["hour"] == ["00"]


def test_what_trips_share_of_their_error_does_not_average_out() -> None:
    row = made(trip(), trip()).row(0, named=True)
    half = 1.96 * math.hypot(3, 3, 4 + 4)
    assert (row["energy_low_wh"], row["energy_high_wh"]) == pytest.approx((300 - half, 300 + half))


def test_an_energy_without_an_interval_leaves_its_row_without_one() -> None:
    row = made(trip(), trip(own_sd_wh=None, common_sd_wh=None)).row(0, named=True)
    assert (row["energy_wh"], row["energy_low_wh"], row["energy_high_wh"]) == (300, None, None)


def ridden(kinds: tuple[str, ...], energy_wh: st.SearchStrategy[float | None]) -> st.SearchStrategy[dict[str, Any]]:
    """Trips of two vehicles in nine days, all of whose bins are known."""
    return st.builds(
        trip,
        vehicle=st.sampled_from("ab"),
        kind=st.sampled_from(kinds),
        started_at=st.integers(0, 200).map(lambda hours: AT + timedelta(hours=hours)),
        distance_m=st.floats(100, 30_000),
        ambient_c=st.floats(-20, 40),
        mean_speed_kmh=st.floats(1, 130),
        start_place=st.sampled_from(["Depot", "Harbour"]),
        energy_wh=energy_wh,
    )


SEEN = ridden(("observed", "bridged"), st.floats(1, 3000))
TRIPS = ridden(("observed", "bridged", "inferred"), st.none() | st.floats(1, 3000))


@given(st.lists(TRIPS, min_size=1, max_size=30), st.sampled_from(["Europe/Berlin", "Asia/Tokyo", None]))
def test_the_bins_of_each_kind_add_up_to_the_trips(trips: list[dict[str, Any]], timezone: str | None) -> None:
    got = made(*trips, timezone=timezone)
    counted = [each for each in trips if each["kind"] != "inferred" and each["energy_wh"] is not None]
    km, wh = ([each[name] for each in counted] for name in ("distance_m", "energy_wh"))
    for by in BINS:
        of = got.filter(pl.col("by") == by)
        assert of["trips"].sum() == len(counted)
        assert (of["distance_m"].sum(), of["energy_wh"].sum()) == pytest.approx((sum(km), sum(wh)))


@given(st.lists(TRIPS, min_size=1, max_size=30), st.randoms())
def test_the_order_of_trips_does_not_matter_and_vehicles_do_not_mix(trips: list[dict[str, Any]], random: Any) -> None:
    whole = made(*trips)
    apart = pl.concat(made(*(each for each in trips if each["vehicle"] == name)) for name in "ab")
    assert_frame_equal(apart.sort(KEY), whole)
    random.shuffle(trips)
    assert_frame_equal(made(*trips), whole)


@given(st.lists(SEEN, min_size=2, max_size=30))
def test_sums_over_rows_tell_the_consumption_and_its_error_as_the_trips_do(trips: list[dict[str, Any]]) -> None:
    rows = made(*trips).filter(pl.col("by") == "speed").select(SUMS).sum().row(0, named=True)
    n, d, e = rows["trips"], rows["distance_m"] / 1000, rows["energy_wh"]
    ratio = e / d
    squares = rows["energy_wh2"] - 2 * ratio * rows["energy_wh_km"] + ratio**2 * rows["distance_km2"]
    told = [(each["distance_m"] / 1000, each["energy_wh"]) for each in trips]
    own = sum((wh - ratio * km) ** 2 for km, wh in told)
    assert min(wh / km for km, wh in told) <= ratio * (1 + 1e-9)
    assert ratio * (1 - 1e-9) <= max(wh / km for km, wh in told)
    assert squares / d**2 * n / (n - 1) == pytest.approx(own / d**2 * n / (n - 1), rel=1e-6, abs=1e-6 * ratio**2)


# ---- as `voltrail analyze` makes them ------------------------------------------------------------------------------


def stored_rows(folder: Path, *parts: list[dict[str, Any]]) -> Lake:
    """A lake to which these rows of status came, each part after an analysis of those before; positions came first."""
    settings = Settings(
        Collector(data_dir=str(folder)),
        Sinks(LakeSettings(str(folder / "lake"))),
        models={"moped": Model(capacity_wh=1440)},
        vehicles={"a": Vehicle(model="moped", timezone="Europe/Berlin")},
        places={"Depot": around(0, 50), "Town": around(0, 90_000)},
    )
    lake, first = Lake(str(folder / "lake"), "log"), 1
    every = sorted(itertools.chain(*parts), key=lambda row: row["time"])
    lake.write("location", stored(list(located(every)), 1, "location"))
    for rows in parts:
        lake.write("status", stored(rows, first))
        first += len(rows)
        analyze(settings, Wish())
    return lake


def test_late_rows_leave_no_sum_behind_that_no_longer_holds(tmp_path: Path) -> None:
    rows = sorted(driven("a", 6, 9.5, 23.98, 57.3), key=lambda row: row["time"])
    late = [row for row in rows if not row["locked"]][::2]
    early = [row for row in rows if row not in late]
    once, twice = (stored_rows(tmp_path / name, *parts) for name, parts in (("once", [rows]), ("twice", [early, late])))
    got, expected = (lake.scan("consumption_by").sort(KEY).collect() for lake in (twice, once))
    assert named(expected) == {
        "hour": ["10", "00", "10"],
        "place": ["Depot", "Town", "Town"],
        "speed": ["20..25"] * 3,
    }
    assert_frame_equal(got, expected)
    hours = expected.filter(pl.col("by") == "hour")
    trips = once.scan("trips").collect()
    assert hours.select(pl.col("distance_m", "energy_wh").sum()).row(0) == pytest.approx(
        trips.select(pl.col("distance_m", "energy_wh").sum()).row(0)
    )
