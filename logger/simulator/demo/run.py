"""The demo: a simulated fleet pushes to a real `voltrail run`, and a simulated cloud answers its polls.

The stored data are then compared with what was sent, message by message.
"""

import heapq
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import polars as pl

from logger.errors import LoggerError
from logger.settings.load import load_settings
from logger.simulator.cloud.serving import CloudInfo
from logger.simulator.demo.car_comparison import compare_cars
from logger.simulator.demo.cars import CarFleet
from logger.simulator.demo.cloud_process import CloudProcess
from logger.simulator.demo.collector import SECRET, Collector
from logger.simulator.demo.expected_rows import push_row, quarantine_row
from logger.simulator.demo.message_comparison import SENT, compare_messages
from logger.simulator.demo.other_logger import import_readings
from logger.simulator.demo.pushes import request
from logger.simulator.demo.result import MessageResult
from logger.simulator.demo.sender import send
from logger.simulator.vehicle.charger import CURRENCY, DATA_SHEET_EFFICIENCY, PRICE_PER_KWH
from logger.simulator.vehicle.environment import DAY_S, degrees
from logger.simulator.vehicle.fleet import Simulation, town
from logger.simulator.vehicle.transmission import transmit
from logger.simulator.vehicle.truth import write_truth
from logger.stores import open_lake

_FIRST_UNLISTED = 899_999_999_999_000  # the number of the first vehicle that the settings do not list
_FORGED, _UNLISTED = 20, 10  # pushes with a wrong signature, and of vehicles that are not listed
_CONNECTIONS = 32
_MOST_CARS, _MOPEDS_PER_CAR = 2, 6  # of each vendor
_HEAD_START_S = 1.5  # until the cloud's time runs: by then `voltrail run` is ready, most of the time
_SECONDS_A_DAY, _MAX_HZ = 3.5, 4000  # a day lasts so long, or longer if two cores could not take its pushes,
_SECONDS_A_DAY_OF_CARS = 6.0  # and, with cars, their polls
_POLL = """base_url = "{base_url}"

[sources.poll]  # in seconds of the vehicles: seven hours are a second or two of ours
riding_s = 25200
charging_s = 25200
parked_s = 25200
offline_s = 50400
silent_s = 25200
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
_VEHICLE = """
[vehicles."{vehicle}"]
label = "{label}"
group = "{group}"
"""
_TWO_PACKS = 'model = "E-moped with two packs"\n'
_PLACE = """
[places."{name}"]
lat_deg = {lat_deg:.5f}
lon_deg = {lon_deg:.5f}
radius_m = 500
"""
_PLACES_M = {"Market": (0, 0), "Station": (1500, 600), "Harbour": (-1300, 1100)}  # east, north of the town's middle


class _ScheduledPush(msgspec.Struct, frozen=True):
    """A push to be sent at a simulated moment [epoch s] by a sender: `fleet`, `unlisted` or `forger`."""

    at: float
    sender: str
    vehicle: str
    path: str
    fields: dict[str, str]


def run_demo(
    out: Path, vehicles: int, days: int, seed: int, echo: Callable[[str], None], providers: str = "segway"
) -> MessageResult:
    """Run the demo; leave settings, logs, data and truth in `out`. With `providers` `all`, cars are beside the mopeds.

    Raises `LoggerError` if a service does not start.
    """
    began = time.monotonic()
    _clear_folder(out)
    start_at = int(time.time()) - days * DAY_S
    simulations = town(vehicles, seed, start_at, days)
    pushes = list(_schedule_pushes(simulations, seed))
    truths = [simulation.truth for simulation in simulations]
    day_s = _SECONDS_A_DAY_OF_CARS if providers == "all" else _SECONDS_A_DAY
    seconds = max(days * day_s, len(pushes) / _MAX_HZ)
    echo(f"fleet         {vehicles} mopeds, {days} days, {sum(len(truth.trips) for truth in truths):,} trips")
    speed = days * DAY_S / seconds
    count = max(1, min(_MOST_CARS, vehicles // _MOPEDS_PER_CAR)) if providers == "all" else 0
    cars = CarFleet(count, seed, start_at, days)
    process = CloudProcess(out / "cloud.log", vehicles, days, seed, start_at, speed, _HEAD_START_S)
    with process as cloud, cars.clouds(cloud.info):
        collector = _collector(out, simulations, cloud.info, cars.settings(out))
        echo(f"settings      {collector.settings_file}")
        cars.consent(collector.settings_file)
        with collector:
            ready = f"ready after {collector.ready_after_s:.1f} s"
            echo(f"voltrail run  {ready}, takes pushes and polls the simulated cloud")
            echo(f"sending       {len(pushes):,} pushes in {seconds:.0f} s, {speed:,.0f} times as fast")
            with cars.sending(collector.address, cloud.info):
                sent = _send_pushes(collector.address, pushes, cloud.info)
        cloud_requests = cloud.requests()
    settings = load_settings(collector.settings_file)
    result = compare_messages(settings, truths, sent, cloud_requests)
    write_truth(truths, out / "truth")  # only now: no result may depend on it
    cars.write_truth(out / "truth")
    found = compare_cars(open_lake(settings), cars)
    echo(f"imported      {import_readings(out, simulations):,} rows that another logger polled of the same mopeds")
    return msgspec.structs.replace(result, seconds=time.monotonic() - began, cars=found)


def _clear_folder(out: Path) -> None:
    ours = any((out / log).exists() for log in ("cloud.log", "run.log"))
    if out.exists() and any(out.iterdir()) and not ours:
        raise LoggerError(f"{out} holds other files: name an empty folder with --out")
    for old in sorted(out.rglob("*"), reverse=True):
        old.rmdir() if old.is_dir() else old.unlink()
    out.mkdir(parents=True, exist_ok=True)


def _schedule_pushes(simulations: list[Simulation], seed: int) -> Iterator[_ScheduledPush]:
    """Yield all pushes in order of time; the first of them also forged, and as those of unlisted vehicles."""
    streams = [
        [_ScheduledPush(push.sent_at, "fleet", each.vehicle, push.path, push.fields) for push in transmit(each, seed)]
        for each in simulations
    ]
    for number, push in enumerate(heapq.merge(*streams, key=lambda push: (push.at, push.vehicle))):
        yield push
        if number < _FORGED:
            yield msgspec.structs.replace(push, sender="forger")
        if number < _UNLISTED:
            yield msgspec.structs.replace(push, sender="unlisted", vehicle=f"{_FIRST_UNLISTED + number}")


def _collector(out: Path, simulations: list[Simulation], cloud: CloudInfo, more: str) -> Collector:
    poll = _POLL.format(base_url=cloud.base_url)
    models = _MODELS.format(currency=CURRENCY, per_kwh=PRICE_PER_KWH, efficiency=DATA_SHEET_EFFICIENCY)
    fleet = "".join(map(_vehicle, simulations)) + "".join(map(_place, _PLACES_M))
    return Collector(out, [each.vehicle for each in simulations], poll + models + fleet + more, speed=cloud.speed)


def _vehicle(simulation: Simulation) -> str:
    """The settings of one vehicle: what people call it, and its model where that is not the account's."""
    specification, number = simulation.moped.specification, int(simulation.vehicle[-3:])
    owner = "private" if specification.private else "shared"
    text = _VEHICLE.format(vehicle=simulation.vehicle, label=f"Moped {number}", group=owner)
    return text + (_TWO_PACKS if specification.ports == 2 else "")


