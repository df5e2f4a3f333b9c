"""Which rows a message must make: by the vendor's words alone, independent of the decoder that this checks."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from logger.simulator.cloud.cloud import NO_LOCATION, OFFLINE, OK

KEY = ("table", "vehicle", "time", "subkey")  # of a row; `subkey` is kind and code of an event, or the port of a pack
_KINDS = {"alert": "alert", "fault": "fault", "components": "component"}
_BEHIND_MS, _AHEAD_MS = 30 * 86_400_000, 600_000  # of the first receipt, which replaces a device time beyond these


class ExpectedRow(msgspec.Struct, frozen=True):
    """A row that must be stored: its table, the device's time [epoch ms], the rest of its key, the odometer [m].

    Without a device's time, the row lies at the time of receipt.
    """

    table: str
    device_at: int | None
    subkey: str = ""
    odometer_m: int | None = None


def push_row(path: str, fields: Mapping[str, str]) -> ExpectedRow:
    """Return the row that a push must make."""
    device_at = 1000 * int(fields.get("statusUtcTime") or fields["gpsUtcTime"])
    if path not in _KINDS:
        odometer_m = fields.get("odometer")
        return ExpectedRow(path, device_at, odometer_m=int(odometer_m) if odometer_m else None)
    return ExpectedRow("event", device_at, f"{_KINDS[path]} {fields.get('code') or fields['type']}")


def quarantine_row(body: bytes) -> ExpectedRow:
    """Return the row that a message of an unlisted vehicle must make."""
    return ExpectedRow("quarantine", None, hashlib.blake2b(body, digest_size=16).hexdigest())


def answer_rows(query: str, body: bytes) -> list[ExpectedRow]:
    """Return the rows that an answer must make; none where the cloud has no data."""
    answer: dict[str, Any] = msgspec.json.decode(body)
    code, data, at = answer["code"], answer["data"], answer["t"]
    if code == OFFLINE:
        return [ExpectedRow("status", at)]
    if code != OK:
        return [] if code == NO_LOCATION else [quarantine_row(body)]
    match query:
        case "status-query":
            return [ExpectedRow("status", 1000 * data["statusUtcTime"], odometer_m=data["odometer"])]
        case "location-query":
            return [ExpectedRow("location", 1000 * int(data["gpsUtcTime"]))]
        case "extra-status":
            return [ExpectedRow("body", at)]
        case _:
            packs = [ExpectedRow("pack", at, str(each["batteryPort"])) for each in data["batteryData"]]
            return [ExpectedRow("battery", at), *packs]


def date_rows(rows: pl.DataFrame, received: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with their `time` [epoch ms], and `clock_error`: `ahead`, `behind` or null.

    `rows` have `path`, `identity` and `device_at` of their message; `received` has the first two and `received_at` of
    all messages in the order of receipt. Of a message that was received twice, the first receipt counts.
    """
    first = received.group_by("path", "identity", maintain_order=True).agg(first_at=pl.col("received_at").first())
    difference = pl.col("device_at") - pl.col("first_at")
    error = pl.when(difference > _AHEAD_MS).then(pl.lit("ahead")).when(difference < -_BEHIND_MS).then(pl.lit("behind"))
    known = rows.join(first, on=["path", "identity"], how="left").with_columns(clock_error=error)
    at_receipt = pl.col("clock_error").is_not_null() | pl.col("device_at").is_null()
    return known.with_columns(time=pl.when(at_receipt).then("first_at").otherwise("device_at"))
