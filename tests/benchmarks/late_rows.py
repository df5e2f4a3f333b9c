"""One late row in an analysed lake of a thousand vehicles and a year: how soon the derived rows are right again."""

import cProfile
import pstats
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, write_deltalake

from analytics.engine.jobs import Wish, analyze
from logger.settings.schema import Settings
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.lake.data_files import files_by_day, is_compact_day
from logger.stores.lake.delta import arrow_stream, compact_writer
from logger.stores.lake.lake import Lake
from logger.tables import DERIVED, shaped, table
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import BEGIN_S, settings
from tests.benchmarks.status_rows import copy_to_vehicles, simulated_rows, with_sequence

_SIMULATED, _COPIES = 25, 40
_DAYS, _DENSE_DAYS = 365, 12  # the last days are dense: they have all messages of a moped
_ROWS_A_DAY = 4  # of a vehicle on each of the other days
_TABLES = ("status", "location", "event")
_EARLIER = timedelta(days=35)  # so that a month ends within the dense days, and its figures hold for the next
_DENSE_FROM = datetime.fromtimestamp(BEGIN_S, UTC) - _EARLIER
_LATE_DAYS = (8, 8, 9, 9, 10, 10)  # of the dense ones: each has a late row, the analysis of the last one is profiled
_POLL_S, _RIDING_W = 60, 720.0
_LATE = timedelta(hours=2)
_PARTS = {  # functions of `analytics/engine/jobs.py`, added and subtracted; a part is left out where one is not there
    "changed rows and how far they reach": (("__init__", "_state", "_reaching_back"), ()),
    "rows read and derived rows computed": (("_group",), ("_commit_all",)),
    "figures of models and packs": (("_make_health",), ()),
    "forecasts": (("_forecast",), ()),
    "compared with the old rows, committed": (("_commit_all",), ()),
}


def figures(folder: Path) -> list[Figure]:
    """Measure the first analysis of everything; then late rows, each in a lake that is compacted and analysed."""
    ours = settings(folder)
    store, late = _make_lake(ours, folder)
    rows = sum(file.rows for file in store.files("status"))
    first_s = _analyze_s(ours)
    for name in filter(store.files, DERIVED):
        _compact(store, name)
    assert store.files("trips")
    assert store.files("calibration")
    late_s = [_late_row_s(ours, store, late[number : number + 1]) for number in range(late.height - 1)]
    what = f"a lake of 1,000 vehicles and {_DAYS} days"
    return [
        Figure(f"{what}: analysed at first, rows of status", [rows / first_s], "/s"),
        Figure(f"{what}: one late row analysed", late_s, "s", "less", bar=1),
        *_profile(ours, store, late[-1:]),
    ]


# ---- the lake ------------------------------------------------------------------------------------------------------


def _make_lake(ours: Settings, folder: Path) -> tuple[Lake, pl.DataFrame]:
    """Return a compacted lake, and the rows of status that it does not have yet."""
    spool = open_spool(ours)
    store = open_lake(ours, spool.log_id)
    spool.close()
    late = pl.DataFrame()
    for name, simulated in simulated_rows(folder, _SIMULATED, _DENSE_DAYS, _TABLES).items():
        rows = _earlier(copy_to_vehicles(simulated, _SIMULATED, _COPIES))
        if name == "status":
            late = _late_rows(rows)
            store.write("vehicles", with_sequence(_vehicles(rows), "vehicles"))
            store.write("battery", with_sequence(_battery(rows), "battery"))
            _compact(store, "battery")
            rows = pl.concat([_sparse(rows), rows.join(late, on=table(name).key, how="anti")])
        store.write(name, with_sequence(rows, name))
        _compact(store, name)
    return store, late


def _vehicles(dense: pl.DataFrame) -> pl.DataFrame:
    """Return vehicles of one model, so that a late row can change the figures of the fleet."""
    names = dense.select("provider", "vehicle").unique().sort("provider", "vehicle")
    at = pl.lit(_DENSE_FROM).cast(dense.schema["time"])
    return shaped(names.with_columns(time=at, received_at=at, via=pl.lit("import"), model=pl.lit("moped")), "vehicles")


def _earlier(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("time", "received_at") - _EARLIER)


