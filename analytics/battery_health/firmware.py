"""What a model's firmware means by its percent and range: each question is a check that decides by data, or not at all.

Analytics facts, 3.3 and part 7. Vehicles of one model may have different firmware: a model answers where four of five
vehicles that can tell agree, else it is `mixed`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from analytics.battery_health.calibration import CHECKS, INSUFFICIENT, check
from analytics.battery_health.moments import Moments, sums
from analytics.battery_health.pooling import MODEL
from analytics.frames import WHO, before, marked

Sums = Mapping[str, Moments]
MOMENTS = 100  # at which packs differ that an answer needs
HALF_FULL_PCT = 30.0  # below, a whole percent is too coarse beside a range
READINGS_OF_PCT, PCTS = 4, 10  # readings of one percent, and percents, that tell whether a range moves within it
FIXED_CV = 0.005  # of range by percent over weeks: a fixed factor
EDGES = 20  # steps of the percent that tell where it is cut
APART_PCT = 4.0  # packs that are nearer to each other tell no rule
AGREE = 0.8
_Z = 1.96
RULES = {
    "mean": pl.mean_horizontal("one", "two"),
    "least": pl.min_horizontal("one", "two"),
    "first": pl.col("one"),
    "second": pl.col("two"),
}
_FITS_PCT = 1.0  # mean distance at which a rule is one: of whole percents


# ---- what a day tells ----------------------------------------------------------------------------------------------


def points(readings: pl.DataFrame, packs: pl.DataFrame) -> pl.DataFrame:
    """What vehicles tell of their firmware: `provider` `vehicle` `check` `x` `y`.

    Parameters
    ----------
    readings : DataFrame with `provider` `vehicle` `at` `soc_pct` `range_m`, by vehicle and time
    packs : DataFrame with `provider` `vehicle` `port` `at` `pack_soc_pct`

    Returns
    -------
    DataFrame of checks, with x and y: `range_run`: of each stretch of one percent, from 30 % on, whether the range
    moved in it (1, else 0) and the range by percent [m/%]; `percent_edge`: of a falling step the level [%] and the
    range then [m]; `packs_mean`, `packs_least`, …: 1, and how far the vehicle's percent is from what this rule makes of
    two packs' [%], where these are 4 % apart.
    """
    rows = marked(readings.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct", "range_m"))
    ranged = pl.col("range_m").is_not_null() & (pl.col("soc_pct") >= HALF_FULL_PCT)
    return pl.concat([_runs(rows, ranged), _edges(rows, ranged), *_packs(readings, packs)])


def _point(rows: pl.DataFrame, check: str, x: pl.Expr, y: pl.Expr) -> pl.DataFrame:
    return rows.select(*WHO, check=pl.lit(check), x=x.cast(pl.Float64), y=y.cast(pl.Float64)).drop_nulls()


def _runs(rows: pl.DataFrame, ranged: pl.Expr) -> pl.DataFrame:
    run = (pl.col("soc_pct") != before("soc_pct")).fill_null(True).cum_sum().alias("run")
    runs = rows.with_columns(run).filter(ranged).group_by(*WHO, "run", maintain_order=True).agg(
        pl.col("at").first(), pl.len().alias("readings"), pl.col("range_m").n_unique().alias("values"),
        (pl.col("range_m") / pl.col("soc_pct")).mean().alias("factor_m"),
    )  # fmt: skip
    moves = (pl.col("values") > 2).cast(pl.Float64)
    return _point(runs.filter(pl.col("readings") >= READINGS_OF_PCT), "range_run", moves, pl.col("factor_m"))


def _edges(rows: pl.DataFrame, ranged: pl.Expr) -> pl.DataFrame:
    middle = (pl.col("range_m") + before("range_m")) / 2
    steps = rows.with_columns(before("soc_pct").alias("level"), middle.alias("edge_m"))
    falls = steps.filter(ranged & (pl.col("level") - pl.col("soc_pct") == 1).fill_null(False))
    return _point(falls, "percent_edge", pl.col("level"), pl.col("edge_m"))


def _packs(readings: pl.DataFrame, packs: pl.DataFrame) -> list[pl.DataFrame]:
    percent = pl.col("pack_soc_pct").sort_by("port")
    ports = packs.drop_nulls("pack_soc_pct").group_by(*WHO, "at").agg(
        percent.first().alias("one"), percent.last().alias("two"), pl.len().alias("ports"),
    ).filter((pl.col("ports") == 2) & ((pl.col("one") - pl.col("two")).abs() >= APART_PCT))  # fmt: skip
    shown = readings.drop_nulls("soc_pct").select(*WHO, "at", "soc_pct").sort("at")
    both = ports.sort("at").join_asof(shown, on="at", by=WHO, tolerance="60s", check_sortedness=False)
    return [
        _point(both, f"packs_{name}", pl.lit(1.0), (rule - pl.col("soc_pct")).abs()) for name, rule in RULES.items()
    ]


# ---- what a model answers ------------------------------------------------------------------------------------------


def checks(points: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The checks of every model's firmware.

    Parameters
    ----------
    points : DataFrame of `points`, of a sample of vehicles and days
    known : DataFrame `provider` `vehicle` `model`, of the vehicles of models that count

    Returns
    -------
    DataFrame of `CHECKS` by provider and model; `time` is null.
    """
    models = known.select(*WHO, "model").drop_nulls("model")
    told = points.join(models, on=WHO, maintain_order="left")
    whose, whole = _pool(told, *MODEL, "vehicle"), _pool(told, *MODEL)
    rows = [
        {"provider": of[0], **row}
        for of in models.select(MODEL).unique().sort(MODEL).rows()
        for row in _of_model(of[1], whole.get(of, {}), [each for one, each in whose.items() if one[:2] == of])
    ]
    return pl.DataFrame(rows, schema=CHECKS)


