"""Smart: the fields of each answer. Units and traps: `README.md` beside this.

A document is taken apart first (`steps`). Names are those below `data.vehicleStatus` of the status, and below `data` of
all other answers.
"""

import re
from collections.abc import Mapping

from logger.envelope import Envelope
from logger.mapping import Band, Field, Rows, Shape
from logger.sources.contract import Glance

_MILLISECOND_OF_ARC = 1 / 3_600_000  # [°]
# Up to the greatest degree it is one; beyond it, a count of thousandths of a second of arc.
_LATITUDE = (Band(-90, 90.000001, 1), Band(-1e9, -90, _MILLISECOND_OF_ARC), Band(90.000001, 1e9, _MILLISECOND_OF_ARC))
_LONGITUDE = (
    Band(-180, 180.000001, 1),
    Band(-1e9, -180, _MILLISECOND_OF_ARC),
    Band(180.000001, 1e9, _MILLISECOND_OF_ARC),
)
_NO_TIME = ("2047",)
_NOT_FITTED = ("101",)

_ADDITIONAL = "additionalVehicleStatus"
_ELECTRIC = f"{_ADDITIONAL}.electricVehicleStatus"
_MAINTENANCE = f"{_ADDITIONAL}.maintenanceStatus"
_CLIMATE = f"{_ADDITIONAL}.climateStatus"
_SAFETY = f"{_ADDITIONAL}.drivingSafetyStatus"
_POLLUTION = f"{_ADDITIONAL}.pollutionStatus"

_IS_CHARGING = dict.fromkeys(("2", "15", "24", "28", "30"), True) | dict.fromkeys(
    ("0", "3", "4", "5", "6", "7", "9", "10", "11", "25"), False
)
# 0 says that it does not charge, and whether a cable is in stands in another field.
_CHARGE_STATE = {
    "0 unplugged": "unplugged",
    "0 plugged": "plugged",
    "2": "charging_ac",
    "3": "fault",
    "4": "complete",
    "5": "complete",
    "6": "complete",
    "7": "plugged",
    "9": "plugged",
    "10": "plugged",
    "11": "complete",
    "15": "charging_dc",
    "24": "charging_dc",
    "25": "plugged",
    "28": "charging",
    "30": "charging",
}
_IS_PLUGGED = {"0": False, "1": True, "2": True, "3": True}
_IS_LOCKED = {"0": False, "2": True}
_IS_MOVING = {"engine_off": False, "engine_running": True, "engine_on": True, "engine_cranking": True}
_IS_ON = {"0": False, "1": False, "2": True, "3": True}  # off, accessory, on, cranking
_IS_ONLINE = {"connected": True, "disconnected": False, "true": True, "false": False, "1": True, "0": False}
_SIDES = {"fl": "Driver", "fr": "Passenger", "rl": "DriverRear", "rr": "PassengerRear"}  # left-hand drive

_STATUS = (
    Field(path="temStatus.connectivityStatus", to="online", choices=_IS_ONLINE),
    Field(path=f"{_SAFETY}.centralLockingStatus", to="locked", choices=_IS_LOCKED),
    Field(path="basicVehicleStatus.engineStatus", to="moving", choices=_IS_MOVING),
    Field(path=f"{_ELECTRIC}.chargerState", to="charging", choices=_IS_CHARGING, lookup=True),
    Field(path="charge.state", to="charge_state", choices=_CHARGE_STATE, otherwise="unknown"),
    Field(path=f"{_ELECTRIC}.statusOfChargerConnection", to="plugged", choices=_IS_PLUGGED, lookup=True),
    Field(path=f"{_ELECTRIC}.chargeLevel", to="soc_pct", unit="%"),
    Field(path="basicVehicleStatus.speed", to="speed_kmh", unit="km/h"),
    Field(path=f"{_MAINTENANCE}.odometer", to="odometer_m", unit="km", scale=1000),
    Field(path=f"{_ELECTRIC}.distanceToEmptyOnBatteryOnly", to="range_m", unit="km", scale=1000),
    Field(path=f"{_ELECTRIC}.distanceToEmptyOnBattery100Soc", to="range_full_m", unit="km", scale=1000),
    Field(path=f"{_ELECTRIC}.timeToFullyCharged", to="charge_left_s", unit="min", scale=60, unknown=_NO_TIME),
    Field(path=f"{_MAINTENANCE}.mainBatteryStatus.voltage", to="aux_voltage_v", unit="V"),
    Field(path=f"{_MAINTENANCE}.mainBatteryStatus.chargeLevel", to="aux_soc_pct", unit="%"),
    Field(path=f"{_CLIMATE}.exteriorTemp", to="ambient_c", unit="°C"),
    Field(path=f"{_CLIMATE}.interiorTemp", to="cabin_c", unit="°C"),
    Field(path=f"{_MAINTENANCE}.distanceToService", to="service_in_m", unit="km", scale=1000),
    Field(path=f"{_MAINTENANCE}.daysToService", to="service_in_d", unit="d"),
)


