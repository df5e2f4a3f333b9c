"""The bytes of a row of status in the lake, metadata included: when it is written, and when its day is compacted."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from deltalake import DeltaTable

from logger.decode.messages import decode
from logger.envelope import Batch
from logger.sources import accounts
from logger.stores.lake.lake import Lake
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import envelopes, settings
from tests.benchmarks.status_rows import NoEarlierReceipts

_VEHICLES, _DAYS = 120, 7  # some 290,000 rows
_BATCH = 50_000


def figures(folder: Path) -> list[Figure]:
    """Count the bytes of the same rows when they are written and when every day is compacted."""
    store = Lake(str(folder))
    rows = sum(store.write("status", part) for part in _batches(folder))
    loose = _bytes(folder / "status")
    _compact(store, folder)
    compacted = _bytes(folder / "status")
    assert store.scan("status").select(pl.len()).collect().item() == rows
    return [
        Figure(f"a row of status when written, of {rows:,}", [loose / rows], "bytes", "less"),
        Figure("a row of status compacted, twelve signals", [compacted / rows], "bytes", "less", bar=10),
    ]


def _compact(store: Lake, folder: Path) -> None:
    """Compact every day and delete what is replaced."""
    for day in sorted({file.day for file in store.files("status")}):
        store.compact_day("status", day)
    delta = DeltaTable(str(folder / "status"))
    delta.create_checkpoint()
    delta.vacuum(0, dry_run=False, enforce_retention_duration=False)
    delta.cleanup_metadata()


def _batches(folder: Path) -> Iterator[pl.DataFrame]:
    known = accounts(settings(folder))
    numbered = enumerate((each for each in envelopes(_VEHICLES, _DAYS) if each.path == "status"), 1)
    while part := list(itertools.islice(numbered, _BATCH)):
        batch = Batch([number for number, _ in part], [envelope for _, envelope in part])
        yield decode(batch, known, NoEarlierReceipts()).rows["status"]


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
