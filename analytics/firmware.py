"""What a model's firmware means by its percent and range: each question is a check that decides by data, or not at all.

Analytics facts, 3.3 and part 7. Vehicles of one model may have different firmware: a model answers where four of five
vehicles that can tell agree, else it is `mixed`.
"""

from typing import Any

import polars as pl

from analytics.calibration import INSUFFICIENT, POLLS, check
from analytics.steps import WHO, before, marked

HALF_FULL_PCT = 30.0  # below, a whole percent is too coarse beside a range
READINGS_OF_PCT, PCTS = 4, 10  # readings of one percent, and percents, that tell whether a range moves within it
FIXED_CV = 0.005  # of range by percent over weeks: a fixed factor
EDGES = 20  # steps of the percent that tell where it is cut
AGREE = 0.8
_Z = 1.96
_RULES = {
    "mean": pl.mean_horizontal("one", "two"),
    "least": pl.min_horizontal("one", "two"),
    "first": pl.col("one"),
    "second": pl.col("two"),
}
_FITS_PCT = 1.0  # mean distance at which a rule is one: of whole percents


def range_vernier(model: str, ranges: pl.DataFrame) -> dict[str, Any]:
    """Whether the range says more than the percent.

    Parameters
    ----------
    ranges : DataFrame `provider` `vehicle` `at` `soc_pct` `range_m`, of one model, by vehicle and time

    Returns
    -------
    Row of check `range`: `vernier` (it moves within a percent, so it is made of a finer one), `fixed_factor` (percent
    times a constant), `recent_use` (it follows the last rides: says nothing of the battery), `mixed`, `insufficient`.
    `value` is the share of vehicles that say so, `n` the vehicles that can tell.
    """
    told = _known(ranges)
    run = pl.col("soc_pct") != before("soc_pct")
    numbered = told.with_columns((run.fill_null(True)).cum_sum().alias("run"))
    runs = numbered.group_by(*WHO, "run").agg(
        pl.len().alias("readings"), pl.col("range_m").n_unique().alias("values"),
        (pl.col("range_m") / pl.col("soc_pct")).mean().alias("factor_m"),
    ).filter(pl.col("readings") >= READINGS_OF_PCT)  # fmt: skip
    vehicles = runs.group_by(WHO).agg(
        pl.col("values").median(), (pl.col("factor_m").std() / pl.col("factor_m").mean()).alias("cv"), pl.len()
    )
    sure = vehicles.filter(pl.col("len") >= PCTS)
    moves, fixed = pl.col("values") > 2, pl.col("cv") < FIXED_CV
    word = pl.when(moves).then(pl.lit("vernier")).when(fixed).then(pl.lit("fixed_factor"))
    return _agreed(model, "range", sure.select(word.otherwise(pl.lit("recent_use")).alias("word"))["word"])


def percent_cut(model: str, ranges: pl.DataFrame) -> dict[str, Any]:
    """Whether the percent is cut off or rounded, where a range tells more than it: feed vehicles with a vernier only.

    Parameters
    ----------
    ranges : as for `range_vernier`

    Returns
    -------
    Row of check `percent_cut`: `floor`, `round`, `mixed` or `insufficient`, as of `range_vernier`.

    Notes
    -----
    At a falling step from L the range is k (L - c): c = 0 where the percent is cut off, 0.5 where it is rounded; k and
    c by least squares over steps. A vehicle tells where the 95 % interval of c lies on one side of 0.25.
    """
    told = _known(ranges)
    middle = (pl.col("range_m") + before("range_m")) / 2
    steps = told.with_columns(before("soc_pct").alias("level"), middle.alias("edge_m"))
    falls = steps.filter((pl.col("level") - pl.col("soc_pct") == 1).fill_null(False))
    words = []
    for _, edges in falls.group_by(WHO, maintain_order=True):
        found = _cut_at(edges["level"], edges["edge_m"])
        if found and abs(found[0] - 0.25) > _Z * found[1]:
            words.append("floor" if found[0] < 0.25 else "round")
    return _agreed(model, "percent_cut", pl.Series(words, dtype=pl.String()))


def _cut_at(level: pl.Series, edge_m: pl.Series) -> tuple[float, float] | None:
    """c of edge = k (level - c), and its standard error [%]; None where it cannot be told."""
    n = len(level)
    if n < EDGES or level.n_unique() < 3:
        return None
    mean_x, mean_y = float(level.sum()) / n, float(edge_m.sum()) / n
    spread = float(((level - mean_x) ** 2).sum())
    slope = float(((level - mean_x) * (edge_m - mean_y)).sum()) / spread
    if slope <= 0:
        return None
    residual = float(((edge_m - mean_y - slope * (level - mean_x)) ** 2).sum()) / (n - 2)
    error = (residual * (1 / n + (mean_y / slope) ** 2 / spread)) ** 0.5
    return mean_x - mean_y / slope, error / slope


def percent_of_packs(model: str, packs: pl.DataFrame, readings: pl.DataFrame) -> dict[str, Any]:
    """How the percent of a vehicle follows from those of two packs.

    Parameters
    ----------
    packs : DataFrame of PACKS: `at` `port` `pack_soc_pct`, of one model
    readings : DataFrame of `READINGS` of the same vehicles

    Returns
    -------
    Row of check `percent_of_packs`: `mean`, `least`, `first`, `second` (the rule that is nearest, where it is within
    1 % on the mean), or `insufficient`. `value` is that mean distance [%]. Packs that agree tell nothing: only moments
    at which they are 4 % apart count.
    """
    ports = packs.drop_nulls("pack_soc_pct").group_by(*WHO, "at").agg(
        pl.col("pack_soc_pct").sort_by("port").first().alias("one"),
        pl.col("pack_soc_pct").sort_by("port").last().alias("two"), pl.len().alias("ports"),
    ).filter((pl.col("ports") == 2) & ((pl.col("one") - pl.col("two")).abs() >= 4))  # fmt: skip
    shown = readings.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct").sort("at")
    both = ports.sort("at").join_asof(shown, on="at", by=WHO, tolerance="60s", check_sortedness=False)
    told = both.drop_nulls("soc_pct")
    if told.height < POLLS:
        return check(model, "percent_of_packs", INSUFFICIENT, None, None, told.height)
    away = told.select((rule - pl.col("soc_pct")).abs().mean().alias(name) for name, rule in _RULES.items()).row(0)
    least, name = min(zip(away, _RULES, strict=True))
    answer = name if least <= _FITS_PCT else INSUFFICIENT
    return check(model, "percent_of_packs", answer, float(least), None, told.height)


def _known(ranges: pl.DataFrame) -> pl.DataFrame:
    told = ranges.drop_nulls(["soc_pct", "range_m"]).select(*WHO, "at", "soc_pct", "range_m")
    return marked(told.filter(pl.col("soc_pct") >= HALF_FULL_PCT))


def _agreed(model: str, name: str, words: pl.Series) -> dict[str, Any]:
    """What four of five vehicles say."""
    if not len(words):
        return check(model, name, INSUFFICIENT, None, None, 0)
    counts = words.alias("word").value_counts().sort(["count", "word"], descending=[True, False])
    word, count = counts.row(0)
    share = count / len(words)
    return check(model, name, word if share >= AGREE else "mixed", share, None, len(words))
