"""When a vehicle's percent will fall below what calls for a swap: by its own use and its fleet's, hour of week by hour.

The model is that of the analytics facts, 4.7, with moments of the use by hour in place of those of rides.
"""

from datetime import time
from statistics import NormalDist

import polars as pl

from analytics.steps import WHO
from analytics.zones import with_local
from logger.settings import Analytics
from logger.tables import shaped, table

WEEKS = 6  # what was longer ago tells little
HORIZON_H = 24 * 14
OWN_PCT = 50.0  # a vehicle's own use counts as much as its fleet's once the fleet's would have been this
LIKE_H = 24.0  # an hour of the week counts as much as that hour of all days once it was seen so often
START_VAR = 1 / 12  # of a whole percent
_T10, _T90 = NormalDist().inv_cdf(0.1), NormalDist().inv_cdf(0.9)


def forecasts(
    latest: pl.DataFrame, trips: pl.DataFrame, standby: pl.DataFrame, known: pl.DataFrame, analytics: Analytics
) -> pl.DataFrame:
    """Rows of `forecast` of all vehicles; those of one model are used alike.

    Parameters
    ----------
    latest : DataFrame of `status`, the last row of each vehicle that tells its percent
    trips, standby, known : as for `forecast`; `known` has `model`, too
    """
    now = latest.select(*WHO, pl.col("time").alias("at"), "soc_pct")
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
    hours = _expected(_used(now, trips, standby), known)
    factors, phi = _factors(hours)
    paths = _paths(now, known, _profile(hours), factors, phi, threshold_pct)
    return shaped(_crossings(paths).join(_served(paths, service_at), on=WHO).sort(WHO), "forecast")


# ---- use so far ----------------------------------------------------------------------------------------------------


def _used(now: pl.DataFrame, trips: pl.DataFrame, standby: pl.DataFrame) -> pl.DataFrame:
    """`used_pct` of every hour since a vehicle's first trip or rest in the weeks that count, `hour` in UTC."""
    spans = now.select(*WHO, (pl.col("at") - pl.duration(weeks=WEEKS)).alias("since"), pl.col("at").alias("until"))
    rides = _within(trips.drop_nulls("soc_used_pct"), spans, "started_at")
    rests = _within(standby.drop_nulls("soc_lost_pct"), spans, "finished_at")
    rested_h = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 3_600_000
    rates = rests.group_by(WHO).agg((pl.col("soc_lost_pct").sum() / rested_h.sum()).alias("stood_pct"))
    first = pl.concat([each.select(*WHO, "started_at") for each in (rides, rests)]).group_by(WHO).agg(
        pl.col("started_at").min()
    )  # fmt: skip
    begun = spans.join(first, on=WHO, how="left").with_columns(
        pl.max_horizontal("since", pl.col("started_at").fill_null(pl.col("until"))).dt.truncate("1h").alias("hour")
    )
    grid = begun.select(*WHO, pl.datetime_ranges("hour", pl.col("until").dt.truncate("1h"), "1h").alias("hour"))
    sums = rides.group_by(*WHO, pl.col("started_at").dt.truncate("1h").alias("hour")).agg(pl.col("soc_used_pct").sum())
    each = grid.explode("hour").join(sums, on=[*WHO, "hour"], how="left").join(rates, on=WHO, how="left")
    used = pl.col("soc_used_pct").fill_null(0.0) + pl.col("stood_pct").fill_null(0.0)
    return each.select(*WHO, "hour", used.alias("used_pct")).sort(*WHO, "hour")


def _within(rows: pl.DataFrame, spans: pl.DataFrame, moment: str) -> pl.DataFrame:
    inside = pl.col(moment).is_between(pl.col("since"), pl.col("until"))
    return rows.join(spans, on=WHO).filter(inside).sort(*WHO, moment)


def _slotted(rows: pl.DataFrame, known: pl.DataFrame, moment: str) -> pl.DataFrame:
    """With `local`, `slot`, the hour of the local week, and `clock`, that of the local day."""
    clock, day = pl.col("local").dt.hour().cast(pl.Int32), pl.col("local").dt.weekday().cast(pl.Int32)
    return with_local(rows, known, moment).with_columns(clock=clock, slot=(day - 1) * 24 + clock)


