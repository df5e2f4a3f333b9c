"""By how much packs and vehicles of one model differ: by expectation and maximisation, over all that they ride.

The model is that of `pooling.py`; how its spreads are found: Dempster, Laird, Rubin 1977, doi
10.1111/j.2517-6161.1977.tb01600.x. By how much one kilometre differs from another is told by the trips of one pack.
"""

import polars as pl

from analytics.battery_health.pooling import BY, MODEL, SPREADS, faded, predicted
from analytics.battery_health.ratios import KM_CV, POLLED_CV, ratio_sums
from analytics.battery_health.returns import packs_return, with_packs
from analytics.frames import WHO

SHEET_SD = 0.10  # what a data sheet errs by for packs in use: analytics facts, 3: they hold 75 to 105 % of it
FADE, FADE_SD = 3e-4, 2e-4  # of the capacity a cycle: facts, 3.6: 5.4 % after 50 and 13.2 % after 300 cycles a year
POLLS_SD = 0.01  # of pooled power: vehicles without network are not asked, sensors err
ROUNDS, MOVES = 40, 1e-3  # at most, after which spreads move by less than a hundredth; none is left if all move less
_CV = 0.05  # of vehicles and of packs, to begin with,
_AS_MANY = 5  # and that counts for so many of them: a few that agree by chance are not all


def models(trips: pl.DataFrame) -> pl.DataFrame:
    """What the vehicles of each model say together.

    Parameters
    ----------
    trips : DataFrame by vehicle and time with `model`, `sheet_wh` (of a data sheet, or null), `stint_id` and `since` of
        the part of a stint that it lies in, with the `cycles`, `first_cycles` and `last_cycles` of that, `day`, `km`,
        `pct` (null where a trip does not tell) and `wh`, by single readings of power, turned so that what is used is
        positive (null where there are none)

    Returns
    -------
    DataFrame by `provider` `model`: `packs`, how many; `packs_return`, as sure is it that packs come back to a vehicle;
    at `pack_cycles` a pack takes `pack_pct_per_km` and holds `pack_wh`, with its relative standard error `pack_wh_cv`,
    common to all; `fade` a cycle, with its standard error `fade_sd`; `pack_wh_per_km` (null without readings of power:
    then `pack_wh` is null, too); relative spreads `vehicle_cv`, `pack_cv` (of packs of the same cycles), `km_cv` (of a
    km of riding) and `polled_cv` (of a km of polled power). `pack_wh` is the capacity by power and by data sheet,
    weighed by their variances; a fade of 0.03 ± 0.02 % a cycle is weighed with what packs say.
    """
    parts = trips.select(*WHO, "model", "stint_id", "since", "first_cycles", "last_cycles").unique(maintain_order=True)
    known = packs_return(parts.drop_nulls("stint_id"))
    named = with_packs(parts.join(known, on=MODEL, how="left", maintain_order="left")).drop(
        "packs_return", strict=False
    )
    trips = trips.join(named.select(*WHO, "since", "pack"), on=[*WHO, "since"], how="left", maintain_order="left")
    packs, powers = _packs(trips), _powers(trips)
    fleet = (
        _beginning(packs, powers).join(known, on=MODEL, how="left").with_columns(pl.col("packs_return").fill_null(0.0))
    )
    packs = packs.join(fleet.select(MODEL), on=MODEL, how="semi")
    fleet = _settle(packs, powers, fleet)
    return _scaled(fleet, *_given(packs, powers, fleet)).sort(MODEL)


def _settle(packs: pl.DataFrame, powers: pl.DataFrame, fleet: pl.DataFrame) -> pl.DataFrame:
    """The fleet's figures once they move no more; each model stops by itself, whichever others are beside it."""
    settled: list[pl.DataFrame] = []
    for _ in range(ROUNDS):
        before, fleet = fleet.sort(MODEL), _again(fleet, *_given(packs, powers, fleet)).sort(MODEL)
        still = _is_settled(before, fleet)
        settled.append(fleet.filter(still))
        fleet = fleet.filter(~still)
        if fleet.is_empty():
            break
        packs, powers = (rows.join(fleet.select(MODEL), on=MODEL, how="semi") for rows in (packs, powers))
    return pl.concat([*settled, fleet])


def _packs(trips: pl.DataFrame) -> pl.DataFrame:
    """Sums over the days of each pack: what a battery's own percent errs by over one trip is gone over a day's."""
    pack = (*WHO, "model", "sheet_wh", "pack")
    days = trips.drop_nulls("pct").group_by(*pack, "day", maintain_order=True).agg(
        pl.col("pct", "km").sum(), pl.col("cycles").mean()
    )  # fmt: skip
    return days.group_by(pack, maintain_order=True).agg(
        *ratio_sums(pl.col("pct"), pl.col("km"), "pct"), pl.col("cycles").mean().alias("count")
    )


