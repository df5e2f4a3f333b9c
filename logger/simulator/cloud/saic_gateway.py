"""A simulated iSmart gateway: one document, of one car, and never a newer one within 600 s."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.demo_account import DemoAccount
from logger.simulator.cloud.failures import Reply
from logger.simulator.cloud.vendor import Report, VendorCloud, document
from logger.simulator.vehicle.fleet import Simulation

_COOLDOWN_S = 600.0
_TEXT = {"Content-Type": "text/html"}
_ZERO_A, _CHARGING_A, _PACK_V, _INVALID = 20_000, 19_980, 1_575, 1_023  # codes
_FLAGGED = ("chargingPileID", "chargingElectricityPhase", "extendedData1")  # which the car does not have


class SaicGatewaySimulation(VendorCloud):
    """The gateway for one login; a wrong one is the vendor's matter, and ends in status 500."""

    def __init__(
        self, cars: Mapping[str, Simulation], now: Callable[[], float], user: str, password: str, **more: Any
    ) -> None:
        super().__init__(cars, now, **more)
        self._login = {"user": user, "password": password}
        self._cached, self._cached_at = Reply(200, b"null", _TEXT), float("-inf")

    def name(self, request: Request) -> tuple[str, str]:
        """The word of this call: `data`, or `other`, which the gateway answers in plain text."""
        return ("data" if request.path == "/getData" else "other"), ""

    def reply(self, word: str, car: str, request: Request) -> Reply:
        """The document, as long as it is fresh the same one."""
        if word == "other":
            return Reply(200, b"API error", _TEXT)
        form = dict(parse_qsl(request.body.decode("latin-1")))
        if not form.keys() >= self._login.keys():
            return Reply(200, b"No login post parameters set: user, password", _TEXT)
        if form != self._login:
            return Reply(500, b"", _TEXT)
        if self.now() - self._cached_at >= _COOLDOWN_S:
            self._cached_at = self.now()
            self._cached = msgspec.structs.replace(self._document(next(iter(self.cars))), headers=_TEXT)
        return self._cached

    def _document(self, car: str) -> Reply:
        report = self.report(car)
        body = {"eventID": report.at, "eventCreationTime": report.at, "result": 0, "vin": car}
        login = {"token": "token-of-the-vendor", "uid": "uid-of-the-vendor"}
        data, status = charging_data(report)
        absent = {f"{name}Present": False for name in _FLAGGED}
        data["chargeStatus"] = {**status, **dict.fromkeys(_FLAGGED), **absent}
        return document({"applicationData": data, "body": {**body, **login, "testFlag": 2}, "header": {}})


def charging_data(report: Report) -> tuple[dict[str, Any], dict[str, Any]]:
    """The charging data of a car, and the status of its charge, in the vendor's codes."""
    data = {
        "bmsPackSOCDsp": 10 * report.percent,
        "bmsPackVol": _PACK_V,
        "bmsPackCrnt": _CHARGING_A if report.charging else _ZERO_A,
        "bmsPackCrntV": None,
        "bmsChrgSts": 3 if report.charging else 0,
        "bmsEstdElecRng": round(report.range_m / 1000),
        "bmsOnBdChrgTrgtSOCDspCmd": 7,
        "clstrElecRngToEPT": round(report.range_m / 1000),
        "chrgngRmnngTime": 90 if report.charging else _INVALID,
        "chrgngRmnngTimeV": 0 if report.charging else 1,
        "ccuOnbdChrgrPlugOn": int(report.charging),
    }
    status = {
        "chargingGunState": report.charging,
        "chargingType": 6 if report.charging else 0,
        "fuelRangeElec": round(report.range_m / 100),
        "mileage": round(report.odometer_m / 100),
        "realtimePower": round(report.capacity_kwh * report.percent / 10),
        "totalBatteryCapacity": round(10 * report.capacity_kwh),
        "lastChargeEndingPower": 65_535,
    }
    return data, status


DEMO = DemoAccount(
    "saic-gateway",
    905,
    "LSJTESTGW{:08d}",
    "data",
    'user = "user"\npassword_file = "gateway.password"\nvehicles = ["LSJTESTGW00000001"]\n',
    {"gateway.password": "simulated-password"},
    lambda cars, now: SaicGatewaySimulation(cars, now, "user", "simulated-password"),
    (900, 900, 3600),
    most=1,
)
