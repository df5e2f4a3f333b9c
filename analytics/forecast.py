"""When a vehicle's percent will fall below what calls for a swap: by its own use and its fleet's, hour of week by hour.

The model is that of the analytics facts, 4.7, with moments of the use by hour in place of those of rides.
"""

from datetime import time
from statistics import NormalDist

import polars as pl

from analytics.steps import WHO, before, marked
from logger.tables import shaped

WEEKS = 6  # what was longer ago tells little
HORIZON_H = 24 * 14
GAP_S = 21_600.0  # a fall over a longer silence is of no known hour
OWN_PCT = 50.0  # a vehicle's own use counts as much as its fleet's once the fleet's would have been this
LIKE_H = 24.0  # an hour of the week counts as much as that hour of all days once it was seen so often
START_VAR = 1 / 12  # of a whole percent
_T10, _T90 = NormalDist().inv_cdf(0.1), NormalDist().inv_cdf(0.9)


def forecast(
    readings: pl.DataFrame, charges: pl.DataFrame, known: pl.DataFrame, *, threshold_pct: float, service_at: time
) -> pl.DataFrame:
    """When each vehicle falls below the threshold, counted from its last reading.

    Parameters
    ----------
    readings : DataFrame of `READINGS`, by vehicle and time: a fleet whose vehicles are used alike
    charges : DataFrame with `provider` `vehicle` `started_at` `finished_at` of charges and swaps
    known : DataFrame with `provider` `vehicle` `timezone`; UTC where that is null
    threshold_pct : percent at which a pack is swapped
    service_at : local time of day at which the crew comes

    Returns
    -------
    DataFrame of `forecast`, by vehicle: `t10`, `t50` and `t90` to the hour, null beyond 14 days; the threshold is
    reached before `t10` with 10 %, and so on. `below_at_next_service` is how likely it is by then.

    Notes
    -----
    Use in the hours to come is independent from hour to hour, with mean and variance of that hour of the week among the
    fleet in six weeks, times the vehicle's own factor; the variance is scaled to that of whole days, whose hours are
    not independent. What is used until a moment is taken as normal, which for the first few rides is coarse.
    """
    hours = _expected(_used(readings, charges), known)
    factors, phi = _factors(hours)
    paths = _paths(_now(readings), known, _profile(hours), factors, phi, threshold_pct)
    return shaped(_crossings(paths).join(_served(paths, service_at), on=WHO).sort(WHO), "forecast")


# ---- use so far ----------------------------------------------------------------------------------------------------


def _used(readings: pl.DataFrame, charges: pl.DataFrame) -> pl.DataFrame:
    """`used_pct` of every hour since a vehicle's first reading, `hour` in UTC; charges and swaps left out."""
    latest = pl.col("at").max().over(WHO) - pl.duration(weeks=WEEKS)
    rows = marked(readings.drop_nulls("soc_pct").filter(pl.col("at") >= latest).select(*WHO, "at", "soc_pct"))
    steps = rows.with_columns(since=before("at"), used_pct=before("soc_pct") - pl.col("soc_pct"))
    spans = charges.select(*WHO, "started_at", "finished_at").sort("started_at")
    spans = spans.with_columns(pl.col("finished_at").cum_max().over(WHO))
    known = steps.sort("at").join_asof(spans, left_on="at", right_on="started_at", by=WHO, check_sortedness=False)
    charged = (pl.col("finished_at") > pl.col("since")).fill_null(False)
    silent = (pl.col("at") - pl.col("since")).dt.total_milliseconds() > 1000 * GAP_S
    told = known.filter(~charged & ~silent.fill_null(True))
    sums = told.group_by(*WHO, hour=pl.col("at").dt.truncate("1h")).agg(pl.col("used_pct").sum())
    grid = rows.group_by(WHO).agg(
        hour=pl.datetime_range(pl.col("at").min().dt.truncate("1h"), pl.col("at").max().dt.truncate("1h"), "1h")
    ).explode("hour")  # fmt: skip
    return grid.join(sums, on=[*WHO, "hour"], how="left").with_columns(pl.col("used_pct").fill_null(0.0))


def _local(rows: pl.DataFrame, known: pl.DataFrame, moment: str) -> pl.DataFrame:
    """With `slot`, the hour of the local week, and `clock`, that of the local day."""
    zones = rows.join(known.select(*WHO, "timezone"), on=WHO, how="left").with_columns(
        pl.col("timezone").fill_null("UTC")
    )
    parts = [
        part.with_columns(local=pl.col(moment).dt.convert_time_zone(str(zone)).dt.replace_time_zone(None))
        for (zone,), part in zones.group_by("timezone", maintain_order=True)
    ]
    clock, day = pl.col("local").dt.hour().cast(pl.Int32), pl.col("local").dt.weekday().cast(pl.Int32)
    every = pl.concat(parts) if parts else zones.with_columns(local=pl.col(moment).dt.replace_time_zone(None))
    return every.with_columns(clock=clock, slot=(day - 1) * 24 + clock)


def _expected(used: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Each hour with the fleet's mean and variance of its slot, drawn to those of its time of day."""
    rows = _local(used, known, "hour").with_columns(square=pl.col("used_pct") ** 2)
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


def _now(readings: pl.DataFrame) -> pl.DataFrame:
    told = readings.drop_nulls("soc_pct")
    return told.group_by(WHO, maintain_order=True).agg(pl.col("at", "soc_pct").last())


def _paths(
    now: pl.DataFrame, known: pl.DataFrame, profile: pl.DataFrame, factors: pl.DataFrame, phi: float, threshold: float
) -> pl.DataFrame:
    """Each vehicle's hours to come: `until`, and `score`, in sd by how much what is used passes what may be."""
    hours = now.join(pl.DataFrame({"hours": range(1, HORIZON_H + 1)}), how="cross").with_columns(
        until=(pl.col("at") + pl.duration(hours="hours")).cast(now.schema["at"]),
        middle=pl.col("at") + pl.duration(hours="hours") - pl.duration(minutes=30),
    )
    told = _local(hours, known, "middle").join(profile, on="slot", how="left").join(factors, on=WHO, how="left")
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
