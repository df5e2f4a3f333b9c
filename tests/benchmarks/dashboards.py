"""Queries of all panels over derived tables and daily rollups of a thousand vehicles and a year, in a real InfluxDB."""

import os
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import msgspec
import polars as pl

from dashboards.build import stored_page
from dashboards.catalogue import pages
from dashboards.kit.page import Page
from logger.columns import TYPES, Column, Table
from logger.errors import Retry
from logger.settings.schema import InfluxSettings, Settings, Sinks
from logger.stores.influx.buckets import create_missing
from logger.stores.influx.client import InfluxClient
from logger.stores.influx.influx import BATCH_ROWS, Influx
from logger.stores.influx.line_protocol import encode_lines
from logger.stores.influx.menu import with_menu
from logger.tables import TABLES
from tests.benchmarks.figures import Figure
from tests.dashboards.grafana import Everything, Value, View, expand
from tests.helpers.influx_server import own_server

_VEHICLES, _DAYS, _MONTH_DAYS = 1000, 364, 28
# Rows a vehicle and day, as in the demo; raw tables have what is newest alone
_ROWS: Mapping[str, float] = {
    "states": 32, "trips": 4, "consumption_by": 5, "standby": 2, "episodes": 2, "consumption": 1, "coverage": 1,
    "charges": 1, "states_1d": 1, "status_1d": 1, "battery_1d": 1, "pack_1d": 1, "battery_health": 1, "stints": 0.25,
}  # fmt: skip
_NEWEST = ("vehicles", "status", "location", "battery", "pack", "body", "forecast", "event", "intake")
_WORDS = {"port": 2, "code": 4}  # how many a vehicle has of these
_ONE_OF = 100  # episodes lasts
_OF_MENU = ("label", "plate", "group", "model")
# One snapshot a shard, so that the server has little to put together while it is filled
_LIMITS = """max-series-per-database = 0
max-values-per-tag = 0
cache-max-memory-size = "4g"
cache-snapshot-memory-size = "400m"
cache-snapshot-write-cold-duration = "20s"
"""
_MEDIAN_S, _MOST_S = 0.3, 1.0
_ATTEMPTS = 10
_RUNS = 3  # of a query; the first fills the caches of the server, which now and then frees memory in another


def figures(folder: Path) -> list[Figure]:
    """Measure every query in the range that its dashboard opens with, and in the year."""
    until = datetime.now(UTC).replace(microsecond=0)
    with tempfile.TemporaryDirectory() as data, own_server(Path(data), _LIMITS) as server:
        settings = server.settings("bench")
        with closing(InfluxClient(settings)) as client, closing(Influx(settings)) as store:
            create_missing(client, settings)
            rows = fill(store, until)
            assert server.process is not None
            server_id = server.process.process_id
            opened = times(client, settings, server_id, until, 0)
            year = times(client, settings, server_id, until, _DAYS)
    _print_slowest("as they open", opened)
    _print_slowest("over the year", year)
    name = f"dashboards: {len(opened)} queries, {rows:,} rows"
    return [*_figures(name, opened, _MEDIAN_S, _MOST_S), *_figures("dashboards: the same over the whole year", year)]


class Time(msgspec.Struct, frozen=True, order=True):
    """How long a query took, and how long the server computed for it on all cores [s]."""

    seconds: float
    computing_s: float
    query: str


def _figures(name: str, found: Sequence[Time], median: float = 0, most: float = 0) -> list[Figure]:
    values, computing = [each.seconds for each in found], [each.computing_s for each in found]
    return [
        Figure(name, values, "s", "less", bar=median),
        Figure("  the slowest of them", [max(values)], "s", "less", bar=most),
        Figure("  of the server's cores, one of them", computing, "s", "less"),
    ]


def times(client: InfluxClient, settings: InfluxSettings, server_id: int, until: datetime, days: int) -> list[Time]:
    """Return how long each query takes, the shortest of its runs.

    The queries are those of `voltrail dashboards build` with settings that name the server, as `deploy/` does.
    """
    found, built = [], Settings(sinks=Sinks(influx=msgspec.structs.replace(settings, version="1")))
    for page in (stored_page(each, built) for each in pages().values()):
        view = _view(page, until, days)
        for panel in page.panels:
            for query in dict.fromkeys(panel.queries):
                text = expand(query.text, view)
                what = f"{page.title}: {panel.title}: {query.text[:90]}"
                found.append(min(_time(client, settings.bucket, text, server_id, what) for _ in range(_RUNS)))
    return found


def _time(client: InfluxClient, database: str, text: str, server_id: int, what: str) -> Time:
    computed, began = _computed_s(server_id), time.perf_counter()
    client.query_series(database, text)
    return Time(time.perf_counter() - began, _computed_s(server_id) - computed, what)


