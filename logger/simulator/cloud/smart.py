"""A simulated Smart cloud: sessions that end, signatures that must fit, one car at a time; it controls nothing."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from logger.settings.schema import Smart
from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.demo_account import DemoAccount
from logger.simulator.cloud.failures import Reply
from logger.simulator.cloud.vendor import Report, VendorCloud, document
from logger.simulator.vehicle.fleet import Simulation
from logger.sources.smart.api import CARS, DIRECT_CURRENT, GRANT, PATHS, SELECT
from logger.sources.smart.session import PATH
from logger.sources.smart.signature import sign

_WORDS: Mapping[tuple[str, str], str] = {
    ("GET", CARS): "vehicles",
    ("POST", SELECT): "select",
    ("POST", GRANT): "grant",
    ("POST", PATH): "session",
}
_CAR_PATHS: Mapping[str, str] = {
    **{path.removesuffix("{}"): word for word, path in PATHS.items()},
    DIRECT_CURRENT.removesuffix("{}"): "direct-current",
}
_MILLISECONDS_OF_ARC = 3_600_000  # in a degree
_MINUTES_LEFT, _NO_TIME = "90", "2047"


class SmartSimulation(VendorCloud):
    """The cloud for one account, whose settings hold its key, its session and its login.

    `series` are those of its cars; `token` holds at first. The grant of a journal ends the session.
    """

    def __init__(
        self,
        cars: Mapping[str, Simulation],
        now: Callable[[], float],
        account: Smart,
        *,
        series: str = "HX11",
        on_direct_current: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(cars, now, **more)
        self._account, self._series, self._on_direct_current = account, series, on_direct_current
        self.tokens, self._selected = {account.token} - {""}, ""
        self._granted: set[str] = set()

    def forget_login(self) -> None:
        """The login of the account is of no use any more."""
        self._account = msgspec.structs.replace(self._account, login_token="")

    def forget_car(self) -> None:
        """The session forgets which car it is about."""
        self._selected = ""

    def name(self, request: Request) -> tuple[str, str]:
        """The word of this call: the name of the query, or `vehicles`, `select`, `grant`, `session`; and its car."""
        word = _WORDS.get((request.method, request.path))
        if word or request.method != "GET":
            return word or "", ""
        path, _, car = request.path.rpartition("/")
        return _CAR_PATHS.get(f"{path}/", ""), car

    def reply(self, word: str, car: str, request: Request) -> Reply:
        """The answer; of a session that has ended, of a wrong signature, and to an unselected car, its code."""
        if word == "firmware":
            return self._firmware(request)
        if not self._is_signed(request):
            return _failure("1445", "the signature differs")
        if word == "session":
            return self._session(request)
        if request.headers.get("authorization") not in self.tokens:
            return _failure("1402", "Token expired")
        if word in ("vehicles", "select", "grant"):
            return self._of_account(word, request)
        return self._of_car(word, car)

    def _is_signed(self, request: Request) -> bool:
        headers, query = request.headers, urlsplit(request.target).query
        nonce, timestamp = headers.get("x-api-signature-nonce", ""), headers.get("x-timestamp", "0")
        key, body = self._account.app_secret, request.body
        expected = sign(key, request.method, request.path, query, body, nonce, int(timestamp))
        return headers.get("x-signature") == expected

    def _session(self, request: Request) -> Reply:
        if msgspec.json.decode(request.body) != {"accessToken": self._account.login_token}:
            return _failure("1401", "no such login")
        token = secrets.token_hex(16)
        self.tokens = {token}
        data = {"accessToken": token, "refreshToken": "", "userId": self._account.user_id, "expiresIn": 4_579_200}
        return document({"code": 1000, "data": data, "success": True})

    def _of_account(self, word: str, request: Request) -> Reply:
        if word == "vehicles":
            found = [{"vin": car, "seriesCodeVs": self._series, "updateTime": 1_706_199_500_000} for car in self.cars]
            return _good({"list": found})
        car = msgspec.json.decode(request.body)["vin"]
        if car not in self.cars:
            return _failure("8040", "no such car")
        if word == "grant":
            self._granted.add(car)
            self.tokens = set()
        else:
            self._selected = car
        return _good(None)

    def _of_car(self, word: str, car: str) -> Reply:
        if car != self._selected:
            return _failure("8006", "Human and vehicle relationship does not exist")
        if word == "journal" and car not in self._granted:
            return _failure("8153", "connection interruption")
        report = self.report(car)
        return _good({"vehicleStatus": self._status(car, report)} if word == "status" else _ANSWERS[word](report))

    def _status(self, car: str, report: Report) -> dict[str, Any]:
        found = status(report)
        if self._on_direct_current:
            fast = {"chargerState": "15", "dcDcConnectStatus": "3", "dcChargeIAct": "-150.0"}
            found["additionalVehicleStatus"]["electricVehicleStatus"].update(fast)
        return {**found, "configuration": {"vin": car, "propulsionType": "4"}}

    def _firmware(self, request: Request) -> Reply:
        if request.headers.get("access_token") not in self.tokens:
            return document({"message": "Unauthorized"}, 401)
        return document({"currentVersion": "1.2.3", "targetVersion": "1.3.0"})


def status(report: Report) -> dict[str, Any]:
    """The full status of a car, in the vendor's words: numbers and booleans are texts, most of them."""
    electric = {
        "chargeLevel": str(report.percent),
        "chargerState": "2" if report.charging else "0",
        "statusOfChargerConnection": "3" if report.charging else "0",
        "chargeUAct": "229.0" if report.charging else "0.0",
        "chargeIAct": "1.500" if report.charging else "0.000",
        "dcChargeIAct": "0.0",
        "dcDcConnectStatus": "0",
        "distanceToEmptyOnBatteryOnly": str(round(report.range_m / 1000)),
        "timeToFullyCharged": _MINUTES_LEFT if report.charging else _NO_TIME,
    }
    maintenance = {"odometer": f"{report.odometer_m / 1000:.3f}", "mainBatteryStatus": {"voltage": "12.600"}}
    safety = {"centralLockingStatus": "2" if report.locked else "0", "electricParkBrakeStatus": "1"}
    basic: dict[str, Any] = {
        "speed": "0.0",
        "speedValidity": "false",
        "engineStatus": "engine_off" if report.locked else "engine_running",
    }
    if report.lat_deg is not None and report.lon_deg is not None:
        basic["position"] = {
            "latitude": str(round(report.lat_deg * _MILLISECONDS_OF_ARC)),
            "longitude": str(round(report.lon_deg * _MILLISECONDS_OF_ARC)),
            "posCanBeTrusted": "true",
            "marsCoordinates": "false",
        }
    additional = {
        "electricVehicleStatus": electric,
        "maintenanceStatus": maintenance,
        "drivingSafetyStatus": safety,
        "climateStatus": {"exteriorTemp": "11.400", "sunroofPos": "101", "preClimateActive": False},
    }
    return {"updateTime": str(1000 * report.at), "basicVehicleStatus": basic, "additionalVehicleStatus": additional}


