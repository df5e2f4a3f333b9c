"""What an import says of its vehicles: kept in a list beside the data, below what `[vehicles]` of the settings says."""

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl

from logger.atomic import write_file
from logger.errors import ConfigError, Retry
from logger.settings.fleet import Lock, Vehicle
from logger.settings.schema import Settings
from logger.settings.vehicles_csv import IMPORTED, add_imported_vehicles, read_vehicles
from logger.times import zone_info


class Description(msgspec.Struct, frozen=True):
    """What the options of an import say of its vehicle; None where they say nothing."""

    label: str | None = None
    model: str | None = None
    group: str | None = None
    plate: str | None = None
    lock: Lock | None = None
    swappable: bool | None = None
    cadence_s: float | None = None
    capacity_wh: float | None = None

    @property
    def is_of_one(self) -> bool:
        """Whether it can hold for one vehicle only."""
        return self.label is not None or self.plate is not None


def describe(settings: Settings, description: Description, zone: str, vehicles: Sequence[tuple[str, str]]) -> Settings:
    """Keep what is said of these vehicles, `zone` as their time zone; return the settings with it.

    What `[vehicles]` says of a vehicle wins. Raises `ConfigError` where a name is given to several vehicles.
    """
    names = list(dict.fromkeys(name for _, name in vehicles))
    if description.is_of_one and len(names) > 1:
        raise ConfigError(f"--label and --plate are of one vehicle, and there are {len(names)}: {', '.join(names[:5])}")
    said = _settings_of(description, zone)
    if not said:
        return settings
    path = settings.data_dir / IMPORTED
    kept = read_vehicles(path) if path.exists() else {}
    kept |= {name: msgspec.structs.replace(kept.get(name, Vehicle()), **said) for name in names}
    _write(path, kept)
    return add_imported_vehicles(settings)


def capacity_rows(
    vehicles: Sequence[tuple[str, str]], firsts: Sequence[int], description: Description
) -> pl.DataFrame | None:
    """Return the capacity that the options name as a row at the first time of each vehicle; None without one."""
    if description.capacity_wh is None:
        return None
    rows = [
        {
            "time": datetime.fromtimestamp(at / 1000, UTC),
            "provider": provider,
            "vehicle": name,
            "nominal_wh": description.capacity_wh,
        }
        for (provider, name), at in zip(vehicles, firsts, strict=True)
    ]
    return pl.DataFrame(rows, schema_overrides={"time": pl.Datetime("ms", "UTC"), "nominal_wh": pl.Float64()})


def _settings_of(description: Description, zone: str) -> dict[str, object]:
    said = {name: value for name, value in msgspec.structs.asdict(description).items() if name != "capacity_wh"}
    known = {name: value for name, value in said.items() if value is not None}
    return {**known, "timezone": str(zone_info(zone))} if zone else known


def _write(path: Path, vehicles: dict[str, Vehicle]) -> None:
    names = ("vehicle", *Vehicle.__struct_fields__)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for number, vehicle in sorted(vehicles.items()):
        cells = {name: _cell(value) for name, value in msgspec.structs.asdict(vehicle).items()}
        writer.writerow({"vehicle": number, **cells})
    try:
        write_file(path, text.getvalue().encode())
    except OSError as error:
        raise Retry(f"{path}: {error}: is the disk full?") from error


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
