"""Times of rows: ISO 8601 in its usual forms, epochs, a spreadsheet's serial dates, and local times of a zone.

An hour that a change of clocks repeats is kept apart by the order of the rows: where the clock of a vehicle steps back,
its second pass begins. A time that a change skips is none.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from logger.errors import ConfigError
from logger.tables import TIME
from logger.times import is_local, long_epoch_ms, parse_times, zone_info

_LOCAL = pl.Datetime("ms")
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_QUICK = (  # parsed ten times as fast as any other text
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%:z",
)  # fmt: skip
_UNAMBIGUOUS = (  # local times that no country reads in two ways; two digits of a year first, as four may be two
    "%d.%m.%y %H:%M:%S", "%d.%m.%y %H:%M", "%d.%m.%y", "%d.%m.%Y %H:%M:%S%.f", "%d.%m.%Y %H:%M", "%d.%m.%Y",
    "%Y/%m/%d %H:%M:%S%.f", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %I:%M:%S %p",
)  # fmt: skip
_AMBIGUOUS = ("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y")
_OTHERS = ("%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M:%S.%f", "%a %b %d %H:%M:%S %Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M",
           "%H:%M:%S %d/%m/%Y", "%Y%m%d%H%M%S", "%Y%m%d %H%M%S", "%Y/%m/%d %H:%M:%S%z",
           "%Y/%m/%d %H:%M:%S %z")  # fmt: skip
_SERIAL_DAYS = (20_000, 80_000)  # 1954 to 2119, as days since the last of 1899; as an epoch all of it is 1970-01-01
_HOUR, _HALF = timedelta(hours=1), timedelta(minutes=30)
SKIPPED = "is a time that the change of clocks skips in {zone}"
IMPLAUSIBLE = "is no plausible date: before 1990 or after 2100"
UNREADABLE = "is no time that this can read"


class RowTimes:
    """Reads the times of a file, chunk by chunk in the order of its rows.

    `zone` is that of local times, `formats` are of Python's `strptime` and tried in their order; with `only` nothing
    else is. Raises `ConfigError` for an unknown zone.
    """

    def __init__(self, zone: str, formats: Sequence[str] = (), *, only: bool = False) -> None:
        _check_zone(zone)
        self._zone, self._only = zone, only
        self._formats = tuple(each.replace(".%f", "%.f") for each in formats)
        self._passes: dict[str, tuple[datetime, bool]] = {}

    def read(
        self, cells: pl.Series, vehicles: pl.Series, label: str, clean: Callable[[pl.Series], pl.Series]
    ) -> tuple[pl.Series, pl.Series]:
        """Return the time of each cell, null where there is none, and why not [UTC, ms; text].

        `clean` takes blanks and words for nothing from cells that are not all of one usual form. Raises `ConfigError`
        where local times have no zone.
        """
        quick = None if self._only or cells.dtype != pl.String else _quick(cells)
        texts = cells if quick else clean(cells)
        moments, local = quick or self._parse(texts)
        if local.null_count() < len(local):
            self._require_zone(label, texts.filter(local.is_not_null()))
            placed = self._in_utc(local, texts, vehicles)
            moments = pl.select(pl.coalesce(pl.lit(moments), pl.lit(placed))).to_series()
        return self._check(moments, local, texts)

    def in_utc(self, times: pl.Series, vehicles: pl.Series, label: str) -> tuple[pl.Series, pl.Series]:
        """Return typed times, which may be local ones, as `read` does."""
        if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone:
            return self._check(times.cast(TIME), times.clear(0).cast(_LOCAL).extend_constant(None, len(times)), times)
        local = times.cast(_LOCAL)
        self._require_zone(label, times)
        return self._check(self._in_utc(local, times.cast(pl.String), vehicles), local, times)

    # ---- texts -----------------------------------------------------------------------------------------------------

    def _parse(self, texts: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The times that are known in UTC, and the clock readings of the others."""
        if self._only:
            return _by_formats(texts, self._formats)
        moments, local = _slow(texts)
        if moments.null_count() + local.null_count() > len(texts) and self._formats:
            others = _by_formats(texts, self._formats)
            moments, local = (_first(pair) for pair in zip((moments, local), others, strict=True))
        return moments, local

    def _check(self, moments: pl.Series, local: pl.Series, texts: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The plausible times, and why there is none."""
        frame = pl.DataFrame({"moment": moments.cast(TIME), "local": local, "has": texts.is_not_null()})
        plausible = pl.col("moment").is_between(_EARLIEST, _LATEST)
        why = (
            pl.when(plausible).then(None)
            .when(pl.col("moment").is_not_null()).then(pl.lit(IMPLAUSIBLE))
            .when(pl.col("local").is_not_null()).then(pl.lit(SKIPPED.format(zone=self._zone)))
            .otherwise(pl.lit(UNREADABLE))
        )  # fmt: skip
        found = frame.select(pl.when(plausible).then("moment").alias("time"), why.alias("why"))
        return found["time"], found["why"]

    def _require_zone(self, label: str, texts: pl.Series) -> None:
        if self._zone:
            return
        shown = texts.drop_nulls().head(1).to_list()
        kind = "a spreadsheet's serial dates, which are local times" if _is_serial(shown) else "local times"
        raise ConfigError(f"column {label!r} holds {kind}: say where with --tz ZONE, such as --tz Europe/Berlin")

    # ---- local times -----------------------------------------------------------------------------------------------

    def _in_utc(self, local: pl.Series, texts: pl.Series, vehicles: pl.Series) -> pl.Series:
        """Clock readings in UTC; null where the change of clocks skips one, but for a day whose midnight is skipped."""
        first, second = (self._place_in_zone(local, each) for each in ("earliest", "latest"))
        is_day = texts.str.len_chars() <= 10
        midnight = pl.when(pl.lit(is_day)).then(pl.lit(self._place_in_zone(local.dt.offset_by("1h"), "earliest")))
        repeated = (first != second).fill_null(False)
        if repeated.any():
            is_second = self._is_second_pass(local, repeated, vehicles)
            first = pl.select(pl.when(pl.lit(is_second)).then(pl.lit(second)).otherwise(pl.lit(first))).to_series()
        return pl.select(pl.coalesce(pl.lit(first), midnight)).to_series()

    def _place_in_zone(self, local: pl.Series, which: str) -> pl.Series:
        placed = local.dt.replace_time_zone(self._zone, ambiguous=which, non_existent="null")  # type: ignore[arg-type]  # a word
        return placed.dt.convert_time_zone("UTC").cast(TIME)

    def _is_second_pass(self, local: pl.Series, repeated: pl.Series, vehicles: pl.Series) -> pl.Series:
        """Whether each clock reading is of the second pass of a repeated hour, by the order of the vehicle's rows."""
        steps = local.diff().drop_nulls()
        is_falling = bool((steps < timedelta()).sum() > (steps > timedelta()).sum())  # the newest row comes first
        usual = steps.abs().median() or timedelta()
        assert isinstance(usual, timedelta)
        least = max(timedelta(), _HALF - usual)  # a smaller step back is a row that came late
        second = [False] * len(local)
        for at in repeated.arg_true():
            second[at] = self._pass_of(str(vehicles[at]), local[at], least, is_falling=is_falling)
        return pl.Series(second)

    def _pass_of(self, vehicle: str, clock: datetime, least: timedelta, *, is_falling: bool) -> bool:
        before, is_second = self._passes.get(vehicle, (clock, is_falling))
        if vehicle not in self._passes or abs(clock - before) > 2 * _HOUR:
            is_second = is_falling
        elif (clock - before if is_falling else before - clock) >= least:
            is_second = not is_falling
        self._passes[vehicle] = clock, is_second
        return is_second


def formats_that_fit(text: str) -> list[str]:
    """Return formats of Python's `strptime` that read this text, so that an error can name them."""
    swapped = [each.replace("%m/%d", "%d/%m") for each in _AMBIGUOUS]
    return [each for each in (*_AMBIGUOUS, *swapped, *_OTHERS) if _fits(text, each)]


def _fits(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)  # noqa: DTZ007  # only whether it can be read
    except ValueError:
        return False
    return True


def _check_zone(zone: str) -> None:
    try:
        zone_info(zone or "UTC")
    except ConfigError as error:
        raise ConfigError(f"--tz: {error}") from error


def _quick(texts: pl.Series) -> tuple[pl.Series, pl.Series] | None:
    """The times where all are of one usual form, which the first one shows."""
    head = texts.drop_nulls().head(1)
    nulls = texts.null_count()
    for form in _QUICK if len(head) else ():
        if _parse_form(head, form).null_count() == 0:
            found = _parse_form(texts, form)
            return None if found.null_count() > nulls else _by_zone(found, is_zoned=form.endswith(("Z", "z")))
    return None


def _parse_form(texts: pl.Series, form: str) -> pl.Series:
    try:
        return texts.str.to_datetime(form, time_unit="ms", strict=False, time_zone="UTC" if "z" in form else None)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(f"--time-format {form!r} is no format of times: {error}") from error


def _by_zone(found: pl.Series, *, is_zoned: bool) -> tuple[pl.Series, pl.Series]:
    """These times as moments, or as clock readings, and nothing as the other."""
    nothing = pl.Series([None], dtype=pl.Int8).new_from_index(0, len(found))
    plain = found.dt.replace_time_zone(None).cast(_LOCAL)
    if is_zoned:
        return plain.dt.replace_time_zone("UTC"), nothing.cast(_LOCAL)
    return nothing.cast(_LOCAL).dt.replace_time_zone("UTC"), plain


def _by_formats(texts: pl.Series, formats: Sequence[str]) -> tuple[pl.Series, pl.Series]:
    pairs = [_by_zone(_parse_form(texts, form), is_zoned="%z" in form or "%:z" in form) for form in formats]
    return _first([moments for moments, _ in pairs]), _first([local for _, local in pairs])


def _first(found: Sequence[pl.Series]) -> pl.Series:
    return pl.select(pl.coalesce(pl.lit(each) for each in found)).to_series()


def _slow(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Times of any form: ISO 8601, epochs, serial dates, and local times that can be read in one way only."""
    plain = texts.str.replace(r" ?(UTC|GMT)$", "Z").str.replace(r"\[.*\]$", "").str.replace(r"([+-]\d{4}) ?Z$", "$1")
    iso, is_clock = parse_times(plain, "UTC"), is_local(plain)
    numbers = plain.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    frame = pl.DataFrame({"iso": iso, "clock": is_clock, "number": numbers})
    parsed = frame.select(
        pl.when(~pl.col("clock")).then("iso").alias("zoned"),
        pl.when("clock").then(pl.col("iso").dt.replace_time_zone(None)).alias("local"),
        pl.when(~_is_serial_day(pl.col("number"))).then(long_epoch_ms(pl.col("number"))).cast(TIME).alias("epoch"),
        _serial(pl.col("number")).alias("serial"),
    )
    others = [_parse_form(plain, form).cast(_LOCAL) for form in _UNAMBIGUOUS] if _is_rest(parsed, texts) else []
    return _first([parsed["zoned"], parsed["epoch"]]), _first([parsed["local"], parsed["serial"], *others])


def _is_rest(parsed: pl.DataFrame, texts: pl.Series) -> bool:
    """Whether some text has no time yet."""
    return bool((parsed.select(pl.all_horizontal(pl.all().is_null())).to_series() & texts.is_not_null()).any())


def _serial(number: pl.Expr) -> pl.Expr:
    """A spreadsheet's count of days as a clock reading."""
    ms = (number * 86_400_000).round().cast(pl.Int64, strict=False)
    days = pl.datetime(1899, 12, 30, time_unit="ms") + pl.duration(milliseconds=ms, time_unit="ms")
    return pl.when(_is_serial_day(number)).then(days)


def _is_serial_day(number: pl.Expr) -> pl.Expr:
    return number.is_between(*_SERIAL_DAYS)


def _is_serial(texts: Sequence[object]) -> bool:
    return all(str(each).replace(",", ".").replace(".", "", 1).isdigit() for each in texts)
