"""The demo: a simulated fleet pushes to a real `voltrail run`, and what arrived is held against what happened."""

import heapq
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import polars as pl

from logger import config
from logger.demo.kinematics import DAY_S, Push, Scooter, fleet, sent
from logger.demo.sender import get, post, send
from logger.errors import LoggerError
from logger.sources.segway import sign
from logger.stores import lake

_PLATFORM, _SECRET = "A00000", "demo-secret"
_STRANGER = "899999999999999"
_FORGED, _STRANGE = 20, 10  # pushes with a wrong signature, and of a vehicle that is not listed
_CONNECTIONS = 32
_START_S = 15.0


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
    port = _free_port()
    settings_file = _written_settings(out, vehicles, port)
    say(f"settings      {settings_file}")
    with _running(settings_file, out / "run.log", port) as seconds:
        say(f"voltrail run  ready after {seconds:.1f} s")
        start_at = int(time.time()) - days * DAY_S
        scooters = fleet(vehicles, seed, start_at, days)
        pushes = [sent(scooter, seed) for scooter in scooters]
        say(f"sending       {sum(map(len, pushes)):,} pushes of {vehicles} vehicles over {days} days")
        statuses = _sent(port, scooters, pushes)
    return _compared(config.load(settings_file), scooters, statuses, time.monotonic() - began)


def _written_settings(out: Path, vehicles: int, port: int) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()) and not (out / "demo.secret").exists():
        raise LoggerError(f"{out} holds other files: name an empty folder with --out")
    for old in sorted(out.rglob("*"), reverse=True):
        old.rmdir() if old.is_dir() else old.unlink()
    names = ", ".join(f'"{scooter.vehicle}"' for scooter in fleet(vehicles, 0, 0, 0))
    (out / "demo.secret").write_text(_SECRET)
    path = out / "voltrail.toml"
    path.write_text(
        f'[collector]\nlisten = "127.0.0.1:{port}"\ndata_dir = "data"\npath_prefix = "/demo"\n\n'
        f'[[sources]]\nkind = "segway"\nname = "segway"\nclient_id = "{_PLATFORM}"\n'
        f'client_secret_file = "demo.secret"\nvehicles = [{names}]\n'
    )
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _running:
    """A `voltrail run` while the block lasts; entering waits until it is ready and tells how long that took [s]."""

    def __init__(self, settings_file: Path, log: Path, port: int) -> None:
        self._words = [sys.executable, "-m", "voltrail", "run", "--config", str(settings_file)]
        self._log, self._port = log, port

    def __enter__(self) -> float:
        began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._words, stdout=log, stderr=log, env=os.environ)
        while time.monotonic() - began < _START_S:
            if self._process.poll() is not None:
                break
            try:
                if get(("127.0.0.1", self._port), "/readyz")[0] == 200:
                    return time.monotonic() - began
            except OSError:
                time.sleep(0.02)
        self.__exit__()
        raise LoggerError(f"`voltrail run` did not become ready; see {self._log}")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait() != 0:
            raise LoggerError(f"`voltrail run` ended with {self._process.returncode}; see {self._log}")


def _sent(port: int, scooters: list[Scooter], pushes: list[list[Push]]) -> pl.DataFrame:
    """Send all in the order of their time; one row a push: `status`, `seconds`."""
    requests = _requests(scooters, pushes)
    answers = send(("127.0.0.1", port), requests, _CONNECTIONS)
    return pl.DataFrame([(each.status, each.seconds) for each in answers], schema=["status", "seconds"], orient="row")


def _requests(scooters: list[Scooter], pushes: list[list[Push]]) -> Iterator[bytes]:
    streams = [
        [(push.sent_at, scooter.vehicle, push.path, push.fields) for push in sorted(own, key=lambda push: push.sent_at)]
        for scooter, own in zip(scooters, pushes, strict=True)
    ]
    order = heapq.merge(*streams, key=lambda each: each[:2])
    for number, (_, vehicle, path, fields) in enumerate(order):
        yield _request(vehicle, path, fields, _SECRET)
        if number < _FORGED:
            yield _request(vehicle, path, fields, "not the secret")
        if number < _STRANGE:
            yield _request(_STRANGER, path, fields, _SECRET)


def _request(vehicle: str, path: str, fields: dict[str, str], secret: str) -> bytes:
    full = {"iotCode": vehicle, "platformCode": _PLATFORM, **fields}
    body = "&".join(f"{key}={value}" for key, value in full.items()) + f"&signature={sign(full, secret)}"
    return post(f"/demo/segway/v2/vehicle/{path}", body.encode())


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
