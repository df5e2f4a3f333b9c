"""Rows in the order of vehicles and time, what the row before said, local days, and spans of time.

A shift and a mask do in one pass what a window by vehicle does in three, and a sort by one number takes a seventh of a
sort by names (measured: 0.4 s against 2.8 s for two million rows).
"""

from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl

WHO = ("provider", "vehicle")
DAY = timedelta(days=1)
_MS = pl.Datetime("ms", "UTC")
_SHIFT, _PAST = 1 << 43, 1 << 42  # milliseconds of 278 years, half of them before 1970
AWAY_S = 150.0  # the collector speaks every minute: two in a row that are not there are no accident
DOWNTIME = pl.Schema({"begin": _MS, "end": _MS})
IDLE = pl.Schema({"provider": pl.String(), "vehicle": pl.String(), "begin": _MS, "end": _MS})


class Read(msgspec.Struct, frozen=True):
    """What was read: from `since` up to, but without, `until`; and whether nothing lies before and after that."""

    since: datetime
    until: datetime
    from_begin: bool
    to_end: bool


def month(moment: datetime, later: int = 0) -> datetime:
    """The beginning of the month of this moment, or of one so many months later."""
    count = moment.year * 12 + moment.month - 1 + later
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)


def vehicles_in(rows: pl.DataFrame) -> pl.DataFrame:
    """The `provider` and `vehicle` of these rows, each once, in order; fast where a vehicle's rows come together."""
    turns = rows.select(WHO).filter(pl.any_horizontal((pl.col(WHO) != pl.col(WHO).shift(1)).fill_null(True)))
    return turns.unique().sort(WHO)


def numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """These rows with `who`: the number of the vehicle among them, in the order of vehicles; as it is where it is."""
    return rows if "who" in rows.columns else with_number(rows, vehicles_in(rows))


def with_number(rows: pl.DataFrame, vehicles: pl.DataFrame) -> pl.DataFrame:
    """These rows with `who`: the place of their vehicle among these."""
    names = vehicles.with_row_index("who").with_columns(pl.col("who").cast(pl.Int64))
    if names["vehicle"].n_unique() == names.height:  # one name finds its number in a seventh of the time of two
        return rows.join(names.drop("provider"), on="vehicle", how="left", maintain_order="left")
    return rows.join(names, on=WHO, how="left", maintain_order="left")


def ordered(rows: pl.DataFrame, time: str, *ties: str) -> pl.DataFrame:
    """These rows by vehicle and time; rows of one moment by these columns, nulls first. Adds `fresh`, see `marked`.

    Rows that are `numbered` already lose their number.
    """
    needed = ("who", *WHO, time)
    empty = [each.name for each in rows if each.null_count() == len(each) and each.name not in needed]
    known = numbered(rows).drop(empty)  # what is null need not be sorted
    key = pl.col("who") * _SHIFT + pl.col(time).dt.epoch("ms") + _PAST
    by_key = known.with_columns(key.alias("key")).sort("key")
    if by_key.select((pl.col("key") == pl.col("key").shift(1)).any()).item():
        by_key = by_key.sort("key", *(name for name in ties if name not in empty))
    nulls = [pl.lit(None, rows.schema[name]).alias(name) for name in empty]
    names = [name for name in rows.columns if name not in ("who", "fresh")]
    return marked(by_key.with_columns(nulls).select(names))


