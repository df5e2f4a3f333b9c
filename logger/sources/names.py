"""What the settings call vehicles, as a message for the spool: it becomes rows of the table `vehicles`."""

import time
from collections.abc import Iterable
from typing import Any

import msgspec

from logger.envelope import Envelope
from logger.settings import schema
from logger.settings.schema import Settings
from logger.sources.contract import Traits


def naming(settings: Settings, provider: str, numbers: Iterable[str], model: str | None = None) -> Envelope | None:
    """Return the message that names these vehicles; `model` is that of one without its own. None for no vehicle."""
    return message([row(settings, provider, number, model) for number in numbers])


def row(settings: Settings, provider: str, number: str, model: str | None = None) -> dict[str, Any]:
    """Return what people call a vehicle; its traits are read from the settings, whatever is stored of it."""
    vehicle = settings.vehicles.get(number, schema.Vehicle())
    described = msgspec.structs.asdict(msgspec.structs.replace(vehicle, model=vehicle.model or model))
    words = {name: value for name, value in described.items() if name not in Traits.__struct_fields__}
    return {"provider": provider, "vehicle": number, **words}


def message(rows: list[dict[str, Any]]) -> Envelope | None:
    """Return the message with these rows; None without one."""
    now_ms = time.time_ns() // 1_000_000
    return Envelope("settings", "vehicles", now_ms, "import", msgspec.json.encode(rows)) if rows else None
