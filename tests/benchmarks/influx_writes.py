"""Rows of status a second into InfluxDB, compared with the client's Point objects in its batching mode."""

import time
from contextlib import closing
from datetime import datetime
from typing import Any

import polars as pl
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import WriteOptions
from influxdb_client.domain.write_precision import WritePrecision

from logger.stores.influx.influx import Influx
from tests.benchmarks.figures import Figure, pairs
from tests.helpers.influx_server import Server

_ROUNDS = 3
_SAMPLE = 50_000  # rows written as Points: they are slow, this number is enough
_TAGS = ("provider", "vehicle")
_MS = WritePrecision.MS


def figures(name: str, rows: pl.DataFrame, server: Server, client: Server) -> list[Figure]:
    """Measure all sides in turn, each with a new database; a 1.x is also written to by its own API."""
    sides: dict[str, list[float]] = {"client": [], "points": [], "own": []}
    for _ in range(_ROUNDS):
        sides["client"].append(_write(rows, server, client, "2"))
        sides["points"].append(_write_points(rows[:_SAMPLE], server, client))
        if server.major == "1":
            sides["own"].append(_write(rows, server, server, "1"))
    ratio = Figure("  ÷ Points", pairs(sides["client"], sides["points"]), bar=3, aim=4)
    figures = [
        Figure(f"{name}: {len(rows):,} rows written by the client", sides["client"], "/s", bar=100_000),
        Figure("  the client's Points, batching mode", sides["points"], "/s"),
        ratio,
    ]
    return [*figures, Figure("  by `/write` of 1.x", sides["own"], "/s", bar=100_000)] if sides["own"] else figures


def _write(rows: pl.DataFrame, server: Server, target: Server, version: str) -> float:
    """Return the rows a second of our store, written through `target` with the API of this version."""
    with server.database() as database, closing(Influx(target.settings(database, version))) as store:
        began = time.perf_counter()
        assert store.write("status", rows) == len(rows)
        seconds = time.perf_counter() - began
    return len(rows) / seconds


def _write_points(rows: pl.DataFrame, server: Server, target: Server) -> float:
    """Return the rows a second from dicts, which exist already, until the last batch is written."""
    dicts = rows.with_columns(pl.col(pl.Datetime).exclude("time").dt.epoch("ms")).drop("flags").to_dicts()
    with server.database() as database, InfluxDBClient(target.url, target.token, org=target.org) as client:
        began = time.perf_counter()
        with client.write_api(WriteOptions(batch_size=5_000)) as api:
            for row in dicts:
                api.write(database, target.org, _point(row), _MS)
        seconds = time.perf_counter() - began
        _assert_count(database, server, len(rows))
    return len(rows) / seconds


def _point(row: dict[str, Any]) -> Point:
    point = Point("status")  # type: ignore[no-untyped-call]
    for name, value in row.items():
        if name in _TAGS:
            point.tag(name, value)  # type: ignore[no-untyped-call]
        elif isinstance(value, datetime):
            point.time(value, _MS)  # type: ignore[no-untyped-call]
        elif value is not None:
            point.field(name, float(value) if type(value) is int else value)  # type: ignore[no-untyped-call]
    return point


def _assert_count(database: str, server: Server, count: int) -> None:
    with closing(Influx(server.settings(database))) as store:
        assert sum(n for _, n in store.count("status")) == count
