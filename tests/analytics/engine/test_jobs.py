"""Analyses on a real lake: only what is new, the same as from scratch, nothing stale."""

import contextlib
import itertools
import re
import shutil
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.engine.jobs import Analysed, Run, Wish, analyze
from analytics.engine.load import Rows
from analytics.engine.registry import ANALYSES, OF_FLEETS, Analysis
from logger.errors import ConfigError, Retry
from logger.locks import exclusive_lock
from logger.settings.schema import Collector, InfluxSettings, LakeSettings, Settings, Sinks
from logger.stores import open_store
from logger.stores.lake.delta import Span
from logger.stores.lake.lake import Lake
from logger.tables import shaped, table
from tests.analytics.driven import BEGIN, HOUR, around, driven, journal, located, stored
from tests.analytics.told import location, status, two_rides

DAYS = 16
ROWS = [*driven("a", DAYS, 9.5, 23.98, 105.3, 250.1, 300.5), *driven("b", DAYS, 33.3, 120.7, 371.5)]
SLOW = [{**row, "time": row["time"] - timedelta(seconds=80)} for row in driven("slow", DAYS, 31.2, 240.0, 301.9)]
FIXES = list(located(ROWS, a=(150, 3000), b=(60, 777)))
BEGUN_ANEW = [  # c's odometer falls by 2.5 km at hour 200
    row | {"odometer_m": row["odometer_m"] - 2500 * (row["time"] >= BEGIN + 200 * HOUR)}
    for row in driven("c", DAYS, 50.5, 180.5, 260.5)
]
ENTRIES = [*journal("a", 9.5, 105.3, way_m=2400), *journal("b", 33.3, 34.5, 120.7)]
EVERY = [
    *(("status", row) for row in [*ROWS, *SLOW, *BEGUN_ANEW]),
    *(("location", row) for row in FIXES),
    *(("journal", row) for row in ENTRIES),
]
PLACES = {
    "Depot": around(0, 50),
    "Town": around(0, 90_000),  # that nobody ever leaves
    "Border": around(1800, 1000),
    "Edge": around(1850, 50),  # where a vehicle is parked
    "Yard": around(6500, 2500, private=True),
}


