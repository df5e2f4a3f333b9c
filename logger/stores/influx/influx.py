"""InfluxDB as a store: rows in as line protocol, out by InfluxQL, in the same columns as the lake's."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import polars as pl
from polars.io.plugins import register_io_source

from logger.errors import Retry
from logger.settings.schema import InfluxSettings
from logger.stores.influx import influxql
from logger.stores.influx.client import BatchRefused, InfluxClient
from logger.stores.influx.influxql import ALWAYS, RETRACTED, Span
from logger.stores.influx.line_protocol import EMPTY, encode_lines, escape, tags
from logger.tables import Table, table

log = logging.getLogger(__name__)

BATCH_ROWS, BATCH_BYTES = 20_000, 8 << 20  # measured: 5,000 or 50,000 rows at once cost the server more each
WINDOW_ROWS = 120_000  # of one question: some 17 MB of CSV; with 200,000 a million rows take 490 MiB, not 380
_AT_ONCE = 2  # questions or writes: one is made or read while the other is with the server, which may use two cores
_STRETCHES = ((timedelta(days=1), "1d"), (timedelta(hours=1), "1h"), (timedelta(minutes=1), "1m"))
_MS = timedelta(milliseconds=1)
LONG = "long"  # the retention policy of what outlives the raw rows
Refuse = Callable[[Table, pl.DataFrame, str], None]


def _alarm(table: Table, row: pl.DataFrame, words: str) -> None:
    which = f"{table.name} of {row['vehicle'][0]:.60} at {row['time'][0]}"
    raise Retry(f"InfluxDB refuses a row of {which}: {words}", after=10)


class Influx:
    """The tables in one database or bucket. Raises `Retry` and `LoginNeeded`, see `server`.

    `refuse` is told of each row that the server will never take, with the server's words, perhaps by two threads at
    once; without it that is a `Retry`.
    """

    name = "influx"

    def __init__(self, settings: InfluxSettings, refuse: Refuse = _alarm, window_rows: int = WINDOW_ROWS) -> None:
        self.server = InfluxClient(settings)
        self._settings, self._refuse, self._window_rows = settings, refuse, window_rows

    def close(self) -> None:
        """Let go of the connections."""
        self.server.close()

    # ---- write -----------------------------------------------------------------------------------------------------

    def write(self, table_name: str, rows: pl.DataFrame) -> int:
        """Write these rows, those of one key in their order; they merge field by field. Returns how many were taken.

        Rows of a table that only the lake has are left out.
        """
        shape = table(table_name)
        return 0 if shape.lake_only else self._write(shape, rows, "")

    def replace(
        self,
        table_name: str,
        rows: pl.DataFrame | Iterator[pl.DataFrame],
        vehicles: Sequence[str] | None,
        since: datetime,
        until: datetime,
    ) -> None:
        """Remove what the table holds of these vehicles (None: all) in this span, then write these rows.

        Not in one step: where it breaks off, it must be done again.
        """
        shape, more = table(table_name), ""
        if self.server.version == "3":
            self._retract(shape, vehicles, (since, until))
            more = f"{RETRACTED}=false,"
        elif self.server.version == "1":
            where = influxql.where((since, until), vehicles)
            self.server.series(self._settings.bucket, f"DELETE FROM {influxql.name(table_name)}{where}")
        else:
            self._delete(shape, vehicles, (since, until))
        for frame in [rows] if isinstance(rows, pl.DataFrame) else rows:
            self._write(shape, frame, more)

    def _write(self, shape: Table, rows: pl.DataFrame, more: str) -> int:
        """A vehicle's rows together, which costs the server less, and many of them over two connections."""
        ordered = rows.sort("vehicle", "time", maintain_order=True)
        if rows.height <= BATCH_ROWS:
            return self._in_batches(shape, ordered, more)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            return sum(threads.map(lambda half: self._in_batches(shape, half, more), _halves(ordered)))

    def _in_batches(self, shape: Table, rows: pl.DataFrame, more: str) -> int:
        taken = 0
        for part in rows.iter_slices(BATCH_ROWS):
            made = encode_lines(shape, part, more)
            if made.null_count():
                part, made = part.filter(made.is_not_null()), made.drop_nulls()
            sizes = made.str.len_bytes().cum_sum() // BATCH_BYTES
            for (_,), places in sizes.to_frame("batch").with_row_index().group_by("batch", maintain_order=True):
                low, high = places["index"][0], places["index"][-1] + 1
                taken += self.post(shape, part[low:high], made[low:high])
        return taken

    def post(self, shape: Table, rows: pl.DataFrame, made: pl.Series) -> int:
        """Write a batch; where the server does not take it, halve it until the line that it refuses stands alone."""
        if not len(made):
            return 0
        try:
            self.server.write(self._settings.bucket, self._policy(shape), made.str.join("\n").item().encode())
        except BatchRefused as error:
            if len(made) == 1:
                self._refuse(shape, rows, str(error))
                return 0
            middle = len(made) // 2
            low = self.post(shape, rows[:middle], made[:middle])
            return low + self.post(shape, rows[middle:], made[middle:])
        return len(made)

    def _delete(self, shape: Table, vehicles: Sequence[str] | None, span: Span) -> None:
        """2.x deletes by tag and time, one vehicle at a time: its predicates know no OR."""
        words = {"org": self._settings.org, "bucket": self._bucket(shape)}
        start, stop = (moment.isoformat().replace("+00:00", "Z") for moment in (span[0], span[1] - _MS))
        for vehicle in vehicles if vehicles is not None else (None,):
            predicate = f'_measurement="{shape.name}"'
            if vehicle is not None:
                predicate += f' AND vehicle="{_predicate_word(vehicle)}"'
            body = {"start": start, "stop": stop, "predicate": predicate}
            self.server.call("POST", "/api/v2/delete", params=words, json=body)

    def _retract(self, shape: Table, vehicles: Sequence[str] | None, span: Span) -> None:
        """3.x cannot delete: what is there is marked, and what is written again loses its mark."""
        for there in self._windows(shape, shape.key, span, vehicles):
            mark = there.with_columns(pl.lit(True).alias(RETRACTED))
            self.post(shape, mark, encode_lines(_marks(shape), mark))

    # ---- read ------------------------------------------------------------------------------------------------------

    def scan(
        self,
        table_name: str,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """One row per key, in the columns of the table, in no particular order; read in windows, columns as used."""
        shape, span = table(table_name), (since or ALWAYS[0], until or ALWAYS[1])

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = n_rows
            for part in self._windows(shape, columns or list(shape.columns), span, vehicles):
                chosen = part.head(left) if left is not None else part
                left = left - chosen.height if left is not None else None
                yield chosen.filter(predicate) if predicate is not None else chosen
                if left == 0:
                    return

        return register_io_source(source, schema=shape.schema)

    def latest(self, table_name: str, told: str = "time") -> pl.DataFrame:
        """The newest row of each vehicle (each key but its time), by `time`; with `told`, of those that tell it."""
        shape = table(table_name)
        statement = influxql.newest(self._source(shape), told)
        found = [
            {**series["tags"], **dict(zip(series["columns"], series["values"][0], strict=True))}
            for series in self.server.series(self._settings.bucket, statement)
        ]
        if not found:
            return pl.DataFrame(schema=shape.schema)
        schema = {column: influxql.wire_type(shape, column) for column in shape.columns}
        return influxql.typed(shape, tuple(shape.columns), pl.DataFrame(found, schema=schema, strict=False))

    def count(
        self, table_name: str, span: Span = ALWAYS, vehicles: Sequence[str] | None = None
    ) -> list[tuple[datetime, int]]:
        """How many rows each UTC day holds."""
        return self._counted(table(table_name), span, vehicles, "1d")

    def _counted(
        self, shape: Table, span: Span, vehicles: Sequence[str] | None, every: str
    ) -> list[tuple[datetime, int]]:
        found = dict(self._count(shape, span, vehicles, every, shape.always, ""))
        if self.server.version == "3":
            for at, n in self._count(shape, span, vehicles, every, RETRACTED, f'"{RETRACTED}" = true'):
                found[at] = found.get(at, 0) - n
        return [(at, n) for at, n in sorted(found.items()) if n > 0]

    def _count(
        self, shape: Table, span: Span, vehicles: Sequence[str] | None, every: str, column: str, more: str
    ) -> list[tuple[datetime, int]]:
        where = influxql.where(span, vehicles, more)
        statement = influxql.count(self._source(shape), column, where, every)
        return influxql.counts(self.server.table(self._settings.bucket, statement))

    def _windows(
        self, shape: Table, columns: Sequence[str], span: Span, vehicles: Sequence[str] | None
    ) -> Iterator[pl.DataFrame]:
        asked = self._asked(shape, columns)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            under_way: deque[Future[pl.DataFrame]] = deque()
            for window, expected in self._spans(shape, span, vehicles, _STRETCHES):
                under_way.append(threads.submit(self._window, shape, columns, asked, window, vehicles, expected))
                if len(under_way) > _AT_ONCE:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()

    def _spans(
        self, shape: Table, span: Span, vehicles: Sequence[str] | None, stretches: Sequence[tuple[timedelta, str]]
    ) -> Iterator[tuple[Span, int]]:
        """The span in windows of bounded rows, each with its count; a day that holds more is cut finer."""
        (length, every), *finer = stretches
        counted = self._counted(shape, span, vehicles, every)
        for (begin, end), n in influxql.windows(counted, length, self._window_rows):
            window = max(begin, span[0]), min(end, span[1])
            if n > self._window_rows and finer:
                yield from self._spans(shape, window, vehicles, finer)
            else:
                yield window, n

    def _window(
        self,
        shape: Table,
        columns: Sequence[str],
        asked: Sequence[str],
        span: Span,
        vehicles: Sequence[str] | None,
        expected: int,
    ) -> pl.DataFrame:
        statement = influxql.select(self._source(shape), asked, influxql.where(span, vehicles))
        if "vehicle" not in asked:
            statement = influxql.by_vehicle(statement)
        found = influxql.rows(shape, columns, self.server.table(self._settings.bucket, statement))
        if found.height < expected:
            raise Retry(
                f"InfluxDB at {self.server.url} broke off: {found.height:,} of {expected:,} rows of {shape.name} came",
                after=2,
            )
        return found

    def _asked(self, shape: Table, columns: Sequence[str]) -> list[str]:
        """What to ask for: of these columns those that any row has, and what tells an empty text or an end from none.

        A question for tags alone has no answer, one for some fields leaves out rows without them: `always` goes along.
        """
        series = self.server.series(self._settings.bucket, f"SHOW FIELD KEYS FROM {self._source(shape)}")
        there = {row[0] for each in series for row in each["values"]} | set(tags(shape))
        if self.server.version != "3":
            there.remove("vehicle")  # comes by itself, see `query.by_vehicle`
        wanted = [shape.always, *columns, *(f"{column}{EMPTY}" for column in columns), RETRACTED]
        return [column for column in dict.fromkeys(wanted) if column in there]

    # ---- where a table is ------------------------------------------------------------------------------------------

    def _policy(self, shape: Table) -> str:
        """Raw rows are where the settings say; what is made of them outlives them, if they have an end."""
        return LONG if self._settings.retention_days and not shape.raw else ""

    def _bucket(self, shape: Table) -> str:
        policy = self._policy(shape)
        return f"{self._settings.bucket}/{policy}" if policy else self._settings.bucket

    def _source(self, shape: Table) -> str:
        policy = self._policy(shape)
        return f"{influxql.name(policy)}.{influxql.name(shape.name)}" if policy else influxql.name(shape.name)


def _halves(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows sorted by vehicle in two parts, no vehicle in both: so whatever the halves do, its rows keep their order."""
    middle = rows["vehicle"].search_sorted(rows["vehicle"][rows.height // 2], "left")
    return rows[:middle], rows[middle:]


def _marks(shape: Table) -> Table:
    """The table as one that has nothing but its key and the mark of what no longer holds."""
    key = {column: shape.columns[column] for column in shape.key}
    return Table(shape.name, shape.key, {**key, RETRACTED: pl.Boolean()}, RETRACTED)


def _predicate_word(vehicle: str) -> str:
    return escape(vehicle).replace('"', '\\"')
