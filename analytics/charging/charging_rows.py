"""Rows that tell of charging: status and battery queries of a vehicle in one order of time."""

import polars as pl

from analytics.frames import WHO, before, carried, marked, ordered
from analytics.observations.positions import STANDS_KMH

CHARGER_W = 50.0  # less at the charger is its own use
BATTERY_W = 20.0  # less into a standing battery is the error of a sensor
PLUG_S = 1800.0  # a plug that was told so long ago says nothing of what is told now: many tell it once, or at times
MOVED_M, MOVING_M = 30.0, 5.0  # between two rows, and within a minute
_WINDOW = "60s"

# Rows of a vehicle in order. `charging` is what a row says of it, null where it says nothing; `own_pct` is the percent
# of the row itself, `soc_pct` and `way_m` are the last ones known; `moved_at` is when the vehicle last moved.
CHARGING_ROWS = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "at": pl.Datetime("ms", "UTC"),
        "charging": pl.Boolean(),
        "plugged": pl.Boolean(),
        "own_pct": pl.Float64(),
        "soc_pct": pl.Float64(),
        "way_m": pl.Float64(),
        "moved_at": pl.Datetime("ms", "UTC"),
    }
)


def charging_rows(observations: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """What status and battery queries say of charging.

    Parameters
    ----------
    observations : DataFrame with `provider` `vehicle` `at` `charging` `plugged` `soc_pct` `way_m` `speed_kmh`
    batteries : DataFrame of `BATTERIES`

    Returns
    -------
    DataFrame of `CHARGING_ROWS` by vehicle and time.

    Notes
    -----
    A battery query says so by its flag, by power at the charger (more than 50 W) or by power into the battery of a
    standing vehicle (more than 20 W); without a flag, power that is lower says that nothing is charged. Unplugged
    denies them all, for half an hour after it was told. Where a vehicle last said that it charges, a percent that rises
    at rest says so again: a log of changes has each word once. The percent is the display's where there is one, else
    that of the battery, else the content as a share of the capacity, or of the highest one.
    """
    told = observations.select(*WHO, "at", "charging", "plugged", "soc_pct", "way_m", "speed_kmh", asked=pl.lit(0))
    in_order = ordered(pl.concat([told, _polls(batteries, with_percent(observations))], how="diagonal"), "at", "asked")
    again = ((pl.col("at").shift(1) == pl.col("at")) & ~pl.col("fresh")).fill_null(False)
    percent = pl.coalesce("soc_pct", pl.when(again.shift(-1)).then(pl.col("soc_pct").shift(-1)))
    in_order = in_order.with_columns(
        percent.alias("soc_pct"), pl.when(~again).then(percent).alias("own_pct"),
        pl.when(pl.col("plugged").is_not_null()).then("at").alias("plug_at"),
    )  # fmt: skip
    rows = marked(carried(in_order, "soc_pct", "way_m", "plugged", "plug_at"))
    recent = (pl.col("at") - pl.col("plug_at")).dt.total_milliseconds() <= 1000 * PLUG_S
    rows = rows.with_columns(pl.when(recent).then("plugged").alias("plugged"))
    said = _with_motion(rows).with_columns(_verdict().alias("charging"))
    return said.with_columns(_goes_on().alias("charging")).select(CHARGING_ROWS.names()).cast(CHARGING_ROWS)


def _polls(batteries: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """Rows of battery queries; with a percent of vehicles that are not among those that have it `shown`."""
    most_wh = pl.coalesce(pl.col("capacity_wh").max(), pl.col("energy_wh").max()).over(WHO)
    bare = pl.col("bms_soc_pct").is_null().all().over(WHO)
    percent = pl.when(bare).then(100 * pl.col("energy_wh") / most_wh).otherwise("bms_soc_pct")
    rows = batteries.join(shown.with_columns(shown=True), on=WHO, how="left", maintain_order="left")
    return rows.select(
        *WHO, "at", "power_w", "charger_power_w", charging="bms_charging",
        soc_pct=pl.when(pl.col("shown").is_null()).then(percent), asked=pl.lit(1),
    )  # fmt: skip


def with_percent(rows: pl.DataFrame, name: str = "soc_pct") -> pl.DataFrame:
    """The vehicles that tell a percent, each once: `provider` `vehicle`."""
    return rows.drop_nulls(name).select(WHO).unique()


def _with_motion(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `moved_at`, and `moving`: whether the vehicle moves about this row."""
    comes_m = pl.when(~pl.col("fresh").shift(-1)).then(pl.col("way_m").shift(-1) - pl.col("way_m")).fill_null(0.0)
    d_m = (pl.col("way_m") - before("way_m")).fill_null(0.0)
    known = rows.with_columns(d_m.alias("d_m"), comes_m.alias("comes_m"))
    drives = (pl.col("speed_kmh") > STANDS_KMH).fill_null(False)
    moved = (pl.col("d_m") > 1) | drives
    in_minute_m = pl.col("d_m").rolling_sum_by("at", _WINDOW).over(WHO)
    moving = (in_minute_m > MOVING_M) | (pl.col("comes_m") > MOVED_M) | drives
    moved_at = pl.when(moved).then("at").forward_fill().over(WHO)
    return known.with_columns(moved_at.alias("moved_at"), moving.alias("moving"))


def _goes_on() -> pl.Expr:
    """What rows say, and those that tell of nothing but a percent that rises on: logs of changes say a word once."""
    last = pl.col("charging").forward_fill().over(WHO)
    rises = pl.col("own_pct") > before("soc_pct")
    on = last & rises & ~pl.col("moving") & ~pl.col("plugged").not_().fill_null(False)
    return pl.coalesce("charging", pl.when(on.fill_null(False)).then(True))


def _verdict() -> pl.Expr:
    """Whether a row says that the vehicle charges; never while unplugged."""
    at_charger = pl.col("charger_power_w") > CHARGER_W
    into_battery = (pl.col("power_w") > BATTERY_W) & ~pl.col("moving")
    at_battery = pl.when(pl.col("power_w").is_not_null()).then(
        into_battery
    )  # nothing told is no denial, on the way too
    said = pl.any_horizontal(each.fill_null(False) for each in (pl.col("charging"), at_charger, at_battery))
    loose = pl.col("plugged").not_().fill_null(False)
    return pl.when(said).then(~loose).otherwise(pl.coalesce("charging", at_charger, at_battery))
