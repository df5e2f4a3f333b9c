"""Stints, verdicts and figures of models in a lake: made anew where that is new, the same in any split."""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
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
from tests.analytics.battery_health.fleet_lake import Place
from tests.analytics.driven import BEGIN, HOUR, RIDE_S, driven

pytestmark = pytest.mark.long

DAYS, STINT_DAYS = 70, 7  # two months by themselves, and one by those before
RIDE_KM = 1.8
HOURS = {name: [24.0 * day + hour for day in range(DAYS) for hour in (8.5, 12.3, 16.7)] for name in ("a", "b", "c")}
FULL_PCT = {0: 2.4, 1: 3.0}  # of a ride, on the good pack and on the worn one
MAY = datetime(2026, 5, 1, tzinfo=UTC)
Said = list[dict[str, Any]]


def stint(at: datetime) -> int:
    return (at - BEGIN).days // STINT_DAYS


def status() -> Iterator[dict[str, Any]]:
    """Two packs take turns; the second one's percent holds a fifth less."""
    for name, hours in HOURS.items():
        for row in driven(name, DAYS, *hours):
            number = stint(row["time"])
            into = row["odometer_m"] - 1000 - 1800 * 3 * STINT_DAYS * number
            yield row | {"soc_pct": float(int(100 - into / 1800 * FULL_PCT[number % 2]))}


def packs() -> Said:
    """Asked twice a day; a pack leaves with as many cycles as it comes back with."""
    rows = Said()
    for name in HOURS:
        for half in range(2 * DAYS):
            at = BEGIN + (12 * half + 6.2) * HOUR
            number = stint(at)
            cycles = (200, 77)[number % 2] + number // 2
            rows.append(_asked(name, at) | {"port": "1", "pack_cycles": cycles, "pack_soc_pct": 50.0})
    return rows


def powers() -> Said:
    return [
        _asked(name, BEGIN + hour * HOUR + timedelta(seconds=second)) | {"power_w": -(550.0 + 100 * (second % 3 - 1))}
        for name, hours in HOURS.items() for hour in hours for second in range(31, RIDE_S, 65)
    ]  # fmt: skip


def _asked(name: str, at: datetime) -> dict[str, Any]:
    return {
        "provider": "segway", "vehicle": name, "time": at, "received_at": at, "via": "poll", "clock": "device",
    }  # fmt: skip


NAMED = [
    {"provider": "segway", "vehicle": name, "time": BEGIN, "received_at": BEGIN, "model": "moped", "timezone": "UTC"}
    for name in HOURS
]
FAULTS = [  # each lasts for weeks
    _asked(name, BEGIN + day * 24 * HOUR) | {"kind": "fault", "code": "7", "state": state}
    for name in HOURS for day, state in ((3, "active"), (40, "cleared"))
]  # fmt: skip
SAID: dict[str, Said] = {"status": list(status()), "pack": packs(), "battery": powers(), "event": FAULTS}


def filled(place: Place) -> Place:
    place.write("vehicles", NAMED)
    for name, rows in SAID.items():
        place.write(name, rows)
    return place


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = filled(Place(tmp_path_factory.mktemp("packs")))
    place.analyze()
    return place


def verdicts(place: Place) -> pl.DataFrame:
    return place.made("battery_health").filter(method="verdict")


