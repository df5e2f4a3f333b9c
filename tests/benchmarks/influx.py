"""InfluxDB: a million rows in and out, and an outage caught up; held against what its own client does."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from tests.benchmarks import influx_outage, influx_reads, influx_writes
from tests.benchmarks.figures import Figure
from tests.benchmarks.status_rows import status
from tests.helpers.influx_server import Server, running_server, v2_adapter


def figures(folder: Path) -> list[Figure]:
    """One server for all: the one that the environment names, or `influxd` on a port of its own."""
    rows = status(folder)
    with running_server() as place, by_client(place) as client:
        with place.http() as http:
            name = f"InfluxDB {http.get('/ping').headers['X-Influxdb-Version'].lstrip('v').partition('~')[0]}"
        return [
            *influx_writes.figures(name, rows, place, client),
            *influx_reads.figures(name, rows, place),
            *influx_outage.figures(name, folder, place),
        ]


@contextmanager
def by_client(place: Server) -> Iterator[Server]:
    """As one to whom `influxdb-client` can write: before a 1.x stands the adapter, in a process of its own."""
    if place.major != "1":
        yield place
        return
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_adapted, args=(place.url, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("enough")
        process.join()


def _adapted(url: str, parent: Connection) -> None:
    with v2_adapter(Server(url, "1")) as place:
        parent.send(place)
        parent.recv()
