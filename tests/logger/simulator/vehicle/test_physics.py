"""Simulated mopeds obey physics, keep their books, and speak as the vendor's do."""

import math
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import polars as pl
import pytest

from logger.simulator.vehicle.effects import EFFECTS
from logger.simulator.vehicle.moped import Said
from logger.simulator.vehicle.physics import Scooter, fleet, sent, write_truth
from logger.simulator.vehicle.world import DAY_S
from tests.helpers.segway_pushes import CLIENT, account, decode_all, envelope, signed_body

START, DAYS, SEED = 1_790_000_000, 4, 7
PARTS = ("drag", "rolling", "drive", "brake", "auxiliary", "climb", "kinetic")


@pytest.fixture(scope="module")
def scooters() -> list[Scooter]:
    return fleet(5, SEED, START, DAYS)


@pytest.fixture(scope="module")
def told(scooters: list[Scooter]) -> dict[str, list[Said]]:
    return {scooter.vehicle: list(scooter.pushes()) for scooter in scooters}


@pytest.fixture(scope="module")
def trips(scooters: list[Scooter], told: dict[str, list[Said]]) -> list[dict[str, Any]]:
    return [{"scooter": scooter, **trip} for scooter in scooters for trip in scooter.truth.trips]


# ---- physics -------------------------------------------------------------------------------------------------------


def test_terminals_give_exactly_what_losses_height_and_speed_take(trips: list[dict[str, Any]]) -> None:
    for trip in trips:
        assert trip["residual_wh"] == pytest.approx(0, abs=1e-6)


def test_a_trip_takes_the_energy_of_its_motion_and_of_its_standing_about(trips: list[dict[str, Any]]) -> None:
    for trip in trips:
        standing_wh = trip["scooter"].moped.traits.unlocked_w * (trip["duration_s"] - trip["riding_s"]) / 3600
        spent_wh = sum(trip[f"{part}_wh"] for part in PARTS) + standing_wh
        if not trip["swaps"]:
            assert trip["energy_wh"] == pytest.approx(spent_wh, abs=0.05)


def test_charge_used_fits_the_energy_even_where_a_pack_was_swapped_on_the_way(trips: list[dict[str, Any]]) -> None:
    assert sum(trip["swaps"] for trip in trips) >= 2
    for trip in trips:
        traits = trip["scooter"].moped.traits
        nominal_wh = 48 * traits.nominal_ah * traits.ports
        assert 0.65 < trip["energy_wh"] / (trip["soc_used_pct"] / 100) / nominal_wh < 1.1


def test_what_a_pack_loses_inside_it_gives_outside_or_makes_heat(
    scooters: list[Scooter], told: dict[str, list[Said]]
) -> None:
    packs = [pack for scooter in scooters for pack in (*scooter.moped.fitted, *scooter.moped.shelf.packs)]
    assert sum(pack.heat_wh for pack in packs) > 100
    for pack in packs:
        assert pack.chemical_wh == pytest.approx(pack.out_wh - pack.in_wh + pack.heat_wh, abs=1e-6)


def test_wh_per_km_is_that_of_a_moped(trips: list[dict[str, Any]]) -> None:
    use = [trip["wh_per_km"] for trip in trips if trip["distance_m"] > 500]
    assert 25 < median(use) < 40
    assert all(5 < each < 100 for each in use)


# ---- what is shown -------------------------------------------------------------------------------------------------


def test_the_percent_is_whole_and_near_the_truth_all_along() -> None:
    scooter, errors = Scooter(2, SEED, START, DAYS), []
    for at in range(START, START + DAYS * DAY_S, 120):
        scooter.advance(at)
        errors += [pack.bms.shown_pct - 100 * pack.soc for pack in scooter.moped.fitted]
        assert all(isinstance(pack.bms.shown_pct, int) for pack in scooter.moped.fitted)
    assert max(map(abs, errors)) < 7
    assert len({round(each, 1) for each in errors}) > 10


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_moped_that_stands_says_the_power_of_standing_and_not_of_its_last_move(number: int) -> None:
    scooter, lights = Scooter(number, SEED, START, 2), []
    traits = scooter.moped.traits
    for at in range(START, START + 2 * DAY_S):
        scooter.advance(at)
        moped = scooter.moped
        if moped.mode_riding and moped.speed_ms == 0:
            lights.append(moped.power_w)
        elif moped.fitted and not moped.mode_riding:
            assert moped.power_w == (traits.locked_w if moped.locked else traits.unlocked_w)
    assert {18.0, 30.0} >= set(lights) - {traits.unlocked_w}  # which holds until the wheel first turns
    assert len(lights) > 100


@pytest.mark.parametrize("number", [1, 2, 4])
def test_the_power_that_a_moped_says_while_unlocked_sums_to_what_its_trips_take(number: int) -> None:
    """Asked each second; trips are the whole of the time unlocked but for a second or so at each end."""
    scooter, told_wh = Scooter(number, SEED, START, 2), 0.0
    for at in range(START, START + 2 * DAY_S):
        scooter.advance(at)
        told_wh += 0 if scooter.moped.locked else scooter.moped.power_w / 3600
    scooter.advance(math.inf)
    assert told_wh == pytest.approx(sum(trip["energy_wh"] for trip in scooter.truth.trips), rel=0.004)


