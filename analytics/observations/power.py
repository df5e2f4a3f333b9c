"""Energy of trips from readings of power, where these are close enough together; and what was fed back.

One reading a minute gives no energy of a trip (off by a third after ten minutes: analytics facts, F4); those are pooled
over many, see `polled`. Elsewhere count readings at most 30 s apart, as some electric cars and direct devices give
them. Power is that of `batteries.batteries`: told, or voltage times current.
"""

import polars as pl

from analytics.frames import WHO, as_of

APART_S = 30.0  # readings further apart are not joined
SENSOR_SD = 0.025  # of readings of power: a sensor that nobody has checked errs by 5 %, common to all its trips
COVERED = 0.8  # of a trip's time that must be
APART_SHARE, WANDERS_SHARE = 1 / 2, 1 / 12  # of a squared difference, by which a step between two readings errs
SIGNS = {"discharge_positive": 1.0, "charge_positive": -1.0}  # of `motor_power_w`, so that what is used is positive


def powered(trips: pl.DataFrame, batteries: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Net energy of trips by power.

    Parameters
    ----------
    trips : DataFrame with `provider` `vehicle` `started_at` `finished_at`; a vehicle's do not overlap
    batteries : DataFrame of BATTERIES: `power_w` [W] is positive into the battery; where it is null, `motor_power_w`
    known : DataFrame of `figures.calibrated`, or with its `provider` `vehicle` `motor_power_sign`; where that is
        null, `motor_power_w` tells nothing

    Returns
    -------
    DataFrame in the order of `trips`: `power_wh` (net, positive when used) and `regen_wh` (fed back) [Wh], and
    `power_sd_wh`, the standard error of `power_wh` by what lies between readings; null where readings cover less than
    80 % of the trip. Trapezoids; what is not covered counts at the mean power.

    Notes
    -----
    Successive readings differ by what power does in between. Where they are so far apart that each is a draw of its
    own, the second next differs no more than the next, and a step errs by a half of the squared difference times `dt`;
    where power wanders from one to the other, the second next differs by twice as much, and a step errs by a twelfth (a
    Brownian bridge). In between, it is in between. What is not covered may have been twice the mean or nothing, all
    being as likely. The error of the sensor is not in it.
    """
    told = _integrals(trips, net_power(batteries, known))
    enough = pl.when("covered")
    part = APART_SHARE + (WANDERS_SHARE - APART_SHARE) * (pl.col("growth").fill_nan(None).fill_null(1.0) - 1).clip(0, 1)
    between = pl.col("scale") * (part * pl.col("differences")).sqrt() / 3600
    unseen = pl.col("hours_sum").abs() * (pl.col("scale") - 1) / 3**0.5
    return told.select(
        enough.then(pl.col("hours_sum") * pl.col("scale")).alias("power_wh"),
        enough.then(pl.col("back_sum") * pl.col("scale")).alias("regen_wh"),
        enough.then((between**2 + unseen**2).sqrt()).alias("power_sd_wh"),
    )


def charge_used(trips: pl.DataFrame, batteries: pl.DataFrame) -> pl.Series:
    """Charge that trips took by readings of current: `used_ah` [Ah], in the order of `trips`, net, positive when used.

    Parameters
    ----------
    trips, batteries : as of `powered`; `current_a` [A] is positive into the battery

    Returns
    -------
    Series; null where readings cover less than 80 % of the trip.
    """
    current = batteries.select(*WHO, "at", used=-pl.col("current_a")).drop_nulls("used").sort("at")
    hours = pl.when("covered").then(pl.col("hours_sum") * pl.col("scale"))
    return _integrals(trips, current).select(hours.alias("used_ah"))["used_ah"]


def _integrals(trips: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Of trips, in their order: sums over steps between readings that are near, and whether these cover the trip.

    `hours_sum` and `back_sum` are trapezoids times hours, of all and of what was fed back; `scale` carries them to the
    whole trip; `differences` and `growth` tell how much a step may err.
    """
    numbered = trips.select(*WHO, "started_at", "finished_at").with_row_index("trip")
    sums = _pieces(numbered, readings).group_by("trip").agg(
        pl.col("dt_s").sum().alias("covered_s"),
        ((pl.col("used") - pl.col("was")) * pl.col("dt_s")).pow(2).sum().alias("differences"),
        (_squares("was_before") / _squares("was")).alias("growth"),
        (pl.col("dt_s") * (pl.col("used") + pl.col("was")) / 7200).sum().alias("hours_sum"),
        (pl.col("dt_s") * ((-pl.col("used")).clip(0.0) + (-pl.col("was")).clip(0.0)) / 7200).sum().alias("back_sum"),
    )  # fmt: skip
    told = numbered.join(sums, on="trip", how="left", maintain_order="left")
    whole_s = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 1000
    covered = (pl.col("covered_s") >= COVERED * whole_s).fill_null(False)
    return told.with_columns(covered.alias("covered"), (whole_s / pl.col("covered_s")).alias("scale"))


def _squares(earlier: str) -> pl.Expr:
    """Of the differences from an earlier reading, where two are known."""
    return (pl.col("used") - pl.col(earlier)).filter(pl.col("was_before").is_not_null()).pow(2).sum()


def net_power(batteries: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Readings of power that mean something: `provider` `vehicle` `at` and `used` [W], positive when used; by time."""
    signs = known.select(pl.col(*WHO, "^since$", "motor_power_sign"))
    way = pl.col("motor_power_sign").replace_strict(SIGNS, default=None, return_dtype=pl.Float64())
    told = as_of(batteries, "at", signs)
    used = pl.coalesce(-pl.col("power_w"), pl.col("motor_power_w") * way).alias("used")
    return told.select(*WHO, "at", used).drop_nulls("used").sort("at")


def polled(trips: pl.DataFrame, steps: pl.DataFrame, batteries: pl.DataFrame) -> pl.Series:
    """What single readings of power say of trips, to be pooled over many: `polled_wh`, in the order of `trips`.

    Parameters
    ----------
    trips : DataFrame of `trips.trips`
    steps : DataFrame of `segments`
    batteries : DataFrame of BATTERIES

    Returns
    -------
    Energy used [Wh], of `observed` trips (in a gap, nobody could ask) with a reading while they moved, by `power_w`;
    where only `motor_power_w` is told, by that, in its own sign.
    """
    powers = (-pl.col("power_w"), pl.col("motor_power_w"))
    rows = trips.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"))
    for place, power in enumerate(powers):
        told = _of_trips(trips, steps, batteries.select(*WHO, "at", used_w=power).drop_nulls("used_w"))
        named = told.select("row", pl.col("wh").alias(f"wh_{place}"))
        rows = rows.join(named, on="row", how="left", maintain_order="left")
    return rows.select(pl.coalesce("wh_0", "wh_1").alias("polled_wh"))["polled_wh"]


def _of_trips(trips: pl.DataFrame, steps: pl.DataFrame, powers: pl.DataFrame) -> pl.DataFrame:
    """`row` and `wh` of trips with such readings.

    A trip used its mean power in motion for its riding seconds, and its vehicle's mean power at a stand on that day for
    the rest. A plain mean would be too low by 3 % (simulated): who is unlocked is asked at once, and stands.
    """
    rides = _observed(trips)
    within = powers.sort("at").join_asof(
        rides, left_on="at", right_on="started_at", by=WHO, check_sortedness=False
    ).filter(pl.col("at") <= pl.col("finished_at"))  # fmt: skip
    ends = steps.select(*WHO, pl.col("at").alias("until"), (pl.col("dr_s") >= pl.col("dt_s") / 2).alias("moves"))
    told = within.sort("at").join_asof(
        ends.sort("until"), left_on="at", right_on="until", by=WHO, strategy="forward", check_sortedness=False
    ).with_columns(pl.col("moves").fill_null(True))  # fmt: skip
    stands = pl.col("used_w").filter(~pl.col("moves")).mean().over(*WHO, pl.col("started_at").dt.truncate("1d"))
    moving = told.with_columns(stands.fill_null(0.0).alias("stands_w")).filter("moves")
    moved = pl.col("used_w").mean() * pl.col("hours").first()
    stood = (pl.col("stands_w") * pl.col("stood")).first()
    return moving.group_by("row", maintain_order=True).agg((moved + stood).alias("wh"))


def _observed(trips: pl.DataFrame) -> pl.DataFrame:
    """Rides without a gap, by start: the `hours` that they moved and those that they `stood`."""
    hours = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 3_600_000
    moved = pl.coalesce(pl.col("riding_s") / 3600, hours)
    seen = trips.with_row_index("row").filter((pl.col("kind") == "observed") & (pl.col("distance_m") > 0))
    rides = seen.select(
        *WHO, "row", "started_at", "finished_at", moved.alias("hours"), (hours - moved).clip(0.0).alias("stood")
    )
    return rides.sort("started_at")


def _pieces(trips: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Steps between neighbouring readings of one trip."""
    rides = trips.sort("started_at")
    placed = readings.join_asof(rides, left_on="at", right_on="started_at", by=WHO, check_sortedness=False)
    rows = placed.filter(pl.col("at") <= pl.col("finished_at")).sort("trip", "at")
    same = pl.when(pl.col("trip") == pl.col("trip").shift(1))
    steps = rows.with_columns(
        same.then((pl.col("at") - pl.col("at").shift(1)).dt.total_milliseconds() / 1000).alias("dt_s"),
        same.then(pl.col("used").shift(1)).alias("was"),
        pl.when(pl.col("trip") == pl.col("trip").shift(2)).then(pl.col("used").shift(2)).alias("was_before"),
    )
    return steps.filter(pl.col("dt_s") <= APART_S)
