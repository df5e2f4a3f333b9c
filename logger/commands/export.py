"""`voltrail export`: rows of a table as CSV, Parquet, newline-delimited JSON or a spreadsheet, as they are stored."""

import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

from logger import tables
from logger.atomic import atomic_file
from logger.errors import ConfigError
from logger.stores.lake.lake import Lake

FORMATS = ("csv", "parquet", "ndjson", "xlsx")
_SHEET_ROWS = 1_048_575  # the most that a sheet holds below its header
_ISO_8601 = "%Y-%m-%dT%H:%M:%S%.3fZ"


def export_table(
    lake: Lake,
    table: str,
    form: str,
    out: Path | BinaryIO,
    since: datetime | None,
    until: datetime | None,
    vehicles: Sequence[str] | None,
) -> None:
    """Write a table's rows in the order of its key. Raises `ConfigError` as `export_rows`, and for unknown names."""
    if form not in FORMATS:
        raise ConfigError(f"--format {form!r} is none of {', '.join(FORMATS)}")
    key = tables.table(table).key
    export_rows(lake.scan(table, since, until, vehicles).sort(key), form, out)


def export_rows(rows: pl.LazyFrame, form: str, out: Path | BinaryIO) -> None:
    """Write these rows; a file gets its name only when it is complete. A device or a pipe is written as it is.

    Raises `ConfigError` for more rows than a sheet holds, or a folder that cannot be written.
    """
    _write_whole(lambda file: _write_rows(rows, form, file), out)


def write_bytes(data: bytes, out: Path | BinaryIO) -> None:
    """Write these bytes in the same way. Raises `ConfigError`."""
    _write_whole(lambda file: file.write(data), out)


def _write_whole(write: Callable[[BinaryIO], object], out: Path | BinaryIO) -> None:
    if not isinstance(out, Path):
        write(out)
        return
    try:
        with _open_output(out) as file:
            write(file)
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror or error}") from error


def _open_output(out: Path) -> AbstractContextManager[BinaryIO]:
    """Open a device or a pipe to write to it, else a file that takes the place of `out`, or of what this links to."""
    if out.exists() and not out.is_file():
        return out.open("wb")
    return atomic_file(Path(os.path.realpath(out)))


def _write_rows(rows: pl.LazyFrame, form: str, file: BinaryIO) -> None:
    if form == "parquet":
        rows.sink_parquet(file, compression="zstd")
    elif form == "ndjson":
        as_text(rows, join_lists=False).sink_ndjson(file)
    elif form == "csv":
        as_text(rows, join_lists=True).sink_csv(file)
    else:
        _write_sheet(as_text(rows, join_lists=True).collect(), file)


def _write_sheet(frame: pl.DataFrame, file: BinaryIO) -> None:
    if frame.height > _SHEET_ROWS:
        raise ConfigError(f"{frame.height:,} rows do not fit a sheet ({_SHEET_ROWS:,}): narrow --since and --until")
    options = {"strings_to_formulas": False, "strings_to_urls": False}  # a vehicle may be called "=1+1"
    with xlsxwriter.Workbook(file, options) as workbook:
        frame.write_excel(workbook, autofit=frame.height < 10_000)


def as_text(rows: pl.LazyFrame, *, join_lists: bool) -> pl.LazyFrame:
    """Return the rows with times in ISO 8601, bytes as text or base64, and lists joined by commas if `join_lists`."""
    columns: list[pl.Expr] = []
    for name, dtype in rows.collect_schema().items():
        if isinstance(dtype, pl.Datetime):
            columns.append(pl.col(name).dt.strftime(_ISO_8601))
        elif dtype == pl.Binary:
            columns.append(pl.col(name).map_batches(_texts, return_dtype=pl.String(), is_elementwise=True))
        elif join_lists and isinstance(dtype, pl.List):
            columns.append(pl.col(name).list.join(","))
    return rows.with_columns(columns)


def _texts(bodies: pl.Series) -> pl.Series:
    """Bytes as text, as base64 where they are no UTF-8: a cast fails for all where one is not."""
    return pl.Series(bodies.name, map(_text, bodies), dtype=pl.String)


def _text(body: bytes | None) -> str | None:
    try:
        return None if body is None else body.decode()
    except UnicodeDecodeError:
        return b64encode(body or b"").decode()
