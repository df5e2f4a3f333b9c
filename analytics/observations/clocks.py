"""Clocks of vehicles put right, on the evidence of all tables of a vehicle together.

A message that was stored and sent late looks like one of a clock that is slow. What tells them apart: while minutes
pass, the delay of a slow clock stays the same, and that of stored messages, which come in one go, does not; and where
anything of the vehicle came on time within an hour, a handful of rows that came late were stored. Rows of one vehicle
are stamped by its one clock, but for positions, which have the time of the satellite receiver: so a table that is too
rare to tell its clock follows the others, and a table whose own messages are off hour after hour keeps its own offset.
"""

from collections.abc import Mapping

import msgspec
import polars as pl

from analytics.frames import WHO, numbered, within
from analytics.observations.dates import wrong_dates, years_apart
from logger.tables import TIME

TABLES = ("status", "location", "battery", "pack", "event")
ORIGIN = ("time", "received_at", "sequence", "via", "clock")
OFFSET_S, OFFSET_ROWS, SPREAD_S = 120.0, 3, 60.0  # a clock is off by so much, in so many messages that agree so well
LIVE_S = 600.0  # messages of one delay that came in over so long were not stored and sent in one go
AHEAD_S = 60.0  # a moment so long after its receipt is none
SLOW_S, FAST_S = 20.0, 5.0  # a clock is off by so much where hour after hour says so
STEADY_HOURS, STEADY_S = 6, 10.0  # so many hours of a day, whose least delays lie so near each other
_RECEIVER = TABLES.index("location")
_HOUR_MS = 3_600_000
_HOURS = 1 << 24  # of 1,900 years: a vehicle and its hour are one number, grouped in half the time of two
_LINES = 8  # numbers of tables: a vehicle and its table are one number, too

# In which hours of receipt, counted since 1970, the clock of a table's rows is behind, and by how much.
OFFSETS = pl.Schema(
    {"provider": pl.String(), "vehicle": pl.String(), "table": pl.String(), "hour": pl.Int64(), "offset_ms": pl.Int64()}
)


class Clocks(msgspec.Struct, frozen=True):
    """What is known of vehicles' clocks, as `OFFSETS` and, of `dates`, `WRONG_DATES`."""

    offsets: pl.DataFrame
    wrong: pl.DataFrame


def clocks(frames: Mapping[str, pl.DataFrame], wrong: pl.DataFrame | None = None) -> Clocks:
    """What all these rows tell of their vehicles' clocks.

    Parameters
    ----------
    frames : rows by table, those of `TABLES`, with `provider` `vehicle` and `ORIGIN` at least; in any order
    wrong : DataFrame of `WRONG_DATES`, where more of the log is known than these rows
    """
    return Clocks(offsets(frames), wrong_dates(years_apart(frames)) if wrong is None else wrong)


def corrected(rows: pl.DataFrame, table: str, found: Clocks) -> pl.DataFrame:
    """`numbered` rows of this table with `at`: the device's time, corrected where its clock is off.

    `reason` is there where it was changed. A moment after its receipt, of a clock that nothing else is known of, is
    replaced by the receipt. A row that is set aside, `wrong_date`, has no `at`.
    """
    known = _with_offsets(numbered(rows), found.offsets.filter(pl.col("table") == table))
    wrong = within(rows, "time", found.wrong)
    ahead = _device() & (_delay_ms() < -1000 * AHEAD_S)
    moved = (pl.col("time") + pl.duration(milliseconds="offset_ms")).cast(TIME)
    right = pl.when(pl.col("offset_ms").is_not_null()).then(moved).when(ahead).then("received_at").otherwise("time")
    word = (
        pl.when(wrong)
        .then(pl.lit("wrong_date"))
        .when(pl.col("offset_ms").is_not_null())
        .then(pl.lit("clock_corrected"))
        .when(ahead)
        .then(pl.lit("time_ahead"))
    )
    dated = known.with_columns(right.alias("at"), word.alias("reason")).drop("offset_ms")
    return dated.with_columns(pl.when(~wrong).then("at").alias("at")) if wrong.any() else dated


