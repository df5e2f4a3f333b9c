"""Segway "API of Gateway": the fields of each push and each answer. Units and traps: `README.md` beside this."""

import re
from collections.abc import Mapping

import msgspec

from logger.envelope import Envelope
from logger.mapping import Band, Field, Rows, Shape
from logger.settings.schema import Model
from logger.sources.contract import Glance, State

_KINDS = ("status", "location", "alert", "fault", "components")
PATHS: Mapping[str, str] = {f"/v2/vehicle/{kind}": kind for kind in _KINDS}

# ---- pushes -------------------------------------------------------------------------------------------------------

FAULTS: Mapping[str, Mapping[str, str]] = {
    # The vendor's table holds for the E-moped alone; another model's codes are kept without a text.
    "E-moped": {
        "E0": "ECU communication",
        "E1": "backup battery",
        "E2": "RTC (real-time clock)",
        "E3": "file system",
        "E4": "I2C",
        "E5": "GNSS",
        "E6": "4G modem",
        "E7": "Bluetooth",
        "E8": "NFC",
        "E9": "G-sensor",
        "10": "ECU communication",
        "11": "controller under-voltage",
        "12": "motor Hall sensor",
        "13": "MOSFET",
        "14": "throttle",
        "15": "brake switch",
        "16": "configuration save",
        "17": "dashboard communication",
        **{code: "reserved" for code in "18 27 28 29 30 36 37 40 43 44 45 46".split()},
        "19": "battery 1 temperature sensor",
        "20": "battery 1 communication",
        "21": "battery 1 default serial",
        "22": "battery 1 password",
        "23": "battery 2 temperature sensor",
        "24": "battery 2 communication",
        "25": "battery 2 default serial",
        "26": "battery 2 password",
        "31": "vehicle default serial",
        "32": "vehicle password",
        "33": "dashboard upgrade failed",
        "34": "temperature detection",
        "35": "dashboard-ECU communication",
        "38": "electric lock",
        "39": "storage not locked",
        "41": "handlebar lock not in place",
        "42": "tail box not locked",
        "47": "battery compartment unlocked",
    }
}
FAULT_SYSTEMS: Mapping[str, Mapping[str, str]] = {
    # As the vendor's appendix groups them: 10 codes of the IoT unit, 5 of the drive, 13 of the BMS, 20 of the
    # central control unit.
    "E-moped": {
        **{f"E{digit}": "IoT" for digit in range(10)},
        **{str(code): "drive" for code in range(11, 16)},
        **{str(code): "BMS" for code in range(18, 31)},
        **{str(code): "centralControl" for code in (10, 16, 17, *range(31, 48))},
    }
}
ALERTS: Mapping[str, str] = {
    "1": "illegal moving",
    "2": "fell down while locked",  # a 2 that goes may also end a 4: the vendor has no "4 gone"
    "3": "dismantling",
    "4": "fell down while unlocked",
    "10": "battery 1 taken out",
    "11": "battery 2 taken out",
    "12": "low power",
}
COMPONENTS: Mapping[str, str] = {"1": "saddle", "2": "tail box", "4": "helmet"}
_COMPONENT_STATES: Mapping[str, str] = {
    "1+1": "unlocked",
    "1+2": "locked",
    "2+1": "unlocked",
    "2+2": "locked",
    "4+1": "returned",  # the helmet's lock has the inverted sense: unlock = put in, lock = taken out
    "4+2": "taken",
}

_MILLIVOLT_OR_CENTIVOLT = (Band(0, 1000, 0.01), Band(2500, 6001, 0.001))  # only 0.01 V fits 342 and 412; mV by size
_STATUS_TIME, _FIX_TIME = "statusUtcTime", "gpsUtcTime|gpsUTCTime"


def status_fields(model: Model) -> tuple[Field, ...]:
    """Return the fields of a status, pushed or queried, with the scales of this model."""
    return (
        Field(path="online", to="online"),
        Field(path="locked", to="locked"),
        Field(path="lockVoltage", to="lock_voltage_v", unit="0.01 V or mV", bands=_MILLIVOLT_OR_CENTIVOLT),
        Field(path="networkSignal", to="network_signal"),
        Field(path="charging", to="charging"),
        Field(
            path="charging",
            to="charge_state",
            choices={"true": "charging", "1": "charging", "false": "unknown", "0": "unknown"},
        ),
        Field(path="powerPercent", to="soc_pct", unit="%"),
        Field(path="speedMode", to="ride_mode", unknown=("0",)),
        Field(path="speed", to="speed_kmh", unit="km/h", scale=model.speed_scale),
        Field(path="odometer", to="odometer_m", unit="m", scale=model.odometer_scale),
        Field(path="remainingRange|remainderRange", to="range_m", unit="10 m", scale=10),
        Field(path="totalRidingSecs", to="ride_time_s", unit="s"),
    )