def _place(name: str) -> str:
    lat_deg, lon_deg = degrees(*_PLACES_M[name])
    return _PLACE.format(name=name, lat_deg=lat_deg, lon_deg=lon_deg)


def _send_pushes(address: tuple[str, int], pushes: list[_ScheduledPush], cloud: CloudInfo) -> pl.DataFrame:
    """Send each push at its moment of the cloud's time; return a row for each, in the columns of `SENT`."""
    rows: list[tuple[object, ...]] = []
    requests = (_request(push, rows) for push in pushes)
    at_s = [cloud.seconds_until(push.at) for push in pushes]
    answers = sorted(send(address, requests, _CONNECTIONS, at_s=at_s), key=lambda answer: answer.number)
    return pl.DataFrame(
        [(*row, answer.status, answer.seconds) for row, answer in zip(rows, answers, strict=True)],
        schema=SENT,
        orient="row",
    )


def _request(push: _ScheduledPush, rows: list[tuple[object, ...]]) -> bytes:
    """Return the push as a request, and append its message and expected row to `rows`."""
    secret = "not the secret" if push.sender == "forger" else SECRET
    content = request(push.vehicle, push.path, push.fields, secret)
    row = push_row(push.path, push.fields)
    if push.sender == "unlisted":
        row = quarantine_row(content.partition(b"\r\n\r\n")[2])
    identity = content[-32:].decode()  # the signature
    rows.append((push.sender, push.vehicle, push.path, identity, *msgspec.structs.astuple(row)))
    return content
