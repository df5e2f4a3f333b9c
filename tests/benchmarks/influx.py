"""InfluxDB: a million rows written and read, and an outage caught up, compared with InfluxDB's own client."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from tests.benchmarks import influx_outage, influx_reads, influx_writes
from tests.benchmarks.figures import Figure
from tests.benchmarks.status_rows import status_rows
from tests.helpers.influx_server import Server, running_server, v2_adapter


def figures(folder: Path) -> list[Figure]:
    """Measure all with one server: the one that the environment names, or `influxd` on a port of its own."""
    rows = status_rows(folder)
    with running_server() as server, server_for_client(server) as client:
        with server.http() as http:
            name = f"InfluxDB {http.get('/ping').headers['X-Influxdb-Version'].lstrip('v').partition('~')[0]}"
        return [
            *influx_writes.figures(name, rows, server, client),
            *influx_reads.figures(name, rows, server),
            *influx_outage.figures(name, folder, server),
        ]


@contextmanager
def server_for_client(server: Server) -> Iterator[Server]:
    """A server to which `influxdb-client` can write: for a 1.x the adapter, in a process of its own."""
    if server.major != "1":
        yield server
        return
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run_adapter, args=(server.url, theirs))
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("end")
        process.join()


def _run_adapter(url: str, parent: Connection) -> None:
    with v2_adapter(Server(url, "1")) as server:
        parent.send(server)
        parent.recv()
