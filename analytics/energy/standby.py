"""What parked vehicles lose: how much percent between two readings at rest, and how little could have been seen.

The rules are those of the analytics facts, 4.1.
"""

import polars as pl

from analytics.charging.spans import overlapping, seconds
from analytics.frames import WHO, as_of, before, carried, marked
from analytics.observations.soc import resolutions
from analytics.observations.soc_steps import leaps
from logger.tables import shaped

RELAXES_S = 3600.0  # a battery's percent drifts so long after a ride or a charge
LEAST_S = 3600.0  # an interval shorter than this says nothing
MOVED_M = 30.0
COUNT_SD_PCT, COUNT_95_PCT = 0.408, 0.776  # of a difference of two percents, in their steps (facts 2.2)
UNSEEN_PCT = 0.95  # a loss of more steps in an interval without one is unlikely: 95 %
_DAY_S = 86_400.0


def standby(
    segments: pl.DataFrame,
    observations: pl.DataFrame,
    sessions: pl.DataFrame,
    swaps: pl.DataFrame,
    discharges: pl.DataFrame,
    known: pl.DataFrame,
) -> pl.DataFrame:
    """Parked intervals and what each lost.

    Parameters
    ----------
    segments : DataFrame of `intervals`
    observations : DataFrame with `provider` `vehicle` `at` `soc_pct` `way_m` `charging`: every row, its percent clean
    sessions, swaps, discharges : DataFrames of `SESSIONS`, `SWAPS` and `DISCHARGES`
    known : DataFrame of `figures.calibrated`, or with its `provider` `vehicle` `capacity_wh` [Wh]

    Returns
    -------
    DataFrame of `standby`, by vehicle and start.

    Notes
    -----
    An interval lies between two readings of the percent of a parked vehicle, of the same pack and without motion, in
    which nothing was charged, nothing given on purpose, and the percent did not leap. It goes on to the last reading
    before a trip, also where that tells of nothing but the percent. The first hour after a trip, a charge or a swap is
    left out, and one of less than an hour has no row. A loss is a difference of percents, with the interval of such a
    difference: one that is negative is kept, or the mean would be too high. `resolvable` is the loss [%/d] above which
    a step would have been seen with 95 %.
    """
    leapt = leaps(observations, swaps).select(*WHO, "since", until="at")
    busy = _busy(segments, sessions, swaps, discharges, leapt)
    runs = _rests(observations, busy)
    return shaped(_losses(_ends(runs), known, resolutions(observations)), "standby")


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


def _busy(segments: pl.DataFrame, *drawn: pl.DataFrame) -> pl.DataFrame:
    """Spans in which a vehicle is under way, or charged, or drawn from: `started_at` `finished_at`."""
    apart = pl.col("role").is_in(["start", "hidden", "split"])
    begun = pl.when(apart).then(pl.coalesce("began_at", "since")).otherwise("since")
    ended = pl.when(pl.col("role").is_in(["end", "hidden"])).then(pl.coalesce("ended_at", "at")).otherwise("at")
    trips = segments.filter(pl.col("role") != "park").select(*WHO, started_at=begun, finished_at=ended)
    names = {"since": "started_at", "until": "finished_at"}
    spans = [trips.drop_nulls(), *(rows.rename(names, strict=False).select(trips.columns) for rows in drawn)]
    return pl.concat(spans, how="vertical_relaxed")


def _rests(observations: pl.DataFrame, busy: pl.DataFrame) -> pl.DataFrame:
    """Intervals at rest, numbered by `run`; `rested_at` is when the vehicle came to rest, null where nobody knows."""
    rows = marked(carried(observations, "way_m").drop_nulls("soc_pct"))
    steps = rows.with_columns(
        before("at").alias("since"), before("soc_pct").alias("soc_before_pct"),
        (pl.col("charging") | before("charging")).fill_null(False).alias("charged"),
        (pl.col("way_m") - before("way_m")).fill_null(0.0).alias("d_m"),
    )  # fmt: skip
    free = ~overlapping(steps, busy, "since", "at") & steps["since"].is_not_null()
    rests = steps.with_columns(rests=free & (pl.col("d_m") <= MOVED_M) & ~pl.col("charged"), free=free)
    begins = pl.col("rests") & ~before("rests").fill_null(False)
    pushed = pl.when(begins & before("free") & before("since").is_not_null()).then("since").alias("pushed_at")
    numbered = rests.with_columns(begins.cum_sum().alias("run"), pushed).filter("rests").drop("fresh")
    return _last_busy(numbered, busy).with_columns(pl.max_horizontal("rested_at", "pushed_at").alias("rested_at"))


def _last_busy(steps: pl.DataFrame, busy: pl.DataFrame) -> pl.DataFrame:
    """Intervals with `rested_at`, the last end of a busy span until they begin."""
    ends = busy.select(*WHO, rested_at=pl.col("finished_at").cast(steps.schema["since"])).sort("rested_at")
    placed = steps.with_row_index("row").sort("since").join_asof(
        ends, left_on="since", right_on="rested_at", by=WHO, coalesce=False, check_sortedness=False
    )  # fmt: skip
    return placed.sort("row").drop("row")


def _ends(steps: pl.DataFrame) -> pl.DataFrame:
    """Of each run its first and last reading of the percent once the battery has relaxed."""
    runs = steps.group_by(*WHO, "run", maintain_order=True).agg(
        pl.col("rested_at").first(),
        pl.col("since").first().append(pl.col("at")).alias("at"),
        pl.col("soc_before_pct").first().append(pl.col("soc_pct")).alias("soc_pct"),
    )
    relaxed = pl.col("rested_at") + pl.duration(milliseconds=round(1000 * RELAXES_S))
    ready = runs.explode("at", "soc_pct").filter((pl.col("at") >= relaxed).fill_null(True))
    ends = ready.group_by(*WHO, "run", maintain_order=True).agg(
        pl.col("at").first().alias("started_at"), pl.col("at").last().alias("finished_at"),
        (pl.col("soc_pct").first() - pl.col("soc_pct").last()).alias("soc_lost_pct"),
    )  # fmt: skip
    return ends.filter(seconds("started_at", "finished_at") >= LEAST_S).with_columns(time="started_at")


def _losses(ends: pl.DataFrame, known: pl.DataFrame, resolutions: pl.DataFrame) -> pl.DataFrame:
    days, step = seconds("started_at", "finished_at") / _DAY_S, pl.col("step_pct").fill_null(1.0)
    rate, half = pl.col("soc_lost_pct") / days, COUNT_95_PCT * step / days
    stepped = ends.join(resolutions, on=WHO, how="left", maintain_order="left")
    capacity = as_of(stepped, "started_at", known.select(pl.col(*WHO, "^since$", "capacity_wh")))
    return capacity.with_columns(
        pct_per_day=rate,
        pct_per_day_low=rate - half,
        pct_per_day_high=rate + half,
        mean_w=rate / 100 * pl.col("capacity_wh") / 24,
        resolvable=UNSEEN_PCT * step / days,
    )
