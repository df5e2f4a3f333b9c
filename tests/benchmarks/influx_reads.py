"""Rows of status a second out of InfluxDB into polars, the memory that takes, and parsing beside the client's."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import msgspec
import polars as pl
from influxdb_client.client.influxdb_client import InfluxDBClient

from logger.settings.schema import InfluxSettings
from logger.stores.influx import influxql
from logger.stores.influx.influx import Influx
from logger.tables import RAW
from tests.benchmarks.figures import Figure, pairs
from tests.helpers.influx_server import Server
from tests.helpers.process_memory import peak_mib

_ROUNDS = 3
_SAMPLE = 100_000
_STATUS = RAW["status"]
_FLUX = (
    'from(bucket: "tests") |> range(start: 0) |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
)
_ANNOTATIONS = {pl.Float64(): "double", pl.Boolean(): "boolean", pl.String(): "string"}


class Read(msgspec.Struct, frozen=True):
    """What came of reading: rows, seconds, and the most memory that the process ever held [MiB]."""

    rows: int
    seconds: float
    peak_mib: float


def figures(name: str, rows: pl.DataFrame, place: Server) -> list[Figure]:
    """Each time by a new process, of the columns that a push tells."""
    told = [each.name for each in rows if each.null_count() < len(rows)]
    with place.database() as database:
        with closing(Influx(place.settings(database))) as store:
            store.write("status", rows)
            answer = _answer(store, database, told, rows)
        found = {how: [_read(place.settings(database), how, told) for _ in range(_ROUNDS)] for how in _HOW}
    assert {each.rows for reads in found.values() for each in reads} == {len(rows)}
    return [
        Figure(
            f"{name}: {len(rows):,} rows read into one frame",
            [each.rows / each.seconds for each in found["frame"]], "/s", bar=250_000, aim=400_000,
        ),
        Figure("  their process's memory, at most", [each.peak_mib for each in found["frame"]], "MiB", "less"),
        Figure(
            "  read by a consumer that streams, memory at most",
            [each.peak_mib for each in found["stream"]], "MiB", "less", bar=400,
        ),
        *_parsing(answer, told, rows[:_SAMPLE]),
    ]  # fmt: skip


def _read(settings: InfluxSettings, how: str, columns: list[str]) -> Read:
    words = [sys.executable, "-m", __name__, how, *columns]
    done = subprocess.run(words, input=msgspec.json.encode(settings), stdout=subprocess.PIPE, check=True)
    return msgspec.json.decode(done.stdout, type=Read)


# ---- parsing -------------------------------------------------------------------------------------------------------


def _parsing(answer: bytes, told: list[str], rows: pl.DataFrame) -> list[Figure]:
    """The same rows: as the server answers InfluxQL, and as it would answer Flux."""
    ours, theirs = [], []
    with _answering(_annotated(rows.select(told))) as url, InfluxDBClient(url, "token", org="tests") as client:
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            assert influxql.rows(_STATUS, told, answer).height == len(rows)
            ours.append(len(rows) / (time.perf_counter() - began))
            began = time.perf_counter()
            assert len(client.query_api().query_data_frame(_FLUX)) == len(rows)
            theirs.append(len(rows) / (time.perf_counter() - began))
    return [
        Figure(f"an answer of {len(rows):,} rows parsed", ours, "/s"),
        Figure("  by the client's `query_data_frame`, without a server", theirs, "/s"),
        Figure("  ÷ `query_data_frame`", pairs(ours, theirs), bar=10),
    ]


def _answer(store: Influx, database: str, told: list[str], rows: pl.DataFrame) -> bytes:
    """What the server says to a question for the first rows, in the way that the store asks."""
    fields = [name for name in told if name not in ("vehicle", "time")]
    statement = influxql.by_vehicle(influxql.select('"status"', fields, " WHERE sequence <= " + str(_SAMPLE)))
    return store.server.table(database, statement)


def _annotated(rows: pl.DataFrame) -> bytes:
    """Rows as a pivoted answer to Flux, in one table."""
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


class _Answering(BaseHTTPRequestHandler):
    answer: ClassVar[bytes]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """A server that says this to any question, since a 1.x knows no Flux; the client's parser is its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (_Answering,), {"answer": answer})) as served:
        thread = threading.Thread(target=served.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{served.server_address[1]}"
        served.shutdown()
        thread.join()


# ---- the process that reads ----------------------------------------------------------------------------------------


def _frame(lazy: pl.LazyFrame) -> int:
    return lazy.collect().height


def _stream(lazy: pl.LazyFrame) -> int:
    return sum(part.height for part in lazy.collect_batches())


_HOW = {"frame": _frame, "stream": _stream}


def main(how: str, *columns: str) -> None:
    """`python -m tests.benchmarks.influx_reads HOW COLUMN …`: settings in, what came of it out."""
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=InfluxSettings)
    with closing(Influx(settings)) as store:
        began = time.perf_counter()
        rows = _HOW[how](store.scan("status").select(columns))
        seconds = time.perf_counter() - began
    sys.stdout.buffer.write(msgspec.json.encode(Read(rows, seconds, peak_mib())))


if __name__ == "__main__":
    main(*sys.argv[1:])
