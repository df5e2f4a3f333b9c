"""Where what a full battery holds leaps from one charge to the next: another battery is in, or its percent another."""

import polars as pl

from analytics.battery_health.pairs import CHARGE
from analytics.frames import WHO

NEAR, FEWEST = 8, 3  # charges on either side that are compared, and how few may be
LEAST_PCT = 10.0  # that charges must have added: of less, a whole percent is too coarse
LEAPS, SURE_SD = 0.15, 6.0  # relative: no battery wears so much within these; and beyond chance
LEAST_SD = 0.01  # relative, of what one charge tells
JUMPS = pl.Schema(
    {
        **dict.fromkeys(("provider", "vehicle", "port"), pl.String()),
        **dict.fromkeys(("started_at", "finished_at"), pl.Datetime("ms", "UTC")),
    }
)
NO_JUMPS = JUMPS.to_frame()
JUMP = "capacity_jump"
_STINT = (*WHO, "stint_id")
_LEVEL = pl.col("level")


def jumps(pairs: pl.DataFrame) -> pl.DataFrame:
    """Changes of a battery that is not known to be swapped: a new one under warranty, a repair, new firmware.

    Parameters
    ----------
    pairs : DataFrame of `stint_pairs`; charges count whose energy was measured and that added 10 % or more

    Returns
    -------
    DataFrame of `JUMPS` by vehicle and time, of no port: from the end of the last charge before to that of the first
    after it.

    Notes
    -----
    The medians of energy over percent of up to eight charges before and after differ by more than 15 %, and by more
    than six standard errors, by how much successive charges differ by chance; of such moments, the one with the
    largest step. It takes three charges of the new and of the old.
    """
    told = pairs.filter((pl.col("source") == CHARGE) & (pl.col("pct") >= LEAST_PCT) & (pl.col("wh") > 0))
    rows = told.sort(*_STINT, "at").with_columns((pl.col("wh") / pl.col("pct")).log().alias("level"))
    found = _compare_sides(rows)
    leaps = (found["apart"].abs() > LEAPS) & (found["apart"].abs() > SURE_SD * found["sd"])
    runs = found.with_columns(leaps.fill_null(False).alias("leaps")).with_columns(pl.col("leaps").rle_id().alias("run"))
    first = runs.filter("leaps").group_by(*_STINT, "run").agg(
        pl.col("started_at", "at", "step", "before", "after").sort_by("step").last()
    )  # fmt: skip
    named = {"port": pl.lit(None, pl.String()), "finished_at": pl.col("at")}
    sure = first.filter((pl.min_horizontal("before", "after") >= FEWEST) & (pl.col("step") > LEAPS / 2))
    return sure.with_columns(**named).select(JUMPS.names()).cast(JUMPS).sort(*WHO, "started_at")


def _compare_sides(rows: pl.DataFrame) -> pl.DataFrame:
    """Charges with `started_at`, when the one before ended, `apart`, how far what comes is from what was, and `sd`."""
    step = (_LEVEL - _LEVEL.shift(1)).abs()
    counted = rows.with_columns(
        step.over(_STINT).alias("step"),
        (step.median().over(_STINT) / (0.6745 * 2**0.5)).fill_null(0.0).clip(LEAST_SD).alias("chance"),
        pl.col("at").shift(1).over(_STINT).alias("started_at"),
        pl.int_range(pl.len()).over(_STINT).alias("before"),
        pl.int_range(pl.len(), 0, -1).over(_STINT).alias("after"),
        _LEVEL.shift(1).rolling_median(NEAR, min_samples=FEWEST).over(_STINT).alias("was"),
        _LEVEL.reverse().rolling_median(NEAR, min_samples=FEWEST).reverse().over(_STINT).alias("comes"),
    )
    counts = [pl.col(name).clip(None, NEAR) for name in ("before", "after")]
    few = (1 / counts[0] + 1 / counts[1]).sqrt()
    return counted.with_columns(
        (pl.col("comes") - pl.col("was")).alias("apart"), (1.25 * pl.col("chance") * few).alias("sd")
    )