def _expected(used: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Each hour with the fleet's mean and variance of its slot, drawn to those of its time of day."""
    rows = _slotted(used, known, "hour").with_columns(square=pl.col("used_pct") ** 2)
    rows = rows.with_columns(pl.col("used_pct", "square").mean().over("clock").name.suffix("_of_clock"))
    seen = pl.len().over("slot")
    mean, square = (
        (pl.col(name).sum().over("slot") + LIKE_H * pl.col(f"{name}_of_clock")) / (seen + LIKE_H)
        for name in ("used_pct", "square")
    )
    return rows.with_columns(mean_pct=mean.clip(0.0), variance=(square - mean**2).clip(0.0))


def _profile(hours: pl.DataFrame) -> pl.DataFrame:
    """Mean and variance of all slots; of one that was never seen those of its time of day, or of all time."""
    slots = pl.DataFrame({"slot": range(168)}, schema={"slot": pl.Int32()}).with_columns(clock=pl.col("slot") % 24)
    seen = hours.group_by("slot").agg(pl.col("mean_pct", "variance").first())
    columns = ("mean_pct", "variance")
    rows = slots.join(seen, on="slot", how="left")
    daily = [pl.col(name).fill_null(pl.col(name).mean().over("clock")) for name in columns]
    return rows.with_columns(daily).with_columns(pl.col(name).fill_null(pl.col(name).mean()) for name in columns)


def _factors(hours: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    """How much more than the fleet each vehicle uses, with its variance; by how much days vary more than hours say."""
    sums = hours.group_by(WHO).agg(pl.col("used_pct", "mean_pct", "variance").sum())
    weight = pl.col("mean_pct") + OWN_PCT
    factor = ((pl.col("used_pct") + OWN_PCT) / weight).clip(0.0)
    factors = sums.select(*WHO, factor.alias("factor"), (factor * pl.col("variance") / weight**2).alias("factor_var"))
    days = hours.join(factors, on=WHO).group_by(*WHO, pl.col("local").dt.date().alias("day")).agg(
        (pl.col("used_pct") - pl.col("factor") * pl.col("mean_pct")).sum().alias("rest"),
        (pl.col("factor") * pl.col("variance")).sum().alias("variance"),
    )  # fmt: skip
    rest, variance = days.select((pl.col("rest") ** 2).sum(), pl.col("variance").sum()).row(0)
    return factors, rest / variance if variance else 1.0


# ---- use to come ---------------------------------------------------------------------------------------------------


def _paths(
    now: pl.DataFrame, known: pl.DataFrame, profile: pl.DataFrame, factors: pl.DataFrame, phi: float, threshold: float
) -> pl.DataFrame:
    """Each vehicle's hours to come: `until`, and `score`, in sd by how much what is used passes what may be."""
    hours = now.join(pl.DataFrame({"hours": range(1, HORIZON_H + 1)}), how="cross").with_columns(
        until=(pl.col("at") + pl.duration(hours="hours")).cast(now.schema["at"]),
        middle=pl.col("at") + pl.duration(hours="hours") - pl.duration(minutes=30),
    )
    told = _slotted(hours, known, "middle").join(profile, on="slot", how="left").join(factors, on=WHO, how="left")
    ahead = told.sort(*WHO, "hours").with_columns(pl.col("mean_pct", "variance").cum_sum().over(WHO))
    variance = phi * (pl.col("factor") * pl.col("variance") + pl.col("mean_pct") ** 2 * pl.col("factor_var"))
    over = pl.col("factor") * pl.col("mean_pct") - (pl.col("soc_pct") - threshold)
    return ahead.with_columns(score=over / (variance + START_VAR).sqrt(), low=pl.col("soc_pct") <= threshold)


def _crossings(paths: pl.DataFrame) -> pl.DataFrame:
    until, score = pl.col("until"), pl.col("score")
    return paths.group_by(WHO).agg(
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
    nearest = paths.filter(pl.col("hours") <= 24).sort(*WHO, pl.min_horizontal(wait, 24 - wait), maintain_order=True)
    found = nearest.group_by(WHO, maintain_order=True).agg(pl.col("score", "low").first())
    chances = [1.0 if low else NormalDist().cdf(score) for score, low in found.select("score", "low").iter_rows()]
    return found.select(WHO).with_columns(pl.Series("below_at_next_service", chances, pl.Float64))
