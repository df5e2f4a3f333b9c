"""Times in text: one parser for imported files and for `--since`, one rule that tells epoch seconds from milliseconds.

A text is ISO 8601: a date alone, or a date and a time parted by `T` or a blank, down to the hour, minute, second or
a fraction of it, with a zone (`Z`, `+02`, `+0200`, `+02:00`) or without: `2026-10-01`, `2026-10-01T08:00Z`.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from logger.errors import ConfigError

_SECONDS_BELOW, _MILLISECONDS_BELOW = 1e11, 1e14  # the year 5138 in seconds, and in milliseconds
_UTC = pl.Datetime("ms", "UTC")
_PATTERN = (
    r"^(?<year>[1-9]\d{3})-?(?<month>\d\d)-?(?<day>\d\d)"
    r"(?:[Tt ](?<hour>\d\d)(?::?(?<minute>\d\d)(?::?(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?)?"
    r" ?(?<zone>[Zz]|(?<offset_h>[+-]\d\d)(?::?(?<offset_min>\d\d))?)?)?$"
)


def epoch_ms(number: pl.Expr) -> pl.Expr:
    """Return a count of seconds or milliseconds since 1970, told apart by its size, as milliseconds [Int64].

    Null where it is neither: a count of microseconds or nanoseconds is not taken for a time.
    """
    size = number.abs()
    seconds, milliseconds = size < _SECONDS_BELOW, size < _MILLISECONDS_BELOW
    return pl.when(seconds).then(number * 1000).when(milliseconds).then(number).round().cast(pl.Int64, strict=False)


def long_epoch_ms(number: pl.Expr) -> pl.Expr:
    """Return a count since 1970 in s, ms, µs or ns, told apart by its size, as milliseconds [Int64].

    Files of databases and data frames hold all four; a vendor's message holds the first two (`epoch_ms`).
    """
    size = number.abs()
    micro = pl.when(size < _MILLISECONDS_BELOW * 1e3).then(number / 1e3).otherwise(number / 1e6)
    longer = pl.when(size >= _MILLISECONDS_BELOW).then(micro.round().cast(pl.Int64, strict=False))
    return pl.coalesce(epoch_ms(number), longer)


def parse_times(texts: pl.Series, zone: str = "") -> pl.Series:
    """Return the times of ISO 8601 texts [UTC, ms]; null where a text is none, or a local time while `zone` is empty.

    A date alone is the first moment of that day. Raises `ConfigError` for an unknown zone.
    """
    parts = _parts(texts)
    if not zone:
        return parts.select(_zoned_time()).to_series()
    day = pl.when(pl.col("hour").is_null()).then(_local_time())
    first_moment = localize(day.dt.offset_by("1h"), zone)  # where clocks are put forward at midnight
    return parts.select(pl.coalesce(_zoned_time(), localize(_local_time(), zone), first_moment)).to_series()


def is_local(texts: pl.Series) -> pl.Series:
    """Return whether each text is an ISO 8601 time without a zone."""
    return _parts(texts).select(_local_time().is_not_null()).to_series()


def zone_info(zone: str) -> ZoneInfo:
    """Return the rules of the zone of this name, such as Europe/Berlin. Raises `ConfigError` where there is none."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f"no zone {zone!r}: write one such as Europe/Berlin") from error


def localize(local: pl.Expr, zone: str) -> pl.Expr:
    """Return local times of this zone in UTC. Raises `ConfigError` for an unknown zone.

    The hour that a change of clocks repeats is taken as its first pass; a time that it skips becomes null.
    """
    zone_info(zone)
    placed = local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return placed.dt.convert_time_zone("UTC").cast(_UTC)


def parse_moment(text: str, zone: str) -> datetime:
    """Return the moment of one ISO 8601 text in UTC; a local time is one of `zone`. Raises `ConfigError`.

    A local time that a change of clocks skips is read by the clock from before the change.
    """
    info = zone_info(zone)
    try:
        zoned, local = (
            _parts(pl.Series([text])).select(_zoned_time().alias("zoned"), _local_time().alias("local")).row(0)
        )
        moment: datetime = zoned or local.replace(tzinfo=info)
        return moment.astimezone(UTC)
    except (AttributeError, ValueError, OverflowError) as error:  # neither of the two, or beyond the year 9999
        raise ConfigError(f"{text!r} is no day or moment such as 2026-10-01 or 2026-10-01T08:00Z") from error


def _parts(texts: pl.Series) -> pl.DataFrame:
    """The parts of each text in columns named as in the pattern; all null where it is no ISO 8601 time."""
    return texts.str.strip_chars().str.extract_groups(_PATTERN).struct.unnest()


def _clock() -> pl.Expr:
    """Date and time of the parts as one text, without the zone."""
    date = pl.concat_str("year", "month", "day", separator="-")
    time = pl.concat_str(pl.col("hour", "minute", "second").fill_null("00"), separator=":")
    return pl.concat_str(date, pl.lit("T"), time, pl.lit("."), pl.col("fraction").fill_null("0"))


def _zoned_time() -> pl.Expr:
    """The times of the parts that have a zone."""
    hours = pl.when(pl.col("zone").is_not_null()).then(pl.col("offset_h").fill_null("+00"))
    full = pl.concat_str(_clock(), hours, pl.lit(":"), pl.col("offset_min").fill_null("00"))
    return full.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%:z", time_unit="ms", strict=False, time_zone="UTC")


def _local_time() -> pl.Expr:
    """The clock readings of the parts that have no zone."""
    clock = pl.when(pl.col("zone").is_null()).then(_clock())
    return clock.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="ms", strict=False)
