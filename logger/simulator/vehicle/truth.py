"""The true history of a simulated moped, written to files that are read only for scoring, after all results.

Columns have the names of the analyses' tables where those have them. `energy_wh` is net at the battery's terminals,
from unlocking to locking; `soc_…_pct` is the true charge, not the shown percent.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import field

from logger.simulator.vehicle.effects import EFFECTS
from logger.simulator.vehicle.specification import Specification

Record = dict[str, Any]
TABLES = ("trips", "packs", "swaps", "charges", "odometer", "events", "offline")


class Truth(msgspec.Struct):
    """One vehicle's true history: the records of `TABLES`, and what became of its pushes."""

    vehicle: str
    specification: Specification
    driven_m: int = 0  # by the odometer, in whole metres since its first reading, pushing by hand included
    generated: int = 0  # pushes
    lost: int = 0  # pushes lost by chance, without network, or while the collector was away
    delayed: int = 0
    repeated: int = 0
    distinct_rows: int = 0  # rows of `status`, `location` and `event` that the pushes which arrive make
    last_status_at: float = 0.0  # the moment of the last status that arrives: nothing later can be known from pushes
    trips: list[Record] = field(default_factory=list)
    packs: list[Record] = field(default_factory=list)
    swaps: list[Record] = field(default_factory=list)
    charges: list[Record] = field(default_factory=list)
    odometer: list[Record] = field(default_factory=list)
    events: list[Record] = field(default_factory=list)
    offline: list[Record] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """The distance driven [m], the number of trips, and what became of the pushes."""
        names = ("generated", "lost", "delayed", "repeated", "distinct_rows")
        pushes = {name: getattr(self, name) for name in names}
        return {"driven_m": self.driven_m, "trips": len(self.trips), **pushes}


def write_truth(truths: Iterable[Truth], folder: Path, provider: str = "segway") -> None:
    """Write one Parquet file a table, and `effects.json`; times become UTC in milliseconds, as in the lake.

    Call it when the simulation has ended and all results of the analyses are written.
    """
    truths = list(truths)
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        rows = [
            {"provider": provider, "vehicle": truth.vehicle, **row} for truth in truths for row in getattr(truth, table)
        ]
        _write_table(rows, folder / f"{table}.parquet")
    vehicles = {truth.vehicle: _summary(truth) for truth in truths}
    content = msgspec.json.encode({"effects": EFFECTS, "vehicles": vehicles})
    (folder / "effects.json").write_bytes(msgspec.json.format(content, indent=1))


def _summary(truth: Truth) -> Record:
    return {"specification": truth.specification, "last_status_at": truth.last_status_at, **truth.counts}


def _write_table(rows: list[Record], path: Path) -> None:
    import polars as pl  # vehicles are simulated without it

    frame = (
        pl.DataFrame(rows, infer_schema_length=None)
        if rows
        else pl.DataFrame({"vehicle": pl.Series([], dtype=pl.String())})
    )
    times = [name for name in frame.columns if name.endswith("_at")]
    moments = [(pl.col(name) * 1000).cast(pl.Int64()).cast(pl.Datetime("ms", "UTC")) for name in times]
    frame.with_columns(moments).write_parquet(path)
