"""What vehicles say that a charge added: `charge_added_wh`, a counter that begins anew with each of their sessions."""

import polars as pl

from analytics.charging.charging_rows import MOVED_M
from analytics.charging.spans import seconds
from analytics.frames import WHO, before, marked

_COUNT = (*WHO, "at", "charging", "way_m", "speed_kmh", "known_pct", "charge_added_wh")
_RUN = (*WHO, "charge_added_wh")
ANEW = 0.9  # of the count before: what falls to less began anew, what falls less is put right
PACES = 20.0  # a first count that is faster by so much than its session goes on is of all charges ever
GOES_ON_PCT = 1.0  # a session that begins no lower than the one before ended may be its continuation


def added(sessions: pl.DataFrame, observations: pl.DataFrame) -> pl.DataFrame:
    """The rise of the counter within sessions.

    Parameters
    ----------
    sessions : DataFrame of `SESSIONS`; those of a vehicle do not overlap
    observations : as for `counts`

    Returns
    -------
    DataFrame of the sessions in which the counter rose: `provider` `vehicle` `started_at`, `added_wh`,
    `added_step_wh`, the counter's smallest rise in the session [Wh], and `added_covered`, the share of the time of the
    session's rise after which the counter was last told.

    Notes
    -----
    A value that leaves the counter and comes back is no count, nor is one that was told before the session. What fell
    began anew, and all that it says since is new; so does the first value of a session that is no continuation of the
    one before, unless it is far more than the session went on to add in its time: such a counter is of all charges
    ever. A first value that is followed by a lower one is of an earlier session.
    """
    told = counts(observations)
    inside = _inside(told, _numbered(sessions))
    sums = inside.group_by("session", maintain_order=True).agg(
        _rise().sum().alias("added_wh"),
        _rise().filter(_rise() > 0).min().alias("added_step_wh"),
        pl.col("at").last().alias("last_at"),
    )  # fmt: skip
    every = _numbered(sessions).join(sums, on="session", how="inner", maintain_order="left")
    whole_s = seconds("rose_from", "rose_to")
    covered = pl.when(whole_s > 0).then(seconds("rose_from", "last_at") / whole_s).otherwise(1.0)
    rose = every.with_columns(covered.clip(0.0, 1.0).alias("added_covered")).filter(pl.col("added_wh") > 0)
    return rose.select(*WHO, "started_at", "added_wh", "added_step_wh", "added_covered")


def counts(observations: pl.DataFrame) -> pl.DataFrame:
    """What counters told, without values that leave the counter and come back.

    Parameters
    ----------
    observations : DataFrame with `provider` `vehicle` `at` `charging` `soc_pct` `way_m` `speed_kmh` and
        `charge_added_wh` [Wh], by vehicle and time

    Returns
    -------
    DataFrame of these by vehicle and time, with the last `known_pct`, and `began_m`: the way when the count was first
    the one of the row.
    """
    known = pl.col("soc_pct").forward_fill().over(WHO).alias("known_pct")
    told = _without_excursions(observations.with_columns(known).drop_nulls("charge_added_wh").select(_COUNT))
    other = pl.any_horizontal((pl.col(name) != pl.col(name).shift(1)).fill_null(True) for name in _RUN)
    return told.with_columns(pl.col("way_m").first().over(other.cum_sum()).alias("began_m"))


def _numbered(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sessions by vehicle and time with their number, and whether each may go on where the one before ended."""
    by_time = marked(sessions.sort(*WHO, "rose_from")).with_row_index("session")
    on = pl.col("soc_start_pct") >= before("soc_finish_pct") - GOES_ON_PCT
    known = pl.when(pl.col("soc_start_pct").is_not_null()).then(on.fill_null(False))
    return by_time.with_columns(known.alias("goes_on")).drop("fresh")


def _without_excursions(told: pl.DataFrame) -> pl.DataFrame:
    """Counts, without runs of one value that lie above or below both of their neighbours and come back."""
    other = (pl.col("charge_added_wh") != before("charge_added_wh")).fill_null(True)
    rows = marked(told).with_columns(other.cum_sum().alias("run"))
    runs = marked(rows.group_by("run", maintain_order=True).agg(pl.col(*WHO, "charge_added_wh").first()))
    value, last = pl.col("charge_added_wh"), before("charge_added_wh")
    following = pl.when(~pl.col("fresh").shift(-1)).then(value.shift(-1))
    high = (last > 0) & (following >= last) & (following < value)
    low = (value < last) & (following >= last)
    kept = runs.filter(~(high | low).fill_null(False)).select("run")
    return rows.join(kept, on="run", how="semi", maintain_order="left").select(_COUNT)


def _inside(told: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """Counts in sessions, by time, without those that only repeat what was told before.

    `was_wh` is the count before, of an earlier session where it is the `first`. Where no percent tells whether a
    session goes on, the way since that count does.
    """
    stood = pl.col("way_m") - before("began_m") <= MOVED_M
    rows = marked(told).with_columns(before("charge_added_wh").alias("was_wh"), stood.alias("stood")).sort("at")
    spans = sessions.select(*WHO, "session", "rose_from", "rose_to", "goes_on").sort("rose_from")
    placed = rows.join_asof(spans, left_on="at", right_on="rose_from", by=WHO, check_sortedness=False)
    begins = pl.col("at") == pl.col("rose_from")
    within = (pl.col("at") <= pl.col("rose_to")) & ~(begins & ~pl.col("charging").fill_null(False))
    inside = placed.with_columns(begins.alias("begins")).filter(within).sort("session", "at")
    earlier = pl.col("was_wh").first().over("session")
    new = pl.col("charge_added_wh").ne_missing(earlier).cum_max().over("session")
    return inside.filter(new).with_columns(
        pl.coalesce("goes_on", "stood", pl.lit(False)).alias("goes_on"),
        (pl.col("session") != pl.col("session").shift(1)).fill_null(True).alias("first"),
    )


def _rise() -> pl.Expr:
    """What a count adds to those before it in its session; of a session whose begin nobody saw, the first adds none."""
    value, was = pl.col("charge_added_wh"), pl.col("was_wh")
    later = pl.when(value >= was).then(value - was).otherwise(value)
    stale = (value.shift(-1) < value).fill_null(False)
    onward = pl.when(pl.col("goes_on") & (value >= was)).then(value - was).otherwise(value)
    begin = (
        pl.when(stale | pl.col("begins")).then(0.0).when(_counts_all(value, was)).then(value - was).otherwise(onward)
    )
    return pl.when("first").then(begin).otherwise(later)


def _counts_all(value: pl.Expr, was: pl.Expr) -> pl.Expr:
    """Whether a first count is that of a counter that never begins anew: so much was not added in so short a time."""
    at, rest = pl.col("at"), value.last() - value
    goes_on_s, began_s = ((each.dt.total_milliseconds() / 1000) for each in (at.last() - at, at - pl.col("rose_from")))
    return ((value >= was) & (rest > 0) & (value * goes_on_s > PACES * rest * began_s)).fill_null(False)