_LOCATION = (
    Field(path="locationStatus", to="fix_valid", choices={"valid": True, "invalid": False}),
    Field(path="latitude", to="lat_deg", unit="deg"),
    Field(path="longitude", to="lon_deg", unit="deg"),
    Field(path="satelliteNumber", to="satellites"),
    Field(path="hdop", to="hdop"),
    Field(path="altitude", to="altitude_m", unit="m"),
)
_ALERT = (
    Field(path="code", to="code"),
    Field(path="code", to="text", choices=ALERTS, lookup=True),
    Field(path="alertStatus", to="state", choices={"0": "appeared", "1": "cleared"}),
)
_COMPONENT = (
    Field(path="type", to="code"),
    Field(path="type", to="text", choices=COMPONENTS, lookup=True),
    Field(path="type+status", to="state", choices=_COMPONENT_STATES),
)


def _fault(model: str) -> tuple[Field, ...]:
    return (
        Field(path="code", to="code"),
        Field(path="code", to="text", choices=FAULTS.get(model, {}), lookup=True),
        Field(path="code", to="system", choices=FAULT_SYSTEMS.get(model, {}), lookup=True),
        Field(path="faultStatus", to="state", choices={"0": "appeared", "1": "cleared"}),
    )


def _shape(needs: tuple[tuple[str, ...], ...], forbids: tuple[str, ...], *rows: Rows) -> Shape:
    return Shape("iotCode", needs, forbids, rows, identity="signature", account_field="platformCode")


def shapes(name: str, model: Model) -> dict[str, Shape]:
    """Return the shape of each push of this model, by the last word of its path.

    The path is not signed. So `needs` and `forbids` keep a message from being read as one of another kind; they
    demand nothing that only the vendor's samples show.
    """
    event = "code"
    return {
        "status": _shape(
            (("statusUtcTime",), ("online", "locked", "powerPercent", "odometer")),
            ("alertStatus", "faultStatus"),
            Rows("status", _STATUS_TIME, status_fields(model)),
            Rows("location", _FIX_TIME, _LOCATION),  # other models send their position along
        ),
        "location": _shape(
            (("gpsUtcTime", "gpsUTCTime", "locationStatus"),),
            ("alertStatus", "faultStatus"),
            Rows("location", _FIX_TIME, _LOCATION),
        ),
        "alert": _shape(((event,),), ("faultStatus",), Rows("event", _STATUS_TIME, _ALERT, {"kind": "alert"})),
        "fault": _shape(((event,),), ("alertStatus",), Rows("event", _STATUS_TIME, _fault(name), {"kind": "fault"})),
        "components": _shape(
            (("type",),),
            ("alertStatus", "faultStatus"),
            Rows("event", _STATUS_TIME, _COMPONENT, {"kind": "component"}),
        ),
    }


_VEHICLE = re.compile(rb"(?:^|&)iotCode=([0-9]+)")
_FLAGS = re.compile(rb'"?(online|locked|charging)"?\s*[=:]\s*"?(true|false|1|0)\b')
_TRUE = (b"true", b"1")


def glance(message: Envelope) -> Glance:
    """The vehicle and state of a push or an answer, without decoding it."""
    vehicle = _VEHICLE.search(message.body) if not message.vehicle else None
    return Glance(vehicle[1].decode() if vehicle else message.vehicle, _state(message.body))


def _state(body: bytes) -> State | None:
    flags = dict(_FLAGS.findall(body))
    if flags.get(b"online") in (b"false", b"0"):
        return "offline"
    if flags.get(b"charging") in _TRUE:
        return "charging"
    if b"locked" in flags:
        return "parked" if flags[b"locked"] in _TRUE else "riding"
    return None


# ---- answers ------------------------------------------------------------------------------------------------------

