"""What parked vehicles lose: how much percent between two readings at rest, and how little could have been seen.

The rules are those of the analytics facts, 4.1.
"""

import polars as pl

from analytics.frames import WHO, as_of, before, marked
from logger.tables import shaped

RELAXES_S = 3600.0  # a battery's percent drifts so long after a ride or a charge
LEAST_S = 3600.0  # an interval shorter than this says nothing
MOVED_M = 30.0
COUNT_SD_PCT, COUNT_95_PCT = 0.408, 0.776  # of a difference of two whole percents (facts 2.2)
UNSEEN_PCT = 0.95  # a loss above this in an interval without a step is unlikely: 95 %
_DAY_S = 86_400.0


def standby(steps: pl.DataFrame, charges: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Parked intervals and what each lost.

    Parameters
    ----------
    steps : DataFrame of `intervals`
    charges : DataFrame with `provider` `vehicle` `started_at` `finished_at` of charges and swaps
    known : DataFrame of `calibration.calibrated`, or with its `provider` `vehicle` `capacity_wh` [Wh]

    Returns
    -------
    DataFrame of `standby`, by vehicle and start.

    Notes
    -----
    An interval is locked, uncharged, of the same pack and without motion; its first hour after a ride, a charge or a
    swap is left out, and one of less than an hour has no row. A loss is a difference of whole percents, with the
    interval of such a difference: one that is negative is kept, or the mean would be too high. `resolvable` is the
    loss [%/d] above which a step would have been seen with 95 %.
    """
    rows = _rests(steps, charges)
    runs = rows.group_by(*WHO, "run", maintain_order=True).agg(
        pl.col("since").first().alias("rested_at"),
        pl.col("first").first(),
        pl.col("since").first().append(pl.col("at")).alias("at"),
        pl.col("soc_before_pct").first().append(pl.col("soc_pct")).alias("soc_pct"),
    )
    return shaped(_losses(_ends(runs), known), "standby")


def pooled(standby: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Rows of `standby` pooled by these columns: `pct_per_day` with its 95 % interval, `days`, `n`.

    The sum of losses over the sum of times; a mean of the intervals' rates would weigh an hour like a week. The spread
    of the losses about that rate counts where it is more than that of whole percents. What a battery corrects of its
    percent at every rest, always in one direction, is in the rate: it shrinks with longer rests, not with more of them.
    """
    days = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / (1000 * _DAY_S)
    told = standby.with_columns(days=days).drop_nulls("soc_lost_pct")
    rates = told.group_by(by, maintain_order=True).agg(
        (pl.col("soc_lost_pct").sum() / pl.col("days").sum()).alias("rate")
    )
    rest = pl.col("soc_lost_pct") - pl.col("rate") * pl.col("days")
    sums = told.join(rates, on=by, how="left", maintain_order="left").group_by(by, maintain_order=True).agg(
        pl.col("rate").first(), pl.col("days").sum(), pl.len().cast(pl.Int64).alias("n"),
        pl.max_horizontal((rest**2).sum() / (pl.len() - 1).clip(1), pl.lit(COUNT_SD_PCT**2)).first().alias("variance"),
    )  # fmt: skip
    half = 1.96 * (pl.col("n") * pl.col("variance")).sqrt() / pl.col("days")
    return sums.select(
        *by, pl.col("rate").alias("pct_per_day"), (pl.col("rate") - half).alias("pct_per_day_low"),
        (pl.col("rate") + half).alias("pct_per_day_high"), "days", "n",
    )  # fmt: skip


def _rests(steps: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """Steps at rest, numbered by `run`; `first` where the run begins with the vehicle's first reading."""
    busy = _touched(steps, charges)
    charging = pl.col("charging") | before("charging")
    rests = (
        (pl.col("role") == "park") & pl.col("since").is_not_null() & (pl.col("d_m") <= MOVED_M) & ~busy
        & ~charging.fill_null(False)
    )  # fmt: skip
    flagged = marked(steps).with_columns(rests=rests, soc_before_pct=before("soc_pct"))
    begins = pl.col("rests") & ~before("rests").fill_null(False)
    firsts = pl.col("since") == pl.col("at").first().over(WHO)
    return flagged.with_columns(run=begins.cum_sum(), first=firsts).filter("rests")


def _touched(steps: pl.DataFrame, charges: pl.DataFrame) -> pl.Series:
    """Whether a charge or a swap lies in a step, in part or whole."""
    spans = charges.select(*WHO, "started_at", "finished_at").sort("started_at")
    spans = spans.with_columns(pl.col("finished_at").cum_max().over(WHO))
    places = steps.select(*WHO, "since", "at").with_row_index("row").sort("at")
    joined = places.join_asof(
        spans, left_on="at", right_on="started_at", by=WHO, allow_exact_matches=False, check_sortedness=False
    )
    return (joined.sort("row")["finished_at"] > joined.sort("row")["since"]).fill_null(False)


def _ends(runs: pl.DataFrame) -> pl.DataFrame:
    """Of each run its first and last reading of the percent once the battery has relaxed."""
    told = runs.explode("at", "soc_pct").drop_nulls("soc_pct")
    relaxed = pl.col("rested_at") + pl.duration(milliseconds=round(1000 * RELAXES_S))
    ready = told.filter(pl.col("first") | (pl.col("at") >= relaxed))
    ends = ready.group_by(*WHO, "run", maintain_order=True).agg(
        pl.col("at").first().alias("started_at"), pl.col("at").last().alias("finished_at"),
        (pl.col("soc_pct").first() - pl.col("soc_pct").last()).alias("soc_lost_pct"),
    )  # fmt: skip
    long = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() >= 1000 * LEAST_S
    return ends.filter(long).with_columns(time="started_at")


def _losses(ends: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    days = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / (1000 * _DAY_S)
    rate, half = pl.col("soc_lost_pct") / days, COUNT_95_PCT / days
    capacity = as_of(ends, "started_at", known.select(pl.col(*WHO, "^since$", "capacity_wh")))
    return capacity.with_columns(
        pct_per_day=rate,
        pct_per_day_low=rate - half,
        pct_per_day_high=rate + half,
        mean_w=rate / 100 * pl.col("capacity_wh") / 24,
        resolvable=UNSEEN_PCT / days,
    )
