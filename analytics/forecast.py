"""When a vehicle's percent will fall below what calls for a swap: by its own use and its fleet's, hour of week by hour.

The model is that of the analytics facts, 4.7, with moments of the use by hour in place of those of rides.
"""

from datetime import time, timedelta
from statistics import NormalDist

import polars as pl

from analytics.standby import pooled
from analytics.steps import WHO
from analytics.zones import localised, zoned
from logger.settings import Analytics
from logger.tables import shaped, table

SILENT = timedelta(days=3)  # a vehicle of which nothing was heard for so long has no forecast
WEEKS = 6  # what was longer ago tells little
HORIZON_H = 24 * 14
OWN_PCT = 50.0  # a vehicle's own use counts as much as its fleet's once the fleet's would have been this
LIKE_H = 24.0  # an hour of the week counts as much as that hour of all days once it was seen so often
START_VAR = 1 / 12  # of a whole percent
_T10, _T90 = NormalDist().inv_cdf(0.1), NormalDist().inv_cdf(0.9)


def forecasts(
    heard: pl.LazyFrame, trips: pl.DataFrame, standby: pl.DataFrame, known: pl.DataFrame, analytics: Analytics
) -> pl.DataFrame:
    """Rows of `forecast` of all vehicles that were heard; those of one model are used alike.

    Parameters
    ----------
    heard : LazyFrame of `status`, of the days that count: of a vehicle that was silent, nobody knows the percent
    trips, standby, known : as for `forecast`; `known` has `model`, too
    """
    told = heard.select(*WHO, pl.col("time").alias("at"), "soc_pct").drop_nulls("soc_pct").collect()
    now = told.filter(pl.col("at") == pl.col("at").max().over(WHO)).unique(WHO, keep="any")
    models = now.join(known.select(*WHO, "model"), on=WHO, how="left").sort(*WHO)
    least, service_at = analytics.swap_below_pct, time.fromisoformat(analytics.service_at)
    made = [
        forecast(part, trips, standby, known, threshold_pct=least, service_at=service_at)
        for _, part in models.group_by("provider", "model", maintain_order=True)
    ]
    return pl.concat([table("forecast").schema.to_frame(), *made]).sort(WHO)


def forecast(
    now: pl.DataFrame,
    trips: pl.DataFrame,
    standby: pl.DataFrame,
    known: pl.DataFrame,
    *,
    threshold_pct: float,
    service_at: time,
) -> pl.DataFrame:
    """When each vehicle falls below the threshold, counted from its last percent.

    Parameters
    ----------
    now : DataFrame `provider` `vehicle` `at` `soc_pct`, the last of each: a fleet whose vehicles are used alike
    trips : DataFrame with `provider` `vehicle` `started_at` `soc_used_pct`
    standby : DataFrame of `standby`
    known : DataFrame with `provider` `vehicle` `timezone`; UTC where that is null
    threshold_pct : percent at which a pack is swapped
    service_at : local time of day at which the crew comes

    Returns
    -------
    DataFrame of `forecast`, by vehicle: `t10`, `t50` and `t90` to the hour, null beyond 14 days; the threshold is
    reached before `t10` with 10 %, and so on. `below_at_next_service` is how likely it is by then.

    Notes
    -----
    What a ride used counts in the hour in which it began, what standing takes in every hour alike. Use in the hours to
    come is independent from hour to hour, with mean and variance of that hour of the week among the fleet in six weeks,
    times the vehicle's own factor; the variance is scaled to that of whole days, whose hours are not independent. What
    is used until a moment is taken as normal, which for the first few rides is coarse.
    """
    who = zoned(now.sort(WHO), known).with_row_index("who")
    used = _used(who, trips, standby)
    slots = _slots(used)
    factors, phi = _factors(used.join(slots, on="slot", maintain_order="left"))
    paths = _paths(who.join(factors, on="who", maintain_order="left"), slots, phi, threshold_pct)
    told = who.select("who", *WHO).join(_crossings(paths), on="who").join(_served(paths, service_at), on="who")
    return shaped(told, "forecast").sort(WHO)


# ---- use so far ----------------------------------------------------------------------------------------------------


def _used(who: pl.DataFrame, trips: pl.DataFrame, standby: pl.DataFrame) -> pl.DataFrame:
    """`used_pct` of every hour since a vehicle's first trip or rest in the weeks that count, by vehicle and time."""
    since = pl.col("at") - pl.duration(weeks=WEEKS)
    spans = who.select("who", *WHO, "timezone", since.alias("since"), pl.col("at").alias("until"))
    rides = _within(trips.drop_nulls("soc_used_pct"), spans, "started_at")
    rests = _within(standby.drop_nulls("soc_lost_pct"), spans, "finished_at")
    rates = pooled(rests, "who").select("who", (pl.col("pct_per_day") / 24).alias("stood_pct"))
    first = pl.concat([each.select("who", "started_at") for each in (rides, rests)]).group_by("who").min()
    begun = spans.join(first, on="who", how="left").join(rates, on="who", how="left").sort("who")
    begin = pl.max_horizontal("since", pl.col("started_at").fill_null(pl.col("until"))).dt.truncate("1h")
    hours = pl.datetime_ranges(begin, pl.col("until").dt.truncate("1h"), "1h").alias("hour")
    grid = begun.select("who", "timezone", pl.col("stood_pct").fill_null(0.0), hours).explode("hour")
    sums = rides.group_by("who", pl.col("started_at").dt.truncate("1h").alias("hour")).agg(pl.col("soc_used_pct").sum())
    each = grid.join(sums, on=["who", "hour"], how="left", maintain_order="left")
    used = pl.col("stood_pct") + pl.col("soc_used_pct").fill_null(0.0)
    return _slotted(each.with_columns(used.alias("used_pct")), "hour").select(
        "who", "local", "clock", "slot", "used_pct"
    )


