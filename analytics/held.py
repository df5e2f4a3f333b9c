"""What packs hold and what a kilometre takes, of each vehicle: small steps from what its whole model says.

Packs of one model differ by age and make, vehicles by tyres and use. What a spell's rides took of the percent tells the
product of both; cycles, packs that come back and single readings of power take it apart. Analytics facts, F5, F9, 3.3.

    percents a km of a spell = percents a km of the model * (1 + fade * cycles) * exp(vehicle + pack + chance)
    Wh a km of a vehicle     = Wh a km of the model * exp(vehicle + chance)

with `vehicle`, `pack` and `chance` normal: a nested model of random effects. The best linear unbiased prediction of the
first two, given their spreads, and the spreads by expectation and maximisation: Robinson 1991,
doi 10.1214/ss/1177011926; Dempster, Laird, Rubin 1977, doi 10.1111/j.2517-6161.1977.tb01600.x.
"""

import polars as pl

from analytics.calibration import SHEET_SD
from analytics.spells import MODEL, numbered, returning
from analytics.steps import WHO, as_of

FADE, FADE_SD = 3e-4, 2e-4  # of the capacity a cycle: facts, 3.6: 5.4 % after 50 and 13.2 % after 300 cycles a year
SAME = 0.9  # as sure must it be that packs come back
POLLS_SD = 0.01  # of pooled power: vehicles without network are not asked, sensors err
ROUNDS = 40  # after which spreads move by less than a hundredth
_CV = 0.05  # of vehicles and of packs, to begin with,
_AS_MANY = 5  # and that counts for so many of them: a few that agree by chance are not all
_KM_CV = 0.5  # of the percents that one km takes, to begin with
_LEAST = 1e-4  # a spread is never nothing
MODELS = pl.Schema(
    {
        "provider": pl.String(),
        "model": pl.String(),
        "spells": pl.Int64(),
        "same": pl.Float64(),
        "cycles": pl.Float64(),
        "fade": pl.Float64(),
        "pct_per_km": pl.Float64(),
        "wh_per_km": pl.Float64(),
        "vehicle_cv": pl.Float64(),
        "pack_cv": pl.Float64(),
        "km_cv": pl.Float64(),
        "polled_cv": pl.Float64(),
        "capacity_wh": pl.Float64(),
        "capacity_sd": pl.Float64(),
    }
)


def models(known: pl.DataFrame, spells: pl.DataFrame, polled: pl.DataFrame) -> pl.DataFrame:
    """What the vehicles of each model say together.

    Parameters
    ----------
    known : DataFrame `provider` `vehicle` `model` `capacity_wh` (of a data sheet, or null); without a model: left out
    spells : DataFrame of `spells.ridden`
    polled : DataFrame of `spells.polled`

    Returns
    -------
    DataFrame of `MODELS`, by model: `same` (of `spells.returning`), mean `cycles`, at which a pack of the model takes
    `pct_per_km` and holds `capacity_wh`, with its relative standard error `capacity_sd`, common to all; `fade` a cycle
    (the facts' 0.03 ± 0.02 % weighed with what the packs say, never below 0); `wh_per_km`, null without readings of
    power: then a data sheet alone tells the capacity; relative spreads from vehicle to vehicle, from pack to pack of
    the same cycles, of a km of riding, and of a km of polled power.
    """
    of = spells.join(known.select(*WHO, "model", "capacity_wh"), on=WHO).drop_nulls("model")
    powers = polled.join(known.select(*WHO, "model"), on=WHO).drop_nulls("model")
    fleet = returning(of).join(_beginning(of), on=MODEL).join(_power(powers), on=MODEL, how="left")
    fleet = fleet.with_columns(pl.lit(_CV).alias("vehicle_cv"), pl.lit(_CV).alias("pack_cv"), km_cv=pl.lit(_KM_CV))
    packs = _packs(_marked(of, fleet))
    for _ in range(ROUNDS):
        fleet = _again(fleet, *_told(packs, powers, fleet))
    return _scaled(fleet, *_told(packs, powers, fleet)).select(MODELS.names()).cast(MODELS).sort(MODEL)


