"""By how much packs and vehicles of one model differ: by expectation and maximisation, over all that they ride.

The model is that of `held.py`; how its spreads are found: Dempster, Laird, Rubin 1977, doi
10.1111/j.2517-6161.1977.tb01600.x.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from analytics.battery_health.calibration import CHECKS, EVEN, INSUFFICIENT, SHEET_SD, Sums, check
from analytics.battery_health.effort import efforts
from analytics.battery_health.held import BY, SAME, SPREADS, predicted
from analytics.battery_health.moments import Moments, pooled
from analytics.battery_health.spells import MODEL, measured, numbered, returning, spells
from analytics.frames import WHO
from logger.tables import TIME

FADE, FADE_SD = 3e-4, 2e-4  # of the capacity a cycle: facts, 3.6: 5.4 % after 50 and 13.2 % after 300 cycles a year
POLLS_SD = 0.01  # of pooled power: vehicles without network are not asked, sensors err
ROUNDS, MOVES = 40, 1e-3  # at most, after which spreads move by less than a hundredth; none is left if all move less
_CV = 0.05  # of vehicles and of packs, to begin with,
_AS_MANY = 5  # and that counts for so many of them: a few that agree by chance are not all
_KM_CV = 0.5  # of the percents that one km takes, to begin with
_LEAST = 1e-4  # a spread is never nothing
_OF_PACKS = ("pack_wh", "pack_wh_cv", "pack_pct_per_km", "pack_wh_per_km", "packs_return", *SPREADS)
_SPREADS = {"pack_wh_cv", "packs_return", *SPREADS}
FIGURES = (*_OF_PACKS, *EVEN)  # checks


def figures(checks: pl.DataFrame) -> pl.DataFrame:
    """What a fleet's checks say of spells.

    Parameters
    ----------
    checks : DataFrame of `CHECKS`

    Returns
    -------
    DataFrame by `provider`, `model` and `time` with a column for each of `FIGURES` (`packs_return` as `same`),
    `percent_slope` and `motor_power_sign`, null where nobody knows.
    """
    names = (*FIGURES, "percent_slope")
    told = checks.filter(pl.col("answer") != INSUFFICIENT)
    value = [pl.col("value").filter(pl.col("check") == name).first().alias(name) for name in names]
    sign = pl.col("answer").filter(pl.col("check") == "motor_power_sign").first().alias("motor_power_sign")
    rows = told.group_by("provider", "model", "time").agg(*value, sign)
    return rows.rename({"packs_return": "same"}).sort("provider", "model", "time")


def checks(evidence: pl.DataFrame, stretches: pl.DataFrame, known: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """What the packs of each model hold, and by how much they and the vehicles differ.

    Parameters
    ----------
    evidence, stretches : rows of `evidence` and `stretches`, of the days that count
    known : DataFrame `provider` `vehicle` `model` `capacity_wh` (of a data sheet, or null); without a model: left out
    told : DataFrame of `CHECKS` of `calibration.checks`, of the same days

    Returns
    -------
    DataFrame of `CHECKS`; `time` is null. `even_km`, `even_drag`, `even_rush`: see `effort`. `packs_return`: as sure is
    it that packs come back. At `pack_cycles` a pack takes `pack_pct_per_km` and holds `pack_wh`, with its relative
    standard error `pack_wh_cv`, common to all; `fade` a cycle (the facts' 0.03 ± 0.02 % weighed with what the packs
    say, never below 0); `pack_wh_per_km`, `insufficient` without readings of power: then a data sheet alone tells what
    packs hold; relative spreads `vehicle_cv`, `pack_cv` (of packs of the same cycles), `km_cv` (of a km of riding) and
    `polled_cv` (of a km of polled power).
    """
    of = known.select(*WHO, "model", "capacity_wh").drop_nulls("model")
    parts = spells(stretches.join(of, on=WHO, how="semi")).join(of, on=WHO, maintain_order="left")
    ways, spread = _of_models(evidence, stretches, of)
    sure = told.filter((pl.col("check") == "wh_per_km") & (pl.col("answer") != INSUFFICIENT))
    spread = spread.join(sure, on=MODEL, how="semi")  # so many readings of power in so many rides
    base = figures(pl.concat([told, ways]).with_columns(time=_ALWAYS)).select(*MODEL, *EVEN, *_BASE)
    polled = measured(parts.join(base, on=MODEL, how="left", maintain_order="left")).join(spread, on=MODEL, how="semi")
    rows = [row for each in models(polled, spread).iter_rows(named=True) for row in _rows(each)]
    counts = parts.join(spread, on=MODEL, how="anti").group_by(MODEL).agg(pl.len()).sort(MODEL)
    rows += [row for provider, model, n in counts.iter_rows() for row in _unknown(provider, model, n)]
    return pl.concat([ways, pl.DataFrame(rows, schema=CHECKS)]).sort(*MODEL, "check")


_ALWAYS = pl.lit(datetime(1, 1, 1, tzinfo=UTC)).cast(TIME)
_BASE = ("percent_slope", "motor_power_sign")


def _of_models(
    evidence: pl.DataFrame, stretches: pl.DataFrame, known: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Checks of even ways, and by how much a km of polled power varies."""
    told = known.drop("capacity_wh")
    ways = stretches.join(told, on=WHO).group_by(MODEL).agg(pl.col("km", "drag", "rush").sum())
    whole = {(provider, model): sums for provider, model, *sums in ways.rows()}
    rows, spreads = [], []
    for (provider, model), sums in pooled(evidence.join(told, on=WHO, maintain_order="left"), *MODEL).items():
        even = efforts(model, sums, whole.get((provider, model), (0.0, 0.0, 0.0)))
        rows += [{"provider": provider, **row} for row in even]
        spreads.append((provider, model, _polled_cv(sums)))
    schema = {"provider": pl.String(), "model": pl.String(), "polled_cv": pl.Float64()}
    return pl.DataFrame(rows, schema=CHECKS), pl.DataFrame(spreads, schema=schema, orient="row")


