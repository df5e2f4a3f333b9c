"""Swaps, charges and faults of simulated mopeds beside what really happened to them."""

from typing import Any

import polars as pl
import pytest

from analytics.charging.charges import charges
from analytics.charging.sessions import sessions
from analytics.charging.swaps import swaps
from analytics.observations.batteries import batteries, events, packs
from analytics.observations.soc import clean_soc
from analytics.schemas import FIXES
from analytics.timeline.episodes import episodes
from analytics.trips.trips import trips
from logger.simulator.demo.charge_comparison import cable_sessions, match_charges
from logger.simulator.vehicle import messages
from logger.simulator.vehicle.fleet import Simulation
from logger.simulator.vehicle.specification import PRIVATE
from logger.tables import shaped
from tests.analytics.finding import observed, segments_of

_BEGIN_S, _DAYS, _SEED = 1_790_000_000, 10, 7
_STATES = {"alert": "alertStatus", "fault": "faultStatus"}
WHO = {"provider": "segway"}
Frames = dict[str, pl.DataFrame]


def status(fields: dict[str, str]) -> dict[str, Any]:
    flags = {name: fields[name] == "true" for name in ("locked", "charging")}
    numbers = {"soc_pct": "powerPercent", "odometer_m": "odometer", "ride_time_s": "totalRidingSecs"}
    return flags | {ours: float(fields[theirs]) for ours, theirs in numbers.items()}


def event(path: str, fields: dict[str, str]) -> dict[str, Any]:
    state = {"0": "appeared", "1": "cleared"}[fields[_STATES[path]]]
    return {"kind": path, "code": fields["code"], "state": state}


