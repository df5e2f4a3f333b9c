"""The order in which people expect names: `Moped 2` before `Moped 10`."""

import polars as pl

_DIGITS = 20  # longer numbers are ordered by their last digits


def natural(name: str) -> pl.Expr:
    """Return what to sort by for the texts of this column: numbers in them count as numbers."""
    padded = pl.col(name).str.replace_all(r"(\d+)", "0" * _DIGITS + "${1}")
    return padded.str.replace_all(rf"\d*(\d{{{_DIGITS}}})", "${1}")