def _polled_cv(sums: Sums) -> float | None:
    """Relative, of a km; rides differ from the model's ratio by the root of their way."""
    use = sums["use_wh"] if "use_wh" in sums else sums.get("use_motor_wh", Moments())
    if use.n <= 1 or use.x <= 0 or not use.y:
        return None
    ratio = use.y / use.x
    squares = max(0.0, use.yy - 2 * ratio * use.xy + ratio**2 * use.xx) * use.n / (use.n - 1)
    return max(_LEAST, math.sqrt(squares / use.x) / abs(ratio))


def _rows(figures: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    model, spells = figures["model"], figures["spells"]
    for name in _OF_PACKS:
        value = _coarse(name, figures["same" if name == "packs_return" else name])
        sd = value * figures["pack_wh_cv"] if name == "pack_wh" and value is not None else None
        answer = "estimate" if value is not None and math.isfinite(value) else INSUFFICIENT
        yield {"provider": figures["provider"], **check(model, name, answer, value, sd, spells)}


def _unknown(provider: str, model: str, spells: int) -> Iterator[dict[str, Any]]:
    """Of a model of which no power is known: what its packs hold, and by how much they differ, nobody can say."""
    for name in _OF_PACKS:
        yield {"provider": provider, **check(model, name, INSUFFICIENT, None, None, spells)}


def _coarse(name: str, value: float | None) -> float | None:
    """Two digits of a spread: its third must not make a fleet's packs anew."""
    return float(f"{value:.2g}") if value is not None and name in _SPREADS else value


# ---- expectation and maximisation ----------------------------------------------------------------------------------


def models(spells: pl.DataFrame, polled: pl.DataFrame) -> pl.DataFrame:
    """What the vehicles of each model say together.

    Parameters
    ----------
    spells : the frame of `spells.measured` with `model` and `capacity_wh` (of a data sheet, or null)
    polled : DataFrame `provider` `model` `polled_cv`

    Returns
    -------
    DataFrame `provider` `model`, how many `spells`, and the columns of `checks`, by model. `pack_wh` is the capacity by
    power and by data sheet, weighed by their variances.
    """
    fleet = returning(spells).join(_beginning(spells), on=MODEL).join(polled, on=MODEL, how="left")
    fleet = fleet.with_columns(pl.when(pl.col("polled_cv") > 0).then("pack_wh_per_km").alias("pack_wh_per_km"))
    sure = spells.join(fleet.select(*MODEL, (pl.col("same") >= SAME).alias("known")), on=MODEL, maintain_order="left")
    packs, powers = _packs(numbered(sure)), _powers(sure)
    for _ in range(ROUNDS):
        before, fleet = fleet, _again(fleet, *_given(packs, powers, fleet)).sort(MODEL)
        if _is_settled(before.sort(MODEL), fleet):
            break
    return _scaled(fleet, *_given(packs, powers, fleet)).sort(MODEL)


def _is_settled(before: pl.DataFrame, after: pl.DataFrame) -> bool:
    """Whether no figure of any model moves by as much as its third digit tells."""
    names = [name for name in ("pack_pct_per_km", "pack_wh_per_km", *SPREADS) if name != "polled_cv"]
    moves = [((after[name] - before[name]).abs() > MOVES * before[name].abs()).any() for name in names]
    return not any(moves)


def _packs(spells: pl.DataFrame) -> pl.DataFrame:
    """Sums over the spells of each pack; `square` is how they differ from their common ratio [%^2/km]."""
    km, pct = pl.col("km"), pl.col("used_pct")
    ridden = pl.when(km > 0)
    square = ridden.then(pct**2 / km).sum() - pl.when(km.sum() > 0).then(pct.sum() ** 2 / km.sum()).otherwise(0.0)
    more = (ridden.then(1).count() - 1).clip(0)
    return spells.group_by(*WHO, "model", "pack", maintain_order=True).agg(
        km.sum(),
        pct.sum(),
        pl.col("cycles").mean().alias("count"),
        square.clip(0.0).alias("square"),
        more.alias("more"),
    )


def _powers(spells: pl.DataFrame) -> pl.DataFrame:
    return spells.group_by(*WHO, "model", maintain_order=True).agg(pl.col("seen_km", "seen_wh").sum())


def _given(packs: pl.DataFrame, powers: pl.DataFrame, fleet: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is predicted of packs and vehicles, given the fleet's figures, with their model."""
    now = pl.lit(0).alias("until")
    figures = fleet.select(*MODEL, "pack_pct_per_km", *SPREADS)
    of = packs.join(figures, on=MODEL, maintain_order="left").with_columns(now)
    power = powers.join(fleet.select(*MODEL, "pack_wh_per_km"), on=MODEL, maintain_order="left").with_columns(now)
    return predicted(of, power)


def _beginning(spells: pl.DataFrame) -> pl.DataFrame:
    """Models whose spells were ridden, with the ratio of their sums, and what most vehicles take by power."""
    ridden = spells.filter((pl.col("km") > 0) & (pl.col("used_pct") > 0))
    seen = pl.col("seen_wh").sum() / pl.col("seen_km").sum()
    usual = spells.filter(pl.col("seen_km") > 0).group_by(*WHO, "model").agg(seen.alias("seen")).group_by(MODEL).agg(
        pl.when(pl.col("seen").median() > 0).then(pl.col("seen").median()).alias("pack_wh_per_km")
    )  # fmt: skip
    told = ridden.group_by(MODEL).agg(
        pl.len().alias("spells"),
        (pl.col("used_pct").sum() / pl.col("km").sum()).alias("pack_pct_per_km"),
        pl.col("cycles").mean().alias("pack_cycles"),
        pl.lit(FADE).alias("fade"),
        pl.col("capacity_wh").mean().alias("sheet_wh"),
        *(pl.lit(cv).alias(name) for name, cv in (("vehicle_cv", _CV), ("pack_cv", _CV), ("km_cv", _KM_CV))),
    )
    return told.join(usual, on=MODEL, how="left")


def _again(fleet: pl.DataFrame, packs: pl.DataFrame, vehicles: pl.DataFrame) -> pl.DataFrame:
    """The fleet's figures once more, given what is told of packs and vehicles."""
    by_pack = _of_packs(packs.join(vehicles.select(*BY, "u"), on=BY))
    sure = pl.col("seen_weight") > 0
    km = (pl.col("seen_km") * pl.col("u").exp()).filter(sure).sum()  # as if ridden by a vehicle like all
    by_vehicle = vehicles.group_by(MODEL).agg(
        _spread(pl.col("u") ** 2 + pl.col("u_var")).alias("vehicle_cv"),
        pl.when(pl.col("pack_wh_per_km").first().is_not_null() & (km > 0))
        .then(pl.col("seen_wh").filter(sure).sum() / km)
        .alias("pack_wh_per_km"),
    )
    new = by_pack.join(by_vehicle, on=MODEL)
    return fleet.drop(name for name in new.columns if name not in MODEL).join(new, on=MODEL)


def _of_packs(packs: pl.DataFrame) -> pl.DataFrame:
    d, weight = pl.col("d"), 1 / pl.col("spread")
    left = pl.col("odd") - pl.col("u")
    off = (left * weight).sum() / weight.sum()
    more = (pl.col("count") - pl.col("pack_cycles")).fill_null(0.0)
    steps = ((left - off) * more * weight).sum() + (FADE - pl.col("fade").first()) / FADE_SD**2
    fade = pl.col("fade").first() + steps / ((more**2 * weight).sum() + 1 / FADE_SD**2)
    ridden = pl.col("noise").is_finite()
    rest = pl.col("km") * ((left - d) ** 2 + pl.col("both_var"))
    relative = pl.col("square") / (pl.col("used_pct") / pl.col("km")) ** 2
    noise = (rest + relative).filter(ridden).sum() / (pl.col("more") + 1).filter(ridden).sum()
    return packs.group_by(MODEL).agg(
        _spread(d**2 + pl.col("d_var")).alias("pack_cv"),
        noise.sqrt().clip(_LEAST).alias("km_cv"),
        (pl.col("pack_pct_per_km").first() * off.exp()).alias("pack_pct_per_km"),
        fade.clip(0.0).alias("fade"),
    )


def _spread(squares: pl.Expr) -> pl.Expr:
    return ((squares.sum() + _AS_MANY * _CV**2) / (squares.count() + _AS_MANY)).sqrt()


def _scaled(fleet: pl.DataFrame, packs: pl.DataFrame, vehicles: pl.DataFrame) -> pl.DataFrame:
    """The fleet with what its packs hold."""
    seen, odd = pl.col("seen_weight"), pl.col("weight")
    apart = 1 / (1 / (1 / seen + 1 / odd)).sum()  # of a vehicle's power against its own percents
    told = vehicles.filter(seen > 0).group_by(MODEL).agg(apart.alias("apart"), (1 / seen.sum()).alias("polls"))
    ridden = packs.group_by(MODEL).agg((pl.col("km_cv").first() ** 2 / pl.col("km").sum()).alias("rides"))
    rows = fleet.join(told, on=MODEL, how="left").join(ridden, on=MODEL, how="left")
    by_power = 100 * pl.col("pack_wh_per_km") / pl.col("pack_pct_per_km")
    sheet = pl.when(pl.col("sheet_wh").is_not_null()).then(1 / SHEET_SD**2)
    ours = 1 / (pl.col("polls") + pl.col("rides") + POLLS_SD**2)
    value = pl.sum_horizontal(by_power * ours, pl.col("sheet_wh") * sheet) / pl.sum_horizontal(ours, sheet)
    error = 1 / pl.sum_horizontal(1 / (pl.col("apart") + POLLS_SD**2), sheet)
    return rows.with_columns(
        pl.when(by_power.is_not_null()).then(value).alias("pack_wh"), error.sqrt().alias("pack_wh_cv")
    )
