"""Smartcar: the fields of webhooks and answers (smartcar.com/docs). Units and traps: `README.md` beside this.

A document is taken apart first (`steps`): into its values by name and by the moment at which the car measured them.
"""

import re
from collections.abc import Mapping, Sequence

from logger.envelope import Envelope
from logger.mapping import Band, Field, Rows, Shape
from logger.sources.contract import Glance

MILE_M = 1609.344  # international mile, exact by definition
PSI_KPA = 6.894757  # pound-force per square inch
_Units = Mapping[str, float | tuple[Band, ...]]

_KM: _Units = {**dict.fromkeys(("km", "kilometers", ""), 1000.0), **dict.fromkeys(("mi", "miles"), MILE_M)}
# Without a unit, a value up to 1 may be a share as well as a percent, and is flagged.
_PERCENT: _Units = {"percent": 1.0, "%": 1.0, "": (Band(1.000001, 101, 1),)}
_KWH: _Units = dict.fromkeys(("kwh", "kwhr", ""), 1000.0)
_VOLT: _Units = dict.fromkeys(("volts", "volt", "v", ""), 1.0)
_AMPERE: _Units = dict.fromkeys(("ampere", "amperes", "amps", "a", ""), 1.0)
_WATT: _Units = {**dict.fromkeys(("watts", "watt", "w", ""), 1.0), **dict.fromkeys(("kw", "kilowatts"), 1000.0)}
_KMH: _Units = {**dict.fromkeys(("km/h", "kmh", "kph", ""), 1.0), **dict.fromkeys(("mph", "mi/h"), MILE_M / 1000)}
_MINUTE: _Units = dict.fromkeys(("minutes", "min", ""), 60.0)
# "bar" beside 258 was seen, which is kPa: the size tells.
_PRESSURE: _Units = {"kpa": 1.0, "kilopascals": 1.0, "psi": PSI_KPA, "bar": (Band(0.5, 6, 100), Band(50, 600, 1))}
_NO_PRESSURE = ("699.9",)  # of a wheel that has not been measured
_SYSTEM_KM: _Units = {"metric": 1000.0, "": 1000.0, "imperial": MILE_M}
_SYSTEM_PRESSURE: _Units = {"metric": 1.0, "": 1.0, "imperial": PSI_KPA}

_CHARGE_STATE = {"CHARGING": "charging", "NOT_CHARGING": "unknown", "FULLY_CHARGED": "complete"}
_CHARGING = {"CHARGING": True, "NOT_CHARGING": False, "FULLY_CHARGED": False}
_CHARGE_EVENT = {"CHARGING_STARTED": "charging", "CHARGING_STOPPED": "unknown", "CHARGING_COMPLETED": "complete"}
_CHARGE_EVENT_CHARGING = {"CHARGING_STARTED": True, "CHARGING_STOPPED": False, "CHARGING_COMPLETED": False}
_WHEELS = {"tyre_fl_kpa": "00", "tyre_fr_kpa": "01", "tyre_rl_kpa": "10", "tyre_rr_kpa": "11"}  # row, column
_WHEELS_V2 = {
    "tyre_fl_kpa": "frontLeft",
    "tyre_fr_kpa": "frontRight",
    "tyre_rl_kpa": "backLeft",
    "tyre_rr_kpa": "backRight",
}


def _signal(code: str, to: str, unit: str = "", units: _Units | None = None, value: str = "value") -> Field:
    if units is None:
        return Field(path=f"{code}.{value}", to=to, unit=unit)
    return Field(path=f"{code}.{value}", to=to, unit=unit, unit_at=f"{code}.unit", units=units)


# ---- signals: webhooks of version 4, and answers of version 3 --------------------------------------------------------

