"""The state of charge at any moment.

Between two ticks the charge follows the way ridden, and what standing takes; where there are none, it follows them
between two readings of the percent. Rules: analytics facts, 2.2.
"""

import msgspec
import polars as pl

from analytics.frames import WHO, before, carried, marked, with_facts
from analytics.observations.soc import resolutions
from analytics.observations.soc_steps import leaps, ticks
from analytics.observations.soc_trips import ridden

LOCKED_MS, UNLOCKED_MS = 0.007, 0.2  # what standing takes, as speed: 0.8 W and 22 W at 31 Wh/km
CHARGING_MS = 10.0  # what charging brings: beside it, a pause brings nothing
WITHIN_SD_PCT = 0.2887  # of a charge of which only the whole percent is known
UNEVEN = 0.09  # variance [%^2] that a percent of riding adds to a charge between two ticks: the use varies by 30 %
_ROOT12 = 12**0.5


class SocPath(msgspec.Struct, frozen=True):
    """How the charge of vehicles went on with their work: made once, to be asked at many moments.

    `rows` are readings with the work done until each, and whether a percent was `told`; `marks` are `ticks` by work,
    `leaps` the frame of `soc_steps.leaps`.
    """

    rows: pl.DataFrame
    ticks: pl.DataFrame
    marks: pl.DataFrame
    leaps: pl.DataFrame


def soc_path(readings: pl.DataFrame, swaps: pl.DataFrame | None = None, trips: pl.DataFrame | None = None) -> SocPath:
    """How the charge went on.

    Parameters
    ----------
    readings : DataFrame of `OBSERVATIONS`, by vehicle and time
    swaps : DataFrame of SWAPS, or None
    trips : DataFrame `provider` `vehicle` `started_at` `finished_at`: all way between two readings was made in them;
        None: nobody knows where
    """
    changed = leaps(readings, swaps)
    rows = _path(readings if trips is None else ridden(readings, trips), resolutions(readings), changed)
    found = ticks(readings)
    return SocPath(rows, found, _marks(found, rows), changed)


def soc_at(path: SocPath, moments: pl.DataFrame) -> pl.DataFrame:
    """The state of charge at moments.

    Parameters
    ----------
    moments : DataFrame `provider` `vehicle` `at`, in any order; other columns are kept

    Returns
    -------
    `moments`, in their order, and `pct`, `sd_pct` [%] (null before the first reading), `share` (0 to 1: where between
    two ticks), `step_pct` (what lies between these), `tick` (number of the earlier one), and `unit_pct`, the step in
    which the vehicle tells its percent. `share` to `tick` are null where no tick of the same direction and pack is on
    both sides: then the reading tells, give or take 0.29 of its step, and a whole percent is in the middle of it.
    """
    both = _between(_placed(moments.with_row_index("row"), path.rows), path.marks)
    return both.sort("row").select(*moments.columns, *_estimate())


def _path(readings: pl.DataFrame, steps: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """Work done until each reading, as metres ridden, and the number of the pack, or charge, since the beginning."""
    turn = "turn" if "turn" in readings.columns else pl.lit(0).alias("turn")
    told = marked(readings.select(*WHO, "at", "locked", "charging", "soc_pct", "way_m", turn))
    rows = with_facts(told, steps.rename({"step_pct": "unit_pct"}))
    own = pl.col("soc_pct").alias("own_pct")
    rows = carried(rows.with_columns(pl.col("way_m").cum_max().over(WHO), own), "soc_pct", "way_m")
    dt_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    pace = pl.when(before("locked").fill_null(True)).then(LOCKED_MS).otherwise(UNLOCKED_MS)
    stood = dt_s * pl.when(before("charging").fill_null(False)).then(CHARGING_MS).otherwise(pace)
    way = (pl.col("way_m") - before("way_m")).fill_null(0.0)
    work = (way + stood).fill_null(0.0).cum_sum().over(WHO)  # a vehicle's own: the same in any fleet
    new = changed.select(*WHO, "at", pl.lit(1).alias("new"))
    packs = rows.join(new, on=[*WHO, "at"], how="left", maintain_order="left")
    pack = (packs["new"].fill_null(0) + packs["turn"].fill_null(0) + packs["fresh"].cast(pl.Int32)).cum_sum()
    made = rows.with_columns(work.alias("work_m"), pack.alias("pack")).drop(
        "fresh", "locked", "charging", "way_m", "turn"
    )
    return made.with_columns(*_around(), pl.col("own_pct").is_not_null().alias("told")).drop("own_pct")


def _around() -> list[pl.Expr]:
    """The work at the last row that tells a percent, and work, percent and pack at the next one."""
    told = pl.col("own_pct").is_not_null()
    last = pl.when(told).then("work_m").forward_fill().over(WHO).alias("last_m")
    names = {"next_m": "work_m", "next_pct": "own_pct", "next_pack": "pack"}
    return [last, *(pl.when(told).then(name).backward_fill().over(WHO).alias(new) for new, name in names.items())]


def _placed(moments: pl.DataFrame, path: pl.DataFrame) -> pl.DataFrame:
    """Work done until these moments, `pack` and percent then. By time."""
    told = path.sort("at")
    ahead = ("next_m", "next_pct", "next_pack")
    earlier = told.drop(*ahead, "told").rename({"at": "from_at", "work_m": "from_m"})
    later = told.select(*WHO, pl.col("at").alias("to_at"), pl.col("work_m").alias("to_m"), *ahead)
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
    rising = pl.col("rising")
    same = (rising == pl.col("rising_after")) & (step != 0) & ((step > 0) == rising) & (way_m > 0)
    share = ((pl.col("work_m") - pl.col("tick_m")) / way_m).clip(0.0, 1.0)
    edge = (1 - share) * pl.col("spread_m") + share * pl.col("spread_m_after")
    variance = (edge / way_m * step) ** 2 + UNEVEN * step.abs() * share * (1 - share)
    inside = pl.when(same.fill_null(False))
    whole = pl.when(pl.col("unit_pct") == 1).then(0.5).otherwise(0.0)
    coarse, sd = _between_readings() + whole, WITHIN_SD_PCT * pl.col("unit_pct")
    return [
        inside.then(pl.col("level") + share * step).otherwise(coarse).clip(0.0, 100.0).alias("pct"),
        inside.then(variance.sqrt()).when(pl.col("soc_pct").is_not_null()).then(sd).alias("sd_pct"),
        inside.then(share).alias("share"),
        inside.then(step).alias("step_pct"),
        inside.then("tick").alias("tick"),
        pl.col("unit_pct"),
    ]


def _between_readings() -> pl.Expr:
    """The percent between two readings of one pack: it follows the work done."""
    work_m = pl.col("next_m") - pl.col("last_m")
    share = ((pl.col("work_m") - pl.col("last_m")) / work_m).clip(0.0, 1.0)
    same = (pl.col("next_pack") == pl.col("pack")) & (work_m > 0)
    return pl.col("soc_pct") + pl.when(same.fill_null(False)).then(
        share * (pl.col("next_pct") - pl.col("soc_pct"))
    ).otherwise(0.0)
