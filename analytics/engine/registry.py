"""Analyses by name: which raw tables each reads, and the function that makes its table's rows."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec
import polars as pl

from analytics.battery_health import reported, resistance
from analytics.charging.tariffs import priced
from analytics.energy.bins import bins
from analytics.energy.days import days
from analytics.energy.standby import standby
from analytics.engine.health import TABLES as HEALTH
from analytics.engine.load import Rows
from analytics.frames import WHO
from analytics.stays.places import placed, private
from analytics.stays.visits import SEEN, known_span, relocations, stays
from analytics.timeline.episodes import date_span, episodes, misdated, resets, ridden
from analytics.timeline.states import states
from analytics.trips.coverage import coverage
from analytics.trips.journal import unmatched
from logger.errors import UnknownName
from logger.suggest import nearest
from logger.tables import shaped

RULES = "15"  # a change of what any analysis makes of the same rows raises it: then all is made anew


class Analysis(msgspec.Struct, frozen=True):
    """`rows` makes rows of the derived table of this name; news of the raw tables `reads` make it do so.

    A row stands at its `time`, and depends on its vehicle's rows alone. `reach` tells on which: from a rest before it
    to a rest after its end (`rest`); the same, but it may itself begin days before a rest and go on behind it, as
    parking does (`stretch`); on all that its vehicle ever said (`all`). With `known`, a row may begin and end anywhere:
    rows are those of `SEEN`, made between the moments of `KNOWN_SPAN`, and joined with those that are there. Where rows
    are `weighed`, they depend on what their model's packs hold, too, and are made after that.

    Several analyses may share a `table` of another name: then `own` tells which of its rows each makes.
    """

    reads: tuple[str, ...]
    rows: Callable[[Rows], pl.DataFrame]
    reach: Literal["rest", "stretch", "all"] = "rest"
    weighed: bool = False
    known: Callable[[Rows], pl.DataFrame] | None = None
    table: str = ""
    own: pl.Expr = pl.lit(True)


_START = ("start_lat_deg", "start_lon_deg", "start_place")
_FINISH = ("finish_lat_deg", "finish_lon_deg", "finish_place")


def trip_rows(told: Rows) -> pl.DataFrame:
    """Rows of `trips`; `private_place` is flagged where a position is left out."""
    rides = told.journeys
    hides = pl.any_horizontal(private(told.places, lat, lon) for lat, lon, _ in (_START, _FINISH))
    flagged = pl.concat_list(pl.col("flags").fill_null([]), pl.lit("private_place")).list.sort()
    marked = rides.with_columns(
        pl.when(hides).then(flagged).otherwise("flags").alias("flags"), pl.col("started_at").alias("time")
    )
    return shaped(placed(marked, told.places, _START, _FINISH), "trips")


def charge_rows(told: Rows) -> pl.DataFrame:
    """Rows of `charges` with places and costs."""
    named = placed(told.charges, told.places, ("lat_deg", "lon_deg", "place"))
    return shaped(priced(named, told.tariffs, told.known), "charges")


def state_rows(told: Rows) -> pl.DataFrame:
    """Rows of `states`."""
    drawn = (told.sessions, told.discharges)
    return states(told.steps, told.rides, told.readings, *drawn, told.downtime, told.idle, told.traits)


def standby_rows(told: Rows) -> pl.DataFrame:
    """Rows of `standby`."""
    return standby(told.steps, told.readings, told.sessions, told.swaps, told.discharges, told.worth)


def consumption_rows(told: Rows) -> pl.DataFrame:
    """Rows of `consumption`."""
    drawn = (told.sessions, told.discharges)
    books = (told.readings, told.steps, told.counted, told.soc_path, told.worth)
    return shaped(days(*books, *drawn, told.charges), "consumption")


def consumption_by_rows(told: Rows) -> pl.DataFrame:
    """Rows of `consumption_by`."""
    return bins(placed(told.journeys, told.places, _START), told.known)


def place_rows(told: Rows) -> pl.DataFrame:
    """Rows of `episodes`, as `SEEN`: stays in places, and vehicles that were carried."""
    known, read = place_span(told), told.read
    found = [stays(told.whereabouts, told.places, known), relocations(told.whereabouts, told.steps, known)]
    seen = pl.concat(found).with_columns(pl.col("start_seen") | read.from_begin, pl.col("end_seen") | read.to_end)
    return ridden(seen, told.readings).select(SEEN.names())


def place_span(told: Rows) -> pl.DataFrame:
    """Between which moments `place_rows` holds."""
    return known_span(told.whereabouts, told.places, from_begin=told.read.from_begin, to_end=told.read.to_end)


def reported_rows(told: Rows) -> pl.DataFrame:
    """Rows of `battery_health` of method `reported`."""
    shown = told.scan("status").filter(pl.col("soc_pct") > 0).select(*WHO, "soc_pct", at="time").collect()
    return reported.reported(told.batteries, shown)


def range_rows(told: Rows) -> pl.DataFrame:
    """Rows of `battery_health` of method `range_full`."""
    ranges = told.scan("status").filter(pl.any_horizontal(pl.col("range_m", "range_full_m") > 0))
    columns = ranges.select(*WHO, "soc_pct", "range_m", "range_full_m", at="time").collect()
    return reported.range_full(columns, told.range_meanings)


def resistance_rows(told: Rows) -> pl.DataFrame:
    """Rows of `battery_health` of method `resistance`."""
    return resistance.resistance(told.batteries)


_FAULT = pl.col("kind") != "pipeline"  # what vehicles say, and not what we make of it
_PLACE = ~_FAULT & pl.col("system").is_in(["place", "relocation"])
_AUDIT = ~_FAULT & pl.col("system").is_in(["odometer", "journal"])
_DATES = ~_FAULT & (pl.col("system") == "clock")

_RIDES = ("status", "location", "pack", "battery", "event", "vehicles")
ANALYSES: Mapping[str, Analysis] = {
    "trips": Analysis((*_RIDES, "journal"), trip_rows, weighed=True),
    "charges": Analysis(("status", "location", "pack", "battery", "event"), charge_rows, "stretch", weighed=True),
    "states": Analysis(_RIDES, state_rows, "stretch"),
    "consumption": Analysis((*_RIDES, "journal"), consumption_rows, weighed=True),
    "consumption_by": Analysis((*_RIDES, "journal"), consumption_by_rows, weighed=True),
    "standby": Analysis(_RIDES, standby_rows, "stretch", weighed=True),
    "episodes": Analysis(("event",), lambda told: episodes(told.events, told.readings), "all", own=_FAULT),
    "places": Analysis(("status", "location", "vehicles"), place_rows, known=place_span, table="episodes", own=_PLACE),
    "audit": Analysis(
        ("status", "location", "vehicles", "journal"),
        lambda told: pl.concat([resets(told.steps), unmatched(told.journal)]),
        table="episodes",
        own=_AUDIT,
    ),
    "dates": Analysis(
        ("status", "location", "pack", "battery", "event"),
        lambda told: misdated(told.set_aside),
        known=lambda told: date_span(told.dated),
        table="episodes",
        own=_DATES,
    ),
    "reported": Analysis(
        ("status", "battery"), reported_rows, table="battery_health", own=pl.col("method") == "reported"
    ),
    "range_full": Analysis(
        ("status",), range_rows, weighed=True, table="battery_health", own=pl.col("method") == "range_full"
    ),
    "resistance": Analysis(("battery",), resistance_rows, table="battery_health", own=pl.col("method") == "resistance"),
    "coverage": Analysis(
        ("status", "location", "intake", "vehicles"),
        lambda told: coverage(told.steps, told.rides, told.scan("intake").collect(), told.known),
    ),
}


# Tables of a whole fleet, and the analyses that they are made of once those are done.
OF_FLEETS: Mapping[str, tuple[str, ...]] = {
    "stints": ("trips", "charges"),
    "battery_health": ("trips", "charges", "episodes"),
    "calibration": ("trips", "charges", "episodes"),
    "forecast": ("trips", "standby"),
}


def chosen(names: tuple[str, ...]) -> Mapping[str, Analysis]:
    """The analyses of these names, or what a fleet's are made of; all where none is named. Raises `UnknownName`."""
    there = (*ANALYSES, *OF_FLEETS)
    for name in names:
        if name not in there:
            raise UnknownName(f"unknown analysis {name!r}{nearest(name, there)}; there are: {', '.join(there)}")
    wanted = {part for name in names or ANALYSES for part in OF_FLEETS.get(name, (name,))}
    return {name: each for name, each in ANALYSES.items() if name in wanted}


def of_fleets(names: tuple[str, ...]) -> tuple[str, ...]:
    """The tables of a whole fleet that are made where these names are wanted; all where none is named."""
    wanted = {*names} | ({*HEALTH} if {*HEALTH} & {*names} else set())  # made together
    return tuple(name for name in OF_FLEETS if not names or name in wanted)