_SOC = "tractionbattery-stateofcharge"
_STATUS = (
    _signal("connectivitystatus-isonline", "online"),
    _signal("connectivitystatus-isasleep", "asleep"),
    _signal("closure-islocked", "locked"),
    _signal("charge-ischarging", "charging"),
    Field(path="charge-detailedchargingstatus.value", to="charge_state", choices=_CHARGE_STATE, otherwise="unknown"),
    _signal("charge-ischargingcableconnected", "plugged"),
    Field(path=f"{_SOC}.value|{_SOC}.percentage", to="soc_pct", unit="%", unit_at=f"{_SOC}.unit", units=_PERCENT),
    _signal("motion-currentspeed", "speed_kmh", units=_KMH),
    _signal("odometer-traveleddistance", "odometer_m", units=_KM),
    _signal("tractionbattery-range", "range_m", units=_KM),
    _signal("charge-chargelimits", "charge_limit_pct", units=_PERCENT, value="activeLimit"),
    _signal("charge-timetocomplete", "charge_left_s", units=_MINUTE),
    _signal("charge-energyadded", "charge_added_wh", units=_KWH),
    _signal("charge-chargerate", "charge_rate_kmh", units=_KMH),
    _signal("lowvoltagebattery-stateofcharge", "aux_soc_pct", units=_PERCENT),
)
_LOCATION = (
    _signal("location-preciselocation", "lat_deg", "deg", value="latitude"),
    _signal("location-preciselocation", "lon_deg", "deg", value="longitude"),
    _signal("location-preciselocation", "heading_deg", "deg", value="heading"),
)
_BATTERY = (
    _signal("tractionbattery-nominalcapacity", "nominal_wh", units=_KWH, value="capacity"),
    _signal("charge-voltage", "charger_voltage_v", units=_VOLT),
    _signal("charge-amperage", "charger_current_a", units=_AMPERE),
    _signal("charge-amperagemax", "charger_max_a", units=_AMPERE),
    _signal("charge-wattage", "charger_power_w", units=_WATT),
    Field(path="charge.phases", to="charger_phases"),
    Field(path="charge.kind", to="charger_kind"),
)
_BODY = (
    *(
        Field(
            path=f"wheel-tires.{place}",
            to=to,
            unit_at="wheel-tires.unit",
            units=_PRESSURE,
            unknown=_NO_PRESSURE,
        )
        for to, place in _WHEELS.items()
    ),
    _signal("closure-doors", "doors_open", value="isOpen"),
    _signal("closure-windows", "windows_open", value="isOpen"),
    _signal("closure-sunroof", "sunroof_open", value="isOpen"),
    _signal("closure-reartrunk", "trunk_open", value="isOpen"),
    _signal("closure-fronttrunk", "hood_open", value="isOpen"),
)
_FIRMWARE = (Field(path="connectivitysoftware-currentfirmwareversion.value", to="code"),)
_DTC = (Field(path="dtc.code", to="code"),)


def _rows(table: str, fields: tuple[Field, ...]) -> Rows:
    return Rows(table, "measuredAt", fields, server_time="retrievedAt")


_EVENTS = (
    Rows("event", "", _FIRMWARE, {"kind": "firmware", "state": "appeared"}, first_seen=True),
    Rows("event", "measuredAt", _DTC, {"kind": "dtc", "state": "appeared"}, server_time="retrievedAt"),
)
_SIGNALS = (
    _rows("status", _STATUS),
    _rows("location", _LOCATION),
    _rows("battery", _BATTERY),
    _rows("body", _BODY),
    *_EVENTS,
)

# ---- paths: answers of version 2, and the webhooks that hold them ----------------------------------------------------

