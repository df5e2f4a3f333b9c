"""Figures of models by month: found by the whole fleet, in the energies of each vehicle, the same in any split."""

import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.engine.jobs import Run
from analytics.engine.load import Rows
from analytics.engine.registry import ANALYSES, OF_FLEETS
from logger.errors import Retry
from logger.stores import open_store
from tests.analytics.battery_health.fleet_lake import SHEET_WH, Place
from tests.analytics.driven import BEGIN, HOUR, RIDE_S, driven

DAYS = 16
RIDES = {
    name: [24.0 * day + hour for day in range(DAYS) for hour in (shift, 15.5)]
    for name, shift in (("a", 7.5), ("b", 9.3))
}
STATUS = [row for name, hours in RIDES.items() for row in driven(name, DAYS, *hours)]
NAMED = [
    {"provider": "segway", "vehicle": name, "time": BEGIN, "received_at": BEGIN, "model": "moped", "timezone": "UTC"}
    for name in RIDES
]


def powers(watts: float = 600.0) -> list[dict[str, Any]]:
    """The battery's answers, one a minute of each ride; b uses a tenth more."""
    return [
        {
            "provider": "segway", "vehicle": name, "time": at, "received_at": at, "via": "poll", "clock": "device",
            "power_w": -watts * (1.0 if name == "a" else 1.1),
        }
        for name, hours in RIDES.items() for hour in hours for second in range(30, RIDE_S, 60)
        for at in [BEGIN + hour * HOUR + timedelta(seconds=second)]
    ]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write("vehicles", NAMED)
    made.write("status", STATUS)
    return made


def test_a_fleets_own_power_tells_what_its_trips_used(place: Place) -> None:
    """50 and 55 Wh for 1.8 km are 29.2 Wh/km; the data sheet, a fifth off, pulls what packs hold by little."""
    place.write("battery", powers())
    place.analyze()
    assert place.value("wh_per_km") == pytest.approx(29.2, abs=0.1)
    assert place.value("capacity_wh") == pytest.approx(2917 * (place.value("km_per_pct") or 0), rel=0.01)
    trips = place.made("trips")
    assert trips["energy_wh"].mean() == pytest.approx(52.5, rel=0.03)


def test_without_power_a_data_sheet_stays_and_says_how_unsure_it_is(place: Place) -> None:
    place.analyze()
    assert place.made("calibration").filter(check="capacity_wh")["answer"].to_list() == ["insufficient"]
    assert place.made("trips")["energy_wh"].mean() == pytest.approx(0.03 * SHEET_WH, rel=0.15)


@pytest.mark.long
def test_what_one_vehicle_tells_late_changes_the_trips_of_the_other(place: Place) -> None:
    place.write("battery", powers())
    place.analyze()
    before = place.made("trips").filter(vehicle="a")
    late = [row | {"power_w": 2 * row["power_w"]} for row in powers() if row["vehicle"] == "b"]
    place.write("battery", late)
    place.analyze()
    after = place.made("trips").filter(vehicle="a")
    assert (after["energy_wh"] > before["energy_wh"]).all()
    assert (after["trip_id"] == before["trip_id"]).all()


@pytest.mark.long
def test_the_last_day_counts_when_it_is_whole(place: Place) -> None:
    place.write("battery", powers())
    place.analyze()
    rides = place.made("calibration").filter(check="km_per_pct")["n"].item()
    assert rides == sum(len(hours) for hours in RIDES.values()) - 4  # the first day's rides lie before any tick


@pytest.mark.long
def test_energies_left_behind_by_a_kill_are_made_anew(place: Place) -> None:
    """A run that died after its figures were committed and before all trips followed them."""
    place.analyze()
    place.write("battery", powers())

    def dies(told: Rows) -> pl.DataFrame:
        if place.value("capacity_wh"):
            raise Retry("killed")
        return trips(told)

    trips = ANALYSES["trips"].rows
    mortal = {**ANALYSES, "trips": msgspec.structs.replace(ANALYSES["trips"], rows=dies)}
    with open_store(place.settings, "lake") as store, pytest.raises(Retry, match="killed"):
        Run(place.settings, store, mortal, lambda text: None).news()
    assert mean(place.made("trips")["energy_wh"]) < 50
    place.analyze()
    assert place.made("trips")["energy_wh"].mean() == pytest.approx(52.5, rel=0.03)


@pytest.mark.long
def test_figures_asked_for_by_name_are_followed_by_energies(place: Place) -> None:
    place.analyze()
    place.write("battery", powers())
    place.analyze(names=("calibration",))
    assert place.value("wh_per_km") == pytest.approx(29.2, abs=0.1)
    place.analyze()
    assert place.made("trips")["energy_wh"].mean() == pytest.approx(52.5, rel=0.03)


@pytest.mark.long
@settings(max_examples=1, deadline=None)
@given(st.randoms(use_true_random=False))
def test_late_split_shuffled_and_doubled_gives_what_comes_of_it_at_once(random: Any) -> None:
    told = [("status", row) for row in STATUS] + [("battery", row) for row in powers()]
    rows = [*told, *random.sample(told, 60)]
    random.shuffle(rows)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        place, scratch = Place(Path(one)), Place(Path(other))
        for each in (place, scratch):
            each.write("vehicles", NAMED)
        for begin, end in ((0, 700), (700, -3), (-3, None)):
            for name in ("battery", "status"):
                place.write(name, [row for table, row in rows[begin:end] if table == name])
            place.analyze()
        for name, said in (("status", STATUS), ("battery", powers())):
            scratch.write(name, said)
        scratch.analyze()
        for name in {*(each.table or name for name, each in ANALYSES.items()), *OF_FLEETS}:
            assert_frame_equal(place.made(name), scratch.made(name))


@pytest.mark.long
def test_when_a_pack_will_be_swapped_is_told_for_every_vehicle_and_follows_what_is_new(place: Place) -> None:
    place.analyze()
    first = place.made("forecast")
    assert first.select("vehicle", "soc_pct", "time").rows() == [
        (name, 4.0, max(row["time"] for row in STATUS if row["vehicle"] == name)) for name in RIDES
    ]
    assert (first["t50"] == first["time"]).all()  # below 20 % already
    full = [
        row | {"time": row["time"] + HOUR, "received_at": row["time"] + HOUR, "soc_pct": 100.0} for row in STATUS[-1:]
    ]
    place.write("status", full)
    place.analyze()
    after = place.made("forecast").filter(vehicle="b")
    assert after["soc_pct"].to_list() == [100.0]
    assert after["t10"].item() is None or after["t10"].item() > after["time"].item() + 48 * HOUR
    assert place.made("forecast").height == 2
