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
MOVES = 0.01  # relative, so far from its median of a day a capacity is in half of the readings, and it moves
LEAST_PCT = 20.0  # below, whole percents make content over percent too coarse
HOLDS = 2 * DAY  # what a vehicle says of a day holds so long after and before it
_CONTENTS = ("energy_wh", "capacity_wh")  # what may be the content
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
    around it. Less than 100 Wh is no capacity, one that follows the percent is the content, and a content that stays
    the same while the percent changes, on that day or those around it, tells none. Capacities reported and by content
    that differ widen the error to half of their difference.
    """
    said = said_by_day(batteries, readings).select(*WHO, "day", *_chosen()).drop_nulls("told_wh")
    told = _spans(said)
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


def said_by_day(batteries: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """What each vehicle says of its capacity on each day (UTC).

    Parameters
    ----------
    batteries, readings : as of `capacities`

    Returns
    -------
    DataFrame by vehicle and `day`, medians of a day [Wh], null where nothing fit to be one was said: `reported`, the
    `capacity_wh` that it tells, unless that follows the percent and so is the content; `content` over percent;
    `nominal`.
    """
    says = batteries.filter(pl.any_horizontal(pl.col("capacity_wh", "nominal_wh", "energy_wh") > 0))
    shown = readings.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct").sort("at")
    both = says.sort("at").join_asof(shown, on="at", by=WHO, tolerance=_NEAR, check_sortedness=False)
    percent = pl.coalesce("soc_pct", "bms_soc_pct").alias("percent")
    days = both.with_columns(pl.col("at").dt.truncate("1d").alias("day"), percent)
    full = [pl.when(pl.col("percent") >= LEAST_PCT).then(100 * pl.col(wh) / pl.col("percent")) for wh in _CONTENTS]
    rows = days.with_columns(each.alias(f"full_{wh}") for wh, each in zip(_CONTENTS, full, strict=True))
    one = pl.when(pl.col("energy_wh").n_unique() == 1).then(pl.col("energy_wh").first())
    medians = [
        pl.when(~_follows_percent()).then(_median("capacity_wh")).alias("reported"),
        _median("full_energy_wh").alias("content"), _median("nominal_wh").alias("nominal"),
        one.alias("one"), pl.col("percent").min().alias("least"), pl.col("percent").max().alias("most"),
    ]  # fmt: skip
    told = rows.group_by(*WHO, "day").agg(medians).sort(*WHO, "day")
    return told.with_columns(pl.when(~_is_frozen()).then("content").alias("content")).drop("one", "least", "most")


def _is_frozen() -> pl.Expr:
    """Whether one content is told all day, and on the days around it, while the percent changes."""
    ends = {"least": [pl.col("least")], "most": [pl.col("most")]}
    for by in (-2, -1, 1, 2):
        near = (pl.col("day") - pl.col("day").shift(by)).abs() <= HOLDS
        same = near & pl.all_horizontal(pl.col(name) == pl.col(name).shift(by) for name in (*WHO, "one"))
        for name, values in ends.items():
            values.append(pl.when(same).then(pl.col(name).shift(by)))
    changed = pl.max_horizontal(ends["most"]) - pl.min_horizontal(ends["least"]) > FROZEN_PCT
    return (pl.col("one").is_not_null() & changed).fill_null(False)


def _median(name: str) -> pl.Expr:
    return pl.col(name).filter(pl.col(name) >= LEAST_WH).median()


def _follows_percent() -> pl.Expr:
    """Whether a capacity moves as the percent does, so that it is what the battery holds just now."""
    moves, full_moves = (_spread(pl.col(name)) for name in ("capacity_wh", "full_capacity_wh"))
    return ((moves > MOVES) & (full_moves < moves / 2)).fill_null(False)


def _spread(value: pl.Expr) -> pl.Expr:
    """Median distance from the median, relative: nothing that one odd value changes."""
    return (value / value.median() - 1).abs().median()


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
