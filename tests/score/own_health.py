"""Whether the state of health against a battery's own first months is true: seasons, wear and errors that are known."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from analytics.battery_health.pairs import METHODS
from analytics.battery_health.pooling import parts
from analytics.battery_health.share_left import FIRST
from analytics.battery_health.stint_months import stint_months, stint_pairs
from analytics.battery_health.stints import bounds
from analytics.battery_health.trends import history
from analytics.battery_health.verdicts import verdicts
from analytics.charging.energies import LOST
from analytics.frames import WHO
from logger.tables import shaped
from tests.analytics.battery_health.packs_made import NO_HISTORY, figures, fleet
from tests.analytics.battery_health.stints_made import PACKS
from tests.analytics.hand import AT
from tests.score import health

COUNT, SEASON, MOST_FADE = 600, 0.03, 0.06  # batteries of each kind; how much more in summer; lost in a year at most
WEEKS, YEARS = 52, (2, 4)


def lines() -> Iterator[str]:
    """Bias, sd, coverage and half-width by kind of error and years, all through the tables."""
    yield f"\nhealth against a battery's own first months, weekly charges, {100 * SEASON:.0f} % more in summer"
    yield health.line("kind, years", "bias %", "sd %", "95 % holds", "half-width %")
    for seed, errors in enumerate((health.no_error, health.one_percent, health.monthly)):
        for years in YEARS:
            told = batteries(errors, years, seed)
            yield health.line(f"  {errors.__name__}, {years}", *_figures(told))


def _figures(told: pl.DataFrame) -> tuple[str, ...]:
    off, half = pl.col("soh_pct") - pl.col("true"), (pl.col("soh_high_pct") - pl.col("soh_low_pct")) / 2
    inside = pl.col("true").is_between("soh_low_pct", "soh_high_pct")
    bias, sd, share, width = told.select(
        off.mean().alias("bias"), off.std().alias("sd"), inside.mean().alias("share"), half.mean().alias("half")
    ).row(0)
    return f"{bias:+.2f}", f"{sd:.2f}", f"{share:.3f}", f"{width:.2f}"


def batteries(errors: health.Errors, years: int, seed: int) -> pl.DataFrame:
    """The last verdict of each battery with what is `true` [%]; counters and losses err alike in all its charges."""
    chance, weeks = np.random.default_rng(seed), WEEKS * years
    year = np.arange(weeks)[None, :] / WEEKS
    depth = chance.uniform(10, 70, (COUNT, weeks))
    low = chance.uniform(5, 100 - depth)
    held = health.NEW_WH * (1 - chance.uniform(0, MOST_FADE, COUNT)[:, None] * year)
    summer = 1 + SEASON * np.sin(2 * np.pi * (year + chance.uniform(0, 1, COUNT)[:, None]))
    gain, lost = 1 + chance.normal(0, health.GAIN_SD, COUNT), LOST + chance.normal(0, health.LOST_SD, COUNT)
    wh = held * summer * (gain * (1 + lost))[:, None] * depth / 100 * (1 + chance.normal(0, 0.005, depth.shape))
    shown = np.floor(low + depth + errors(chance, depth)) - np.floor(low)
    first = held[:, : FIRST * WEEKS // 12].mean(axis=1)
    true = pl.DataFrame({"vehicle": health.names(COUNT), "true": 100 * held[:, -1] / first})
    return _last_verdicts(health.charges(shown, wh)).join(true, on="vehicle").drop_nulls("soh_pct")


def _last_verdicts(charges: pl.DataFrame) -> pl.DataFrame:
    """Verdicts of batteries of which no model and no data sheet is known."""
    begun = charges.group_by(WHO).agg(pl.col("started_at").min().alias("begun_at"))
    packs, trips = pl.DataFrame(schema=PACKS), shaped(pl.DataFrame(), "trips").clear()
    cuts = bounds(charges.clear(), packs, begun)
    months = stint_months(cuts, trips, charges, packs)
    sure = (pl.col("verdict") == "estimate") & pl.col("method").is_in(METHODS.values())
    past = history(months.filter(sure), NO_HISTORY.select(*WHO, "at"))
    nothing = {"model": pl.lit(None, pl.String()), "sheet_wh": pl.lit(None, pl.Float64())}
    no_models = figures(fleet(1, vehicles=2, times=2)).clear()
    found = verdicts(parts(months).with_columns(**nothing), stint_pairs(cuts, charges, trips), past, no_models, AT)
    return found.sort("time").group_by("vehicle").last()
