"""What packs hold and what a kilometre takes, of each vehicle: small steps from what its whole model says.

Packs of one model differ by age and make, vehicles by tyres and use. What a stint's trips took of the percent tells the
product of both; cycles, packs that come back and single readings of power take it apart. Analytics facts, F5, F9, 3.3.

    percents a km of a stint = percents a km of the model * (1 + fade * cycles) * exp(vehicle + pack + chance)
    Wh a km of a vehicle     = Wh a km of the model * exp(vehicle + chance)

with `vehicle`, `pack` and `chance` normal: a nested model of random effects. Here is the best linear unbiased
prediction of the first two, given their spreads (of `spreads.py`): Robinson 1991, doi 10.1214/ss/1177011926.

A stint's figures are of itself and of a year before it. So a log's past does not change as it grows; a late row changes
its own stint and, a little, those after it.
"""

from datetime import datetime

import polars as pl

from analytics.battery_health.returns import with_packs
from analytics.frames import WHO
from analytics.observations.capacity import CONTENT_SD

MEMORY_MONTHS = 12
MODEL = ("provider", "model")
ODD_SD = 4.0  # standard deviations from its model at which a vehicle's power is not believed: a sensor, or its sign
STEP = 0.01  # relative, in which figures move: less than they err by, so that a trip seldom makes a stint anew
POOLED = ("km_per_pct", "ride_energy", "charge_energy")  # methods of stints and months
BY = (*WHO, "until")  # what is known of a vehicle until then
SPREADS = ("pack_cycles", "fade", "vehicle_cv", "pack_cv", "km_cv", "polled_cv")
_FIRST = ("model_wh", "model_cv", "pack_pct_per_km", "fade_sd", *SPREADS)


