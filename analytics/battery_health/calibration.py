"""What a fleet's own data say of its models: usual consumption, kilometres and watt hours of a percent, and oddities.

Absolute energy comes from many single readings of power, pooled over the fleet; what a percent is worth, from
distances between ticks (analytics facts, F4, F5). A check that the data cannot answer says `insufficient`, never a
guess. Each check is a row of the table `calibration`.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from analytics.battery_health.moments import Moments, pooled
from analytics.frames import WHO
from analytics.observations.power import SIGNS
from logger.tables import TIME

CHECKS = pl.Schema(
    {
        "provider": pl.String(),
        "time": TIME,
        "model": pl.String(),
        "check": pl.String(),
        "answer": pl.String(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "n": pl.Int64(),
    }
)
INSUFFICIENT = "insufficient"
EVEN = ("even_km", "even_drag", "even_rush")  # of `effort.efforts`
WEIGHED = ("capacity_wh", "wh_per_km", "percent_slope", "motor_power_sign", *EVEN)  # checks that energies follow from
POLLS, RIDES, STEPS = 100, 20, 200  # that an answer needs
SURE_SD = 4.0  # standard errors from nothing at which a sign is one
NARROW = 0.10  # half of a relative interval at which rides with something in common have a figure: facts, 2.3
SHEET_SD = 0.10  # what a data sheet errs by for packs in use: facts, 3: they hold 75 to 105 % of it
PACK_CV = 0.07  # of the capacities of one model's packs, young and old (simulated fleet)
VEHICLE_CV = 0.055  # of one model's usual consumption from vehicle to vehicle: tyres, drive (simulated fleet)
DIGITS = 3  # that a figure has: what it does not tell must not make a fleet's history anew
_Z = 1.96
Sums = Mapping[str, Moments]
_NONE = Moments()


def check(model: str, name: str, answer: str, value: float | None, sd: float | None, n: int) -> dict[str, Any]:
    """A row of `CHECKS` without provider and time, with the 95 % interval of this standard error."""
    half = None if value is None or sd is None else _Z * sd
    low, high = (None, None) if value is None or half is None else (value - half, value + half)
    return answered(model, name, answer, (value, low, high), n)


def answered(
    model: str, name: str, answer: str, told: tuple[float | None, float | None, float | None], n: int
) -> dict[str, Any]:
    """A row of `CHECKS` without provider and time; `told` are value, low and high, of which three digits are kept."""
    ends = dict(zip(("value", "low", "high"), map(_rounded, told), strict=True))
    return {"model": model, "check": name, "answer": answer, **ends, "n": n}


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")


# ---- power ---------------------------------------------------------------------------------------------------------


def power_sign(model: str, sums: Sums) -> dict[str, Any]:
    """Which way `motor_power_w` is positive.

    Parameters
    ----------
    sums : of `evidence`, by check: `riding_w` and `charging_w` [W]

    Returns
    -------
    Row of check `motor_power_sign`: `discharge_positive`, `charge_positive`, or `insufficient` where fewer than 100
    polls while riding say so, their mean is not 4 standard errors from 0, or polls in a charge say the same. `value` is
    the mean while riding [W].
    """
    riding, charging = sums.get("riding_w", _NONE), sums.get("charging_w", _NONE)
    (mean, sd), (in_charge, sd_in_charge) = riding.mean(), charging.mean()
    sure = riding.n >= POLLS and abs(mean) > SURE_SD * sd
    against = charging.n >= POLLS and in_charge * mean > 0 and abs(in_charge) > SURE_SD * sd_in_charge
    word = INSUFFICIENT if not sure or against else "discharge_positive" if mean > 0 else "charge_positive"
    return check(model, "motor_power_sign", word, mean if riding.n else None, sd, riding.n)


def use_of_model(model: str, sums: Sums, sign: str) -> dict[str, Any]:
    """Wh/km of a model, from single readings of power pooled over its rides.

    Parameters
    ----------
    sums : of `evidence`, by check: `use_wh` and its polls `signed_w`; where these are too few, `use_motor_wh` and
        `riding_w`
    sign : the answer of `power_sign`

    Returns
    -------
    Row of check `wh_per_km`: net, with the interval of a ratio of sums over rides, each of which has used its mean
    power for its time. It assumes that polls do not choose their moments by the power. `n` counts polls.
    """
    turn, polls, use = 1.0, sums.get("signed_w", _NONE).n, sums.get("use_wh", _NONE)
    if polls < POLLS:
        turn = SIGNS.get(sign, 0.0)
        polls, use = (sums.get("riding_w", _NONE).n, sums.get("use_motor_wh", _NONE)) if turn else (0, _NONE)
    found, sd = use.ratio()
    value = None if found is None else turn * found
    enough = polls >= POLLS and use.n >= RIDES and value is not None and value > 0
    return check(model, "wh_per_km", "estimate" if enough else INSUFFICIENT, value, sd, polls)


# ---- what a percent is worth ---------------------------------------------------------------------------------------


def km_per_percent(model: str, sums: Sums, slope: float = 0.0) -> dict[str, Any]:
    """Kilometres of a percent at 50 %, a ratio of sums.

    Parameters
    ----------
    sums : of `evidence`, by check: `way_km` and `tilted_km`
    slope : the value of `slope_of_percent`

    Returns
    -------
    Row of check `km_per_pct`; `insufficient` below 20 trips.
    """
    way = sums.get("way_km", _NONE)
    found, sd = way.ratio()
    at_half = way.x + slope * sums.get("tilted_km", _NONE).x
    if found is None or sd is None or at_half <= 0:
        return check(model, "km_per_pct", INSUFFICIENT, None, None, way.n)
    value = way.y / at_half
    enough = way.n >= RIDES and value > 0
    return check(model, "km_per_pct", "estimate" if enough else INSUFFICIENT, value, sd * way.x / at_half, way.n)


def capacity_of_model(model: str, use: Mapping[str, Any], way: Mapping[str, Any]) -> dict[str, Any]:
    """What 100 % are worth [Wh]: Wh/km (`use_of_model`) times km of a percent (`km_per_percent`) times 100."""
    if INSUFFICIENT in (use["answer"], way["answer"]):
        return check(model, "capacity_wh", INSUFFICIENT, None, None, min(use["n"], way["n"]))
    value = 100 * use["value"] * way["value"]
    sd = value * math.hypot(_relative_sd(use), _relative_sd(way))
    return check(model, "capacity_wh", "estimate", value, sd, min(use["n"], way["n"]))


def _relative_sd(row: Mapping[str, Any]) -> float:
    return float((row["high"] - row["low"]) / (2 * _Z) / row["value"])


def slope_of_percent(model: str, sums: Sums) -> dict[str, Any]:
    """How much more a percent holds at 100 % than at 50 %, relative: its voltage is higher.

    Parameters
    ----------
    sums : of `evidence`, by check: `step_m`

    Returns
    -------
    Row of check `percent_slope`: least squares of the metres between falling ticks one step apart on their level, from
    20 % on (below, the controller saves). It assumes that riders do not ride otherwise at other levels.
    """
    steps = sums.get("step_m", _NONE)
    line = steps.line() if steps.n >= STEPS else None
    if line is None or line.middle <= 0:
        return check(model, "percent_slope", INSUFFICIENT, None, None, steps.n)
    return check(model, "percent_slope", "estimate", line.slope / line.middle, line.slope_sd / line.middle, steps.n)


# ---- by what rides have in common ----------------------------------------------------------------------------------


def bins(model: str, sums: Sums, capacity_wh: float | None) -> Iterator[dict[str, Any]]:
    """Wh/km of rides that have something in common.

    Parameters
    ----------
    sums : of `evidence`, by check: those with a colon
    capacity_wh : what 100 % are worth [Wh]

    Yields
    ------
    Rows of checks such as `wh_per_km:temperature:5` (5 to 10 degC), `wh_per_km:speed:20`, `wh_per_km:hour:8` (local),
    `wh_per_km:place:Depot` (of the start). `insufficient`, and no value, below 20 rides, or where half of the interval
    is above 10 % of the value. The interval is that of a ratio of sums, never of a mean of ratios (facts, 2.3); the
    error of the capacity, which all bins share, is not in it: they are for comparing.
    """
    for name, each in sums.items():
        if ":" in name and capacity_wh is not None:
            percent, sd = each.ratio()
            enough = each.n >= RIDES and percent is not None and sd is not None and _Z * sd < NARROW * percent
            scale = capacity_wh / 100
            value, error = (scale * (percent or 0.0), scale * (sd or 0.0)) if enough else (None, None)
            yield check(model, f"wh_per_km:{name}", "estimate" if enough else INSUFFICIENT, value, error, each.n)


# ---- what is known of vehicles -------------------------------------------------------------------------------------


def calibrated(known: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """What a vehicle's percent and kilometre are worth, and from when on.

    Parameters
    ----------
    known : DataFrame `provider` `vehicle` `model` `capacity_wh` [Wh] `wh_per_km`, and perhaps `capacity_sd` and
        `wh_per_km_sd`, relative
    checks : DataFrame of `CHECKS`

    Returns
    -------
    `known` with `since` (the beginning, and each `time` of its model's checks), `capacity_wh` and `wh_per_km` of the
    model then, `capacity_sd` and `wh_per_km_sd`, relative, of one vehicle of it, `percent_slope` (0 where nobody
    knows), `motor_power_sign` and the shares of `EVEN` (null where nobody knows). A data sheet, which errs by 10 % for
    packs in use, and the fleet's own figure are weighed by their variances. Where the fleet does not tell, the figure
    stays, with the error that it
    came with, else that of a data sheet: packs in use hold less than new ones.
    """
    always = pl.datetime(1, 1, 1, time_unit="ms", time_zone="UTC").alias("since")
    answers = pl.col("check").is_in(WEIGHED) & (pl.col("answer") != INSUFFICIENT)
    moments = checks.filter(answers).select("provider", "model", pl.col("time").alias("since")).unique()
    rows = pl.concat([known.with_columns(always), known.join(moments, on=["provider", "model"])])
    for name, spread in (("capacity_wh", PACK_CV), ("wh_per_km", VEHICLE_CV)):
        rows = _weighed(rows, checks, name, spread)
    sign = _told(checks, "motor_power_sign", pl.col("answer").alias("motor_power_sign"))
    for facts in (sign, *(_told(checks, name, pl.col("value").alias(name)) for name in ("percent_slope", *EVEN))):
        rows = rows.join(facts, on=_MODEL, how="left", maintain_order="left")
    return rows.with_columns(pl.col("percent_slope").fill_null(0.0))


_MODEL = ("provider", "model", "since")


def _told(checks: pl.DataFrame, name: str, *columns: pl.Expr) -> pl.DataFrame:
    told = checks.filter((pl.col("check") == name) & (pl.col("answer") != INSUFFICIENT))
    return told.select("provider", "model", pl.col("time").alias("since"), *columns)


def _weighed(rows: pl.DataFrame, checks: pl.DataFrame, name: str, spread: float) -> pl.DataFrame:
    sd = f"{name.removesuffix('_wh')}_sd"
    error = ((pl.col("high") - pl.col("low")) / (2 * _Z) / pl.col("value")).clip(1e-6).alias("error")
    found = _told(checks, name, pl.col("value"), error)
    given = pl.col(sd) if sd in rows.columns else pl.lit(None, pl.Float64())
    told = rows.with_columns(given.alias("given")).join(found, on=_MODEL, how="left", maintain_order="left")
    sheet, ours = pl.lit(1 / SHEET_SD**2), 1 / pl.col("error") ** 2
    both = (pl.col(name) * sheet + pl.col("value") * ours) / (sheet + ours)
    variance = pl.when(pl.col(name).is_null()).then(1 / ours).otherwise(1 / (sheet + ours))
    made = told.with_columns(
        pl.coalesce(both, "value", name).alias(name),
        pl.when(pl.col("value").is_not_null())
        .then((variance + spread**2).sqrt())
        .otherwise(pl.coalesce("given", pl.lit(math.hypot(SHEET_SD, spread))))
        .alias(sd),
    )
    return made.drop("value", "error", "given")


# ---- all of them ---------------------------------------------------------------------------------------------------


def checks(evidence: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The checks of energy of every model.

    Parameters
    ----------
    evidence : DataFrame of `evidence`, of the days that count, in the order of its key
    known : DataFrame `provider` `vehicle` `model` `capacity_wh`; vehicles without a model are left out

    Returns
    -------
    DataFrame of `CHECKS` by provider, model and check; `time` is null.
    """
    told = evidence.join(known.select(*WHO, "model"), on=WHO, maintain_order="left")
    sheets = {(provider, model): wh for provider, model, wh in known.select("provider", "model", "capacity_wh").rows()}
    rows = [
        {"provider": provider, **row}
        for (provider, model), sums in pooled(told, "provider", "model").items()
        for row in _of_model(model, sums, sheets[provider, model])
    ]
    return pl.DataFrame(rows, schema=CHECKS)


def _of_model(model: str, sums: Sums, sheet_wh: float | None) -> Iterator[dict[str, Any]]:
    sign, slope = power_sign(model, sums), slope_of_percent(model, sums)
    use, way = use_of_model(model, sums, sign["answer"]), km_per_percent(model, sums, slope["value"] or 0.0)
    capacity = capacity_of_model(model, use, way)
    yield from (sign, slope, use, way, capacity)
    yield from bins(model, sums, capacity["value"] or sheet_wh)
