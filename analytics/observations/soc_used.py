"""What a ride used of the charge: ticks at both of its ends, and its parts where a pack was changed on the way."""

import polars as pl

from analytics.frames import DAY, WHO
from analytics.observations.soc_at import UNEVEN, SocPath, soc_at

FLAT_PCT = 0.776  # half of the 95 % interval of a difference of two whole percents
BMS_SD_PCT = 0.3  # what a battery's own percent errs by over a ride: lag, sag under load, rest voltage (simulated)
LOST_M = 300.0  # ridden unseen while a pack was changed: so much is less than what the battery errs by, twice
TICK_SD_PCT = 0.06  # of the way between two ticks, at a push every ten seconds
STALE = 2 * DAY  # of a later percent, nobody knows how much the span had to do with it
_OF_END = ("soc_finish_pct", "soc_used_pct", "soc_used_low_pct", "soc_used_high_pct", "soc_used_sd_pct", "soc_mean_pct")
_Z = 1.96


def used(
    path: SocPath, spans: pl.DataFrame, swaps: pl.DataFrame | None = None, bms_sd_pct: float = BMS_SD_PCT
) -> pl.DataFrame:
    """What was used of the charge in spans of time; what a change of packs brings is not counted.

    Parameters
    ----------
    path : of the same swaps, and of `spans` as its trips
    spans : DataFrame `provider` `vehicle` `started_at` `finished_at` (a vehicle's do not overlap), in any order
    swaps : DataFrame of SWAPS, or None
    bms_sd_pct : standard error of the battery's own percent over a span [%]

    Returns
    -------
    DataFrame in the order of `spans`: `soc_start_pct`, `soc_finish_pct`, `soc_used_pct` with its `…_low_pct` and
    `…_high_pct` (95 %), `soc_used_sd_pct`, `soc_mean_pct` (at which level, on the mean, it was used) and `swaps`.
    Where no tick is near, a span of which the percent did not change has used a third of a step, 0 to 0.78 steps or
    more, never 0. What was used is null where no percent is known, or where a change of
    packs is hidden in more than 300 m of the way; so is the percent at the end where none was told since the span
    began, up to two days after it: the one before is stale. Source: analytics facts, 2.2.
    """
    told = _parts(path, spans, _changes_of_pack(path.leaps, swaps)).with_columns(_flat().alias("used"))
    return _fresh(_summed(spans.select(*WHO).with_row_index("span"), told, bms_sd_pct), path, spans)


def _fresh(told: pl.DataFrame, path: SocPath, spans: pl.DataFrame) -> pl.DataFrame:
    """These, without what a percent from before a span says of its end."""
    percents = path.rows.filter("told").select(*WHO, pl.col("at").alias("told_at")).sort("told_at")
    numbered = spans.select(*WHO, "started_at", "finished_at").with_row_index("span").sort("started_at")
    rows = numbered.join_asof(
        percents, left_on="started_at", right_on="told_at", by=WHO, strategy="forward", check_sortedness=False,
        allow_exact_matches=False,
    ).sort("span")  # fmt: skip
    stale = (pl.col("told_at") > pl.col("finished_at") + STALE).fill_null(True) & (
        pl.col("finished_at") > pl.col("started_at")
    )
    known = pl.when(~rows.select(stale.alias("stale"))["stale"])
    return told.with_columns(known.then(name).alias(name) for name in told.columns if name in _OF_END)


def _changes_of_pack(leaps: pl.DataFrame, swaps: pl.DataFrame | None) -> pl.DataFrame:
    """Leaps that cut a ride: all of a vehicle whose packs are swapped; of others, a percent that leaps is wrong."""
    if swaps is None:
        return leaps
    swapped = swaps.select(WHO).unique().with_columns(swapped=pl.lit(True))
    told = leaps.join(swapped, on=WHO, how="left", maintain_order="left")
    return told.filter(pl.col("swap") | pl.col("swapped").fill_null(False)).drop("swapped")


def parts(path: SocPath, spans: pl.DataFrame) -> pl.DataFrame:
    """Spans of time (as of `used`) cut where a pack was changed.

    Returns
    -------
    DataFrame by span: `span` (its place in `spans`, from 0), `from_at` `to_at`, the charge at both (`from_pct` `to_pct`
    [%]) and what was `used` [%], negative where it rose: sums over adjoining spans are differences of their ends.
    """
    return _parts(path, spans, path.leaps)


