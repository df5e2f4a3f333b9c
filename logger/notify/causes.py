"""What needs somebody now: vehicles that are silent, low, moved, fallen or broken, and voltrail's own troubles.

Everything is read from the lake. A cause begins where `begins` says so and lasts until `ends` does: between the two
limits it stays as it was, so that a value to and fro is one cause.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import polars as pl

from logger.notify.schedule import failures
from logger.settings.schema import Settings
from logger.stores.contract import Store

_EVENTS_FOR = timedelta(
    hours=24
)  # an event is a cause for so long; a message that could not be sent is sent until then
_NO_HEARTBEAT = timedelta(minutes=15)
_RISE_PCT = 5.0
_FULL, _FULL_ENDS = 0.5, 0.4  # of the spool
_BEHIND, _BEHIND_ENDS = 10_000, 1_000  # messages that wait for a store
_WEAK, _WEAK_ENDS = 0.9, 0.7
_VERDICTS = timedelta(days=62)  # a verdict stands at the start of its month or stint
_CLOCK_HOURS = timedelta(hours=1)
_ALERTS = {"1": "Moved while locked", "2": "Fell over", "4": "Fell over"}  # Segway's codes, see its messages
_URGENT = ("Moved while locked",)


class Cause(msgspec.Struct, frozen=True):
    """Something that may need somebody: its kind, what it is about, a sentence, and whether it begins or ends now."""

    kind: str
    subject: str
    text: str
    begins: bool = True
    ends: bool = False
    urgent: bool = False

    @property
    def key(self) -> str:
        """What makes it this cause and no other."""
        return f"{self.kind}/{self.subject}"


def causes(store: Store, settings: Settings, now: datetime) -> list[Cause]:
    """Return everything that could need somebody, in the order of kinds. Raises `Retry`."""
    return [
        *_silent(store, settings, now),
        *_low(store, settings),
        *_events(store, settings, now),
        *_weak(store, settings, now),
        *_clocks(store, settings, now),
        *_collector(store, now),
        *_reports(settings),
    ]


def _silent(store: Store, settings: Settings, now: datetime) -> Iterator[Cause]:
    limit = timedelta(hours=settings.notify.silent_h)
    for row in _newest(store, "forecast"):
        if row["vehicle"] not in settings.out_of_service:
            silent = now - row["time"] > limit
            text = f"has reported nothing since {row['time']:%Y-%m-%d %H:%M} UTC"
            yield _of_vehicle(settings, "Silent", row["vehicle"], text, silent, not silent)


def _low(store: Store, settings: Settings) -> Iterator[Cause]:
    limit = settings.analytics.swap_below_pct
    for row in _newest(store, "forecast"):
        charge = row["soc_pct"]
        if charge is not None and row["vehicle"] not in settings.out_of_service:
            over = charge >= limit + _RISE_PCT
            yield _of_vehicle(settings, "Low charge", row["vehicle"], f"is at {charge:.0f} %", charge < limit, over)


def _events(store: Store, settings: Settings, now: datetime) -> Iterator[Cause]:
    rows = (
        store.scan("event", now - _EVENTS_FOR, now).filter(state="appeared").sort("time", "vehicle", "code").collect()
    )
    for row in rows.iter_rows(named=True):
        title = (
            "Fault opened" if row["kind"] == "fault" else _ALERTS.get(row["code"]) if row["kind"] == "alert" else None
        )
        if title:
            what = row["text"] or f"code {row['code']}"
            text = f"{what}, at {row['time']:%H:%M} UTC"
            moment = f"{row['vehicle']} {row['code']} {row['time']:%Y-%m-%dT%H:%M:%S}"
            yield Cause(title, moment, f"{_name(settings, row['vehicle'])}: {text}", urgent=title in _URGENT)


def _weak(store: Store, settings: Settings, now: datetime) -> Iterator[Cause]:
    rows = store.scan("battery_health", now - _VERDICTS, now).drop_nulls("weak_probability")
    for row in (
        rows.sort("time").group_by("vehicle", "port", maintain_order=True).last().collect().iter_rows(named=True)
    ):
        weak = row["weak_probability"]
        text = f"{_name(settings, row['vehicle'])}: the pack in port {row['port']} is probably weak"
        yield Cause("Pack weak", f"{row['vehicle']} {row['port']}", text, weak > _WEAK, weak < _WEAK_ENDS)


def _clocks(store: Store, settings: Settings, now: datetime) -> Iterator[Cause]:
    rows = store.scan("status", now - _CLOCK_HOURS, now).select("vehicle", "clock")
    counts = rows.group_by("vehicle").agg(wrong=(pl.col("clock") == "received").sum()).sort("vehicle").collect()
    for vehicle, wrong in counts.iter_rows():
        text = "sends times so far off that the time of receipt takes their place"
        yield _of_vehicle(settings, "Clock off", vehicle, text, wrong > 0, wrong == 0)


def _collector(store: Store, now: datetime) -> Iterator[Cause]:
    rows = store.scan("collector", now - timedelta(days=7), now).sort("time").tail(1).collect()
    for row in rows.iter_rows(named=True):
        old = now - row["time"] > _NO_HEARTBEAT
        text = f"no heartbeat of the collector is in the lake since {row['time']:%Y-%m-%d %H:%M} UTC"
        yield Cause("Store behind", "lake", text, old, not old, urgent=True)
        full = row["spool_share"]
        if full is not None:
            text = f"the spool is {full:.0%} full; when it is full, pushes are refused"
            yield Cause("Spool fills", "spool", text, full > _FULL, full < _FULL_ENDS, urgent=True)
        waiting = row["influx_waiting"]
        if waiting is not None:
            text = f"{waiting:,} messages wait for InfluxDB"
            yield Cause("Store behind", "influx", text, waiting > _BEHIND, waiting < _BEHIND_ENDS)


def _reports(settings: Settings) -> Iterator[Cause]:
    for name, each in failures(settings):
        what = "may not have arrived" if each.state == "unsure" else f"could not be sent: {each.error}"
        yield Cause("Report not sent", name, f"the report {name} {what}")


def _newest(store: Store, table: str) -> Iterator[dict[str, Any]]:
    rows = store.scan(table).sort("time").group_by("provider", "vehicle", maintain_order=True).last()
    yield from rows.sort("vehicle").collect().iter_rows(named=True)


def _of_vehicle(settings: Settings, kind: str, vehicle: str, text: str, begins: bool, ends: bool) -> Cause:
    return Cause(kind, vehicle, f"{_name(settings, vehicle)} {text}", begins, ends)


def _name(settings: Settings, vehicle: str) -> str:
    known = settings.vehicles.get(vehicle)
    return f"{known.label} ({vehicle})" if known and known.label else vehicle
