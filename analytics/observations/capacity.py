"""What 100 % of a vehicle are worth: in one order of who is believed, and each with its error."""

import polars as pl

from analytics.frames import DAY, WHO, as_of, before, marked

CAPACITY_SD = 0.12  # relative standard error of a data sheet's capacity, common to all rides on a pack
USE_SD = 0.15  # ... of a configured Wh/km, common to all rides of a model
REPORTED_SD, CONTENT_SD, NOMINAL_SD = 0.03, 0.04, 0.10  # ... of a capacity reported, by content and percent, nominal
USABLE = 0.95  # of a nominal capacity
LEAST_WH = 100.0  # a battery that drives a person holds more; one that is told to hold less is told in another unit
MOST_WH = 2e6  # ... and no vehicle on a road carries as much
FROZEN_PCT = 2.0  # a content that stays while the percent changes by more is no longer told anew
LEAST_PCT = 20.0  # below, whole percents make content over percent too coarse
HOLDS = 2 * DAY  # what a vehicle says of a day holds so long after and before it
_NEAR = "60s"  # percent and content of one moment may come in rows of their own


def capacities(known: pl.DataFrame, batteries: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """What is known of vehicles, with the capacity by the one order of who is believed.

    Parameters
    ----------
    known : DataFrame of `figures.with_verdicts`: `provider` `vehicle` `since` `capacity_wh` [Wh], `capacity_sd`,
        relative, and more
    batteries : DataFrame of `BATTERIES`
    readings : DataFrame with `provider` `vehicle` `at` `soc_pct` [%]

    Returns
    -------
    DataFrame as `known`, with a row more wherever what the vehicle says begins or ends to hold.

    Notes
    -----
    First what the fleet's own data say (surer than 12 %), then the vehicle: its `capacity_wh` (3 %), the median of its
    content over its percent (4 %), 0.95 x `nominal_wh` (10 %); then the settings. What a vehicle says is its median of
    a day (UTC); it holds on that day and, where nothing else is said, on the two days after and the two before. So a
    vehicle that has only now told its capacity uses it for its last days, and no row depends on more than the days
    around it. Less than 100 Wh is no capacity, and a content that stays the same all day while the percent changes
    tells none. Capacities reported and by content that differ widen the error to half of their difference.
    """
    told = _spans(_by_day(batteries, readings))
    if told.is_empty():
        return known
    told = told.cast({"since": known.schema["since"]})
    moments = pl.concat([rows.select(*WHO, "since") for rows in (known, told)]).unique().sort(*WHO, "since")
    moments = moments.join(known.select(WHO).unique(), on=WHO, how="semi", maintain_order="left")
    rows = as_of(as_of(moments.with_columns(pl.col("since").alias("at")), "at", known), "at", told)
    measured = (pl.col("capacity_wh").is_not_null() & (pl.col("capacity_sd") < CAPACITY_SD)).fill_null(False)
    own = pl.when(~measured & pl.col("told_wh").is_not_null())
    return rows.with_columns(
        own.then("told_wh").otherwise("capacity_wh").alias("capacity_wh"),
        own.then("told_sd").otherwise("capacity_sd").alias("capacity_sd"),
    ).select(known.columns)


def _by_day(batteries: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """What each vehicle says on each day: `told_wh` and `told_sd`."""
    says = batteries.filter(pl.any_horizontal(pl.col("capacity_wh", "nominal_wh", "energy_wh") > 0))
    if says.is_empty():
        return says.select(*WHO, pl.col("at").alias("day"), told_wh="capacity_wh", told_sd="capacity_wh")
    shown = readings.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct").sort("at")
    both = says.sort("at").join_asof(shown, on="at", by=WHO, tolerance=_NEAR, check_sortedness=False)
    percent = pl.coalesce("soc_pct", "bms_soc_pct").alias("percent")
    full = pl.when(percent >= LEAST_PCT).then(100 * pl.col("energy_wh") / percent)
    days = both.with_columns(pl.col("at").dt.truncate("1d").alias("day"), percent, full.alias("full_wh"))
    names = {"reported": "capacity_wh", "content": "full_wh", "nominal": "nominal_wh"}
    moved = pl.col("percent").max() - pl.col("percent").min() > FROZEN_PCT
    frozen = ((pl.col("energy_wh").n_unique() == 1) & moved).fill_null(False)
    medians = [pl.col(name).filter(pl.col(name) >= LEAST_WH).median().alias(word) for word, name in names.items()]
    medians[1] = pl.when(~frozen).then(medians[1]).alias("content")
    return days.group_by(*WHO, "day").agg(medians).select(*WHO, "day", *_chosen()).drop_nulls("told_wh")


def _chosen() -> list[pl.Expr]:
    reported, content = pl.col("reported"), pl.col("content")
    apart = ((reported / content - 1).abs() / 2).fill_null(0.0)
    sd = (
        pl.when(reported.is_not_null()).then(pl.max_horizontal(pl.lit(REPORTED_SD), apart))
        .when(content.is_not_null()).then(CONTENT_SD).otherwise(NOMINAL_SD)
    )  # fmt: skip
    return [pl.coalesce(reported, content, USABLE * pl.col("nominal")).alias("told_wh"), sd.alias("told_sd")]


def _spans(days: pl.DataFrame) -> pl.DataFrame:
    """From when on each day's figure holds, and rows of null from when on none does."""
    rows = marked(days.sort(*WHO, "day"))
    earlier, following = before("day") + HOLDS + DAY, pl.when(~pl.col("fresh").shift(-1)).then(pl.col("day").shift(-1))
    begin = pl.min_horizontal("day", pl.max_horizontal(earlier, pl.col("day") - HOLDS)).alias("since")
    end = pl.col("day") + HOLDS + DAY
    ends = rows.filter((following - HOLDS > end).fill_null(True)).select(*WHO, end.alias("since"))
    held = rows.select(*WHO, begin, "told_wh", "told_sd")
    return pl.concat([held, ends], how="diagonal").sort(*WHO, "since")


def sure(known: pl.DataFrame) -> pl.DataFrame:
    """What `figures.calibrated` tells, with the usual where it is silent."""
    usual = {"capacity_sd": CAPACITY_SD, "wh_per_km_sd": USE_SD, "percent_slope": 0.0}
    missing = [pl.lit(None, pl.Float64()).alias(name) for name in ("wh_per_km", *usual) if name not in known.columns]
    told = known.with_columns(missing).select(pl.col(*WHO, "^since$", "capacity_wh", "wh_per_km", *usual))
    return told.with_columns(pl.col(name).fill_null(value) for name, value in usual.items())
