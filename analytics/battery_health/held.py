"""What packs hold and what a kilometre takes, of each vehicle: small steps from what its whole model says.

Packs of one model differ by age and make, vehicles by tyres and use. What a spell's rides took of the percent tells the
product of both; cycles, packs that come back and single readings of power take it apart. Analytics facts, F5, F9, 3.3.

    percents a km of a spell = percents a km of the model * (1 + fade * cycles) * exp(vehicle + pack + chance)
    Wh a km of a vehicle     = Wh a km of the model * exp(vehicle + chance)

with `vehicle`, `pack` and `chance` normal: a nested model of random effects. Here is the best linear unbiased
prediction of the first two, given their spreads (of `spreads.py`): Robinson 1991, doi 10.1214/ss/1177011926.

A spell's figures are of itself and of a year before it. So a log's past does not change as it grows; a late row changes
its own spell and, a little, those after it.
"""

from datetime import datetime

import polars as pl

from analytics.battery_health.spells import MODEL, measured, numbered
from analytics.frames import WHO, as_of

MEMORY_MONTHS = 12
SAME = 0.9  # as sure must it be that packs come back
ODD_SD = 4.0  # standard deviations from its model at which a vehicle's power is not believed: a sensor, or its sign
STEP = 0.01  # relative, in which figures move: less than they err by, so that a ride seldom makes a spell anew
BY = (*WHO, "until")  # what is known of a vehicle until then
SPREADS = ("pack_cycles", "fade", "vehicle_cv", "pack_cv", "km_cv", "polled_cv")
_VALUES = ("capacity_wh", "wh_per_km")
_FIGURES = ("capacity_wh", "capacity_sd", "wh_per_km", "wh_per_km_sd")