class Place:
    """A lake of its own and the settings that name it."""

    def __init__(self, folder: Path) -> None:
        sinks = Sinks(LakeSettings(str(folder / "lake")))
        self.settings = Settings(Collector(data_dir=str(folder)), sinks, places=PLACES)
        self.lake = Lake(str(folder / "lake"), "log")
        self.sequence = 1

    def write(self, rows: list[dict[str, Any]], name: str = "status") -> None:
        self.lake.write(name, stored(rows, self.sequence, name))
        self.sequence += len(rows)

    def write_all(self, rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
        for name in ("status", "location", "journal"):
            if some := [row for into, row in rows if into == name]:
                self.write(some, name)

    def analyze(self, **wish: Any) -> Analysed:
        return analyze(self.settings, Wish(**wish))[0]

    def trips(self) -> pl.DataFrame:
        return self.made("trips")

    def made(self, name: str) -> pl.DataFrame:
        return self.lake.scan(name).sort(table(name).key).collect()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_every_ride_is_a_trip(place: Place) -> None:
    place.write(ROWS)
    assert place.analyze() == Analysed("trips", 2, 8, 1)
    trips = place.trips()
    assert trips["vehicle"].to_list() == ["a"] * 5 + ["b"] * 3
    assert trips["distance_m"].to_list() == [1800.0] * 8
    assert trips["mean_speed_kmh"].round(1).to_list() == [21.6] * 8


def test_where_nothing_is_new_nothing_is_done(place: Place) -> None:
    place.write(ROWS)
    place.analyze()
    assert place.analyze() == Analysed("trips", 0, 0, 0)


def test_a_repeated_run_over_everything_changes_nothing(place: Place) -> None:
    place.write(ROWS)
    place.analyze()
    assert place.analyze(vehicles=("a", "b")) == Analysed("trips", 2, 8, 0)


def test_a_late_row_has_its_days_made_anew_and_no_others(place: Place) -> None:
    late = [row for row in ROWS if row["vehicle"] == "a" and BEGIN + 105 * HOUR < row["time"] < BEGIN + 106 * HOUR]
    place.write([row for row in ROWS if row not in late])
    place.analyze()
    assert place.trips().filter(vehicle="a")["kind"].to_list().count("inferred") == 1
    place.write(late)
    told = place.analyze()
    assert (told.vehicles, told.commits) == (1, 1)
    assert told.rows < 5
    assert "inferred" not in place.trips()["kind"].to_list()


def test_only_the_days_that_differ_are_written_again(place: Place) -> None:
    late = next(row for row in ROWS if row["vehicle"] == "a" and row["time"] > BEGIN + 250.15 * HOUR)
    place.write([row for row in ROWS if row != late])
    place.analyze()
    before, (version, _) = place.trips(), place.lake.replaced_since("trips", None)
    place.write([late])
    place.analyze()
    pairs = zip(before.rows(named=True), place.trips().rows(named=True), strict=True)
    days = [new["time"].replace(hour=0, minute=0, second=0) for old, new in pairs if old != new]
    assert place.lake.replaced_since("trips", version)[1] == [Span(("a",), days[0], days[-1] + 24 * HOUR)]


def test_a_trip_whose_start_moved_leaves_nothing_behind(place: Place) -> None:
    place.write([row for row in ROWS if row["time"] != BEGIN + timedelta(hours=23.98)])
    place.analyze()
    place.write([row for row in ROWS if row["time"] == BEGIN + timedelta(hours=23.98)])
    place.analyze()
    scratch = place.trips()
    assert scratch["trip_id"].n_unique() == scratch.height == 8


def test_a_ride_that_ends_after_a_long_silence_is_found_behind_it(place: Place) -> None:
    silent = [row for row in driven("a", 40, 20.5, 900.5) if not 30 * HOUR < row["time"] - BEGIN < 890 * HOUR]
    place.write(silent[:-40])
    place.analyze()
    place.write(silent[-40:])
    place.analyze()
    assert place.trips()["distance_m"].sum() == 3600


def test_what_is_no_longer_stored_leaves_no_trip_behind(place: Place) -> None:
    place.write(ROWS)
    place.analyze()
    keep = place.lake.scan("status").filter(pl.col("vehicle") == "b").collect()
    place.lake.replace("status", keep, None, BEGIN, BEGIN + DAYS * 24 * HOUR)
    place.analyze()
    assert place.trips()["vehicle"].unique().to_list() == ["b"]


def test_compaction_is_no_news(place: Place) -> None:
    place.write(ROWS)
    place.analyze()
    place.lake.compact_day("status", BEGIN.date())
    assert place.analyze() == Analysed("trips", 0, 0, 0)


def test_what_was_asked_for_is_done_again_and_nothing_else(place: Place) -> None:
    place.write(ROWS)
    assert place.analyze(vehicles=("b",)) == Analysed("trips", 1, 3, 1)
    assert place.trips()["vehicle"].unique().to_list() == ["b"]
    assert place.analyze() == Analysed("trips", 2, 8, 1)


def test_an_unknown_analysis_is_named_with_the_nearest_known_one(place: Place) -> None:
    with pytest.raises(ConfigError, match="did you mean 'trips'"):
        place.analyze(names=("trip",))


def test_two_analyses_at_once_do_not_happen(place: Place) -> None:
    with exclusive_lock(place.settings.data_dir / "analysis.lock"), pytest.raises(Retry, match="another analysis"):
        place.analyze()


def test_a_new_clock_and_model_of_a_vehicle_make_all_of_it_anew(place: Place) -> None:
    place.write(ROWS)
    place.analyze()
    named = {"provider": "segway", "vehicle": "a", "time": BEGIN, "received_at": BEGIN, "timezone": "Europe/Berlin"}
    place.lake.write("vehicles", stored([named], table="vehicles"))
    assert place.analyze().vehicles == 1


def locked_stretches(told: Rows) -> pl.DataFrame:
    """A table whose rows go on for days: stretches of locked and unlocked readings."""
    steps = told.steps.with_columns(run=pl.struct("vehicle", "locked").rle_id())
    made = steps.group_by("run", maintain_order=True).agg(
        pl.col("provider", "vehicle", "locked").first(), time=pl.col("at").first(), finished_at=pl.col("at").last()
    )
    return shaped(made.with_columns(state=pl.col("locked").cast(pl.String())), "states")


def test_a_row_that_began_long_before_goes_on(place: Place) -> None:
    analyses = {"states": Analysis(("status",), locked_stretches, "stretch")}
    place.write([row for row in ROWS if row["time"] < BEGIN + 367 * HOUR])
    with open_store(place.settings, "lake") as store:
        Run(place.settings, store, analyses, lambda text: None).news()
        place.write([row for row in ROWS if row["time"] >= BEGIN + 367 * HOUR])
        Run(place.settings, store, analyses, lambda text: None).news()
    stretches = place.lake.scan("states").filter(vehicle="b").sort("time").collect()
    assert stretches["state"].to_list() == ["true", "false"] * 3 + ["true"]
    assert (stretches["finished_at"].shift(1) < stretches["time"]).sum() == 6
    assert stretches["finished_at"].max() == max(row["time"] for row in ROWS)


@pytest.mark.long
def test_a_late_row_in_a_long_stand_does_not_cut_it_short(place: Place) -> None:
    falling = [
        row | {"soc_pct": 100.0 - (row["time"] - BEGIN) // (20 * HOUR)} for row in driven("a", 60, 9.5, 30.5, 1300.5)
    ]
    late = [row for row in falling if 480 * HOUR < row["time"] - BEGIN < 484 * HOUR]
    place.write([row for row in falling if row not in late])
    place.analyze()
    once = {name: place.made(name) for name in ("states", "standby")}
    place.write(late)
    place.analyze()
    for name, rows in once.items():
        assert_frame_equal(place.made(name), rows)


# ---- what we notice ourselves --------------------------------------------------------------------------------------


def episodes(place: Place, *systems: str) -> list[Any]:
    rows = place.made("episodes").filter(pl.col("system").is_in(systems))
    return rows.sort("vehicle", "started_at", "code").select("vehicle", "code", "text", "open").rows()


def test_stays_relocations_resets_and_trips_of_a_journal_alone_are_episodes(place: Place) -> None:
    place.write_all(EVERY)
    place.analyze()
    assert place.made("episodes")["kind"].unique().to_list() == ["pipeline"]
    assert episodes(place, "relocation") == [
        ("a", "relocated", "carried 3.0 km", False),
        ("b", "relocated", "carried 780 m", False),
    ]
    assert episodes(place, "odometer", "journal") == [
        ("b", "trip_unmatched", "a trip of 1.8 km in the journal alone", False),
        ("c", "odometer_reset", "odometer went from 4.6 to 2.1 km", False),
    ]
    stays = episodes(place, "place")
    assert [row for row in stays if row[1] == "Town"] == [(vehicle, "Town", "in Town", True) for vehicle in "ab"]
    assert ("a", "Depot", "in Depot", False) in stays
    trips = place.trips().filter(pl.col("energy_source") == "reported")
    assert trips.select("vehicle", "energy_wh", "distance_m", "flags").rows() == [
        ("a", 55.0, 1800.0, ["journal_differs"]),
        ("a", 55.0, 1800.0, ["journal_differs", "private_place"]),
        ("b", 55.0, 1800.0, None),
        ("b", 55.0, 1800.0, ["private_place"]),
    ]


def test_episodes_of_several_analyses_leave_each_other_alone(place: Place) -> None:
    place.write_all(EVERY)
    at = BEGIN + 5 * HOUR
    fault = {"provider": "segway", "vehicle": "a", "time": at, "received_at": at, "kind": "fault", "code": "14"}
    place.write([fault | {"state": "appeared"}], "event")
    place.analyze()
    whole = place.made("episodes")
    assert ("fault", "14") in whole.select("kind", "code").rows()
    for name in ("places", "episodes", "audit"):
        told = place.analyze(names=(name,))
        assert (told.table, told.commits) == (name, 0)
    assert_frame_equal(place.made("episodes"), whole)


def test_a_place_that_is_no_more_has_no_stays(place: Place) -> None:
    place.write_all(EVERY)
    place.analyze()
    fewer = msgspec.structs.replace(place.settings, places={"Depot": PLACES["Depot"]})
    analyze(fewer, Wish())
    assert {code for _, code, *_ in episodes(place, "place")} == {"Depot"}


def test_a_stay_of_weeks_does_not_have_weeks_read_again(place: Place) -> None:
    rows = list(driven("a", 40, *(10.5 + 24 * day for day in range(40))))
    told = [*(("status", row) for row in rows), *(("location", row) for row in located(rows))]
    place.write_all(told[:-1])
    place.analyze()
    place.write_all(told[-1:])
    read: list[str] = []
    analyze(place.settings, Wish(), read.append)
    (first,) = {day for text in read for day in re.findall(r", (\d{4}-\d\d-\d\d) to ", text)}
    assert first >= (BEGIN + 30 * 24 * HOUR).date().isoformat()
    assert [row[1:] for row in episodes(place, "place") if row[1] == "Town"] == [("Town", "in Town", True)]


@pytest.mark.parametrize("name", ["places", "audit"])
def test_what_is_asked_for_of_a_part_is_whole_though_nothing_was_made_before(place: Place, name: str) -> None:
    place.write_all(EVERY)
    day = BEGIN + 8 * 24 * HOUR
    place.analyze(names=(name,), since=day, until=day + HOUR)
    part = place.made("episodes")
    place.analyze()
    assert part.height
    assert part.join(place.made("episodes"), on=part.columns, how="anti", nulls_equal=True).is_empty()


def rides_so_far(told: Rows) -> pl.DataFrame:
    """A table whose rows depend on all that the vehicle ever did: at each ride its number."""
    numbered = told.rides.with_columns(
        n=pl.int_range(1, pl.len() + 1).over("vehicle").cast(pl.Int64), answer=pl.lit("ride")
    )
    return shaped(numbered.with_columns(time="started_at", check=pl.lit("rides")), "calibration")


def test_what_depends_on_all_of_a_vehicle_is_made_of_all_of_it(place: Place) -> None:
    analyses = {"calibration": Analysis(("status",), rides_so_far, "all")}
    place.write([row for row in ROWS if row["time"] < BEGIN + 290 * HOUR])
    with open_store(place.settings, "lake") as store:
        Run(place.settings, store, analyses, lambda text: None).news()
        place.write([row for row in ROWS if row["time"] >= BEGIN + 290 * HOUR])
        Run(place.settings, store, analyses, lambda text: None).news()
    assert place.lake.scan("calibration").filter(vehicle="a").sort("time").collect()["n"].to_list() == [1, 2, 3, 4, 5]


def test_an_influxdb_is_read_where_it_is_asked_for(place: Place, native: InfluxSettings) -> None:
    ours = msgspec.structs.replace(place.settings, sinks=Sinks(place.settings.sinks.lake, native))
    with open_store(ours, "influx") as store:
        store.write("status", stored(ROWS))
    assert analyze(ours, Wish(source="influx"))[0] == Analysed("trips", 2, 8, 1)
    read = place.trips()
    place.write(ROWS)
    place.analyze()
    assert_frame_equal(place.trips(), read)


def test_an_analysis_that_dies_loses_nothing(place: Place) -> None:
    def dies(told: Rows) -> pl.DataFrame:
        raise Retry("the disk is full")

    place.write(ROWS)
    with open_store(place.settings, "lake") as store, pytest.raises(Retry):
        Run(place.settings, store, {**ANALYSES, "states": Analysis(("status",), dies)}, lambda text: None).news()
    assert place.analyze().vehicles == 2


class DyingLake(Lake):
    """A lake whose process dies right before, or right after, the commit of this number."""

    def __init__(self, path: str, commit: int, *, after: bool) -> None:
        super().__init__(path, "log")
        self._left, self._after, self.died = commit, after, False

    def replace(self, *told: Any) -> None:
        self._left -= 1
        self.died = self.died or (self._left < 0 and not self._after)
        if self.died:
            raise Dies
        super().replace(*told)
        self.died = self._left < 0
        if self.died:
            raise Dies


class Dies(BaseException):
    """As a kill: nothing that comes after is done."""


def died(place: Place, commit: int, *, after: bool) -> bool:
    """Whether an analysis came as far as this commit, and died there."""
    lake = DyingLake(place.settings.sinks.lake.path, commit, after=after)
    with contextlib.suppress(Dies):
        Run(place.settings, lake, ANALYSES, lambda text: None).news()
    return lake.died


@pytest.mark.long
@pytest.mark.parametrize(
    ("after", "first"), [(False, False), (True, False), (True, True)], ids=["before", "after", "first analysis"]
)
def test_an_analysis_that_is_killed_at_any_commit_leaves_nothing_stale(
    tmp_path: Path, *, after: bool, first: bool
) -> None:
    """Late rows change trips, states, stays and days that are there; a first analysis makes them all."""
    late = [each for each in EVERY if 100 * HOUR < each[1]["time"] - BEGIN < 106 * HOUR]
    begun, scratch = Place(tmp_path / "begun"), Place(tmp_path / "scratch")
    begun.write_all([each for each in EVERY if each not in late])
    if not first:
        begun.analyze()
    begun.write_all(late)
    scratch.write_all(EVERY)
    scratch.analyze()
    for commit in itertools.count():
        folder = tmp_path / f"{commit}"
        shutil.copytree(tmp_path / "begun", folder)
        place = Place(folder)
        killed = died(place, commit, after=after)
        place.analyze()
        same(place, scratch)
        if not killed:
            break
    assert commit > 5


def same(one: Place, other: Place) -> None:
    for name in {*(each.table or name for name, each in ANALYSES.items()), *OF_FLEETS}:
        assert_frame_equal(one.made(name), other.made(name))


@pytest.mark.long
@settings(max_examples=2, deadline=None)
@given(st.randoms(use_true_random=False))
def test_late_split_shuffled_and_doubled_gives_what_comes_of_it_at_once(random: Any) -> None:
    """T1, T7."""
    rows = [*EVERY, *random.sample(EVERY, 40)]
    random.shuffle(rows)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        place, scratch = Place(Path(one)), Place(Path(other))
        for begin, end in ((0, 300), (300, -2), (-2, -1), (-1, None)):
            place.write_all(rows[begin:end])
            place.analyze()
        scratch.write_all(EVERY)
        scratch.analyze()
        same(place, scratch)


@pytest.mark.long
@settings(max_examples=3, deadline=None)
@given(
    st.sampled_from(["a", "b"]), st.sampled_from([1, 3, 7]), st.floats(0, DAYS * 24 - 1), st.sampled_from([3, 30, 150])
)
def test_what_came_late_of_positions_or_readings_gives_what_comes_of_it_at_once(
    vehicle: str, which: int, since: float, hours: float
) -> None:
    tables = [name for bit, name in enumerate(("location", "status", "journal")) if which >> bit & 1]

    def late(name: str, row: dict[str, Any]) -> bool:
        inside = since <= (row["time"] - BEGIN) / HOUR < since + hours
        return name in tables and row["vehicle"] == vehicle and inside

    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        place, scratch = Place(Path(one)), Place(Path(other))
        for part in (False, True):
            place.write_all([each for each in EVERY if late(*each) is part])
            place.analyze()
        scratch.write_all(EVERY)
        scratch.analyze()
        same(place, scratch)


def test_positions_that_come_later_tell_that_a_vehicle_was_locked(place: Place) -> None:
    place.lake.write("status", status(two_rides()).collect())
    place.analyze()
    assert place.trips().height == 1
    place.lake.write("location", location([(at, True) for at in range(0, 800, 10) if not 225 < at < 305]).collect())
    place.analyze()
    assert place.trips().height == 2


def test_a_vehicle_that_never_spoke_is_named_and_does_not_pass_for_an_analysis_that_failed(place: Place) -> None:
    place.write(ROWS)
    place.analyze()
    noted = (place.settings.data_dir / "analysis.json").read_text()
    with pytest.raises(ConfigError, match="no row of vehicle 'nobody'"):
        place.analyze(vehicles=("a", "nobody"))
    assert (place.settings.data_dir / "analysis.json").read_text() == noted
