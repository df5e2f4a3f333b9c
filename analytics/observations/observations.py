"""Observations: what a vehicle told at one moment, on one row, with its counters and its way so far."""

import polars as pl

from analytics.frames import WHO, before, marked, ordered, vehicles_in, with_number
from analytics.observations.clocks import ORIGIN, Clocks, clocks, corrected
from analytics.observations.counters import JITTER, Rule, counted
from analytics.observations.positions import PATH, fixes, path
from analytics.schemas import OBSERVATIONS
from logger.tables import TIME

TOP_SPEED_KMH, OVER_TOP = 150.0, 1.3  # where nobody says how fast a vehicle can be
ODOMETER_SLACK_M, RIDE_SLACK_S = 10.0, 5.0
CREEPS_KMH, EVEN_S, EVEN_ROWS = 5.0, 180, 3  # no vehicle goes on so slowly, at one speed, for so long and so many rows
JITTERS_M, JITTERS = 150.0, 3  # so much an odometer falls that others than wheels make, and so often in a day
JITTERS_SHARE = 0.2  # ... and in so many of its changes
SETTLES = 40  # readings, in one of which it is as low as it gets; of later ones it may all be to and fro
STATUS = (
    "locked", "moving", "charging", "charge_state", "plugged", "online", "asleep", "speed_kmh", "soc_pct", "range_m",
    "ambient_c", "odometer_m", "ride_time_s", "charge_added_wh",
)  # fmt: skip
_LOCATION = ("lat_deg", "lon_deg", "hdop", "satellites", "fix_valid")
CHARGES = ("starting", "charging_ac", "charging_dc", "charging")  # words of `charge_state`
DRAWS_NOT = ("unplugged", "plugged", "scheduled", "complete", "fault", "discharging")


def observations(
    status: pl.LazyFrame,
    location: pl.LazyFrame,
    top_speed_kmh: float = TOP_SPEED_KMH,
    known: Clocks | None = None,
) -> pl.DataFrame:
    """Rows of `status` and `location` of the same moment as one.

    Parameters
    ----------
    status, location : LazyFrames, one row per key, in any order
    top_speed_kmh : the fastest that these vehicles go [km/h]
    known : what is known of their clocks; None: what these rows tell

    Returns
    -------
    DataFrame of `OBSERVATIONS`, by vehicle and time; `way_m` is null.
    """
    raw = {"status": status.select(*WHO, *ORIGIN, *STATUS), "location": location.select(*WHO, *ORIGIN, *_LOCATION)}
    read = {name: each.collect() for name, each in raw.items()}
    vehicles = vehicles_in(pl.concat([each.select(WHO) for each in read.values()]))
    rows = {name: with_number(each, vehicles) for name, each in read.items()}
    right = clocks(rows) if known is None else known
    status_rows = corrected(rows["status"], "status", right).drop_nulls("at").drop("time", "via", "clock", "reason")
    told = counters(status_rows, top_speed_kmh)
    places = corrected(rows["location"], "location", right).drop_nulls("at")
    return _shaped(_joined(told, places) if places.height else told)


