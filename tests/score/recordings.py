"""Real recordings, never part of the project: what analyses make of them against what is known of them.

Those of `rides` besides by thinned signals: a car's speed is held against its positions second by second, a wheel's
against its own odometer. Thinned is one row in ten seconds, its speed in whole km/h, as a moped pushes it.
"""

import csv
import tempfile
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl

from analytics.engine.jobs import Wish, analyze
from analytics.trips.trips import trips
from logger.decode.messages import decode
from logger.envelope import Batch
from logger.settings.schema import Collector, LakeSettings, Settings, Sinks
from logger.sources.files.read import ColumnMapping, Options, envelopes, parse_mapping, read_file
from logger.stores.lake.lake import Lake
from logger.tables import shaped
from tests.conftest import SHARED
from tests.end_to_end.test_rides import moment
from tests.helpers.segway_pushes import MemoryReceipts
from tests.score.evidence import steps

FOLDER = SHARED / "data"
RIDES, OTHERS = "rides", "recordings"
_EVERY_MS = 10_000
_HDOP = 1.0  # of positions that tell none
_NAMES = {"Speed": "speed_kmh", "speed": "speed_kmh", "LAT": "lat_deg", "LON": "lon_deg"}
_COLUMNS = ("speed", "thinned", "trips", "of them", "positions", "both", "energy")
_OWN = {"totaldistance": "odometer_m", "power": "power_w"}
_TABLES = ("trips", "charges")


class Known(msgspec.Struct, frozen=True):
    """What is known of a recording: trips, their way, the time ridden and the energy, swaps of packs and charges."""

    trips: int
    way_m: float | None = None
    riding_s: float | None = None
    swaps: int = 0
    charges: int = 0
    energy_wh: float | None = None


# By the recorder's own trip counter, its app, and the plugs' meters (`README.md` of the recordings). A ride of which
# nothing is told here is one trip; its way is that of `true_m`.
KNOWN: Mapping[str, Known] = {
    "unicycle_2024-05-24": Known(1, 19_492, energy_wh=1_064),
    "ebike_2024-07-24": Known(1, 16_339, 2_712, energy_wh=1),
    "fast_charges_200": Known(0, charges=200),
}
_TWIZY = {"Soc": "soc_pct", "Speed": "speed_kmh", "LAT": "lat_deg", "LON": "lon_deg", "ALT": "altitude_m"}
_WHEEL = {"speed": "speed_kmh", "voltage": "voltage_v", "current": "current_a:-A", "battery_level": "soc_pct",
          "totaldistance": "odometer_m"}  # fmt: skip
_ZONES = {"ebike": "Europe/Berlin", "fast": "Europe/Zurich", "twizy": "Africa/Casablanca", "wheel": "Asia/Yakutsk"}


def lines(folder: Path = FOLDER) -> Iterator[str]:
    """The tables of all recordings, or why there are none."""
    yield from _by_signals(folder / RIDES)
    yield from _as_imported(folder)


# ---- rides by thinned signals --------------------------------------------------------------------------------------


def _by_signals(folder: Path) -> Iterator[str]:
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        yield f"\nreal rides: left out, {folder} holds none"
        return
    yield "\nreal rides, against positions second by second (twizy) or the own odometer (wheel)"
    yield f"{'recording':<24}{'min':>6}{'m':>9}" + "".join(f"{name:>10}" for name in _COLUMNS)
    for path in paths:
        yield _line(path.stem, recorded(path))


def recorded(path: Path) -> pl.DataFrame:
    """All rows with `time`, `speed_kmh`, and where known `lat_deg` `lon_deg` or `odometer_m` `power_w`."""
    with path.open(newline="") as file:
        rows = [
            {
                "time": moment(row),
                **{ours: float(row[theirs]) for theirs, ours in (_NAMES | _OWN).items() if row.get(theirs)},
            }
            for row in csv.DictReader(file)
        ]
    return pl.DataFrame(rows).unique("time", keep="first").sort("time")