def _battery(dense: pl.DataFrame) -> pl.DataFrame:
    """Return an answer a minute of each unlocked vehicle, from which the capacity of its packs can be estimated."""
    rows = dense.filter(~pl.col("locked")).select("provider", "vehicle", "time", "received_at", "speed_kmh")
    minute = pl.col("time").dt.truncate(f"{_POLL_S}s")
    polled = rows.group_by("provider", "vehicle", minute.alias("minute"), maintain_order=True).first().drop("minute")
    power = pl.when(pl.col("speed_kmh") > 0).then(-_RIDING_W).otherwise(-20.0)
    return shaped(polled.with_columns(power.alias("power_w"), via=pl.lit("poll"), clock=pl.lit("device")), "battery")


def _sparse(dense: pl.DataFrame) -> pl.DataFrame:
    """Return a locked reading every six hours up to the first dense day, and every day a trip between two of them."""
    slots = (_DAYS - _DENSE_DAYS) * _ROWS_A_DAY
    at = pl.lit(_DENSE_FROM) + pl.duration(hours=(pl.col("slot") - slots) * 24 // _ROWS_A_DAY, minutes=5)
    share = pl.col("slot") // _ROWS_A_DAY * _ROWS_A_DAY / slots
    first = dense.sort("time").group_by("provider", "vehicle", maintain_order=True).first()
    return first.join(pl.select(pl.int_range(slots).alias("slot")), how="cross").with_columns(
        at.cast(dense.schema["time"]).alias("time"), at.cast(dense.schema["time"]).alias("received_at"),
        locked=True, speed_kmh=0.0, soc_pct=90.0 - pl.col("slot") % 40,
        odometer_m=(pl.col("odometer_m") * share).floor(), ride_time_s=(pl.col("ride_time_s") * share).floor(),
    ).select(dense.columns)  # fmt: skip


def _late_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row during a trip on each of some days, each of another vehicle, received two hours later."""
    late = []
    for number, day in enumerate(_LATE_DAYS):
        date = (_DENSE_FROM + timedelta(day)).date()
        riding = rows.filter(~pl.col("locked") & (pl.col("time").dt.date() == date)).sort("vehicle", "time")
        late.append(riding[riding.height * (number + 1) // (len(_LATE_DAYS) + 1)])
    return pl.concat(late).with_columns(pl.col("received_at") + _LATE)


def _compact(store: Lake, name: str) -> None:
    """Compact all days in one commit: merged, sorted, one file a day."""
    rows = store.scan(name).sort(table(name).key).collect()
    path = f"{store.files(name)[0].uri.partition(f'/{name}/')[0]}/{name}"
    write_deltalake(
        path,
        arrow_stream(iter([rows]), name),
        mode="overwrite",
        target_file_size=1 << 40,
        writer_properties=compact_writer(name),
    )
    DeltaTable(path).create_checkpoint()  # with a commit a day there is one: every hundredth commit makes it
    assert all(is_compact_day(files) for files in files_by_day(store.files(name)).values())


# ---- a late row ----------------------------------------------------------------------------------------------------


def _late_row_s(ours: Settings, store: Lake, row: pl.DataFrame) -> float:
    _write_late_row(ours, store, row)
    return _analyze_s(ours)


def _write_late_row(ours: Settings, store: Lake, row: pl.DataFrame) -> None:
    """Write the row as the feeder does, into a lake that is compacted and analysed before."""
    store.compact_days(datetime.now(UTC), timedelta(0))
    analyze(ours, Wish())
    assert store.write("status", row.with_columns(sequence=pl.lit(store.last_delivered_sequence() + 1))) == 1


def _analyze_s(ours: Settings) -> float:
    began = time.perf_counter()
    results = analyze(ours, Wish())
    seconds = time.perf_counter() - began
    assert any(each.commits for each in results)
    return seconds


def _profile(ours: Settings, store: Lake, row: pl.DataFrame) -> list[Figure]:
    """Measure the parts of another late row's analysis with a profiler."""
    _write_late_row(ours, store, row)
    with cProfile.Profile() as profile:
        analyze(ours, Wish())
    seconds: dict[str, float] = {}
    for (path, _, function), statistics in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if path.endswith("analytics/engine/jobs.py"):
            seconds[function] = statistics[3]
    figures = []
    for what, (added, subtracted) in _PARTS.items():
        known = {*added, *subtracted} <= seconds.keys()
        part_s = [sum(seconds[name] for name in added) - sum(seconds[name] for name in subtracted)] if known else []
        figures.append(Figure(f"  {what}, profiled", part_s, "s", "less"))
    return figures
