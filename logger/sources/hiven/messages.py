"""Hiven: the fields of each answer (docs.hiven.energy). What each word and unit means: `README.md` beside this."""

import re
from collections.abc import Mapping

from logger.envelope import Envelope
from logger.mapping import Field, Rows, Shape
from logger.sources.contract import Glance

_CHARGE_STATE = {
    "charging": "charging",
    "plugged": "plugged",
    "complete": "complete",
    "charging_completed": "complete",
    "disconnected": "unplugged",
    "not_charging": "unknown",
}
_CHARGING = {
    "charging": True,
    **dict.fromkeys(("plugged", "complete", "charging_completed", "disconnected", "not_charging"), False),
}
_PLUGGED = {"charging": True, "plugged": True, "disconnected": False}  # of the others it does not say

_STATUS = (
    Field(path="soc", to="soc_pct", unit="%"),
    Field(path="range", to="range_m", unit="km", scale=1000),
    Field(path="chargingStatus", to="charge_state", choices=_CHARGE_STATE, otherwise="unknown"),
    Field(path="chargingStatus", to="charging", choices=_CHARGING, lookup=True),
    Field(path="chargingStatus", to="plugged", choices=_PLUGGED, lookup=True),
)
_STATUS_BATTERY = (Field(path="batteryCapacity", to="nominal_wh", unit="kWh", scale=1000),)

_PREFERENCES = "settings.chargingPreferences"
_DEVICE = (
    Field(
        path=f"{_PREFERENCES}.targetSoC.value",
        to="charge_limit_pct",
        unit="%",
        unit_at=f"{_PREFERENCES}.targetSoC.unit",
        units={"percent": 1.0},
    ),
    Field(path=f"{_PREFERENCES}.minimalSoC", to="charge_min_pct", unit="%"),
)
_DEVICE_BATTERY = (Field(path=f"{_PREFERENCES}.batteryCapacity", to="nominal_wh", unit="kWh", scale=1000),)

_DEVICE_ROWS = (Rows("status", "", _DEVICE), Rows("battery", "", _DEVICE_BATTERY))

SHAPES: Mapping[str, Shape] = {
    "status": Shape(
        "id",
        (("soc", "range", "chargingStatus", "timestamp"),),
        (),
        (Rows("status", "timestamp", _STATUS), Rows("battery", "timestamp", _STATUS_BATTERY)),
        identity="timestamp",
        json=True,
    ),
    "device": Shape("id", (("id",),), (), _DEVICE_ROWS, identity="", json=True),
}
_CHARGING_STATUS = re.compile(rb'"chargingStatus"\s*:\s*"([A-Za-z_]+)"')


def glance(message: Envelope) -> Glance:
    """The vehicle of an answer, and its state where that tells it, without decoding it."""
    status = _CHARGING_STATUS.search(message.body)
    if status is None:
        return Glance(message.vehicle)
    return Glance(message.vehicle, "charging" if status[1].upper() == b"CHARGING" else "parked")
