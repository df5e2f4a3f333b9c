"""Which rows a message must make: by the vendor's words alone, told apart from the decoder that is held against it."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from logger.simulator.cloud.cloud import NO_LOCATION, OFFLINE, OK

KEY = ("table", "vehicle", "time", "more")  # a row's, with `more` for what its table adds: kind and code, or port
_KINDS = {"alert": "alert", "fault": "fault", "components": "component"}
_BEHIND_MS, _AHEAD_MS = 30 * 86_400_000, 600_000  # of its first receipt: a clock beyond these is replaced by it


class Row(msgspec.Struct, frozen=True):
    """A row to be made: its table, the sender's time [epoch ms], what else is in its key, the reading of a status [m].

    Without a time of the sender's, that of the receipt is taken.
    """

    table: str
    device_at: int | None
    more: str = ""
    odometer_m: int | None = None


def pushed(path: str, fields: Mapping[str, str]) -> Row:
    """What a push becomes."""
    device_at = 1000 * int(fields.get("statusUtcTime") or fields["gpsUtcTime"])
    if path not in _KINDS:
        metres = fields.get("odometer")
        return Row(path, device_at, odometer_m=int(metres) if metres else None)
    return Row("event", device_at, f"{_KINDS[path]} {fields.get('code') or fields['type']}")


def set_aside(body: bytes) -> Row:
    """What a message becomes that is nobody's."""
    return Row("quarantine", None, hashlib.blake2b(body, digest_size=16).hexdigest())


def answered(query: str, body: bytes) -> list[Row]:
    """What an answer becomes: nothing where it says that there is nothing to say."""
    told: dict[str, Any] = msgspec.json.decode(body)
    code, data, at = told["code"], told["data"], told["t"]
    if code == OFFLINE:
        return [Row("status", at)]
    if code != OK:
        return [] if code == NO_LOCATION else [set_aside(body)]
    match query:
        case "status-query":
            return [Row("status", 1000 * data["statusUtcTime"], odometer_m=data["odometer"])]
        case "location-query":
            return [Row("location", 1000 * int(data["gpsUtcTime"]))]
        case "extra-status":
            return [Row("body", at)]
        case _:
            return [Row("battery", at), *(Row("pack", at, str(each["batteryPort"])) for each in data["batteryData"])]


def placed(rows: pl.DataFrame, received: pl.DataFrame) -> pl.DataFrame:
    """Rows with their `time` [epoch ms], and in `moved` whether the clock was `ahead` or `behind`, else null.

    `rows` have `path`, `identity` and `device_at` of their message; `received` has the first two and `received_at` of
    all messages in the order of receipt. A message that came twice counts from the first time.
    """
    first = received.group_by("path", "identity", maintain_order=True).agg(first_at=pl.col("received_at").first())
    off = pl.col("device_at") - pl.col("first_at")
    moved = pl.when(off > _AHEAD_MS).then(pl.lit("ahead")).when(off < -_BEHIND_MS).then(pl.lit("behind"))
    known = rows.join(first, on=["path", "identity"], how="left").with_columns(moved=moved)
    at_receipt = pl.col("moved").is_not_null() | pl.col("device_at").is_null()
    return known.with_columns(time=pl.when(at_receipt).then("first_at").otherwise("device_at"))