def parts(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of `stint_months.stint_months` side by side.

    Returns
    -------
    DataFrame by vehicle and `since`: `month`, `port`, `stint_id`, `as_of`, `cycles`, `first_cycles`, `last_cycles`,
    `efc`, `imbalance_pct`, `reported_wh` and `reported_soh_pct` of the month, `n`, `km` and `used_pct` of all trips,
    used at `soc_mean_pct`, `seen_km` and `seen_wh` of those with readings of power (0 where there are none).
    """
    moment = [*WHO, "since"]
    way = rows.filter(pl.col("method") == "km_per_pct").select(
        *WHO, pl.col("time").alias("since"), "n", "soc_mean_pct",
        (pl.col("distance_m") / 1000).alias("km"), pl.col("soc_used_pct").alias("used_pct"),
    )  # fmt: skip
    power = rows.filter(pl.col("method") == "ride_energy").select(
        *WHO, pl.col("time").alias("since"), (pl.col("distance_m") / 1000).alias("seen_km"),
        pl.col("energy_wh").alias("seen_wh"),
    )  # fmt: skip
    both = _with_reported(_moments(rows), rows)
    for each in (way, power):
        both = both.join(each, on=moment, how="left", maintain_order="left")
    none = pl.col("km", "used_pct", "seen_km", "seen_wh").fill_null(0.0)
    return both.with_columns(none, pl.col("soc_mean_pct").fill_null(50.0))


def _moments(rows: pl.DataFrame) -> pl.DataFrame:
    """Where parts begin, by vehicle and `since`, with what all their rows have in common."""
    names = ("port", "stint_id", "cycles", "first_cycles", "last_cycles", "efc", "imbalance_pct")
    told = rows.filter(pl.col("method").is_in(POOLED)).group_by(*WHO, pl.col("time").alias("since")).agg(
        pl.col(names).drop_nulls().first(), pl.col("as_of").max()
    )  # fmt: skip
    return told.with_columns(pl.col("since").dt.truncate("1mo").alias("month")).sort(*WHO, "since")


def _with_reported(moments: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """With `reported_wh` and `reported_soh_pct`, the month's medians of what the vehicle says; a month's own part where
    nothing else tells of it.

    A capacity that differs from day to day by more than it is said to err by is none: it is what is left in the
    battery, or a content that is no longer told anew.
    """
    own = rows.filter(pl.col("method") == "reported")
    wh = pl.col("capacity_wh")
    steady = ((wh / wh.median() - 1).abs().median() <= CONTENT_SD).fill_null(True)
    months = own.group_by(*WHO, pl.col("time").dt.truncate("1mo").alias("month")).agg(
        pl.when(steady).then(wh.median()).alias("reported_wh"), pl.col("soh_pct").median().alias("reported_soh_pct"),
        pl.col("as_of").max(),
    )  # fmt: skip
    month = [*WHO, "month"]
    known = moments.join(months.drop("as_of"), on=month, how="left", maintain_order="left")
    alone = months.join(moments, on=month, how="anti").with_columns(pl.col("month").alias("since"))
    return pl.concat([known, alone], how="diagonal").sort(*WHO, "since")


def pooled(parts: pl.DataFrame, models: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """What the packs of each stint hold, and what its vehicle takes for a kilometre, by the trips of its model.

    Parameters
    ----------
    parts : the frame of `parts` with `model`, of a year before those that count, too
    models : DataFrame of `figures.figures`
    since : the parts that count begin then or later

    Returns
    -------
    DataFrame by vehicle and `since`: `by_model_wh` and `wh_per_km` with `by_model_sd` and `wh_per_km_sd`, their
    relative standard errors; by how much more than one of its model and cycles in its vehicle the pack takes, `apart`
    and `apart_var`; and of the model `model_wh`, `fade`, `fade_sd`, `pack_cycles` and `pack_cv`. Where the model tells
    nothing in that month, no row.
    """
    of = models.rename({"time": "month", "pack_wh": "model_wh", "pack_wh_cv": "model_cv"})
    rows = with_packs(expected(parts.join(of, on=[*MODEL, "month"], how="left", maintain_order="left")))
    count = rows.drop_nulls("model_wh").filter(pl.col("since") >= since).rename({"since": "until"})
    until = count.select(*BY, pl.col("month").alias("until_month"), *_FIRST)
    then = rows.select(*WHO, "since", "month", "pack", *_SUMS)
    months = until.partition_by("until_month", maintain_order=True)  # one at a time, so that memory stays flat
    packs, vehicles = predicted(*map(pl.concat, zip(*(_sums(part, then) for part in months or [until]), strict=True)))
    mine = count.select(*BY, "pack").join(packs, on=[*BY, "pack"])
    return mine.join(vehicles.select(*BY, "u", "u_var"), on=BY).with_columns(*_figures()).select(
        *WHO, pl.col("until").alias("since"), "by_model_wh", "by_model_sd", "wh_per_km", "wh_per_km_sd",
        (pl.col("odd") - pl.col("u")).alias("apart"), (pl.col("noise") + pl.col("u_var")).alias("apart_var"),
        "model_wh", "fade", "fade_sd", "pack_cycles", "pack_cv",
    )  # fmt: skip


_SUMS = ("km", "used_pct", "expected_pct", "seen_km", "seen_wh", "expected_wh", "cycles")


def expected(rows: pl.DataFrame) -> pl.DataFrame:
    """Parts with what their model, as it was in their month, would have taken: `expected_pct` and `expected_wh`.

    What was used counts as at 50 %, and readings of power are turned so that what is used is positive.
    """
    sign = pl.col("power_sign").fill_null(0.0)
    return rows.with_columns(
        (pl.col("km") * pl.col("pack_pct_per_km") * faded("cycles")).alias("expected_pct"),
        (pl.col("seen_km") * pl.col("pack_wh_per_km")).alias("expected_wh"),
        (pl.col("seen_wh") * sign).alias("seen_wh"),
        at_half("used_pct", "soc_mean_pct"),
    )


def at_half(used: str, level: str) -> pl.Expr:
    """What was used at this level, in percents as they are at 50 %: those of a full battery hold more."""
    return pl.col(used) * (1 + pl.col("percent_slope").fill_null(0.0) * (pl.col(level) - 50) / 50)


def faded(count: str) -> pl.Expr:
    """How much more a pack of so many cycles takes than one of the model's."""
    return (1 + pl.col("fade") * (pl.col(count) - pl.col("pack_cycles"))).clip(0.2).fill_null(1.0)


def _sums(until: pl.DataFrame, then: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of packs and of power, up to each of these moments."""
    recent = pl.col("month") >= pl.col("until_month").dt.offset_by(f"-{MEMORY_MONTHS}mo")
    rows = until.join(then, on=WHO).filter((pl.col("since") <= pl.col("until")) & recent).sort(*BY, "since")
    packs = rows.group_by(*BY, "pack", maintain_order=True).agg(
        pl.col("km", "used_pct", "expected_pct").sum(), pl.col("cycles").mean().alias("count"), pl.col(_FIRST).first()
    )
    powers = rows.group_by(BY, maintain_order=True).agg(pl.col("seen_km", "seen_wh", "expected_wh").sum())
    return packs, powers


def _figures() -> list[pl.Expr]:
    at_model, model_cv = pl.col("model_wh"), pl.col("model_cv")
    capacity = at_model * (-pl.col("d")).exp() / faded("count")
    use = at_model * pl.col("pack_pct_per_km") / 100 * pl.col("u").exp()
    return [
        capacity.alias("by_model_wh"),
        (pl.col("d_var") + model_cv**2).sqrt().alias("by_model_sd"),
        use.alias("wh_per_km"),
        (pl.col("u_var") + model_cv**2).sqrt().round_sig_figs(2).alias("wh_per_km_sd"),
    ]


def stepped(value: pl.Expr) -> pl.Expr:
    """A figure in steps of 1 %."""
    return ((value.log() / STEP).round() * STEP).exp().round_sig_figs(4)


# ---- the model of random effects -----------------------------------------------------------------------------------


def predicted(packs: pl.DataFrame, powers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is known of packs and vehicles, given how much those of their model differ.

    Parameters
    ----------
    packs : DataFrame by `BY` and `pack`: `km`, `used_pct` and `expected_pct`, sums over trips, and of the model
        relative spreads: `vehicle_cv`, `pack_cv`, `km_cv` of a km of riding, `polled_cv` of a km of polled power
    powers : DataFrame by `BY`: `seen_km`, `seen_wh` and `expected_wh`, 0 where power tells nothing

    Returns
    -------
    `packs` with `odd` and its variance `noise` (infinite where nothing was ridden), `d` and `d_var`: by how much more a
    pack takes; vehicles, by `BY`, with `u` and `u_var`: logarithms. Power that is too odd to be believed is left out:
    its `seen_weight` is 0.
    """
    ridden = pl.when((pl.col("used_pct") > 0) & (pl.col("expected_pct") > 0))
    rows = packs.with_columns(
        ridden.then((pl.col("used_pct") / pl.col("expected_pct")).log()).otherwise(0.0).alias("odd"),
        ridden.then(pl.col("km_cv") ** 2 / pl.col("km")).otherwise(float("inf")).alias("noise"),
    )
    rows = rows.with_columns((pl.col("pack_cv") ** 2 + pl.col("noise")).alias("spread"))
    sums = rows.group_by(BY, maintain_order=True).agg(
        (1 / pl.col("spread")).sum().alias("weight"),
        (pl.col("odd") / pl.col("spread")).sum().alias("odd"),
        pl.col("vehicle_cv", "polled_cv").first(),
    )
    vehicles = _vehicles(sums.join(powers, on=BY, how="left", maintain_order="left"))
    told = rows.join(vehicles.select(*BY, "u", "u_var"), on=BY, how="left", maintain_order="left")
    share = pl.col("pack_cv") ** 2 / pl.col("spread")
    rest = pl.col("pack_cv") ** 2 * (1 - share)
    return told.with_columns(
        (share * (pl.col("odd") - pl.col("u"))).alias("d"), (rest + share**2 * pl.col("u_var")).alias("d_var")
    ).drop("u", "u_var"), vehicles


def _vehicles(rows: pl.DataFrame) -> pl.DataFrame:
    seen = pl.when(pl.col("expected_wh") > 0).then(pl.col("seen_wh") / pl.col("expected_wh") - 1)
    apart = (pl.col("polled_cv") ** 2 / pl.col("seen_km") + pl.col("vehicle_cv") ** 2).sqrt()
    known = (seen.abs() < ODD_SD * apart).fill_null(False)
    precision = pl.when(known).then(pl.col("seen_km") / pl.col("polled_cv") ** 2).fill_null(0.0)
    both = rows.with_columns(pl.when(known).then(seen).fill_null(0.0).alias("seen"), precision.alias("seen_weight"))
    variance = 1 / (1 / pl.col("vehicle_cv") ** 2 + pl.col("weight") + pl.col("seen_weight"))
    u = variance * (pl.col("odd") + pl.col("seen") * pl.col("seen_weight"))
    return both.with_columns(u.alias("u"), variance.alias("u_var"))
