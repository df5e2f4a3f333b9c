"""How things stand: every vehicle's last word, and how far each sink has come."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import polars as pl

from logger.errors import ConfigError
from logger.process_state import feeder_process, read_state
from logger.settings.schema import Settings
from logger.spool.open import open_spool
from logger.stores import open_lake

_SILENT_S = 1800.0  # twice the vendor's slowest cadence: nothing from such a vehicle is current


class Vehicle(msgspec.Struct, frozen=True):
    """A vehicle's last word; None where it never said."""

    vehicle: str
    label: str
    provider: str
    age_s: float
    state: str
    soc_pct: float | None
    odometer_m: float | None
    lat_deg: float | None
    lon_deg: float | None


class Sink(msgspec.Struct, frozen=True):
    """How far a sink has come, its last trouble, and how old that news is; None where its feeder never ran."""

    name: str
    waiting: int
    failures: int
    error: str
    age_s: float | None


class Account(msgspec.Struct, frozen=True):
    """What an account sent and answered since the collector's start; `asking` is None where its cloud is not asked."""

    name: str
    taken: int
    refused: int
    not_stored: int
    asking: dict[str, Any] | None


class Analysis(msgspec.Struct, frozen=True):
    """What the last analysis looked at, how long it took [s], or its trouble, and how old that news is."""

    age_s: float
    seconds: float
    vehicles: int
    rows: dict[str, int]
    error: str


class Overview(msgspec.Struct, frozen=True):
    """All of it; `per_minute` is messages delivered to the lake in the last minute."""

    vehicles: list[Vehicle]
    accounts: list[Account]
    sinks: list[Sink]
    spool_bytes: int
    spool_max_bytes: int
    per_minute: int
    analysis: Analysis | None = None


def read_overview(settings: Settings, vehicles: Sequence[str] = (), now: datetime | None = None) -> Overview:
    """How things stand now, of vehicles by number or label. Raises `ConfigError` for one that nobody heard of."""
    now = now or datetime.now(UTC)
    log = open_spool(settings)
    store = open_lake(settings)
    told = {sink: read_state(settings.data_dir, feeder_process(sink)) for sink in settings.sinks.names}
    latest = _latest(store.latest("status"), store.latest("location"), store.latest("vehicles"))
    missing = [vehicle for vehicle in vehicles if vehicle not in latest["vehicle"] and vehicle not in latest["label"]]
    if missing:
        raise ConfigError(f"nothing is stored of vehicle {missing[0]!r}; `voltrail status` lists those that are")
    if vehicles:
        latest = latest.filter(pl.col("vehicle").is_in(list(vehicles)) | pl.col("label").is_in(list(vehicles)))
    sinks = [
        Sink(name, log.depth(name), said.get("failures", 0), said.get("error", ""), _silence_s(said, now))
        for name, said in told.items()
    ]
    rows = [_vehicle(row, now) for row in latest.iter_rows(named=True)]
    per_minute = told["lake"].get("per_minute", 0)
    return Overview(rows, _accounts(settings), sinks, log.bytes, log.max_bytes, per_minute, _analysis(settings, now))


def _analysis(settings: Settings, now: datetime) -> Analysis | None:
    told = read_state(settings.data_dir, "analysis")
    if not told:
        return None
    age_s = (now - datetime.fromisoformat(told["at"])).total_seconds()
    return Analysis(
        age_s, told.get("seconds", 0.0), told.get("vehicles", 0), told.get("rows", {}), told.get("error", "")
    )


def _silence_s(said: dict[str, Any], now: datetime) -> float | None:
    return (now - datetime.fromisoformat(said["at"])).total_seconds() if said else None


def _accounts(settings: Settings) -> list[Account]:
    told = read_state(settings.data_dir, "receiver")
    pushes, asking = told.get("pushes", {}), told.get("polls", {})
    words = ("taken", "refused", "not_stored")
    counts = {source.name: [pushes.get(word, {}).get(source.name, 0) for word in words] for source in settings.sources}
    return [
        Account(name, taken, refused, not_stored, asking.get(name))
        for name, (taken, refused, not_stored) in counts.items()
    ]


