"""CSV into the lake by `voltrail import`: rows a second, and the peak of memory of a file and of one twice as large."""

import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from tests.benchmarks.figures import Figure, pairs

_ROWS, _PART = 1_000_000, 250_000
_ROUNDS = 3


def figures(folder: Path) -> list[Figure]:
    """Import each file in a process of its own, into an empty lake."""
    once, twice = [], []
    for at in range(_ROUNDS):
        once.append(_import(folder / f"once{at}", _ROWS))
        twice.append(_import(folder / f"twice{at}", 2 * _ROWS))
    rates, memories, of_a_core = ([each[at] for each in twice] for at in range(3))
    return [
        Figure(f"imported from CSV, of {2 * _ROWS:,} rows", rates, "rows/s", bar=150_000),
        Figure("  by a second of a core", of_a_core, "rows"),
        Figure("  memory at its peak", memories, "MiB", "less", bar=600),
        Figure("  ÷ memory for half as many rows", pairs(memories, [each[1] for each in once]), "", "less", bar=1.2),
    ]


def _import(folder: Path, rows: int) -> tuple[float, float, float]:
    """Rows a second, the peak of memory [MiB] and rows by a second of a core, of importing so many rows."""
    folder.mkdir()
    _write(folder / "ride.csv", rows)
    command = [sys.executable, "-m", __name__, str(folder)]
    seconds, peak_mib, core_s = map(
        float, subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout.split()
    )
    return rows / seconds, peak_mib, rows / core_s


def _write(path: Path, rows: int) -> None:
    """A drive without an end, a row a second: charge, speed, odometer, position and power."""
    start = pl.lit(datetime(2026, 1, 1, tzinfo=UTC))
    second = pl.col("second")
    with path.open("wb") as file:
        for first in range(0, rows, _PART):
            part = pl.DataFrame({"second": range(first, min(rows, first + _PART))}).select(
                (start + pl.duration(seconds=second)).dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("time"),
                pl.lit("car").alias("vehicle"),
                (80 - second // 1000 % 60).alias("soc_pct"),
                (second % 90 + 0.5).alias("speed_kmh"),
                (second * 12.5).alias("odometer_m"),
                (47 + second * 1e-6).alias("lat_deg"),
                (8 + second * 1e-6).alias("lon_deg"),
                (second % 1000 - 15_000.0).alias("power_w"),
            )
            part.write_csv(file, include_header=first == 0)


def _run(folder: Path) -> None:
    from logger.commands.import_files import import_files
    from logger.settings.load import parse_settings
    from logger.sources.files.read import Options

    settings = parse_settings("", folder / "voltrail.toml", {})
    began = time.perf_counter()
    import_files([folder / "ride.csv"], Options(), settings, lambda text: None)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(time.perf_counter() - began, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime)


if __name__ == "__main__":
    _run(Path(sys.argv[1]))
