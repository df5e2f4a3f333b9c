"""A simulated Smartcar cloud: consent, rotating tokens, answers of versions 2 and 3, and signed webhooks; read only."""

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.demo_account import DemoAccount
from logger.simulator.cloud.failures import Reply
from logger.simulator.cloud.vendor import Report, VendorCloud, document
from logger.simulator.vehicle.fleet import Simulation

PERMISSIONS = ("read_battery", "read_charge", "read_location", "read_odometer", "read_security", "read_vehicle_info")
_NEEDS = {"battery": "read_battery", "charge": "read_charge", "tires": "read_tires", "diagnostics": "read_diagnostics"}
_EXPIRES_S = 7200


class SmartcarSimulation(VendorCloud):
    """The cloud for one application. Whoever renews gets a new pair of tokens, and the old one ends.

    `access` and `refresh` are the pair that holds at first; `permissions` are those that the owners gave.
    """

    def __init__(
        self,
        cars: Mapping[str, Simulation],
        now: Callable[[], float],
        client_id: str,
        client_secret: str,
        management_token: str,
        *,
        access: str = "",
        refresh: str = "",
        permissions: Sequence[str] = PERMISSIONS,
        **more: Any,
    ) -> None:
        super().__init__(cars, now, **more)
        self._client = _basic(client_id, client_secret)
        self._management = _basic("default", management_token)
        self._access, self.refresh, self.permissions = {access}, refresh, permissions
        self.subscribed: list[tuple[str, str]] = []

    def name(self, request: Request) -> tuple[str, str]:
        """The word of this call: `token`, `vehicles`, `state`, `details`, `signals` and so on; and its car."""
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "oauth" | "oauth2", "token"):
                return "token", ""
            case ("GET", "v2.0", "vehicles") | ("GET", "v3", "connections"):
                return "vehicles", ""
            case ("POST", "v3", "subscriptions"):
                return "subscriptions", ""
            case ("GET", "v2.0", "management", "connections"):
                return "connections", ""
            case ("GET" | "POST", "v2.0" | "v3", "vehicles", car, *rest):
                return self._word(request, rest), car
        return "", ""

    def _word(self, request: Request, rest: Sequence[str]) -> str:
        """The word of a call about one car."""
        match (request.method, *rest):
            case ("GET", "permissions"):
                return "permissions"
            case ("POST", "webhooks", _):
                return "webhooks"
            case ("POST", "batch"):
                return "state" if b'"/odometer"' in request.body else "details"
            case ("GET", "signals"):
                return "signals"
            case ("GET", *_):
                return "single"
        return ""

    def reply(self, word: str, car: str, request: Request) -> Reply:
        """The answer to a caller who is known."""
        header = request.headers.get("authorization", "")
        if word == "token":
            return (
                self._grant(dict(parse_qsl(request.body.decode("latin-1"))))
                if header == self._client
                else document({"error": "invalid_client"}, 401)
            )
        if word == "connections":
            return self._list() if header == self._management else _refusal()
        if header.removeprefix("Bearer ") not in self._access:
            return _refusal()
        if word == "subscriptions":
            return self._subscribe(request)
        if car and car not in self.cars:
            return error(404, "RESOURCE_NOT_FOUND", "PATH")
        return self._list() if word == "vehicles" else self._of_car(word, car, request)

    def _grant(self, form: Mapping[str, str]) -> Reply:
        renews = form.get("grant_type") == "refresh_token" and form.get("refresh_token") == self.refresh
        fresh = form.get("grant_type") == "authorization_code" and form.get("code") == "good"
        if not renews and not fresh and form.get("grant_type") != "client_credentials":
            return document({"error": "invalid_grant", "error_description": "the token has ended"}, 400)
        access, self.refresh = secrets.token_hex(16), secrets.token_hex(16)
        self._access = {access}
        pair = {"access_token": access, "refresh_token": self.refresh}
        return document({**pair, "token_type": "Bearer", "expires_in": _EXPIRES_S})

    def _subscribe(self, request: Request) -> Reply:
        """Version 3: the vehicle is named in the body."""
        wish = msgspec.json.decode(request.body)["data"]["attributes"]
        if wish["vehicleId"] not in self.cars or not wish["userId"]:
            return error(404, "RESOURCE_NOT_FOUND", None)
        if (pair := (wish["vehicleId"], wish["webhookId"])) in self.subscribed:
            return error(409, "CONFLICT", None)
        self.subscribed.append(pair)
        return document({"meta": {"message": "subscription creation in progress"}}, 202)

    def _list(self) -> Reply:
        return document({"vehicles": list(self.cars), "paging": {"count": len(self.cars), "offset": 0}})

    def _of_car(self, word: str, car: str, request: Request) -> Reply:
        match word:
            case "permissions":
                return document({"permissions": list(self.permissions)})
            case "webhooks":
                self.subscribed.append((car, request.path.rpartition("/")[2]))
                return document({"webhookId": request.path.rpartition("/")[2], "vehicleId": car})
            case "signals":
                return document(v3_answer(self.report(car), self.now()))
            case "single":
                return self._single(car, "/" + request.path.split("/", 4)[4])
        paths = [each["path"] for each in msgspec.json.decode(request.body)["requests"]]
        return document({"responses": [self._item(car, path) for path in paths]})

    def _single(self, car: str, path: str) -> Reply:
        item = self._item(car, path)
        reply = document(item["body"], item["code"])
        return msgspec.structs.replace(reply, headers={**reply.headers, **item.get("headers", {})})

    def _item(self, car: str, path: str) -> dict[str, Any]:
        needs = _NEEDS.get(path.split("/")[1], f"read_{path.split('/')[1]}")
        found = answers(self.report(car)).get(path)
        if needs not in self.permissions:
            return {"path": path, "code": 403, "body": _error(403, "PERMISSION", None)}
        if found is None:
            return {"path": path, "code": 501, "body": _error(501, "COMPATIBILITY", "VEHICLE_NOT_CAPABLE")}
        at, body = found
        headers = {"sc-data-age": _iso(at), "sc-fetched-at": _iso(self.now()), "sc-unit-system": "metric"}
        return {"path": path, "code": 200, "body": body, "headers": headers}


