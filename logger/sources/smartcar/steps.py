"""Smartcar: the steps that take a document apart (smartcar.com/docs), each for what a table of fields cannot say.

A part holds the values that the car measured at one moment: `measuredAt`, else `retrievedAt`, the vendor's clock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from logger.mapping import Step
from logger.sources.smartcar.closures import add_doors, add_openings
from logger.sources.smartcar.documents import (
    Body,
    Element,
    Signal,
    SignalData,
    Status,
    Times,
    Vehicle,
    read_event,
    signal_of,
)
from logger.sources.smartcar.messages import READS

_Part = dict[str, Any]
_TIMES = frozenset((int, float, str))
_Body = Body | dict[str, Any]
# What is read of a signal or a path: its name, members of its body with their full names, and the step that follows.
_Reading = tuple[str, Sequence[tuple[str, str]], Callable[[_Part], None] | None]
_Value = tuple[_Reading, _Body, Any, Any]  # body, measured at, retrieved at
_TEST = "TEST"
_SYSTEMS = "/diagnostics/system_status"
# Their elements are events: the list that holds them.
_EVENTS = {"/diagnostics/dtcs": "activeCodes", "diagnostics-dtclist": "values", _SYSTEMS: "systems"}
_MOST_PHASES = 3


def events(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The parts of a webhook of version 4. Raises `ValueError` for a test, and for what is no such webhook."""
    event = read_event(body)
    if event.eventType not in ("VEHICLE_STATE", "VEHICLE_ERROR"):
        raise ValueError(f"an event of the unknown type {str(event.eventType)[:80]!r}")
    _refuse_test(_member(event.meta, "mode"))
    data = event.data if isinstance(event.data, SignalData) else SignalData()
    vehicle = data.vehicle.id if isinstance(data.vehicle, Vehicle) else None
    base = {"vehicle": data.vehicleId if vehicle is None else vehicle, "identity": event.eventId}  # an older form
    return _signal_parts(base, data.signals)