def _with_offsets(rows: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    if told.is_empty():
        return rows.with_columns(pl.lit(None, pl.Int64).alias("offset_ms"))
    who = rows.group_by("who").agg(pl.col(WHO).first())
    key = (pl.col("who") * _HOURS + pl.col("hour")).alias("key")
    known = told.join(who, on=WHO).select(key, "offset_ms")
    hour = pl.when(_device()).then(_hour())
    keyed = rows.with_columns((pl.col("who") * _HOURS + hour).alias("key"))
    return keyed.join(known, on="key", how="left", maintain_order="left").drop("key")


def _device() -> pl.Expr:
    return (pl.col("clock") == "device") & (pl.col("via") != "import")


def _delay_ms() -> pl.Expr:
    return (pl.col("received_at") - pl.col("time")).dt.total_milliseconds()


def _hour() -> pl.Expr:
    return pl.col("received_at").dt.epoch("ms") // _HOUR_MS


# ---- clocks --------------------------------------------------------------------------------------------------------


def offsets(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Hours in which clocks are off, by how much, as `OFFSETS`; `frames` are as in `clocks`.

    Notes
    -----
    The offset of an hour is the least delay of a table's messages: a clock that is right has none but the network's. It
    counts only where most of them have nearly that delay: stored messages that come late are no wrong clock. An offset
    of less than two minutes counts where the least delays of pushes in six hours of a day are nearly the same: a
    network holds up some messages, a wrong clock all of them. (A cloud that holds up everything for so long looks the
    same; a polled answer is as old as the vehicle's last word, and tells nothing.)
    """
    rows = numbered(pl.concat([_delays(frames[name], place) for place, name in enumerate(TABLES) if name in frames]))
    hours = _hours(rows)
    if hours.is_empty():
        return OFFSETS.to_frame()
    known = _shared(hours.with_columns(_own(hours)))
    names = pl.Series("table", [*TABLES])
    vehicles = rows.group_by("who").agg(pl.col(WHO).first())
    told = known.drop_nulls("offset_ms").join(vehicles, on="who", maintain_order="left")
    return told.with_columns(names.gather(told["place"])).select(OFFSETS.names()).cast(OFFSETS)


def _delays(rows: pl.DataFrame, place: int) -> pl.DataFrame:
    """What messages of a device's clock tell of it; `place` is the table's in `TABLES`."""
    told = (
        rows.lazy()
        .filter(_device())
        .select(
            pl.col(*WHO, "^who$"),
            pl.lit(place, pl.Int64).alias("place"),
            "received_at",
            "via",
            _delay_ms().alias("delay_ms"),
        )
    )
    return told.collect()


def _hours(rows: pl.DataFrame) -> pl.DataFrame:
    """What a table's messages of an hour tell, of vehicles of which any hour looks wrong, in order of time."""
    delay, line = pl.col("delay_ms"), pl.col("who") * _LINES + pl.col("place")
    keyed = rows.select("who", "received_at", "via", "delay_ms", (line * _HOURS + _hour()).alias("key"))
    least = keyed.group_by("key").agg(delay.min())
    suspect = least.filter(_off("delay_ms", SLOW_S, FAST_S)).select((pl.col("key") // _HOURS // _LINES).unique())
    if suspect.is_empty():
        keyed = keyed.clear()
    near = pl.col("received_at").filter(delay <= delay.min() + 1000 * SPREAD_S)
    told = keyed.filter(pl.col("who").is_in(suspect.to_series().implode())).group_by("key").agg(
        pl.len().alias("rows"), delay.min().alias("least_ms"), (delay.median() - delay.min()).alias("spread_ms"),
        delay.filter(pl.col("via") == "push").min().alias("pushed_ms"),
        (near.max() - near.min()).dt.total_milliseconds().alias("live_ms"),
    )  # fmt: skip
    hour, line = pl.col("key") % _HOURS, pl.col("key") // _HOURS
    return told.sort("key").select(
        (line // _LINES).alias("who"), line.alias("line"), (line % _LINES).alias("place"), hour.alias("hour"),
        (hour // 24).alias("day"), pl.exclude("key"),
    )  # fmt: skip


def _own(hours: pl.DataFrame) -> pl.Series:
    """What each table itself tells of its clock, hour by hour [ms]: by its day's word, else its hour's.

    A day speaks for the hours that say nearly the same, and for those between them in which all came late.
    """
    told = hours.with_columns(_stored(hours)).with_columns(_of_hour().alias("of_hour_ms"))
    known = told.join(_days(told), on=["line", "day"], how="left", maintain_order="left")
    amid = pl.col("hour").is_between("first", "final") & (pl.col("least_ms") > pl.col("of_day_ms"))
    near = pl.col("least_ms") - pl.col("of_day_ms") <= 1000 * STEADY_S
    of_day = pl.when(near | amid).then("of_day_ms")
    return known.select(pl.coalesce(of_day, "of_hour_ms").alias("offset_ms")).to_series()


def _stored(hours: pl.DataFrame) -> pl.Series:
    """Whether the rows of an hour came late in one go, though something of the vehicle came earlier around it."""
    said = hours.select("who", "hour", "least_ms")
    around = pl.concat([said.with_columns(pl.col("hour") + by) for by in (-1, 0, 1)])
    soonest = around.group_by("who", "hour").agg(pl.col("least_ms").min().alias("soonest_ms"))
    known = hours.join(soonest, on=["who", "hour"], how="left", maintain_order="left")
    late = (pl.col("least_ms") > 0) & (pl.col("least_ms") - pl.col("soonest_ms") > 1000 * SPREAD_S)
    return known.select((late & (pl.col("live_ms") < 1000 * LIVE_S)).alias("stored")).to_series()


def _off(name: str, slow_s: float, fast_s: float) -> pl.Expr:
    return (pl.col(name) > 1000 * slow_s) | (pl.col(name) < -1000 * fast_s)


def _of_hour() -> pl.Expr:
    """An hour's own offset, where it is large.

    An hour with too few messages to say so, or with late ones among them, follows the hours around it if its least
    delay is nearly theirs.
    """
    off = _off("least_ms", OFFSET_S, AHEAD_S)
    agree = (pl.col("rows") >= OFFSET_ROWS) & (pl.col("spread_ms") <= 1000 * SPREAD_S)
    sure = pl.when(off & agree & ~pl.col("stored")).then("least_ms")
    around = [
        (pl.col("least_ms") - fill).abs() <= 1000 * SPREAD_S
        for fill in (sure.forward_fill().over("line"), sure.backward_fill().over("line"))
    ]
    return pl.when(sure.is_not_null() | (off & pl.any_horizontal(around).fill_null(False))).then("least_ms")


def _days(hours: pl.DataFrame) -> pl.DataFrame:
    """Days throughout which a table's clock is off, by how much [ms], and the first and final hour that say so.

    A day with too few hours to say so follows the day before or after it if its least delay is nearly theirs.
    """
    pushed, hour = pl.col("pushed_ms"), pl.col("hour")
    near = pushed <= pushed.min() + 1000 * STEADY_S
    days = hours.group_by("line", "day", maintain_order=True).agg(
        pushed.min().alias("of_day_ms"), near.sum().alias("hours"),
        hour.filter(near).min().alias("first"), hour.filter(near).max().alias("final"),
    )  # fmt: skip
    off = _off("of_day_ms", SLOW_S, FAST_S)
    sure = days.with_columns(pl.when(off & (pl.col("hours") >= STEADY_HOURS)).then("of_day_ms").alias("sure_ms"))
    said = pl.col("sure_ms").is_not_null() | (off & (_beside(1) | _beside(-1)))
    return sure.filter(said).select("line", "day", "of_day_ms", "first", "final")


def _beside(days: int) -> pl.Expr:
    """Whether the day so many before is sure of nearly the same."""
    there = pl.col("day") - pl.col("day").shift(days).over("line") == days
    near = (pl.col("of_day_ms") - pl.col("sure_ms").shift(days).over("line")).abs() <= 1000 * STEADY_S
    return (there & near).fill_null(False)


def _shared(hours: pl.DataFrame) -> pl.DataFrame:
    """Tables of the vehicle's one clock that cannot tell it themselves follow those that do.

    In an hour in which none tells it, it is as before and after, if that is within a day and nearly the same.
    """
    told = hours.filter(pl.col("place") != _RECEIVER).group_by("who", "hour").agg(pl.col("offset_ms").min())
    sure = told.drop_nulls("offset_ms").sort("hour")
    every = hours.select("who", "hour").unique().sort("hour")
    for strategy in ("backward", "forward"):
        every = every.join_asof(
            sure.rename({"offset_ms": strategy}), on="hour", by="who", strategy=strategy, tolerance=24,
            check_sortedness=False,
        )  # fmt: skip
    agree = (pl.col("backward") - pl.col("forward")).abs() <= 1000 * SPREAD_S
    clock = every.filter(agree).select("who", "hour", pl.col("backward").alias("clock_ms"))
    known = hours.join(clock, on=["who", "hour"], how="left", maintain_order="left")
    late = _off("least_ms", SLOW_S, FAST_S) & (pl.col("least_ms") >= pl.col("clock_ms") - 1000 * SPREAD_S)
    follows = pl.when((pl.col("place") != _RECEIVER) & late).then("clock_ms")
    return known.with_columns(pl.coalesce("offset_ms", follows))
