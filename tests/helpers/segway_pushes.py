"""Signed pushes as the vendor sends them, and what decoding makes of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

from logger.decode.messages import Source, decode
from logger.decode.result import DecodeResult
from logger.decode.row_times import Receipts
from logger.envelope import Batch, Envelope
from logger.settings import schema
from logger.settings.schema import Model
from logger.sources.segway.account import SegwayAccount
from logger.sources.segway.signature import sign

SECRET = "e2651be5-12d3-48f3-ba6c-bc2b04a447b6"  # the sample of the vendor's documentation
CLIENT, VEHICLE, OTHER = "A20081", "861477038719116", "861477038719117"
AT = 1591067719  # the device's clock in the vendor's samples [s]
RECEIVED = AT * 1000 + 1500  # our clock [ms]
IDS = {"platformCode": CLIENT, "iotCode": VEHICLE}

Fields = Mapping[str, str]
STATUS: Fields = {
    "online": "true",
    "locked": "false",
    "lockVoltage": "412",
    "networkSignal": "22",
    "charging": "false",
    "powerPercent": "80",
    "speedMode": "1",
    "speed": "20",
    "odometer": "9000",
    "remainingRange": "3000",
    "totalRidingSecs": "110",
    "statusUtcTime": f"{AT}",
}
LOCATION: Fields = {
    "locationStatus": "valid",
    "latitude": "22.634228",
    "longitude": "114.125962",
    "satelliteNumber": "6",
    "hdop": "1.38",
    "altitude": "10.1",
    "gpsUtcTime": f"{AT}",
}
ALERT: Fields = {"statusUtcTime": f"{AT}", "alertStatus": "0", "code": "2"}
FAULT: Fields = {"statusUtcTime": f"{AT}", "faultStatus": "0", "code": "E5"}
COMPONENTS: Fields = {"type": "1", "status": "2", "statusUtcTime": f"{AT}"}
SAMPLES: Mapping[str, Fields] = {
    "status": STATUS,
    "location": LOCATION,
    "alert": ALERT,
    "fault": FAULT,
    "components": COMPONENTS,
}
EVENTS = ("alert", "fault", "components")
Row = dict[str, Any]


class MemoryReceipts:
    """First receipts in memory."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}

    def remember(self, identities: Sequence[str], received_at: Sequence[int]) -> list[int]:
        return [self._at.setdefault(each, at) for each, at in zip(identities, received_at, strict=True)]


def form(fields: Fields) -> bytes:
    """The fields as a form, percent-encoded."""
    return "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in fields.items()).encode()


def signed_body(fields: Fields, secret: str = SECRET) -> bytes:
    """The body of a push with these fields and their signature."""
    return form({**fields, "signature": sign(fields, secret)})


def body(kind: str, without: Iterable[str] = (), **changed: str) -> bytes:
    """The vendor's sample of this kind, some fields changed, added or left out, signed anew."""
    fields = {**IDS, **SAMPLES[kind], **changed}
    return signed_body({name: value for name, value in fields.items() if name not in set(without)})


def account(
    vehicles: tuple[str, ...] = (VEHICLE, OTHER), scales: Model | None = None, **settings: Any
) -> SegwayAccount:
    """The account that the samples belong to; `scales` are those of its model."""
    config = schema.Segway(name="moped", client_id=CLIENT, client_secret=SECRET, vehicles=vehicles, **settings)
    return SegwayAccount(config, schema.Settings(models={config.model: scales or Model()}))


def envelope(kind: str, content: bytes, at: int = RECEIVED, source: str = "moped") -> Envelope:
    """This body as a message in the spool."""
    return Envelope(source, kind, at, "push", content)


def batch(*envelopes: Envelope) -> Batch:
    """These envelopes as the first batch of a spool."""
    return Batch(list(range(1, len(envelopes) + 1)), list(envelopes))


def decode_all(
    *envelopes: Envelope, sources: Mapping[str, Source] | None = None, receipts: Receipts | None = None
) -> DecodeResult:
    """The result of decoding these envelopes."""
    return decode(batch(*envelopes), sources or {"moped": account()}, receipts or MemoryReceipts())


def rows(result: DecodeResult, table: str) -> list[Row]:
    """The rows of this table in the order of the spool."""
    return result.rows[table].sort("sequence").to_dicts() if table in result.rows else []


def row(kind: str, moped: SegwayAccount | None = None, /, without: Iterable[str] = (), **changed: str) -> Row:
    """The one row that a push of this kind makes in its own table; its flags are a list, empty where it has none."""
    push = envelope(kind, body(kind, without, **changed))
    (only,) = rows(decode_all(push, sources={"moped": moped or account()}), "event" if kind in EVENTS else kind)
    return {**only, "flags": only["flags"] or []}


def reason(kind: str, content: bytes, moped: SegwayAccount | None = None) -> str:
    """The reason for which this push is in quarantine, and in no other table."""
    result = decode_all(envelope(kind, content), sources={"moped": moped or account()})
    assert list(result.rows) == ["quarantine"]
    (only,) = rows(result, "quarantine")
    assert only["body"] == content
    return str(only["reason"])
