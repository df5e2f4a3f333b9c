"""The demo: a simulated fleet pushes to a real `voltrail run`, and what arrived is held against what happened."""

import heapq
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import polars as pl

from logger import config
from logger.demo.collector import Collector
from logger.demo.kinematics import DAY_S, Push, Scooter, fleet, sent
from logger.demo.pushes import request
from logger.demo.sender import send
from logger.errors import LoggerError
from logger.stores import lake

_STRANGER = "899999999999999"
_FORGED, _STRANGE = 20, 10  # pushes with a wrong signature, and of a vehicle that is not listed
_CONNECTIONS = 32


class Result(msgspec.Struct, frozen=True):
    """What was sent, what became of it; `vehicles` has one row each (columns in `_compared`)."""

    seconds: float
    sent: int
    answered: int
    refused: int
    stored: int
    expected: int
    repeated: int
    quarantined: int
    p50_ms: float
    p99_ms: float
    vehicles: pl.DataFrame

    @property
    def whole(self) -> bool:
        """Whether every push that was answered 200 is in the lake exactly once, or in quarantine."""
        return self.stored == self.expected and self.answered == self.sent - self.refused


def demo(out: Path, vehicles: int, days: int, seed: int, say: Callable[[str], None]) -> Result:
    """Run it; leaves settings, log and data in `out`. Raises `LoggerError` where the service does not come up."""
    began = time.monotonic()
    _emptied(out)
    start_at = int(time.time()) - days * DAY_S
    scooters = fleet(vehicles, seed, start_at, days)
    collector = Collector(out, [scooter.vehicle for scooter in scooters])
    say(f"settings      {collector.settings_file}")
    with collector:
        say(f"voltrail run  ready after {collector.ready_after_s:.1f} s")
        pushes = [sent(scooter, seed) for scooter in scooters]
        say(f"sending       {sum(map(len, pushes)):,} pushes of {vehicles} vehicles over {days} days")
        answers = _answers(collector.address, scooters, pushes)
    return _compared(config.load(collector.settings_file), scooters, answers, time.monotonic() - began)


def _emptied(out: Path) -> None:
    if out.exists() and any(out.iterdir()) and not (out / "run.log").exists():
        raise LoggerError(f"{out} holds other files: name an empty folder with --out")
    for old in sorted(out.rglob("*"), reverse=True):
        old.rmdir() if old.is_dir() else old.unlink()


def _answers(address: tuple[str, int], scooters: list[Scooter], pushes: list[list[Push]]) -> pl.DataFrame:
    """Send all in the order of their time; one row a push: `status`, `seconds`."""
    answers = send(address, _requests(scooters, pushes), _CONNECTIONS)
    return pl.DataFrame([(each.status, each.seconds) for each in answers], schema=["status", "seconds"], orient="row")


def _requests(scooters: list[Scooter], pushes: list[list[Push]]) -> Iterator[bytes]:
    streams = [
        [(push.sent_at, scooter.vehicle, push.path, push.fields) for push in sorted(own, key=lambda push: push.sent_at)]
        for scooter, own in zip(scooters, pushes, strict=True)
    ]
    order = heapq.merge(*streams, key=lambda each: each[:2])
    for number, (_, vehicle, path, fields) in enumerate(order):
        yield request(vehicle, path, fields)
        if number < _FORGED:
            yield request(vehicle, path, fields, "not the secret")
        if number < _STRANGE:
            yield request(_STRANGER, path, fields)


def _compared(settings: config.Settings, scooters: list[Scooter], answers: pl.DataFrame, seconds: float) -> Result:
    store = lake(settings)
    tables = {name: store.scan(name).collect() for name in ("status", "location", "event", "quarantine", "intake")}
    truth = pl.DataFrame([msgspec.structs.asdict(scooter.truth) for scooter in scooters])
    kept = pl.concat([tables[name].group_by("vehicle").len("kept") for name in ("status", "location", "event")])
    metres = (
        tables["status"].group_by("vehicle").agg(measured_m=pl.col("odometer_m").max() - pl.col("odometer_m").min())
    )
    vehicles = (
        truth.join(metres, on="vehicle", how="left")
        .join(kept.group_by("vehicle").agg(pl.col("kept").sum()), on="vehicle", how="left")
        .with_columns(expected=pl.col("made") - pl.col("lost"))
    )
    latency = answers["seconds"] * 1000
    return Result(
        seconds,
        answers.height,
        int((answers["status"] == 200).sum()),
        int((answers["status"] == 401).sum()),
        int(vehicles["kept"].sum()),
        int(vehicles["expected"].sum()),
        int(tables["intake"]["duplicates"].sum()),
        tables["quarantine"].height,
        float(latency.quantile(0.5) or 0),
        float(latency.quantile(0.99) or 0),
        vehicles.drop("rides"),
    )


def lines(result: Result) -> Iterator[str]:
    """The result for people, vehicle by vehicle and in sum."""
    yield ""
    yield f"{'vehicle':<17}{'made':>8}{'lost':>7}{'late':>7}{'twice':>7}{'stored':>9}{'driven m':>11}{'measured m':>12}"
    for row in result.vehicles.iter_rows(named=True):
        yield (
            f"{row['vehicle']:<17}{row['made']:>8,}{row['lost']:>7,}{row['late']:>7,}{row['repeated']:>7,}"
            f"{row['kept']:>9,}{row['driven_m']:>11,.0f}{row['measured_m']:>12,.0f}"
        )
    sums = result.vehicles.sum()
    yield ""
    yield f"sent          {result.sent:,} pushes, {result.refused} of them with a wrong signature"
    yield f"answered 200  {result.answered:,}; 401: {result.refused}"
    yield f"stored        {result.stored:,} rows of {result.expected:,} different messages"
    yield f"repeated      {result.repeated:,} recognised, {sums['repeated'][0]:,} sent"
    yield f"quarantined   {result.quarantined} of a vehicle that is not listed"
    yield f"distance      {sums['measured_m'][0]:,.0f} m measured, {sums['driven_m'][0]:,.0f} m driven"
    yield f"answer time   {result.p50_ms:.1f} ms median, {result.p99_ms:.1f} ms at the 99th percentile"
    verdict = "every push that was answered 200 is stored exactly once" if result.whole else "NOT WHOLE: see above"
    yield f"verdict       {verdict}; {result.seconds:.0f} s in all"
