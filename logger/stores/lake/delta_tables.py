"""The Delta tables of a lake: open them, create them, list their files, and put commits on disk."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import msgspec
import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from logger.atomic import fsync
from logger.errors import LoggerError, Retry
from logger.stores.lake.data_files import DataFile, list_files
from logger.stores.lake.delta import (
    empty_table,
    error_text,
    missing_columns,
    partition_column,
    table_configuration,
)
from logger.tables import table

_SYNCS = 8  # side by side


class DeltaTables:
    """The tables below one folder or URL, each opened once. Raises `Retry` where the disk or the object store fails."""

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/")
        self._open: dict[str, DeltaTable] = {}
        self._complete: set[str] = set()  # tables that have every column of `logger.tables`
        self._files: dict[str, tuple[int, list[DataFile]]] = {}  # by table: a version and its files

    @contextmanager
    def errors_as_retry(self, name: str) -> Iterator[None]:
        """Raise `Retry` for any error of deltalake, polars or the disk while this table is used."""
        try:
            yield
        except LoggerError:
            raise
        except Exception as error:  # the three libraries have error trees of their own
            self._open.pop(name, None)  # what it has read of the table may be out of date
            raise Retry(f"the lake at {self.path}: table {name}: {error_text(error)}", after=1) from error

    def find(self, name: str) -> DeltaTable | None:
        """Return the table as of its last commit, whichever process wrote that; None where it does not exist."""
        with self.errors_as_retry(name):
            try:
                delta = self._delta_table(name)
            except TableNotFoundError:
                return None
            delta.update_incremental()
            return delta

    def ensure(self, name: str) -> DeltaTable:
        """Return the table, created where it is missing, with columns added that an earlier version did not have."""
        with self.errors_as_retry(name):
            if name not in self._open:
                self._create(name)
            delta = self._delta_table(name)
            if name not in self._complete:
                if missing := missing_columns(delta, name):
                    delta.alter.add_columns(missing)
                    self.sync(name, delta.version())
                self._complete.add(name)
            return delta

    def files(self, name: str) -> Sequence[DataFile]:
        """Return the table's data files as of now, oldest day first; none where it does not exist."""
        delta = self.find(name)
        if delta is None:
            return []
        with self.errors_as_retry(name):
            version, files = self._files.get(name, (-1, []))
            if version != delta.version():
                actions = pl.DataFrame(delta.get_add_actions(flatten=True))
                files = list_files(actions, self._uri(name), partition_column(name))
                self._files[name] = delta.version(), files
            return files

    def sync(self, name: str, version: int) -> None:
        """Write the commit of this version through to disk: deltalake does not, and the spool deletes what is settled.

        An object store answers a write only when it is safe.
        """
        if "://" in self.path:
            return
        folder = Path(self._uri(name))
        entry = folder / "_delta_log" / f"{version:020d}.json"
        actions = map(msgspec.json.decode, entry.read_bytes().splitlines())
        added = [folder / action["add"]["path"] for action in actions if "add" in action]
        with ThreadPoolExecutor(_SYNCS) as pool:  # a disk writes many through in little more time than one
            for paths in (added, [entry], [*{file.parent for file in added}, entry.parent, folder, folder.parent]):
                list(pool.map(fsync, paths))

    def _delta_table(self, name: str) -> DeltaTable:
        if name not in self._open:
            self._open[name] = DeltaTable(self._uri(name))
        return self._open[name]

    def _create(self, name: str) -> None:
        uri = self._uri(name)
        if "://" not in uri:
            Path(uri).mkdir(parents=True, exist_ok=True)
        delta = DeltaTable.create(
            uri,
            empty_table(name).schema,
            mode="ignore",
            partition_by=[partition_column(name)],
            name=name,
            configuration=table_configuration(name),
        )
        if delta.version() == 0:  # it may be new; a table that has rows was synced with them
            self.sync(name, 0)

    def _uri(self, name: str) -> str:
        return f"{self.path}/{table(name).name}"
