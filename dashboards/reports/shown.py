"""Frames with values in the units that are shown, for charts; and titles of axes."""

from collections.abc import Mapping

import polars as pl

from logger.display.formats import Formats


def in_units(rows: pl.DataFrame, unit_of: Mapping[str, str], formats: Formats) -> pl.DataFrame:
    """Return the rows with these columns converted from units of the tables to those that are shown."""
    units = {name: formats.unit(unit) for name, unit in unit_of.items()}
    return rows.with_columns(pl.col(name) * unit.scale + unit.offset for name, unit in units.items())


def axis(name: str, unit: str, formats: Formats) -> str:
    """Return the title of an axis: what it shows, and in which unit."""
    sign = formats.unit(unit).sign
    label = formats.texts(f"column.{name}")
    return f"{label} ({sign})" if sign else label
