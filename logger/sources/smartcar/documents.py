"""Smartcar: the form of a webhook of version 4; what is not read of it is skipped while it is parsed."""

from typing import Any

import msgspec

from logger.sources.picking import Other

_NoList = bool | int | float | str | dict[str, Any] | None


class Times(msgspec.Struct, gc=False):
    """When the car measured a value, and when the vendor retrieved it."""

    oemUpdatedAt: Any = None
    retrievedAt: Any = None
    fetchedAt: Any = None


class Status(msgspec.Struct, gc=False):
    """Whether a signal could be read."""

    value: Any = None


class Element(msgspec.Struct, gc=False):
    """One of several values of a signal: a door, a wheel, a trouble code."""

    row: Any = None
    column: Any = None
    isOpen: Any = None
    tirePressure: Any = None
    code: Any = None


class Body(msgspec.Struct):
    """What a signal says: every member that is read of any signal."""

    value: Any = None
    unit: Any = None
    values: list[Element | Other] | _NoList = None
    isOpen: Any = None
    capacity: Any = None
    percentage: Any = None
    activeLimit: Any = None
    latitude: Any = None
    longitude: Any = None
    heading: Any = None
    direction: Any = None


class Signal(msgspec.Struct):
    """A signal, its value in `body`, unless its status is an error."""

    code: Any = None
    body: Body | Other = None
    status: Status | Other = None
    meta: Times | Other = None


class Vehicle(msgspec.Struct):
    """The vehicle that signals are of."""

    id: Any = None


class SignalData(msgspec.Struct):
    """The signals of one vehicle, which an older form names beside them."""

    signals: list[Signal | Other] | _NoList = None
    vehicle: Vehicle | Other = None
    vehicleId: Any = None


class Event(msgspec.Struct):
    """A webhook."""

    eventType: Any = None
    eventId: Any = None
    data: SignalData | Other = None
    meta: Any = None


def signal_of(attributes: dict[str, Any], times: Any) -> Signal:
    """Return a signal of version 3, which keeps its times beside its attributes, in the form of version 4."""
    return msgspec.convert({**attributes, "meta": times}, Signal)


_READ_EVENT = msgspec.json.Decoder(Event)


def read_event(body: bytes) -> Event:
    """Return the webhook. Raises `msgspec.DecodeError`."""
    return _READ_EVENT.decode(body)
