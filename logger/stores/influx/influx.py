"""InfluxDB as a store: rows are written as line protocol and read by InfluxQL, in the same columns as the lake's."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

import polars as pl
from polars.io.plugins import register_io_source

from logger import tables
from logger.errors import Retry
from logger.settings.schema import InfluxSettings
from logger.stores.influx import influxql
from logger.stores.influx.client import BatchRefused, InfluxClient, bucket_name
from logger.stores.influx.influxql import ALL_TIME, RETRACTED, TimeRange
from logger.stores.influx.line_protocol import EMPTY_SUFFIX, encode_lines, escape_tag, tag_columns
from logger.stores.influx.menu import with_menu
from logger.tables import Table

BATCH_ROWS, BATCH_BYTES = 20_000, 8 << 20  # measured: 5,000 or 50,000 rows at once cost the server more each
WINDOW_ROWS = 120_000  # of one query: some 17 MB of CSV; with 200,000 a million rows take 490 MiB, not 380
LONG_POLICY = "long"  # the retention policy of tables that are kept longer than the raw ones
_PARALLEL = 2  # queries or writes: one is encoded or decoded here while the server works at another
_WINDOW_LENGTHS = ((timedelta(days=1), "1d"), (timedelta(hours=1), "1h"), (timedelta(minutes=1), "1m"))
_MS = timedelta(milliseconds=1)
RefusalHandler = Callable[[Table, pl.DataFrame, str], None]


def _raise_refusal(table: Table, row: pl.DataFrame, reason: str) -> None:
    subject = f"{table.name} of {row['vehicle'][0]:.60} at {row['time'][0]}"
    raise Retry(f"InfluxDB refuses a row of {subject}: {reason}", after=10)


class Influx:
    """The tables in one database or bucket. Raises `Retry` and `LoginNeeded` as `InfluxClient` does.

    `on_refused` is called with each row that the server will never take and the server's reason, perhaps by two threads
    at once; without it such a row raises `Retry`.
    """

    name = "influx"

    def __init__(
        self, settings: InfluxSettings, on_refused: RefusalHandler = _raise_refusal, window_rows: int = WINDOW_ROWS
    ) -> None:
        self.client = InfluxClient(settings)
        self._settings, self._on_refused, self._window_rows = settings, on_refused, window_rows

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    # ---- write -----------------------------------------------------------------------------------------------------

    def write(self, table_name: str, rows: pl.DataFrame) -> int:
        """Write rows and return how many the server took; rows of one key are merged field by field, in their order.

        Rows of a table that only the lake has are left out.
        """
        table = tables.table(table_name)
        return 0 if table.lake_only else self._write(table, rows, "")

    def replace(
        self,
        table_name: str,
        rows: pl.DataFrame | Iterator[pl.DataFrame],
        vehicles: Sequence[str] | None,
        since: datetime,
        until: datetime,
    ) -> None:
        """Remove the rows of these vehicles (None: all) in this span, then write `rows`.

        This takes several requests: where it fails between two, it must be repeated.
        """
        table, span, extra_fields = tables.table(table_name), (since, until), ""
        if self.client.version == "3":
            self._retract(table, vehicles, span)
            extra_fields = f"{RETRACTED}=false,"
        elif self.client.version == "1":
            condition = influxql.where_clause(span, vehicles)
            self.client.query_series(self._settings.bucket, f"DELETE FROM {influxql.identifier(table_name)}{condition}")
        else:
            self._delete(table, vehicles, span)
        for frame in [rows] if isinstance(rows, pl.DataFrame) else rows:
            self._write(table, frame, extra_fields)

    def _write(self, table: Table, rows: pl.DataFrame, extra_fields: str) -> int:
        """Write rows ordered by vehicle, which costs the server less; many rows over two connections."""
        ordered = rows.sort("vehicle", "time", maintain_order=True)
        if rows.height <= BATCH_ROWS:
            return self._write_batches(table, ordered, extra_fields)
        with ThreadPoolExecutor(_PARALLEL) as threads:
            return sum(threads.map(lambda half: self._write_batches(table, half, extra_fields), _halves(ordered)))

    def _write_batches(self, table: Table, rows: pl.DataFrame, extra_fields: str) -> int:
        written = 0
        for part in rows.iter_slices(BATCH_ROWS):
            lines = encode_lines(*with_menu(table, part), extra_fields)
            if lines.null_count():
                part, lines = part.filter(lines.is_not_null()), lines.drop_nulls()
            batch = (lines.str.len_bytes().cum_sum() // BATCH_BYTES).to_frame("batch").with_row_index()
            for _, numbered in batch.group_by("batch", maintain_order=True):
                first, end = numbered["index"][0], numbered["index"][-1] + 1
                written += self.write_batch(table, part[first:end], lines[first:end])
        return written

    def write_batch(self, table: Table, rows: pl.DataFrame, lines: pl.Series) -> int:
        """Write rows as these lines, and return how many were written.

        A batch that the server refuses is halved until the faulty line is alone, whose row goes to `on_refused`.
        """
        if not len(lines):
            return 0
        try:
            self.client.write(self._settings.bucket, self._policy(table), lines.str.join("\n").item().encode())
        except BatchRefused as error:
            if len(lines) == 1:
                self._on_refused(table, rows, str(error))
                return 0
            middle = len(lines) // 2
            written = self.write_batch(table, rows[:middle], lines[:middle])
            return written + self.write_batch(table, rows[middle:], lines[middle:])
        return len(lines)

    def _delete(self, table: Table, vehicles: Sequence[str] | None, span: TimeRange) -> None:
        """Delete from 2.x, by tag and time, one vehicle at a time: its predicates have no OR."""
        params = {"org": self._settings.org, "bucket": bucket_name(self._settings.bucket, self._policy(table))}
        start, stop = (moment.isoformat().replace("+00:00", "Z") for moment in (span[0], span[1] - _MS))
        for vehicle in vehicles if vehicles is not None else (None,):
            predicate = f'_measurement="{table.name}"'
            if vehicle is not None:
                predicate += f' AND vehicle="{_predicate_value(vehicle)}"'
            body = {"start": start, "stop": stop, "predicate": predicate}
            self.client.call_api("POST", "/api/v2/delete", params=params, json=body)

    def _retract(self, table: Table, vehicles: Sequence[str] | None, span: TimeRange) -> None:
        """Mark rows as retracted in 3.x, which cannot delete; a row that is written again loses its mark."""
        for rows in self._read_windows(table, table.key, span, vehicles):
            retracted = rows.with_columns(pl.lit(True).alias(RETRACTED))
            self.write_batch(table, retracted, encode_lines(_retraction_table(table), retracted))

    # ---- read ------------------------------------------------------------------------------------------------------

    def scan(
        self,
        table_name: str,
        since: datetime | None = None,
        until: datetime | None = None,
        vehicles: Sequence[str] | None = None,
    ) -> pl.LazyFrame:
        """Return one row per key of these vehicles from `since` up to, but without, `until`, in no particular order.

        Rows are read in windows of time, and only the columns that the query uses.
        """
        table, span = tables.table(table_name), (since or ALL_TIME[0], until or ALL_TIME[1])

        def source(
            columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            left = n_rows
            for window in self._read_windows(table, columns or list(table.columns), span, vehicles):
                rows = window.head(left) if left is not None else window
                left = left - rows.height if left is not None else None
                yield rows.filter(predicate) if predicate is not None else rows
                if left == 0:
                    return

        return register_io_source(source, schema=table.schema)

    def latest(self, table_name: str, column: str = "time") -> pl.DataFrame:
        """Return the newest row, by `time`, of each vehicle (each key without its time) whose `column` is not null."""
        table = tables.table(table_name)
        statement = influxql.newest_statement(self._source(table), column)
        rows = [
            {**series["tags"], **dict(zip(series["columns"], series["values"][0], strict=True))}
            for series in self.client.query_series(self._settings.bucket, statement)
        ]
        if not rows:
            return pl.DataFrame(schema=table.schema)
        schema = {name: influxql.csv_type(table, name) for name in table.columns}
        return influxql.typed_rows(table, tuple(table.columns), pl.DataFrame(rows, schema=schema, strict=False))

    def count(
        self, table_name: str, span: TimeRange = ALL_TIME, vehicles: Sequence[str] | None = None
    ) -> list[tuple[datetime, int]]:
        """Return the beginning of each UTC day that has rows, and their number."""
        return self._count_rows(tables.table(table_name), span, vehicles, "1d")

    def _count_rows(
        self, table: Table, span: TimeRange, vehicles: Sequence[str] | None, every: str
    ) -> list[tuple[datetime, int]]:
        """Return the beginning of each interval that has rows, and their number without those that are retracted."""
        counts = dict(self._count_column(table, span, vehicles, every, table.always, ""))
        if self.client.version == "3":
            retracted = f'"{RETRACTED}" = true'
            for at, count in self._count_column(table, span, vehicles, every, RETRACTED, retracted):
                counts[at] = counts.get(at, 0) - count
        return [(at, count) for at, count in sorted(counts.items()) if count > 0]

    def _count_column(
        self, table: Table, span: TimeRange, vehicles: Sequence[str] | None, every: str, column: str, more: str
    ) -> list[tuple[datetime, int]]:
        condition = influxql.where_clause(span, vehicles, more)
        statement = influxql.count_statement(self._source(table), column, condition, every)
        return influxql.counts_from_csv(self.client.query_csv(self._settings.bucket, statement))

    def _read_windows(
        self, table: Table, columns: Sequence[str], span: TimeRange, vehicles: Sequence[str] | None
    ) -> Iterator[pl.DataFrame]:
        """Yield the rows of a span window by window; the next ones are read meanwhile."""
        selected = self._selected_columns(table, columns)
        with ThreadPoolExecutor(_PARALLEL) as threads:
            pending: deque[Future[pl.DataFrame]] = deque()
            for window, count in self._windows(table, span, vehicles, _WINDOW_LENGTHS):
                pending.append(threads.submit(self._read_window, table, columns, selected, window, vehicles, count))
                if len(pending) > _PARALLEL:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def _windows(
        self, table: Table, span: TimeRange, vehicles: Sequence[str] | None, lengths: Sequence[tuple[timedelta, str]]
    ) -> Iterator[tuple[TimeRange, int]]:
        """Yield windows of a bounded number of rows, each with that number; a day that holds more is cut finer."""
        (length, every), *finer = lengths
        counts = self._count_rows(table, span, vehicles, every)
        for (begin, end), count in influxql.merged_windows(counts, length, self._window_rows):
            window = max(begin, span[0]), min(end, span[1])
            if count > self._window_rows and finer:
                yield from self._windows(table, window, vehicles, finer)
            else:
                yield window, count

    def _read_window(
        self,
        table: Table,
        columns: Sequence[str],
        selected: Sequence[str],
        window: TimeRange,
        vehicles: Sequence[str] | None,
        count: int,
    ) -> pl.DataFrame:
        """Return these columns of a window's rows. Raises `Retry` where fewer than `count` rows come."""
        statement = influxql.select_statement(self._source(table), selected, influxql.where_clause(window, vehicles))
        if "vehicle" not in selected:
            statement = influxql.grouped_by_vehicle(statement)
        rows = influxql.rows_from_csv(table, columns, self.client.query_csv(self._settings.bucket, statement))
        if rows.height < count:
            text = f"InfluxDB at {self.client.url} broke off: {rows.height:,} of {count:,} rows of {table.name} came"
            raise Retry(text, after=2)
        return rows

    def _selected_columns(self, table: Table, columns: Sequence[str]) -> list[str]:
        """Return what a query for these columns must select: those that any row has, and helper fields.

        A query for tags alone has no answer, and one for some fields leaves out rows without them, so `always` is
        among them. `NAME_is_empty` distinguishes an empty text from null.
        """
        series = self.client.query_series(self._settings.bucket, f"SHOW FIELD KEYS FROM {self._source(table)}")
        existing = {row[0] for each in series for row in each["values"]} | set(tag_columns(table))
        if self.client.version != "3":
            existing.remove("vehicle")  # `grouped_by_vehicle` returns it
        wanted = [table.always, *columns, *(f"{column}{EMPTY_SUFFIX}" for column in columns), RETRACTED]
        return [column for column in dict.fromkeys(wanted) if column in existing]

    # ---- where a table is ------------------------------------------------------------------------------------------

    def _policy(self, table: Table) -> str:
        """Return the retention policy of a table: derived tables are kept longer than raw ones that have an end."""
        return LONG_POLICY if self._settings.retention_days and not table.raw else ""

    def _source(self, table: Table) -> str:
        policy, name = self._policy(table), influxql.identifier(table.name)
        return f"{influxql.identifier(policy)}.{name}" if policy else name


def _halves(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows sorted by vehicle in two, no vehicle in both: each vehicle's rows are then written in their order."""
    middle = rows["vehicle"].search_sorted(rows["vehicle"][rows.height // 2], "left")
    return rows[:middle], rows[middle:]


def _retraction_table(table: Table) -> Table:
    """Return the table with nothing but its key and the mark of retracted rows."""
    key = {column: table.columns[column] for column in table.key}
    return Table(table.name, table.key, {**key, RETRACTED: pl.Boolean()}, RETRACTED)


def _predicate_value(vehicle: str) -> str:
    return escape_tag(vehicle).replace('"', '\\"')
