"""What analyses found of a vehicle's battery: its stints, its latest figure by each method, and the verdict."""

from collections.abc import Sequence

import msgspec
import polars as pl

from logger.commands.certify.certificate import Row, Verdict
from logger.commands.export import as_text
from logger.stores.lake.lake import Lake
from logger.tables import TABLES

_NO_ROW = (
    "no method tells what this battery holds: that takes charges whose energy is measured, or trips of known charge, a"
    " model (`[vehicles] model`), and readings of power from vehicles of this model"
)


def read_figures(lake: Lake, table_name: str, provider: str, vehicle: str) -> list[Row]:
    """Return this vehicle's rows of a derived table in the order of the key, without what is null."""
    rows = lake.scan(table_name, None, None, [vehicle]).filter(pl.col("provider") == provider)
    return _plain(rows, table_name)


def read_model_figures(lake: Lake, provider: str, model: str, health: Sequence[Row]) -> list[Row]:
    """Return what is known of the model in the months of these rows of `battery_health`: rows of `calibration`."""
    months = sorted({str(row["time"])[:7] for row in health})
    of_model = (pl.col("provider") == provider) & (pl.col("model") == model)
    rows = lake.scan("calibration").filter(of_model & pl.col("time").dt.strftime("%Y-%m").is_in(months))
    return _plain(rows, "calibration")


def _plain(rows: pl.LazyFrame, table_name: str) -> list[Row]:
    text = as_text(rows.sort(TABLES[table_name].key), join_lists=False).drop("provider", "vehicle").collect()
    return [{name: value for name, value in row.items() if value is not None} for row in text.iter_rows(named=True)]


def latest(rows: Sequence[Row]) -> list[Row]:
    """Return the latest of these rows of `battery_health` for each port and method."""
    found = {(row.get("port"), row["method"]): row for row in sorted(rows, key=lambda row: str(row["time"]))}
    return list(found.values())


def verdict(rows: Sequence[Row]) -> Verdict:
    """Return the latest verdict of these rows of `battery_health`, or why there is none."""
    newest = [row for row in latest(rows) if row["method"] == "verdict"]
    if not newest:
        return Verdict("insufficient", _NO_ROW)
    row = max(newest, key=lambda row: str(row["time"]))
    return msgspec.convert({name: row[name] for name in Verdict.__struct_fields__ if name in row}, Verdict)
