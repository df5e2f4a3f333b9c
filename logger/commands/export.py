"""Rows of a table as a file: CSV, Parquet, newline-delimited JSON, or a spreadsheet."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

from logger.atomic import atomic_file
from logger.errors import ConfigError

FORMATS = ("csv", "parquet", "ndjson", "xlsx")
_SHEET_ROWS = 1_048_575  # what a sheet holds below its header
_ISO = "%Y-%m-%dT%H:%M:%S%.3fZ"


def export_rows(rows: pl.LazyFrame, form: str, out: Path | BinaryIO) -> None:
    """Write these rows; a file appears under its name only once it is whole.

    Raises `ConfigError` for more rows than a sheet holds, or a folder that cannot be written.
    """
    _whole(lambda file: _write(rows, form, file), out)


def write_bytes(data: bytes, out: Path | BinaryIO) -> None:
    """Write these bytes in the same way. Raises `ConfigError`."""
    _whole(lambda file: file.write(data), out)


def _whole(write: Callable[[BinaryIO], object], out: Path | BinaryIO) -> None:
    if not isinstance(out, Path):
        write(out)
        return
    try:
        with atomic_file(out) as file:
            write(file)
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror or error}") from error


def _write(rows: pl.LazyFrame, form: str, file: BinaryIO) -> None:
    if form == "parquet":
        rows.sink_parquet(file, compression="zstd")
    elif form == "ndjson":
        _readable(rows, join_lists=False).sink_ndjson(file)
    elif form == "csv":
        _readable(rows, join_lists=True).sink_csv(file)
    else:
        _write_sheet(_readable(rows, join_lists=True).collect(), file)


def _write_sheet(frame: pl.DataFrame, file: BinaryIO) -> None:
    if frame.height > _SHEET_ROWS:
        raise ConfigError(f"{frame.height:,} rows do not fit a sheet ({_SHEET_ROWS:,}): narrow --since and --until")
    as_they_are = {"strings_to_formulas": False, "strings_to_urls": False}  # a vehicle may be called "=1+1"
    with xlsxwriter.Workbook(file, as_they_are) as book:
        frame.write_excel(book, autofit=frame.height < 10_000)


def _readable(rows: pl.LazyFrame, *, join_lists: bool) -> pl.LazyFrame:
    """Times in ISO 8601, bytes as text or base64, lists joined by commas where a format has no lists."""
    made: list[pl.Expr] = []
    for name, dtype in rows.collect_schema().items():
        if isinstance(dtype, pl.Datetime):
            made.append(pl.col(name).dt.strftime(_ISO))
        elif dtype == pl.Binary:
            text = pl.col(name).cast(pl.String, strict=False)
            made.append(pl.coalesce(text, pl.col(name).bin.encode("base64")).alias(name))
        elif join_lists and isinstance(dtype, pl.List):
            made.append(pl.col(name).list.join(","))
    return rows.with_columns(made)
