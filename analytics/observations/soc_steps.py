"""Ticks: the moments at which a whole percent changes.

A whole percent tells little of the charge until it changes: then the charge is known to a tenth of a step. Rules:
analytics facts, 2.2.

A percent with decimals is taken as it is: each reading at which it changes is a tick.

Levels are those of a percent that is cut off: a percent that is rounded is half a step lower, at all falling ticks
alike, so that differences do not tell. What the battery's own percent errs by is in none of this.
"""

import polars as pl

from analytics.frames import WHO, before, marked
from analytics.observations.soc import CHARGER_PCT_S, REGEN_PCT_M, resolutions
from logger.tables import TIME

TICKS = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "at": TIME,
        "level_pct": pl.Float64(),
        "sd_s": pl.Float64(),
        "rising": pl.Boolean(),
    }
)

LEAP_PCT = 3.0  # a change of less is never another pack
RISE_PCT_S, FALL_PCT_S = 1 / 60, 4 / 60  # faster than any charger, or than full power, over some minutes: another pack
WENT_M = 300.0  # on a way of so much a percent falls
UTMOST_M, STANDS_PCT_S = 100.0, 2 / 3600  # a percent takes at least such a way, or stands so long
_ROOT12 = 12**0.5


def ticks(readings: pl.DataFrame) -> pl.DataFrame:
    """Where the percent crossed a level for the first time.

    Parameters
    ----------
    readings : DataFrame of `OBSERVATIONS`, by vehicle and time

    Returns
    -------
    DataFrame of `TICKS` by vehicle and time: `level_pct` [%] crossed at `at`, give or take `sd_s` [s]. Several steps in
    one interval are one tick at their middle. A rise of one step between falls is the battery's rebound, and it and the
    second fall are left out (and the other way round in a charge). A change of pack is no tick.
    """
    units = resolutions(readings).rename({"step_pct": "unit_pct"})
    changes = _changes(readings).filter(~pl.col("leap")).join(units, on=WHO, how="left", maintain_order="left")
    fine = changes.filter(pl.col("unit_pct") < 1)
    if not fine.height:
        return _crossings(changes)
    coarse = changes.filter(pl.col("unit_pct") >= 1)
    return pl.concat([_crossings(coarse), _readings_of(fine)]).sort(*WHO, "at", maintain_order=True)


def _readings_of(changes: pl.DataFrame) -> pl.DataFrame:
    """Changes of a percent with decimals as `TICKS`."""
    level, exact, rising = pl.col("soc_pct").alias("level_pct"), pl.lit(0.0).alias("sd_s"), pl.col("step_pct") > 0
    return changes.select(*WHO, "at", level, exact, rising.alias("rising")).cast(TICKS)


def _crossings(changes: pl.DataFrame) -> pl.DataFrame:
    """Changes of a whole percent as `TICKS`."""
    kept = _confirmed(changes)
    low, high = pl.min_horizontal("soc_pct", "was_pct"), pl.max_horizontal("soc_pct", "was_pct")
    return kept.select(
        *WHO,
        _middle().alias("at"),
        ((low + high + pl.col("unit_pct")) / 2).alias("level_pct"),
        (pl.col("dt_s") / _ROOT12).alias("sd_s"),
        (pl.col("step_pct") > 0).alias("rising"),
    ).cast(TICKS)  # fmt: skip


def leaps(readings: pl.DataFrame, swaps: pl.DataFrame | None = None) -> pl.DataFrame:
    """Intervals between two readings of the percent in which a pack was changed.

    Parameters
    ----------
    readings : DataFrame of `OBSERVATIONS`, by vehicle and time
    swaps : DataFrame of SWAPS (`at` of each), or None: then only the percent tells, from 3 % on

    Returns
    -------
    DataFrame `provider` `vehicle` `since` `at` `was_pct` `soc_pct`, `d_m`, what was ridden meanwhile [m], and `swap`:
    false where the percent leapt, but nobody lists a swap.
    """
    steps = _steps(readings)
    if swaps is not None:
        steps = _late(steps, swaps)
    swap = pl.lit(True) if swaps is None else _holds(steps, swaps)
    known = _leap() if swaps is None else _leap() | swap
    found = steps.with_columns(swap.alias("swap")).filter(known.fill_null(False))
    return found.select(*WHO, "since", "at", "was_pct", "soc_pct", "d_m", "swap")


