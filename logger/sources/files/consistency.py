"""Whether the numbers of a file can be right: the odometer against the way between positions, and units by size."""

from collections.abc import Iterator

import polars as pl

_EARTH_M = 6_371_000.0  # mean radius
_LONGEST_M = 1_500.0  # between two positions; over more, the road is longer than the line
_LONGEST_S = 300
_LEAST_M = 5_000.0  # less says nothing: an odometer counts in kilometres
_FACTORS = (  # of the odometer's way over the positions' [1], what it means
    (500.0, 2000.0, "1,000 times as far", "its column is in m and not in km"),
    (0.0008, 0.002, "a thousandth as far", "its column is in km: map it with odometer_m:km"),
    (0.0005, 0.0008, "1 / 1,609 as far", "its column is in miles: map it with odometer_m:mi"),
    (1.52, 1.70, "1.609 times as far", "its column is in km and not in miles: map it with odometer_m:km"),
    (0.59, 0.65, "1 / 1.609 as far", "its column is in miles and not in km: map it with odometer_m:mi"),
)
_NEEDED = {"odometer_m", "lat_deg", "lon_deg"}
_SMALL = {"soc_pct": (1.0, "fraction"), "soh_pct": (1.2, "fraction"), "capacity_wh": (150.0, "kWh"),
          "nominal_wh": (150.0, "kWh")}  # a greatest value that is no whole number, and what may be meant  # fmt: skip


class Distances:
    """Adds up both ways, vehicle by vehicle, over the rows that have position and odometer."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows, which may be in any order."""
        if not set(rows.columns) >= _NEEDED:
            return
        for vehicle, driven_m, crossed_m in _ways(rows).iter_rows():
            before = self._sums.get(vehicle, (0.0, 0.0))
            self._sums[vehicle] = before[0] + driven_m, before[1] + crossed_m

    def notes(self) -> Iterator[str]:
        """Yield what contradicts each other, and what may be meant."""
        for vehicle, (driven_m, crossed_m) in self._sums.items():
            ratio = driven_m / crossed_m if crossed_m >= _LEAST_M else 1.0
            for low, high, far, meant in _FACTORS:
                if low <= ratio <= high:
                    ways = f"{driven_m / 1000:,.1f} km for {crossed_m / 1000:,.1f} km"
                    yield f"{vehicle}: the odometer goes {far} as the positions ({ways}): perhaps {meant}"


class Sizes:
    """Keeps the greatest value of signals of which a small one tells that they are in another unit."""

    def __init__(self) -> None:
        self._greatest: dict[str, float] = {}
        self._whole: dict[str, bool] = {}

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows, which may be in any order."""
        for name in _SMALL:
            told = rows[name].drop_nulls() if name in rows.columns else pl.Series([], dtype=pl.Float64)
            if len(told):
                self._greatest[name] = max(self._greatest.get(name, 0.0), float(told.max()))  # type: ignore[arg-type]  # numbers
                self._whole[name] = self._whole.get(name, True) and bool((told == told.round()).all())

    def notes(self) -> Iterator[str]:
        """Yield what is too small for its unit, and which one may be meant."""
        for name, greatest in self._greatest.items():
            most, unit = _SMALL[name]
            if 0 < greatest <= most and not self._whole[name]:
                yield f"{name} is never above {greatest:g}: perhaps its column is in {unit}: map it with {name}:{unit}"


def _ways(rows: pl.DataFrame) -> pl.DataFrame:
    """The way of each vehicle by odometer and by positions [m], over steps that are short enough to compare."""
    known = rows.select("vehicle", "time", *sorted(_NEEDED)).drop_nulls().sort("vehicle", "time")
    last = pl.all().exclude("vehicle").shift(1).over("vehicle").name.prefix("last_")
    steps = known.with_columns(last).with_columns(
        (pl.col("odometer_m") - pl.col("last_odometer_m")).alias("driven_m"), _crossed_m().alias("crossed_m")
    )
    seconds = (pl.col("time") - pl.col("last_time")).dt.total_milliseconds() / 1000
    near = (seconds <= _LONGEST_S) & (pl.col("crossed_m") <= _LONGEST_M) & (pl.col("driven_m") >= 0)
    return steps.filter(near).group_by("vehicle", maintain_order=True).agg(pl.col("driven_m", "crossed_m").sum())


def _crossed_m() -> pl.Expr:
    """The length of the great circle between a position and the one before it (haversine)."""
    lat, last_lat = pl.col("lat_deg").radians(), pl.col("last_lat_deg").radians()
    d_lon = (pl.col("lon_deg") - pl.col("last_lon_deg")).radians()
    half = ((lat - last_lat) / 2).sin() ** 2 + lat.cos() * last_lat.cos() * (d_lon / 2).sin() ** 2
    return 2 * _EARTH_M * half.sqrt().arcsin()