def _joined(told: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Both by moment; of several positions of one moment, the last received."""
    key = [*WHO, "at"]
    found = path(fixes(places)).select(PATH.names())
    spoken = ordered(places, "at", "received_at", "sequence").select(
        *WHO, pl.col("at").cast(TIME), "received_at", "sequence"
    )
    heard = spoken.unique(key, keep="last", maintain_order=True).join(found, on=key, how="left")
    own = told.with_columns(pl.col("at").cast(TIME))
    said = heard.with_columns(placed=pl.lit(True))
    both = own.join(said.drop("received_at", "sequence"), on=key, how="left", maintain_order="left")
    alone = said.join(own, on=key, how="anti")
    return ordered(pl.concat([both, alone], how="diagonal_relaxed"), "at", "received_at", "sequence")


def counters(rows: pl.DataFrame, top_speed_kmh: float = TOP_SPEED_KMH) -> pl.DataFrame:
    """Rows of `status` with `at`, by vehicle and moment, with `count_m`, `ride_s` and `reset`.

    A bad counter costs the counter and not the row; one of which both counters are wrong stands at a wrong moment.
    """
    in_order = ordered(rows, "at", "odometer_m", "ride_time_s", "received_at", "sequence")
    told = _without_jitter(_without_creep(_without_spikes(in_order, top_speed_kmh * OVER_TOP)))
    way = Rule(top_speed_kmh * OVER_TOP / 3.6, ODOMETER_SLACK_M)
    known = counted(told, "odometer_m", "count_m", way)
    known = counted(known, "ride_time_s", "ride_s", Rule(1.0, RIDE_SLACK_S))
    misplaced = (known["count_m_fault"] == "glitch") & (known["ride_s_fault"] == "glitch")
    placed = known.filter(~misplaced) if misplaced.any() else known
    return placed.with_columns(_charging(), reset=pl.col("count_m_fault") == "reset")


def _without_spikes(rows: pl.DataFrame, most_kmh: float) -> pl.DataFrame:
    """Rows without a speed that the vehicle cannot reach, between two that are less than half of it."""
    if not rows.select((pl.col("speed_kmh") > most_kmh).any()).item():
        return rows
    told = marked(rows.select(*WHO, "speed_kmh").with_row_index("row").drop_nulls("speed_kmh"))
    following = pl.when(~pl.col("fresh").shift(-1)).then(pl.col("speed_kmh").shift(-1))
    beside = pl.max_horizontal(before("speed_kmh"), following).fill_null(0.0)
    spikes = told.filter((pl.col("speed_kmh") > most_kmh) & (beside < pl.col("speed_kmh") / 2))["row"]
    known = pl.when(~pl.int_range(pl.len(), dtype=pl.UInt32).is_in(spikes.implode()))
    return rows.with_columns(known.then("speed_kmh").alias("speed_kmh"))


def _without_creep(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in which a speed below 5 km/h that stays the same for three minutes is 0: nobody walks so evenly."""
    slow = pl.col("speed_kmh").is_between(0, CREEPS_KMH, closed="right").fill_null(False)
    if not rows.select(slow.any()).item():
        return rows
    numbered = rows.select("at", "speed_kmh", pl.col("fresh").cum_sum().alias("who"))
    told = numbered.with_row_index("row").drop_nulls("speed_kmh")
    slows = told.with_columns((pl.col("speed_kmh").rle_id() + pl.col("who")).alias("run")).filter(slow)
    lasted = pl.col("at").last() - pl.col("at").first() >= pl.duration(seconds=EVEN_S)
    even = slows.group_by("run").agg((lasted & (pl.len() >= EVEN_ROWS)).alias("even")).filter("even")
    if even.is_empty():
        return rows
    stuck = slows.join(even, on="run", how="semi")["row"]
    stands = pl.int_range(pl.len(), dtype=pl.UInt32).is_in(stuck.implode())
    return rows.with_columns(pl.when(stands).then(0.0).otherwise("speed_kmh").alias("speed_kmh"))


def _without_jitter(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows in which an odometer that goes to and fro several times a day rises to what it does not fall below again."""
    fall_m = before("odometer_m") - pl.col("odometer_m")
    told = marked(rows.select(*WHO, "at", "odometer_m").with_row_index("row").drop_nulls("odometer_m"))
    falls = told.with_columns(fall_m.is_between(JITTER, JITTERS_M, closed="right").fill_null(False).alias("falls"))
    if not falls["falls"].any():
        return rows
    day, jumps = pl.col("at").dt.truncate("1d"), (pl.col("fresh") | (fall_m > JITTERS_M)).fill_null(True)
    often, changes = (each.sum().over(*WHO, day) for each in (pl.col("falls"), fall_m != 0))
    jitters = (often >= JITTERS) & (often >= JITTERS_SHARE * changes)
    settled_m = pl.col("odometer_m").reverse().rolling_min(SETTLES).reverse().over(WHO)
    lowest_m = settled_m.fill_null(pl.col("odometer_m") - JITTERS_M)
    held = falls.with_columns(jumps.cum_sum().alias("run")).select(
        "row", pl.when(jitters).then(lowest_m.cum_max().over("run")).alias("held_m")
    )
    known = rows.with_row_index("row").join(held, on="row", how="left", maintain_order="left")
    return known.with_columns(pl.coalesce("held_m", "odometer_m").alias("odometer_m")).drop("row", "held_m")


def _charging() -> pl.Expr:
    """Whether energy flows in: by flag or word; never while unplugged."""
    word = pl.col("charge_state")
    by_word = pl.when(word.is_in(CHARGES)).then(True).when(word.is_in(DRAWS_NOT)).then(False)
    told = pl.when(by_word.fill_null(False) | pl.col("charging").fill_null(False)).then(True)
    said = told.otherwise(pl.coalesce("charging", by_word))
    return pl.when(pl.col("plugged").not_()).then(False).otherwise(said).alias("charging")


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    missing = [pl.lit(None, kind).alias(name) for name, kind in OBSERVATIONS.items() if name not in rows.columns]
    shaped = rows.with_columns(missing).select(OBSERVATIONS.names()).cast(OBSERVATIONS)
    return shaped.with_columns(pl.col("reset", "placed").fill_null(False))