def held(known: pl.DataFrame, spells: pl.DataFrame, polled: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """What the packs of each spell hold, and what its vehicle takes for a kilometre.

    Parameters
    ----------
    known, spells, polled : as for `models`, of any of the vehicles
    models : DataFrame of `MODELS`

    Returns
    -------
    DataFrame of vehicles whose model tells, by vehicle and `since`, when the spell began: `pack` (a number),
    `capacity_wh` and `wh_per_km` with `capacity_sd` and `wh_per_km_sd`, their relative standard errors, of which
    `model_sd` is common to all vehicles of the model.
    """
    of = spells.join(known.select(*WHO, "model"), on=WHO, maintain_order="left").drop_nulls("model")
    marked = _marked(of, models)
    packs, vehicles = _told(_packs(marked), polled.join(known.select(*WHO, "model"), on=WHO), models)
    each = packs.join(vehicles.select(*WHO, "u", "u_var"), on=WHO)
    rows = marked.select(*WHO, "begun_at", "pack").join(each, on=[*WHO, "pack"], maintain_order="left")
    at_model = pl.col("capacity_wh")
    use = at_model * pl.col("pct_per_km") / 100
    return rows.drop_nulls("capacity_wh").select(
        *WHO, pl.col("begun_at").alias("since"), "pack",
        (at_model * (-pl.col("d")).exp() / _faded()).alias("capacity_wh"),
        (pl.col("d_var") + pl.col("capacity_sd") ** 2).sqrt().alias("capacity_sd"),
        (use * pl.col("u").exp()).alias("wh_per_km"),
        (pl.col("u_var") + pl.col("capacity_sd") ** 2).sqrt().alias("wh_per_km_sd"),
        pl.col("capacity_sd").alias("model_sd"),
    )  # fmt: skip


def worth(known: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """What is known of vehicles, with what the packs of each time hold where that is known.

    Parameters
    ----------
    known : DataFrame of `calibration.calibrated`
    held : the frame of `held`

    Returns
    -------
    DataFrame as `known`, with a row more for each `since` of a spell.
    """
    figures = ("capacity_wh", "capacity_sd", "wh_per_km", "wh_per_km_sd")
    packs = held.select(*WHO, "since", *(pl.col(name).alias(f"held_{name}") for name in figures))
    moments = pl.concat([rows.select(*WHO, "since") for rows in (known, held)]).unique().sort(*WHO, "since")
    rows = as_of(as_of(moments.with_columns(pl.col("since").alias("at")), "at", known), "at", packs)
    return rows.with_columns(pl.coalesce(f"held_{name}", name).alias(name) for name in figures).select(known.columns)


def _marked(spells: pl.DataFrame, fleet: pl.DataFrame) -> pl.DataFrame:
    """Spells of models that are known, each with the number of its pack."""
    sure = spells.join(fleet.select(*MODEL, (pl.col("same") >= SAME).alias("known")), on=MODEL, maintain_order="left")
    return numbered(sure)


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


def _faded() -> pl.Expr:
    return (1 + pl.col("fade") * (pl.col("count") - pl.col("cycles"))).clip(0.2).fill_null(1.0)


# ---- the model of random effects -----------------------------------------------------------------------------------


def _told(packs: pl.DataFrame, polled: pl.DataFrame, fleet: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Packs with `d` and `d_var`, vehicles with `u` and `u_var`, logarithms and their variances, given the fleet."""
    rows = packs.join(fleet, on=MODEL, maintain_order="left").with_columns(_odd(), _noise())
    rows = rows.with_columns((pl.col("pack_cv") ** 2 + pl.col("noise")).alias("spread"))
    sums = rows.group_by(*WHO, "model", maintain_order=True).agg(
        (1 / pl.col("spread")).sum().alias("weight"), (pl.col("odd") / pl.col("spread")).sum().alias("odd")
    )
    powers = polled.select(*WHO, "polled_km", "polled_wh")
    vehicles = _vehicles(sums.join(powers, on=WHO, how="left", maintain_order="left"), fleet)
    told = rows.join(vehicles.select(*WHO, "u", "u_var"), on=WHO, maintain_order="left")
    share = pl.col("pack_cv") ** 2 / pl.col("spread")
    rest = pl.col("pack_cv") ** 2 * (1 - share)
    return told.with_columns(
        (share * (pl.col("odd") - pl.col("u"))).alias("d"),
        (rest + share**2 * pl.col("u_var")).alias("d_var"),
        (rest + (1 - share) ** 2 * pl.col("u_var")).alias("both_var"),
    ).drop("u", "u_var"), vehicles


def _odd() -> pl.Expr:
    """Logarithm of a pack's percents a km against those of its model at its cycles; 0 where nothing was ridden."""
    ratio = pl.col("used_pct") / (pl.col("km") * pl.col("pct_per_km") * _faded())
    return pl.when((pl.col("km") > 0) & (pl.col("used_pct") > 0)).then(ratio.log()).otherwise(0.0).alias("odd")


def _noise() -> pl.Expr:
    told = (pl.col("km") > 0) & (pl.col("used_pct") > 0)
    return pl.when(told).then(pl.col("km_cv") ** 2 / pl.col("km")).otherwise(float("inf")).alias("noise")


def _vehicles(sums: pl.DataFrame, fleet: pl.DataFrame) -> pl.DataFrame:
    rows = sums.join(fleet, on=MODEL, maintain_order="left")
    seen = pl.col("polled_wh") / (pl.col("polled_km") * pl.col("wh_per_km")) - 1
    precision = pl.col("polled_km") / pl.col("polled_cv") ** 2
    both = rows.with_columns(seen.fill_null(0.0).alias("seen"), precision.fill_null(0.0).alias("seen_weight"))
    variance = 1 / (1 / pl.col("vehicle_cv") ** 2 + pl.col("weight") + pl.col("seen_weight"))
    u = variance * (pl.col("odd") + pl.col("seen") * pl.col("seen_weight"))
    return both.with_columns(u.alias("u"), variance.alias("u_var"))


# ---- the spreads ---------------------------------------------------------------------------------------------------


def _beginning(spells: pl.DataFrame) -> pl.DataFrame:
    """Models whose spells were ridden, with the ratio of their sums."""
    ridden = spells.filter((pl.col("km") > 0) & (pl.col("used_pct") > 0))
    return ridden.group_by(MODEL).agg(
        pl.len().alias("spells"),
        (pl.col("used_pct").sum() / pl.col("km").sum()).alias("pct_per_km"),
        pl.col("cycles").mean(),
        pl.lit(FADE).alias("fade"),
        pl.col("capacity_wh").mean().alias("sheet_wh"),
    )


def _power(polled: pl.DataFrame) -> pl.DataFrame:
    """Wh/km by readings of power, a ratio of sums, and by how much a km of them is off."""
    wh, km, rides = (pl.col(f"polled_{name}").sum() for name in ("wh", "km", "rides"))
    square = (pl.col("polled_square") - pl.col("polled_wh") ** 2 / pl.col("polled_km")).sum()
    spread = (square / (rides - pl.len())).sqrt() / (wh / km)
    sums = polled.group_by(MODEL).agg((wh / km).alias("wh_per_km"), spread.alias("polled_cv"), rides.alias("rides"))
    sure = sums.filter((pl.col("wh_per_km") > 0) & (pl.col("polled_cv") > 0).fill_null(False))
    return sure.filter(pl.col("polled_cv").is_finite()).drop("rides")


def _again(fleet: pl.DataFrame, packs: pl.DataFrame, vehicles: pl.DataFrame) -> pl.DataFrame:
    """The fleet's figures once more, given what is told of packs and vehicles."""
    by_pack = _of_packs(packs.join(vehicles.select(*WHO, "u"), on=WHO))
    km = (pl.col("polled_km") * pl.col("u").exp()).sum()  # as if ridden by a vehicle like all
    by_vehicle = vehicles.group_by(MODEL).agg(
        _spread(pl.col("u") ** 2 + pl.col("u_var")).alias("vehicle_cv"),
        pl.when(km > 0).then(pl.col("polled_wh").sum() / km).alias("wh_per_km"),
    )
    new = by_pack.join(by_vehicle, on=MODEL)
    return fleet.drop("vehicle_cv", "pack_cv", "km_cv", "wh_per_km", "pct_per_km", "fade").join(new, on=MODEL)


def _of_packs(packs: pl.DataFrame) -> pl.DataFrame:
    d, weight = pl.col("d"), 1 / pl.col("spread")
    left = pl.col("odd") - pl.col("u")
    off = (left * weight).sum() / weight.sum()
    more = (pl.col("count") - pl.col("cycles")).fill_null(0.0)
    steps = ((left - off) * more * weight).sum() + (FADE - pl.col("fade").first()) / FADE_SD**2
    fade = pl.col("fade").first() + steps / ((more**2 * weight).sum() + 1 / FADE_SD**2)
    ridden = pl.col("noise").is_finite()
    rest = pl.col("km") * ((left - d) ** 2 + pl.col("both_var"))
    relative = pl.col("square") / (pl.col("used_pct") / pl.col("km")) ** 2
    noise = (rest + relative).filter(ridden).sum() / (pl.col("more") + 1).filter(ridden).sum()
    return packs.group_by(MODEL).agg(
        _spread(d**2 + pl.col("d_var")).alias("pack_cv"),
        noise.sqrt().clip(_LEAST).alias("km_cv"),
        (pl.col("pct_per_km").first() * off.exp()).alias("pct_per_km"),
        fade.clip(0.0).alias("fade"),
    )


def _spread(squares: pl.Expr) -> pl.Expr:
    return ((squares.sum() + _AS_MANY * _CV**2) / (squares.count() + _AS_MANY)).sqrt()


def _scaled(fleet: pl.DataFrame, packs: pl.DataFrame, vehicles: pl.DataFrame) -> pl.DataFrame:
    """The fleet with the capacity by power and by data sheet, weighed by their variances."""
    apart = 1 / pl.col("seen_weight") + 1 / pl.col("weight")  # of a vehicle's power against its own percents
    told = vehicles.filter(pl.col("seen_weight") > 0)
    error = told.group_by(MODEL).agg((1 / (1 / apart).sum() + POLLS_SD**2).alias("variance"))
    rows = fleet.join(error, on=MODEL, how="left")
    by_power = 100 * pl.col("wh_per_km") / pl.col("pct_per_km")
    ours, sheet = 1 / pl.col("variance"), pl.when(pl.col("sheet_wh").is_not_null()).then(1 / SHEET_SD**2)
    weights = pl.sum_horizontal(pl.when(by_power.is_not_null()).then(ours), sheet)
    value = pl.sum_horizontal(by_power * ours, pl.col("sheet_wh") * sheet) / weights
    known = pl.when(weights > 0)
    return rows.with_columns(
        known.then(value).alias("capacity_wh"), known.then((1 / weights).sqrt()).alias("capacity_sd")
    )
