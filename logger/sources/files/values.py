"""Cells as values of signals, and which cells are none."""

import re

import polars as pl

from logger.signals import Signal, signal
from logger.sources.files.options import ColumnMapping, Words
from logger.sources.files.units import DEGREES_MINUTES, conversion, written_as
from logger.sources.files.words import booleans, nothing
from logger.tables import column_type

_SPACES = " \t\r\n\u00a0\ufeff\u202f"
_BLANKS = _SPACES + "\"'"


class Cells:
    """Reads cells: `decimal` is the decimal sign of numbers, `words` those that the options add."""

    def __init__(self, decimal: str, words: Words) -> None:
        self._decimal = decimal
        self._nothing, self._booleans = sorted(nothing(words)), booleans(words)

    def text(self, cells: pl.Series) -> pl.Series:
        """Return cells without blanks and quotes at their ends; null for nothing."""
        text = cells.cast(pl.String).str.strip_chars(_BLANKS)
        return text.set(self._is_nothing(text), None)

    def names(self, cells: pl.Series) -> pl.Series:
        """Return names without blanks at their ends; null where there is none. A vehicle may be called `null`."""
        name = cells.cast(pl.String).str.strip_chars(_SPACES)
        if name.str.starts_with('"').any():  # quoted behind a blank, where quotes are characters like any other
            name = name.str.extract(r'^"([^"]*)"$').fill_null(name)
        return name.replace("", None)

    def values(self, cells: pl.Series, mapping: ColumnMapping) -> tuple[pl.Series, pl.Series]:
        """Return the values of a signal, and where a cell holds something that is none."""
        target = signal(mapping.to)
        if target.type in ("bool", "enum") or mapping.words:
            value, lost = self._words(self.text(cells), mapping, target)
        else:
            value, lost = self._numbers(cells, mapping, target)
        return value.cast(column_type(target)).alias(target.name), lost

    def _words(self, text: pl.Series, mapping: ColumnMapping, target: Signal) -> tuple[pl.Series, pl.Series]:
        lower = text.str.to_lowercase()
        if mapping.words:
            lower = lower.replace_strict(mapping.words, default=None, return_dtype=pl.String)
        if target.type != "bool":
            return lower if mapping.words else text, pl.repeat(False, len(text), eager=True)
        value = lower.replace_strict(self._booleans, default=None, return_dtype=pl.Boolean)
        return value, lower.is_not_null() & value.is_null()

    def _numbers(self, cells: pl.Series, mapping: ColumnMapping, target: Signal) -> tuple[pl.Series, pl.Series]:
        unit = mapping.unit or target.unit
        number, lost = self._degrees(cells) if unit == DEGREES_MINUTES else self._parse(cells, unit)
        scale, offset = conversion(target.name, mapping.unit) if mapping.unit else (1.0, 0.0)
        ours = number * scale + offset
        number = (ours if mapping.least is None else ours.zip_with(number >= mapping.least, number)).fill_nan(None)
        return (number.round() if target.type == "int" else number), lost

    def _parse(self, cells: pl.Series, unit: str) -> tuple[pl.Series, pl.Series]:
        """Cells as numbers; those that are no plain number, or have their unit behind them, are looked at again."""
        if not isinstance(cells.dtype, pl.String):
            number = cells.cast(pl.Float64, strict=False)
            return number, cells.is_not_null() & number.is_null()
        number = cells.cast(pl.Float64, strict=False)
        odd = cells.is_not_null() & number.is_null() if self._decimal == "." else cells.is_not_null()
        if not odd.any():
            return number, odd
        text = self.text(cells.filter(odd))
        found = self._odd_numbers(text, unit)
        number = number.scatter(odd.arg_true(), found)
        lost = pl.repeat(False, len(cells), dtype=pl.Boolean, eager=True)
        return number, lost.scatter(odd.arg_true(), text.is_not_null() & found.is_null())

    def _degrees(self, cells: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Degrees and minutes, parted by a blank, as degrees; the sign of the degrees is that of both."""
        text = self.text(cells)
        parts = text.str.replace_all(",", ".", literal=True).str.extract_groups(r"^([+-]?)(\d+)(?: +([\d.]+))?$")
        sign, degrees, minutes = (parts.struct.field(name) for name in ("1", "2", "3"))
        size = degrees.cast(pl.Float64, strict=False) + minutes.fill_null("0").cast(pl.Float64, strict=False) / 60
        number = (-size).zip_with((sign == "-").fill_null(False), size)
        plain = number.fill_null(text.cast(pl.Float64, strict=False))
        return plain, text.is_not_null() & plain.is_null()

    def _odd_numbers(self, text: pl.Series, unit: str) -> pl.Series:
        """Numbers with a decimal comma, signs between thousands, a percent sign, the unit in which they are read."""
        plain = text.str.replace_all(r"[\s\u00a0\u202f'’_]", "").str.strip_suffix("%")
        words = "|".join(re.escape(each) for each in sorted(written_as(unit), key=len, reverse=True) if each)
        plain = plain.str.replace(rf"(?i)(\d)(?:{words})$", "${1}") if words else plain
        thousands = r"^-?\d{1,3}(?:\.\d{3})+(?:,\d+)?$" if self._decimal == "," else r"^-?\d{1,3}(?:,\d{3})+(?:\.\d+)?$"
        is_parted = plain.str.contains(thousands).fill_null(False)
        joined = plain.str.replace_all("." if self._decimal == "," else ",", "", literal=True)
        plain = joined.zip_with(is_parted, plain)
        return plain.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)

    def _is_nothing(self, text: pl.Series) -> pl.Series:
        return text.str.to_lowercase().is_in(self._nothing).fill_null(False)
