"""SAIC: the fields of a car's two documents, its status and its charging data. Traps: `README.md` beside this.

The charging data are those of `saic_gateway.charging`. Names are those below `data` of each document.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from logger.envelope import Envelope
from logger.mapping import Field, Rows, Shape, Step
from logger.sources.contract import Glance
from logger.sources.numbers import number
from logger.sources.picking import Other, Picker
from logger.sources.saic_gateway.charging import Values, battery_fields, charging_values, status_fields, wanted

_DATA, _STATUS = "chrgMgmtData", "rvsChargeStatus"
_BASIC, _GPS = "basicVehicleStatus", "gpsPosition"
_WAY = f"{_GPS}.wayPoint"
_NO_VALUE = ("0", "-1", "65535")
_NO_TEMPERATURE = ("-128", "127", "87")
_NO_PRESSURE = ("0", "-1", "255")
_IS_ON = {"1": True, "0": False}
_CLIMATE = {"0": False, **dict.fromkeys(map(str, range(1, 10)), True)}
_HAS_FIX = {"0": False, "1": False, "2": True, "3": True}  # no signal, time only, of two and of three dimensions
_PLACES = ("driver", "passenger", "rearLeft", "rearRight")
_DOORS = [f"{_BASIC}.{place}Door" for place in _PLACES]
_WINDOWS = [f"{_BASIC}.{place}Window" for place in _PLACES]
_SUNROOF = [f"{_BASIC}.sunroof", f"{_BASIC}.sunroofStatus"]
_ALERTS = "extendedVehicleStatus.vehicleAlerts"
_SPEED, _ENGINE_STATUS, _MILEAGE = f"{_WAY}.speed", f"{_BASIC}.engineStatus", f"{_BASIC}.mileage"
# What the charging data have as well, and better: theirs, and where the status has it.
_FALLBACKS = {
    "fallback.charging": (f"{_DATA}.bmsChrgSts", f"{_BASIC}.extendedData2"),
    "fallback.soc": (f"{_DATA}.bmsPackSOCDsp", f"{_BASIC}.extendedData1"),
    "fallback.range": (f"{_DATA}.range", f"{_BASIC}.fuelRangeElec"),
}
_TYRES = {"fl": "frontLeft", "fr": "frontRight", "rl": "rearLeft", "rr": "rearRight"}

_STATE = (
    Field(path=f"{_BASIC}.canBusActive", to="asleep", choices={"0": True, "1": False}, lookup=True),
    Field(path=f"{_BASIC}.lockStatus", to="locked", choices=_IS_ON),
    Field(path=f"{_BASIC}.engineStatus", to="moving", choices=_IS_ON, lookup=True),
    Field(path="fallback.charging", to="charging", choices=_IS_ON, lookup=True),
    Field(path="fallback.soc", to="soc_pct", unit="%"),
    Field(path=f"{_WAY}.speed", to="speed_kmh", unit="0.1 km/h", scale=0.1),
    Field(path=f"{_BASIC}.mileage", to="odometer_m", unit="0.1 km", scale=100, unknown=_NO_VALUE),
    Field(path="fallback.range", to="range_m", unit="0.1 km", scale=100, unknown=_NO_VALUE),
    Field(path=f"{_BASIC}.batteryVoltage", to="aux_voltage_v", unit="0.1 V", scale=0.1, unknown=_NO_VALUE),
    Field(path=f"{_BASIC}.exteriorTemperature", to="ambient_c", unit="°C", unknown=_NO_TEMPERATURE),
    Field(path=f"{_BASIC}.interiorTemperature", to="cabin_c", unit="°C", unknown=_NO_TEMPERATURE),
)
_LOCATION = (
    Field(path=f"{_WAY}.position.latitude", to="lat_deg", unit="0.000001°", scale=1e-6),
    Field(path=f"{_WAY}.position.longitude", to="lon_deg", unit="0.000001°", scale=1e-6),
    Field(path=f"{_WAY}.position.altitude", to="altitude_m", unit="m"),
    Field(path=f"{_WAY}.heading", to="heading_deg", unit="°"),
    Field(path=f"{_WAY}.hdop", to="hdop", unit="0.1", scale=0.1, doubtful=True),
    Field(path=f"{_WAY}.satellites", to="satellites"),
    Field(path=f"{_GPS}.gpsStatus", to="fix_valid", choices=_HAS_FIX, lookup=True),
)
_BODY = (
    *(
        Field(path=f"{_BASIC}.{name}TyrePressure", to=f"tyre_{at}_kpa", unit="4 kPa", scale=4, unknown=_NO_PRESSURE)
        for at, name in _TYRES.items()
    ),
    Field(path="any.door", to="doors_open"),
    Field(path="any.window", to="windows_open"),
    Field(path="any.sunroof", to="sunroof_open"),
    Field(path=f"{_BASIC}.boot|{_BASIC}.bootStatus", to="trunk_open", choices=_IS_ON, lookup=True),
    Field(path=f"{_BASIC}.bonnet|{_BASIC}.bonnetStatus", to="hood_open", choices=_IS_ON, lookup=True),
    Field(path=f"{_BASIC}.handBrake", to="parking_brake", choices=_IS_ON, lookup=True),
    Field(path=f"{_BASIC}.remoteClimateStatus", to="climate_on", choices=_CLIMATE, lookup=True),
)
_ALERT = (Field(path="alert.id", to="code"),)
_WANTED = wanted(_DATA, _STATUS)
_PICKED = Picker(
    {
        *(name for field in (*_STATE, *_LOCATION, *_BODY) for name in field.names),
        *(worse for _, worse in _FALLBACKS.values()),
        *(*_DOORS, *_WINDOWS, *_SUNROOF, f"{_GPS}.timeStamp", "statusTime", _ALERTS),
    }
)


def shapes(capacity_wh: float | None = None) -> Mapping[str, Shape]:
    """The one kind of message, of a model with this capacity, if the settings know it."""
    rows = (
        Rows("status", "statusTime", _STATE),
        Rows("location", f"{_GPS}.timeStamp", _LOCATION),
        Rows("body", "statusTime", _BODY),
        Rows("status", "at", status_fields(_DATA, _STATUS), clock="server"),
        Rows("battery", "at", battery_fields(_DATA, _STATUS, capacity_wh), clock="server"),
        Rows("event", "statusTime", _ALERT, {"kind": "alert", "state": "appeared"}),
    )
    return {"car": Shape("vin", (), (), rows, identity="at", json=True, step="car")}


# ---- the form of a document -----------------------------------------------------------------------------------------


class _Answer(msgspec.Struct):
    """One of its two answers: its code, and what it holds, unread."""

    code: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Car(msgspec.Struct):
    """When both answers came [epoch ms], and both."""

    at: Any = None
    status: _Answer | Other | UnsetType = UNSET
    charging: _Answer | Other | UnsetType = UNSET


class _Charging(msgspec.Struct):
    """The members of charging data that are read."""

    chrgMgmtData: Any = None
    rvsChargeStatus: Any = None


_READ_CAR, _READ_CHARGING = msgspec.json.Decoder(_Car), msgspec.json.Decoder(_Charging | Other)


# ---- steps -----------------------------------------------------------------------------------------------------------


def take_apart(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The values of both documents of a car, and a part for each alert. Raises `ValueError` for what is none."""
    car = _READ_CAR.decode(body)
    if UNSET in (car.status, car.charging):
        raise ValueError("lacks status or charging")
    charging = _READ_CHARGING.decode(_data(car.charging))
    charging = charging if isinstance(charging, _Charging) else _Charging()
    now = charging_values(charging.chrgMgmtData, charging.rvsChargeStatus, _WANTED)
    then = _PICKED.read(_data(car.status))
    add_fallbacks(then, now)
    drop_parked_speed(then)
    add_openings(then)
    alerts = _alerts(then.pop(_ALERTS))
    moment = {"statusTime": then["statusTime"], "at": car.at}
    return [{**then, **now, "at": car.at}, *({**moment, "alert.id": each} for each in alerts)]


