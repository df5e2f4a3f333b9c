"""Real rides, never part of the project: distance and energy by thinned signals against what the recording knows best.

A car's speed is held against its positions second by second, a wheel's against its own odometer. Thinned is one row in
ten seconds, its speed in whole km/h, as a moped pushes it.
"""

import csv
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import polars as pl

from analytics.observations.clean import fixes, readings
from analytics.trips.gpsonly import gps_trips
from analytics.trips.speedonly import integrated, speed_trips
from logger.tables import shaped
from tests.end_to_end.test_rides import moment

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "rides"
_EVERY_MS = 10_000
_HDOP = 1.0  # of positions that tell none
_NAMES = {"Speed": "speed_kmh", "speed": "speed_kmh", "LAT": "lat_deg", "LON": "lon_deg"}
_COLUMNS = ("speed", "thinned", "trips", "of them", "positions", "energy")
_OWN = {"totaldistance": "odometer_m", "power": "power_w"}


def lines(folder: Path = FOLDER) -> Iterator[str]:
    """The table of all recordings, or why there is none."""
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


def _line(name: str, rows: pl.DataFrame) -> str:
    few, placed = thinned(rows), "lat_deg" in rows.columns
    true_m = _chords_m(rows) if placed else float(rows["odometer_m"][-1] - rows["odometer_m"][0])
    minutes = (rows["time"][-1] - rows["time"][0]) / timedelta(minutes=1)
    by_speed = speed_trips(_readings(few))
    cells = (
        _off(_way_m(rows), true_m),
        _off(_way_m(few), true_m),
        f"{by_speed.height}",
        _off(float(by_speed["distance_m"].sum()), true_m),
        _off(_placed_m(few), true_m) if placed else "–",
        "–" if placed else _off(_wh(few), _wh(rows)),
    )
    return f"{name:<24}{minutes:>6.1f}{true_m:>9,.0f}" + "".join(f"{cell:>10}" for cell in cells)


def _placed_m(rows: pl.DataFrame) -> float:
    positions, _ = fixes(_table(rows.with_columns(hdop=_HDOP), "location"))
    return float(gps_trips(positions)["distance_m"].sum())


def _off(found: float, real: float) -> str:
    return f"{100 * (found / real - 1):+.2f} %"


def _readings(rows: pl.DataFrame) -> pl.DataFrame:
    told, _ = readings(_table(rows.drop("odometer_m", strict=False), "status"))
    return told


def _table(rows: pl.DataFrame, name: str) -> pl.LazyFrame:
    said = {"provider": "import", "vehicle": "one", "via": "import", "clock": "device", "sequence": 0}
    origin = [pl.lit(value).alias(column) for column, value in said.items()]
    return shaped(rows.with_columns(*origin, received_at=pl.col("time")), name).lazy()


def _way_m(rows: pl.DataFrame) -> float:
    return float(integrated(_readings(rows))["way_m"].max())  # type: ignore[arg-type]


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