def _within(rows: pl.DataFrame, spans: pl.DataFrame, moment: str) -> pl.DataFrame:
    inside = pl.col(moment).is_between(pl.col("since"), pl.col("until"))
    return rows.join(spans, on=WHO).filter(inside).sort("who", moment)


def _slotted(rows: pl.DataFrame, moment: str) -> pl.DataFrame:
    """With `local`, `slot`, the hour of the local week, and `clock`, that of the local day."""
    clock, day = pl.col("local").dt.hour().cast(pl.Int32), pl.col("local").dt.weekday().cast(pl.Int32)
    return localised(rows, moment).with_columns(clock=clock, slot=(day - 1) * 24 + clock).sort("who", moment)


def _slots(used: pl.DataFrame) -> pl.DataFrame:
    """Of each hour of the week the fleet's mean and variance, drawn to those of its time of day, or of all time."""
    slots = pl.DataFrame({"slot": range(168)}, schema={"slot": pl.Int32()}).with_columns(clock=pl.col("slot") % 24)
    rows = used.with_columns(square=pl.col("used_pct") ** 2)
    names, whole = ("used_pct", "square"), rows.select(pl.col("used_pct", "square").mean()).row(0)
    clocks = rows.group_by("clock").agg(pl.col(names).mean().name.suffix("_of_clock"))
    seen = rows.group_by("slot").agg(pl.len().alias("seen"), pl.col(names).sum())
    told = slots.join(seen, on="slot", how="left").join(clocks, on="clock", how="left").sort("slot")
    like = [pl.col(f"{name}_of_clock").fill_null(value or 0.0) for name, value in zip(names, whole, strict=True)]
    mean, square = (
        (pl.col(name).fill_null(0.0) + LIKE_H * of) / (pl.col("seen").fill_null(0) + LIKE_H)
        for name, of in zip(names, like, strict=True)
    )
    return told.select("slot", mean_pct=mean.clip(0.0), variance=(square - mean**2).clip(0.0))


def _factors(hours: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    """How much more than the fleet each vehicle uses, with its variance; by how much days vary more than hours say."""
    sums = hours.group_by("who", maintain_order=True).agg(pl.col("used_pct", "mean_pct", "variance").sum())
    weight = pl.col("mean_pct") + OWN_PCT
    factor = ((pl.col("used_pct") + OWN_PCT) / weight).clip(0.0)
    factors = sums.select("who", factor.alias("factor"), (factor * pl.col("variance") / weight**2).alias("factor_var"))
    days = hours.group_by("who", pl.col("local").dt.date(), maintain_order=True).agg(
        pl.col("used_pct", "mean_pct", "variance").sum()
    )
    rest = (pl.col("used_pct") - pl.col("factor") * pl.col("mean_pct")) ** 2
    sums = days.join(factors, on="who", maintain_order="left")
    squares, variance = sums.select(rest.sum(), (pl.col("factor") * pl.col("variance")).sum()).row(0)
    return factors, squares / variance if variance else 1.0


# ---- use to come ---------------------------------------------------------------------------------------------------


def _paths(who: pl.DataFrame, slots: pl.DataFrame, phi: float, threshold: float) -> pl.DataFrame:
    """Each vehicle's hours to come: `until`, and `score`, in sd by how much what is used passes what may be."""
    hours = (
        who.drop(WHO)
        .join(pl.DataFrame({"hours": range(1, HORIZON_H + 1)}), how="cross")
        .with_columns(
            until=(pl.col("at") + pl.duration(hours="hours")).cast(who.schema["at"]),
            middle=pl.col("at") + pl.duration(hours="hours") - pl.duration(minutes=30),
        )
    )
    told = _slotted(hours, "middle").join(slots, on="slot", how="left", maintain_order="left")
    ahead = told.with_columns(pl.col("mean_pct", "variance").cum_sum().over("who"))
    variance = phi * (pl.col("factor") * pl.col("variance") + pl.col("mean_pct") ** 2 * pl.col("factor_var"))
    over = pl.col("factor") * pl.col("mean_pct") - (pl.col("soc_pct") - threshold)
    return ahead.with_columns(score=over / (variance + START_VAR).sqrt(), low=pl.col("soc_pct") <= threshold)


def _crossings(paths: pl.DataFrame) -> pl.DataFrame:
    until, score = pl.col("until"), pl.col("score")
    return paths.group_by("who").agg(
        pl.col("at").first().alias("time"),
        pl.col("soc_pct").first(),
        *(
            pl.when(pl.col("low").first()).then(pl.col("at").first()).otherwise(until.filter(score >= least).first())
            .alias(name)
            for name, least in (("t10", _T10), ("t50", 0.0), ("t90", _T90))
        ),
    )  # fmt: skip


def _served(paths: pl.DataFrame, service_at: time) -> pl.DataFrame:
    """How likely a vehicle is below the threshold when the crew comes next, by the hour nearest to that."""
    service = service_at.hour + service_at.minute / 60
    clock = pl.col("local").dt.hour() + pl.col("local").dt.minute() / 60 + 0.5  # `local` is the middle of the hour
    wait = (service - clock) % 24
    nearest = paths.filter(pl.col("hours") <= 24).sort("who", pl.min_horizontal(wait, 24 - wait), maintain_order=True)
    found = nearest.group_by("who", maintain_order=True).agg(pl.col("score", "low").first())
    chances = [1.0 if low else NormalDist().cdf(score) for score, low in found.select("score", "low").iter_rows()]
    return found.select("who").with_columns(pl.Series("below_at_next_service", chances, pl.Float64).round(4))