def thinned(rows: pl.DataFrame) -> pl.DataFrame:
    """One row in ten seconds, the speed in whole km/h."""
    slot = (pl.col("time").dt.epoch("ms") // _EVERY_MS).alias("slot")
    return rows.with_columns(slot).unique("slot", keep="first", maintain_order=True).drop("slot").with_columns(
        pl.col("speed_kmh").round()
    )  # fmt: skip


def true_m(rows: pl.DataFrame) -> float:
    """The way by what the recording knows best."""
    return _chords_m(rows) if "lat_deg" in rows.columns else float(rows["odometer_m"][-1] - rows["odometer_m"][0])


def _line(name: str, rows: pl.DataFrame) -> str:
    few, placed, known_m = thinned(rows), "lat_deg" in rows.columns, true_m(rows)
    minutes = (rows["time"][-1] - rows["time"][0]) / timedelta(minutes=1)
    by_speed = trips(_segments(few, "status"))
    cells = (
        _off(_way_m(rows), known_m),
        _off(_way_m(few), known_m),
        f"{by_speed.height}",
        _off(float(by_speed["distance_m"].sum()), known_m),
        _off(_trips_m(few, "location"), known_m) if placed else "–",
        _off(_trips_m(few, "status", "location"), known_m) if placed else "–",
        "–" if placed else _off(_wh(few), _wh(rows)),
    )
    return f"{name:<24}{minutes:>6.1f}{known_m:>9,.0f}" + "".join(f"{cell:>10}" for cell in cells)


def _off(found: float, real: float) -> str:
    return f"{100 * (found / real - 1):+.2f} %"


def _segments(rows: pl.DataFrame, *tables: str) -> pl.DataFrame:
    """What lies between anchors, by speeds (`status`), by positions (`location`), or by both."""
    told = rows.drop("odometer_m", strict=False).with_columns(hdop=_HDOP)
    made = {name: _table(told if name in tables else told.clear(), name) for name in ("status", "location")}
    return steps(made["status"], made["location"])


def _trips_m(rows: pl.DataFrame, *tables: str) -> float:
    return float(trips(_segments(rows, *tables))["distance_m"].sum())


def _way_m(rows: pl.DataFrame) -> float:
    return float(_segments(rows, "status")["d_m"].sum())


def _table(rows: pl.DataFrame, name: str) -> pl.LazyFrame:
    said = {"provider": "import", "vehicle": "one", "via": "import", "clock": "device", "sequence": 0}
    origin = [pl.lit(value).alias(column) for column, value in said.items()]
    heard = (pl.col("time") + timedelta(days=1)).alias("received_at")
    return shaped(rows.with_columns(*origin, heard), name).lazy()


def _chords_m(rows: pl.DataFrame) -> float:
    """Of positions a second apart; while the car stands they do not count."""
    turned = pl.col("lat_deg").radians().cos() * pl.col("lon_deg").diff()
    way_m = (pl.col("lat_deg").diff() ** 2 + turned**2).sqrt() * 111_195
    return float(rows.select(pl.when(pl.col("speed_kmh") > 0).then(way_m).sum()).item())


def _wh(rows: pl.DataFrame) -> float:
    """By the trapezoidal rule."""
    hours = pl.col("time").diff().dt.total_milliseconds() / 3_600_000
    mean_w = (pl.col("power_w") + pl.col("power_w").shift(1)) / 2
    return float(rows.select((hours * mean_w).sum()).item())


# ---- all recordings as imported files --------------------------------------------------------------------------------


def energies(folder: Path = FOLDER) -> Iterator[str]:
    """Whether the interval of a trip's energy holds what is known of it, or why there are no recordings."""
    paths = [path for path in _paths(folder) if _known_wh(path) is not None]
    if not paths:
        yield f"\nenergy of recordings: left out, {folder} holds none"
        return
    with tempfile.TemporaryDirectory() as place:
        trips = _analysed(paths, Path(place))["trips"]
    yield from _energies({path: _own(path, trips) for path in paths})


def _paths(folder: Path) -> list[Path]:
    every = [path for part in (RIDES, OTHERS) for path in sorted((folder / part).glob("*.csv"))]
    return [path for path in every if not path.stem.endswith(".known")]


def _as_imported(folder: Path) -> Iterator[str]:
    paths = _paths(folder)
    if missing := [name for name in KNOWN if name not in {path.stem for path in paths}]:
        yield f"\nrecordings: left out, {folder / OTHERS} does not hold {', '.join(missing)}"
    if not paths:
        return
    yield "\nrecordings, imported and analysed: known / found"
    yield f"{'recording':<24}{'trips':>10}{'m':>18}{'off':>10}{'riding s':>16}{'swaps':>8}{'charges':>12}"
    with tempfile.TemporaryDirectory() as place:
        tables = _analysed(paths, Path(place))
    for path in paths:
        yield _found(path, tables)
    for path in paths:
        yield from _charges(path, tables)
    yield from _energies({path: _own(path, tables["trips"]) for path in paths})


def _analysed(paths: list[Path], folder: Path) -> dict[str, pl.DataFrame]:
    """Derived tables of these files in a lake of their own."""
    lake = Lake(str(folder / "lake"), "score")
    for number, path in enumerate(paths):
        for name, rows in _raw(path, number).items():
            lake.write(name, rows)
    analyze(Settings(Collector(data_dir=str(folder)), Sinks(LakeSettings(str(folder / "lake")))), Wish())
    return {name: lake.scan(name).collect() for name in _TABLES}


def _raw(path: Path, number: int) -> dict[str, pl.DataFrame]:
    """Rows of a file by raw table, as `voltrail import` makes them; a slice of a file has one number."""
    told = [*envelopes(read_file(path, _options(path)))]
    first = number * 1000 + 1
    numbers = list(range(first, first + len(told)))
    return {**decode(Batch(numbers, told), {}, MemoryReceipts()).rows}


def _options(path: Path) -> Options:
    kind = path.stem.partition("_")[0]
    names = {"twizy": _TWIZY, "wheel": _WHEEL}.get(kind)
    if names is None:
        return Options(zone=_ZONES.get(kind, ""))
    with path.open() as file:
        columns = file.readline().strip().split(",")
    times = tuple(columns[:2])
    mappings = (
        ColumnMapping(times, "time"),
        *(parse_mapping(f"{theirs}={ours}") for theirs, ours in names.items()),
    )
    ignored = tuple(each for each in columns[2:] if each not in names)
    form = "%m/%d/%Y %H:%M:%S" if kind == "twizy" else "%Y-%m-%d %H:%M:%S.%f"
    return Options("", path.stem, mappings, ignored, _ZONES[kind], form)


def _found(path: Path, tables: Mapping[str, pl.DataFrame]) -> str:
    known = KNOWN.get(path.stem) or Known(1, true_m(recorded(path)))
    found, charges = (_own(path, tables[name]) for name in _TABLES)
    way_m, ridden_s = float(found["distance_m"].sum()), found.select(_RIDDEN_S).item()
    swaps = charges.filter(pl.col("kind") == "swap").height
    cells = (
        (f"{known.trips:,} / {found.height:,}", 10),
        (f"{known.way_m or 0:,.0f} / {way_m:,.0f}", 18),
        (_off(way_m, known.way_m) if known.way_m else "–", 10),
        (f"{known.riding_s:,.0f} / {ridden_s:,.0f}" if known.riding_s else "–", 16),
        (f"{known.swaps} / {swaps}", 8),
        (f"{known.charges:,} / {charges.height - swaps:,}", 12),
    )
    return f"{path.stem:<24}" + "".join(f"{cell:>{wide}}" for cell, wide in cells)


_RIDDEN_S = pl.coalesce("riding_s", "duration_s").sum()  # where no counter tells it, from start to end


def _charges(path: Path, tables: Mapping[str, pl.DataFrame]) -> Iterator[str]:
    """How many charges have the percents that are known, of a recording beside which these are told."""
    beside = path.with_suffix(".known.csv")
    if not beside.is_file():
        return
    met = pl.read_csv(beside).join(_own(path, tables["charges"]), on="vehicle")
    ends = (("start", "arrived"), ("finish", "left"))
    off = [(pl.col(f"soc_{ours}_pct") - pl.col(f"soc_{known}_pct")).abs() for ours, known in ends]
    same = met.filter(pl.max_horizontal(off) <= 1)
    yield f"{path.stem}: of {met.height:,} charges {same.height:,} begin and end with the percents that are known"


def _energies(trips: Mapping[Path, pl.DataFrame]) -> Iterator[str]:
    """The energy of recordings of which it is known, and whether the interval holds it; those of trips are added up."""
    yield "\nenergy of their trips, against what is known of it: the app's own, or power at every row added up"
    yield f"{'recording':<24}{'known Wh':>10}{'found':>10}{'low':>10}{'high':>10}{'off':>10}{'holds':>8}  source"
    for path, told in trips.items():
        known_wh = _known_wh(path)
        if known_wh is not None:
            yield f"{path.stem:<24}{known_wh:>10,.1f}{_energy(told, known_wh)}"


def _energy(trips: pl.DataFrame, known_wh: float) -> str:
    sure = trips.drop_nulls("energy_wh")
    if sure.is_empty():
        return f"{'–':>10}" * 4 + f"{'–':>8}  none"
    figures = sure.select(pl.col("energy_wh", "energy_low_wh", "energy_high_wh").sum()).row(0)
    held = "yes" if figures[1] <= known_wh <= figures[2] else "no"
    found = "".join(f"{each:>10,.1f}" for each in figures)
    return f"{found}{_off(figures[0], known_wh):>10}{held:>8}  {', '.join(sure['energy_source'].unique().sort())}"


def _known_wh(path: Path) -> float | None:
    """The net energy of a recording, used positive, where it is known."""
    if path.stem in KNOWN:
        return KNOWN[path.stem].energy_wh
    rows = recorded(path)
    return _wh(rows) if "power_w" in rows.columns else None


def _own(path: Path, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of the vehicles of this recording."""
    with path.open(newline="") as file:
        names = {row.get("vehicle") or path.stem for row in csv.DictReader(file)}
    return rows.filter(pl.col("vehicle").is_in(sorted(names)))