def _pool(points: pl.DataFrame, *by: str) -> Mapping[tuple[str, ...], Sums]:
    """Sums of points by these columns, and then by check, added up in the order of rows."""
    rows = points.group_by(*by, "check", maintain_order=True).agg(pl.len(), *sums()).sort(*by, "check")
    found: dict[tuple[str, ...], dict[str, Moments]] = {}
    for row in rows.iter_rows():
        found.setdefault(row[: len(by)], {})[row[len(by)]] = Moments(*row[len(by) + 1 :])
    return found


def _of_model(model: str, sums: Sums, vehicles: Sequence[Sums]) -> Iterator[dict[str, Any]]:
    yield range_vernier(model, vehicles)
    yield percent_cut(model, [each for each in vehicles if _range_word(each) == "vernier"])
    yield percent_of_packs(model, sums)


def range_vernier(model: str, vehicles: Sequence[Sums]) -> dict[str, Any]:
    """Whether the range says more than the percent.

    Parameters
    ----------
    vehicles : sums of `range_run`, of each vehicle

    Returns
    -------
    Row of check `range`: `vernier` (it moves within a percent, so it is made of a finer one), `fixed_factor` (percent
    times a constant), `recent_use` (it follows the last rides: says nothing of the battery), `mixed`, `insufficient`.
    `value` is the share of vehicles that say so, `n` the vehicles that can tell.
    """
    return _agreed(model, "range", [_range_word(each) for each in vehicles])


def _range_word(sums: Sums) -> str | None:
    runs = sums.get("range_run", Moments())
    if runs.n < PCTS:
        return None
    if runs.x > runs.n / 2:
        return "vernier"
    mean, error = runs.mean()
    return "fixed_factor" if error * runs.n**0.5 < FIXED_CV * mean else "recent_use"


def percent_cut(model: str, vehicles: Sequence[Sums]) -> dict[str, Any]:
    """Whether the percent is cut off or rounded, where a range tells more than it.

    Parameters
    ----------
    vehicles : sums of `percent_edge`, of each vehicle whose range is a vernier

    Returns
    -------
    Row of check `percent_cut`: `floor`, `round`, `mixed` or `insufficient`, as of `range_vernier`.

    Notes
    -----
    At a falling step from L the range is k (L - c): c = 0 where the percent is cut off, 0.5 where it is rounded; k and
    c by least squares over steps. A vehicle tells where the 95 % interval of c lies on one side of 0.25.
    """
    return _agreed(model, "percent_cut", [_cut_word(each.get("percent_edge", Moments())) for each in vehicles])


def _cut_word(edges: Moments) -> str | None:
    line = edges.line() if edges.n >= EDGES else None
    if line is None or line.slope <= 0:
        return None
    cut = -line.middle / line.slope
    mean_x, mean_y = edges.x / edges.n, edges.y / edges.n
    error = line.slope_sd * ((edges.xx / edges.n - mean_x**2) + (mean_y / line.slope) ** 2) ** 0.5 / line.slope
    return None if abs(cut - 0.25) <= _Z * error else "floor" if cut < 0.25 else "round"


def percent_of_packs(model: str, sums: Sums) -> dict[str, Any]:
    """How the percent of a vehicle follows from those of two packs.

    Parameters
    ----------
    sums : of `packs_mean`, `packs_least`, `packs_first`, `packs_second`

    Returns
    -------
    Row of check `percent_of_packs`: `mean`, `least`, `first`, `second` (the rule that is nearest, where it is within
    1 % on the mean), or `insufficient`. `value` is that mean distance [%]. Packs that agree tell nothing: only moments
    at which they are 4 % apart count.
    """
    told: Mapping[str, Moments] = {name: sums.get(f"packs_{name}", Moments()) for name in RULES}
    n = told["mean"].n
    if n < MOMENTS:
        return check(model, "percent_of_packs", INSUFFICIENT, None, None, n)
    least, name = min((each.mean()[0], name) for name, each in told.items())
    return check(model, "percent_of_packs", name if least <= _FITS_PCT else INSUFFICIENT, least, None, n)


def _agreed(model: str, name: str, words: Sequence[str | None]) -> dict[str, Any]:
    """What four of five vehicles say."""
    told = [word for word in words if word is not None]
    if not told:
        return check(model, name, INSUFFICIENT, None, None, 0)
    word = max(sorted(set(told)), key=told.count)
    share = told.count(word) / len(told)
    return check(model, name, word if share >= AGREE else "mixed", share, None, len(told))
