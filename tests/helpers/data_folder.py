"""A data folder of one's own: messages into a real spool, through a real feeder, into a real lake."""

import io
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import polars as pl

from logger.deliver.feeder import Feeder
from logger.envelope import Envelope
from logger.settings import schema
from logger.settings.schema import LakeSettings, Model, Settings, Sinks
from logger.sources import accounts
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from logger.tables import RAW
from tests.helpers.segway_pushes import CLIENT, OTHER, SECRET, VEHICLE, body, envelope

LATER = "later"  # an account that some settings do not have


class Rules(msgspec.Struct, frozen=True):
    """What the settings say of how to read messages."""

    odometer_scale: float = 1.0
    vehicles: tuple[str, ...] = (VEHICLE, OTHER)
    model: str = "E-moped"
    later: bool = True


Tables = Mapping[str, pl.DataFrame]


def settings(folder: Path, rules: Rules, raw_days: int = 90) -> Settings:
    """Settings with these rules, all data below this folder."""
    names = ("moped", *([LATER] if rules.later else []))
    return Settings(
        schema.Collector(data_dir=str(folder), raw_days=raw_days),
        Sinks(LakeSettings(path=str(folder / "lake"))),
        tuple(
            schema.Segway(name=name, client_id=CLIENT, client_secret=SECRET, vehicles=rules.vehicles, model=rules.model)
            for name in names
        ),
        {rules.model: Model(odometer_scale=rules.odometer_scale)},
    )


def take(ours: Settings, *envelopes: Envelope) -> None:
    """Put these into the spool, each as a commit of its own."""
    with closing(open_spool(ours)) as log:
        for each in envelopes:
            log.append([each])


def feed(ours: Settings) -> None:
    """Deliver all that waits, as a feeder does that was just started."""
    with closing(open_spool(ours)) as log:
        with closing(Feeder(log, open_lake(ours, log.log_id), accounts(ours), ours.data_dir)) as feeder:
            feeder.drain(or_raise=True)


def compact(ours: Settings) -> None:
    """Fold every day of every table."""
    store = open_lake(ours)
    for name in RAW:
        for day in {file.day for file in store.files(name)}:
            store.compact_day(name, day)


def tables(ours: Settings) -> Tables:
    """All that the lake holds, in the order of the keys."""
    store = open_lake(ours)
    return {name: store.scan(name).sort(table.key).collect() for name, table in RAW.items()}


def of_days(found: Tables, days: Iterable[date], *, without: bool = False) -> Tables:
    """The rows of these days, or of all others."""
    inside = pl.col("time").dt.date().is_in(list(days))
    return {name: rows.filter(~inside if without else inside) for name, rows in found.items()}


def differing(one: Tables, other: Tables) -> dict[str, tuple[pl.DataFrame, pl.DataFrame]]:
    """The tables that are not the same row for row."""
    return {name: (one[name], other[name]) for name in one if not one[name].equals(other[name])}


def stored_days(store: Lake) -> list[date]:
    """Every day of which the lake holds something."""
    return sorted({file.day for name in RAW for file in store.files(name)})


# ---- messages ------------------------------------------------------------------------------------------------------


def push(kind: str, at: int, device_at: int, vehicle: str = VEHICLE, source: str = "moped", **more: str) -> Envelope:
    """A push received and dated at these moments [epoch ms]."""
    clock = "gpsUtcTime" if kind == "location" else "statusUtcTime"
    return envelope(kind, body(kind, iotCode=vehicle, **{clock: f"{device_at // 1000}"}, **more), at, source)


def status(at: int, odometer: int, late_ms: int = 1000, vehicle: str = VEHICLE, source: str = "moped") -> Envelope:
    """A status with this odometer, so long under way."""
    return push("status", at, at - late_ms, vehicle, source, odometer=f"{odometer}")


def answer(query: str, at: int, data: Mapping[str, object], vehicle: str = VEHICLE) -> Envelope:
    """What the cloud answered."""
    told = {"code": 0, "msg": "Success", "data": data, "t": at - 200}
    return Envelope("moped", query, at, "poll", json.dumps(told).encode(), vehicle)


def imported(at: int, times: Sequence[datetime], vehicle: str = "van", **columns: Sequence[float]) -> Envelope:
    """A slice of a file."""
    buffer = io.BytesIO()
    when = pl.Series("time", times, dtype=pl.Datetime("ms", "UTC"))
    who = {"provider": ["import"] * len(times), "vehicle": [vehicle] * len(times)}
    pl.DataFrame({**who, "time": when, **columns}).write_parquet(buffer)
    return Envelope("import", "rows", at, "import", buffer.getvalue())


def named(at: int, label: str) -> Envelope:
    """What the settings called a vehicle."""
    told = [{"provider": "segway", "vehicle": VEHICLE, "label": label, "in_service": True}]
    return Envelope("settings", "vehicles", at, "import", json.dumps(told).encode())


def heartbeat(at: int) -> Envelope:
    """The collector ran."""
    return Envelope("collector", "heartbeat", at, "push", b"")


# ---- two days under two sets of rules ------------------------------------------------------------------------------

DAY_MS = 86_400_000
NOON = int(datetime(2026, 10, 1, 12, tzinfo=UTC).timestamp() * 1000)
TWO_DAYS = (  # of every kind, and of each something that other rules read otherwise
    status(NOON, 9000),
    status(NOON + 10_000, 9100),
    push("location", NOON + 11_000, NOON + 10_000),
    push("fault", NOON + 12_000, NOON + 11_000),
    status(NOON + 20_000, 9000, vehicle=OTHER),
    status(NOON + 30_000, 9050, source=LATER),
    heartbeat(NOON + 60_000),
    named(NOON + 61_000, "moped 7"),
    answer("battery-info", NOON + 62_000, {"batteryData": [{"batteryPort": 1, "batteryPercent": 80}]}),
    imported(NOON + 63_000, [datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 10, 1, 13, tzinfo=UTC)], soc_pct=[1, 2]),
    Envelope("moped", "status", NOON + 64_000, "push", b"nonsense"),
    status(NOON + DAY_MS, 9200, late_ms=DAY_MS // 4 * 3),
    status(NOON + DAY_MS + 10_000, 9300, late_ms=40 * DAY_MS),
)
OLD = Rules(later=False, vehicles=(VEHICLE,))
NEW = Rules(odometer_scale=10, model="other")