LOGIN, UNSUPPORTED, UNAVAILABLE, RETRY = "login", "unsupported", "unavailable", "retry"
CODES: Mapping[int, str] = {
    # What to do about each error code of the vendor's list. Those of lock, unlock and rental answer commands that are
    # never sent from here; they would report the state of the device.
    15101: LOGIN,
    **dict.fromkeys((15004, 15100, 15102, 15707, 15990), UNSUPPORTED),
    **dict.fromkeys((15300, 15301, 15302, 15303, 15400, 15500), UNAVAILABLE),
    **dict.fromkeys(
        (*range(15600, 15604), *range(15611, 15614), *range(15620, 15626), *range(15627, 15636)), UNAVAILABLE
    ),
    **dict.fromkeys((15638, 15996, 15997), UNAVAILABLE),
    15001: RETRY,
}

_UNAVAILABLE_CODES = tuple(str(code) for code, kind in CODES.items() if kind == UNAVAILABLE)
_OFFLINE = {str(code): False for code in (15300, 15301, 15302, 15303)}  # the vehicle itself cannot be reached
_NO_LINK = Rows("status", "t", (Field(path="code", to="online", choices=_OFFLINE, lookup=True),), clock="server")
_ANSWER_FIX_TIME = "data.gpsUtcTime|data.gpsUTCTime"
_ANSWER_LOCATION = (
    Field(path="data.latitude", to="lat_deg", unit="deg"),
    Field(path="data.longitude", to="lon_deg", unit="deg"),
    Field(path="data.satelliteNumber", to="satellites"),
    Field(path="data.hdop", to="hdop"),
    Field(path="data.altitude", to="altitude_m", unit="m"),
)
_EXTRA = (
    Field(path="data.seatCaskHelmet", to="helmets_seat"),
    Field(path="data.tailboxHelmet", to="helmets_tailbox"),
    Field(path="data.peopleSat", to="occupied"),
    Field(path="data.cruiseStatus", to="cruise"),
    Field(path="data.saddleStatus", to="saddle_locked"),
    Field(path="data.tailboxStatus", to="tailbox_locked"),
    Field(path="data.handlebarStatus", to="handlebar_locked"),
    Field(path="data.kickstand", to="kickstand_open"),
)
_BATTERY = (
    Field(path="data.charging", to="bms_charging"),
    Field(path="data.vehiclePercent", to="bms_soc_pct", unit="%"),
    Field(path="data.batteryCount", to="pack_count"),
    Field(path="data.drivingVoltage", to="voltage_v", unit="V", doubtful=True),  # 80 was seen with two packs of 48 V
    Field(path="data.currentPower", to="motor_power_w", unit="W"),  # the vendor does not say which way is positive
    Field(path="data.iotPercent", to="iot_soc_pct", unit="%"),
    Field(path="data.iotVoltage", to="iot_voltage_v", unit="0.01 V", scale=0.01),
)
_PACK = (
    Field(path="batteryPort", to="port"),
    Field(path="batteryPercent", to="pack_soc_pct", unit="%"),
    Field(path="batteryVoltage", to="pack_voltage_v", unit="V"),
    Field(path="cycleTimes", to="pack_cycles"),
    Field(path="temperatrue|temperature|temperatrue1", to="pack_c", unit="degC"),  # as the vendor spells it
)


def answer_shapes(model: Model) -> dict[str, Shape]:
    """Return the shape of each answer, by the name of its query. A status has the fields of the push, below `data`."""
    status = tuple(
        msgspec.structs.replace(field, path="|".join(f"data.{name}" for name in field.spellings))
        for field in status_fields(model)
    )
    return {
        "status-query": _answer(Rows("status", "data.statusUtcTime", status), _NO_LINK),
        "location-query": _answer(Rows("location", _ANSWER_FIX_TIME, _ANSWER_LOCATION), _NO_LINK),
        "extra-status": _answer(Rows("body", "t", _EXTRA, clock="server"), _NO_LINK),
        "battery-info": _answer(
            Rows("battery", "t", _BATTERY, clock="server"),
            Rows("pack", "t", _PACK, clock="server", each="data.batteryData"),
            _NO_LINK,
        ),
    }


def _answer(*rows: Rows) -> Shape:
    return Shape("data.iotCode", (("t",),), (), rows, identity="t", json=True, codes=("0", *_UNAVAILABLE_CODES))
