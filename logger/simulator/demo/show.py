"""The demo: a simulated fleet pushes to a real `voltrail run` and a simulated cloud answers it.

What arrived is then held against what was sent, message by message.
"""

import heapq
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import polars as pl

from logger.errors import LoggerError
from logger.settings.load import load_settings
from logger.simulator.cloud.vendor import Vendor, Where
from logger.simulator.demo.collector import SECRET, Collector
from logger.simulator.demo.comparison import SENT, compared
from logger.simulator.demo.keys import pushed, set_aside
from logger.simulator.demo.pushes import request
from logger.simulator.demo.result import Result
from logger.simulator.demo.sender import send
from logger.simulator.vehicle.depot import CURRENCY, LABEL_EFFICIENCY, PER_KWH
from logger.simulator.vehicle.physics import Scooter, sent, town, write_truth
from logger.simulator.vehicle.world import DAY_S

_STRANGER = 899_999_999_999_000  # and the numbers after it: on no list
_FORGED, _STRANGE = 20, 10  # pushes with a wrong signature, and of vehicles that are not listed
_CONNECTIONS = 32
_HEAD_START_S = 1.5  # until the cloud's time runs: by then `voltrail run` is up, most of the time
_DAY_TAKES_S, _MOST_HZ = 3.5, 4000  # days pass so fast, unless that made more pushes a second than two cores can take
_POLL = """base_url = "{base_url}"

[sources.poll]  # a second here is {hours:.0f} hours of theirs
riding_s = 1
charging_s = 1
parked_s = 1
offline_s = 2
silent_s = 1
"""
_MODELS = """
[models."E-moped"]  # by its data sheet
capacity_wh = 1440
wh_per_km = 31

[models."E-moped with two packs"]
capacity_wh = 1920
wh_per_km = 32

[tariffs]
currency = "{currency}"
per_kwh = {per_kwh}
efficiency = {efficiency}  # of the chargers, by their data sheet
"""
_TWO_PACKS = """
[vehicles."{vehicle}"]
model = "E-moped with two packs"
"""


class _Letter(msgspec.Struct, frozen=True):
    """One push to be sent at a simulated moment [epoch s], by the `fleet`, a `stranger` or a `forger`."""

    at: float
    sender: str
    vehicle: str
    path: str
    fields: dict[str, str]


def demo(out: Path, vehicles: int, days: int, seed: int, say: Callable[[str], None]) -> Result:
    """Run it; leaves settings, logs, data and truth in `out`. Raises `LoggerError` where a service does not come up."""
    began = time.monotonic()
    _emptied(out)
    start_at = int(time.time()) - days * DAY_S
    scooters = town(vehicles, seed, start_at, days)
    letters = list(_letters(scooters, seed))
    seconds = max(days * _DAY_TAKES_S, len(letters) / _MOST_HZ)
    say(f"fleet         {vehicles} mopeds, {days} days, {sum(scooter.truth.rides for scooter in scooters):,} rides")
    with Vendor(out / "cloud.log", vehicles, days, seed, start_at, days * DAY_S / seconds, _HEAD_START_S) as vendor:
        collector = _collector(out, scooters, vendor.where)
        say(f"settings      {collector.settings_file}")
        with collector:
            say(f"voltrail run  ready after {collector.ready_after_s:.1f} s, takes pushes and asks the simulated cloud")
            say(f"sending       {len(letters):,} pushes in {seconds:.0f} s, {vendor.where.speed:,.0f} times as fast")
            answers = _answers(collector.address, letters, vendor.where)
        calls = vendor.calls()
    result = compared(load_settings(collector.settings_file), scooters, answers, calls, began)
    write_truth(scooters, out / "truth")  # only now: nothing before it may know
    return result


def _emptied(out: Path) -> None:
    ours = any((out / log).exists() for log in ("cloud.log", "run.log"))
    if out.exists() and any(out.iterdir()) and not ours:
        raise LoggerError(f"{out} holds other files: name an empty folder with --out")
    for old in sorted(out.rglob("*"), reverse=True):
        old.rmdir() if old.is_dir() else old.unlink()
    out.mkdir(parents=True, exist_ok=True)


def _letters(scooters: list[Scooter], seed: int) -> Iterator[_Letter]:
    """All pushes in the order of their time; the first of them also forged, and as those of strangers."""
    streams = [
        [_Letter(push.sent_at, "fleet", scooter.vehicle, push.path, push.fields) for push in sent(scooter, seed)]
        for scooter in scooters
    ]
    for number, letter in enumerate(heapq.merge(*streams, key=lambda letter: (letter.at, letter.vehicle))):
        yield letter
        if number < _FORGED:
            yield msgspec.structs.replace(letter, sender="forger")
        if number < _STRANGE:
            yield msgspec.structs.replace(letter, sender="stranger", vehicle=f"{_STRANGER + number}")


def _collector(out: Path, scooters: list[Scooter], where: Where) -> Collector:
    poll = _POLL.format(base_url=where.base_url, hours=where.speed / 3600)
    models = _MODELS.format(currency=CURRENCY, per_kwh=PER_KWH, efficiency=LABEL_EFFICIENCY)
    two = "".join(_TWO_PACKS.format(vehicle=each.vehicle) for each in scooters if each.moped.traits.ports == 2)
    return Collector(out, [scooter.vehicle for scooter in scooters], poll + models + two)


def _answers(address: tuple[str, int], letters: list[_Letter], where: Where) -> pl.DataFrame:
    """Send each at its moment of the cloud's time; a row for each, in the columns of `SENT`."""
    rows: list[tuple[object, ...]] = []
    requests = (_made(letter, rows) for letter in letters)
    due_s = [where.due_s(letter.at) for letter in letters]
    answers = sorted(send(address, requests, _CONNECTIONS, at_s=due_s), key=lambda answer: answer.place)
    return pl.DataFrame(
        [(*row, answer.status, answer.seconds) for row, answer in zip(rows, answers, strict=True)],
        schema=SENT,
        orient="row",
    )


def _made(letter: _Letter, rows: list[tuple[object, ...]]) -> bytes:
    """The request; what it says is noted in `rows`."""
    secret = "not the secret" if letter.sender == "forger" else SECRET
    made = request(letter.vehicle, letter.path, letter.fields, secret)
    row = pushed(letter.path, letter.fields)
    if letter.sender == "stranger":
        row = set_aside(made.partition(b"\r\n\r\n")[2])
    identity = made[-32:].decode()  # its signature ends it
    rows.append((letter.sender, letter.vehicle, letter.path, identity, *msgspec.structs.astuple(row)))
    return made
