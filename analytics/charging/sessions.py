"""Charging sessions: what vehicles report, and rises of the percent that nobody reported.

The rules are those of the analytics facts, 4.2.
"""

import polars as pl

from analytics.charging.added_rises import added_rises
from analytics.charging.charging_rows import MOVED_M, charging_rows, with_percent
from analytics.charging.rises import rises
from analytics.charging.spans import last_swap, middle, outside_trips, seconds
from analytics.frames import WHO, before, marked
from analytics.observations.charge_power import measured_power
from logger.tables import TIME

PAUSE_S = 600.0  # a session goes on if it is reported again so soon
SILENCE_S = 1800.0  # a wider window says nothing of where in it a session began or ended
ONE_POLL_S, SPACINGS = 10_800.0, 2.5  # a pause that one poll alone shows may have been short
AFTER_S = 600.0  # a percent that so late still rises was charged
REGAINED_PCT = 2.0
FELL_PCT = 2.0  # what fell by more was drawn from, whatever flag or power say
_MS = pl.Datetime("ms", "UTC")

# A session of a vehicle. It began at `started_at` and ended at `finished_at`; an `inferred` one lies between these.
# What it charged, the percent rose from `rose_from` to `rose_to`, which are moments of readings.
SESSIONS = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "kind": pl.String(),
        "started_at": TIME,
        "finished_at": TIME,
        "soc_start_pct": pl.Float64(),
        "soc_finish_pct": pl.Float64(),
        "rose_from": TIME,
        "rose_to": TIME,
        "flags": pl.List(pl.String()),
    }
)


def sessions(
    observations: pl.DataFrame, batteries: pl.DataFrame, swaps: pl.DataFrame, trips: pl.DataFrame, traits: pl.DataFrame
) -> pl.DataFrame:
    """Charging sessions of vehicles.

    Parameters
    ----------
    observations : DataFrame of the columns that `charging_rows` takes, and `charge_added_wh`, by vehicle and time
    batteries, swaps : DataFrames of `BATTERIES` and `SWAPS`, each in its order
    trips : DataFrame with `provider` `vehicle` `kind` `started_at` `finished_at`
    traits : DataFrame with `provider` `vehicle` `swappable`; of a vehicle that is not in it, packs are not swapped

    Returns
    -------
    DataFrame of `SESSIONS` by vehicle and start.

    Notes
    -----
    `kind` is `charge` where a vehicle said that it charges or its percent, or its counter, rose step by step,
    `inferred` where two readings alone show it. A start or an end is the middle of the window that readings leave;
    where that is wider than 30 min, it is the nearest reading inside the session or, where the percent rose on, when it
    got there at the session's pace: flagged `start_unsure` or `finish_unsure`. A pause parts two sessions where it is
    longer than 10 min and more than one poll shows it. A percent that still rises after the last word of a session is
    the session's. Other flags: `unreported`, `or_swap`, `open` (no reading after it). No session lies in an observed
    trip.
    """
    rows = charging_rows(observations, measured_power(batteries, observations))
    reported = _reported(rows, swaps)
    unreported = rises(rows, reported, swaps, trips, traits)
    percent = pl.concat([_placed(reported), unreported], how="diagonal")
    both = pl.concat([percent, added_rises(observations, _taken(percent, swaps), trips)], how="diagonal_relaxed")
    placed = _with_own_percent(outside_trips(both, trips), observations, batteries)
    words = [name for name in ("unsure_start", "unsure_finish", "still", "unreported", "doubt") if name in both.columns]
    flags = pl.concat_list(words).list.drop_nulls().list.sort()
    return placed.with_columns(flags.alias("flags")).select(SESSIONS.names()).cast(SESSIONS).sort(*WHO, "started_at")


