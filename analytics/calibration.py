"""What a fleet's own data say of its models: usual consumption, kilometres and watt hours of a percent, and oddities.

Absolute energy comes from many single readings of power, pooled over the fleet; what a percent is worth, from
distances between ticks (analytics facts, F4, F5). A check that the data cannot answer says `insufficient`, never a
guess. Each check is a row of the table `calibration`.
"""

import math
from collections.abc import Mapping
from typing import Any

import polars as pl

from analytics.power import net_power
from analytics.steps import WHO, before, marked

CHECKS = pl.Schema(
    {
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
POLLS, RIDES, STEPS = 100, 20, 200  # that an answer needs
SURE_SD = 4.0  # standard errors from nothing at which a sign is one
SHEET_SD = 0.10  # what a data sheet errs by for packs in use: facts, 3: they hold 75 to 105 % of it
PACK_CV = 0.07  # of the capacities of one model's packs, young and old (simulated fleet)
VEHICLE_CV = 0.055  # of one model's usual consumption from vehicle to vehicle: tyres, drive (simulated fleet)
_Z = 1.96


def check(model: str, name: str, answer: str, value: float | None, sd: float | None, n: int) -> dict[str, Any]:
    """A row of `CHECKS`; `low` and `high` are 95 %."""
    half = None if value is None or sd is None else _Z * sd
    low, high = (None, None) if value is None or half is None else (value - half, value + half)
    return {"model": model, "check": name, "answer": answer, "value": value, "low": low, "high": high, "n": n}


# ---- power ---------------------------------------------------------------------------------------------------------


def power_sign(model: str, polls: pl.DataFrame) -> dict[str, Any]:
    """Which way `motor_power_w` is positive.

    Parameters
    ----------
    polls : DataFrame with `motor_power_w` [W], `riding` and `charging`, of one model

    Returns
    -------
    Row of check `motor_power_sign`: `discharge_positive`, `charge_positive`, or `insufficient` where fewer than 100
    polls while riding say so, their mean is not 4 standard errors from 0, or polls in a charge say the same. `value` is
    the mean while riding [W].
    """
    told = polls.drop_nulls("motor_power_w")
    mean, sd, n = _mean(told.filter("riding")["motor_power_w"])
    in_charge, sd_in_charge, charges = _mean(told.filter(pl.col("charging") & ~pl.col("riding"))["motor_power_w"])
    sure = n >= POLLS and abs(mean) > SURE_SD * sd
    against = charges >= POLLS and in_charge * mean > 0 and abs(in_charge) > SURE_SD * sd_in_charge
    word = INSUFFICIENT if not sure or against else "discharge_positive" if mean > 0 else "charge_positive"
    return check(model, "motor_power_sign", word, mean if n else None, sd, n)


def _mean(values: pl.Series) -> tuple[float, float, int]:
    """Mean, its standard error, count."""
    if len(values) < 2:
        return 0.0, math.inf, len(values)
    rows = values.to_frame("x").select(pl.col("x").mean().alias("mean"), pl.col("x").std().alias("sd"))
    mean, sd = rows.row(0)
    return float(mean), float(sd) / math.sqrt(len(values)), len(values)


def use_of_model(model: str, trips: pl.DataFrame, batteries: pl.DataFrame, sign: str) -> dict[str, Any]:
    """Wh/km of a model, from single readings of power pooled over its rides.

    Parameters
    ----------
    trips : DataFrame with `provider` `vehicle` `started_at` `finished_at` `distance_m` [m], of one model
    batteries : DataFrame of BATTERIES: `power_w` is positive into the battery; where it is null, `motor_power_w`
    sign : the answer of `power_sign`

    Returns
    -------
    Row of check `wh_per_km`: net, with the interval of a ratio of sums over rides, each of which has used its mean
    power for its time. It assumes that polls do not choose their moments by the power.
    """
    powers = _powers(trips, batteries, sign)
    rides = powers.group_by("ride_row").agg(
        pl.col("used_w").mean(), pl.col("hours").first(), pl.col("km").first(), pl.len().alias("polls")
    )  # fmt: skip
    energy = (rides["used_w"] * rides["hours"]).alias("energy")
    value, sd = _ratio(energy, rides["km"])
    enough = powers.height >= POLLS and rides.height >= RIDES and value is not None and value > 0
    return check(model, "wh_per_km", "estimate" if enough else INSUFFICIENT, value, sd, powers.height)


def _powers(trips: pl.DataFrame, batteries: pl.DataFrame, sign: str) -> pl.DataFrame:
    """Readings of power within rides: `ride_row`, `used_w` (positive when used), `hours` and `km` of the ride."""
    told = net_power(batteries, sign)
    hours = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 3_600_000
    rides = trips.select(
        *WHO, "started_at", "finished_at", hours.alias("hours"), (pl.col("distance_m") / 1000).alias("km")
    )
    rides = rides.sort("started_at").with_row_index("ride_row")
    placed = told.join_asof(rides, left_on="at", right_on="started_at", by=WHO, check_sortedness=False)
    return placed.filter((pl.col("at") <= pl.col("finished_at")) & (pl.col("km") > 0))


def _ratio(above: pl.Series, below: pl.Series) -> tuple[float | None, float | None]:
    """Ratio of sums and its standard error by the delta method."""
    n, whole = len(above), float(below.sum())
    if n < 2 or whole <= 0:
        return None, None
    ratio = float(above.sum()) / whole
    squares = float(((above - ratio * below) ** 2).sum())
    return ratio, math.sqrt(squares * n / (n - 1)) / whole


# ---- what a percent is worth ---------------------------------------------------------------------------------------


def km_per_percent(model: str, trips: pl.DataFrame, slope: float = 0.0) -> dict[str, Any]:
    """Kilometres of a percent at 50 %, a ratio of sums.

    Parameters
    ----------
    trips : DataFrame with `distance_m` [m], `soc_used_pct`, `soc_mean_pct` [%], of one model
    slope : the value of `slope_of_percent`

    Returns
    -------
    Row of check `km_per_pct`; `insufficient` below 20 trips.
    """
    told = trips.drop_nulls("soc_used_pct").filter(pl.col("distance_m") > 0)
    at_half = told["soc_used_pct"] * (1 + slope * (told["soc_mean_pct"] - 50) / 50)
    value, sd = _ratio(told["distance_m"] / 1000, at_half)
    enough = told.height >= RIDES and value is not None and value > 0
    return check(model, "km_per_pct", "estimate" if enough else INSUFFICIENT, value, sd, told.height)


def capacity_of_model(model: str, use: Mapping[str, Any], way: Mapping[str, Any]) -> dict[str, Any]:
    """What 100 % are worth [Wh]: Wh/km (`use_of_model`) times km of a percent (`km_per_percent`) times 100."""
    if INSUFFICIENT in (use["answer"], way["answer"]):
        return check(model, "capacity_wh", INSUFFICIENT, None, None, min(use["n"], way["n"]))
    value = 100 * use["value"] * way["value"]
    sd = value * math.hypot(_relative_sd(use), _relative_sd(way))
    return check(model, "capacity_wh", "estimate", value, sd, min(use["n"], way["n"]))


def _relative_sd(row: Mapping[str, Any]) -> float:
    return float((row["high"] - row["low"]) / (2 * _Z) / row["value"])


def slope_of_percent(model: str, ticks: pl.DataFrame, readings: pl.DataFrame) -> dict[str, Any]:
    """How much more a percent holds at 100 % than at 50 %, relative: its voltage is higher.

    Parameters
    ----------
    ticks, readings : DataFrame of `TICKS`, of `READINGS`, of one model

    Returns
    -------
    Row of check `percent_slope`: least squares of the metres between falling ticks one step apart on their level, from
    20 % on (below, the controller saves). It assumes that riders do not ride otherwise at other levels.
    """
    steps = _steps(ticks, readings)
    x, y = (steps["level_pct"] - 49.5) / 50, steps["way_m"]
    n = len(x)
    spread = float(((x - (x.mean() if n else 0.0)) ** 2).sum()) if n else 0.0
    if n < STEPS or spread == 0:
        return check(model, "percent_slope", INSUFFICIENT, None, None, n)
    mean_x, mean_y = float(x.sum()) / n, float(y.sum()) / n
    slope = float(((x - mean_x) * (y - mean_y)).sum()) / spread
    middle = mean_y - slope * mean_x
    residual = float(((y - middle - slope * x) ** 2).sum()) / (n - 2)
    return check(model, "percent_slope", "estimate", slope / middle, math.sqrt(residual / spread) / middle, n)


def _steps(ticks: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Falling ticks a step and no long stop after the one before: their `level_pct` and `way_m` since."""
    ways = readings.drop_nulls("way_m").select(*WHO, pl.col("at").alias("read_at"), "way_m").sort("read_at")
    placed = ticks.sort("at").join_asof(ways, left_on="at", right_on="read_at", by=WHO, check_sortedness=False)
    rows = marked(placed.sort(*WHO, "at"))
    since_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    one = (before("level_pct") - pl.col("level_pct") == 1) & ~pl.col("rising") & ~before("rising")
    made = rows.with_columns(way=pl.col("way_m") - before("way_m"), since_s=since_s)
    quick = (pl.col("since_s") < 600) & (pl.col("way") > 0) & (pl.col("level_pct") >= 20)
    return made.filter((one & quick).fill_null(False)).select("level_pct", pl.col("way").alias("way_m"))


def calibrated(known: pl.DataFrame, checks: pl.DataFrame) -> pl.DataFrame:
    """What is known of vehicles, with what their models' checks say.

    Parameters
    ----------
    known : DataFrame `provider` `vehicle` `model` `capacity_wh` `wh_per_km` …
    checks : DataFrame of `CHECKS`

    Returns
    -------
    `known` with `capacity_wh` and `wh_per_km` of the model, and `capacity_sd` and `wh_per_km_sd`, relative, of one
    vehicle of it. A data sheet, which errs by 10 % for packs in use, and the fleet's own figure are weighed by their
    variances. Where the fleet does not tell, the figure stays, with the error that it came with, else that of a data
    sheet: packs in use hold less than new ones.
    """
    rows = known
    for name, spread in (("capacity_wh", PACK_CV), ("wh_per_km", VEHICLE_CV)):
        rows = _weighed(rows, checks, name, spread)
    return rows


def _weighed(known: pl.DataFrame, checks: pl.DataFrame, name: str, spread: float) -> pl.DataFrame:
    sd = f"{name.removesuffix('_wh')}_sd"
    found = checks.filter((pl.col("check") == name) & (pl.col("answer") == "estimate")).select(
        "model", "value", ((pl.col("high") - pl.col("low")) / (2 * _Z) / pl.col("value")).clip(1e-6).alias("error")
    )
    given = pl.col(sd) if sd in known.columns else pl.lit(None, pl.Float64())
    rows = known.with_columns(given.alias("given")).join(found, on="model", how="left", maintain_order="left")
    sheet, ours = pl.lit(1 / SHEET_SD**2), 1 / pl.col("error") ** 2
    both = (pl.col(name) * sheet + pl.col("value") * ours) / (sheet + ours)
    variance = pl.when(pl.col(name).is_null()).then(1 / ours).otherwise(1 / (sheet + ours))
    made = rows.with_columns(
        pl.coalesce(both, "value", name).alias(name),
        pl.when(pl.col("value").is_not_null())
        .then((variance + spread**2).sqrt())
        .otherwise(pl.coalesce("given", pl.lit(math.hypot(SHEET_SD, spread))))
        .alias(sd),
    )
    return made.drop("value", "error", "given")


# ---- all of them ---------------------------------------------------------------------------------------------------


def checks(
    known: pl.DataFrame, readings: pl.DataFrame, ticks: pl.DataFrame, trips: pl.DataFrame, batteries: pl.DataFrame
) -> pl.DataFrame:
    """The checks of energy of every model.

    Parameters
    ----------
    known : DataFrame `provider` `vehicle` `model`; vehicles without a model are left out
    readings, ticks : DataFrame of `READINGS` and their `TICKS`
    trips : DataFrame of `trips.trips` with the columns of `soc_used.used`
    batteries : DataFrame of BATTERIES

    Returns
    -------
    DataFrame of `CHECKS`, by model.
    """
    frames = (readings, ticks, trips, batteries)
    rows: list[dict[str, Any]] = []
    for model in known["model"].drop_nulls().unique().sort():
        own = known.filter(pl.col("model") == model).select(WHO).unique()
        rows += _of_model(model, *(frame.join(own, on=WHO, how="semi", maintain_order="left") for frame in frames))
    return pl.DataFrame(rows, schema=CHECKS)


def _of_model(
    model: str, readings: pl.DataFrame, ticks: pl.DataFrame, trips: pl.DataFrame, batteries: pl.DataFrame
) -> list[dict[str, Any]]:
    sign = power_sign(model, _riding(trips, batteries))
    slope = slope_of_percent(model, ticks, readings)
    use = use_of_model(model, trips, batteries, sign["answer"])
    way = km_per_percent(model, trips, slope["value"] or 0.0)
    return [sign, slope, use, way, capacity_of_model(model, use, way)]


def _riding(trips: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """Readings of the battery, and whether they were made on a trip, and in a charge."""
    rides = trips.select(*WHO, "started_at", "finished_at").sort("started_at")
    rows = batteries.sort("at").join_asof(
        rides, left_on="at", right_on="started_at", by=WHO, check_sortedness=False
    )  # fmt: skip
    riding = (pl.col("at") <= pl.col("finished_at")).fill_null(False)
    return rows.select(
        "motor_power_w", riding.alias("riding"), pl.col("bms_charging").fill_null(False).alias("charging")
    )
