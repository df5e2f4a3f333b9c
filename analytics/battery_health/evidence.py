"""What each vehicle's day tells of its model: sums that are added up over vehicles and days, and nothing else.

A fleet's figures are means, ratios and slopes, and each follows from six sums over points (x, y). So a day that a late
row changed is summed anew, and no other; and days may be summed anywhere.
"""

from collections.abc import Mapping

import polars as pl

from analytics.battery_health import effort, firmware
from analytics.battery_health.moments import POINTS, point
from analytics.frames import WHO, before, localised, marked, zoned
from analytics.observations.power import of_rides
from logger.tables import shaped

CLOSE_S = 600.0  # between two ticks of which the way tells what a percent is worth
LEAST_PCT = 20.0  # below, the controller saves
# What rides have in common: the lower end of steps of 5 degC and, of the mean speed while riding, of 5 km/h.
BINS: Mapping[str, pl.Expr] = {
    "temperature": (pl.col("ambient_c") / 5).floor().cast(pl.Int64) * 5,
    "speed": (3.6 * pl.col("distance_m") / pl.col("riding_s") / 5).floor().cast(pl.Int64, strict=False) * 5,
    "hour": pl.col("local").dt.hour(),
    "place": pl.col("start_place"),
}


def evidence(
    readings: pl.DataFrame,
    steps: pl.DataFrame,
    ticks: pl.DataFrame,
    trips: pl.DataFrame,
    batteries: pl.DataFrame,
    packs: pl.DataFrame,
    known: pl.DataFrame,
) -> pl.DataFrame:
    """Sums over points, by vehicle, UTC day and check.

    Parameters
    ----------
    readings, steps, ticks, batteries, packs : DataFrames of `OBSERVATIONS`, their `segments`, their `TICKS`, of
        BATTERIES and PACKS, each in its order
    trips : DataFrame with `provider` `vehicle` `started_at` `finished_at` `distance_m` [m] `riding_s` [s] `ambient_c`
        [degC] `soc_used_pct` `soc_mean_pct` [%] `swaps` `start_place` and those of `effort.ways`; a vehicle's do not
        overlap
    known : DataFrame `provider` `vehicle` `timezone`

    Returns
    -------
    DataFrame of `evidence`: `n` points and the sums of x, y and their products. Its checks, with x and y:

    - `riding_w`, `charging_w`: 1 and `motor_power_w`, sign as it comes [W]; `signed_w`: 1 and `power_w` while riding
    - `use_motor_wh`, `use_wh`: a ride's way [km] and its energy by the one and by the other [Wh], see `power.of_rides`
    - `way_km`: what a ride used [%] and its way [km]; `tilted_km`: the same, x times how far above 50 % in halves
    - `step_m`: level of a falling tick above 50 %, in halves, and the way since the one before [m]
    - `ridden_km`: 1 and the way by the counter [km]; `ridden_h`: 1 and the riding time [h]; of a day
    - `temperature:5`, `speed:20`, `hour:8`, `place:Depot`: a ride's way [km] and what it used [%]; see `BINS`
    - those of `effort.points` and of `firmware.points`
    """
    rides = localised(zoned(trips.filter(pl.col("distance_m") > 0), known), "started_at")
    rides = rides.with_columns((pl.col("distance_m") / 1000).alias("km")).sort("started_at")
    told = [
        *_powers(rides, steps, batteries),
        *_ways(rides),
        _steps(ticks, readings),
        *_ridden(readings),
        *_bins(rides),
        *effort.points(rides),
    ]
    told += firmware.points(readings, packs)
    return _summed(pl.concat([POINTS.to_frame(), *told]).drop_nulls(["x", "y"]))


def _summed(points: pl.DataFrame) -> pl.DataFrame:
    x, y = pl.col("x"), pl.col("y")
    sums = {"sum_x": x, "sum_y": y, "sum_xx": x * x, "sum_xy": x * y, "sum_yy": y * y}
    days = points.sort(*WHO, "check", "at").group_by(
        *WHO, pl.col("at").dt.truncate("1d").alias("time"), "check", maintain_order=True
    )
    return shaped(days.agg(pl.len().alias("n"), *(each.sum().alias(name) for name, each in sums.items())), "evidence")


