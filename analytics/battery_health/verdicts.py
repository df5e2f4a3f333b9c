"""The best figure of what the packs in a vehicle hold: its model, charges and trips together, each by its variance."""

import itertools
from datetime import datetime

import polars as pl

from analytics.battery_health import reasons
from analytics.battery_health.by_pairs import SURE_SD, capacities
from analytics.battery_health.pairs import METHODS
from analytics.battery_health.pooling import MEMORY_MONTHS, pooled, stepped
from analytics.battery_health.ratios import interval, relative_sd
from analytics.battery_health.trends import trends
from analytics.battery_health.weak import weak_probability
from analytics.frames import WHO
from analytics.observations.capacity import REPORTED_SD
from analytics.observations.power import SENSOR_SD
from logger.tables import shaped

RIDDEN_SD = 0.05  # in the cold and at high power a pack gives less than on a test bench (simulated fleet)
_RIDDEN = (reasons.BY_MODEL, reasons.BY_TRIPS, f"{reasons.BY_MODEL}; {reasons.BY_TRIPS}")  # where trips alone tell it
AGREE_SD = 2.0  # two figures farther apart than that contradict each other
SOONER, SOONER_SD = 1.7, 0.3  # a pack loses so many times as much a cycle until then as from then on: facts, 3.6
AGED, AGED_SD = 0.026, 0.015  # of the capacity, by age alone: a year at 25 degrees, at 15 to 35: facts, 3.6
_AT = (*WHO, "since")
_WORDS = {
    "by_model_wh": reasons.BY_MODEL,
    "charge_energy_wh": reasons.BY_CHARGES,
    "ride_energy_wh": reasons.BY_TRIPS,
}
_OF_PARTS = (
    "port", "stint_id", "cycles", "efc", "imbalance_pct", "n", "sheet_wh", "as_of", "reported_wh", "reported_soh_pct",
)  # fmt: skip
_KINDS = ("by_model", *METHODS.values())


def verdicts(
    parts: pl.DataFrame, pairs: pl.DataFrame, history: pl.DataFrame, models: pl.DataFrame, since: datetime
) -> pl.DataFrame:
    """What the packs of each stint hold, and what its vehicle takes for a kilometre.

    Parameters
    ----------
    parts : the frame of `pooling.parts` with `model` and `sheet_wh`, of a year before those that count, too
    pairs : the frame of `stint_months.stint_pairs`, of the same time
    history : months' capacities as `trends.trends` takes them
    models : DataFrame of `figures.figures`
    since : the parts that count begin then or later

    Returns
    -------
    Rows of `battery_health` of method `verdict`, by vehicle and time, which is when the stint or the month began.
    `capacity_wh` and `wh_per_km` move in steps of 1 %. `soh_pct` is of packs of the model when they are new, by the
    model's own figures, else of its data sheet, else of what this one held in the first three months that are known:
    after a year and a half, what it errs by in all months alike is no error of that, nor is the season. No capacity is
    surer than the sensor, which errs alike in all that it measures, nor one that trips alone tell surer than the season
    and the rider. Where neither the model's trips nor this pack's
    charges and trips tell what it holds, what the vehicle itself reports does; else it is `insufficient`, with the
    reason.
    """
    by_model = pooled(parts, models, since)
    measured = _by_pairs(parts, pairs, since)
    rows = parts.filter(pl.col("since") >= since).select(*_AT, *_OF_PARTS)
    for each in (by_model, measured):
        rows = rows.join(each, on=_AT, how="left", maintain_order="left")
    weighed = rows.with_columns(*_combine()).with_columns(*_new())
    trend = trends(weighed, history)
    known = weighed.join(trend, on=_AT, how="left", maintain_order="left").with_columns(*_reference())
    made = known.with_columns(
        *interval(stepped(pl.col("capacity")), _capacity_sd(), "capacity_wh"),
        *interval(stepped(pl.col("wh_per_km")), pl.col("wh_per_km_sd"), "wh_per_km"),
        *interval(_soh(), pl.coalesce("soh_sd", "sd"), "soh_pct"),
        weak_probability(pl.col("apart"), pl.col("apart_var"), pl.col("pack_cv")).alias("weak_probability"),
    )
    sure = pl.any_horizontal(pl.col("capacity", "reported_soh_pct").is_not_null())
    named = {
        "time": pl.col("since"), "method": pl.lit("verdict"), "reason": _reason(),
        "verdict": pl.when(sure).then(pl.lit("estimate")).otherwise(pl.lit("insufficient")),
        "n": pl.sum_horizontal("n", "pairs_n"),
    }  # fmt: skip
    return shaped(made.with_columns(**named), "battery_health").sort(*WHO, "time")