def _location(position: str) -> tuple[Field, ...]:
    return (
        Field(path=f"{position}.latitude", to="lat_deg", unit="° or 0.001 ″", bands=_LATITUDE),
        Field(path=f"{position}.longitude", to="lon_deg", unit="° or 0.001 ″", bands=_LONGITUDE),
        Field(path=f"{position}.altitude", to="altitude_m", unit="m"),
        Field(path=f"{position}.direction", to="heading_deg", unit="°"),
    )


def _battery(dc_scale: float) -> tuple[Field, ...]:
    """The fields of `battery`; current is negative while charging at the vendor, and positive here."""
    return (
        Field(path="dc.voltage", to="voltage_v", unit="V"),
        Field(path=f"{_ELECTRIC}.dcChargeIAct", to="current_a", unit="A", scale=-dc_scale),
        Field(path="dc.power", to="power_w", unit="W"),
        Field(path="charger.power", to="charger_power_w", unit="W"),
        Field(path="charger.voltage", to="charger_voltage_v", unit="V"),
        Field(path="charger.current", to="charger_current_a", unit="A"),
        Field(path="charger.phases", to="charger_phases"),
        Field(path="charger.kind", to="charger_kind"),
        Field(path="temStatus.backupBattery.voltage", to="iot_voltage_v", unit="V"),
        Field(path="temStatus.backupBattery.stateOfCharge", to="iot_soc_pct", unit="%"),
    )


_BODY = (
    *(Field(path=f"{_MAINTENANCE}.tyreStatus{at}", to=f"tyre_{side}_kpa", unit="kPa") for side, at in _SIDES.items()),
    *(Field(path=f"{_MAINTENANCE}.tyreTemp{at}", to=f"tyre_{side}_c", unit="°C") for side, at in _SIDES.items()),
    Field(path="any.tyreWarning", to="tyre_warning"),
    Field(path="any.doorOpen", to="doors_open"),
    Field(path="any.windowOpen", to="windows_open"),
    Field(path="any.sunroofOpen", to="sunroof_open"),
    Field(path=f"{_SAFETY}.trunkOpenStatus", to="trunk_open"),
    Field(path=f"{_SAFETY}.engineHoodOpenStatus", to="hood_open"),
    Field(path="any.lidOpen", to="charge_lid_open"),
    Field(path=f"{_SAFETY}.electricParkBrakeStatus", to="parking_brake"),
    Field(path=f"{_CLIMATE}.preClimateActive", to="climate_on"),
    Field(path=f"{_POLLUTION}.relHumSts", to="cabin_humidity_pct", unit="%"),
    Field(path=f"{_POLLUTION}.interiorPM25", to="cabin_pm25_ugm3", unit="µg/m³"),
)
_TIME = "updateTime"
_TRIP = (
    Field(path="trip.finish", to="finished_at"),
    Field(path="trip.distance", to="distance_m", unit="km", scale=1000),
    Field(path="trip.energy", to="energy_wh", unit="kWh", scale=1000),
    Field(path="trip.regeneratedEnergy", to="regen_wh", unit="kWh", scale=1000),
    Field(path="trip.startOdometer", to="start_odometer_m", unit="km", scale=1000),
    Field(path="trip.endOdometer", to="finish_odometer_m", unit="km", scale=1000),
)
_DTC_STATE = {"active": "appeared", "resolved": "cleared"}