def answers(report: Report) -> dict[str, tuple[float, dict[str, Any]]]:
    """The moment [epoch s] and the body of each path of version 2 that a car has."""
    charge = {"isPluggedIn": report.charging, "state": "CHARGING" if report.charging else "NOT_CHARGING"}
    battery = {"percentRemaining": report.percent / 100, "range": report.range_m / 1000}
    found: dict[str, tuple[float, dict[str, Any]]] = {
        "/battery": (report.at, battery),
        "/battery/nominal_capacity": (report.at, {"capacity": {"nominal": report.capacity_kwh, "source": "SMARTCAR"}}),
        "/charge": (report.at, charge),
        "/charge/limit": (report.at, {"limit": 1}),
        "/odometer": (report.at, {"distance": report.odometer_m / 1000}),
        "/security": (report.at, {"isLocked": report.locked}),
    }
    if report.lat_deg is not None:
        position = {"latitude": report.lat_deg, "longitude": report.lon_deg}
        found["/location"] = (report.position_at, position)
    return found


def signals(report: Report, retrieved_at: float) -> list[dict[str, Any]]:
    """The same as signals of version 4."""
    bodies = {
        "tractionbattery-stateofcharge": {"value": report.percent, "unit": "percent"},
        "tractionbattery-range": {"value": report.range_m / 1000, "unit": "km"},
        "tractionbattery-nominalcapacity": {"capacity": report.capacity_kwh, "unit": "kWh"},
        "odometer-traveleddistance": {"value": report.odometer_m / 1000, "unit": "km"},
        "charge-ischarging": {"value": report.charging},
        "charge-detailedchargingstatus": {"value": "CHARGING" if report.charging else "NOT_CHARGING"},
        "closure-islocked": {"value": report.locked},
    }
    moments = dict.fromkeys(bodies, report.at)
    if report.lat_deg is not None:
        bodies["location-preciselocation"] = {"latitude": report.lat_deg, "longitude": report.lon_deg}
        moments["location-preciselocation"] = report.position_at
    return [
        {
            "code": code,
            "body": body,
            "meta": {"oemUpdatedAt": 1000 * moments[code], "retrievedAt": int(1000 * retrieved_at)},
            "status": {"value": "SUCCESS"},
        }
        for code, body in bodies.items()
    ]


def event(car: str, report: Report, number: str, at: float) -> bytes:
    """The body of a webhook of version 4 about this report, delivered at this moment [epoch s]."""
    found = signals(report, at)
    return msgspec.json.encode(
        {
            "eventId": number,
            "eventType": "VEHICLE_STATE",
            "data": {"user": {"id": "user-1"}, "vehicle": {"id": car, "make": "EXAMPLE"}, "signals": found},
            "triggers": [],
            "meta": {"version": "4.0", "deliveredAt": int(1000 * at), "mode": "LIVE", "signalCount": len(found)},
        }
    )


def v3_answer(report: Report, at: float) -> dict[str, Any]:
    """The answer of version 3 about this report."""
    data = [
        {"id": each["code"], "type": "signal", "attributes": {**each, "meta": None}, "meta": each["meta"]}
        for each in signals(report, at)
    ]
    return {"data": data, "meta": {"page": 1, "pageSize": 100, "totalCount": len(data)}}


def error(status: int, kind: str, code: str | None, **headers: str) -> Reply:
    """An error in the vendor's form."""
    return document(_error(status, kind, code), status, **headers)


def _error(status: int, kind: str, code: str | None) -> dict[str, object]:
    return {"type": kind, "code": code, "description": "simulated", "statusCode": status, "resolution": {"type": None}}


def _refusal() -> Reply:
    return error(401, "AUTHENTICATION", None)


def _basic(name: str, secret: str) -> str:
    return "Basic " + b64encode(f"{name}:{secret}".encode()).decode()


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


DEMO_TOKEN = "simulated-token"  # by which the demo's webhooks are signed
DEMO = DemoAccount(
    "smartcar",
    505,
    "00000000-0000-4000-8000-{:012d}",
    "state",
    'client_id = "client"\nclient_secret_file = "smartcar.secret"\nmanagement_token_file = "smartcar.token"\n'
    'redirect_uri = "http://127.0.0.1/done"\nvehicles = "all"\n'
    "calls_per_vehicle = 0  # the plan's month is a real one, of which a demo is a minute\n",
    {"smartcar.secret": "simulated-client", "smartcar.token": DEMO_TOKEN},
    lambda cars, now: SmartcarSimulation(cars, now, "client", "simulated-client", DEMO_TOKEN),
    (86_400, 86_400, 86_400),  # the vendor's bucket of requests is a real one, too
)
