"""Ticks: the moments at which a whole percent changes, and from them the state of charge at any moment.

A whole percent tells little of the charge until it changes: then the charge is known to a tenth of a step. Between two
ticks the charge follows the way ridden, and what standing takes. Rules: analytics facts, 2.2.

Levels are those of a percent that is cut off: a percent that is rounded is half a step lower, at all falling ticks
alike, so that differences do not tell. What the battery's own percent errs by is in none of this.
"""

from typing import Literal

import polars as pl

from analytics.frames import WHO, before, carried, marked
from logger.tables import TIME

TICKS = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "at": TIME,
        "level_pct": pl.Float64(),
        "sd_s": pl.Float64(),
        "rising": pl.Boolean(),
    }
)

LEAP_PCT = 3.0  # a change of less is never another pack
RISE_PCT_S, FALL_PCT_S = 1 / 60, 4 / 60  # faster than any charger, or than full power, over some minutes: another pack
UTMOST_M, STANDS_PCT_S = 100.0, 2 / 3600  # a percent takes at least such a way, or stands so long
LOCKED_MS, UNLOCKED_MS = 0.007, 0.2  # what standing takes, as speed: 0.8 W and 22 W at 31 Wh/km
WITHIN_SD_PCT = 0.2887  # of a charge of which only the whole percent is known
UNEVEN = 0.09  # variance [%^2] that a percent of riding adds to a charge between two ticks: the use varies by 30 %
_ROOT12 = 12**0.5
_EDGES: tuple[tuple[str, Literal["backward", "forward"], bool], ...] = (
    ("started_at", "backward", False),
    ("finished_at", "forward", True),
)


def ticks(readings: pl.DataFrame) -> pl.DataFrame:
    """Where the percent crossed a level for the first time.

    Parameters
    ----------
    readings : DataFrame of `READINGS`, by vehicle and time; whole percents

    Returns
    -------
    DataFrame of `TICKS` by vehicle and time: `level_pct` [%] crossed at `at`, give or take `sd_s` [s]. Several steps in
    one interval are one tick at their middle. A rise of one step between falls is the battery's rebound, and it and the
    second fall are left out (and the other way round in a charge). A change of pack is no tick.
    """
    changes = _changes(readings).filter(~pl.col("leap"))
    kept = _confirmed(changes)
    low, high = pl.min_horizontal("soc_pct", "was_pct"), pl.max_horizontal("soc_pct", "was_pct")
    return kept.select(
        *WHO,
        _middle().alias("at"),
        ((low + high + 1) / 2).alias("level_pct"),
        (pl.col("dt_s") / _ROOT12).alias("sd_s"),
        (pl.col("step_pct") > 0).alias("rising"),
    ).cast(TICKS)  # fmt: skip


def leaps(readings: pl.DataFrame, swaps: pl.DataFrame | None = None) -> pl.DataFrame:
    """Intervals between two readings of the percent in which a pack was changed.

    Parameters
    ----------
    readings : DataFrame of `READINGS`, by vehicle and time
    swaps : DataFrame of SWAPS (`at` of each), or None: then only the percent tells, from 3 % on

    Returns
    -------
    DataFrame `provider` `vehicle` `since` `at` `was_pct` `soc_pct`, and `d_m`, what was ridden meanwhile [m].
    """
    steps = _steps(readings)
    known = _leap() if swaps is None else _leap() | _holds(steps, swaps)
    return steps.filter(known.fill_null(False)).select(*WHO, "since", "at", "was_pct", "soc_pct", "d_m")