def _by_pairs(parts: pl.DataFrame, pairs: pl.DataFrame, since: datetime) -> pl.DataFrame:
    """Of each part the capacity by all pairs of its stint in the year before its end.

    Returns
    -------
    DataFrame by vehicle and `since`: `pairs_n`, `capacity_ah`, and of each method `…_wh` and `…_sd`, relative.
    """
    until = pl.col("month").dt.offset_by("1mo")  # a stint of this month ends then, or with its last pair
    first = pl.col("month").dt.offset_by(f"-{MEMORY_MONTHS}mo")
    whose = parts.filter(pl.col("since") >= since).select(*_AT, "stint_id", until=until, first=first)
    inside = pl.col("at").is_between(pl.col("first"), pl.col("until"), closed="left")
    rows = pairs.join(whose, on=[*WHO, "stint_id"]).filter(inside)
    told = capacities(rows, _AT).filter((pl.col("capacity_sd") <= SURE_SD) | pl.col("capacity_ah").is_not_null())
    made = told.group_by(_AT).agg(
        pl.col("n").sum().alias("pairs_n"), pl.col("capacity_ah").drop_nulls().first(),
        *(
            pl.col(value).filter((pl.col("source") == source) & (pl.col("capacity_sd") <= SURE_SD)).first().alias(name)
            for source, method in METHODS.items()
            for value, name in (("capacity", f"{method}_wh"), ("capacity_sd", f"{method}_sd"))
        ),
    )  # fmt: skip
    return made.sort(_AT)


def _combine() -> list[pl.Expr]:
    """`measured` and `sd`, weighed by variances of logarithms; figures that contradict each other are less sure.

    And `capacity`, which is that, or what the vehicle reports where nothing is measured.
    """
    values = [pl.col(f"{kind}_wh").log() for kind in _KINDS]
    variances = [pl.col(f"{kind}_sd") ** 2 for kind in _KINDS]
    weight = pl.sum_horizontal(1 / each for each in variances)
    mean = pl.sum_horizontal(value / each for value, each in zip(values, variances, strict=True)) / weight
    twos = itertools.combinations(zip(values, variances, strict=True), 2)
    apart = pl.max_horizontal((a - b).abs() / (var_a + var_b).sqrt() for (a, var_a), (b, var_b) in twos)
    wider = (apart / AGREE_SD).clip(1.0).fill_null(1.0)
    sd = pl.max_horizontal(wider / weight.sqrt(), SENSOR_SD).round_sig_figs(2)
    known = pl.when(weight > 0)
    return [
        known.then(mean.exp()).alias("measured"),
        known.then(mean.exp()).otherwise("reported_wh").alias("capacity"),
        known.then(sd).when(pl.any_horizontal(pl.col("reported_wh", "reported_soh_pct").is_not_null()))
        .then(REPORTED_SD).alias("sd"),
    ]  # fmt: skip


