"""Signed pushes as HTTP requests."""

from collections.abc import Mapping
from urllib.parse import quote

from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET, SOURCE
from logger.simulator.demo.sender import post
from logger.sources.segway.signature import sign


def request(vehicle: str, path: str, fields: Mapping[str, str], secret: str = SECRET) -> bytes:
    """Return one push of this vehicle to a `Collector`, signed with this secret, as bytes to be sent."""
    return post(f"{PREFIX}/{SOURCE}/v2/vehicle/{path}", body(vehicle, fields, secret))


def body(vehicle: str, fields: Mapping[str, str], secret: str = SECRET) -> bytes:
    """Return the signed form; its last 32 bytes are the signature."""
    full = {"iotCode": vehicle, "platformCode": PLATFORM, **fields}
    full["signature"] = sign(full, secret)
    return "&".join(f"{key}={quote(value)}" for key, value in full.items()).encode()
