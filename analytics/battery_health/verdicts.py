"""The best figure of what the packs in a vehicle hold: its model and charges together, each by its variance."""

from datetime import datetime
from statistics import NormalDist

import polars as pl

from analytics.battery_health.charge_energy import SURE_SD, capacity, capacity_sd
from analytics.battery_health.pooling import MEMORY_MONTHS, pooled, stepped
from analytics.battery_health.ratios import interval
from analytics.frames import WHO
from logger.tables import shaped

AGREE_SD = 2.0  # two figures farther apart than that contradict each other
WEAK = 0.85  # of what a pack of its model and cycles holds: less is a weak one
_AT = (*WHO, "since")


def verdicts(parts: pl.DataFrame, models: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """What the packs of each stint hold, and what its vehicle takes for a kilometre.

    Parameters
    ----------
    parts : the frame of `pooling.parts` with `model` and `sheet_wh`, of a year before those that count, too
    models : DataFrame of `figures.figures`
    since : the parts that count begin then or later

    Returns
    -------
    Rows of `battery_health` of method `verdict`, by vehicle and time, which is when the stint or the month began.
    `capacity_wh` and `wh_per_km` move in steps of 1 %. `soh_pct` is of packs of the model when they are new, by the
    model's own figures, else of its data sheet. `insufficient`, with the reason, where neither the model's trips nor
    this pack's charges tell what it holds.
    """
    by_model = pooled(parts, models, since)
    by_charges = _capacity_by_charges(parts, since)
    rows = parts.filter(pl.col("since") >= since).select(*_AT, "port", "stint_id", "cycles", "n", "sheet_wh", "as_of")
    both = rows.join(by_model, on=_AT, how="left", maintain_order="left").join(
        by_charges, on=_AT, how="left", maintain_order="left"
    )
    known = both.with_columns(*_combine()).with_columns(*_reference())
    made = known.with_columns(
        *interval(stepped(pl.col("capacity")), pl.col("sd"), "capacity_wh"),
        *interval(stepped(pl.col("wh_per_km")), pl.col("wh_per_km_sd"), "wh_per_km"),
        *interval(_soh(), pl.col("sd"), "soh_pct"),
        _weak_probability(known),
    )
    sure = pl.col("capacity").is_not_null()
    named = {
        "time": pl.col("since"), "method": pl.lit("verdict"), "reason": _reason(),
        "verdict": pl.when(sure).then(pl.lit("estimate")).otherwise(pl.lit("insufficient")),
        "n": pl.sum_horizontal("n", "charged_n"),
    }  # fmt: skip
    return shaped(made.with_columns(**named), "battery_health").sort(*WHO, "time")


def _capacity_by_charges(parts: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """Of each part the capacity by all charges of its stint in the year before it and in itself."""
    told = parts.select(*_AT, "month", "stint_id", "charged_n", "charged_pct", "charged_wh")
    until = told.filter(pl.col("since") >= since).select(*_AT, "stint_id", until_month="month")
    rows = until.join(told.drop_nulls("charged_n").rename({"since": "then"}), on=[*WHO, "stint_id"])
    recent = pl.col("month") >= pl.col("until_month").dt.offset_by(f"-{MEMORY_MONTHS}mo")
    sums = rows.filter((pl.col("then") <= pl.col("since")) & recent).sort(*_AT, "then")
    made = sums.group_by(_AT, maintain_order=True).agg(pl.col("charged_n", "charged_pct", "charged_wh").sum())
    found = made.with_columns(capacity().alias("by_charges_wh"), capacity_sd().alias("by_charges_sd"))
    return found.filter(pl.col("by_charges_sd") <= SURE_SD).drop("charged_pct", "charged_wh")


def _combine() -> list[pl.Expr]:
    """`capacity` and `sd`, weighed by variances of logarithms; figures that contradict each other are less sure."""
    values = (pl.col("by_model_wh").log(), pl.col("by_charges_wh").log())
    variances = (pl.col("by_model_sd") ** 2, pl.col("by_charges_sd") ** 2)
    weight = pl.sum_horizontal(1 / each for each in variances)
    mean = pl.sum_horizontal(value / each for value, each in zip(values, variances, strict=True)) / weight
    apart = (values[0] - values[1]).abs() / pl.sum_horizontal(variances, ignore_nulls=False).sqrt()
    wider = (apart / AGREE_SD).clip(1.0).fill_null(1.0)
    known = pl.when(weight > 0)
    return [
        known.then(mean.exp()).alias("capacity"), known.then(wider / weight.sqrt()).round_sig_figs(2).alias("sd"),
    ]  # fmt: skip


def _reference() -> list[pl.Expr]:
    """What 100 % are: `new_wh` and, in words, `reference`."""
    new = pl.col("model_wh") * (1 + pl.col("fade") * pl.col("pack_cycles"))
    own = pl.format("packs of the model when new, by its own figures: {} Wh", new.round().cast(pl.Int64))
    sheet = pl.format("data sheet of the model: {} Wh", pl.col("sheet_wh").round().cast(pl.Int64))
    known = pl.col("capacity").is_not_null()
    return [
        pl.when(known).then(pl.coalesce(new, "sheet_wh")).alias("new_wh"),
        pl.when(known).then(pl.coalesce(own, sheet)).alias("reference"),
    ]


def _soh() -> pl.Expr:
    return (100 * stepped(pl.col("capacity")) / pl.col("new_wh")).round_sig_figs(4)


def _weak_probability(rows: pl.DataFrame) -> pl.Series:
    """How likely each pack holds less than 85 % of what one of its model and cycles does."""
    limit, normal = -pl.lit(WEAK).log(), NormalDist()
    odds = rows.select(((pl.col("d") - limit) / pl.col("d_var").sqrt()).alias("z"))["z"].to_list()
    values = [None if each is None else round(normal.cdf(each), 3) for each in odds]
    return pl.Series("weak_probability", values, pl.Float64())


def _reason() -> pl.Expr:
    model, charges = pl.col("by_model_wh").is_not_null(), pl.col("by_charges_wh").is_not_null()
    return (
        pl.when(model & charges).then(pl.lit("trips and readings of power of the model, and charges"))
        .when(model).then(pl.lit("trips and readings of power of the model"))
        .when(charges).then(pl.lit("charges"))
        .otherwise(pl.lit("no model with readings of power, and no charges whose energy is measured"))
    )  # fmt: skip
