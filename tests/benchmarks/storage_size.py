"""Bytes that a row of status takes in the lake, metadata included: as it came, and at rest."""

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
from tests.benchmarks.status_rows import NoMemory

_VEHICLES, _DAYS = 120, 7  # some 290,000 rows
_BATCH = 50_000


def figures(folder: Path) -> list[Figure]:
    """The same rows, counted when they are written and again when every day is compacted."""
    store = Lake(str(folder))
    rows = sum(store.write("status", part) for part in _arriving(folder))
    loose = _bytes(folder / "status")
    for day in sorted({file.day for file in store.files("status")}):
        store.compact("status", day)
    delta = DeltaTable(str(folder / "status"))
    delta.create_checkpoint()
    delta.vacuum(0, dry_run=False, enforce_retention_duration=False)
    delta.cleanup_metadata()
    assert store.scan("status").select(pl.len()).collect().item() == rows
    return [
        Figure(f"a row of status as it came, of {rows:,}", [loose / rows], "bytes", "less"),
        Figure("a row of status at rest, twelve signals", [_bytes(folder / "status") / rows], "bytes", "less", bar=10),
    ]


def _arriving(folder: Path) -> Iterator[pl.DataFrame]:
    known = accounts(settings(folder))
    numbered = enumerate((each for each in envelopes(_VEHICLES, _DAYS) if each.path == "status"), 1)
    while part := list(itertools.islice(numbered, _BATCH)):
        batch = Batch([place for place, _ in part], [envelope for _, envelope in part])
        yield decode(batch, known, NoMemory()).rows["status"]


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