def _with_own_percent(found: pl.DataFrame, observations: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """Without percents of vehicles that tell none: these are shares of a content."""
    tell = pl.concat([with_percent(observations), with_percent(batteries, "bms_soc_pct")]).unique()
    known = found.join(tell.with_columns(tells=True), on=WHO, how="left", maintain_order="left")
    return known.with_columns(pl.when("tells").then(name).alias(name) for name in ("soc_start_pct", "soc_finish_pct"))


def _taken(sessions: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """From when to when it is known what changed the percent."""
    spans = [sessions.select(*WHO, started_at="rose_from", finished_at="rose_to"),
             swaps.select(*WHO, started_at="since", finished_at="until")]  # fmt: skip
    return pl.concat(spans, how="vertical_relaxed")


# ---- which rows are one session ------------------------------------------------------------------------------------


def _reported(rows: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """One row a reported session: its first and last moment that said so, and the readings around it."""
    known = rows.with_row_index("row")
    numbered = known.join(_numbered(known, swaps), on="row", how="left", maintain_order="left")
    inside = _inside(numbered)
    around = _before(numbered).join(_after(numbered, inside, swaps), on="session", how="left")
    found = _of_one_pack(inside.join(around, on="session", how="left", maintain_order="left"), swaps)
    fell = pl.col("soc_finish_pct") < pl.col("soc_start_pct") - FELL_PCT
    return found.filter(~fell.fill_null(False))


def _numbered(rows: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """`row` and `session` of the rows that say that the vehicle charges; `at_before` is the last that said anything."""
    told = marked(rows.drop_nulls("charging")).with_columns(
        before("at").alias("at_before"), (~pl.col("charging")).cum_sum().alias("denials"),
        pl.col("plugged").not_().fill_null(False).cum_sum().alias("loose"),
    ).filter("charging")  # fmt: skip
    said = marked(told)
    moved = ((pl.col("way_m") - before("way_m")) > MOVED_M) & ~_goes_on()
    swapped = last_swap(said, "at", swaps) > before("at")
    other = pl.col("fresh") | _paused() | moved | swapped
    return said.select("row", "at_before", other.fill_null(False).cum_sum().alias("session"))


def _goes_on() -> pl.Expr:
    """Whether the vehicle charged all the time since the row before: a way that is told then was made earlier."""
    rose = (pl.col("soc_pct") - before("soc_pct") > REGAINED_PCT).fill_null(False)
    return rose & (pl.col("denials") == before("denials"))


def _paused() -> pl.Expr:
    """Whether the vehicle stopped to charge between two rows that say that it charges, for longer than a pause."""
    denials, gap_s = pl.col("denials") - before("denials"), _ms("at", before("at")) / 1000
    shorter_s = pl.min_horizontal(_ms("at", pl.col("at_before")) / 1000, _ms("at_before", before("at")) / 1000)
    plugged = pl.col("loose") == before("loose")
    once = (denials == 1) & plugged & (gap_s <= ONE_POLL_S) & (gap_s <= SPACINGS * shorter_s)
    return (denials > 0) & (gap_s > PAUSE_S) & ~once


def _ms(end: str, begin: pl.Expr) -> pl.Expr:
    return (pl.col(end) - begin).dt.total_milliseconds()


def _inside(numbered: pl.DataFrame) -> pl.DataFrame:
    soc = pl.col("soc_pct").drop_nulls()
    return numbered.drop_nulls("session").group_by("session", maintain_order=True).agg(
        pl.col(WHO).first(), pl.col("at").first().alias("first_at"), pl.col("at").last().alias("last_at"),
        soc.first().alias("soc_first_pct"), soc.last().alias("soc_last_pct"),
        pl.col("way_m").first().alias("first_m"), pl.col("way_m").last().alias("last_m"),
    )  # fmt: skip


def _before(numbered: pl.DataFrame) -> pl.DataFrame:
    """The percent and the way before the moment of each session's first row, and when a row last told of charging.

    Of one moment there may be two rows: of status, and of a battery query.
    """
    pct_at = pl.when(pl.col("own_pct").is_not_null()).then("at").forward_fill().over(WHO)
    rows = marked(numbered.with_columns(pct_at.alias("pct_at")))
    told = rows.with_columns(
        *(_earlier(name).alias(f"{name}_before") for name in ("soc_pct", "way_m", "pct_at")),
    ).drop_nulls("session")  # fmt: skip
    names = ("at_before", "soc_pct_before", "way_m_before", "pct_at_before")
    return told.group_by("session", maintain_order=True).agg(pl.col(names).first())


def _earlier(name: str) -> pl.Expr:
    same, second = pl.col("at") == before("at"), pl.col("fresh").shift(1).fill_null(True)
    return pl.when(same & ~second).then(pl.col(name).shift(2)).when(~same).then(before(name))


def _after(numbered: pl.DataFrame, inside: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """The first row after each session that says anything of charging, and the percent that it still rose to.

    That is the next percent, or the highest of the next ten minutes; of a vehicle that has moved, one that it cannot
    have regained.
    """
    last, following = (pl.col("session").forward_fill().over(WHO), pl.col("session").backward_fill().over(WHO))
    rows = numbered.with_columns(last.alias("of"), following.alias("following")).filter(pl.col("session").is_null())
    tail = rows.filter((pl.col("of") != pl.col("following")).fill_null(True)).drop_nulls("of").drop("session")
    names = ("session", "last_at", "last_m", "soc_last_pct")
    known = tail.join(inside.select(names), left_on="of", right_on="session", how="left", maintain_order="left")
    own = pl.col("own_pct").is_not_null()
    known = known.with_columns(_rises_on().alias("rises_on"))
    on = (~pl.col("rises_on")).cum_sum().over("of") == 0
    soon = (seconds("last_at", "at") <= AFTER_S) | (own & (own.cum_sum().over("of") == 1)) | on
    stood = (pl.col("way_m") - pl.col("last_m")).fill_null(0.0) <= MOVED_M
    rose = pl.col("own_pct") > pl.col("soc_last_pct") + pl.when(stood).then(0.0).otherwise(REGAINED_PCT)
    same = (last_swap(known, "at", swaps) <= known["last_at"]).fill_null(True)
    counts = known.with_columns((soon & rose & same).fill_null(False).alias("counts"))
    return counts.group_by("of", maintain_order=True).agg(
        pl.col("at").filter(pl.col("charging").is_not_null()).first().alias("at_after"),
        pl.col("own_pct").filter("counts").max().alias("soc_pct_after"),
        pl.col("at").filter("counts").sort_by(pl.col("own_pct").filter("counts")).last().alias("pct_at_after"),
    ).rename({"of": "session"})  # fmt: skip


def _rises_on() -> pl.Expr:
    """Whether the percent rises by what only a charge brings, within a silence of the row before."""
    last_at, last_pct = (
        pl.coalesce(pl.col(name).shift(1).over("of"), begin)
        for name, begin in (("at", "last_at"), ("own_pct", "soc_last_pct"))
    )
    near = (pl.col("at") - last_at).dt.total_milliseconds() <= 1000 * SILENCE_S
    return (near & (pl.col("own_pct") - last_pct > REGAINED_PCT)).fill_null(False)


def _of_one_pack(found: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """Without the percent of another pack, or of another place, right before a session."""
    other = (last_swap(found, "first_at", swaps) > found["at_before"]).fill_null(False)
    moved = ((pl.col("first_m") - pl.col("way_m_before")) > MOVED_M).fill_null(False)
    near = (seconds("at_before", "first_at") <= SILENCE_S).fill_null(False)
    bare = pl.col("soc_first_pct").is_null()  # what else rose since the row before, the session added
    lower = bare | (pl.col("soc_pct_before") < pl.col("soc_first_pct"))
    charged = (
        pl.col("soc_first_pct") - pl.col("soc_pct_before") > REGAINED_PCT
    )  # under way, nothing else brings so much
    goes_on = ~other & (((near | lower) & ~moved) | (near & charged))
    start = pl.when(goes_on.fill_null(False)).then("soc_pct_before").otherwise("soc_first_pct")
    since = pl.when(lower & ~bare).then("pct_at_before").otherwise("at_before")
    claimed = pl.when(goes_on.fill_null(False)).then(since).otherwise("first_at")
    told_at = pl.when(pl.col("near_after") | bare).then("at_after")
    near_after = (seconds("last_at", "at_after") <= SILENCE_S).fill_null(False)
    return found.with_columns(near.alias("near_before"), near_after.alias("near_after")).with_columns(
        pl.coalesce(start, "soc_first_pct").alias("soc_start_pct"),
        pl.max_horizontal("soc_last_pct", "soc_pct_after").alias("soc_finish_pct"),
        pl.coalesce(claimed, "first_at").alias("rose_from"),
        pl.max_horizontal("last_at", "pct_at_after", told_at).alias("rose_to"),
    )  # fmt: skip


# ---- when they were ------------------------------------------------------------------------------------------------


def _placed(found: pl.DataFrame) -> pl.DataFrame:
    """Reported sessions with start and end, without flags that only flickered."""
    gone = pl.col("at_after").is_null() & pl.col("pct_at_after").is_null()
    made = found.select(
        *WHO,
        pl.lit("charge").alias("kind"),
        _start().cast(_MS).alias("started_at"),
        _finish().cast(_MS).alias("finished_at"),
        *("soc_start_pct", "soc_finish_pct", "rose_from", "rose_to"),
        pl.when(~pl.col("near_before")).then(pl.lit("start_unsure")).alias("unsure_start"),
        pl.when(~pl.col("near_after") & ~gone).then(pl.lit("finish_unsure")).alias("unsure_finish"),
        pl.when(gone).then(pl.lit("open")).alias("still"),
        (pl.col("first_at") == pl.col("last_at")).alias("once"),
    )
    flicker = pl.col("once") & ~(pl.col("soc_finish_pct") > pl.col("soc_start_pct")).fill_null(False)
    return made.filter(~flicker).drop("once")


def _start() -> pl.Expr:
    risen = pl.col("soc_first_pct") - pl.col("soc_start_pct")
    earlier = pl.max_horizontal("at_before", pl.col("first_at") - _lasting(risen))
    unseen = pl.when(risen > 0).then(pl.coalesce(earlier, "first_at")).otherwise("first_at")
    return pl.when("near_before").then(middle("at_before", "first_at")).otherwise(unseen)


def _finish() -> pl.Expr:
    """Of a session that one row reports, all that is known of its end is when the percent had risen."""
    risen = pl.col("soc_pct_after") - pl.col("soc_last_pct")
    later = pl.min_horizontal("pct_at_after", pl.col("last_at") + _lasting(risen))
    unseen = pl.when(risen > 0).then(pl.coalesce(later, "pct_at_after")).otherwise("last_at")
    once = (pl.col("first_at") == pl.col("last_at")) & (risen > 0).fill_null(False)
    return pl.when(pl.col("near_after") & ~once).then(middle("last_at", "at_after")).otherwise(unseen)


def _lasting(risen: pl.Expr) -> pl.Expr:
    """How long a rise of so many percent takes at the pace of the session; null where it has none."""
    pct = pl.col("soc_last_pct") - pl.col("soc_first_pct")
    pace = pl.when(pct > 0).then(seconds("first_at", "last_at") / pct)
    return pl.duration(milliseconds=(1000 * pace * risen).round().cast(pl.Int64))
