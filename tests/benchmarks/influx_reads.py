"""Rows of status a second out of InfluxDB into polars, the memory for it, and parsing compared with the client's."""

import subprocess
import sys
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler

import msgspec
import polars as pl
from influxdb_client.client.influxdb_client import InfluxDBClient

from logger.settings.schema import InfluxSettings
from logger.stores.influx import influxql
from logger.stores.influx.influx import Influx
from logger.tables import RAW
from tests.benchmarks.figures import Figure, pairs
from tests.helpers.http_server import http_server
from tests.helpers.influx_server import Server
from tests.helpers.process_memory import peak_mib

_ROUNDS = 3
_SAMPLE = 100_000
_STATUS = RAW["status"]
_FLUX = (
    'from(bucket: "tests") |> range(start: 0) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
)
_ANNOTATIONS = {pl.Float64(): "double", pl.Boolean(): "boolean", pl.String(): "string"}


class ReadResult(msgspec.Struct, frozen=True):
    """Rows read, seconds, and the peak memory of the process [MiB]."""

    rows: int
    seconds: float
    peak_mib: float


def figures(name: str, rows: pl.DataFrame, server: Server) -> list[Figure]:
    """Read the columns that a push has, each time by a new process."""
    columns = [each.name for each in rows if each.null_count() < len(rows)]
    with server.database() as database:
        settings = server.settings(database)
        with closing(Influx(settings)) as store:
            store.write("status", rows)
            answer = _answer(store, database, columns)
        results = {reader: [_read(settings, reader, columns) for _ in range(_ROUNDS)] for reader in _READERS}
    assert {each.rows for reads in results.values() for each in reads} == {len(rows)}
    return [*_read_figures(f"{name}: {len(rows):,} rows", results), *_parsing(answer, columns, rows[:_SAMPLE])]


def _read_figures(what: str, results: dict[str, list[ReadResult]]) -> list[Figure]:
    rates = [each.rows / each.seconds for each in results["frame"]]
    frame_mib, stream_mib = ([each.peak_mib for each in results[reader]] for reader in ("frame", "stream"))
    return [
        Figure(f"{what} read into one frame", rates, "/s", bar=250_000, aim=400_000),
        Figure("  their process's memory, at most", frame_mib, "MiB", "less"),
        Figure("  read by a consumer that streams, memory at most", stream_mib, "MiB", "less", bar=400),
    ]


def _read(settings: InfluxSettings, reader: str, columns: list[str]) -> ReadResult:
    command = [sys.executable, "-m", __name__, reader, *columns]
    done = subprocess.run(command, input=msgspec.json.encode(settings), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=ReadResult)


# ---- parsing -------------------------------------------------------------------------------------------------------


def _parsing(answer: bytes, columns: list[str], rows: pl.DataFrame) -> list[Figure]:
    """Parse the same rows as the server's answer to InfluxQL, and as an answer to Flux."""
    ours, theirs = [], []
    content = _annotated_csv(rows.select(columns))
    # A 1.x has no Flux: a server with a fixed answer takes its place. The client's parser is its own.
    with http_server(_FixedAnswer, answer=content) as url, InfluxDBClient(url, "token", org="tests") as client:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            assert influxql.rows_from_csv(_STATUS, columns, answer).height == len(rows)
            ours.append(len(rows) / (time.perf_counter() - began))
            began = time.perf_counter()
            assert len(client.query_api().query_data_frame(_FLUX)) == len(rows)
            theirs.append(len(rows) / (time.perf_counter() - began))
    return [
        Figure(f"an answer of {len(rows):,} rows parsed", ours, "/s"),
        Figure("  by the client's `query_data_frame`, without a server", theirs, "/s"),
        Figure("  ÷ `query_data_frame`", pairs(ours, theirs), bar=10),
    ]


def _answer(store: Influx, database: str, columns: list[str]) -> bytes:
    """Return the server's answer for the first rows, requested as the store does it."""
    fields = [name for name in columns if name not in ("vehicle", "time")]
    statement = influxql.grouped_by_vehicle(
        influxql.select_statement('"status"', fields, " WHERE sequence <= " + str(_SAMPLE))
    )
    return store.client.query_csv(database, statement)


def _annotated_csv(rows: pl.DataFrame) -> bytes:
    """Return the rows as a pivoted answer to Flux, in one table."""
    numbers = pl.col(pl.Int64).cast(pl.Float64)
    stamp = pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    words = pl.col(pl.List(pl.String)).list.join(",")
    flat = rows.with_columns(words, numbers, pl.col(pl.Datetime).exclude("time").dt.epoch("ms").cast(pl.Float64), stamp)
    types = ["dateTime:RFC3339" if each.name == "time" else _ANNOTATIONS[each.dtype] for each in flat]
    head = [["#datatype", "string", "long", *types], ["#group", "false", "false", *["false"] * len(types)],
            ["#default", "_result", *[""] * (len(types) + 1)], ["", "result", "table", *flat.columns]]  # fmt: skip
    lines = flat.select(pl.lit(None).alias(""), pl.lit(None).alias("result"), pl.lit(0).alias("table"), pl.all())
    text = "\n".join(",".join(words) for words in head) + "\n" + lines.write_csv(include_header=False)
    return text.encode()


class _FixedAnswer(BaseHTTPRequestHandler):
    """Answers any query with the same bytes."""

    answer: bytes

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


# ---- the process that reads ----------------------------------------------------------------------------------------


def _read_frame(lazy: pl.LazyFrame) -> int:
    return lazy.collect().height


def _read_stream(lazy: pl.LazyFrame) -> int:
    return sum(part.height for part in lazy.collect_batches())


_READERS = {"frame": _read_frame, "stream": _read_stream}


def main(reader: str, *columns: str) -> None:
    """`python -m tests.benchmarks.influx_reads READER COLUMN …`: read settings, write the result."""
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=InfluxSettings)
    with closing(Influx(settings)) as store:
        began = time.perf_counter()
        rows = _READERS[reader](store.scan("status").select(columns))
        seconds = time.perf_counter() - began
    sys.stdout.buffer.write(msgspec.json.encode(ReadResult(rows, seconds, peak_mib())))


if __name__ == "__main__":
    main(*sys.argv[1:])