def test_after_a_ride_the_percent_may_rise_again(told: dict[str, list[Said]]) -> None:
    rises = 0
    for said in told.values():
        locked = [fields for _, path, fields in said if path == "status" and fields["locked"] == "true"]
        rises += sum(int(b["powerPercent"]) - int(a["powerPercent"]) == 1 for a, b in pairwise(locked))
    assert rises > 0


def test_the_odometer_never_goes_back_and_ends_where_the_truth_says(
    scooters: list[Scooter], told: dict[str, list[Said]]
) -> None:
    for scooter in scooters:
        metres = [int(fields["odometer"]) for _, path, fields in told[scooter.vehicle] if path == "status"]
        assert all(a <= b for a, b in pairwise(metres))
        assert metres[-1] - metres[0] == scooter.truth.driven_m > 5000
        days = scooter.truth.odometer
        assert sum(day["odometer_m"] for day in days) == scooter.truth.driven_m
        ridden_m = sum(trip["distance_m"] for trip in scooter.truth.trips)
        assert sum(day["trips_m"] for day in days) == pytest.approx(ridden_m, abs=2 + len(days))


def test_messages_keep_the_vendors_cadence(scooters: list[Scooter], told: dict[str, list[Said]]) -> None:
    for scooter in scooters:
        for path in ("status", "location"):
            said = [at for at, each, _ in told[scooter.vehicle] if each == path]
            gaps = Counter(int(b - a) for a, b in pairwise(said))
            assert max(gaps) <= 900
            assert gaps[10] + gaps[11] + gaps[900] > 0.9 * sum(gaps.values())


def test_a_parked_moped_stays_where_it_is_unless_somebody_moves_it(scooters: list[Scooter], trips: Any) -> None:
    stood = 0
    for scooter in scooters:
        moved = [event["started_at"] for event in scooter.truth.events if event["what"] != "unlocked in vain"]
        for one, two in pairwise(scooter.truth.trips):
            if any(one["finished_at"] <= at <= two["started_at"] for at in moved):
                continue
            stood += 1
            for name in ("lat_deg", "lon_deg", "odometer_m"):
                assert one[f"finish_{name}"] == two[f"start_{name}"]
    assert stood > 20


def test_without_a_fix_the_position_is_zero_or_blank(told: dict[str, list[Said]]) -> None:
    places = Counter(
        (fields["locationStatus"], fields["latitude"] in ("0.000000", ""))
        for said in told.values()
        for _, path, fields in said
        if path == "location"
    )
    assert places["invalid", True] > 5
    assert places["invalid", False] == 0


def test_every_fifth_clock_is_wrong_and_satellites_have_the_right_time(told: dict[str, list[Said]]) -> None:
    wrong = {}
    for vehicle, said in told.items():
        offsets = [int(fields["statusUtcTime"]) - at for at, path, fields in said if path == "status"]
        wrong[vehicle[-1]] = abs(median(offsets)) > 30
        assert all(int(fields["gpsUtcTime"]) <= at for at, path, fields in said if path == "location")
    assert wrong == {"1": False, "2": False, "3": True, "4": False, "5": False}


def test_all_that_arrives_is_understood_and_makes_as_many_rows_as_the_truth_says() -> None:
    scooter = Scooter(4, SEED, START, DAYS)
    who = {"iotCode": scooter.vehicle, "platformCode": CLIENT}
    pushes = [
        envelope(push.path, signed_body({**who, **push.fields}), int(push.sent_at * 1000))
        for push in sent(scooter, SEED)
    ]
    result = decode_all(*pushes, sources={"moped": account((scooter.vehicle,))})
    assert set(result.rows) == {"status", "location", "event"}
    assert result.rows["status"]["soc_pct"].null_count() == 0
    rows = sum(
        result.rows[table].unique([*("time", "kind", "code")[: 3 if table == "event" else 1]]).height
        for table in ("status", "location", "event")
    )
    assert rows == scooter.truth.distinct


# ---- packs, days, stories ------------------------------------------------------------------------------------------


def test_every_pack_is_in_one_place_every_day(scooters: list[Scooter], told: dict[str, list[Said]]) -> None:
    for scooter in scooters:
        by_day = defaultdict(list)
        for row in scooter.truth.packs:
            by_day[row["day"]].append(row)
        assert len({tuple(sorted(row["pack"] for row in rows)) for rows in by_day.values()}) == 1
        for rows in by_day.values():
            ports = [row["port"] for row in rows if row["place"] == "vehicle"]
            assert ports == list(range(1, scooter.moped.traits.ports + 1))


