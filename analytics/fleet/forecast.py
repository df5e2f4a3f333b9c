"""When a vehicle's percent will fall below what calls for a swap: by its own use and its fleet's, hour of week by hour.

The model is that of the analytics facts, 4.7, with moments of the use by hour in place of those of rides.
"""

from datetime import time, timedelta
from statistics import NormalDist

import polars as pl

from analytics.energy.standby import pooled
from analytics.frames import WHO, localised, zoned
from logger.settings.schema import Analytics
from logger.tables import shaped, table

SILENT = timedelta(days=3)  # a vehicle of which nothing was heard for so long has no forecast
WEEKS = 6  # what was longer ago tells little
HORIZON_H = 24 * 14
OWN_PCT = 50.0  # a vehicle's own use counts as much as its fleet's once the fleet's would have been this
LIKE_H = 24.0  # an hour of the week counts as much as that hour of all days once it was seen so often
START_VAR = 1 / 12  # of a whole percent
_REST = ("started_at", "finished_at", "soc_lost_pct")
_T10, _T90 = NormalDist().inv_cdf(0.1), NormalDist().inv_cdf(0.9)


def forecasts(
    heard: pl.LazyFrame, trips: pl.LazyFrame, standby: pl.LazyFrame, known: pl.DataFrame, analytics: Analytics
) -> pl.DataFrame:
    """Rows of `forecast` of all vehicles that were heard; those of one model are used alike.

    Parameters
    ----------
    heard : LazyFrame of `status`, of the days that count: of a vehicle that was silent, nobody knows the percent
    trips, standby, known : as for `forecast`, the first two as LazyFrames; `known` has `model`, too
    """
    told = heard.select(*WHO, pl.col("time").alias("at"), "soc_pct").drop_nulls("soc_pct")
    latest = told.group_by(WHO).agg(pl.col("at").max(), pl.col("soc_pct").sort_by("at").last())
    rides, rests = trips.select(*WHO, "started_at", "soc_used_pct"), standby.select(*WHO, *_REST)
    now, used, lost = pl.collect_all([latest, rides, rests])
    models = now.join(known.select(*WHO, "model"), on=WHO, how="left").sort(*WHO)
    least, service_at = analytics.swap_below_pct, time.fromisoformat(analytics.service_at)
    made = [
        forecast(part, used, lost, known, threshold_pct=least, service_at=service_at)
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
    standby : DataFrame with `provider` `vehicle` `started_at` `finished_at` `soc_lost_pct`
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
    spans, rides = _seen(who, trips, standby)
    hours = _hours(spans)
    ridden = rides.join(hours, on=["timezone", "hour"], maintain_order="left")
    slots = _slots(_tally(spans, ridden, hours))
    days = _days(spans, ridden, hours.join(slots, on="slot", maintain_order="left"))
    factors, phi = _factors(days)
    paths = _paths(who.join(factors, on="who", maintain_order="left"), slots, phi, threshold_pct)
    told = who.select("who", *WHO).join(_crossings(paths), on="who").join(_served(paths, service_at), on="who")
    return shaped(told, "forecast").sort(WHO)


# ---- use so far ----------------------------------------------------------------------------------------------------


def _seen(who: pl.DataFrame, trips: pl.DataFrame, standby: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Which hours count of each vehicle, with what standing takes in each; what its rides used, by hour.

    From its first trip or rest in the weeks that count to its last percent: from `begin` up to, but without, `end`.
    """
    since = pl.col("at") - pl.duration(weeks=WEEKS)
    heard = who.select("who", *WHO, "timezone", since.alias("since"), pl.col("at").alias("until"))
    rides = _within(trips.drop_nulls("soc_used_pct"), heard, "started_at")
    rests = _within(standby.drop_nulls("soc_lost_pct"), heard, "finished_at")
    rates = pooled(rests, "who").select("who", (pl.col("pct_per_day") / 24).alias("stood_pct"))
    first = pl.concat([each.select("who", "started_at") for each in (rides, rests)]).group_by("who").min()
    begun = heard.join(first, on="who", how="left").join(rates, on="who", how="left").sort("who")
    begin = pl.max_horizontal("since", pl.col("started_at").fill_null(pl.col("until")))
    spans = begun.select(
        "who", "timezone", pl.col("stood_pct").fill_null(0.0),
        begin.dt.truncate("1h").alias("begin"), (pl.col("until").dt.truncate("1h") + pl.duration(hours=1)).alias("end"),
    )  # fmt: skip
    hour = pl.col("started_at").dt.truncate("1h").alias("hour")
    used = rides.group_by("who", hour, maintain_order=True).agg(pl.col("soc_used_pct").sum().alias("ridden_pct"))
    return spans, used.join(spans.select("who", "timezone", "stood_pct"), on="who", maintain_order="left")


def _within(rows: pl.DataFrame, spans: pl.DataFrame, moment: str) -> pl.DataFrame:
    inside = pl.col(moment).is_between(pl.col("since"), pl.col("until"))
    return rows.join(spans, on=WHO).filter(inside).sort("who", moment)


def _hours(spans: pl.DataFrame) -> pl.DataFrame:
    """Every hour of these spans and the one after, once a zone; `day` counts the local days."""
    ends = spans.group_by("timezone", maintain_order=True).agg(pl.col("begin").min(), pl.col("end").max())
    grid = ends.select("timezone", pl.datetime_ranges("begin", "end", "1h").alias("hour")).explode("hour")
    return _slotted(grid, "hour").with_columns(pl.col("local").dt.date().rle_id().over("timezone").alias("day"))


def _slotted(rows: pl.DataFrame, moment: str) -> pl.DataFrame:
    """With `local` and `slot`, the hour of the local week."""
    clock, day = pl.col("local").dt.hour().cast(pl.Int32), pl.col("local").dt.weekday().cast(pl.Int32)
    return localised(rows, moment).with_columns(slot=(day - 1) * 24 + clock)


def _tally(spans: pl.DataFrame, ridden: pl.DataFrame, hours: pl.DataFrame) -> pl.DataFrame:
    """By `slot`, in many rows: how many hours of vehicles were `seen`, the sums of what they used and its squares.

    Standing is summed over the vehicles that count in an hour: from where each begins to where it ends.
    """
    each = {"seen": pl.lit(1), "used_pct": pl.col("stood_pct"), "square": pl.col("stood_pct") ** 2}
    begun = spans.select("timezone", pl.col("begin").alias("hour"), **each)
    ended = spans.select("timezone", pl.col("end").alias("hour"), **{name: -value for name, value in each.items()})
    turns = pl.concat([begun, ended]).group_by("timezone", "hour", maintain_order=True).agg(pl.col(each).sum())
    there = hours.join(turns, on=["timezone", "hour"], how="left", maintain_order="left")
    stood = there.with_columns(pl.col(each).fill_null(0).cum_sum().over("timezone")).filter(pl.col("seen") > 0)
    more, both = pl.col("ridden_pct"), pl.col("ridden_pct") + pl.col("stood_pct")
    rode = ridden.select("slot", seen=0, used_pct=more, square=both**2 - pl.col("stood_pct") ** 2)
    return pl.concat([stood.select(rode.columns), rode])


def _slots(tally: pl.DataFrame) -> pl.DataFrame:
    """Of each hour of the week the fleet's mean and variance, drawn to those of its time of day, or of all time."""
    slots = pl.DataFrame({"slot": range(168)}, schema={"slot": pl.Int32()})
    sums = tally.group_by("slot", maintain_order=True).agg(pl.all().sum())
    told = slots.join(sums, on="slot", how="left", maintain_order="left").fill_null(0)
    mean, square = (_drawn(pl.col(name), pl.col("seen")) for name in ("used_pct", "square"))
    return told.select("slot", mean_pct=mean.clip(0.0), variance=(square - mean**2).clip(0.0))


def _drawn(total: pl.Expr, seen: pl.Expr) -> pl.Expr:
    of_all = (total.sum() / seen.sum()).fill_nan(0.0)
    of_clock = (total.sum() / seen.sum()).over(pl.col("slot") % 24).fill_nan(of_all)
    return (total + LIKE_H * of_clock) / (seen + LIKE_H)


def _days(spans: pl.DataFrame, ridden: pl.DataFrame, hours: pl.DataFrame) -> pl.DataFrame:
    """Of each vehicle and local day what it used, and the fleet's mean and variance in those hours.

    All that is summed by hour is the difference of two sums from the first hour on.
    """
    sums = pl.col("seen", "mean_pct", "variance")
    before = hours.with_columns(seen=1).with_columns((sums.cum_sum() - sums).over("timezone"))
    days = before.filter((pl.col("day") != pl.col("day").shift(1)).over("timezone")).select("timezone", "hour")
    inner = spans.join(days, on="timezone").filter(pl.col("begin") < pl.col("hour"), pl.col("hour") < pl.col("end"))
    cuts = [inner, *(spans.with_columns(pl.col(end).alias("hour")) for end in ("begin", "end"))]
    told = pl.concat(cuts).join(before, on=["timezone", "hour"]).sort("who", "hour")
    parts = told.with_columns(sums.shift(-1).over("who") - sums).drop_nulls("seen")
    rode = ridden.group_by("who", "day", maintain_order=True).agg(pl.col("ridden_pct").sum())
    used = pl.col("seen") * pl.col("stood_pct") + pl.col("ridden_pct").fill_null(0.0)
    whole = parts.join(rode, on=["who", "day"], how="left", maintain_order="left")
    return whole.select("who", used.alias("used_pct"), "mean_pct", "variance")


def _factors(days: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    """How much more than the fleet each vehicle uses, with its variance; by how much days vary more than hours say."""
    sums = days.group_by("who", maintain_order=True).agg(pl.col("used_pct", "mean_pct", "variance").sum())
    weight = pl.col("mean_pct") + OWN_PCT
    factor = ((pl.col("used_pct") + OWN_PCT) / weight).clip(0.0)
    factors = sums.select("who", factor.alias("factor"), (factor * pl.col("variance") / weight**2).alias("factor_var"))
    rest = (pl.col("used_pct") - pl.col("factor") * pl.col("mean_pct")) ** 2
    told = days.join(factors, on="who", maintain_order="left")
    squares, variance = told.select(rest.sum(), (pl.col("factor") * pl.col("variance")).sum()).row(0)
    return factors, squares / variance if variance else 1.0


# ---- use to come ---------------------------------------------------------------------------------------------------


def _paths(who: pl.DataFrame, slots: pl.DataFrame, phi: float, threshold: float) -> pl.DataFrame:
    """Each vehicle's hours to come: `until`, and `score`, in sd by how much what is used passes what may be."""
    heard = who.select(pl.exclude(WHO), pl.col("at").dt.truncate("1m").alias("minute"))
    keys = ["timezone", "minute"]
    ahead = _ahead(heard.select(keys).unique(), slots).group_by(keys).agg(pl.all())
    paths = heard.join(ahead, on=keys, maintain_order="left").explode(ahead.columns[2:])
    variance = phi * (pl.col("factor") * pl.col("variance") + pl.col("mean_pct") ** 2 * pl.col("factor_var"))
    over = pl.col("factor") * pl.col("mean_pct") - (pl.col("soc_pct") - threshold)
    return paths.select(
        "who", "at", "soc_pct", "hours", "local",
        (pl.col("at") + pl.duration(hours="hours")).cast(who.schema["at"]).alias("until"),
        score=over / (variance + START_VAR).sqrt(), low=pl.col("soc_pct") <= threshold,
    )  # fmt: skip


def _ahead(minutes: pl.DataFrame, slots: pl.DataFrame) -> pl.DataFrame:
    """The hours to come of all that were last heard in a minute: mean and variance of what their fleet uses until then.

    An hour counts for that of the week in which its middle lies, which is the same all through a minute.
    """
    ahead = minutes.join(pl.DataFrame({"hours": range(1, HORIZON_H + 1)}), how="cross")
    middle = pl.col("minute") + pl.duration(hours="hours") - pl.duration(minutes=30)
    told = _slotted(ahead.with_columns(middle.alias("middle")), "middle")
    joined = told.join(slots, on="slot", how="left", maintain_order="left")
    return joined.with_columns(pl.col("mean_pct", "variance").cum_sum().over("timezone", "minute"))


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