def _computed_s(process_id: int) -> float:
    """How long a process has computed so far, by the kernel's clock of 10 ms."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _view(page: Page, until: datetime, days: int) -> View:
    length, unit = int(page.since[4:-1]), {"d": 1.0, "h": 1 / 24}[page.since[-1]]
    vehicles = [_vehicle(number) for number in range(_VEHICLES)]
    chosen: Value = vehicles[7] if page.of == "vehicle" else vehicles
    values: dict[str, Value | Everything] = {"vehicle": chosen, "low": "20", "provider": Everything(".*")}
    values |= {"model": Everything("[^\\t]*"), "group": Everything("[^\\t]*")}
    return View(until - timedelta(days=days or length * unit), until, values)


def _print_slowest(what: str, found: Sequence[Time]) -> None:
    print(f"ten slowest queries {what}, of the server's cores, in all:", file=sys.stderr)
    for each in sorted(found, reverse=True)[:10]:
        print(f"  {each.computing_s:6.2f} s {each.seconds:6.2f} s  {each.query}", file=sys.stderr)


# ---- rows ----------------------------------------------------------------------------------------------------------


def fill(store: Influx, until: datetime) -> int:
    """Write rows for every vehicle, month by month, so that the server works on few files at once; return how many."""
    written, vehicles = 0, [_vehicle(number) for number in range(_VEHICLES)]
    for month in range(_DAYS // _MONTH_DAYS):
        end = until - timedelta(days=month * _MONTH_DAYS)
        for name, a_day in _ROWS.items():
            written += _write(store, name, vehicles, end, round(_MONTH_DAYS * a_day), timedelta(days=1) / a_day)
        print(f"{written:,} rows written", file=sys.stderr)
    for name in _NEWEST:
        written += _write(store, name, vehicles, until, 24, timedelta(hours=1))
    models = ["E-moped", "E-moped with two packs", "Estate"]
    written += _write(store, "calibration", models, until, 12 * 40, timedelta(hours=18))
    return written + _write(store, "collector", ["none"], until, _DAYS * 1440, timedelta(minutes=1))


def _write(store: Influx, name: str, vehicles: Sequence[str], until: datetime, count: int, every: timedelta) -> int:
    """Write rows of a table, so many vehicles at once as make a batch; again where the server is slow to answer."""
    table, written = _asked_table(name), 0
    at_once = max(1, BATCH_ROWS // count)
    for first in range(0, len(vehicles), at_once):
        rows = _rows(table, vehicles[first : first + at_once], until, count, every)
        lines = encode_lines(*with_menu(table, rows))
        for _ in range(_ATTEMPTS):
            try:
                written += store.write_batch(table, rows, lines)
                break
            except Retry as error:
                time.sleep(error.after)
    return written


def _asked_table(name: str) -> Table:
    """The table with the columns of its key and those that a query of it names."""
    table, named = TABLES[name], _columns_by_table()[name]
    needed = {*table.key, *named, table.always, *(_OF_MENU if name == "vehicles" else ())}
    columns = {column: dtype for column, dtype in table.columns.items() if column in needed}
    return msgspec.structs.replace(table, columns=columns)


def _rows(table: Table, vehicles: Sequence[str], until: datetime, count: int, every: timedelta) -> pl.DataFrame:
    """So many rows of each vehicle, whose values differ from row to row."""
    moments = pl.DataFrame({"row": range(count)}).with_columns(time=pl.lit(until) - pl.col("row") * every)
    frame = pl.DataFrame({"vehicle": list(vehicles)}).join(moments.reverse(), how="cross").with_row_index("at")
    own = [each for each in table.described if each.name not in ("vehicle", "time", "provider")]
    columns = [
        _values(column).cast(table.columns[column.name]).alias(column.name)
        for column in own
        if column.name in table.columns
    ]
    made = frame.with_columns(pl.lit("segway").alias("provider"), pl.col("time").dt.cast_time_unit("ms"), *columns)
    if table.name != "charges":
        return made
    return made.with_columns(pl.when(pl.col("kind") == "swap").then("port"))  # a charge by cable has none


def _values(column: Column) -> pl.Expr:
    number = pl.col("at").cast(pl.Int64) * 7919 % 1009
    if column.type == "time":
        return pl.col("time").dt.offset_by("20m")
    if column.type == "bool":
        return number % (_ONE_OF if column.name == "open" else 2) == 0
    if column.type == "words":
        return pl.lit([], dtype=pl.List(pl.String))
    if column.type in ("text", "enum"):
        words = list(column.words) or [f"{column.name} {each}" for each in range(_WORDS.get(column.name, 5))]
        return pl.lit(pl.Series(words)).gather(number % len(words))
    return (number % 97).cast(TYPES[column.type])


@cache
def _columns_by_table() -> Mapping[str, set[str]]:
    """What the queries of all panels name, by the table that they read."""
    named: dict[str, set[str]] = defaultdict(set)
    for page in pages().values():
        for query in (query for panel in page.panels for query in panel.queries):
            (table,) = re.findall(r'FROM "(\w+)"', query.text)
            named[table] |= set(re.findall(r'"(\w+)"', query.text))
    return named


def _vehicle(number: int) -> str:
    return f"{860_000_000_000_000 + number}"