def _steps(readings: pl.DataFrame) -> pl.DataFrame:
    rows = marked(readings.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct", "charging", "way_m"))
    idle = (~pl.col("charging") & ~before("charging")).fill_null(False)
    known = rows.with_columns(before("at").alias("since"), before("soc_pct").alias("was_pct"), idle.alias("idle"))
    known = known.with_columns((pl.col("way_m") - before("way_m")).alias("d_m"))
    dt_s = (pl.col("at") - pl.col("since")).dt.total_milliseconds() / 1000
    return known.with_columns(dt_s.alias("dt_s"), (pl.col("soc_pct") - pl.col("was_pct")).alias("step_pct"))


def _leap() -> pl.Expr:
    step, dt = pl.col("step_pct"), pl.col("dt_s")
    rise, fall = step > dt * RISE_PCT_S + 1, step < -(dt * FALL_PCT_S + 1)
    stood = step < -(pl.col("d_m") / UTMOST_M + dt * STANDS_PCT_S + 2)  # a pack taken out reads 0
    lone = pl.col("idle") & (step > 0)  # uncharged, nothing rises
    return (step.abs() >= LEAP_PCT) & (rise | fall | lone | stood.fill_null(False))


def _holds(steps: pl.DataFrame, swaps: pl.DataFrame) -> pl.Series:
    """Whether a swap lies in the interval."""
    told = swaps.select(*WHO, pl.col("at").alias("swap_at")).sort("swap_at")
    rows = steps.select(*WHO, "at", "since").with_row_index("row").sort("at")
    found = rows.join_asof(told, left_on="at", right_on="swap_at", by=WHO, check_sortedness=False).sort("row")
    return (found["swap_at"] > found["since"]).fill_null(False)


def _changes(readings: pl.DataFrame) -> pl.DataFrame:
    """Intervals in which the percent changed, and whether the value after it held for a second reading."""
    steps = _steps(readings).with_columns(_leap().fill_null(False).alias("leap"))
    following = pl.when(~pl.col("fresh").shift(-1).fill_null(True)).then(pl.col("step_pct").shift(-1))
    held = steps.with_columns((following.fill_null(1.0) == 0).alias("held"))
    return held.filter(pl.col("step_pct") != 0)


def _confirmed(changes: pl.DataFrame) -> pl.DataFrame:
    """Changes that are neither a rebound nor the return from one."""
    rows = marked(changes.drop("fresh")) if changes.height else changes
    way = pl.col("step_pct").sign()
    last = before("step_pct").sign()
    coming = pl.when(~pl.col("fresh").shift(-1).fill_null(True)).then(way.shift(-1))
    small = pl.col("step_pct").abs() == 1
    alone = small & (last == -way).fill_null(False) & (coming != way).fill_null(way > 0)
    told = rows.with_columns(alone.alias("alone"))
    back = small & before("alone").fill_null(False) & (before("step_pct") == -pl.col("step_pct")).fill_null(False)
    sure = pl.col("held") | (coming == way).fill_null(False)
    return told.filter(~pl.col("alone") & ~back & sure)


def _middle() -> pl.Expr:
    return pl.col("since") + (pl.col("at") - pl.col("since")) / 2


# ---- the charge at a moment ----------------------------------------------------------------------------------------


def soc_at(
    ticks: pl.DataFrame, readings: pl.DataFrame, moments: pl.DataFrame, swaps: pl.DataFrame | None = None
) -> pl.DataFrame:
    """The state of charge at moments.

    Parameters
    ----------
    ticks : DataFrame of `TICKS`
    readings : DataFrame of `READINGS` of which the ticks are
    moments : DataFrame `provider` `vehicle` `at`, in any order; other columns are kept
    swaps : DataFrame of SWAPS, or None

    Returns
    -------
    `moments`, in their order, and `pct`, `sd_pct` [%] (null before the first reading), `share` (0 to 1: where between
    two ticks), `step_pct` (what lies between these), `tick` (number of the earlier one). The last three are null where
    no tick of the same direction and pack is on both sides: then the whole percent tells, give or take 0.29 %.
    """
    path = _path(readings, leaps(readings, swaps))
    places = _placed(moments.with_row_index("row"), path)
    both = _between(places, _marks(ticks, path))
    return both.sort("row").select(*moments.columns, *_estimate())


def ridden(readings: pl.DataFrame, rides: pl.DataFrame) -> pl.DataFrame:
    """Readings, and where rides began and ended between them: all way of that interval was made within the ride.

    Parameters
    ----------
    readings : DataFrame of `READINGS`, by vehicle and time
    rides : DataFrame `provider` `vehicle` `started_at` `finished_at`

    Returns
    -------
    DataFrame of `READINGS` with rows that tell `at`, `locked` and `way_m` alone; for `soc_at`, which then does not
    spread a ride over all of a gap that hides it.
    """
    ways = readings.drop_nulls("way_m").select(*WHO, pl.col("at").alias("read_at"), "way_m").sort("read_at")
    told = []
    for name, strategy, locked in _EDGES:
        moments = rides.select(*WHO, pl.col(name).alias("at")).unique().sort("at")
        edges = moments.join_asof(
            ways, left_on="at", right_on="read_at", by=WHO, strategy=strategy, check_sortedness=False
        )  # fmt: skip
        told.append(edges.with_columns(pl.lit(locked).alias("locked")).drop("read_at"))
    new = pl.concat(told).drop_nulls("way_m").unique([*WHO, "at"], keep="first", maintain_order=True)
    new = new.join(readings.select(*WHO, "at"), on=[*WHO, "at"], how="anti")
    return pl.concat([readings, new], how="diagonal").sort(*WHO, "at", maintain_order=True)


def _path(readings: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """Work done until each reading, as metres ridden, and the number of the pack since the beginning."""
    rows = marked(readings.select(*WHO, "at", "locked", "soc_pct", "way_m"))
    rows = carried(rows.with_columns(pl.col("way_m").cum_max().over(WHO)), "soc_pct", "way_m")
    dt_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    stood = dt_s * pl.when(before("locked").fill_null(True)).then(LOCKED_MS).otherwise(UNLOCKED_MS)
    way = (pl.col("way_m") - before("way_m")).fill_null(0.0)
    work = (way + stood).fill_null(0.0).cum_sum().over(WHO)  # a vehicle's own: the same in any fleet
    new = changed.select(*WHO, "at", pl.lit(1).alias("new"))
    packs = rows.join(new, on=[*WHO, "at"], how="left", maintain_order="left")
    pack = (packs["new"].fill_null(0) + packs["fresh"].cast(pl.Int32)).cum_sum()
    return rows.with_columns(work.alias("work_m"), pack.alias("pack")).drop("fresh", "locked", "way_m")


def _placed(moments: pl.DataFrame, path: pl.DataFrame) -> pl.DataFrame:
    """Work done until these moments, `pack` and percent then. By time."""
    told = path.sort("at")
    earlier = told.rename({"at": "from_at", "work_m": "from_m"})
    later = told.select(*WHO, pl.col("at").alias("to_at"), pl.col("work_m").alias("to_m"))
    rows = moments.sort("at").join_asof(earlier, left_on="at", right_on="from_at", by=WHO, check_sortedness=False)
    rows = rows.join_asof(
        later, left_on="at", right_on="to_at", by=WHO, strategy="forward", check_sortedness=False
    )  # fmt: skip
    span_s = (pl.col("to_at") - pl.col("from_at")).dt.total_milliseconds() / 1000
    after_s = (pl.col("at") - pl.col("from_at")).dt.total_milliseconds() / 1000
    pace = pl.when(span_s > 0).then((pl.col("to_m") - pl.col("from_m")) / span_s).otherwise(0.0)
    work = pl.col("from_m") + pace * after_s
    return rows.with_columns(work.alias("work_m")).drop("from_at", "to_at", "from_m", "to_m")


def _marks(ticks: pl.DataFrame, path: pl.DataFrame) -> pl.DataFrame:
    """Ticks in the middle of the work of their interval, which is that of its time where the moped moves steadily."""
    half = pl.duration(milliseconds=(pl.col("sd_s") * _ROOT12 * 500).round().cast(pl.Int64))
    numbered = ticks.with_row_index("tick").with_columns(pl.col("tick").cast(pl.Int64))
    marks = _placed(numbered, path).sort("tick")
    ends = [_placed(numbered.with_columns((pl.col("at") + by).alias("at")), path) for by in (-half, half)]
    begin_m, end_m = (end.sort("tick")["work_m"] for end in ends)
    return marks.select(
        *WHO, "tick", "rising", "pack",
        pl.col("level_pct").alias("level"),
        ((begin_m + end_m) / 2).alias("tick_m"), ((end_m - begin_m) / _ROOT12).alias("spread_m"),
    ).sort("tick_m")  # fmt: skip


def _between(places: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """These moments with the ticks before and after them, of the same pack: by work, which time never outruns."""
    by = [*WHO, "pack"]
    after = marks.rename({name: f"{name}_after" for name in marks.columns if name not in by})
    rows = places.with_columns(pl.col("work_m").fill_null(-1.0).alias("place")).sort("place")
    rows = rows.join_asof(marks, left_on="place", right_on="tick_m", by=by, coalesce=False, check_sortedness=False)
    return rows.join_asof(
        after, left_on="place", right_on="tick_m_after", by=by, strategy="forward", coalesce=False,
        allow_exact_matches=False, check_sortedness=False,
    )  # fmt: skip


def _estimate() -> list[pl.Expr]:
    way_m = pl.col("tick_m_after") - pl.col("tick_m")
    step = pl.col("level_after") - pl.col("level")
    same = (pl.col("rising") == pl.col("rising_after")) & (step != 0) & (way_m > 0)
    share = ((pl.col("work_m") - pl.col("tick_m")) / way_m).clip(0.0, 1.0)
    edge = (1 - share) * pl.col("spread_m") + share * pl.col("spread_m_after")
    variance = (edge / way_m * step) ** 2 + UNEVEN * step.abs() * share * (1 - share)
    inside = pl.when(same.fill_null(False))
    coarse = pl.col("soc_pct") + 0.5
    return [
        inside.then(pl.col("level") + share * step).otherwise(coarse).clip(0.0, 100.0).alias("pct"),
        inside.then(variance.sqrt()).when(pl.col("soc_pct").is_not_null()).then(WITHIN_SD_PCT).alias("sd_pct"),
        inside.then(share).alias("share"),
        inside.then(step).alias("step_pct"),
        inside.then("tick").alias("tick"),
    ]
