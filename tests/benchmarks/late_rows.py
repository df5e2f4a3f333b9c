"""One late row on a lake of a thousand vehicles and a year, all analysed before: how soon what it changes is new."""

import cProfile
import pstats
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from deltalake import DeltaTable, write_deltalake

from analytics.jobs import Wish, analyze
from analytics.registry import ANALYSES, OF_FLEETS
from logger.settings.schema import Settings
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.lake.data_files import by_day, is_compact
from logger.stores.lake.delta import compact_properties, stream
from logger.stores.lake.lake import Lake
from logger.tables import shaped, table
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import BEGIN_S, settings
from tests.benchmarks.status_rows import numbered, retold, stories

_STORIES, _TELLERS = 25, 40
_DAYS, _DENSE_DAYS = 365, 12  # the last ones are told as mopeds tell them
_A_DAY = 4  # rows of a vehicle on each of the others
_TABLES = ("status", "location", "event")
_EARLIER = timedelta(days=35)  # so that a month ends within the dense days, and its figures hold for the next
_DENSE_FROM = datetime.fromtimestamp(BEGIN_S, UTC) - _EARLIER
_LATE_DAYS = (8, 8, 9, 9, 10, 10)  # of the dense ones: each has a row that comes late, the last one's is profiled
_POLL_S, _RIDING_W = 60, 720.0
_LATE = timedelta(hours=2)
_PARTS = {  # functions of `analytics/jobs.py`
    "what is new, how far it reaches": (("__init__", "_state", "_reaching_back"), ()),
    "rows read, and derived ones made": (("_group",), ("_commit_all",)),
    "figures of models and packs": (("_figures",), ()),
    "forecasts": (("_forecast",), ()),
    "compared with those before, committed": (("_commit_all",), ()),
}


def figures(folder: Path) -> list[Figure]:
    """The first analysis of everything; then late rows, each on a lake that was compacted and analysed again before."""
    ours = settings(folder)
    store, late = _filled(ours, folder)
    rows = sum(file.rows for file in store.files("status"))
    first_s = _analysed_s(ours)
    for name in {*OF_FLEETS, "worth", *(each.table or name for name, each in ANALYSES.items())}:
        _at_rest(store, name)
    assert store.scan("worth").collect().height > 0
    found = [_late_s(ours, store, late[place : place + 1]) for place in range(late.height - 1)]
    what = f"a lake of 1,000 vehicles and {_DAYS} days"
    return [
        Figure(f"{what}: analysed at first, rows of status", [rows / first_s], "/s"),
        Figure(f"{what}: one late row analysed", found, "s", "less", bar=1),
        *_parts(ours, store, late[-1:]),
    ]


# ---- the lake ------------------------------------------------------------------------------------------------------


def _filled(ours: Settings, folder: Path) -> tuple[Lake, pl.DataFrame]:
    """The lake as compaction leaves it, and the rows of status that it does not have yet."""
    log_spool = open_spool(ours)
    store = open_lake(ours, log_spool.log_id)
    log_spool.close()
    late = pl.DataFrame()
    for name, told in stories(folder, _STORIES, _DENSE_DAYS, _TABLES).items():
        rows = _shifted(retold(told, _STORIES, _TELLERS))
        if name == "status":
            late = _held_back(rows)
            store.write("vehicles", numbered(_named(rows), "vehicles"))
            store.write("battery", numbered(_asked(rows), "battery"))
            _at_rest(store, "battery")
            rows = pl.concat([_sparse(rows), rows.join(late, on=table(name).key, how="anti")])
        store.write(name, numbered(rows, name))
        _at_rest(store, name)
    return store, late


def _named(dense: pl.DataFrame) -> pl.DataFrame:
    """All of one model, so that a late row can change what the fleet says of it."""
    who = dense.select("provider", "vehicle").unique().sort("provider", "vehicle")
    at = pl.lit(_DENSE_FROM).cast(dense.schema["time"])
    return shaped(who.with_columns(time=at, received_at=at, via=pl.lit("import"), model=pl.lit("moped")), "vehicles")


def _shifted(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("time", "received_at") - _EARLIER)


