"""Charges that only the vehicle's counter of added energy proves: nothing else said so, and no percent rose enough."""

import polars as pl

from analytics.charging.added import ANEW, counts
from analytics.charging.charging_rows import MOVED_M
from analytics.charging.spans import overlapping, seconds, under_way
from analytics.frames import WHO, before, marked
from analytics.observations.positions import STANDS_KMH

LEAST_WH = 50.0  # less may be a figure that is put right
APART_S = 10_800.0  # two rises of one counter that are farther apart are two charges
PASSES_S, REGAINED_WH_M = 600.0, 0.25  # braking down the steepest of roads gives no more to a counter
LATE_S = 1800.0  # what the counter of a standing vehicle tells so soon after a charge is that charge's
_ENDS = ("since", "until")


def added_rises(observations: pl.DataFrame, taken: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Rises of `charge_added_wh` that are of no other charge.

    Parameters
    ----------
    observations : DataFrame with `provider` `vehicle` `at` `charging` `soc_pct` `way_m` `speed_kmh` `charge_added_wh`
    taken : DataFrame with `provider` `vehicle` `started_at` `finished_at`: when the percent changed by what is known
    trips : as for `sessions`

    Returns
    -------
    DataFrame as of `rises.rises`.

    Notes
    -----
    Rises up to 3 h apart are one charge where the counter does not begin anew and nothing is driven in between. While
    driven, only what braking cannot have given counts. Where the percent is known at both ends it must have risen;
    where it is not, what a standing vehicle tells in the half hour after a charge is of that charge, told late.
    """
    steps = _steps(observations).filter((pl.col("gained_wh") > 0) & _is_charge())
    groups = _group_steps(steps.filter(~under_way(steps, trips, "since", "until")))
    late = taken.with_columns(pl.col("finished_at") + pl.duration(milliseconds=round(1000 * LATE_S)))
    told = pl.col("soc_start_pct").is_not_null() & pl.col("soc_finish_pct").is_not_null()
    rose = (pl.col("soc_finish_pct") > pl.col("soc_start_pct")).fill_null(False)
    stood = ~pl.col("anew") & ~told & overlapping(groups, late, *_ENDS)
    free = ~overlapping(groups, taken, *_ENDS) & ~stood & (rose | ~told)
    found = groups.filter(free & (pl.col("gained_wh") >= LEAST_WH))
    return found.select(
        *WHO, "kind", "soc_start_pct", "soc_finish_pct", pl.lit("unreported").alias("unreported"),
        started_at="since", finished_at="until", rose_from="since", rose_to="until",
    )  # fmt: skip


def _steps(observations: pl.DataFrame) -> pl.DataFrame:
    """From one count to the next: what was gained, and how far the vehicle moved."""
    told = marked(counts(observations))
    value, was = pl.col("charge_added_wh"), before("charge_added_wh")
    anew = (value < ANEW * was).fill_null(False)
    comes_m = pl.when(~pl.col("fresh").shift(-1)).then(pl.col("way_m").shift(-1) - pl.col("way_m")).fill_null(0.0)
    return told.select(
        *WHO, before("at").alias("since"), pl.col("at").alias("until"), anew.alias("anew"), "way_m",
        pl.when(anew).then(value).otherwise(value - was).alias("gained_wh"),
        (pl.col("way_m") - before("way_m")).fill_null(0.0).alias("moved_m"), comes_m.alias("comes_m"),
        pl.max_horizontal("speed_kmh", before("speed_kmh")).fill_null(0.0).alias("fastest_kmh"),
        before("known_pct").alias("soc_start_pct"), pl.col("known_pct").alias("soc_finish_pct"),
    ).drop_nulls("since")  # fmt: skip


def _is_charge() -> pl.Expr:
    """Whether the vehicle stood, or gained more than braking gives."""
    stood = (pl.col("moved_m") <= MOVED_M) & (pl.col("fastest_kmh") <= STANDS_KMH)
    regained = LEAST_WH + REGAINED_WH_M * pl.col("moved_m")
    passes = seconds("since", "until") > PASSES_S
    starts = ~passes & (pl.col("comes_m") > MOVED_M)  # the odometer may come later than the counter
    return (stood & ~starts) | (passes & (pl.col("gained_wh") > regained))


def _group_steps(steps: pl.DataFrame) -> pl.DataFrame:
    rows = marked(steps)
    moved = (pl.col("way_m") - pl.col("moved_m") - before("way_m")).fill_null(0.0) > MOVED_M
    apart = (pl.col("since") - before("until")).dt.total_milliseconds() > 1000 * APART_S
    new = (pl.col("fresh") | moved | apart | pl.col("anew")).fill_null(True).cum_sum()
    return rows.with_columns(new.alias("charge")).group_by(*WHO, "charge", maintain_order=True).agg(
        pl.col("since").first(), pl.col("until").last(),
        pl.col("soc_start_pct").first(), pl.col("soc_finish_pct").last(), pl.col("gained_wh").sum(),
        (pl.col("anew") | (pl.col("moved_m") > MOVED_M)).any().alias("anew"),
        pl.when(pl.len() == 1).then(pl.lit("inferred")).otherwise(pl.lit("charge")).alias("kind"),
    )  # fmt: skip
