"""What really happened to a simulated moped; written to files that nothing but scoring reads, after all results.

Columns are named as in the tables of the analyses where those have them. `energy_wh` is net at the battery's terminals,
from unlocking to locking; `soc_…_pct` is the true charge, not the shown percent.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec import field

from logger.simulator.vehicle.effects import EFFECTS
from logger.simulator.vehicle.traits import Traits

Row = dict[str, Any]
_COUNTS = ("driven_m", "rides", "made", "lost", "late", "repeated", "distinct")
TABLES = ("trips", "packs", "swaps", "charges", "odometer", "events", "dark")


class Truth(msgspec.Struct):
    """One vehicle's story. Rows of `TABLES`, and what became of its pushes."""

    vehicle: str
    traits: Traits
    driven_m: int = 0  # by the odometer, in whole metres since its first reading, pushing by hand included
    rides: int = 0
    made: int = 0
    lost: int = 0  # on the way, without network, or while the collector was away
    late: int = 0
    repeated: int = 0
    distinct: int = 0  # rows that what arrived makes in `status`, `location` and `event`
    heard_at: float = 0.0  # the last moment of which a status tells that arrived: nobody can know of anything later
    trips: list[Row] = field(default_factory=list)
    packs: list[Row] = field(default_factory=list)
    swaps: list[Row] = field(default_factory=list)
    charges: list[Row] = field(default_factory=list)
    odometer: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    dark: list[Row] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """What became of its rides and pushes."""
        return {name: getattr(self, name) for name in _COUNTS}


def write(truths: Iterable[Truth], folder: Path) -> None:
    """One Parquet file a table, and `effects.json`; times become UTC in milliseconds, as in the tables."""
    truths = list(truths)
    folder.mkdir(parents=True, exist_ok=True)
    for table in TABLES:
        rows = [
            {"provider": "segway", "vehicle": truth.vehicle, **row} for truth in truths for row in getattr(truth, table)
        ]
        _write(rows, folder / f"{table}.parquet")
    told = {
        "effects": EFFECTS,
        "vehicles": {
            truth.vehicle: {"traits": truth.traits, "heard_at": truth.heard_at, **truth.counts} for truth in truths
        },
    }
    (folder / "effects.json").write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))


def _write(rows: list[Row], path: Path) -> None:
    import polars as pl  # vehicles are simulated without it

    frame = (
        pl.DataFrame(rows, infer_schema_length=None)
        if rows
        else pl.DataFrame({"vehicle": pl.Series([], dtype=pl.String())})
    )
    times = [name for name in frame.columns if name.endswith("_at")]
    moments = [(pl.col(name) * 1000).cast(pl.Int64()).cast(pl.Datetime("ms", "UTC")) for name in times]
    frame.with_columns(moments).write_parquet(path)
