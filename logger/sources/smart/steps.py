"""Smart: the steps that take an answer apart, each for what a table of fields cannot say."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from logger.mapping import Step
from logger.sources.numbers import number
from logger.sources.picking import Picker
from logger.sources.smart.answers import Data, data_of, elements, is_good, raw_data_of, read_answer, text
from logger.sources.smart.messages import SHAPES

Values = dict[str, Any]
_ELECTRIC = "additionalVehicleStatus.electricVehicleStatus"
_MAINTENANCE = "additionalVehicleStatus.maintenanceStatus"
_CLIMATE = "additionalVehicleStatus.climateStatus"
_SAFETY = "additionalVehicleStatus.drivingSafetyStatus"
_WRONG = "additionalVehicleStatus"  # below which documents show what cars send beside it
_WRONG_SPEED, _WRONG_ENGINE = f"{_WRONG}.basicVehicleStatus.speed", f"{_WRONG}.basicVehicleStatus.engineStatus"
_POSITION = "basicVehicleStatus.position"
_GPS = "additionalVehicleStatus.runningStatus.gpsInformation"  # of the form that documents show
_PLACES = ("Driver", "Passenger", "DriverRear", "PassengerRear")
_TYRE_WARNINGS = [f"{_MAINTENANCE}.tyre{kind}Warning{at}" for kind in ("Pre", "Temp") for at in _PLACES]
_DOORS = [f"{_SAFETY}.doorOpenStatus{at}" for at in _PLACES]
_WINDOWS = [f"{_CLIMATE}.winStatus{at}" for at in _PLACES]
_WINDOW_POSITIONS = [f"{_CLIMATE}.winPos{at}" for at in _PLACES]
_LIDS = [f"{_ELECTRIC}.chargeLidAcStatus", f"{_ELECTRIC}.chargeLidDcAcStatus"]
_OPENS_AND_SHUTS = {"1": True, "2": False}
_YES_AND_NO = {"1": True, "0": False, "true": True, "false": False}
_NOT_FITTED = 101
_KINDS = {"2": "ac", "15": "dc", "24": "dc", "30": "wireless"}
_READ = [  # by steps of a status, and not by its fields
    f"{_ELECTRIC}.dcDcConnectStatus",
    f"{_ELECTRIC}.chargeUAct",
    f"{_ELECTRIC}.chargeIAct",
    "basicVehicleStatus.speedValidity",
    "basicVehicleStatus.direction",
    *(f"{place}.{name}" for place in (_POSITION, _GPS) for name in ("latitude", "longitude", "altitude")),
    *(f"{place}.{name}" for place in (_POSITION, _GPS) for name in ("posCanBeTrusted", "marsCoordinates")),
    *(*_TYRE_WARNINGS, *_DOORS, *_WINDOWS, *_WINDOW_POSITIONS, *_LIDS, f"{_CLIMATE}.sunroofPos"),
]


def _names(step: str) -> set[str]:
    """Every name that the fields of documents of this step read."""
    rows = (rows for shape in SHAPES.values() if shape.step == step for rows in shape.rows)
    return {name for each in rows for name in each.names} - {""}


_BASICS = {name for name in (*_names("status"), *_READ) if name.startswith("basicVehicleStatus.")}
_STATUS = Picker({*_names("status"), *_READ, "configuration.vin", *(f"{_WRONG}.{name}" for name in _BASICS)})
_ANSWER = Picker({*_names("answer"), *_names("charging"), "chargeUAct", "chargeIAct"})
_AC_PHASE_MAX_V = 260.0  # above it, a voltage is that between phases
_DC_ZERO, _DC_STEP_A, _DC_STEP_V = 16_380, 0.1, 0.25


def status(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The values of a status, with those of direct current where they are beside it. Raises `ValueError`."""
    found = read_answer(body)
    first, *more = found.answers or [found]
    if not is_good(first.code):
        return [{}]
    vehicle_status = bytes(first.data.vehicleStatus) if isinstance(first.data, Data) else b""
    if not vehicle_status.startswith(b"{"):
        raise ValueError("lacks data.vehicleStatus")
    values = _STATUS.read(vehicle_status)
    for step in STATUS_STEPS:
        step(values)
    if more and is_good(more[0].code) and isinstance(more[0].data, Data):
        add_direct_current(values, more[0].data)
    return [values]


