"""A fleet's list of vehicles as a CSV file: one vehicle a line, its number and its label, model and so on."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from logger.errors import ConfigError, UnknownName
from logger.signals import BOOLEAN_WORDS
from logger.suggest import nearest

Row = TypeVar("Row", bound=msgspec.Struct)


def read_vehicles(path: Path, kind: type[Row]) -> dict[str, Row]:
    """Return the vehicles of the file by their number, the column `vehicle`; any other column is a field of `kind`.

    Comma or semicolon, UTF-8; an empty cell is left out. Raises `ConfigError`, which names file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    vehicles: dict[str, Row] = {}
    for number, cells in _rows(path, lines, ("vehicle", *kind.__struct_fields__)):
        vehicle = cells.pop("vehicle", "")
        if not vehicle or vehicle in vehicles:
            wrong = f"vehicle {vehicle!r} stands twice" if vehicle else "no vehicle"
            raise ConfigError(f"{path}: line {number}: {wrong}")
        vehicles[vehicle] = _convert(cells, kind, f"{path}: line {number}")
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


def _convert(cells: Mapping[str, str], kind: type[Row], place: str) -> Row:
    values: dict[str, str | bool] = dict(cells)
    if "in_service" in cells:
        values["in_service"] = BOOLEAN_WORDS.get(cells["in_service"].lower(), cells["in_service"])
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{place}: {error}: write true or false") from error
