"""A simulated SAIC cloud: encrypted both ways, one session at a time, cars that answer after some tries; read only."""

import hashlib
import secrets
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.demo_account import DemoAccount
from logger.simulator.cloud.failures import Reply
from logger.simulator.cloud.saic_gateway import charging_data
from logger.simulator.cloud.vendor import JSON, Report, VendorCloud, document
from logger.simulator.vehicle.fleet import Simulation
from logger.sources.saic.envelope import open_request, seal_answer, sign

_WORDS: Mapping[tuple[str, str], str] = {
    ("POST", "/oauth/token"): "login",
    ("GET", "/vehicle/list"): "vehicles",
    ("GET", "/vehicle/status"): "status",
    ("GET", "/vehicle/charging/mgmtData"): "charging",
}
_MILLIONTHS, _EXPIRES_S = 1_000_000, 43_200


class SaicSimulation(VendorCloud):
    """The cloud for one account, its user and password, and the app's client.

    A car answers after `tries` calls under one event. `battery` is the voltage of its 12 V battery [0.1 V].
    """

    def __init__(
        self,
        cars: Mapping[str, Simulation],
        now: Callable[[], float],
        login: tuple[str, str],
        client: tuple[str, str],
        *,
        tries: int = 0,
        battery: int = 126,
        **more: Any,
    ) -> None:
        super().__init__(cars, now, **more)
        self._login = {"username": login[0], "password": hashlib.sha1(login[1].encode()).hexdigest()}
        self._client = "Basic " + b64encode(":".join(client).encode()).decode()
        self._tries, self.battery = tries, battery
        self._hashes = {hashlib.sha256(car.encode()).hexdigest(): car for car in cars}
        self.token = ""
        self._pending: Counter[str] = Counter()  # calls by event

    def evict(self) -> None:
        """A phone logs in."""
        self.token = secrets.token_hex(16)

    def name(self, request: Request) -> tuple[str, str]:
        """The word of this call: `login`, `vehicles`, `status` or `charging`; and its car."""
        word = _WORDS.get((request.method, request.path), "")
        return word, self._hashes.get(request.parameters.get("vin", ""), "")

    def answer(self, request: Request) -> Reply:
        """The answer to this call, encrypted where it is one of the vendor's."""
        reply = super().answer(request)
        if reply.headers.get("Content-Type") != JSON["Content-Type"] or request.path.startswith("/simulator"):
            return reply
        sent_ms = str(int(1000 * self.now()))
        headers = {"APP-SEND-DATE": sent_ms, "APP-CONTENT-ENCRYPTED": "1", "ORIGINAL-CONTENT-TYPE": "application/json"}
        body = seal_answer(reply.body, "application/json", sent_ms)
        return msgspec.structs.replace(reply, body=body, headers={**reply.headers, **headers})

    def reply(self, word: str, car: str, request: Request) -> Reply:
        """The answer, before it is encrypted."""
        if not self._is_signed(request):
            return _failure(403, "the signature differs")
        if word == "login":
            return self._log_in(request)
        if request.headers.get("blade-auth") != self.token or not self.token:
            return _failure(401, "logged out")
        if word == "vehicles":
            return _good({"vinList": [{"vin": each, "modelName": "EXAMPLE"} for each in self.cars]})
        if not car:
            return _failure(3, "no such car")
        return self._of_car(word, car, request)

    def _of_car(self, word: str, car: str, request: Request) -> Reply:
        event = request.headers.get("event-id", "0")
        event = f"{word}-{secrets.token_hex(4)}" if event == "0" else event
        self._pending[event] += 1
        if self._pending[event] <= self._tries:
            waiting = document({"code": 0, "message": "success"})
            return msgspec.structs.replace(waiting, headers={**waiting.headers, "event-id": event})
        report = self.report(car)
        return _good(status(report, self.battery) if word == "status" else charging(report))

    def _is_signed(self, request: Request) -> bool:
        headers = request.headers
        sent_ms, content_type = headers.get("app-send-date", ""), headers.get("original-content-type", "")
        parts = urlsplit(request.target)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        token = headers.get("blade-auth", "")
        expected = sign(path, request.body.decode("latin-1"), content_type, token, sent_ms)
        return headers.get("app-verification-string") == expected

    def _log_in(self, request: Request) -> Reply:
        headers = request.headers
        sent_ms, content_type = headers["app-send-date"], headers["original-content-type"]
        form = dict(parse_qsl(open_request(request.body, "/oauth/token", content_type, "", sent_ms).decode()))
        if headers.get("authorization") != self._client or not self._login.items() <= form.items():
            return _failure(2, "wrong account or password")
        self.token = secrets.token_hex(16)
        return _good({"access_token": self.token, "expires_in": _EXPIRES_S, "token_type": "bearer"})


def status(report: Report, battery: int = 126) -> dict[str, Any]:
    """The status of a car with this voltage of its 12 V battery [0.1 V]."""
    basic = {
        "batteryVoltage": battery,
        "canBusActive": int(not report.locked),
        "engineStatus": int(not report.locked),
        "extendedData1": report.percent,
        "extendedData2": int(report.charging),
        "exteriorTemperature": 11,
        "interiorTemperature": -128,
        "fuelRangeElec": round(report.range_m / 100),
        "frontLeftTyrePressure": 60,
        "lockStatus": int(report.locked),
        "mileage": round(report.odometer_m / 100),
        "driverDoor": 0,
        "driverWindow": 0,
    }
    return {"statusTime": report.at, "basicVehicleStatus": basic, "gpsPosition": _position(report)}


def _position(report: Report) -> dict[str, Any]:
    found: dict[str, Any] = {"gpsStatus": 0, "timeStamp": report.position_at}
    if report.lat_deg is not None and report.lon_deg is not None:
        place = {"latitude": round(report.lat_deg * _MILLIONTHS), "longitude": round(report.lon_deg * _MILLIONTHS)}
        way = {"position": {**place, "altitude": 40}, "speed": 0, "heading": 90, "hdop": 7, "satellites": 10}
        found = {**found, "gpsStatus": 3, "wayPoint": way}
    return found


def charging(report: Report) -> dict[str, Any]:
    """The charging data of a car."""
    data, status = charging_data(report)
    return {"chrgMgmtData": data, "rvsChargeStatus": {**status, "chargingGunState": int(report.charging)}}


def _good(data: object) -> Reply:
    return document({"code": 0, "message": "success", "data": data})


def _failure(code: int, message: str) -> Reply:
    return document({"code": code, "message": message})


_LOGIN, _CLIENT = ("user", "simulated-password"), ("client", "simulated-client")
DEMO = DemoAccount(
    "saic",
    805,
    "LSJTESTMG{:08d}",
    "status",
    f'user = "{_LOGIN[0]}"\npassword_file = "saic.password"\nclient_id = "{_CLIENT[0]}"\n'
    'client_secret_file = "saic.client"\nvehicles = "all"\n',
    {"saic.password": _LOGIN[1], "saic.client": _CLIENT[1]},
    lambda cars, now: SaicSimulation(cars, now, _LOGIN, _CLIENT),
    (900, 1800, 21_600),
)
