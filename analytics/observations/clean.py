"""Raw rows made fit for analyses: two clocks reconciled, rows in order, counters steady, positions gated.

Nothing is dropped or changed without a reason, which a second frame lists. Order, repetition and splits of the input do
not matter. Thresholds are those of the analytics facts, 1.2 and 1.3, where they say nothing else here.
"""

from collections.abc import Iterator

import polars as pl

from analytics.frames import WHO, before, carried, marked, numbered, ordered
from analytics.observations.counters import Steady, steady
from analytics.schemas import FIXES, READINGS, REASONS

OFFSET_S, OFFSET_ROWS, SPREAD_S = 120.0, 3, 60.0  # a clock is off by so much, in so many messages that agree so well
AHEAD_S = 60.0  # a moment so long after its receipt is none
SLOW_S, FAST_S = 20.0, 5.0  # a clock is off by so much where hour after hour says so
STEADY_HOURS, STEADY_S = 6, 10.0  # so many hours of a day, whose least delays lie so near each other
TOP_SPEED_KMH, OVER_TOP = 150.0, 1.3  # where nobody says how fast a vehicle can be
ODOMETER_SLACK_M, RIDE_SLACK_S = 10.0, 5.0
UERE_M, MAX_HDOP, MIN_SATELLITES = 5.0, 5.0, 4
_ORIGIN = ("time", "received_at", "sequence", "via", "clock")
_STATUS = ("locked", "charging", "online", "speed_kmh", "soc_pct", "range_m", "ambient_c", "odometer_m", "ride_time_s")
_LOCATION = ("lat_deg", "lon_deg", "hdop", "satellites", "fix_valid")
_HOUR_MS = 3_600_000
_HOURS = 1 << 24  # of 1,900 years: a vehicle and its hour are one number, grouped in half the time of two


def readings(status: pl.LazyFrame, top_speed_kmh: float = TOP_SPEED_KMH) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Status rows as readings, and why some are none or changed.

    Parameters
    ----------
    status : LazyFrame of `status`, one row per key, in any order
    top_speed_kmh : the fastest that these vehicles go [km/h]

    Returns
    -------
    DataFrame of `READINGS` by vehicle and time, DataFrame of `REASONS`.
    """
    corrected = timed(status.select(*WHO, *_ORIGIN, *_STATUS).collect())
    ties = ("odometer_m", "ride_time_s", "received_at", "sequence")
    counted = _counted(ordered(corrected, "at", *ties), top_speed_kmh)
    told = counted.filter(pl.col("fault") != "glitch").select(READINGS.names()).cast(READINGS)
    return told, _reasons(counted, pl.col("reason"), pl.when(pl.col("fault") != "").then("fault"))


def fixes(location: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Location rows that are positions, and why the others are none.

    Parameters
    ----------
    location : LazyFrame of `location`, one row per key, in any order

    Returns
    -------
    DataFrame of `FIXES` by vehicle and time, DataFrame of `REASONS`. `sigma_m` is hdop times 5 m [m]: hdop is a weight
    and a gate, never an accuracy.
    """
    corrected = timed(location.select(*WHO, *_ORIGIN, *_LOCATION).collect()).with_columns(_gate().alias("gate"))
    sigma = (pl.col("hdop").fill_null(1.0).clip(0.5) * UERE_M).alias("sigma_m")
    good = ordered(corrected.filter(pl.col("gate").is_null()).with_columns(sigma), "at", "received_at", "sequence")
    return good.select(FIXES.names()).cast(FIXES), _reasons(corrected, pl.col("reason"), pl.col("gate"))


def _reasons(rows: pl.DataFrame, *words: pl.Expr) -> pl.DataFrame:
    told = [rows.select(*WHO, "time", "sequence", word.alias("reason")).drop_nulls("reason") for word in words]
    return pl.concat(told).cast(REASONS)


# ---- time ----------------------------------------------------------------------------------------------------------


