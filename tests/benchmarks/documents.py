"""How many documents of each source one core decodes: messages → rows of tables, as a feeder does it."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import msgspec

from logger.decode.first_receipts import FirstReceipts
from logger.decode.messages import decode
from logger.envelope import Batch, Envelope
from logger.simulator.cloud import saic, smart
from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.hiven import HivenSimulation
from logger.simulator.cloud.saic_gateway import charging_data
from logger.simulator.cloud.smartcar import SmartcarSimulation, event
from logger.simulator.cloud.vendor import Report, VendorCloud, cars
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation
from logger.sources.contract import Account
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import BEGIN_S, envelopes
from tests.helpers.source_kits import account_of

_DOCUMENTS, _BATCH, _RUNS, _BAR = 20_000, 2_000, 3, 10_000
_CARS, _EVERY_S, _MOMENTS = 100, 300, 9
_CASES = Path(__file__).parents[1] / "cases"
_STATE = b'{"requests":[{"path":"/battery"},{"path":"/charge"},{"path":"/odometer"},{"path":"/location"}]}'


def figures(folder: Path) -> list[Figure]:
    """Decode the documents of each source, several times."""
    sources: dict[str, tuple[str, Callable[[], Iterator[Envelope]]]] = {
        "segway: pushes": ("segway", lambda: envelopes(_CARS, days=1)),
        "segway: answers": ("segway", _segway_answers),
        "hiven: answers": ("hiven", _hiven_answers),
        "smartcar: webhooks": ("smartcar", _smartcar_webhooks),
        "smartcar: batches": ("smartcar", _smartcar_batches),
        "smart: status": ("smart", _smart_answers),
        "smart: full status": ("smart", lambda: _repeat("smart", "status_parked", "1790852400000")),
        "smartcar: full webhook": ("smartcar", _full_webhooks),
        "saic: cars": ("saic", _saic_answers),
        "saic-gateway: answers": ("saic-gateway", _gateway_answers),
    }
    return [
        Figure(
            f"documents decoded by a core, {name}",
            _speeds(account_of(provider, unknown_vehicles="accept"), list(islice(made(), _DOCUMENTS)), folder),
            "/s",
            bar=_BAR,
        )
        for name, (provider, made) in sources.items()
    ]


def _speeds(account: Account, documents: Sequence[Envelope], folder: Path) -> list[float]:
    assert len(documents) == _DOCUMENTS
    return [_speed(account, documents, folder / f"{account.name}-{time.monotonic_ns()}") for _ in range(_RUNS)]


def _speed(account: Account, documents: Sequence[Envelope], folder: Path) -> float:
    """Documents in a second of computing time, that of all cores together."""
    with closing(FirstReceipts(folder)) as receipts:
        began = time.process_time()
        for start in range(0, len(documents), _BATCH):
            part = list(documents[start : start + _BATCH])
            result = decode(Batch(list(range(start, start + len(part))), part), {account.name: account}, receipts)
            assert not result.quarantined
            assert sum(rows.height for rows in result.rows.values()) >= 0.9 * len(part)
        return len(documents) / (time.process_time() - began)


# ---- documents of simulated vehicles ---------------------------------------------------------------------------------


class _Clock:
    at = float(BEGIN_S)

    def __call__(self) -> float:
        return self.at


def _moments(clock: _Clock) -> Iterator[int]:
    """Yield the milliseconds of a day's moments, to which the clock is set."""
    for step in range(DAY_S // _EVERY_S):
        clock.at = BEGIN_S + step * _EVERY_S
        yield int(clock.at * 1000)


def _repeat(provider: str, case: str, time_text: str) -> Iterator[Envelope]:
    """The document of this case, minute by minute, with another time each."""
    found = json.loads((_CASES / provider / f"{case}.json").read_text())
    body = msgspec.json.encode(found["body"])
    for at_ms in range(BEGIN_S * 1000, (BEGIN_S + 60 * _DOCUMENTS) * 1000, 60_000):
        again = body.replace(time_text.encode(), str(at_ms).encode())
        yield Envelope(provider, found["path"], at_ms, found["via"], again, found.get("vehicle", ""))


def _full_webhooks() -> Iterator[Envelope]:
    """A webhook of two dozen signals of nine moments, as a car that tells all sends it."""
    data = json.loads((_CASES / "smartcar" / "event_charging_on_three_phases.json").read_text())["body"]
    for number in range(_DOCUMENTS):
        at_ms = (BEGIN_S + 60 * number) * 1000
        for place, signal in enumerate(data["data"]["signals"]):
            signal["meta"] = {"oemUpdatedAt": at_ms - place % _MOMENTS * 1000, "retrievedAt": at_ms}
        body = msgspec.json.encode({**data, "eventId": f"event-{number}"})
        yield Envelope("smartcar", "webhook", at_ms, "push", body)


def _segway_answers() -> Iterator[Envelope]:
    """Answers to a status query, which hold what the status push holds."""
    for push in envelopes(_CARS, days=3):
        if push.path == "status":
            fields = dict(part.split("=") for part in push.body.decode().split("&"))
            data = {name: value for name, value in fields.items() if name not in ("signature", "platformCode")}
            body = msgspec.json.encode({"code": 0, "msg": "Success", "data": data, "t": push.received_at})
            yield Envelope("segway", "status-query", push.received_at, "poll", body, fields["iotCode"])


def _hiven_answers() -> Iterator[Envelope]:
    clock = _Clock()
    login = {"x-api-key": "key", "x-user-id": "user"}
    cloud = HivenSimulation(_simulate(), clock, "key", "user")
    for at_ms in _moments(clock):
        for car in cloud.cars:
            body = cloud.answer(Request("GET", f"/v1/hiven/devices/{car}/status", login)).body
            yield Envelope("hiven", "status", at_ms, "poll", body, car)


def _smartcar_batches() -> Iterator[Envelope]:
    clock = _Clock()
    cloud = SmartcarSimulation(_simulate(), clock, "client", "secret", "management", access="access")
    login = {"authorization": "Bearer access"}
    for at_ms in _moments(clock):
        for car in cloud.cars:
            body = cloud.answer(Request("POST", f"/v2.0/vehicles/{car}/batch", login, _STATE)).body
            yield Envelope("smartcar", "state", at_ms, "poll", body, car)


def _smart_answers() -> Iterator[Envelope]:
    for car, at_ms, report in _reports():
        status = {**smart.status(report), "configuration": {"vin": car}}
        body = msgspec.json.encode({"code": "1000", "data": {"vehicleStatus": status}})
        yield Envelope("smart", "status", at_ms, "poll", body, car)


def _saic_answers() -> Iterator[Envelope]:
    for car, at_ms, report in _reports():
        documents = {"at": at_ms, "status": _good(saic.status(report)), "charging": _good(saic.charging(report))}
        yield Envelope("mg", "car", at_ms, "poll", msgspec.json.encode(documents), car)


def _gateway_answers() -> Iterator[Envelope]:
    for car, at_ms, report in _reports():
        data, status = charging_data(report)
        body = {"eventID": f"{car} {report.at}", "eventCreationTime": report.at, "result": 0, "vin": car}
        document = {"applicationData": {**data, "chargeStatus": status}, "body": body}
        yield Envelope("mg", "data", at_ms, "poll", msgspec.json.encode(document), car)


def _good(data: object) -> dict[str, object]:
    return {"code": 0, "message": "success", "data": data}


def _reports() -> Iterator[tuple[str, int, Report]]:
    """Each car and moment, and what the car has reported by then."""
    clock = _Clock()
    cloud = VendorCloud(_simulate(), clock)
    for at_ms in _moments(clock):
        yield from ((car, at_ms, cloud.report(car)) for car in cloud.cars)


def _smartcar_webhooks() -> Iterator[Envelope]:
    clock = _Clock()
    cloud = VendorCloud(_simulate(), clock)
    for at_ms in _moments(clock):
        for car in cloud.cars:
            body = event(car, cloud.report(car), f"{car}-{at_ms}", clock.at)
            yield Envelope("smartcar", "webhook", at_ms, "push", body)


def _simulate() -> dict[str, Simulation]:
    return {f"car-{number}": each for number, each in enumerate(cars(range(_CARS), 1, BEGIN_S, 2))}