def ridden_sd() -> pl.Expr:
    """The relative standard error of the `capacity_wh` of verdicts as what trips take: of those that trips alone tell,
    what they give on a test bench is another matter.
    """
    ridden = pl.when(pl.col("reason").is_in(_RIDDEN)).then(RIDDEN_SD).otherwise(0.0)
    return (relative_sd("capacity_wh") ** 2 - ridden**2).clip(0.0).sqrt()


def _capacity_sd() -> pl.Expr:
    """The relative standard error as that of a full charge on a test bench, which trips alone do not see."""
    ridden = pl.col("measured").is_not_null() & pl.col("charge_energy_wh").is_null()
    return pl.when(ridden).then((pl.col("sd") ** 2 + RIDDEN_SD**2).sqrt()).otherwise("sd")


def _new() -> list[pl.Expr]:
    """What a new pack of the model holds, as far as anybody but this one tells, and the relative error of that.

    A fleet tells what its packs lose a cycle now; of what they lost since they were new nobody saw the beginning.
    """
    cycles, fade = pl.col("pack_cycles"), pl.col("fade")
    lost = fade * cycles * SOONER + AGED
    terms = (pl.col("fade_sd") * cycles * SOONER, fade * cycles * SOONER_SD, pl.lit(AGED_SD))
    known = pl.when(pl.col("capacity").is_not_null())
    return [
        known.then(pl.coalesce(pl.col("model_wh") * (1 + lost), "sheet_wh")).alias("new_wh"),
        pl.when(pl.col("model_wh").is_not_null()).then(pl.sum_horizontal(each**2 for each in terms).sqrt())
        .otherwise(0.0).alias("new_sd"),
    ]  # fmt: skip


def _reference() -> list[pl.Expr]:
    """What 100 % are: `full_wh` and, in words, `reference`; of what only the vehicle reports, its own; and `soh_sd`."""
    known, bare = pl.col("capacity").is_not_null(), pl.col("measured").is_null()
    first_wh = pl.coalesce(pl.col("measured") / pl.col("share_left"), "first_wh")
    texts = (
        pl.format(reasons.OF_MODEL, pl.when(pl.col("model_wh").is_not_null()).then(_whole(pl.col("new_wh")))),
        pl.format(reasons.OF_DATA_SHEET, _whole(pl.col("new_wh"))),
        pl.format(reasons.OF_FIRST_MONTHS, _whole(first_wh)),
    )
    own = bare & pl.col("reported_soh_pct").is_not_null()
    reported = pl.when(own).then(pl.lit(reasons.ITS_OWN))
    return [
        pl.when(known).then(pl.coalesce("new_wh", first_wh)).alias("full_wh"),
        pl.coalesce(reported, pl.when(known).then(pl.coalesce(texts))).alias("reference"),
        pl.when(pl.col("new_wh").is_null() & ~bare)
        .then(pl.col("share_left_sd") / pl.col("share_left"))
        .when(~own)
        .then((pl.col("sd") ** 2 + pl.col("new_sd") ** 2).sqrt())
        .alias("soh_sd"),
    ]


def _whole(value: pl.Expr) -> pl.Expr:
    return value.round().cast(pl.Int64)


def _soh() -> pl.Expr:
    own = pl.when(pl.col("measured").is_null()).then("reported_soh_pct")
    return pl.coalesce(own, (100 * stepped(pl.col("capacity")) / pl.col("full_wh")).round_sig_figs(4))


def _reason() -> pl.Expr:
    told = [pl.when(pl.col(name).is_not_null()).then(pl.lit(words)) for name, words in _WORDS.items()]
    known = pl.when(pl.any_horizontal(pl.col(*_WORDS).is_not_null()))
    reported = pl.when(pl.any_horizontal(pl.col("reported_wh", "reported_soh_pct").is_not_null()))
    return pl.coalesce(
        known.then(pl.concat_str(told, separator="; ", ignore_nulls=True)),
        reported.then(pl.lit(reasons.REPORTED_HEALTH)),
        pl.lit(reasons.NOTHING_MEASURED),
    )