def timed(rows: pl.DataFrame) -> pl.DataFrame:
    """`numbered` rows with `at`: the device's time, corrected where its messages agree that its clock is off.

    `reason` is there where it was changed. The offset is the least delay of an hour's messages: a clock that is right
    has none but the network's. It counts only where most of them have nearly that delay: stored messages that come late
    are no wrong clock. An offset of less than two minutes counts where the least delays of pushes in six hours of a day
    are nearly the same: a network holds up some messages, a wrong clock all of them. (A cloud that holds up everything
    for so long looks the same; a polled answer is as old as the vehicle's last word, and tells nothing.) A moment after
    its receipt, of a clock that nothing else is known of, is replaced by the receipt.
    """
    delayed = numbered(rows).with_columns(
        (pl.col("received_at") - pl.col("time")).dt.total_milliseconds().alias("delay_ms"),
        (pl.col("who") * _HOURS + pl.col("received_at").dt.epoch("ms") // _HOUR_MS).alias("hour"),
        ((pl.col("clock") == "device") & (pl.col("via") != "import")).alias("device"),
    )
    known = delayed.join(_offsets(delayed), on="hour", how="left", maintain_order="left")
    wrong = pl.col("device") & pl.col("offset_ms").is_not_null()
    ahead = pl.col("device") & (pl.col("delay_ms") < -1000 * AHEAD_S)
    corrected = (pl.col("time") + pl.duration(milliseconds="offset_ms")).cast(pl.Datetime("ms", "UTC"))
    at = pl.when(wrong).then(corrected).when(ahead).then("received_at").otherwise("time")
    word = pl.when(wrong).then(pl.lit("clock_corrected")).when(ahead).then(pl.lit("time_ahead"))
    return known.with_columns(at.alias("at"), word.alias("reason")).drop("delay_ms", "hour", "device", "offset_ms")


def _offsets(delayed: pl.DataFrame) -> pl.DataFrame:
    """Hours of receipt in which a vehicle's clock is off, and by how much [ms]: by their day's word, else their own.

    A day speaks for the hours that say nearly the same, and for those between them in which all came late.
    """
    delay = pl.col("delay_ms")
    told = delayed.with_columns(pl.when(pl.col("via") == "push").then(delay).alias("pushed_ms"))
    hours = told.filter("device").group_by("hour").agg(
        pl.col("who").first(), pl.len().alias("rows"), pl.col("pushed_ms").min(),
        delay.min().alias("least_ms"), (delay.median() - delay.min()).alias("spread_ms"),
    )  # fmt: skip
    suspects = hours.filter(_off("least_ms", SLOW_S, FAST_S).any().over("who")).sort("hour")
    by_day = suspects.with_columns((pl.col("hour") % _HOURS // 24).alias("day"), _of_hour().alias("of_hour_ms"))
    known = by_day.join(_days(by_day), on=["who", "day"], how="left", maintain_order="left")
    amid = pl.col("hour").is_between("first", "final") & (pl.col("least_ms") > pl.col("of_day_ms"))
    near = pl.col("least_ms") - pl.col("of_day_ms") <= 1000 * STEADY_S
    of_day = pl.when(near | amid).then("of_day_ms")
    offset = pl.coalesce(of_day, "of_hour_ms").alias("offset_ms")
    return known.select("hour", offset).drop_nulls("offset_ms")


def _off(name: str, slow_s: float, fast_s: float) -> pl.Expr:
    return (pl.col(name) > 1000 * slow_s) | (pl.col(name) < -1000 * fast_s)


def _of_hour() -> pl.Expr:
    """An hour's own offset, where it is large.

    An hour with too few messages to say so, or with late ones among them, follows the hours around it if its least
    delay is nearly theirs.
    """
    off = _off("least_ms", OFFSET_S, AHEAD_S)
    sure = pl.when(off & (pl.col("rows") >= OFFSET_ROWS) & (pl.col("spread_ms") <= 1000 * SPREAD_S)).then("least_ms")
    around = [
        (pl.col("least_ms") - fill).abs() <= 1000 * SPREAD_S
        for fill in (sure.forward_fill().over("who"), sure.backward_fill().over("who"))
    ]
    return pl.when(sure.is_not_null() | (off & pl.any_horizontal(around).fill_null(False))).then("least_ms")


def _days(hours: pl.DataFrame) -> pl.DataFrame:
    """Days throughout which a vehicle's clock is off, by how much [ms], and the first and final hour that say so.

    A day with too few hours to say so follows the day before or after it if its least delay is nearly theirs.
    """
    pushed, hour = pl.col("pushed_ms"), pl.col("hour")
    near = pushed <= pushed.min() + 1000 * STEADY_S
    days = hours.group_by("who", "day", maintain_order=True).agg(
        pushed.min().alias("of_day_ms"), near.sum().alias("hours"),
        hour.filter(near).min().alias("first"), hour.filter(near).max().alias("final"),
    )  # fmt: skip
    off = _off("of_day_ms", SLOW_S, FAST_S)
    sure = days.with_columns(pl.when(off & (pl.col("hours") >= STEADY_HOURS)).then("of_day_ms").alias("sure_ms"))
    said = pl.col("sure_ms").is_not_null() | (off & (_beside(1) | _beside(-1)))
    return sure.filter(said).select("who", "day", "of_day_ms", "first", "final")


def _beside(days: int) -> pl.Expr:
    """Whether the day so many before is sure of nearly the same."""
    there = pl.col("day") - pl.col("day").shift(days).over("who") == days
    near = (pl.col("of_day_ms") - pl.col("sure_ms").shift(days).over("who")).abs() <= 1000 * STEADY_S
    return (there & near).fill_null(False)


# ---- counters ------------------------------------------------------------------------------------------------------


def _counted(rows: pl.DataFrame, top_speed_kmh: float) -> pl.DataFrame:
    """`way_m`, `ride_s`, `jump` and `fault`; a row that a wrong clock put among others is a glitch of its counters."""
    rate = top_speed_kmh * OVER_TOP / 3.6
    odd = rows.filter(_odd(rows, "odometer_m", rate, ODOMETER_SLACK_M) | _odd(rows, "ride_time_s", 1.0, RIDE_SLACK_S))
    names = odd.select(WHO).unique()
    plain = rows.join(names, on=WHO, how="anti", maintain_order="left") if names.height else rows
    counted = _plain(plain)
    if not names.height:
        return counted
    walked = _walked(rows.join(names, on=WHO, how="semi", maintain_order="left"), rate)
    return ordered(pl.concat([counted, *walked]), "at", "way_m", "received_at", "sequence")


def _odd(rows: pl.DataFrame, counter: str, rate: float, slack: float) -> pl.Series:
    """Where this counter falls or leaps from one reading to the next; a reading without it says nothing."""
    told = rows.select(*WHO, "fresh", "at", counter)
    if told[counter].null_count():
        spread = told.with_row_index("row").drop_nulls(counter)
        found = _odd_steps(marked(spread), counter, rate, slack)
        return (
            told.with_row_index("row").join(found, on="row", how="left", maintain_order="left")["odd"].fill_null(False)
        )
    return _odd_steps(told.with_row_index("row"), counter, rate, slack)["odd"]


def _odd_steps(rows: pl.DataFrame, counter: str, rate: float, slack: float) -> pl.DataFrame:
    rise = pl.col(counter) - before(counter)
    seconds = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    odd = ((rise < 0) | (rise > seconds * rate + slack)).fill_null(False)
    return rows.select("row", odd.alias("odd"))


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Counters that never fall nor leap, since the vehicle's first reading that has them."""
    filled = carried(rows.with_columns(way_m="odometer_m", ride_s="ride_time_s"), "way_m", "ride_s")
    since = [(pl.col(name) - pl.col(name).drop_nulls().first().over(WHO)) for name in ("way_m", "ride_s")]
    known = [pl.col(name).is_not_null().any().over(WHO) for name in ("way_m", "ride_s")]
    if not any(filled[name].null_count() for name in ("way_m", "ride_s")):
        firsts = [pl.when("fresh").then(name).forward_fill().alias(f"{name}_first") for name in ("way_m", "ride_s")]
        filled = filled.with_columns(firsts)
        since = [pl.col(name) - pl.col(f"{name}_first") for name in ("way_m", "ride_s")]
        known = [pl.lit(True)] * 2
    made = [pl.when(there).then(value.fill_null(0.0)) for there, value in zip(known, since, strict=True)]
    counted = filled.with_columns(way_m=made[0], ride_s=made[1], jump=pl.lit(False), fault=pl.lit(""))
    return counted.drop("way_m_first", "ride_s_first", strict=False)


def _walked(rows: pl.DataFrame, rate: float) -> Iterator[pl.DataFrame]:
    for _, part in rows.group_by(WHO, maintain_order=True):
        seconds = (part["at"].dt.epoch("ms") / 1000).to_list()
        way = _steady(seconds, part["odometer_m"], rate, ODOMETER_SLACK_M)
        ride = _steady(seconds, part["ride_time_s"], 1.0, RIDE_SLACK_S)
        yield part.with_columns(
            pl.Series("way_m", way.value, dtype=pl.Float64),
            pl.Series("ride_s", ride.value, dtype=pl.Float64),
            pl.Series("jump", [fault == "reset" for fault in way.fault]),
            pl.Series("fault", [f"odometer_{fault}" if fault == "reset" else fault for fault in way.fault]),
        )


def _steady(seconds: list[float], counter: pl.Series, rate: float, slack: float) -> Steady:
    if counter.null_count() == len(counter):
        return Steady([None] * len(counter), [""] * len(counter))
    return steady(seconds, counter.cast(pl.Float64).to_list(), rate, slack)


# ---- positions -----------------------------------------------------------------------------------------------------


def _gate() -> pl.Expr:
    lat, lon = pl.col("lat_deg"), pl.col("lon_deg")
    nowhere = lat.is_null() | lon.is_null() | ((lat == 0) & (lon == 0)) | (lat.abs() > 90) | (lon.abs() > 180)
    return (
        pl.when(nowhere)
        .then(pl.lit("no_position"))
        .when(pl.col("fix_valid").is_not_null() & ~pl.col("fix_valid"))
        .then(pl.lit("fix_invalid"))
        .when(pl.col("satellites") < MIN_SATELLITES)
        .then(pl.lit("few_satellites"))
        .when(pl.col("hdop") > MAX_HDOP)
        .then(pl.lit("poor_hdop"))
    )
