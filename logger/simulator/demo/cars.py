"""The demo's cars: private vehicles of the simulation, as their makers' clouds see them.

Some push by Smartcar's webhooks, all are polled. The clouds answer real HTTP, and the owners' consent to Smartcar is
redeemed for tokens as `voltrail login` does it.
"""

import asyncio
import hashlib
import hmac
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import msgspec

from logger.settings.load import load_settings
from logger.simulator.cloud.demo_account import DemoAccount
from logger.simulator.cloud.serving import CloudInfo, CloudServer
from logger.simulator.cloud.smartcar import DEMO_TOKEN, event
from logger.simulator.cloud.vendor import VendorCloud, cars, last_report
from logger.simulator.demo.collector import PREFIX
from logger.simulator.demo.sender import Answer, post, send
from logger.simulator.demo.vendors import VENDORS
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation
from logger.simulator.vehicle.truth import Truth, write_truth
from logger.sources import accounts
from logger.sources.contract import Consent

SMARTCAR, HIVEN = "smartcar", "hiven"  # one that pushes, and one whose cars have no odometer
_STEP_S = 600.0  # between two looks of the maker's cloud at its car
_PATIENCE_S = 20.0
_LABEL = """
[vehicles."{vehicle}"]
label = "{label}"
"""


class CarEvent(msgspec.Struct, frozen=True):
    """A webhook to be sent at a simulated moment [epoch s], and the moment of its values by the car [epoch s]."""

    at: float
    car: str
    measured_at: int
    body: bytes


class CarFleet:
    """`cars` cars of each vendor, or as many as its account may have, and their clouds; none makes nothing.

    `events` are Smartcar's, `answers` those to what was sent of them.
    """

    def __init__(self, cars: int, seed: int, start_at: int, days: int) -> None:
        self.vehicles = {each.name: _names(each, cars) for each in VENDORS if cars}
        self._seed, self._days = seed, days
        self._start_at, self._end_at = start_at, start_at + days * DAY_S
        self._urls: dict[str, str] = {}
        self._polled: list[tuple[str, VendorCloud]] = []  # the clouds, with the word of their first query
        self.answers: list[Answer] = []
        self._seen: dict[str, dict[str, Simulation]] = {}  # the cars of each cloud, as it sees them
        self.events = self._history()

    @contextmanager
    def clouds(self, clock: CloudInfo) -> Iterator[None]:
        """Serve the clouds while the block lasts; their time is that of the mopeds' cloud."""

        def now() -> float:
            return min(self._end_at, self._end_at - clock.seconds_until(self._end_at) * clock.speed)

        with ExitStack() as stack:
            for each in self._vendors:
                cars = self._seen[each.name] = self._simulate(each)
                cloud = each.cloud(cars, now)
                self._urls[each.name] = stack.enter_context(CloudServer(cloud)).base_url
                self._polled.append((each.query, cloud))
            yield

    def settings(self, folder: Path) -> str:
        """Return the accounts as settings, whose secrets are written to this folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, secret in (pair for each in self._vendors for pair in each.secrets.items()):
            (folder / name).write_text(secret)
        text = "".join(each.settings(self._urls[each.name]) for each in self._vendors)
        labels = ((car, f"{vendor} {n}") for vendor, names in self.vehicles.items() for n, car in enumerate(names, 1))
        return text + "".join(_LABEL.format(vehicle=car, label=label) for car, label in labels)

    def consent(self, settings_file: Path) -> None:
        """Redeem the code of the owners' consent."""

        async def redeem(consent: Consent) -> None:
            async with httpx.AsyncClient() as http:
                await consent.redeem(http, "good")

        for name, account in accounts(load_settings(settings_file)).items():
            if name == SMARTCAR and account.consent:
                asyncio.run(redeem(account.consent))

    @contextmanager
    def sending(self, address: tuple[str, int], clock: CloudInfo) -> Iterator[None]:
        """Send each event at its moment, in a thread of its own; the block ends when all are answered."""
        at_s = [clock.seconds_until(each.at) for each in self.events]
        requests = [_signed(each.body) for each in self.events]

        def send_all() -> None:
            self.answers += send(address, requests, connections=2, at_s=at_s)

        sender = threading.Thread(target=send_all)
        if requests:
            sender.start()
        yield
        if requests:
            sender.join()
        self._wait_polled()

    def _wait_polled(self) -> None:
        """Wait until each car was polled: a service that began late has had little time for that."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end and not all(
            _is_polled(cloud, word, car) for word, cloud in self._polled for car in cloud.cars
        ):
            time.sleep(0.1)

    def write_truth(self, folder: Path) -> None:
        """Write what really happened to the cars of each provider into a folder of its own below this one."""
        for provider, seen in self._seen.items():
            for one in seen.values():
                one.advance(self._end_at)
            write_truth([_name_truth(one.truth, car) for car, one in seen.items()], folder / provider, provider)

    @property
    def _vendors(self) -> list[DemoAccount]:
        return [each for each in VENDORS if each.name in self.vehicles]

    def _simulate(self, vendor: DemoAccount) -> dict[str, Simulation]:
        """The cars of this vendor from the start, by name; each call gives the same ones anew."""
        names = self.vehicles[vendor.name]
        numbers = range(vendor.first, vendor.first + len(names))
        return dict(zip(names, cars(numbers, self._seed, self._start_at, self._days), strict=True))

    def _history(self) -> list[CarEvent]:
        """The events of the cars that push, in order of time."""
        pushing = [self._simulate(each) for each in self._vendors if each.name == SMARTCAR]
        found = (each for of in pushing for car, one in of.items() for each in self._events_of(car, one))
        return sorted(found, key=lambda each: each.at)

    def _events_of(self, car: str, simulation: Simulation) -> Iterator[CarEvent]:
        """An event each time that the maker's cloud knows something newer."""
        at, last_at = float(self._start_at), 0
        while (at := at + _STEP_S) <= self._end_at:
            simulation.advance(at)
            report = last_report(simulation)
            if report.at != last_at:
                last_at = report.at
                yield CarEvent(at, car, report.at, event(car, report, f"{car}-{at:.0f}", at))


def _names(vendor: DemoAccount, cars: int) -> list[str]:
    """The vendor's numbers of its cars."""
    return [vendor.car.format(number) for number in range(1, min(cars, vendor.most) + 1)]


def _is_polled(cloud: VendorCloud, word: str, car: str) -> bool:
    """Whether this car was polled; a cloud of one car need not know its number."""
    return bool(cloud.calls[word, car] or cloud.calls[word, ""])


def _name_truth(truth: Truth, car: str) -> Truth:
    return msgspec.structs.replace(truth, vehicle=car)


def _signed(body: bytes) -> bytes:
    signature = hmac.new(DEMO_TOKEN.encode(), body, hashlib.sha256).hexdigest()
    return post(f"{PREFIX}/{SMARTCAR}", body, headers={"SC-Signature": signature, "Content-Type": "application/json"})