def polled(scooter: Simulation, at: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    told: dict[str, Any] = messages.battery_answer(scooter.moped)
    names = {"pack_soc_pct": "batteryPercent", "pack_voltage_v": "batteryVoltage", "pack_cycles": "cycleTimes"}
    cells = [
        {"time": at, "port": str(pack["batteryPort"])} | {ours: pack[theirs] for ours, theirs in names.items()}
        for pack in told["batteryData"]
    ]
    return {"time": at, "bms_soc_pct": told["vehiclePercent"], "bms_charging": told["charging"]}, cells


def life(number: int, every_s: int = 600) -> tuple[Simulation, dict[str, list[dict[str, Any]]]]:
    """A moped's days: what it pushed, and what it said when it was asked."""
    scooter, rows = Simulation(number, _SEED, _BEGIN_S, _DAYS), dict[str, list[dict[str, Any]]]()
    for at in range(_BEGIN_S + every_s, _BEGIN_S + _DAYS * 86_400, every_s):
        for _, path, fields in scooter.advance(at):
            if path == "status":
                rows.setdefault("status", []).append({"time": int(fields["statusUtcTime"]), **status(fields)})
            elif path in _STATES:
                rows.setdefault("event", []).append({"time": int(fields["statusUtcTime"]), **event(path, fields)})
        battery, cells = polled(scooter, at)
        rows.setdefault("battery", []).append(battery)
        rows.setdefault("pack", []).extend(cells)
    return scooter, {table: [{"vehicle": scooter.vehicle, **row} for row in told] for table, told in rows.items()}


@pytest.fixture(scope="module")
def fleet() -> tuple[list[Simulation], Frames]:
    return lived(2, 4)


def lived(*numbers: int, every_s: int = 600) -> tuple[list[Simulation], Frames]:
    """Mopeds, and all that was heard of them."""
    lives = [life(number, every_s) for number in numbers]
    made = {}
    for table in ("status", "event", "battery", "pack"):
        rows = pl.DataFrame([row for _, told in lives for row in told.get(table, [])], infer_schema_length=None)
        time = pl.from_epoch(pl.col("time") * 1000, time_unit="ms").dt.replace_time_zone("UTC")
        device = table in ("status", "event")
        told = rows.with_columns(time=time, received_at=time, provider=pl.lit("segway"), clock=pl.lit("server"))
        named = told.with_columns(via=pl.lit("push" if device else "poll"))
        made[table] = shaped(named.unique(maintain_order=True), table)
    return [scooter for scooter, _ in lives], made


def found(fleet: Frames, *without: str) -> pl.DataFrame:
    told = {name: rows.clear() if name in without else rows for name, rows in fleet.items()}
    said, cells = clean_soc(observed(told["status"].lazy())), packs(told["pack"].lazy())
    asked, heard = batteries(told["battery"].lazy()), events(told["event"].lazy())
    vehicles = pl.concat([each.select("provider", "vehicle") for each in (said, cells)]).unique()
    known = vehicles.with_columns(capacity_wh=pl.lit(1500.0), swappable=pl.lit(True))
    changed, rides = swaps(cells, said, asked, heard, known), trips(segments_of(said))
    made = sessions(said, asked, changed, rides, known)
    return charges(made, changed, said, asked, known, pl.DataFrame(schema=FIXES))


@pytest.mark.parametrize("without", [(), ("event",), ("status",)], ids=["all told", "no events", "polls alone"])
def test_every_swap_is_found_in_its_window_and_none_is_made_up(
    fleet: tuple[list[Simulation], Frames], without: tuple[str, ...]
) -> None:
    scooters, told = fleet
    got = found(told, *without).filter(pl.col("kind") == "swap")
    truth = [(scooter.vehicle, row) for scooter in scooters for row in scooter.truth.swaps]
    assert len(truth) > 4
    assert got.height == len(truth)
    for vehicle, row in truth:
        mine = got.filter((pl.col("vehicle") == vehicle) & (pl.col("port") == str(row["port"])))
        spans = [(a.timestamp(), b.timestamp()) for a, b in mine.select("started_at", "finished_at").iter_rows()]
        assert any(a - 60 <= row["finished_at"] and row["started_at"] <= b + 60 for a, b in spans)


def test_every_charge_is_found_and_its_energy_lies_in_the_interval(fleet: tuple[list[Simulation], Frames]) -> None:
    scooters, told = fleet
    got = found(told).filter(pl.col("kind") != "swap")
    for scooter in scooters:
        truth = [row for row in scooter.truth.charges if row["port"] is not None]
        mine = got.filter(pl.col("vehicle") == scooter.vehicle)
        assert mine.height == len({row["started_at"] for row in truth})
        energy_wh = sum(row["energy_wh"] for row in truth)
        assert mine["energy_low_wh"].sum() <= energy_wh <= mine["energy_high_wh"].sum()


def test_charges_at_home_are_found_each_and_nineteen_of_twenty_intervals_hold() -> None:
    """Asked every six hours, so that energy is by percent and the capacity of a data sheet."""
    numbers = [PRIVATE + number for number in range(1, 25) if number % 4 and number % 5 != 3]  # one pack, a right clock
    scooters, told = lived(*numbers, every_s=21_600)
    rows = [{**WHO, "vehicle": each.vehicle, **row} for each in scooters for row in each.truth.charges]
    began = (pl.col("started_at") * 1000).cast(pl.Int64()).cast(pl.Datetime("ms", "UTC"))
    sessions = cable_sessions(pl.DataFrame(rows, infer_schema_length=None).with_columns(began))
    got = found(told)
    pairs = match_charges(got, sessions)
    held = pairs["true_wh"].is_between(pairs["energy_low_wh"], pairs["energy_high_wh"])
    assert sessions.height > 80
    assert got.height == pairs.height >= 0.98 * sessions.height
    assert float(held.sum()) >= 0.95 * pairs.height


def test_every_fault_is_one_episode(fleet: tuple[list[Simulation], Frames]) -> None:
    scooters, told = fleet
    got = episodes(events(told["event"].lazy()), observed(told["status"].lazy()))
    faults = got.filter(pl.col("kind") == "fault")
    truth = [row["what"] for scooter in scooters for row in scooter.truth.events if row["what"].startswith("fault")]
    assert sorted(f"fault {code}" for code in faults["code"]) == sorted(truth)
    assert len(truth) > 0