def signals(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The parts of an answer of version 3, of one page or of several under `pages`. Raises `ValueError`."""
    document = msgspec.json.decode(body)
    pages = _list(document, "pages") or [document]
    if _is_error(pages[0]):
        return [{}]
    if not all(isinstance(_member(page, "data"), list) for page in pages):
        raise ValueError("lacks data")
    return _signal_parts({}, [_flat(each) for page in pages for each in _list(page, "data")])


def paths(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The parts of a batch, or of a single answer in the form of one. Raises `ValueError`."""
    document = msgspec.json.decode(body)
    if _is_error(document):
        return [{}]
    if not isinstance(_member(document, "responses"), list):
        raise ValueError("lacks responses")
    return _path_parts({}, _list(document, "responses"))


def legacy_events(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The parts of a webhook of version 2, which may be of several vehicles. Raises `ValueError`."""
    document = msgspec.json.decode(body)
    _refuse_test(_member(document, "mode"))
    name = _member(document, "eventName")
    if name == "eventBased":
        return [_charge_event(_member(document, "payload"))]
    if name not in ("scheduled", "schedule", "dynamic"):
        raise ValueError(f"an event of the unknown name {str(name)[:80]!r}")
    return [part for each in _list(document, "payload", "vehicles") for part in _vehicle_parts(each)] or [{}]


STEPS: Mapping[str, Step] = {"events": events, "signals": signals, "paths": paths, "legacy-events": legacy_events}

# ---- parts by moment -------------------------------------------------------------------------------------------------


def _parts(base: _Part, values: Iterable[_Value], read: Callable[[Any, str], Any]) -> list[_Part]:
    """The values by the moment of their measurement; a part without a value where there are none.

    `read` takes a member of a body.
    """
    parts: dict[object, _Part] = {}
    events: list[_Part] = []
    steps: dict[tuple[Callable[[_Part], None], object], _Part] = {}
    for (name, members, step), body, measured_at, retrieved_at in values:
        moment = (retrieved_at,) if measured_at is None else measured_at
        part = parts.get(moment)
        if part is None:
            part = parts[moment] = {**base, "measuredAt": measured_at, "retrievedAt": retrieved_at}
        for member, full_name in members:
            if (value := read(body, member)) is not None:
                part[full_name] = value
        if step is not None:
            steps[step, moment] = part
        elif name in _EVENTS:
            events += _event_parts(part, name, read(body, _EVENTS[name]))
    for (step, _), part in steps.items():  # only now: one may need the values of several names
        step(part)
    return [*parts.values(), *events] or [dict(base)]


def _moment(value: Any) -> Any:
    """A time as the vendor writes it; None for 0, which stands for an unknown one, and for what is no time."""
    return (value or None) if value.__class__ in _TIMES else None


# ---- values of the two forms -----------------------------------------------------------------------------------------


def _signal_parts(base: _Part, found: Any) -> list[_Part]:
    return _parts(base, _signal_values(found) if found.__class__ is list else (), getattr)


def _signal_values(found: Iterable[Any]) -> Iterator[_Value]:
    """The signals that were read; one with an error has none."""
    for each in found:
        if each.__class__ is not Signal or each.body.__class__ is not Body or each.code.__class__ is not str:
            continue
        reading = _SIGNALS.get(each.code)
        if reading is None or (each.status.__class__ is Status and each.status.value == "ERROR"):
            continue
        times = each.meta if each.meta.__class__ is Times else _NO_TIMES
        measured_at = times.oemUpdatedAt
        if measured_at.__class__ is int and measured_at:  # nearly always; no other is needed
            yield reading, each.body, measured_at, None
        else:
            retrieved_at = times.fetchedAt if times.retrievedAt is None else times.retrievedAt
            yield reading, each.body, _moment(measured_at), _moment(retrieved_at)


_NO_TIMES = Times()


def _flat(each: Any) -> Signal | None:
    """A signal of version 3 in the form of version 4."""
    found = _member(each, "attributes")
    return signal_of(found, _member(each, "meta")) if isinstance(found, dict) else None


def _path_parts(base: _Part, responses: Iterable[Any]) -> list[_Part]:
    return _parts(base, _path_values(responses), dict.get)


def _path_values(responses: Iterable[Any]) -> Iterator[_Value]:
    """The answers of the paths that could be read, their unit system among the values."""
    for each in responses:
        if not isinstance(each, dict):
            continue
        body, path, given = each.get("body"), each.get("path"), each.get("headers")
        if each.get("code") != 200 or not isinstance(body, dict) or not isinstance(path, str) or path not in _PATHS:
            continue
        headers = {name.lower(): value for name, value in given.items()} if isinstance(given, dict) else {}
        body["unit-system"] = headers.get("sc-unit-system")
        if isinstance(capacity := body.get("capacity"), dict):
            body["nominal"] = capacity.get("nominal")
        yield _PATHS[path], body, _moment(headers.get("sc-data-age")), _moment(headers.get("sc-fetched-at"))


def _vehicle_parts(vehicle: Any) -> list[_Part]:
    base = {"vehicle": _member(vehicle, "vehicleId"), "identity": _member(vehicle, "requestId")}
    return _path_parts(base, _list(vehicle, "data"))


def _charge_event(payload: Any) -> _Part:
    return {
        "vehicle": _member(payload, "vehicleId"),
        "identity": _member(payload, "eventId"),
        "measuredAt": _moment(_member(payload, "eventTime")),
        "event.type": _member(payload, "eventType"),
    }


def _event_parts(part: _Part, name: str, elements: Any) -> Iterator[_Part]:
    """Trouble codes and systems: each is an event of its own."""
    origin = {key: part.get(key) for key in ("vehicle", "identity", "measuredAt", "retrievedAt")}
    for each in elements if isinstance(elements, list) else ():
        if name == _SYSTEMS:
            names = {"id": "systemId", "status": "status", "description": "description"}
            yield {**origin, **{f"system.{ours}": _member(each, theirs) for ours, theirs in names.items()}}
        else:
            code = each.code if isinstance(each, Element) else _member(each, "code")
            yield {**origin, "dtc.code": each if isinstance(each, str) else code}


# ---- steps of one moment ---------------------------------------------------------------------------------------------


def add_wheels(part: _Part) -> None:
    """Name each wheel of the list by its row and column: row 0 is in front, column 0 on the left."""
    wheels = part.pop("wheel-tires.values", None)
    for wheel in wheels if isinstance(wheels, list) else ():
        if isinstance(wheel, Element):
            part[f"wheel-tires.{wheel.row}{wheel.column}"] = wheel.tirePressure


def add_heading(part: _Part) -> None:
    """Take `direction` where `heading` is missing, and either only if it is a number: a word is no angle."""
    for name in ("heading", "direction"):
        value = part.get(f"location-preciselocation.{name}")
        if isinstance(value, int | float) and not isinstance(value, bool):
            part["location-preciselocation.heading"] = value
            return
    part.pop("location-preciselocation.heading", None)


_CHARGING = ("charge-wattage.value", "charge-voltage.value", "charge-amperage.value")


def add_phases(part: _Part) -> None:
    """Count the phases of alternating current: volts are those of one phase, watts those of all."""
    watts, volts, amperes = map(_number, map(part.get, _CHARGING))
    if volts * amperes > 0 and part.get("charge-isfastchargerpresent.value") is not True:
        phases = round(watts / (volts * amperes))
        if 1 <= phases <= _MOST_PHASES:
            part["charge.phases"] = phases


def add_charger_kind(part: _Part) -> None:
    """A fast charger is one of direct current; while it charges without one, it is alternating current."""
    fast = part.get("charge-isfastchargerpresent.value")
    if fast is True:
        part["charge.kind"] = "dc"
    elif fast is False and part.get("charge-ischarging.value") is True:
        part["charge.kind"] = "ac"


_STEPS_OF: Mapping[str, Callable[[_Part], None]] = {
    **dict.fromkeys(("closure-doors", "closure-windows", "closure-sunroof"), add_openings),
    "/security": add_doors,
    "wheel-tires": add_wheels,
    "location-preciselocation": add_heading,
    "charge-wattage": add_phases,
    "charge-isfastchargerpresent": add_charger_kind,
}

_MEMBERS = frozenset(Body.__struct_fields__)  # others of a signal are added by its step
_SIGNALS: Mapping[str, _Reading] = {
    name: (name, [each for each in members if each[0] in _MEMBERS], _STEPS_OF.get(name))
    for name, members in READS.items()
    if not name.startswith("/")
}
_PATHS: Mapping[str, _Reading] = {
    name: (name, members, _STEPS_OF.get(name)) for name, members in READS.items() if name.startswith("/")
}

# ---- documents -------------------------------------------------------------------------------------------------------


def _refuse_test(mode: Any) -> None:
    if isinstance(mode, str) and mode.upper() == _TEST:
        raise ValueError("a test of the webhook (mode TEST), whose values are made up: not stored")


def _is_error(document: Any) -> bool:
    """Whether this is the vendor's form of an error, which says why there is no value."""
    return isinstance(document, dict) and "type" in document and "statusCode" in document


def _member(document: Any, *names: str) -> Any:
    for name in names:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _list(document: Any, *names: str) -> list[Any]:
    found = _member(document, *names)
    return found if isinstance(found, list) else []


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
