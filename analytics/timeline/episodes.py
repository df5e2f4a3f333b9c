"""Faults and alerts from appearing to clearing. The rules are those of the analytics facts, 4.5."""

import polars as pl

from analytics.frames import WHO
from analytics.stays.visits import KNOWN_SPAN, SEEN
from logger.tables import shaped

MERGE_S = 1800.0  # what comes back so soon never went
FORGOTTEN_S = 86_400.0  # what no message may end is over after so long
RE_IMPORT = "correct their dates in the file and import it again"
SET_CLOCK = "set the clock of the machine that collects, and let NTP keep it"
KINDS = ("alert", "fault", "dtc")
# Alerts that have no clearing of their own, and whose clearing is theirs too: a vehicle that fell down says 2 or 4 and,
# when it stands again, 2 or nothing.
CLEARED_BY = {("segway", "alert", "4"): "2"}
_CODE = (*WHO, "kind", "code")
_EPISODE = (*_CODE, "episode")


def episodes(events: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Episodes of faults and alerts.

    Parameters
    ----------
    events, readings : DataFrames of `EVENTS` and `OBSERVATIONS`, each in its order

    Returns
    -------
    DataFrame of `episodes`, by vehicle, start, kind and code.

    Notes
    -----
    An episode begins when a code appears and ends with the first clearing after its last appearance; repeats belong to
    it and are counted, and so does what comes back within 30 min. One that nothing cleared is `open`, its end null.
    What may never be cleared (`CLEARED_BY`) is a new episode when it comes again after more than 30 min, and is not
    open any more a day after its last appearance. A clearing whose appearance was lost says nothing. `odometer_m` is
    that of the last reading until the start [m].
    """
    rows = _numbered(_changes(_told(events)))
    appeared = pl.col("appeared")
    found = rows.group_by(_EPISODE, maintain_order=True).agg(
        pl.col("system", "text").drop_nulls().first(),
        pl.col("at").first().alias("started_at"),
        pl.col("at").filter(appeared).last().alias("last_at"),
        pl.when(~appeared.last()).then(pl.col("at").last()).alias("finished_at"),
        appeared.sum().cast(pl.Int64).alias("count"),
        pl.col("forgets").first(),
    )
    known = _opened(ridden(found, readings), events, readings)
    return shaped(known.with_columns(time="started_at"), "episodes").sort(*WHO, "started_at", "kind", "code")


def resets(steps: pl.DataFrame) -> pl.DataFrame:
    """Odometers that began anew or leapt, by vehicle and start: kind `pipeline`, system `odometer`, `odometer_reset`.

    `steps` is the frame of `intervals`. The row lies from the last reading of the old count, `odometer_m` [m], to the
    first of the new. How far the vehicle went in between nobody knows.
    """
    jumpy = steps.join(steps.filter("reset").select(WHO).unique(), on=WHO, how="semi", maintain_order="left")
    was = pl.col("odometer_m").forward_fill().shift(1).over(WHO)
    jumps = jumpy.with_columns(was.alias("was_m")).filter(pl.col("reset") & pl.col("since").is_not_null())
    counts = [(pl.col(name) / 1000).round(1) for name in ("was_m", "odometer_m")]
    text = pl.format("odometer went from {} to {} km", *counts)
    made = jumps.select(
        *WHO, kind=pl.lit("pipeline"), code=pl.lit("odometer_reset"), system=pl.lit("odometer"), text=text,
        time="since", started_at="since", finished_at="at", count=1, odometer_m="was_m", open=False,
    )  # fmt: skip
    return shaped(made, "episodes").sort(*WHO, "started_at")


def misdated(set_aside: pl.DataFrame) -> pl.DataFrame:
    """Rows whose date never was: kind `pipeline`, system `clock`, `wrong_date`; as `SEEN`, by vehicle and start.

    `set_aside` is the frame of `SET_ASIDE`. The row lies at the nearest row whose date is right, so that it makes no
    day of its own; `text` tells how many rows of which table were set aside, how they are dated, and what to do.
    """
    first, last = (pl.col(name).dt.strftime("%Y-%m-%d") for name in ("first_at", "last_at"))
    dated = pl.when(first == last).then(first).otherwise(pl.format("{} to {}", first, last))
    rows = pl.when(pl.col("rows") == 1).then(pl.lit("row")).otherwise(pl.lit("rows"))
    parts = set_aside.with_columns(text=pl.format("{} {} of {} dated {}", "rows", rows, "table", dated))
    found = parts.group_by(*WHO, "near_at", maintain_order=True).agg(
        pl.col("text").str.join(", "), pl.col("rows").sum().alias("count"), pl.col("imported").all()
    )
    remedy = pl.when("imported").then(pl.lit(RE_IMPORT)).otherwise(pl.lit(SET_CLOCK))
    made = found.with_columns(
        text=pl.format("{} set aside, years from all others; {}", "text", remedy), kind=pl.lit("pipeline"),
        code=pl.lit("wrong_date"), system=pl.lit("clock"), time="near_at", started_at="near_at", finished_at="near_at",
        odometer_m=pl.lit(None, pl.Float64), open=pl.lit(False), start_seen=pl.lit(True), end_seen=pl.lit(True),
    )  # fmt: skip
    return made.select(SEEN.names()).cast(SEEN).sort(*WHO, "started_at")


def date_span(right: pl.DataFrame) -> pl.DataFrame:
    """Between which moments `misdated` holds, as `KNOWN_SPAN`: of the rows between two right ones all are read.

    `right` is the frame of `right_span`.
    """
    least = pl.duration(milliseconds=1)
    return right.select("vehicle", known_from=pl.col("first") + least, known_to=pl.col("last") - least).cast(KNOWN_SPAN)


def _told(events: pl.DataFrame) -> pl.DataFrame:
    """Appearances and clearings, `forgets` where a code may never be cleared; another code's clearing as its own."""
    pairs = [(*key, other) for key, other in CLEARED_BY.items()]
    borrowed = pl.DataFrame(pairs, schema=["provider", "kind", "code", "other"], orient="row")
    rows = events.filter(pl.col("kind").is_in(KINDS)).with_columns(
        appeared=(pl.col("state") != "cleared").fill_null(True)
    )
    lent = rows.filter(~pl.col("appeared")).rename({"code": "other"}).join(borrowed, on=["provider", "kind", "other"])
    every = pl.concat([rows, lent.select(rows.columns)])
    forgets = borrowed.select("provider", "kind", "code", forgets=pl.lit(True))
    known = every.join(forgets, on=["provider", "kind", "code"], how="left").with_columns(
        pl.col("forgets").fill_null(False)
    )
    return known.sort(*_CODE, "at", "sequence")


def _changes(told: pl.DataFrame) -> pl.DataFrame:
    """Without clearings of what had not appeared."""
    had = pl.col("appeared").shift(1).over(_CODE).fill_null(False)
    return told.filter(pl.col("appeared") | had)


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the number of their episode among those of their code."""
    away = (pl.col("at") - pl.col("at").shift(1)).over(_CODE).dt.total_milliseconds() > 1000 * MERGE_S
    cleared = ~pl.col("appeared").shift(1).over(_CODE)
    again = away & (cleared | pl.col("forgets"))
    new = pl.col("appeared") & again.fill_null(True)
    return rows.with_columns(episode=new.cum_sum().over(_CODE))


def ridden(found: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """Episodes with `odometer_m` [m], that of the last reading until the start."""
    told = readings.drop_nulls("odometer_m").select(*WHO, "odometer_m", read_at="at").sort("read_at")
    return (
        found.drop("odometer_m", strict=False)
        .sort("started_at")
        .join_asof(told, left_on="started_at", right_on="read_at", by=WHO, check_sortedness=False)
    )


def _opened(found: pl.DataFrame, events: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    said = pl.concat([events.select(*WHO, "at"), readings.select(*WHO, "at")])
    latest = said.group_by(WHO).agg(latest_at=pl.col("at").max())
    known = found.join(latest, on=WHO, how="left", maintain_order="left")
    silent = (pl.col("latest_at") - pl.col("last_at")).dt.total_milliseconds() > 1000 * FORGOTTEN_S
    newest = pl.col("episode") == pl.col("episode").max().over(_CODE)
    still = pl.col("finished_at").is_null() & newest & ~(pl.col("forgets") & silent)
    return known.with_columns(open=still)
