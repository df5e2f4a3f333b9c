"""Silences of a vehicle that is heard unlocked before and after: whether it was locked meanwhile.

An unlocked vehicle says where it is every ten seconds, whether it rides or not, a locked one every quarter of an hour.
One that spoke from the same place before and after a silence is within reach there: it was silent because it was
locked, unless more messages in a row were lost than ever are, or nobody listened.
"""

import polars as pl

from analytics.frames import WHO, before, ordered

MOVED_M, RAN_S = 30.0, 20.0  # less than both is no ride
HEARD_S, LOST = 50.0, 5  # seconds, and messages in a row: more than that is no loss on the way
AWAKE_S = 180.0  # positions farther apart are none of an unlocked vehicle
_CLOCK = ("clock_corrected", "time_ahead")  # reasons that tell of the time of a position, not that it is none
_DAY = "1d"


def spoken(fixes: pl.DataFrame, reasons: pl.DataFrame) -> pl.DataFrame:
    """When vehicles told a position, were it one or not.

    Parameters
    ----------
    fixes, reasons : what `clean.fixes` makes of the rows of `location`

    Returns
    -------
    DataFrame with `provider` `vehicle` `at`, in any order.
    """
    none = reasons.filter(~pl.col("reason").is_in(_CLOCK))
    return pl.concat([fixes.select(*WHO, "at"), none.select(*WHO, pl.col("time").alias("at"))])


def locked_within(steps: pl.DataFrame, spoken: pl.DataFrame | None) -> pl.Series:
    """Whether an unlocked vehicle must have been locked between two readings.

    Parameters
    ----------
    steps : DataFrame with `provider` `vehicle` `since` `at` `was_locked` `locked` `d_m` `dr_s` `down`, one row per pair
        of readings
    spoken : DataFrame of `spoken`, or None: then nothing is known of it

    Returns
    -------
    Series of booleans in the order of `steps`: true where the vehicle stood, unlocked before and after, and said
    nothing at all for longer than 50 s and for five times as long as between two positions of that UTC day.
    """
    stood = (pl.col("d_m") <= MOVED_M) & (pl.col("dr_s").fill_null(0.0) <= RAN_S)
    silent = ((pl.col("at") - pl.col("since")).dt.total_milliseconds() > 1000 * HEARD_S) & ~pl.col("down")
    asked = steps.select(*WHO, "since", "at", (~pl.col("was_locked") & ~pl.col("locked") & stood & silent).alias("ask"))
    places = asked.with_row_index("row").filter("ask").drop("ask")
    if spoken is None or not places.height:
        return pl.repeat(False, steps.height, eager=True)
    near = _of_days(spoken, places)
    most_ms = pl.max_horizontal(pl.lit(1000 * HEARD_S), LOST * pl.col("pace_ms"))
    days = places.with_columns(pl.col("since").dt.truncate(_DAY).alias("day"))
    judged = days.join(_paces(near), on=[*WHO, "day"]).join(_longest(near, places), on="row")
    found = judged.filter(pl.col("quiet_ms") > most_ms)["row"]
    return pl.select(pl.int_range(steps.height, dtype=pl.UInt32).is_in(found.implode())).to_series()


def _of_days(spoken: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """What was said on the days of these silences, by vehicle and time."""
    days = [places.select(*WHO, pl.col(name).dt.truncate(_DAY).alias("day")) for name in ("since", "at")]
    dated = spoken.with_columns(pl.col("at").dt.truncate(_DAY).alias("day"))
    return ordered(dated.join(pl.concat(days), on=[*WHO, "day"], how="semi"), "at")


def _paces(near: pl.DataFrame) -> pl.DataFrame:
    """How long it is between two positions of an unlocked vehicle, by vehicle and day."""
    apart_ms = (pl.col("at") - before("at")).dt.total_milliseconds()
    gaps = near.select(*WHO, "day", apart_ms.alias("apart_ms")).filter(pl.col("apart_ms") <= 1000 * AWAKE_S)
    return gaps.group_by(*WHO, "day").agg(pl.col("apart_ms").median().alias("pace_ms"))


def _longest(near: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """The longest time in each of these silences in which no position was told, either."""
    until = pl.col("at").alias("until")
    begun = near.select(*WHO, "at").sort("at").join_asof(
        places.select(*WHO, "row", "since", until).sort("since"),
        left_on="at", right_on="since", by=WHO, strategy="backward", check_sortedness=False,
    )  # fmt: skip
    said = begun.filter(pl.col("at") < pl.col("until")).select("row", "at")
    edges = [places.select("row", pl.col(name).alias("at")) for name in ("since", "at")]
    whole = pl.concat([said, *edges]).sort("row", "at")
    apart_ms = pl.col("at").diff().dt.total_milliseconds().max()
    return whole.group_by("row").agg(apart_ms.alias("quiet_ms"))
