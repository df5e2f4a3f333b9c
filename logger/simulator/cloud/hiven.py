"""A simulated Hiven cloud: devices and their status, by the vendor's names; it sets nothing.

`owners` says whose car a code connects: of this user already, of nobody yet, or of somebody else.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.demo_account import DemoAccount
from logger.simulator.cloud.failures import Reply
from logger.simulator.cloud.vendor import VendorCloud, document
from logger.simulator.vehicle.fleet import Simulation

_CODES: Mapping[str, int] = {"mine": 200, "new": 201, "taken": 409, "broken": 500}


class HivenSimulation(VendorCloud):
    """The cloud for one user with this API key; a charger stands among the devices."""

    def __init__(
        self, cars: Mapping[str, Simulation], now: Callable[[], float], api_key: str, user_id: str, **more: Any
    ) -> None:
        super().__init__(cars, now, **more)
        self._login = {"x-api-key": api_key, "x-user-id": user_id}

    def name(self, request: Request) -> tuple[str, str]:
        """The word of this call: `status`, `device`, `devices`, `authorization`, `connect` or `capabilities`."""
        match (request.method, *request.path.strip("/").split("/")):
            case ("GET", "v1", "hiven", "devices", car, "status"):
                return "status", car
            case ("GET", "v1", "hiven", "devices", "smartcar", "authorization-url"):
                return "authorization", ""
            case ("POST", "v1", "hiven", "devices", "smartcar", "connect"):
                return "connect", ""
            case ("GET", "v2", "hiven", "devices"):
                return "devices", ""
            case ("GET", "v2", "hiven", "devices", car):
                return "device", car
            case ("GET", "v2", "hiven", "vehicles", "smartcar", "capabilities"):
                return "capabilities", ""
        return "", ""

    def reply(self, word: str, car: str, request: Request) -> Reply:
        """The answer to a caller who has the key."""
        if any(request.headers.get(name) != value for name, value in self._login.items()):
            return document({"message": "Unauthorized"}, 401)
        if car and car not in self.cars:
            return document({"message": "no such device"}, 404)
        return document(self._status(car)) if word == "status" else self._other(word, car, request)

    def _other(self, word: str, car: str, request: Request) -> Reply:
        match word:
            case "device":
                return document(self._device(car))
            case "devices":
                chargers = [{"id": "charger-1", "type": "CHARGER"}]
                return document([*chargers, *(self._device(each) for each in self.cars)])
            case "authorization":
                wish = request.parameters
                return document({"url": f"https://consent.example/?make={wish['manufacturer']}&mode={wish['mode']}"})
            case "capabilities":
                return document([{"make": "EXAMPLE", "capabilities": [request.parameters.get("supporting", "")]}])
        code = msgspec.json.decode(request.body).get("authCode", "")
        return document({"message": code}, _CODES.get(code, 500))

    def _status(self, car: str) -> dict[str, object]:
        report = self.report(car)
        return {
            "id": car,
            "timestamp": datetime.fromtimestamp(report.at, UTC).isoformat(timespec="milliseconds"),
            "soc": report.percent,
            "range": report.range_m / 1000,
            "chargingStatus": "CHARGING" if report.charging else "DISCONNECTED",
            "batteryCapacity": str(report.capacity_kwh),
        }

    def _device(self, car: str) -> dict[str, object]:
        preferences = {
            "targetSoC": {"value": 80, "unit": "PERCENT"},
            "minimalSoC": 20,
            "readyTime": "07:00",
            "batteryCapacity": self.report(car).capacity_kwh,
            "chargingBehavior": "SMART_CHARGE_OFF",
        }
        attributes = {"manufacturer": "EXAMPLE", "model": "One", "year": 2024}
        return {
            "id": car,
            "type": "EV",
            "integration": "SMARTCAR",
            "attributes": attributes,
            "settings": {"chargingPreferences": preferences},
        }


DEMO = DemoAccount(
    "hiven",
    605,
    "hiven-{}",
    "status",
    'api_key_file = "hiven.key"\nuser_id = "user"\nvehicles = "all"\n',
    {"hiven.key": "simulated-key"},
    lambda cars, now: HivenSimulation(cars, now, "simulated-key", "user"),
    (1800, 1800, 3600),
)