def _parts(path: SocPath, spans: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    numbered = spans.select(*WHO, "started_at", "finished_at").with_row_index("span")
    pieces = _pieces(numbered, changed)
    ends = [pieces.select(*WHO, pl.col(name).alias("at")) for name in ("from_at", "to_at")]
    both = soc_at(path, pl.concat(ends))
    first, final = both[: pieces.height], both[pieces.height :]
    known = pl.concat([pieces, _named(first, "from"), _named(final, "to")], how="horizontal")
    return known.with_columns((pl.col("from_pct") - pl.col("to_pct")).alias("used"), _variance().alias("variance"))


def _named(rows: pl.DataFrame, prefix: str) -> pl.DataFrame:
    told = ("pct", "sd_pct", "share", "step_pct", "tick", "unit_pct")
    return rows.select(pl.col(name).alias(f"{prefix}_{name}") for name in told)


def _pieces(spans: pl.DataFrame, changed: pl.DataFrame) -> pl.DataFrame:
    """Spans cut where a pack was changed: from and to when one pack was in."""
    inside = spans.join(changed, on=WHO).filter(
        (pl.col("at") > pl.col("started_at")) & (pl.col("since") < pl.col("finished_at"))
    )  # fmt: skip
    begins = pl.concat([spans.with_columns(from_at="started_at"), inside.with_columns(from_at="at")], how="diagonal")
    ends = pl.concat([inside.with_columns(to_at="since"), spans.with_columns(to_at="finished_at")], how="diagonal")
    left = begins.sort("span", "from_at").select(
        "span", *WHO, "from_at", pl.col("d_m").fill_null(0.0).alias("lost_m"), pl.col("swap").fill_null(False)
    )
    right = ends.sort("span", "to_at").select("to_at", (pl.col("span") != pl.col("span").shift(-1)).alias("last"))
    both = pl.concat([left, right], how="horizontal")
    return both.with_columns(pl.max_horizontal("to_at", "from_at").alias("to_at"))


def _flat() -> pl.Expr:
    """What was used; where no tick is near and whole percents did not change, a third of one."""
    coarse = pl.col("from_tick").is_null() & pl.col("to_tick").is_null()
    flat = coarse & (pl.col("used") == 0) & (pl.col("from_at") < pl.col("to_at"))
    return pl.when(flat).then(pl.col("from_unit_pct") / 3).otherwise("used")


def _level() -> pl.Expr:
    return (pl.col("from_pct") + pl.col("to_pct")) / 2


def _variance() -> pl.Expr:
    """Moments between the same two ticks err together."""
    part = pl.col("to_share") - pl.col("from_share")
    between = UNEVEN * pl.col("from_step_pct").abs() * part * (1 - part) + (TICK_SD_PCT * part) ** 2
    apart = pl.col("from_sd_pct") ** 2 + pl.col("to_sd_pct") ** 2
    return pl.when(pl.col("from_tick") == pl.col("to_tick")).then(between).otherwise(apart)


def _summed(spans: pl.DataFrame, parts: pl.DataFrame, bms_sd_pct: float) -> pl.DataFrame:
    known = pl.col("used").is_not_null().all() & (pl.col("lost_m").sum() <= LOST_M)
    sums = parts.group_by("span", maintain_order=True).agg(
        pl.col("from_pct").first().alias("soc_start_pct"),
        pl.col("to_pct").last().alias("soc_finish_pct"),
        pl.when(known).then(pl.col("used").sum()).alias("soc_used_pct"),
        (pl.col("variance").sum() + bms_sd_pct**2).sqrt().alias("soc_used_sd_pct"),
        (_level() * pl.col("used")).sum().alias("weighted"),
        _level().mean().alias("plain"),
        pl.col("swap").sum().cast(pl.Int64).alias("swaps"),
        pl.col("from_unit_pct").max().alias("unit_pct"),
        (pl.col("from_tick").is_null() & pl.col("to_tick").is_null()).any().alias("coarse"),
    )  # fmt: skip
    mean = pl.when(pl.col("soc_used_pct") > 1).then(pl.col("weighted") / pl.col("soc_used_pct")).otherwise("plain")
    sums = sums.with_columns(mean.clip(0.0, 100.0).alias("soc_mean_pct")).drop("weighted", "plain")
    told = spans.select("span").join(sums, on="span", how="left", maintain_order="left")
    flat = pl.when("coarse").then(FLAT_PCT * pl.col("unit_pct")).otherwise(0.0)
    wide = pl.max_horizontal(_Z * pl.col("soc_used_sd_pct"), flat)
    told_of = pl.when(pl.col("soc_used_pct").is_not_null())
    least, most = pl.col("soc_used_pct") - wide, pl.col("soc_used_pct") + wide
    gained = pl.col("soc_used_pct") < 0
    low = told_of.then(pl.when(gained).then(least).otherwise(least.clip(0.0)))
    high = told_of.then(pl.when(gained).then(most).otherwise(pl.max_horizontal(most, flat)))
    return told.with_columns(low.alias("soc_used_low_pct"), high.alias("soc_used_high_pct")).drop(
        "span", "coarse", "unit_pct"
    )
