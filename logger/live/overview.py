"""What there is now: each vehicle's newest values, and how far each sink has come. Creates and changes nothing."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl

from logger.display.order import natural
from logger.errors import ConfigError
from logger.process_state import feeder_process, read_state
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.spool.inspect import SpoolReader, Waiting
from logger.stores import open_lake
from logger.stores.lake.lake import Lake

_SILENT_S = 1800.0  # twice the vendor's slowest interval: values of such a vehicle are no longer current
_TOLD_APART = ("online", "charging", "locked", "soc_pct", "odometer_m")  # of what is printed


class Vehicle(msgspec.Struct, frozen=True):
    """A vehicle's newest values; None where it has never reported one."""

    vehicle: str
    label: str
    provider: str
    age_s: float
    state: str
    soc_pct: float | None
    odometer_m: float | None
    lat_deg: float | None
    lon_deg: float | None


class Resting(msgspec.Struct, frozen=True):
    """A vehicle whose values are old since it is left alone, for so long [s]; None: until a person polls it."""

    label: str
    seconds: float | None
    reason: str


class Sink(msgspec.Struct, frozen=True):
    """How many messages wait for a sink, its last error, and the age of this report; None: its feeder has never run."""

    name: str
    waiting: int
    failures: int
    error: str
    age_s: float | None


class Account(msgspec.Struct, frozen=True):
    """Counts of an account's pushes since the collector's start; `polls` is None where its cloud is not polled."""

    name: str
    taken: int
    refused: int
    not_stored: int
    polls: dict[str, Any] | None


class Analysis(msgspec.Struct, frozen=True):
    """The last analysis: the age of its report, how long it took [s], what it looked at, its error."""

    age_s: float
    seconds: float
    vehicles: int
    rows: dict[str, int]
    error: str


class Overview(msgspec.Struct, frozen=True):
    """All that `voltrail status` prints; `per_minute` is messages delivered to the lake in the last minute."""

    vehicles: list[Vehicle]
    accounts: list[Account]
    sinks: list[Sink]
    spool_bytes: int
    spool_max_bytes: int
    per_minute: int
    analysis: Analysis | None = None
    resting: list[Resting] = []


def read_overview(settings: Settings, vehicles: Sequence[str] = (), now: datetime | None = None) -> Overview:
    """Return the overview now, of vehicles by number or label (none named: of all).

    Raises `ConfigError` for a vehicle of which nothing is stored, `Retry` where the spool or the lake cannot be read.
    """
    now = now or datetime.now(UTC)
    newest = _newest_rows(open_lake(settings), vehicles, _labels(settings))
    states = {sink: read_state(settings.data_dir, feeder_process(sink)) for sink in settings.sinks.names}
    found = [_vehicle(row, now) for row in newest.iter_rows(named=True)]
    spool = SpoolReader(settings.data_dir)
    waiting = spool.waiting(settings.sinks.names) if spool.exists else []
    return Overview(
        vehicles=found,
        accounts=_accounts(settings),
        sinks=_sinks(states, waiting, now),
        spool_bytes=spool.bytes() if spool.exists else 0,
        spool_max_bytes=settings.collector.max_bytes,
        per_minute=states["lake"].get("per_minute", 0),
        analysis=_analysis(settings, now),
        resting=list(_resting(settings, found)),
    )


# ---- reading ---------------------------------------------------------------------------------------------------------


def _sinks(states: Mapping[str, dict[str, Any]], waiting: Sequence[Waiting], now: datetime) -> list[Sink]:
    messages = {each.sink: each.messages for each in waiting}
    return [
        Sink(name, messages.get(name, 0), state.get("failures", 0), state.get("error", ""), _age_s(state, now))
        for name, state in states.items()
    ]


def _age_s(state: Mapping[str, Any], now: datetime) -> float | None:
    return (now - datetime.fromisoformat(state["at"])).total_seconds() if state else None


def _analysis(settings: Settings, now: datetime) -> Analysis | None:
    state = read_state(settings.data_dir, "analysis")
    age_s = _age_s(state, now)
    if age_s is None:
        return None
    return Analysis(
        age_s, state.get("seconds", 0.0), state.get("vehicles", 0), state.get("rows", {}), state.get("error", "")
    )