def _journal(report: Report) -> dict[str, Any]:
    """One trip that ended when the car reported last."""
    odometer_km = report.odometer_m / 1000
    trip = {
        "tripId": report.at - 900,
        "startTime": 1000 * (report.at - 900),
        "endTime": 1000 * report.at,
        "startOdometer": round(odometer_km - 5, 3),
        "endOdometer": round(odometer_km, 3),
        "traveledDistance": 5.0,
        "avgSpeed": 20.0,
        "electricConsumption": 16.0,
        "regeneratedEnergy": 0.2,
        "trackpoints": [],
    }
    return {"pagination": {"pageIndex": 1, "pageSize": 20, "totleSize": 1}, "list": [trip]}


def _troubles(report: Report) -> dict[str, Any]:
    return {"diagnosticList": [{"dtcCode": "P0001", "timestamp": str(1000 * report.at), "status": "active"}]}


_ANSWERS: Mapping[str, Callable[[Report], object]] = {
    "state": lambda report: {"powerMode": "0" if report.locked else "2", "engineState": 0, "nextWakeupTime": "0"},
    "limit": lambda report: {"socTime": str(1000 * report.at), "soc": "800"},
    "telematics": lambda report: {"connectivityStatus": "connected", "backupBattery": {"voltage": "4.1"}},
    "diagnostics": _troubles,
    "journal": _journal,
    "distance": lambda report: {
        "totalDistance": f"{report.odometer_m / 1000:.3f}",
        "updateTime": str(1000 * report.at),
    },
    "direct-current": lambda report: {"chargeI": "17880", "chargeU": "1600"},
}


def _good(data: object) -> Reply:
    return document({"code": "1000", "data": data, "success": True, "hint": None, "httpStatus": "OK"})


def _failure(code: str, message: str) -> Reply:
    return document({"code": code, "message": message, "hint": None, "httpStatus": "OK", "success": False})


_SESSION = {"app_id": "demo", "operator_code": "demo", "user_id": "112233", "device_id": "0123456789abcdef"}
_SECRETS = {"app_secret": "simulated-signing", "token": "simulated-session"}


def _demo_settings() -> Smart:
    return msgspec.convert({"kind": "smart", "name": "smart", **_SESSION, **_SECRETS}, Smart)


DEMO = DemoAccount(
    "smart",
    705,
    "TESTSMART{:08d}",
    "status",
    "".join(f'{key} = "{value}"\n' for key, value in _SESSION.items())
    + 'app_secret_file = "smart.key"\ntoken_file = "smart.token"\nvehicles = "all"\n',
    {"smart.key": _SECRETS["app_secret"], "smart.token": _SECRETS["token"]},
    lambda cars, now: SmartSimulation(cars, now, _demo_settings()),
    (900, 1800, 3600),
)