def _dtc(trouble: str) -> tuple[Field, ...]:
    return (
        Field(path=f"{trouble}.dtcCode", to="code"),
        Field(path=f"{trouble}.status", to="state", choices=_DTC_STATE, lookup=True),
    )


def _status(dc_scale: float) -> Shape:
    return _shape(
        "status",
        Rows("status", _TIME, _STATUS),
        Rows("location", _TIME, _location("position")),
        Rows("location", _TIME, _location("untrusted"), flag="position_untrusted"),
        Rows("battery", _TIME, _battery(dc_scale)),
        Rows("body", _TIME, _BODY),
        vehicle="configuration.vin",
        identity=_TIME,
    )


def _shape(step: str, *rows: Rows, vehicle: str = "vin", identity: str = "") -> Shape:
    return Shape(vehicle, (), (), rows, identity=identity, json=True, step=step)


SHAPES: Mapping[str, Shape] = {
    "status": _status(1),
    "status-5": _status(0.1),  # of a smart #5
    "state": _shape(
        "answer",
        Rows(
            "status",
            "",
            (
                Field(path="powerMode", to="moving", choices=_IS_ON, lookup=True),
                Field(path="speed", to="speed_kmh", unit="km/h"),
            ),
        ),
    ),
    "limit": _shape(
        "charging",
        Rows(
            "status",
            "socTime",
            (
                Field(path="soc", to="charge_limit_pct", unit="0.1 %", scale=0.1),
                Field(path="timeToFullyCharged", to="charge_left_s", unit="min", scale=60, unknown=_NO_TIME),
            ),
        ),
        Rows("battery", "socTime", _battery(1)[3:8]),
    ),
    "telematics": _shape(
        "answer",
        Rows("status", "", (Field(path="connectivityStatus", to="online", choices=_IS_ONLINE),)),
        Rows(
            "battery",
            "",
            (
                Field(path="backupBattery.voltage", to="iot_voltage_v", unit="V"),
                Field(path="backupBattery.stateOfCharge", to="iot_soc_pct", unit="%"),
            ),
        ),
    ),
    "diagnostics": _shape(
        "troubles",
        Rows("event", "trouble.timestamp", _dtc("trouble"), {"kind": "dtc"}, history=True),
        Rows("event", "", _dtc("timeless"), {"kind": "dtc"}, first_seen=True),
    ),
    "journal": _shape("trips", Rows("journal", "trip.start", _TRIP, clock="server", history=True)),
    "distance": _shape(
        "answer",
        Rows(
            "status",
            _TIME,
            (Field(path="totalDistance", to="odometer_m", unit="km", scale=1000),),
            clock="server",
        ),
    ),
    "firmware": _shape(
        "firmware",
        Rows(
            "event",
            "",
            (Field(path="currentVersion", to="code"),),
            {"kind": "firmware", "state": "appeared"},
            first_seen=True,
        ),
    ),
}
_CHARGER = re.compile(rb'"chargerState"\s*:\s*"?(\d+)')
_ENGINE = re.compile(rb'"engineStatus"\s*:\s*"engine_(\w+)"')
_ON_DC = re.compile(rb'"dcDcConnectStatus"\s*:\s*"?3\b')


def glance(message: Envelope) -> Glance:
    """The vehicle of an answer and, where it tells that, its state, without decoding it."""
    charger, engine = _CHARGER.search(message.body), _ENGINE.search(message.body)
    if charger and _IS_CHARGING.get(charger[1].decode()):
        return Glance(message.vehicle, "charging")
    if engine:
        return Glance(message.vehicle, "parked" if engine[1] == b"off" else "riding")
    return Glance(message.vehicle, "parked" if charger else None)


def is_fast_charging(body: bytes) -> bool:
    """Whether this status is of a car at a charger of direct current."""
    return bool(_ON_DC.search(body))
