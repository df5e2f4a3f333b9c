"""Analyses by name: which raw tables each reads, and the function that makes its table's rows."""

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec
import polars as pl

from analytics.days import days
from analytics.episodes import episodes
from analytics.evidence import evidence
from analytics.ledger import coverage
from analytics.load import Rows
from analytics.places import placed, private
from analytics.standby import standby
from analytics.states import states
from analytics.tariffs import priced
from logger.errors import UnknownName
from logger.signals import nearest
from logger.tables import shaped

RULES = "2"  # a change of what any analysis makes of the same rows raises it: then all is made anew


class Analysis(msgspec.Struct, frozen=True):
    """`rows` makes rows of the derived table of this name; news of the raw tables `reads` make it do so.

    A row stands at its `time`, and depends on its vehicle's rows alone. `reach` tells on which: from a rest before it
    to a rest after its end (`rest`); the same, but it may itself begin days before a rest and go on behind it, as
    parking does (`stretch`); on all that its vehicle ever said (`all`). Where they are `weighed`, they depend on the
    figures of their model, too.
    """

    reads: tuple[str, ...]
    rows: Callable[[Rows], pl.DataFrame]
    reach: Literal["rest", "stretch", "all"] = "rest"
    weighed: bool = False


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


def consumption_rows(told: Rows) -> pl.DataFrame:
    """Rows of `consumption`."""
    return shaped(days(told.readings, told.steps, told.counted, told.ticks, told.worth, told.swaps), "consumption")


def evidence_rows(told: Rows) -> pl.DataFrame:
    """Rows of `evidence`."""
    rides = placed(told.journeys, told.places, _START)
    return evidence(told.readings, told.ticks, rides, told.batteries, told.packs, told.known)


_RIDES = ("status", "location", "pack", "battery", "event", "vehicles")
ANALYSES: Mapping[str, Analysis] = {
    "trips": Analysis(_RIDES, trip_rows, weighed=True),
    "charges": Analysis(("status", "location", "pack", "battery", "event"), charge_rows, "stretch", weighed=True),
    "states": Analysis(
        ("status", "location", "vehicles"),
        lambda told: states(told.steps, told.rides, told.downtime, told.idle),
        "stretch",
    ),
    "consumption": Analysis(_RIDES, consumption_rows, weighed=True),
    "standby": Analysis(
        _RIDES,
        lambda told: standby(told.steps, told.charges, told.worth),
        "stretch",
        weighed=True,
    ),
    "evidence": Analysis(_RIDES, evidence_rows),
    "episodes": Analysis(("event",), lambda told: episodes(told.events, told.readings), "all"),
    "coverage": Analysis(
        ("status", "location", "intake", "vehicles"),
        lambda told: coverage(told.steps, told.rides, told.scan("intake").collect(), told.known),
    ),
}


# Tables of a whole fleet, and the analyses that they are made of once those are done.
OF_FLEETS: Mapping[str, tuple[str, ...]] = {
    "calibration": ("evidence", "episodes"),
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
