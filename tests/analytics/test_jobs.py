"""Analyses on a real lake: only what is new, the same as from scratch, nothing stale."""

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.jobs import Analysed, Run, Wish, analyze
from analytics.load import Rows
from analytics.registry import ANALYSES, Analysis
from logger.config import Collector, InfluxSettings, LakeSettings, Settings, Sinks
from logger.errors import ConfigError, Retry
from logger.stores import opened
from logger.stores.delta import Span
from logger.stores.lake import Lake
from logger.tables import shaped, table
from logger.turns import sole
from tests.analytics.driven import BEGIN, HOUR, driven, stored
from tests.analytics.told import location, status, two_rides

DAYS = 16
ROWS = [*driven("a", DAYS, 9.5, 23.98, 105.3, 250.1, 300.5), *driven("b", DAYS, 33.3, 120.7, 371.5)]
SLOW = [{**row, "time": row["time"] - timedelta(seconds=80)} for row in driven("slow", DAYS, 31.2, 240.0, 301.9)]


class Place:
    """A lake of its own and the settings that name it."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(Collector(data_dir=str(folder)), Sinks(LakeSettings(str(folder / "lake"))))
        self.lake = Lake(str(folder / "lake"), "log")
        self.sequence = 1

    def write(self, rows: list[dict[str, Any]]) -> None:
        self.lake.write("status", stored(rows, self.sequence))
        self.sequence += len(rows)

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
    before, (version, _) = place.trips(), place.lake.replaced("trips", None)
    place.write([late])
    place.analyze()
    pairs = zip(before.rows(named=True), place.trips().rows(named=True), strict=True)
    days = [new["time"].replace(hour=0, minute=0, second=0) for old, new in pairs if old != new]
    assert place.lake.replaced("trips", version)[1] == [Span(("a",), days[0], days[-1] + 24 * HOUR)]


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
    place.lake.compact("status", BEGIN.date())
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
    with sole(place.settings.data_dir / "analysis.lock"), pytest.raises(Retry, match="another analysis"):
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
    with opened(place.settings, "lake") as store:
        Run(place.settings, store, analyses, lambda text: None).news()
        place.write([row for row in ROWS if row["time"] >= BEGIN + 367 * HOUR])
        Run(place.settings, store, analyses, lambda text: None).news()
    stretches = place.lake.scan("states").filter(vehicle="b").sort("time").collect()
    assert stretches["state"].to_list() == ["true", "false"] * 3 + ["true"]
    assert (stretches["finished_at"].shift(1) < stretches["time"]).sum() == 6
    assert stretches["finished_at"].max() == max(row["time"] for row in ROWS)


def rides_so_far(told: Rows) -> pl.DataFrame:
    """A table whose rows depend on all that the vehicle ever did: at each ride its number."""
    numbered = told.rides.with_columns(
        n=pl.int_range(1, pl.len() + 1).over("vehicle").cast(pl.Int64), answer=pl.lit("ride")
    )
    return shaped(numbered.with_columns(time="started_at", check=pl.lit("rides")), "calibration")


def test_what_depends_on_all_of_a_vehicle_is_made_of_all_of_it(place: Place) -> None:
    analyses = {"calibration": Analysis(("status",), rides_so_far, "all")}
    place.write([row for row in ROWS if row["time"] < BEGIN + 290 * HOUR])
    with opened(place.settings, "lake") as store:
        Run(place.settings, store, analyses, lambda text: None).news()
        place.write([row for row in ROWS if row["time"] >= BEGIN + 290 * HOUR])
        Run(place.settings, store, analyses, lambda text: None).news()
    assert place.lake.scan("calibration").filter(vehicle="a").sort("time").collect()["n"].to_list() == [1, 2, 3, 4, 5]


def test_an_influxdb_is_read_where_it_is_asked_for(place: Place, native: InfluxSettings) -> None:
    ours = msgspec.structs.replace(place.settings, sinks=Sinks(place.settings.sinks.lake, native))
    with opened(ours, "influx") as store:
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
    with opened(place.settings, "lake") as store, pytest.raises(Retry):
        Run(place.settings, store, {**ANALYSES, "states": Analysis(("status",), dies)}, lambda text: None).news()
    assert place.analyze().vehicles == 2


@settings(max_examples=2, deadline=None)
@given(st.randoms(use_true_random=False))
def test_late_split_shuffled_and_doubled_gives_what_comes_of_it_at_once(random: Any) -> None:
    """T1, T7."""
    rows = [*ROWS, *SLOW, *random.sample(ROWS + SLOW, 60)]
    random.shuffle(rows)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        place, scratch = Place(Path(one)), Place(Path(other))
        for begin, end in ((0, 300), (300, -2), (-2, -1), (-1, None)):
            place.write(rows[begin:end])
            place.analyze()
        scratch.write([*ROWS, *SLOW])
        scratch.analyze()
        for name in ANALYSES:
            assert_frame_equal(place.made(name), scratch.made(name))


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
