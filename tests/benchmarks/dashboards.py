"""Queries of all panels over derived tables and daily rollups of a thousand vehicles and a year, in a real InfluxDB."""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from dashboards.catalogue import pages
from dashboards.kit.page import Page
from logger.columns import TYPES, Column
from logger.errors import Retry
from logger.stores.influx.client import InfluxClient
from logger.stores.influx.influx import Influx
from logger.tables import TABLES
from tests.benchmarks.figures import Figure
from tests.dashboards.grafana import Everything, Value, View, expand
from tests.helpers.influx_server import own_server

_VEHICLES, _DAYS, _MONTH_DAYS, _AT_ONCE = 1000, 364, 28, 250
# Rows a vehicle and day, as in the demo; raw tables have what is newest alone
_ROWS: Mapping[str, int] = {
    "states": 32, "trips": 4, "consumption_by": 5, "standby": 2, "episodes": 2, "consumption": 1, "coverage": 1,
    "charges": 1, "status_1d": 1, "battery_1d": 1, "pack_1d": 1,
}  # fmt: skip
_NEWEST = ("vehicles", "status", "location", "battery", "pack", "body", "forecast", "event", "intake")
_LIMITS = "max-series-per-database = 0\nmax-values-per-tag = 0\n"
_MEDIAN_S, _MOST_S = 0.3, 1.0
_ATTEMPTS = 10


def figures(folder: Path) -> list[Figure]:
    """Measure every query in the range that its dashboard opens with, and in the year."""
    until = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as data, own_server(Path(data), _LIMITS) as server, server.database() as name:
        settings = server.settings(name)
        with closing(Influx(settings)) as store:
            rows = _fill(store, until)
        with closing(InfluxClient(settings)) as client:
            opened = _seconds(client, name, until, 0)
            year = _seconds(client, name, until, _DAYS)
    _print_slowest("as they open", opened)
    _print_slowest("over the year", year)
    values, of_year = [seconds for seconds, _ in opened], [seconds for seconds, _ in year]
    return [
        Figure(f"dashboards: {len(opened)} queries, {rows:,} rows", values, "s", "less", bar=_MEDIAN_S),
        Figure("  the slowest of them", [max(values)], "s", "less", bar=_MOST_S),
        Figure("  the same over the whole year", of_year, "s", "less"),
        Figure("  the slowest of them", [max(of_year)], "s", "less"),
    ]


def _seconds(client: InfluxClient, database: str, until: datetime, days: int) -> list[tuple[float, str]]:
    """Return how long each query takes, with what it is, each after a first run that fills the server's caches."""
    found = []
    for page in pages().values():
        view = _view(page, until, days)
        for panel in page.panels:
            for query in dict.fromkeys(panel.queries):
                text = expand(query.text, view)
                runs = []
                for _ in range(2):
                    began = time.perf_counter()
                    client.query_series(database, text)
                    runs.append(time.perf_counter() - began)
                found.append((min(runs), f"{page.title}: {panel.title}: {query.text[:90]}"))
    return found


def _view(page: Page, until: datetime, days: int) -> View:
    length, unit = int(page.since[4:-1]), {"d": 1.0, "h": 1 / 24}[page.since[-1]]
    vehicles = [_vehicle(number) for number in range(_VEHICLES)]
    chosen: Value = vehicles[7] if page.of == "vehicle" else vehicles
    values: dict[str, Value | Everything] = {"vehicle": chosen, "low": "20", "provider": Everything(".*")}
    values |= {"model": Everything("[^\\t]*"), "group": Everything("[^\\t]*")}
    return View(until - timedelta(days=days or length * unit), until, values)


def _print_slowest(what: str, seconds: Sequence[tuple[float, str]]) -> None:
    median = statistics.median(each for each, _ in seconds)
    print(f"ten slowest queries {what} (median {median:.3f} s):", file=sys.stderr)
    for each, text in sorted(seconds, reverse=True)[:10]:
        print(f"  {each:6.3f} s  {text}", file=sys.stderr)


# ---- rows ----------------------------------------------------------------------------------------------------------


def _fill(store: Influx, until: datetime) -> int:
    """Write rows for every vehicle, month by month, so that the server works on few files at once; return how many."""
    written = 0
    for month in range(_DAYS // _MONTH_DAYS):
        end = until - timedelta(days=month * _MONTH_DAYS)
        for first in range(0, _VEHICLES, _AT_ONCE):
            vehicles = [_vehicle(number) for number in range(first, min(first + _AT_ONCE, _VEHICLES))]
            for table, a_day in _ROWS.items():
                written += _write(store, table, vehicles, end, _MONTH_DAYS * a_day, timedelta(days=1) / a_day)
            if month == 0:
                for table in _NEWEST:
                    written += _write(store, table, vehicles, until, 24, timedelta(hours=1))
        print(f"{written:,} rows written", file=sys.stderr)
    models = ["E-moped", "E-moped with two packs", "Estate"]
    written += _write(store, "calibration", models, until, 12 * 40, timedelta(hours=18))
    return written + _write(store, "collector", ["none"], until, _DAYS * 1440, timedelta(minutes=1))


def _write(store: Influx, table: str, vehicles: Sequence[str], until: datetime, count: int, every: timedelta) -> int:
    """Write rows, and again where the server is too slow to say that it has."""
    rows = _rows(table, vehicles, until, count, every)
    for _ in range(_ATTEMPTS):
        try:
            return store.write(table, rows)
        except Retry as error:
            time.sleep(error.after)
    return store.write(table, rows)


def _rows(table: str, vehicles: Sequence[str], until: datetime, count: int, every: timedelta) -> pl.DataFrame:
    """So many rows of each vehicle, in all columns that a query names; values differ from row to row."""
    moments = pl.DataFrame({"row": range(count)}).with_columns(time=pl.lit(until) - pl.col("row") * every)
    frame = pl.DataFrame({"vehicle": list(vehicles)}).join(moments, how="cross").with_row_index("at")
    named = _named()
    columns = [
        _values(column).alias(column.name)
        for column in TABLES[table].described
        if column.name not in ("vehicle", "time", "provider")
        and (column.key or column.name in {*named, TABLES[table].always})
    ]
    filled = frame.with_columns(pl.lit("segway").alias("provider"), pl.col("time").dt.cast_time_unit("ms"), *columns)
    schema = TABLES[table].schema
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in filled.columns]
    return filled.with_columns(missing).select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def _values(column: Column) -> pl.Expr:
    number = pl.col("at").cast(pl.Int64) * 7919 % 1009
    if column.type == "time":
        return pl.col("time").dt.offset_by("20m")
    if column.type == "bool":
        return number % 2 == 0
    if column.type == "words":
        return pl.lit([], dtype=pl.List(pl.String))
    if column.type in ("text", "enum"):
        words = list(column.words) or [f"{column.name} {each}" for each in range(5)]
        return pl.lit(pl.Series(words)).gather(number % len(words))
    return (number % 97).cast(TYPES[column.type])


def _named() -> set[str]:
    return {name for page in pages().values() for panel in page.panels for name in _names(panel.queries)}


def _names(queries: Sequence[object]) -> Iterator[str]:
    for query in queries:
        yield from re.findall(r'"(\w+)"', getattr(query, "text", ""))


def _vehicle(number: int) -> str:
    return f"{860_000_000_000_000 + number}"