def test_a_pack_that_is_taken_out_is_the_one_that_was_put_in() -> None:
    scooter = Scooter(4, SEED, START, 12)
    assert list(scooter.pushes())
    for port in (1, 2):
        swaps = [row for row in scooter.truth.swaps if row["port"] == port]
        assert len(swaps) > 1
        for one, two in pairwise(swaps):
            assert one["new_pack"] == two["old_pack"] != two["new_pack"]
            assert one["new_cycles"] <= two["old_cycles"]
    assert all(row["new_soc_pct"] > 50 for row in scooter.truth.swaps)


def test_a_charge_takes_more_from_the_wall_than_it_brings(scooters: list[Scooter], told: dict[str, list[Said]]) -> None:
    charges = [row for scooter in scooters for row in scooter.truth.charges]
    assert len(charges) > 10
    for row in charges:
        assert 0.7 < row["efficiency"] < 0.95
        assert row["soc_finish_pct"] <= 100.01


def test_a_moped_is_the_same_alone_and_in_a_fleet(told: dict[str, list[Said]]) -> None:
    alone = Scooter(3, SEED, START, DAYS)
    assert list(alone.pushes()) == told[alone.vehicle]
    assert list(Scooter(3, SEED + 1, START, DAYS).pushes()) != told[alone.vehicle]


def test_a_story_told_in_steps_is_the_same_story(told: dict[str, list[Said]]) -> None:
    scooter, said = Scooter(3, SEED, START, DAYS), []
    for at in (*range(START, START + DAYS * DAY_S, 777), math.inf):
        said += scooter.advance(at)
        assert scooter.moped.at <= at
        scooter.moped.peek(Random(1))  # asking changes nothing
    assert said == told[scooter.vehicle]


# ---- the wire, and the truth ---------------------------------------------------------------------------------------


def test_the_wire_loses_delays_and_repeats_and_counts_it() -> None:
    scooter = Scooter(1, SEED, START, DAYS)
    pushes, truth = sent(scooter, SEED, lost=0.05, late=0.05, repeated=0.05), scooter.truth
    assert len(pushes) == truth.made - truth.lost + truth.repeated
    assert min(truth.lost, truth.late, truth.repeated) > 0.03 * truth.made
    assert truth.distinct <= len(pushes) - truth.repeated
    order = [int(push.fields["statusUtcTime"]) for push in pushes if push.path == "status"]
    assert [push.sent_at for push in pushes] == sorted(push.sent_at for push in pushes)
    assert order != sorted(order)


def test_the_truth_knows_of_which_moment_a_status_came_last() -> None:
    scooter = Scooter(1, SEED, START, DAYS)
    came = [push.sent_at for push in sent(scooter, SEED, late=0) if push.path == "status"]
    assert max(came) - 10 < scooter.truth.heard_at < max(came)
    cut = START + DAYS * DAY_S / 2
    silent = Scooter(1, SEED, START, DAYS)
    sent(silent, SEED, outages=[(cut, math.inf)])
    assert cut - 1000 < silent.truth.heard_at < cut


def test_an_outage_lets_nothing_through_but_what_the_one_retry_brings() -> None:
    outage = (START + DAY_S / 2, START + DAY_S)
    calm, torn = (Scooter(1, SEED, START, DAYS) for _ in range(2))
    through = sent(calm, SEED, lost=0, late=0, repeated=0)
    came = sent(torn, SEED, lost=0, late=0, repeated=0, outages=[outage])
    assert not any(outage[0] <= push.sent_at < outage[1] for push in came)
    gone = [push for push in through if outage[0] <= push.sent_at < outage[1] - 5]
    assert torn.truth.lost - calm.truth.lost == len(gone) > 20


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_without_network_only_the_last_messages_come_and_they_come_late(number: int) -> None:
    scooter = Scooter(number, SEED, START, DAYS)
    pushes = sent(scooter, SEED, lost=0, late=0, repeated=0)
    truth = scooter.truth
    assert truth.dark
    assert truth.lost == truth.made - len(pushes) > 0
    assert truth.late <= scooter.keeps * len(truth.dark)
    assert (truth.late > 0) == (scooter.keeps > 0)
    for window in truth.dark:
        assert not any(window["started_at"] + 5 < push.sent_at < window["finished_at"] for push in pushes)


def test_the_truth_goes_to_files_with_times_in_utc(
    scooters: list[Scooter], told: dict[str, list[Said]], tmp_path: Path
) -> None:
    write_truth(scooters, tmp_path / "truth")
    found = {path.stem: pl.read_parquet(path) for path in (tmp_path / "truth").glob("*.parquet")}
    assert set(found) == {"trips", "packs", "swaps", "charges", "odometer", "events", "dark"}
    assert found["trips"].schema["started_at"] == pl.Datetime("ms", "UTC")
    assert {"vehicle", "energy_wh", "wh_per_km", "soc_used_pct", "distance_m"} <= set(found["trips"].columns)
    assert {"capacity_wh", "resistance_mohm", "day", "cycles"} <= set(found["packs"].columns)
    assert all(name in (tmp_path / "truth" / "effects.json").read_text() for name in EFFECTS)
