"""The iSmart gateway: what its one document means. Traps and what is left out: `README.md` beside this."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from logger.envelope import Envelope
from logger.mapping import Rows, Shape, Step
from logger.sources.contract import Glance
from logger.sources.saic_gateway.charging import battery_fields, charging_values, status_fields, wanted

_DATA, _STATUS, _TIME = "applicationData", "applicationData.chargeStatus", "body.eventCreationTime"
_WANTED = wanted(_DATA, _STATUS)


def shapes(capacity_wh: float | None = None) -> Mapping[str, Shape]:
    """The one kind of message, of a model with this capacity, if the settings know it."""
    rows = (
        Rows("status", _TIME, status_fields(_DATA, _STATUS)),
        Rows("battery", _TIME, battery_fields(_DATA, _STATUS, capacity_wh)),
    )
    # Remembered: the gateway repeats a document for as long as it has no newer one.
    return {"data": Shape("body.vin", (), (), rows, identity="body.eventID", json=True, step="data", remembered=True)}


_CHARGE = re.compile(rb'"bmsChrgSts"\s*:\s*(\d+)')


def take_apart(body: bytes) -> Iterable[Mapping[str, Any]]:
    """The values of a document. Raises `ValueError` for one that is no answer of the gateway."""
    document = msgspec.json.decode(body)
    if not isinstance(document, dict) or not {"applicationData", "body"} <= document.keys():
        raise ValueError("lacks applicationData or body")
    origin = document["body"] if isinstance(document["body"], dict) else {}
    data = document["applicationData"] if isinstance(document["applicationData"], dict) else {}
    origin = {f"body.{name}": origin.get(name) for name in ("vin", "eventID", "eventCreationTime")}
    return [{**charging_values(data, data.get("chargeStatus"), _WANTED), **origin}]


STEPS: Mapping[str, Step] = {"data": take_apart}


def glance(message: Envelope) -> Glance:
    """The vehicle of an answer, and whether it charges, without decoding it."""
    found = _CHARGE.search(message.body)
    if found is None:
        return Glance(message.vehicle)
    return Glance(message.vehicle, "charging" if found[1] in (b"1", b"3", b"10", b"11", b"12") else "parked")
