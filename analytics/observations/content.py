"""What spans of time took of the content of a battery, where vehicles tell it in watt hours."""

from collections.abc import Mapping
from typing import Literal

import polars as pl

from analytics.frames import WHO

_Way = Literal["backward", "forward"]
COVERED = 0.8  # of a span's time must lie between readings of the content
COUNT_SD = 0.408  # of a difference of two steps (facts, 2.2)
BMS_STEPS = 1.0  # in steps, what the battery's own figure errs by over a span: lag, sag under load
BMS_SD_LEAST, BMS_SD_MOST = 0.001, 0.005  # ... of the content, but no less and no more
SCALE_SD = 0.03  # of a difference, what the scale of a reported content errs by: as of a reported capacity
STEPS_WH = (1000.0, 500.0, 100.0, 50.0, 10.0)  # in which contents are told; else 1 Wh
ODD, ROUNDED_WH = 4, 2.0  # an odd step needs so many gaps between values, and multiples of it are off by no more
_FELL = ("content_wh", "content_sd_wh")
_WAYS: Mapping[str, tuple[str, _Way, _Way]] = {
    "from": ("started_at", "backward", "forward"),
    "to": ("finished_at", "forward", "backward"),
}
_SPAN = ("started_at", "finished_at")


def content_used(
    spans: pl.DataFrame, batteries: pl.DataFrame, near_s: float, others: pl.DataFrame | None = None
) -> pl.DataFrame:
    """By how much the content fell in spans of time.

    Parameters
    ----------
    spans : DataFrame with `provider` `vehicle` `started_at` `finished_at`
    batteries : DataFrame of `BATTERIES`
    near_s : how long before a span and after it a reading may be that counts as of its ends [s]
    others : spans of time that may not lie between such a reading and the span

    Returns
    -------
    DataFrame in the order of `spans`: `content_wh`, positive where it fell, and `content_sd_wh`, its standard error
    without that of the scale [Wh]; null where readings cover less than 80 % of the span. What is not covered counts at
    the mean, and may have been twice as much or nothing.
    """
    told = batteries.filter(pl.col("energy_wh") > 0).select(*WHO, "at", "energy_wh").sort("at")
    if told.is_empty():
        return pl.DataFrame({name: [None] * spans.height for name in _FELL}, dict.fromkeys(_FELL, pl.Float64()))
    numbered = spans.select(*WHO, *_SPAN).with_row_index("span")
    first = _reading(numbered, told, others, near_s, "from")
    final = _reading(numbered, told, others, near_s, "to")
    rows = numbered.hstack(first).hstack(final)
    steps = _steps(told)
    day = pl.col("started_at").dt.truncate("1d").alias("day")
    return rows.with_columns(day).join(steps, on=[*WHO, "day"], how="left", maintain_order="left").select(_fallen())


def _fallen() -> list[pl.Expr]:
    whole_s = _seconds(pl.col("finished_at") - pl.col("started_at"))
    begin, end = pl.max_horizontal("from_at", "started_at"), pl.min_horizontal("to_at", "finished_at")
    share = pl.when(whole_s > 0).then(_seconds(end - begin) / whole_s).otherwise(1.0)
    enough = pl.when((share >= COVERED) & (pl.col("to_at") > pl.col("from_at")))
    fell = pl.col("from_wh") - pl.col("to_wh")
    unseen = fell * (1 / share - 1) / 3**0.5
    step, level = pl.col("step_wh").fill_null(1.0), pl.max_horizontal("from_wh", "to_wh")
    bms = pl.max_horizontal(BMS_SD_LEAST * level, pl.min_horizontal(BMS_STEPS * step, BMS_SD_MOST * level))
    sd = ((COUNT_SD * step) ** 2 + bms**2 + unseen**2).sqrt()
    return [enough.then(fell / share).alias("content_wh"), enough.then(sd).alias("content_sd_wh")]


def _seconds(duration: pl.Expr) -> pl.Expr:
    return duration.dt.total_milliseconds() / 1000


def _reading(
    spans: pl.DataFrame, told: pl.DataFrame, others: pl.DataFrame | None, near_s: float, name: str
) -> pl.DataFrame:
    """The reading outside of this end of each span (`from` or `to`) that lies nearest, else the nearest inside."""
    edge, out, into = _WAYS[name]
    rows = told.with_columns(pl.col("at").alias("told_at"))
    placed = spans.sort(edge)
    for way, word in ((out, "out"), (into, "in")):
        named = rows.select(*WHO, "at", pl.col("told_at").alias(f"{word}_at"), pl.col("energy_wh").alias(f"{word}_wh"))
        placed = placed.join_asof(named, left_on=edge, right_on="at", by=WHO, strategy=way, check_sortedness=False)
        placed = placed.drop("at", strict=False)
    near = _seconds((pl.col(edge) - pl.col("out_at")).abs()) <= near_s
    if others is not None:
        placed = _with_other(placed, others, edge, out)
        beyond = pl.col("other_at") > pl.col("out_at") if name == "from" else pl.col("other_at") < pl.col("out_at")
        near = near & ~beyond.fill_null(False)
    chosen = [
        pl.when(near.fill_null(False)).then(f"out_{part}").otherwise(f"in_{part}").alias(f"{name}_{part}")
        for part in ("at", "wh")
    ]
    return placed.sort("span").select(chosen)


def _with_other(placed: pl.DataFrame, others: pl.DataFrame, edge: str, way: _Way) -> pl.DataFrame:
    """Spans with `other_at`: when the last other one before ended, or the next one after began."""
    moment = "finished_at" if way == "backward" else "started_at"
    known = others.select(*WHO, pl.col(moment).alias("other_at")).sort("other_at")
    return placed.join_asof(
        known, left_on=edge, right_on="other_at", by=WHO, strategy=way, coalesce=False, check_sortedness=False
    )  # fmt: skip


def _steps(told: pl.DataFrame) -> pl.DataFrame:
    """In which steps each vehicle told its content on each day: round ones, or odd ones of which all are multiples."""
    round_ones = [pl.when(((pl.col("energy_wh") % step) < 1e-6).all()).then(step) for step in STEPS_WH]
    day = pl.col("at").dt.truncate("1d").alias("day")
    gaps = pl.col("energy_wh").unique().sort().diff().drop_nulls()
    least = gaps.min()
    many = (gaps / least).round()
    stepped = (many.max() > 1) | (2 * pl.col("energy_wh").unique_counts().gt(1).sum() > gaps.len())  # not an even fall
    off = (gaps - many * least).abs() <= ROUNDED_WH
    found = (gaps.len() >= ODD) & off.all() & stepped & (least > 4 * ROUNDED_WH)
    odd = pl.when(found).then(least)
    return told.group_by(*WHO, day).agg(pl.max_horizontal(pl.coalesce(*round_ones, 1.0), odd).alias("step_wh"))
