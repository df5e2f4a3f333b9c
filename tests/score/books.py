"""Whether the metres add up, and whether the energy of trips is within the interval that is told."""

import statistics

import polars as pl

from analytics.trips.coverage import coverage
from logger.tables import table
from tests.score.matching import Score
from tests.score.scenarios import Case

_BOOKS = ("odometer_m", "trips_m", "pushed_m", "unplaced_m")


def books(steps: pl.DataFrame, rides: pl.DataFrame, of: Case) -> str:
    """The ledger of all vehicle-days against what the odometers really rose, and the day that is off by most."""
    days = coverage(steps, rides, pl.DataFrame(schema=table("intake").schema), of.known)
    whole, within, pushed, unplaced = (float(days[name].sum()) / 1000 for name in _BOOKS)
    off = pl.col("odometer_m") - pl.sum_horizontal(_BOOKS[1:])
    off_m = float(days.select(off.abs().max()).item())
    parts = f"{within:,.1f} in trips + {pushed:,.1f} pushed + {unplaced:,.1f} unplaced"
    told = f"  ledger: {whole:,.1f} of {of.driven_m / 1000:,.1f} km = {parts}"
    return f"{told}; of {days.height} vehicle-days the worst is off by {off_m:.1f} m"


def energy(of: Score, by: str) -> str:
    """Errors of found trips, and how many of their intervals hold the truth; `by` is whose word on the capacity."""
    known = [pair.energy_wh for pair in of.pairs if pair.energy_wh]
    if not known:
        return f"  energy by {by}: not known"
    off = statistics.median(abs(found / real - 1) for real, found, _, _ in known)
    total = sum(found for _, found, _, _ in known) / sum(real for real, *_ in known) - 1
    held = statistics.fmean(low <= real <= high for real, _, low, high in known)
    wide = statistics.median((high - low) / found for _, found, low, high in known)
    return (
        f"  energy by {by}: off by {100 * off:.1f} % (median), {100 * total:+.1f} % in all; "
        f"{held:.3f} of the 95 % intervals hold, {100 * wide:.0f} % wide (median)"
    )