def _latest(status: pl.DataFrame, location: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    places = location.select("provider", "vehicle", pl.col("time").alias("place_time"), "lat_deg", "lon_deg")
    both = status.join(places, on=["provider", "vehicle"], how="full", coalesce=True)
    named = both.join(
        names.select("provider", "vehicle", "label", "in_service"), on=["provider", "vehicle"], how="left"
    )
    return named.with_columns(
        pl.max_horizontal("time", "place_time").alias("newest"), pl.coalesce("label", "vehicle").alias("label")
    ).sort("provider", "label", "vehicle")


def _vehicle(row: dict[str, Any], now: datetime) -> Vehicle:
    age = (now - row["newest"]).total_seconds()
    return Vehicle(
        row["vehicle"],
        row["label"],
        row["provider"],
        age,
        _state(row, age),
        row["soc_pct"],
        row["odometer_m"],
        row["lat_deg"],
        row["lon_deg"],
    )


def _state(row: dict[str, Any], age: float) -> str:
    if row["in_service"] is False:
        return "out of service"
    if age > _SILENT_S:
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


def lines(told: Overview) -> Iterator[str]:
    """The overview for people."""
    yield f"{'vehicle':<20}{'age':>8}{'charge':>8}  {'state':<15}{'odometer':>12}  position"
    for each in told.vehicles:
        yield (
            f"{each.label:<20}{_age(each.age_s):>8}{_or_dash(each.soc_pct, ' %'):>8}  {each.state:<15}"
            f"{_or_dash(each.odometer_m and each.odometer_m / 1000, ' km', 1):>12}  {_place(each)}"
        )
    if not told.vehicles:
        yield "(nothing is stored yet)"
    yield ""
    for account in told.accounts:
        yield from _account_lines(account)
    for sink in told.sinks:
        fed = "its feeder never ran" if sink.age_s is None else f"its feeder's last word {_age(sink.age_s)} ago"
        yield f"{sink.name:<20}{sink.waiting:,} messages wait, {fed}"
        if sink.error:
            yield f"{'':<20}{sink.failures:,} failures, last: {sink.error}"
    size = f"{told.spool_bytes / 1e6:,.1f} of {told.spool_max_bytes / 1e6:,.1f} MB"
    yield f"{'spool':<20}{size}, {told.per_minute:,} messages in the last minute"
    yield f"{'analysis':<20}{_analysis_line(told.analysis)}"


def _analysis_line(each: Analysis | None) -> str:
    if each is None:
        return "none yet: `voltrail run` does one on schedule, `voltrail analyze` at once"
    if each.error:
        return f"the last one failed {_age(each.age_s)} ago: {each.error}"
    took = f"took {each.seconds:.1f} s, touched {each.vehicles:,} vehicles, looked at {sum(each.rows.values()):,} rows"
    return f"the last one ended {_age(each.age_s)} ago, {took}"


def _account_lines(each: Account) -> Iterator[str]:
    refused = f", {each.refused:,} refused" if each.refused else ""
    lost = f", {each.not_stored:,} answered 503" if each.not_stored else ""
    yield f"{each.name:<20}{each.taken:,} pushes taken{refused}{lost}"
    if each.asking is not None:
        words = ("requests", "answered", "skipped", "delayed", "failed")
        yield f"{'':<20}questions: {', '.join(f'{each.asking[word]:,} {word}' for word in words)}"
        rests = f" (left alone for another {_age(each.asking['pause_s'])})" if each.asking["pause_s"] else ""
        if each.asking["trouble"]:
            yield f"{'':<20}last trouble: {each.asking['trouble']}{rests}"


def _age(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _or_dash(value: float | None, unit: str, digits: int = 0) -> str:
    return "-" if value is None else f"{value:,.{digits}f}{unit}"


def _place(each: Vehicle) -> str:
    return "-" if each.lat_deg is None or each.lon_deg is None else f"{each.lat_deg:.5f}, {each.lon_deg:.5f}"