def held(spells: pl.DataFrame, models: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """What the packs of each spell hold, and what its vehicle takes for a kilometre.

    Parameters
    ----------
    spells : the frame of `spells.spells` with `model`, of a year before those that count, too
    models : DataFrame of `spreads.figures`
    since : the spells that count begin then or later

    Returns
    -------
    Rows of `worth`, by vehicle and time, which is `since` of the spell; where the model tells nothing in that month,
    none: `capacity_wh` and `wh_per_km` with `capacity_sd` and `wh_per_km_sd`, their relative standard errors.
    """
    of = models.rename({"time": "month", "pack_wh": "model_wh", "pack_wh_cv": "model_cv"})
    rows = measured(spells.join(of, on=[*MODEL, "month"], how="left", maintain_order="left"))
    rows = numbered(rows.with_columns((pl.col("same") >= SAME).fill_null(False).alias("known")))
    count = rows.drop_nulls("model_wh").filter(pl.col("since") >= since).rename({"since": "until"})
    until = count.select(*BY, pl.col("month").alias("until_month"), "model_wh", "model_cv", *_SCALES, *SPREADS)
    then = rows.select(*WHO, "since", "month", *_TERMS, *(pl.col(name).alias(f"{name}_then") for name in _SCALES))
    months = until.partition_by("until_month", maintain_order=True)  # one at a time, so that memory stays flat
    packs, vehicles = predicted(*map(pl.concat, zip(*(_sums(part, then) for part in months or [until]), strict=True)))
    mine = count.select(*BY, "pack").join(packs, on=[*BY, "pack"]).join(vehicles.select(*BY, "u", "u_var"), on=BY)
    return mine.select(*WHO, pl.col("until").alias("time"), *_told()).sort(*WHO, "time")


_TERMS = ("pack", "km", "used_pct", "seen_km", "seen_wh", "cycles")
_SCALES = ("pack_pct_per_km", "pack_wh_per_km")


def _sums(until: pl.DataFrame, then: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Of packs and of power, up to each of these moments."""
    before = until.join(then, on=WHO).filter(_remembered())
    scaled = before.sort(*WHO, "until", "since").with_columns(_in_terms_of_then())
    return _by_pack(scaled), _by_vehicle(scaled)


def _remembered() -> pl.Expr:
    recent = pl.col("month") >= pl.col("until_month").dt.offset_by(f"-{MEMORY_MONTHS}mo")
    return (pl.col("since") <= pl.col("until")) & recent


def _in_terms_of_then() -> list[pl.Expr]:
    """Ways as they would be in the month that counts: what a kilometre takes changes with the seasons."""
    pct, wh = (pl.col(f"{name}_then") / pl.col(name) for name in _SCALES)
    return [(pl.col("km") * pct.fill_null(1.0)).alias("km"), (pl.col("seen_km") * wh.fill_null(1.0)).alias("seen_km")]


def _told() -> list[pl.Expr]:
    at_model, model_cv = pl.col("model_wh"), pl.col("model_cv")
    use = at_model * pl.col("pack_pct_per_km") / 100
    made = {
        "capacity_wh": at_model * (-pl.col("d")).exp() / faded(),
        "capacity_sd": (pl.col("d_var") + model_cv**2).sqrt(),
        "wh_per_km": use * pl.col("u").exp(),
        "wh_per_km_sd": (pl.col("u_var") + model_cv**2).sqrt(),
    }
    return [
        _stepped(made[name]).alias(name) if name in _VALUES else made[name].round_sig_figs(2).alias(name)
        for name in _FIGURES
    ]


def _stepped(value: pl.Expr) -> pl.Expr:
    return ((value.log() / STEP).round() * STEP).exp().round_sig_figs(4)


def worth(known: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """What is known of vehicles, with what the packs of each time hold where that is known.

    Parameters
    ----------
    known : DataFrame of `calibration.calibrated`
    held : rows of `worth`; each holds to the end of its month at most

    Returns
    -------
    DataFrame as `known`, with a row more for each row of `held`.
    """
    packs = held.select(*WHO, pl.col("time").alias("since"), "time", *(pl.col(n).alias(f"held_{n}") for n in _FIGURES))
    packs = packs.cast({"since": known.schema["since"]})
    moments = pl.concat([rows.select(*WHO, "since") for rows in (known, packs)]).unique().sort(*WHO, "since")
    rows = as_of(as_of(moments.with_columns(pl.col("since").alias("at")), "at", known), "at", packs)
    now = pl.when(pl.col("time").dt.truncate("1mo") == pl.col("at").dt.truncate("1mo"))
    told = [pl.coalesce(now.then(f"held_{name}"), name).alias(name) for name in _FIGURES]
    return rows.join(known.select(WHO).unique(), on=WHO, how="semi").with_columns(told).select(known.columns)


# ---- the model of random effects -----------------------------------------------------------------------------------


def _by_pack(rows: pl.DataFrame) -> pl.DataFrame:
    """Sums over the spells of each pack."""
    figures = pl.col("model_wh", "model_cv", "pack_pct_per_km", *SPREADS).first()
    sums = pl.col("km", "used_pct").sum(), pl.col("cycles").mean().alias("count")
    return rows.group_by(*BY, "pack", maintain_order=True).agg(*sums, figures)


def _by_vehicle(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.group_by(BY, maintain_order=True).agg(
        pl.col("seen_km", "seen_wh").sum(), pl.col("pack_wh_per_km").first()
    )


def faded() -> pl.Expr:
    """What a pack of this `count` of cycles takes more than one of the model's."""
    return (1 + pl.col("fade") * (pl.col("count") - pl.col("pack_cycles"))).clip(0.2).fill_null(1.0)


def predicted(packs: pl.DataFrame, powers: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is told of packs and vehicles, given how much those of their model differ.

    Parameters
    ----------
    packs : DataFrame by `BY` and `pack`: `km` and `used_pct`, sums over its rides, the mean `count` of cycles, and of
        the model `pack_pct_per_km` at its `pack_cycles`, `fade` a cycle, and relative spreads: `vehicle_cv`, `pack_cv`,
        `km_cv` of a km of riding, `polled_cv` of a km of polled power
    powers : DataFrame by `BY`: `seen_km`, `seen_wh`, and of the model `pack_wh_per_km` (null: power tells nothing)

    Returns
    -------
    `packs` with `odd` and its variance `noise` (infinite where nothing was ridden), `d` and `d_var`, and `both_var`,
    the variance of what is left; vehicles, by `BY`, with `u` and `u_var`: logarithms. Power that is too odd to be
    believed is left out: its `seen_weight` is 0.
    """
    rows = packs.with_columns(_odd(), _noise())
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
        (share * (pl.col("odd") - pl.col("u"))).alias("d"),
        (rest + share**2 * pl.col("u_var")).alias("d_var"),
        (rest + (1 - share) ** 2 * pl.col("u_var")).alias("both_var"),
    ).drop("u", "u_var"), vehicles


_RIDDEN = (pl.col("km") > 0) & (pl.col("used_pct") > 0)


def _odd() -> pl.Expr:
    """Logarithm of a pack's percents a km against those of its model at its cycles; 0 where nothing was ridden."""
    ratio = pl.col("used_pct") / (pl.col("km") * pl.col("pack_pct_per_km") * faded())
    return pl.when(_RIDDEN).then(ratio.log()).otherwise(0.0).alias("odd")


def _noise() -> pl.Expr:
    return pl.when(_RIDDEN).then(pl.col("km_cv") ** 2 / pl.col("km")).otherwise(float("inf")).alias("noise")


def _vehicles(rows: pl.DataFrame) -> pl.DataFrame:
    seen = pl.col("seen_wh") / (pl.col("seen_km") * pl.col("pack_wh_per_km")) - 1
    apart = (pl.col("polled_cv") ** 2 / pl.col("seen_km") + pl.col("vehicle_cv") ** 2).sqrt()
    told = (pl.col("seen_km") > 0) & (seen.abs() < ODD_SD * apart).fill_null(False)
    precision = pl.when(told).then(pl.col("seen_km") / pl.col("polled_cv") ** 2).fill_null(0.0)
    both = rows.with_columns(pl.when(told).then(seen).fill_null(0.0).alias("seen"), precision.alias("seen_weight"))
    variance = 1 / (1 / pl.col("vehicle_cv") ** 2 + pl.col("weight") + pl.col("seen_weight"))
    u = variance * (pl.col("odd") + pl.col("seen") * pl.col("seen_weight"))
    return both.with_columns(u.alias("u"), variance.alias("u_var"))