def _alerts(found: Any) -> Iterator[Any]:
    """The numbers of the alerts that stand; one whose value is 0 does not."""
    for each in found if isinstance(found, list) else ():
        if isinstance(each, dict) and number(each.get("value")) != 0:
            yield each.get("id")


def add_fallbacks(then: Values, now: Values) -> None:
    """What the charging data have as well, and better, is taken from the status only where they lack it."""
    for name, (better, worse) in _FALLBACKS.items():
        if number(now.get(better)) is None:
            then[name] = then.get(worse)


def drop_parked_speed(then: Values) -> None:
    """The speed is 0 while the motor is off: that of the satellites trembles."""
    if then.get(_SPEED) is not None and then.get(_ENGINE_STATUS) == 0:
        then[_SPEED] = 0


def add_openings(then: Values) -> None:
    """Whether any door or window is open; windows are not known while the odometer is not."""
    mileage = number(then.get(_MILEAGE))
    then["any.door"] = _any(then, _DOORS)
    then["any.sunroof"] = _any(then, _SUNROOF)
    then["any.window"] = _any(then, _WINDOWS) if mileage is not None and mileage >= 1 else None


def _any(then: Values, names: Iterable[str]) -> bool | None:
    known = [then[name] for name in names if then.get(name) is not None]
    return True if 1 in known else False if known and all(each == 0 for each in known) else None


STEPS: Mapping[str, Step] = {"car": take_apart}


def _data(answer: Any) -> msgspec.Raw:
    """What this document of a car holds; nothing where its code is not 0."""
    is_good = isinstance(answer, _Answer) and number(answer.code) == 0
    return answer.data if is_good else msgspec.Raw(b"null")


_CHARGE = re.compile(rb'"bmsChrgSts"\s*:\s*(\d+)|"extendedData2"\s*:\s*(1)\b')
_ENGINE = re.compile(rb'"engineStatus"\s*:\s*(\d+)')


def glance(message: Envelope) -> Glance:
    """The vehicle and state of an answer, without decoding it."""
    found, engine = _CHARGE.search(message.body), _ENGINE.search(message.body)
    if found and (found[2] or found[1] in (b"1", b"3", b"10", b"11", b"12")):
        return Glance(message.vehicle, "charging")
    if engine:
        return Glance(message.vehicle, "riding" if engine[1] == b"1" else "parked")
    return Glance(message.vehicle)