def _asked(dense: pl.DataFrame) -> pl.DataFrame:
    """An answer a minute of who is unlocked, so that the fleet tells what its packs hold."""
    rows = dense.filter(~pl.col("locked")).select("provider", "vehicle", "time", "received_at", "speed_kmh")
    minute = pl.col("time").dt.truncate(f"{_POLL_S}s")
    polled = rows.group_by("provider", "vehicle", minute.alias("minute"), maintain_order=True).first().drop("minute")
    power = pl.when(pl.col("speed_kmh") > 0).then(-_RIDING_W).otherwise(-20.0)
    return shaped(polled.with_columns(power.alias("power_w"), via=pl.lit("poll"), clock=pl.lit("device")), "battery")


def _sparse(dense: pl.DataFrame) -> pl.DataFrame:
    """Up to the first dense day a locked reading every six hours, and a ride between two of them every day."""
    slots = (_DAYS - _DENSE_DAYS) * _A_DAY
    at = pl.lit(_DENSE_FROM) + pl.duration(hours=(pl.col("slot") - slots) * 24 // _A_DAY, minutes=5)
    share = pl.col("slot") // _A_DAY * _A_DAY / slots
    first = dense.sort("time").group_by("provider", "vehicle", maintain_order=True).first()
    return first.join(pl.select(pl.int_range(slots).alias("slot")), how="cross").with_columns(
        at.cast(dense.schema["time"]).alias("time"), at.cast(dense.schema["time"]).alias("received_at"),
        locked=True, speed_kmh=0.0, soc_pct=90.0 - pl.col("slot") % 40,
        odometer_m=(pl.col("odometer_m") * share).floor(), ride_time_s=(pl.col("ride_time_s") * share).floor(),
    ).select(dense.columns)  # fmt: skip


def _held_back(rows: pl.DataFrame) -> pl.DataFrame:
    """One row of a ride on each of some days, of a vehicle each, as it comes two hours later."""
    found = []
    for place, day in enumerate(_LATE_DAYS):
        ridden = rows.filter(~pl.col("locked") & (pl.col("time").dt.date() == (_DENSE_FROM + timedelta(day)).date()))
        found.append(ridden.sort("vehicle", "time")[ridden.height * (place + 1) // (len(_LATE_DAYS) + 1)])
    return pl.concat(found).with_columns(pl.col("received_at") + _LATE)


def _at_rest(store: Lake, name: str) -> None:
    """All days as compaction leaves each, in one commit: folded, sorted, one file."""
    rows = store.scan(name).sort(table(name).key).collect()
    path = f"{store.files(name)[0].uri.partition(f'/{name}/')[0]}/{name}"
    write_deltalake(
        path,
        stream(iter([rows]), name),
        mode="overwrite",
        target_file_size=1 << 40,
        writer_properties=compact_properties(name),
    )
    DeltaTable(path).create_checkpoint()  # a commit a day leaves one: every hundredth does
    assert all(is_compact(files) for files in by_day(store.files(name)).values())


# ---- a late row ----------------------------------------------------------------------------------------------------


def _late_s(ours: Settings, store: Lake, row: pl.DataFrame) -> float:
    _written(ours, store, row)
    return _analysed_s(ours)


def _written(ours: Settings, store: Lake, row: pl.DataFrame) -> None:
    """The row, as it is fed to a lake of which all is compacted, analysed and noted."""
    store.tidy(datetime.now(UTC), timedelta(0))
    analyze(ours, Wish())
    assert store.write("status", row.with_columns(sequence=pl.lit(store.delivered() + 1))) == 1


def _analysed_s(ours: Settings) -> float:
    began = time.perf_counter()
    told = analyze(ours, Wish())
    seconds = time.perf_counter() - began
    assert any(each.commits for each in told)
    return seconds


def _parts(ours: Settings, store: Lake, row: pl.DataFrame) -> list[Figure]:
    """Where the time of another late row goes, under a profiler."""
    _written(ours, store, row)
    with cProfile.Profile() as profile:
        analyze(ours, Wish())
    spent: dict[str, float] = {}
    for (path, _, function), told in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if path.endswith("analytics/jobs.py"):
            spent[function] = told[3]
    return [
        Figure(
            f"  {what}, profiled", [sum(spent[name] for name in plus) - sum(spent[name] for name in minus)], "s", "less"
        )
        for what, (plus, minus) in _PARTS.items()
    ]