def answer(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The values of any other answer. Raises `ValueError` for what is no answer."""
    return [_ANSWER.read(raw_data_of(body))]


def charging(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The limit of charging, or measurements of alternating current, which documents show in its place."""
    values = _ANSWER.read(raw_data_of(body))
    add_alternating_current(values, "chargeUAct", "chargeIAct")
    return [values]


def troubles(body: bytes) -> Iterable[Mapping[str, Any]]:
    """A part for each trouble code; one without a time, which stands at its first receipt, is told from the others."""
    found = [each for each in elements(data_of(body), "diagnosticList") if isinstance(each, dict)]
    return [_trouble(each) for each in found] or [{}]


def _trouble(each: Mapping[str, Any]) -> Values:
    kind = "timeless" if number(each.get("timestamp")) is None else "trouble"
    return {f"{kind}.{name}": value for name, value in {"status": "active", **each}.items()}


def trips(body: bytes) -> Iterable[Mapping[str, Any]]:
    """A part for each trip of the journal, of the form that cars send, or of the one that documents show."""
    data = data_of(body)
    found = elements(data, "list") or elements(data, "journalLogs")
    return [_trip(each) for each in found if isinstance(each, dict)] or [{}]


def firmware(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The version, of an answer that has no code. Raises `ValueError`."""
    document = msgspec.json.decode(body)
    if not isinstance(document, dict) or "currentVersion" not in document:
        raise ValueError("lacks currentVersion")
    return [document]


STEPS: Mapping[str, Step] = {
    "status": status,
    "answer": answer,
    "charging": charging,
    "troubles": troubles,
    "trips": trips,
    "firmware": firmware,
}

# ---- steps of a status -----------------------------------------------------------------------------------------------


def move_basics(values: Values) -> None:
    """Take `basicVehicleStatus` from where documents show it, where it is missing from where cars send it."""
    if values[_WRONG_SPEED] is None and values[_WRONG_ENGINE] is None:
        return
    for name in _BASICS:
        if values[name] is None:
            values[name] = values[f"{_WRONG}.{name}"]


def add_position(values: Values) -> None:
    """The position, trusted or not; none where it is in the Chinese system, whose offset nobody knows."""
    place = _POSITION if values.get(f"{_POSITION}.latitude") is not None else _GPS
    if _is(values.get(f"{place}.marsCoordinates"), True):
        return
    to = "untrusted" if _is(values.get(f"{place}.posCanBeTrusted"), False) else "position"
    for name in ("latitude", "longitude", "altitude"):
        values[f"{to}.{name}"] = values.get(f"{place}.{name}")
    values[f"{to}.direction"] = values.get("basicVehicleStatus.direction")


def drop_speed(values: Values) -> None:
    """Empty a speed that the car itself calls invalid."""
    if _is(values.get("basicVehicleStatus.speedValidity"), False):
        values["basicVehicleStatus.speed"] = None


def add_charge_state(values: Values) -> None:
    """The state of charging; where it does not charge, whether a cable is in tells what that means."""
    state = text(values.get(f"{_ELECTRIC}.chargerState"))
    connection = number(values.get(f"{_ELECTRIC}.statusOfChargerConnection"))
    if state == "0" and connection is not None:
        state = "0 plugged" if connection > 0 else "0 unplugged"
    values["charge.state"] = state


def add_charger(values: Values) -> None:
    """The kind of charger, and what it delivers; a current that nothing measures is empty, and not 0."""
    kind = _KINDS.get(text(values.get(f"{_ELECTRIC}.chargerState")) or "")
    if number(values.get(f"{_ELECTRIC}.dcDcConnectStatus")) == 3:
        kind = "dc"
    values["charger.kind"] = kind
    if kind != "dc":
        values[f"{_ELECTRIC}.dcChargeIAct"] = None
        add_alternating_current(values, f"{_ELECTRIC}.chargeUAct", f"{_ELECTRIC}.chargeIAct")


def add_alternating_current(values: Values, voltage: str, current: str) -> None:
    """Volts, amperes and watts of alternating current; above 260 V, of three phases."""
    volts, amperes = number(values.get(voltage)), number(values.get(current))
    if volts is None or amperes is None or volts <= 0 or amperes < 0:
        return
    phases = 3 if volts > _AC_PHASE_MAX_V else 1
    values.update({"charger.voltage": volts, "charger.current": amperes, "charger.phases": phases})
    values["charger.power"] = round(volts * amperes * phases**0.5, 3)


def add_direct_current(values: Values, data: Data) -> None:
    """Volts, amperes and watts of direct current: those of the charger are those of the battery."""
    raw_v, raw_a = number(data.chargeU), number(data.chargeI)
    if raw_v is None or raw_a is None or raw_v <= 0:
        return
    volts, amperes = _DC_STEP_V * raw_v, round(_DC_STEP_A * (raw_a - _DC_ZERO), 3)
    power = round(volts * amperes, 3)
    values.update({"dc.voltage": volts, "dc.power": power})
    values.update({"charger.voltage": volts, "charger.current": amperes, "charger.power": power})


def add_openings(values: Values) -> None:
    """Whether any of several is open, or warns; empty where that is not known of all."""
    values["any.tyreWarning"] = _any(values, _TYRE_WARNINGS, _YES_AND_NO)
    values["any.doorOpen"] = _any(values, _DOORS, _YES_AND_NO)
    values["any.lidOpen"] = _any(values, _LIDS, _OPENS_AND_SHUTS)
    windows = _any(values, _WINDOWS, _OPENS_AND_SHUTS)
    values["any.windowOpen"] = _any_beyond_0(values, _WINDOW_POSITIONS) if windows is None else windows
    values["any.sunroofOpen"] = _any_beyond_0(values, [f"{_CLIMATE}.sunroofPos"])


STATUS_STEPS: tuple[Callable[[Values], None], ...] = (
    move_basics,
    add_position,
    drop_speed,
    add_charge_state,
    add_charger,
    add_openings,
)


def _any(values: Values, names: Iterable[str], words: Mapping[str, bool]) -> bool | None:
    known = [_meaning(values[name], words) for name in names if values[name] is not None]
    if True in known:
        return True
    return False if known and None not in known else None


def _meaning(value: Any, words: Mapping[str, bool]) -> bool | None:
    """What a word or a number means; most are words as they should be."""
    found = words.get(value) if value.__class__ is str else None
    return words.get(text(value) or "") if found is None else found


def _any_beyond_0(values: Values, names: Iterable[str]) -> bool | None:
    known = [number(values.get(name)) for name in names]
    fitted = [each for each in known if each is not None and 0 <= each < _NOT_FITTED]
    return any(each > 0 for each in fitted) if fitted else None


# ---- trips -----------------------------------------------------------------------------------------------------------


def _trip(each: Mapping[str, Any]) -> Values:
    """A trip: when it ended, how far it went, and what it used."""
    names = ("startOdometer", "endOdometer", "regeneratedEnergy")
    values: Values = {f"trip.{name}": _positive(each.get(name)) for name in names}
    values["trip.start"] = each.get("startTime")
    values["trip.distance"] = _positive(each.get("traveledDistance", each.get("distance")))
    values["trip.finish"] = _finish(each)
    values["trip.energy"] = _energy_kwh(each, values["trip.distance"])
    return values


def _finish(each: Mapping[str, Any]) -> Any:
    start, finish = number(each.get("startTime")), number(each.get("endTime"))
    seconds = number(each.get("duration"))
    if finish is not None or start is None or seconds is None:
        return each.get("endTime") if finish is None or start is None or finish >= start else None
    return start + 1000 * seconds


def _energy_kwh(each: Mapping[str, Any], distance_km: float | None) -> float | None:
    """The energy of a trip; where only the mean per 100 km is there, that times its distance."""
    mean = _positive(each.get("electricConsumption"))
    if mean is not None and distance_km is not None:
        return round(mean * distance_km / 100, 6)
    return _positive(each.get("energyConsumption"))


def _positive(value: Any) -> float | None:
    found = number(value)
    return found if found is not None and found >= 0 else None


# ---- values ---------------------------------------------------------------------------------------------------------


def _is(value: Any, wanted: bool) -> bool:
    """Whether the value is this boolean, as such, as a word or as a digit."""
    return _YES_AND_NO.get(text(value) or "") is wanted
