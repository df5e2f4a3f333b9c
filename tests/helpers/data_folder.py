"""A data folder for a test: messages into a real spool, through a real feeder, into a real lake."""

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
    """The settings that the rows of a message depend on; `later` is whether there is the account `LATER`."""

    odometer_scale: float = 1.0
    vehicles: tuple[str, ...] = (VEHICLE, OTHER)
    model: str = "E-moped"
    later: bool = True


Tables = Mapping[str, pl.DataFrame]


def make_settings(folder: Path, rules: Rules, raw_days: int = 90) -> Settings:
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


def append_messages(settings: Settings, *envelopes: Envelope) -> None:
    """Put these into the spool, each as a commit of its own."""
    with closing(open_spool(settings)) as spool:
        for each in envelopes:
            spool.append([each])


def deliver_all(settings: Settings) -> None:
    """Deliver all that waits, with a feeder that was just started."""
    with closing(open_spool(settings)) as spool:
        store = open_lake(settings, spool.log_id)
        with closing(Feeder(spool, store, accounts(settings), settings.data_dir)) as feeder:
            feeder.drain(or_raise=True)


def compact_all(settings: Settings) -> None:
    """Compact every day of every table."""
    store = open_lake(settings)
    for name in RAW:
        for day in {file.day for file in store.files(name)}:
            store.compact_day(name, day)


def read_tables(settings: Settings) -> Tables:
    """All raw tables of the lake, in the order of their keys."""
    store = open_lake(settings)
    return {name: store.scan(name).sort(table.key).collect() for name, table in RAW.items()}


def rows_of_days(tables: Tables, days: Iterable[date], *, without: bool = False) -> Tables:
    """The rows of these days, or of all others."""
    inside = pl.col("time").dt.date().is_in(list(days))
    return {name: rows.filter(~inside if without else inside) for name, rows in tables.items()}


def differences(left: Tables, right: Tables) -> dict[str, tuple[pl.DataFrame, pl.DataFrame]]:
    """The tables that are not equal row for row."""
    return {name: (left[name], right[name]) for name in left if not left[name].equals(right[name])}


def stored_days(store: Lake) -> list[date]:
    """Every day of which the lake has a row."""
    return sorted({file.day for name in RAW for file in store.files(name)})


# ---- messages ------------------------------------------------------------------------------------------------------


def push(kind: str, at: int, device_at: int, vehicle: str = VEHICLE, source: str = "moped", **more: str) -> Envelope:
    """A push received at `at`, with the device time `device_at` [epoch ms]."""
    clock = "gpsUtcTime" if kind == "location" else "statusUtcTime"
    return envelope(kind, body(kind, iotCode=vehicle, **{clock: f"{device_at // 1000}"}, **more), at, source)


def status(at: int, odometer: int, late_ms: int = 1000, vehicle: str = VEHICLE, source: str = "moped") -> Envelope:
    """A status with this odometer, received so long after its device time."""
    return push("status", at, at - late_ms, vehicle, source, odometer=f"{odometer}")


def answer(query: str, at: int, data: Mapping[str, object], vehicle: str = VEHICLE) -> Envelope:
    """An answer of the cloud to a poll."""
    document = {"code": 0, "msg": "Success", "data": data, "t": at - 200}
    return Envelope("moped", query, at, "poll", json.dumps(document).encode(), vehicle)


def imported_slice(at: int, times: Sequence[datetime], vehicle: str = "van", **columns: Sequence[float]) -> Envelope:
    """A slice of an imported file."""
    buffer = io.BytesIO()
    column = pl.Series("time", times, dtype=pl.Datetime("ms", "UTC"))
    keys = {"provider": ["import"] * len(times), "vehicle": [vehicle] * len(times)}
    pl.DataFrame({**keys, "time": column, **columns}).write_parquet(buffer)
    return Envelope("import", "rows", at, "import", buffer.getvalue())


def vehicle_names(at: int, label: str) -> Envelope:
    """The label that the settings gave a vehicle."""
    vehicles = [{"provider": "segway", "vehicle": VEHICLE, "label": label, "in_service": True}]
    return Envelope("settings", "vehicles", at, "import", json.dumps(vehicles).encode())


def heartbeat(at: int) -> Envelope:
    """A heartbeat of the collector."""
    return Envelope("collector", "heartbeat", at, "push", b"")


# ---- two days under two sets of rules ------------------------------------------------------------------------------

DAY_MS = 86_400_000
NOON = int(datetime(2026, 10, 1, 12, tzinfo=UTC).timestamp() * 1000)
FILE_TIMES = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2026, 10, 1, 13, tzinfo=UTC))
TWO_DAYS = (  # messages of every kind, and of each kind one whose rows differ under other rules
    status(NOON, 9000),
    status(NOON + 10_000, 9100),
    push("location", NOON + 11_000, NOON + 10_000),
    push("fault", NOON + 12_000, NOON + 11_000),
    status(NOON + 20_000, 9000, vehicle=OTHER),
    status(NOON + 30_000, 9050, source=LATER),
    heartbeat(NOON + 60_000),
    vehicle_names(NOON + 61_000, "moped 7"),
    answer("battery-info", NOON + 62_000, {"batteryData": [{"batteryPort": 1, "batteryPercent": 80}]}),
    imported_slice(NOON + 63_000, FILE_TIMES, soc_pct=[1, 2]),
    Envelope("moped", "status", NOON + 64_000, "push", b"nonsense"),
    status(NOON + DAY_MS, 9200, late_ms=DAY_MS // 4 * 3),
    status(NOON + DAY_MS + 10_000, 9300, late_ms=40 * DAY_MS),
)
OLD = Rules(later=False, vehicles=(VEHICLE,))
NEW = Rules(odometer_scale=10, model="other")
