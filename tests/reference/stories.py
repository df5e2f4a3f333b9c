"""Small made-up stories, what vehicles report of them, and what the real analyses find."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
import polars as pl

from analytics.charging.charges import charges
from analytics.charging.discharges import discharges
from analytics.charging.sessions import sessions
from analytics.energy.trips import energies
from analytics.frames import DOWNTIME, IDLE
from analytics.observations.batteries import batteries
from analytics.observations.observations import observations
from analytics.observations.power import powered
from analytics.observations.soc import clean_soc
from analytics.observations.soc_at import soc_path
from analytics.observations.soc_used import used
from analytics.schemas import FIXES, SWAPS
from analytics.timeline.states import states
from analytics.trips.segments import learnt_traits, segments, travelled
from analytics.trips.traits import TRAITS, traits
from analytics.trips.trips import trips
from logger.sources.contract import Traits
from logger.tables import shaped
from logger.tables import table as empty
from tests.cases.reports.story import Row, Story, lacking

MOPED, CAR = Traits(lock="use", swappable=True, cadence_s=900), Traits(lock="doors", swappable=False, cadence_s=600)
KNOWN = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "capacity_wh": [60_000.0]})
WORTH = KNOWN.with_columns(wh_per_km=pl.lit(165.0), motor_power_sign=pl.lit(None, pl.String()))
_TELLS = ("locked", "speed_kmh", "odometer_m", "ride_time_s", "soc_pct")
_CHARGES = ("plugged", "charge_state", "soc_pct", "odometer_m")


class Told(msgspec.Struct, frozen=True):
    """A story, the rows that it was reported in, and what analyses made of these."""

    story: Story
    rows: list[Row]
    frames: Mapping[str, pl.DataFrame]


@cache
def of_trips() -> Told:
    """A shared moped's morning: one ride in full, one that lost its end, and one that nobody saw."""
    story = Story("03-17 08:00", odometer_m=41_276_000.0)
    story.stands(10).stands(1, locked=False).drives(5, km=2.1, pct=4)
    for _ in range(3):
        story.stands(1, locked=False)
    story.drives(4, km=1.7, pct=3).stands(1, locked=False)
    story.stands(15).stands(1, locked=False).drives(11, km=5.0, pct=9).stands(1, locked=False).stands(12)
    story.stands(5).stands(1, locked=False).drives(9, km=4.0, pct=7).stands(1, locked=False).stands(11).stands(14)
    rows = story.told(*_TELLS, every_s=300, driving_s=10)
    rows = lacking(lacking(rows, "03-17 08:44", "03-17 08:55"), "03-17 09:06", "03-17 09:30")
    return Told(story, rows, _analysed(rows, {"p": MOPED}, {}))


@cache
def of_charges() -> Told:
    """A car's day: a charge that starts by itself at night, one that the car does not report, and power for a tool."""
    story = Story("03-16 16:00", soc_pct=62.0, charge_state="unplugged", power_w=0.0)
    story.stands(60).drives(40, km=40, pct=12).stands(20)
    story.stands(220, plugged=True, charge_state="scheduled")
    story.charges(240, pct=44, charge_state="charging_ac", power_w=6700.0)
    story.stands(300, plugged=True, charge_state="complete").stands(40)
    story.drives(50, km=50, pct=15).stands(70).charges(40, pct=14, charge_state="charging_ac", power_w=13_000.0)
    story.stands(120).stands(180, pct=-6, charge_state="discharging", plugged=True, power_w=-1200.0).stands(140)
    rows = story.polled(*_CHARGES, "power_w", every_s=600, first_s=60)
    rows = lacking(rows, "03-17 08:50", "03-17 11:10")
    rows = [row | {"soc_pct": 0.0} if _wrong(row) else row for row in rows]
    return Told(story, rows, _analysed(rows, {}, {"a": CAR}))


@cache
def of_energies() -> Told:
    """A car's morning: three equal drives, told by power and percent, by percent alone, and by the way alone."""
    story = Story("03-18 07:00", soc_pct=84.0, power_w=0.0, locked=False)
    for _ in range(3):
        story.stands(30).drives(30, km=30, pct=8.35, power_w=-10_020.0)
    rows = story.stands(30).told("moving", "odometer_m", "soc_pct", "power_w", every_s=300, driving_s=10)
    rows = lacking(rows, "03-18 08:15", "03-18 11:00", "power_w")
    return Told(story, (kept := lacking(rows, "03-18 09:30", "03-18 11:00", "soc_pct")), _with_energies(kept))


def _with_energies(rows: list[Row]) -> dict[str, pl.DataFrame]:
    """What is found of a car of 60 kWh and 165 Wh/km, by its settings; `energies` are beside its trips."""
    found = _analysed(rows, {}, {"a": CAR})
    rides, readings = found["trips"], found["readings"]
    charge = used(soc_path(readings, SWAPS.to_frame(), rides), rides, SWAPS.to_frame())
    told = rides.hstack(charge).hstack(powered(rides, batteries(_stored(rows)["battery"]), WORTH))
    return {**found, "energies": rides.select("started_at", "finished_at").hstack(energies(told, WORTH))}


def _wrong(row: Row) -> bool:
    return bool(row["time"].strftime("%d %H") == "17 04" and row["time"].minute < 20)


def _analysed(
    rows: Iterable[Row], declared: Mapping[str, Traits], said: Mapping[str, Traits]
) -> dict[str, pl.DataFrame]:
    """What `voltrail analyze` does with rows of one vehicle, without a store; what nobody declares is learnt."""
    raw = _stored(rows)
    told = observations(raw["status"], raw["location"])
    meaning = traits(told, TRAITS.to_frame() if declared else learnt_traits(told), declared, said)
    found = segments(told, meaning)
    rides = trips(found)
    readings, power = clean_soc(travelled(told, found), meaning), batteries(raw["battery"])
    charged, drawn = sessions(readings, power, SWAPS.to_frame(), rides, meaning), discharges(readings, power)
    return {
        "segments": found, "trips": rides, "readings": readings,
        "charges": charges(charged, SWAPS.to_frame(), readings, power, KNOWN, FIXES.to_frame()),
        "states": states(found, rides, readings, charged, drawn, DOWNTIME.to_frame(), IDLE.to_frame(), meaning),
    }  # fmt: skip


def _stored(rows: Iterable[Row]) -> dict[str, pl.LazyFrame]:
    """Rows as the lake keeps them, by table."""
    fixed: dict[str, Any] = {"provider": "p", "vehicle": "a", "via": "push", "clock": "device"}
    whole = [row | fixed | {"received_at": row["time"], "sequence": n} for n, row in enumerate(rows, 1)]
    frame = pl.DataFrame(whole, infer_schema_length=None)
    return {
        "status": shaped(frame, "status").lazy(), "location": empty("location").schema.to_frame().lazy(),
        "battery": shaped(frame, "battery").lazy(),
    }  # fmt: skip