def with_facts(rows: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """Rows of `marked` with what `facts`, one row per vehicle, tell of their vehicle; null where they are silent."""
    each = rows.filter("fresh").select(WHO).join(facts, on=WHO, how="left", maintain_order="left").drop(WHO)
    return rows.hstack(each[rows["fresh"].cum_sum() - 1])


def marked(rows: pl.DataFrame) -> pl.DataFrame:
    """These rows with `fresh`: true in the first row of each vehicle. They must be in the order of vehicles."""
    other = pl.any_horizontal(pl.col(name) != pl.col(name).shift(1) for name in WHO)
    return rows.with_columns(other.fill_null(True).alias("fresh"))


def escaped(*names: str) -> list[pl.Expr]:
    """These columns with their slashes as `%2F`, so that no two rows are joined to the same words by slashes."""
    texts = [pl.col(name).str.replace_all("%", "%25", literal=True) for name in names]
    return [text.str.replace_all("/", "%2F", literal=True) for text in texts]


def before(name: str) -> pl.Expr:
    """What the row before says, null in a vehicle's first."""
    return pl.when(~pl.col("fresh")).then(pl.col(name).shift(1))


def filled(name: str, begins: str | pl.Expr = "fresh") -> pl.Expr:
    """This column with its last value since the row at which `begins` was true; in one pass, where `over` takes six."""
    first = pl.col(begins) if isinstance(begins, str) else begins
    place = pl.when(pl.col(name).is_not_null() | first).then(pl.int_range(pl.len())).forward_fill()
    return pl.col(name).gather(place)


def carried(rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """These columns with the last value that each vehicle told; null before its first."""
    gaps = [name for name in names if rows[name].null_count()]
    return rows.with_columns(pl.col(name).forward_fill().over(WHO) for name in gaps) if gaps else rows


def as_of(rows: pl.DataFrame, moment: str, facts: pl.DataFrame) -> pl.DataFrame:
    """These rows, in their order, with what holds of their vehicle at this moment.

    That is the last of `facts` whose `since` is not after it; facts without `since` hold always. Null where none is.
    """
    if "since" not in facts.columns:
        return rows.join(facts, on=WHO, how="left", maintain_order="left")
    told = facts.rename({"since": "fact_since"}).cast({"fact_since": rows.schema[moment]}).sort("fact_since")
    numbered = rows.with_row_index("as_of_row").sort(moment)
    found = numbered.join_asof(told, left_on=moment, right_on="fact_since", by=WHO, check_sortedness=False)
    return found.sort("as_of_row").drop("as_of_row", "fact_since")


def zoned(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """These rows with `timezone`: by `known` (`provider` `vehicle` `timezone`), UTC where that says nothing."""
    zones = known.select(*WHO, "timezone").unique(WHO, keep="last", maintain_order=True)
    return rows.join(zones, on=WHO, how="left", maintain_order="left").with_columns(pl.col("timezone").fill_null("UTC"))


def localised(rows: pl.DataFrame, time: str) -> pl.DataFrame:
    """Rows of `zoned` with `local`, what the clock on the wall says at the moment of this column."""
    parts = [
        part.with_columns(pl.col(time).dt.convert_time_zone(str(zone)).dt.replace_time_zone(None).alias("local"))
        for (zone,), part in rows.group_by("timezone", maintain_order=True)
    ]
    return pl.concat(parts) if parts else rows.with_columns(pl.lit(None, pl.Datetime("ms")).alias("local"))


def with_day(rows: pl.DataFrame, known: pl.DataFrame, time: str) -> pl.DataFrame:
    """These rows with `timezone` and `day`, the local date (YYYY-MM-DD) of this column."""
    parts = [
        part.with_columns(pl.col(time).dt.convert_time_zone(zone).dt.strftime("%Y-%m-%d").alias("day"))
        for (zone,), part in zoned(rows, known).group_by("timezone", maintain_order=True)
    ]
    return pl.concat(parts) if parts else zoned(rows, known).with_columns(pl.lit("").alias("day"))


def with_midnight(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Rows of `with_day` with this column: when their day begins, in UTC.

    Where clocks leap over midnight, the day begins with the first moment that there is; where midnight comes twice,
    with the first.
    """
    parts = [
        part.with_columns(_begins(zone).alias(name)) for (zone,), part in rows.group_by("timezone", maintain_order=True)
    ]
    return pl.concat(parts) if parts else rows.with_columns(pl.lit(None, dtype=_MS).alias(name))


def _begins(zone: object) -> pl.Expr:
    wall = pl.col("day").str.to_datetime("%Y-%m-%d", time_unit="ms")
    hours = [
        (wall + pl.duration(hours=late)).dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
        for late in (0, 1, 2)
    ]
    return pl.coalesce(hours).dt.convert_time_zone("UTC").cast(_MS)


def downtime(heartbeats: pl.LazyFrame) -> pl.DataFrame:
    """Spans in which the collector did not run.

    Parameters
    ----------
    heartbeats : LazyFrame of `collector`, in any order

    Returns
    -------
    DataFrame with `begin` and `end`: the heartbeats around each silence of more than 150 s, disjoint, by time. Before
    the first heartbeat and after the last nothing is known, so nothing is said.
    """
    beats = heartbeats.select(pl.col("time").cast(_MS).alias("end")).unique().sort("end").collect()
    spans = beats.select(pl.col("end").shift(1).alias("begin"), "end").drop_nulls()
    return spans.filter((pl.col("end") - pl.col("begin")).dt.total_milliseconds() > 1000 * AWAY_S).cast(DOWNTIME)


def out_of_service(vehicles: pl.LazyFrame) -> pl.DataFrame:
    """Spans in which vehicles were out of service, by the rows of `vehicles`: each holds until the vehicle's next.

    Returns
    -------
    DataFrame with `provider` `vehicle` `begin` `end`, disjoint, by vehicle and time; `end` is null while it lasts.
    """
    told = vehicles.select(*WHO, pl.col("time").cast(_MS), "in_service").drop_nulls("in_service").collect()
    rows = told.sort(*WHO, "time").with_columns(pl.col("in_service").rle_id().over(WHO).alias("run"))
    turns = rows.unique([*WHO, "run"], keep="first", maintain_order=True)
    ended = turns.with_columns(pl.col("time").shift(-1).over(WHO).alias("end"))
    return ended.filter(~pl.col("in_service")).select(*WHO, pl.col("time").alias("begin"), "end").cast(IDLE)


def within(rows: pl.DataFrame, time: str, spans: pl.DataFrame) -> pl.Series:
    """Whether each row's moment lies in a span of its vehicle: its begin counts, its end does not."""
    if not spans.height:
        return pl.repeat(False, rows.height, eager=True)
    placed = rows.select(*WHO, time).with_row_index("row").sort(time)
    asked = spans.sort("begin").rename({"begin": time, "end": "until"}).with_columns(pl.lit(True).alias("begun"))
    joined = placed.join_asof(asked, on=time, by=WHO, strategy="backward", check_sortedness=False)
    ended = pl.col("until").is_not_null() & (pl.col("until") <= pl.col(time))
    return joined.sort("row").select((pl.col("begun").fill_null(False) & ~ended).alias("in"))["in"]
