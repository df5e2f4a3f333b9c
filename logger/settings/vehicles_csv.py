"""A fleet's list of vehicles as a CSV file: one vehicle a line, its number and its label, model and so on."""

import csv
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from logger.errors import ConfigError, UnknownName
from logger.settings.schema import Settings, Vehicle
from logger.settings.unknown_keys import plain_error
from logger.signals import BOOLEAN_WORDS
from logger.suggest import nearest

IMPORTED = "imported-vehicles.csv"  # in the data folder: what options of `voltrail import` said of its vehicles


def add_vehicles_of_files(settings: Settings, folder: Path) -> Settings:
    """Return the settings with the vehicles of each account's `vehicles_file`, a path relative to `folder`.

    What the settings themselves have of a vehicle wins. Where the cloud lists the vehicles, the file only describes
    them. Raises `ConfigError`.
    """
    vehicles, sources = dict[str, Vehicle](), []
    for source in settings.sources:
        if source.vehicles_file:
            rows = read_vehicles(folder / source.vehicles_file)
            vehicles |= rows
            if source.vehicles != "all":
                numbers = tuple(dict.fromkeys((*source.vehicles, *rows)))
                source = msgspec.structs.replace(source, vehicles=numbers)
        sources.append(source)
    return msgspec.structs.replace(settings, sources=tuple(sources), vehicles={**vehicles, **settings.vehicles})


def add_imported_vehicles(settings: Settings) -> Settings:
    """Return the settings with what imports said of their vehicles; what the settings themselves say of one wins.

    Raises `ConfigError`.
    """
    path = settings.data_dir / IMPORTED
    try:
        imported = read_vehicles(path) if path.exists() else {}
    except OSError:  # a data folder of another user, or a name too long: what needs the folder says so itself
        return settings
    merged = {number: _over(settings.vehicles.get(number), vehicle) for number, vehicle in imported.items()}
    return msgspec.structs.replace(settings, vehicles={**settings.vehicles, **merged}) if merged else settings


def _over(own: Vehicle | None, imported: Vehicle) -> Vehicle:
    """The vehicle of the settings; what these leave open is as imported."""
    if own is None:
        return imported
    left_open = [name for name, value in msgspec.structs.asdict(own).items() if value is None]
    return msgspec.structs.replace(own, **{name: getattr(imported, name) for name in left_open})


def read_vehicles(path: Path) -> dict[str, Vehicle]:
    """Return the vehicles of the file by their number, the column `vehicle`; any other column is a key of `[vehicles]`.

    Comma or semicolon, UTF-8; an empty cell is left out. Raises `ConfigError`, which names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    vehicles: dict[str, Vehicle] = {}
    for number, cells in _rows(path, lines, ("vehicle", *Vehicle.__struct_fields__)):
        vehicle = cells.pop("vehicle", "")
        if not vehicle or vehicle in vehicles:
            wrong = f"vehicle {vehicle!r} stands twice" if vehicle else "no vehicle"
            raise ConfigError(f"{path}: line {number}: {wrong}")
        vehicles[vehicle] = _convert(cells, f"{path}: line {number}")
    return vehicles


def _rows(path: Path, lines: list[str], known: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(lines, delimiter=";" if lines and ";" in lines[0] else ",")
    header = [name.strip() for name in next(reader, [])]
    for name in header:
        if name not in known:
            raise UnknownName(f"{path}: unknown column {name!r}{nearest(name, known)}; there are: {', '.join(known)}")
    if "vehicle" not in header or len(set(header)) != len(header):
        raise ConfigError(f"{path}: the first line must name the columns, `vehicle` among them, each once")
    for cells in reader:
        if len(cells) > len(header):
            raise ConfigError(f"{path}: line {reader.line_num}: {len(cells)} cells for {len(header)} columns")
        filled = {name: cell.strip() for name, cell in zip(header, cells, strict=False) if cell.strip()}
        if filled:
            yield reader.line_num, filled


def _convert(cells: Mapping[str, str], where: str) -> Vehicle:
    values = {name: _READ[name](cell) if name in _READ else cell for name, cell in cells.items()}
    try:
        return msgspec.convert(values, Vehicle)
    except msgspec.ValidationError as error:
        text = plain_error(error)
        advice = _ADVICE.get(text.partition(": ")[0], "")
        raise ConfigError(f"{where}: {text}{advice}") from error


def _boolean(cell: str) -> bool | str:
    return BOOLEAN_WORDS.get(cell.lower(), cell)


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


_READ: Mapping[str, Callable[[str], bool | float | str]] = {
    "in_service": _boolean,
    "swappable": _boolean,
    "cadence_s": _number,
}
_ADVICE = {
    "in_service": ": write true or false",
    "swappable": ": write true or false",
    "lock": ": write use or doors",
    "cadence_s": ": write a number of seconds, such as 900",
}