def _powers(rides: pl.DataFrame, steps: pl.DataFrame, batteries: pl.DataFrame) -> list[pl.DataFrame]:
    """Single readings of power, and of each ride what they make of its energy."""
    polls = batteries.sort("at").join_asof(
        rides.select(*WHO, "started_at", "finished_at"), left_on="at", right_on="started_at", by=WHO,
        check_sortedness=False,
    )  # fmt: skip
    riding = (pl.col("at") <= pl.col("finished_at")).fill_null(False)
    charging = polls.filter(~riding & pl.col("bms_charging").fill_null(False))
    motor, known = pl.col("motor_power_w"), -pl.col("power_w")
    return [
        point(polls.filter(riding), "riding_w", pl.lit(1.0), motor),
        point(charging, "charging_w", pl.lit(1.0), motor),
        point(polls.filter(riding), "signed_w", pl.lit(1.0), known),
        _energy(rides, steps, batteries, "use_motor_wh", motor),
        _energy(rides, steps, batteries, "use_wh", known),
    ]


def _energy(
    rides: pl.DataFrame, steps: pl.DataFrame, batteries: pl.DataFrame, check: str, power_w: pl.Expr
) -> pl.DataFrame:
    powers = batteries.select(*WHO, "at", power_w.alias("used_w")).drop_nulls("used_w")
    ways = rides.with_row_index("row").select("row", "km")
    told = of_rides(rides, steps, powers).join(ways, on="row", maintain_order="left")
    return point(told, check, pl.col("km"), pl.col("wh"), "started_at")


def _ways(rides: pl.DataFrame) -> list[pl.DataFrame]:
    used, above = pl.col("soc_used_pct"), (pl.col("soc_mean_pct") - 50) / 50
    return [
        point(rides, "way_km", used, pl.col("km"), "started_at"),
        point(rides, "tilted_km", used * above, pl.col("km"), "started_at"),
    ]


def _steps(ticks: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Falling ticks, a step and no long stop after the one before."""
    ways = readings.drop_nulls("way_m").select(*WHO, pl.col("at").alias("read_at"), "way_m").sort("read_at")
    placed = ticks.sort("at").join_asof(ways, left_on="at", right_on="read_at", by=WHO, check_sortedness=False)
    rows = marked(placed.sort(*WHO, "at"))
    since_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    one = (before("level_pct") - pl.col("level_pct") == 1) & ~pl.col("rising") & ~before("rising")
    way_m = pl.col("way_m") - before("way_m")
    near = (since_s < CLOSE_S) & (way_m > 0) & (pl.col("level_pct") >= LEAST_PCT)
    steps = rows.with_columns(way_m.alias("way"), (one & near).fill_null(False).alias("tells")).filter("tells")
    return point(steps, "step_m", (pl.col("level_pct") - 49.5) / 50, pl.col("way"))


def _ridden(readings: pl.DataFrame) -> list[pl.DataFrame]:
    """What counters rose on each day: an interval belongs to the day of its later reading."""
    rows = marked(readings.select(*WHO, "at", "way_m", "ride_s"))
    rises = rows.with_columns((pl.col(name) - before(name)).alias(name) for name in ("way_m", "ride_s"))
    days = rises.group_by(*WHO, pl.col("at").dt.truncate("1d"), maintain_order=True).agg(
        pl.when(pl.col(name).is_not_null().any()).then(pl.col(name).sum()).alias(name) for name in ("way_m", "ride_s")
    )
    return [
        point(days, "ridden_km", pl.lit(1.0), pl.col("way_m") / 1000),
        point(days, "ridden_h", pl.lit(1.0), pl.col("ride_s") / 3600),
    ]


def _bins(rides: pl.DataFrame) -> list[pl.DataFrame]:
    used = pl.col("soc_used_pct")
    named = {name: pl.format(f"{name}:{{}}", of.cast(pl.String())) for name, of in BINS.items()}
    return [point(rides, name, pl.col("km"), used, "started_at").drop_nulls("check") for name in named.values()]
