"""Figures of models by month: found by the whole fleet, in the energies of each vehicle, the same in any split."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.battery_health import fleet
from analytics.battery_health.calibration import CHECKS
from analytics.engine.jobs import Run
from analytics.engine.load import Rows
from analytics.engine.registry import ANALYSES, OF_FLEETS
from logger.errors import Retry
from logger.stores import open_store
from logger.stores.lake.lake import Lake
from logger.tables import shaped
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
    """50 and 55 Wh for 1.8 km are 29.2 Wh/km, whatever the data sheet says that a pack holds."""
    place.write("battery", powers())
    place.analyze()
    assert place.value("wh_per_km") == pytest.approx(29.2, abs=0.1)
    assert place.value("capacity_wh") == pytest.approx(2917 * (place.value("km_per_pct") or 0), rel=0.01)
    trips = place.made("trips")
    assert trips["energy_wh"].mean() == pytest.approx(52.5, rel=0.02)


def test_without_power_a_data_sheet_stays_and_says_how_unsure_it_is(place: Place) -> None:
    place.analyze()
    assert place.made("calibration").filter(check="capacity_wh")["answer"].to_list() == ["insufficient"]
    assert place.made("trips")["energy_wh"].mean() == pytest.approx(0.03 * SHEET_WH, rel=0.15)


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


def test_the_last_day_counts_when_it_is_whole(place: Place) -> None:
    place.write("battery", powers())
    place.analyze()
    rides = place.made("calibration").filter(check="km_per_pct")["n"].item()
    assert rides == sum(len(hours) for hours in RIDES.values()) - 4  # the first day's rides lie before any tick


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
    assert place.made("trips")["energy_wh"].mean() == pytest.approx(52.5, rel=0.02)


def test_figures_asked_for_by_name_are_followed_by_the_next_run(place: Place) -> None:
    place.analyze()
    place.write("battery", powers())
    place.analyze(names=("calibration",))
    assert mean(place.made("trips")["energy_wh"]) < 50
    place.analyze()
    assert place.made("trips")["energy_wh"].mean() == pytest.approx(52.5, rel=0.02)


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


# ---- months --------------------------------------------------------------------------------------------------------


def evidence(days: list[datetime], y: float) -> pl.DataFrame:
    rows = [{"provider": "segway", "vehicle": "a", "time": day, "check": check, "n": 50, "sum_x": 100.0, "sum_y": y,
             "sum_xx": 250.0, "sum_xy": 2.5 * y, "sum_yy": 0.025 * y * y} for day in days
            for check in ("way_km", "ridden_km")]  # fmt: skip
    return shaped(pl.DataFrame(rows), "evidence")


def known(*vehicles: str) -> pl.DataFrame:
    return pl.DataFrame({"provider": "segway", "vehicle": list(vehicles), "model": "moped", "capacity_wh": SHEET_WH})


def told(lake: Lake, *months: int) -> dict[int, tuple[float | None, str]]:
    """Kilometres of a percent, and of which days they are, by month."""
    found = {}
    for number in months:
        rows = fleet.calibration(lake, known("a"), datetime(2026, number, 1, tzinfo=UTC))
        answers = dict(rows.select("check", "answer").rows())
        found[number] = (dict(rows.select("check", "value").rows())["km_per_pct"], answers["days"])
    return found


def test_a_month_is_told_by_the_three_before_it_and_the_first_two_by_themselves_too(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path), "log")
    for number, way_km in ((1, 40.0), (2, 50.0), (3, 60.0), (4, 70.0), (5, 80.0)):
        for day in (datetime(2026, number, day, tzinfo=UTC) for day in (9, 10)):
            lake.replace("evidence", evidence([day], way_km), None, day, day + timedelta(days=1))
    to_date, before = "to_date", "before"
    assert told(lake, 1, 2, 3, 4, 5) == {
        1: (0.4, to_date), 2: (0.433, to_date), 3: (0.45, before), 4: (0.5, before), 5: (0.6, before),
    }  # fmt: skip
    rows = fleet.calibration(lake, known("a"), datetime(2026, 4, 1, tzinfo=UTC))
    assert rows.filter(check="days")["n"].item() == 6
    assert rows.filter(check="mtbf_km")["answer"].item() == "none_seen"


def days(first: datetime, count: int) -> pl.DataFrame:
    """Days of vehicle a that were made anew."""
    return pl.DataFrame({"vehicle": ["a"], "since": [first], "until": [first + timedelta(days=count)]})


def test_a_day_counts_in_the_three_months_after_it_and_in_its_own_while_that_is_told_by_itself(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path), "log")
    first = [datetime(2026, month, 9, tzinfo=UTC) for month in (1, 2, 3, 4, 5)]
    at = [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4, 5)]

    def write(day: datetime, way_km: float) -> None:
        lake.replace("evidence", evidence([day], way_km), None, day, day + timedelta(days=1))

    for day in first:
        write(day, 40.0)
    before = fleet.sources(lake, known("a"))
    assert sorted(before) == at
    write(first[1], 41.0)
    after = fleet.sources(lake, known("a"))
    assert [begin for begin in at if before[begin] != after[begin]] == at[2:]
    other = fleet.sources(lake, known("a").with_columns(capacity_wh=1.0))
    assert not set(other.values()) & set(after.values())
    none = CHECKS.to_frame()
    assert fleet.months(none, known("a"), days(first[4], 1)) == {at[4]}  # nobody told of that month before
    so_far = pl.concat([fleet.calibration(lake, known("a"), begin) for begin in at])
    assert fleet.months(so_far, known("a"), days(first[4], 1)) == set()
    assert fleet.months(so_far, known("a"), days(first[1], 1)) == {at[1]}
    assert fleet.months(so_far, known("a"), days(first[0], 30)) == set(at[:2])
    assert fleet.months(so_far, known("b"), days(first[1], 1)) == set()


def test_only_vehicles_of_that_model_are_weighed_anew_and_only_from_that_month_to_the_next() -> None:
    march, april, may = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))
    rows = [{"provider": "segway", "time": at, "model": "moped", "check": "capacity_wh", "answer": "estimate",
             "value": 1.0, "low": 0.9, "high": 1.1, "n": 9} for at in (march, april)]  # fmt: skip
    old = fleet.marks(pl.DataFrame(rows, schema=CHECKS))
    new = fleet.marks(pl.DataFrame([rows[0] | {"value": 1.05}, rows[1]], schema=CHECKS))
    other = known("c").with_columns(model=pl.lit("other"))
    begin = march + timedelta(days=4)
    for what in fleet.FOLLOW:
        got = fleet.weighed_anew(what, old, new, pl.concat([known("a", "b"), other]), begin, may)
        assert got.rows() == [("a", begin, april), ("b", begin, april)]
        gone = fleet.weighed_anew(what, new, {}, known("a"), begin, may)
        assert gone.rows() == [("a", begin, may)]
        assert fleet.weighed_anew(what, new, new, known("a"), begin, may).height == 0


def test_what_packs_differ_by_changes_packs_and_no_energy_by_itself() -> None:
    march, april = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4))
    row = {"provider": "segway", "time": march, "model": "moped", "check": "pack_cv", "answer": "estimate", "n": 9}
    old, new = (fleet.marks(pl.DataFrame([row | {"value": value}], schema=CHECKS)) for value in (0.05, 0.06))
    packs, energies = (
        fleet.weighed_anew(what, old, new, known("a"), march, april).height for what in ("packs", "energies")
    )
    assert (packs, energies) == (1, 0)
