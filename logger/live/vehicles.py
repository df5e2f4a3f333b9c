"""What `/api/vehicles` states: each vehicle now with its place and last trip, how far the stores are, what is wrong.

The names of fields are stable: `docs/reports.md` describes them.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from logger.live.overview import Overview, Sink, Vehicle, read_overview
from logger.settings.schema import Settings
from logger.stores import open_lake

Places = Callable[[pl.DataFrame], pl.DataFrame]  # adds `place` to `lat_deg` and `lon_deg`, and blanks private positions
_BEHIND = 10_000  # messages that wait for a store are a trouble from here on
_STOPPED_S = 120.0  # a feeder reports every few seconds: one that has said nothing for so long has stopped
_TRIPS_OF = timedelta(days=90)  # a last trip before that is not looked for


class LastTrip(msgspec.Struct, frozen=True):
    """The newest trip that an analysis has found."""

    started_at: datetime
    finished_at: datetime
    distance_m: float | None


class LiveVehicle(msgspec.Struct, frozen=True):
    """A vehicle now; None where nobody knows. A position in a private place is not told."""

    vehicle: str
    label: str
    provider: str
    age_s: float
    state: str
    soc_pct: float | None
    odometer_m: float | None
    lat_deg: float | None
    lon_deg: float | None
    place: str | None
    last_trip: LastTrip | None


class Trouble(msgspec.Struct, frozen=True):
    """Something that is wrong with a store, an account or the analysis: which of these, its name, and what."""

    kind: str
    name: str
    error: str


class Snapshot(msgspec.Struct, frozen=True):
    """All that the page shows, at a moment."""

    at: datetime
    vehicles: list[LiveVehicle]
    stores: list[Sink]
    troubles: list[Trouble]


def read_snapshot(settings: Settings, places: Places, now: datetime | None = None) -> Snapshot:
    """Return how things stand. Raises `Retry` where the lake or the spool cannot be read."""
    now = now or datetime.now(UTC)
    overview = read_overview(settings, now=now)
    positions, trips = _positions(overview.vehicles, places), _last_trips(settings, now)
    vehicles = [
        _vehicle(each, positions[each.provider, each.vehicle], trips.get((each.provider, each.vehicle)))
        for each in overview.vehicles
    ]
    return Snapshot(now, vehicles, overview.sinks, list(troubles(overview)))


def _vehicle(each: Vehicle, position: tuple[Any, ...], trip: LastTrip | None) -> LiveVehicle:
    lat_deg, lon_deg, place = position
    own = (each.vehicle, each.label, each.provider, each.age_s, each.state, each.soc_pct, each.odometer_m)
    return LiveVehicle(*own, lat_deg, lon_deg, place, trip)


def _positions(vehicles: list[Vehicle], places: Places) -> dict[tuple[str, str], tuple[Any, ...]]:
    kinds = {"provider": pl.String(), "vehicle": pl.String(), "lat_deg": pl.Float64(), "lon_deg": pl.Float64()}
    rows = pl.DataFrame([{name: getattr(each, name) for name in kinds} for each in vehicles], schema=kinds)
    found = places(rows).select(*kinds, "place")
    return {(row[0], row[1]): row[2:] for row in found.iter_rows()}


def _last_trips(settings: Settings, now: datetime) -> Mapping[tuple[str, str], LastTrip]:
    rows = open_lake(settings).scan("trips", now - _TRIPS_OF).sort("time")
    newest = rows.unique(["provider", "vehicle"], keep="last")
    columns = newest.select("provider", "vehicle", "started_at", "finished_at", "distance_m").collect()
    return {(row[0], row[1]): LastTrip(*row[2:]) for row in columns.iter_rows()}


def troubles(overview: Overview) -> Iterator[Trouble]:
    """Yield what is wrong with stores, accounts and the analysis."""
    for sink in overview.sinks:
        if sink.error:
            yield Trouble("store", sink.name, sink.error)
        elif sink.waiting > _BEHIND:
            yield Trouble("store", sink.name, f"{sink.waiting:,} messages wait")
        elif sink.waiting and (sink.age_s is None or sink.age_s > _STOPPED_S):
            yield Trouble("store", sink.name, f"its feeder has stopped, and {sink.waiting:,} messages wait")
    for account in overview.accounts:
        if account.polls and account.polls.get("trouble"):
            yield Trouble("account", account.name, str(account.polls["trouble"]))
    if overview.analysis and overview.analysis.error:
        yield Trouble("analysis", "", overview.analysis.error)