def _accounts(settings: Settings) -> list[Account]:
    state = read_state(settings.data_dir, "receiver")
    pushes, polls = state.get("pushes", {}), state.get("polls", {})
    outcomes = ("taken", "refused", "not_stored")
    accounts = []
    for source in settings.sources:
        taken, refused, not_stored = (pushes.get(each, {}).get(source.name, 0) for each in outcomes)
        accounts.append(Account(source.name, taken, refused, not_stored, polls.get(source.name)))
    return accounts


def _resting(settings: Settings, vehicles: Sequence[Vehicle]) -> Iterator[Resting]:
    """The vehicles that their source leaves alone now, though it is polled."""
    known = accounts(settings)
    for source in settings.polled_sources:
        try:
            cloud = known[source.name].cloud()
        except ConfigError:
            continue  # `voltrail check` says what is wrong with it
        for each in vehicles:
            rest = cloud and each.provider == known[source.name].provider and cloud.rest(each.vehicle)
            if rest:
                yield Resting(each.label, rest.seconds if rest.seconds < math.inf else None, rest.reason)


def _labels(settings: Settings) -> pl.DataFrame:
    """What the settings call vehicles, whatever they came from."""
    named = [{"vehicle": name, "own_label": each.label} for name, each in settings.vehicles.items()]
    return pl.DataFrame(named, schema={"vehicle": pl.String(), "own_label": pl.String()})


def _newest_rows(lake: Lake, vehicles: Sequence[str], labels: pl.DataFrame) -> pl.DataFrame:
    """Return a row a vehicle: its newest `status` with position, label and the time of the newer of both."""
    who = ["provider", "vehicle"]
    status, location, names = (lake.latest(table) for table in ("status", "location", "vehicles"))
    status = _with_older_values(lake, status)
    positions = location.select(*who, pl.col("time").alias("position_at"), "lat_deg", "lon_deg")
    rows = (
        status.join(positions, on=who, how="full", coalesce=True)
        .join(names.select(*who, "label", "in_service"), on=who, how="left")
        .join(labels, on="vehicle", how="left")
        .with_columns(
            newest_at=pl.max_horizontal("time", "position_at"), label=pl.coalesce("own_label", "label", "vehicle")
        )
        .sort("provider", natural("label"), "label", "vehicle")
    )
    return _of_vehicles(rows, vehicles) if vehicles else rows


def _with_older_values(lake: Lake, newest: pl.DataFrame) -> pl.DataFrame:
    """The newest rows, what they lack taken from the row before that has it: a car may tell its values one by one."""
    for name in _TOLD_APART:
        if newest[name].null_count():
            older = lake.latest("status", name).select("provider", "vehicle", pl.col(name).alias("older"))
            newest = newest.join(older, on=["provider", "vehicle"], how="left", maintain_order="left")
            newest = newest.with_columns(pl.coalesce(name, "older").alias(name)).drop("older")
    return newest


def _of_vehicles(rows: pl.DataFrame, vehicles: Sequence[str]) -> pl.DataFrame:
    for vehicle in vehicles:
        if vehicle not in rows["vehicle"] and vehicle not in rows["label"]:
            raise ConfigError(f"nothing is stored of vehicle {vehicle!r}; `voltrail status` lists those that are")
    return rows.filter(pl.col("vehicle").is_in(list(vehicles)) | pl.col("label").is_in(list(vehicles)))


def _vehicle(row: Mapping[str, Any], now: datetime) -> Vehicle:
    age_s = (now - row["newest_at"]).total_seconds()
    values = ("soc_pct", "odometer_m", "lat_deg", "lon_deg")
    return Vehicle(
        row["vehicle"], row["label"], row["provider"], age_s, _state(row, age_s), *(row[name] for name in values)
    )


def _state(row: Mapping[str, Any], age_s: float) -> str:
    if row["in_service"] is False:
        return "out of service"
    if age_s > _SILENT_S:
        return "silent"
    if row["online"] is False:
        return "offline"
    if row["charging"]:
        return "charging"
    if row["locked"] is None:
        return "unknown"
    if row["locked"]:
        return "parked"
    return "riding" if (row["speed_kmh"] or 0) > 0 else "paused"