_PATH_STATUS = (
    Field(path="/battery.percentRemaining", to="soc_pct", unit="fraction", scale=100),
    Field(path="/battery.range", to="range_m", unit_at="/battery.unit-system", units=_SYSTEM_KM),
    Field(path="/charge.isPluggedIn", to="plugged"),
    Field(path="/charge.state", to="charge_state", choices=_CHARGE_STATE, otherwise="unknown"),
    Field(path="/charge.state", to="charging", choices=_CHARGING, lookup=True),
    Field(path="/charge/limit.limit", to="charge_limit_pct", unit="fraction", scale=100),
    Field(path="/odometer.distance", to="odometer_m", unit_at="/odometer.unit-system", units=_SYSTEM_KM),
    Field(path="/security.isLocked", to="locked"),
)
_PATH_LOCATION = (
    Field(path="/location.latitude", to="lat_deg", unit="deg"),
    Field(path="/location.longitude", to="lon_deg", unit="deg"),
)
_PATH_BATTERY = (
    Field(path="/battery/nominal_capacity.nominal|/battery/capacity.capacity", to="nominal_wh", unit="kWh", scale=1000),
)
_PATH_BODY = (
    *(
        Field(
            path=f"/tires/pressure.{name}",
            to=to,
            unit_at="/tires/pressure.unit-system",
            units=_SYSTEM_PRESSURE,
            unknown=_NO_PRESSURE,
        )
        for to, name in _WHEELS_V2.items()
    ),
    Field(path="/security.doors", to="doors_open"),
    Field(path="/security.windows", to="windows_open"),
    Field(path="/security.sunroof", to="sunroof_open"),
    Field(path="/security.rear", to="trunk_open"),
    Field(path="/security.front", to="hood_open"),
    Field(path="/security.chargingPort", to="charge_lid_open"),
)
_SYSTEM = (
    Field(path="system.id", to="code"),
    Field(path="system.description", to="text"),
    Field(path="system.status", to="state", choices={"ALERT": "appeared", "OK": "cleared"}),
)
_CHARGE_EVENTS = (
    Field(path="event.type", to="charge_state", choices=_CHARGE_EVENT, otherwise="unknown"),
    Field(path="event.type", to="charging", choices=_CHARGE_EVENT_CHARGING, lookup=True),
)
_PATHS = (
    _rows("status", _PATH_STATUS),
    _rows("location", _PATH_LOCATION),
    _rows("battery", _PATH_BATTERY),
    _rows("body", _PATH_BODY),
    Rows("event", "measuredAt", _SYSTEM, {"kind": "alert"}, server_time="retrievedAt"),
    Rows("event", "measuredAt", _DTC, {"kind": "dtc", "state": "appeared"}, server_time="retrievedAt"),
)


def _shape(step: str, rows: tuple[Rows, ...]) -> Shape:
    return Shape("vehicle", (), (), rows, identity="identity", json=True, step=step, remembered=True)


SHAPES: Mapping[str, Shape] = {
    "webhook": _shape("events", _SIGNALS),
    "webhook-v2": _shape("legacy-events", (*_PATHS, _rows("status", _CHARGE_EVENTS))),
    "state": _shape("paths", _PATHS),
    "details": _shape("paths", _PATHS),
    "signals": _shape("signals", _SIGNALS),
}


def _reads() -> dict[str, list[tuple[str, str]]]:
    fields = (field for shape in SHAPES.values() for rows in shape.rows for field in rows.fields)
    reads: dict[str, list[tuple[str, str]]] = {}
    for full_name in sorted({name for field in fields for name in field.names}.union(_READ_BY_STEPS)):
        name, _, member = full_name.rpartition(".")
        reads.setdefault(name, []).append((member, full_name))
    return reads


_READ_BY_STEPS = {  # and not by fields
    *(f"closure-{name}.values" for name in ("doors", "windows", "sunroof")),
    "wheel-tires.values",
    "location-preciselocation.direction",
    "charge-isfastchargerpresent.value",
    "/security.storage",
    *("diagnostics-dtclist.values", "/diagnostics/dtcs.activeCodes", "/diagnostics/system_status.systems"),
}
# What is read of the body of each signal and path: its members, and their full names.
READS: Mapping[str, Sequence[tuple[str, str]]] = _reads()

_VEHICLE = re.compile(rb'"vehicle"\s*:\s*\{\s*"id"\s*:\s*"([A-Za-z0-9-]+)"|"vehicleId"\s*:\s*"([A-Za-z0-9-]+)"')
_CHARGES = re.compile(rb'"(CHARGING|NOT_CHARGING|FULLY_CHARGED)"')


def glance(message: Envelope) -> Glance:
    """The vehicle and, where it tells of charging, the state of a webhook or an answer, without decoding it."""
    vehicle = message.vehicle
    if not vehicle and (found := _VEHICLE.search(message.body)):
        vehicle = (found[1] or found[2]).decode()
    charges = _CHARGES.search(message.body)
    if charges is None:
        return Glance(vehicle)
    return Glance(vehicle, "charging" if charges[1] == b"CHARGING" else "parked")