def _late(steps: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """Steps with the time and the way since the percent before was first told, of vehicles whose packs stay."""
    swapped = swaps.select(WHO).unique().with_columns(swapped=pl.lit(True))
    told = steps.join(swapped, on=WHO, how="left", maintain_order="left")
    stays = pl.col("swapped").is_null() & (pl.col("step_pct") < 0) & (pl.col("kept_m") > WENT_M)
    since_first = {"dt_s": "kept_s", "d_m": "kept_m"}
    return told.with_columns(
        pl.when(stays).then(kept).otherwise(name).alias(name) for name, kept in since_first.items()
    )


def _steps(readings: pl.DataFrame) -> pl.DataFrame:
    rows = marked(readings.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct", "charging", "way_m"))
    idle = (~pl.col("charging") & ~before("charging")).fill_null(False).alias("idle")
    charged = (pl.col("charging") | before("charging")).fill_null(False).alias("charged")
    known = rows.with_columns(before("at").alias("since"), before("soc_pct").alias("was_pct"), idle, charged)
    known = known.with_columns((pl.col("way_m") - before("way_m")).alias("d_m"), *_first_told())
    dt_s = (pl.col("at") - pl.col("since")).dt.total_milliseconds() / 1000
    return known.with_columns(dt_s.alias("dt_s"), (pl.col("soc_pct") - pl.col("was_pct")).alias("step_pct"))


def _first_told() -> list[pl.Expr]:
    """For how long and how far the percent before was told [s, m]: a cloud may have kept it."""
    new = pl.col("fresh") | (pl.col("soc_pct") != pl.col("soc_pct").shift(1))
    began, left = (pl.when(new).then(name).forward_fill() for name in ("at", "way_m"))
    kept_s = (pl.col("at") - began.shift(1)).dt.total_milliseconds() / 1000
    return [kept_s.alias("kept_s"), (pl.col("way_m") - left.shift(1)).alias("kept_m")]


def _leap() -> pl.Expr:
    step, dt = pl.col("step_pct"), pl.col("dt_s")
    charger = pl.when("charged").then(CHARGER_PCT_S).otherwise(RISE_PCT_S)
    rise, fall = step > dt * charger + 1, step < -(dt * FALL_PCT_S + 1)
    stood = step < -(pl.col("d_m") / UTMOST_M + dt * STANDS_PCT_S + 2)  # a pack taken out reads 0
    lone = pl.col("idle") & (step > 1 + pl.col("d_m").fill_null(0.0) * REGEN_PCT_M)  # uncharged, nothing else rises
    return (step.abs() >= LEAP_PCT) & (rise | fall | lone | stood.fill_null(False))


def _holds(steps: pl.DataFrame, swaps: pl.DataFrame) -> pl.Series:
    """Whether a swap lies in the interval."""
    told = swaps.select(*WHO, pl.col("at").alias("swap_at")).sort("swap_at")
    rows = steps.select(*WHO, "at", "since").with_row_index("row").sort("at")
    found = rows.join_asof(told, left_on="at", right_on="swap_at", by=WHO, check_sortedness=False).sort("row")
    return (found["swap_at"] > found["since"]).fill_null(False)


def _changes(readings: pl.DataFrame) -> pl.DataFrame:
    """Intervals in which the percent changed, and whether the value after it held for a second reading."""
    steps = _steps(readings).with_columns(_leap().fill_null(False).alias("leap"))
    following = pl.when(~pl.col("fresh").shift(-1).fill_null(True)).then(pl.col("step_pct").shift(-1))
    held = steps.with_columns((following.fill_null(1.0) == 0).alias("held"))
    return held.filter(pl.col("step_pct") != 0)


def _confirmed(changes: pl.DataFrame) -> pl.DataFrame:
    """Changes that are neither a rebound nor the return from one."""
    rows = marked(changes.drop("fresh")) if changes.height else changes
    way = pl.col("step_pct").sign()
    last = before("step_pct").sign()
    coming = pl.when(~pl.col("fresh").shift(-1).fill_null(True)).then(way.shift(-1))
    small = pl.col("step_pct").abs() == 1
    alone = small & (last == -way).fill_null(False) & (coming != way).fill_null(way > 0)
    told = rows.with_columns(alone.alias("alone"))
    back = small & before("alone").fill_null(False) & (before("step_pct") == -pl.col("step_pct")).fill_null(False)
    sure = pl.col("held") | (coming == way).fill_null(False)
    return told.filter(~pl.col("alone") & ~back & sure)


def _middle() -> pl.Expr:
    return pl.col("since") + (pl.col("at") - pl.col("since")) / 2