def test_each_stint_ends_where_a_swap_began(told: Place) -> None:
    rows = told.made("stints").filter(vehicle="a")
    assert rows.height == DAYS // STINT_DAYS
    assert rows["port"].unique().to_list() == ["1"]
    assert (rows["finished_at"][:-1] <= rows["started_at"][1:]).all()
    assert rows["end_reason"].to_list() == ["swap"] * (rows.height - 1) + [None]
    first, last = (rows[name].to_list() for name in ("first_cycles", "last_cycles"))
    assert first == [(200, 77)[number % 2] + number // 2 for number in range(rows.height)]
    assert last == first
    metres, trips = rows["distance_m"].sum(), told.made("trips").filter(vehicle="a", swaps=0)
    assert metres == pytest.approx(trips["distance_m"].sum())


def test_each_stint_has_its_verdict_and_each_month_another(told: Place) -> None:
    rows = verdicts(told).filter(vehicle="a")
    begun = [BEGIN + timedelta(days=STINT_DAYS * number) for number in range(DAYS // STINT_DAYS)]
    months = [datetime(2026, month, 1, tzinfo=UTC) for month in (4, 5)]
    got = sorted(round((at - BEGIN) / timedelta(days=1)) for at in rows["time"])
    assert got == sorted(round((at - BEGIN) / timedelta(days=1)) for at in {*begun, *months})


def test_stints_and_their_months_count_the_same_trips(told: Place) -> None:
    trips, stints = told.made("trips"), told.made("stints")
    assert stints["distance_m"].sum() == trips["distance_m"].sum()
    by_month = told.made("battery_health").filter(method="km_per_pct").group_by("stint_id").agg(
        (pl.col("distance_m").sum() / pl.col("soc_used_pct").sum() / 1000).alias("km_per_pct")
    )  # fmt: skip
    both = stints.join(by_month, on="stint_id", suffix="_months")
    assert both.height == stints.height == len(HOURS) * DAYS // STINT_DAYS
    assert both["km_per_pct"].to_list() == pytest.approx(both["km_per_pct_months"].to_list())


def test_a_worn_pack_is_told_from_a_good_one(told: Place) -> None:
    rows = (
        verdicts(told).filter(pl.col("time") >= MAY).with_columns(number=pl.col("time").map_elements(stint, pl.Int64))
    )
    by = rows.group_by(pl.col("number") % 2).agg(pl.col("capacity_wh").mean())
    good, worn = by.sort("number")["capacity_wh"]
    assert worn / good == pytest.approx(FULL_PCT[0] / FULL_PCT[1], rel=0.05)


def test_rides_alike_took_alike_whatever_pack_was_in(told: Place) -> None:
    """Their percents differ by a quarter."""
    trips = told.made("trips").filter(pl.col("time") >= MAY, pl.col("swaps") == 0)
    rows = trips.with_columns(number=pl.col("time").map_elements(stint, pl.Int64) % 2)
    by = rows.group_by("number").agg(pl.col("soc_used_pct", "energy_wh").mean()).sort("number")
    assert by["soc_used_pct"][1] > 1.2 * by["soc_used_pct"][0]
    assert by["energy_wh"][1] == pytest.approx(by["energy_wh"][0], rel=0.06)
    assert mean(by["energy_wh"]) == pytest.approx(550 * RIDE_S / 3600, rel=0.06)


def test_a_late_answer_makes_the_verdicts_after_it_anew_and_none_before(told: Place, tmp_path: Path) -> None:
    place = filled(Place(tmp_path))
    place.analyze()
    before, day = verdicts(place), BEGIN + timedelta(days=63)
    more = [row | {"power_w": 1.5 * row["power_w"]} for row in SAID["battery"]
            if row["vehicle"] == "a" and row["time"] >= day]  # fmt: skip
    place.write("battery", more)
    place.analyze()
    after = verdicts(place)
    other = after.join(before, on=after.columns, how="anti", nulls_equal=True)
    assert set(other["vehicle"]) == {"a"}
    assert min(other["time"]) >= day
    assert (other["wh_per_km"] > before.filter(vehicle="a")["wh_per_km"][-1]).all()


def test_packs_left_behind_by_a_kill_are_made_anew(tmp_path: Path, told: Place) -> None:
    """A run that died once verdicts were there, and before all trips followed them."""
    place = filled(Place(tmp_path))

    def dies(rows: Rows) -> pl.DataFrame:
        if rows.worth["capacity_wh"].n_unique() > 3:
            raise Retry("killed")
        return trips(rows)

    trips = ANALYSES["trips"].rows
    mortal = {**ANALYSES, "trips": msgspec.structs.replace(ANALYSES["trips"], rows=dies)}
    with open_store(place.settings, "lake") as store, pytest.raises(Retry, match="killed"):
        Run(place.settings, store, mortal, lambda text: None).news()
    assert verdicts(place).height == verdicts(told).height
    assert not place.made("trips").equals(told.made("trips"))
    place.analyze()
    for name in ("battery_health", "trips", "calibration"):
        assert_frame_equal(place.made(name), told.made(name))


def same(place: Place, other: Place) -> None:
    """All that analyses made."""
    for name in {*(each.table or name for name, each in ANALYSES.items()), *OF_FLEETS}:
        assert_frame_equal(place.made(name), other.made(name))


def test_vehicles_make_the_same_rows_in_groups_as_together(tmp_path: Path, told: Place) -> None:
    place, lines = filled(Place(tmp_path)), list[str]()
    with open_store(place.settings, "lake") as store:
        Run(place.settings, store, ANALYSES, lines.append, group_rows=1_000).news()
    assert any("(3 of 3)" in line for line in lines)
    assert not any("faults" in line for line in lines)  # they are made with all else where all is read
    assert place.made("episodes").height == len(HOURS)
    same(place, told)


def changed(factor: float) -> Said:
    """What the battery of b said in April, as if its sensor had told so much more."""
    april = [row for row in SAID["battery"] if row["vehicle"] == "b" and row["time"].month == 4]
    return [row | {"power_w": factor * row["power_w"]} for row in april]


def test_energies_that_followed_figures_which_are_gone_again_are_made_anew(tmp_path: Path, told: Place) -> None:
    """Other figures are told, a run dies with half of the energies made, and what was said is corrected."""
    place = filled(Place(tmp_path))
    place.analyze()
    place.write("battery", changed(1.3))

    def dies(rows: Rows) -> pl.DataFrame:
        raise Retry("killed")

    mortal = {**ANALYSES, "standby": msgspec.structs.replace(ANALYSES["standby"], rows=dies)}
    with open_store(place.settings, "lake") as store, pytest.raises(Retry, match="killed"):
        Run(place.settings, store, mortal, lambda text: None).news()
    place.write("battery", changed(1.0))
    place.analyze()
    same(place, told)


@pytest.mark.parametrize("wish", [{"names": ("calibration",)}, {"vehicles": ("a",)}, {"names": ("trips", "standby")}])
def test_what_is_asked_for_by_name_leaves_nothing_stale(tmp_path: Path, told: Place, wish: dict[str, Any]) -> None:
    place = filled(Place(tmp_path))
    place.write("battery", changed(1.3))
    place.analyze()
    place.write("battery", changed(1.0))
    place.analyze(**wish)
    place.analyze()
    same(place, told)


def test_a_log_that_ends_with_a_month_and_goes_on_is_told_as_a_whole_one(tmp_path: Path, told: Place) -> None:
    place, noon = Place(tmp_path), datetime(2026, 4, 30, 12, tzinfo=UTC)
    place.write("vehicles", NAMED)
    for early in (True, False):
        for name, rows in SAID.items():
            place.write(name, [row for row in rows if (row["time"] < noon) == early])
        place.analyze()
    same(place, told)


def test_another_version_makes_figures_anew_that_no_row_changed(tmp_path: Path, told: Place) -> None:
    place = filled(Place(tmp_path))
    place.analyze()
    wrong = place.made("calibration").with_columns(pl.col("value") * 1.5)
    place.lake.replace("calibration", wrong, None, BEGIN, BEGIN + timedelta(days=99))
    notes = tmp_path / "analysed.json"
    notes.write_text(notes.read_text().replace('"rules": "', '"rules": "older '))
    place.analyze()
    same(place, told)


@settings(max_examples=1, deadline=None)
@given(seed=st.integers(0, 1000))
def test_late_split_shuffled_and_doubled_gives_what_comes_of_it_at_once(told: Place, seed: int) -> None:
    random = Random(seed)
    rows = [(name, row) for name, said in SAID.items() for row in said]
    whole = [*rows, *random.sample(rows, 60)]
    random.shuffle(whole)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        place.write("vehicles", NAMED)
        for begin, end in ((0, len(rows) // 2), (len(rows) // 2, -2), (-2, None)):
            for name in SAID:
                place.write(name, [row for table, row in whole[begin:end] if table == name])
            place.analyze()
        same(place, told)