def _powers(trips: pl.DataFrame) -> pl.DataFrame:
    sums = trips.group_by(*WHO, "model", maintain_order=True).agg(*ratio_sums(pl.col("wh"), pl.col("km"), "wh"))
    return sums.with_columns(pl.col("wh_x").alias("seen_km"), pl.col("wh_y").alias("seen_wh"))


def _beginning(packs: pl.DataFrame, powers: pl.DataFrame) -> pl.DataFrame:
    """Models whose packs were ridden, with the ratio of their sums, and what most vehicles take by power."""
    ridden = packs.filter((pl.col("pct_x") > 0) & (pl.col("pct_y") > 0))
    seen = powers.filter(pl.col("seen_km") > 0).group_by(MODEL).agg(
        (pl.col("seen_wh") / pl.col("seen_km")).median().alias("seen"), _unit_cv("wh", POLLED_CV).alias("polled_cv")
    )  # fmt: skip
    usual = seen.select(*MODEL, "polled_cv", pl.when(pl.col("seen") > 0).then("seen").alias("pack_wh_per_km"))
    told = ridden.group_by(MODEL).agg(
        pl.len().alias("packs"),
        (pl.col("pct_y").sum() / pl.col("pct_x").sum()).alias("pack_pct_per_km"),
        pl.col("count").mean().alias("pack_cycles"),
        pl.lit(FADE).alias("fade"),
        pl.lit(FADE_SD).alias("fade_sd"),
        pl.col("sheet_wh").mean().alias("sheet_wh"),
        _unit_cv("pct", KM_CV).alias("km_cv"),
        pl.lit(_CV).alias("vehicle_cv"),
        pl.lit(_CV).alias("pack_cv"),
    )
    return told.join(usual, on=MODEL, how="left").sort(MODEL)


def _unit_cv(name: str, usual: float) -> pl.Expr:
    """Relative standard deviation of what one kilometre takes, by trips that have the same ratio."""
    x, y, n = (pl.col(f"{name}_{part}") for part in ("x", "y", "n"))
    squares = pl.when((x > 0) & (y != 0)).then((pl.col(f"{name}_yy") * (x / y) ** 2 - x).clip(0.0))
    return ((squares.sum() + _AS_MANY * usual**2) / ((n - 1).clip(0).sum() + _AS_MANY)).sqrt()


def _is_settled(before: pl.DataFrame, after: pl.DataFrame) -> pl.Series:
    """Of which models no figure moves by as much as its third digit tells."""
    names = [name for name in ("pack_pct_per_km", "pack_wh_per_km", *SPREADS) if name not in ("polled_cv", "km_cv")]
    moves = [((after[name] - before[name]).abs() > MOVES * before[name].abs()).fill_null(False) for name in names]
    return after.select(~pl.any_horizontal(pl.lit(each) for each in moves)).to_series()


def _given(packs: pl.DataFrame, powers: pl.DataFrame, fleet: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What is predicted of packs and vehicles, given the fleet's figures, with their model."""
    now = pl.lit(0).alias("until")
    of = packs.join(fleet.select(*MODEL, "pack_pct_per_km", *SPREADS), on=MODEL, maintain_order="left").with_columns(
        now, pl.col("pct_x").alias("km"), pl.col("pct_y").alias("used_pct"),
        (pl.col("pct_x") * pl.col("pack_pct_per_km") * faded("count")).alias("expected_pct"),
    )  # fmt: skip
    power = powers.join(fleet.select(*MODEL, "pack_wh_per_km"), on=MODEL, maintain_order="left").with_columns(
        now, (pl.col("seen_km") * pl.col("pack_wh_per_km")).alias("expected_wh")
    )
    return predicted(of, power)


def _again(fleet: pl.DataFrame, packs: pl.DataFrame, vehicles: pl.DataFrame) -> pl.DataFrame:
    """The fleet's figures once more, given what is known of packs and vehicles."""
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
    sure = (more**2 * weight).sum() + 1 / FADE_SD**2
    fade = pl.col("fade").first() + steps / sure
    return packs.group_by(MODEL).agg(
        _spread(d**2 + pl.col("d_var")).alias("pack_cv"),
        (pl.col("pack_pct_per_km").first() * off.exp()).alias("pack_pct_per_km"),
        fade.clip(0.0).alias("fade"),
        (1 / sure.sqrt()).alias("fade_sd"),
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
