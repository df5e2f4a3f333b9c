"""Energy of trips: by the battery's content or percent, by power, by the way and a usual use, weighed together.

Analytics facts, 2.1, 2.2, F5, F6. Energies are at the battery's terminals, net of what is fed back, and positive when
used. What standing unlocked takes belongs to the trip.
"""

import itertools

import polars as pl

from analytics.frames import WHO, as_of
from analytics.observations.capacity import LEAST_WH, sure
from analytics.observations.content import SCALE_SD
from analytics.observations.power import SENSOR_SD

RIDE_CV = 0.20  # of Wh/km from ride to ride: rider, load, hills, wind; facts, 2.3: 15 to 25 %
RIDE_MORE_CV = 0.25  # ... what a kilometre alone varies by beyond that; falls with the root of the way
JOURNAL_SD = 0.05  # of what a vendor reports, which nobody has checked
ALONE = 0.01  # relative standard error by sampling below which power stands alone
AGREE_SD = 2.0  # two estimates farther apart than that contradict each other
FELL_SDS = 3.0  # a percent that fell by so many standard errors fell
LEAST_WH_KM = 10.0  # no vehicle with a seat needs less
SHORT_WH = 1.0  # what a ride of no length may still take
_Z = 1.96
_ESTIMATES = ("reported", "content", "soc", "power", "model")
_KINDS = ("own", "common")


def energies(trips: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The net energy of trips.

    Parameters
    ----------
    trips : DataFrame with `provider` `vehicle` `distance_m` [m] and the columns of `soc_used.used` [%]; where there
        are, also those of `power.powered` and of `content.content_used`, and `reported_wh`, what the vendor says
    known : DataFrame of `capacity.capacities`: `provider` `vehicle` `capacity_wh` `wh_per_km` (null where nobody
        says), and perhaps `since`, `capacity_sd` and `wh_per_km_sd`, relative (else 12 % and 15 %), and
        `percent_slope`, how much more a percent holds at 100 % than at 50 %, relative (else 0)

    Returns
    -------
    DataFrame in the order of `trips`: `energy_wh` with `energy_low_wh` and `energy_high_wh` (95 %), `energy_source`
    (`content`, `soc`, `power`, `model`, several joined by `+`, or `reported`, null where nothing is known),
    `wh_per_km`, `regen_wh` (null where no power tells), and of its error what is the ride's own and what all
    rides of the vehicle share (`own_sd_wh`, `common_sd_wh`).

    Notes
    -----
    Estimates are weighed by their variances. These are made of the way, the time, the capacity and the count of ticks,
    never of the measured energy: weights that know the measurement are biased by 10 to 20 % (facts, F6). A content in
    Wh is a finer percent and takes its place. Power of which little lies between readings (1 %) stands alone. Estimates
    that are more than two standard errors apart widen the interval in proportion, whether they are weighed or not.
    Power or content of less than 1 Wh for each percent that surely fell is not counted: no battery is so small, so the
    unit or the sign is another, or the figure is frozen. What a vendor reports stands alone, with a standard error of
    5 %, since nobody has checked it.
    """
    found = _estimates(trips, known).with_columns(_apart().alias("apart"))
    weighed = found.with_columns(*_weights())
    fused = weighed.with_columns(_fused().alias("energy_wh"), *_errors(), _source().alias("energy_source"))
    sd = (pl.col("own_sd_wh") ** 2 + pl.col("common_sd_wh") ** 2).sqrt()
    return fused.select(
        "energy_wh",
        lower_end(pl.col("energy_wh"), _Z * sd).alias("energy_low_wh"),
        (pl.col("energy_wh") + _Z * sd).alias("energy_high_wh"),
        "energy_source",
        "regen_wh",
        pl.when(pl.col("distance_m") > 0).then(1000 * pl.col("energy_wh") / pl.col("distance_m")).alias("wh_per_km"),
        "own_sd_wh",
        "common_sd_wh",
    )


def lower_end(value: pl.Expr, half: pl.Expr) -> pl.Expr:
    """Lower end of an interval: what used energy used no less than none, what gained may have gained more."""
    return pl.when(value < 0).then(value - half).otherwise((value - half).clip(0.0))


def _estimates(trips: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The estimates, and of each the error of its own and the error that it shares with other rides [Wh]."""
    rows = as_of(_told(trips).with_columns(*_believed()), "started_at", sure(known))
    km = pl.col("distance_m") / 1000
    per_pct = pl.col("capacity_wh") / 100 * (1 + pl.col("percent_slope") * (pl.col("soc_mean_pct") - 50) / 50)
    by_soc, by_way = pl.col("soc_used_pct") * per_pct, pl.col("wh_per_km") * km
    cv = (RIDE_CV**2 + RIDE_MORE_CV**2 / pl.max_horizontal(km, 0.1)).sqrt()
    power_alone = pl.when(pl.col("power_sd_wh") < ALONE * (pl.col("power_wh") + pl.col("regen_wh").fill_null(0.0)))
    usual = pl.coalesce(by_way, by_soc, "content_wh", "power_wh").abs()  # an estimate that stands alone needs no weight
    return rows.with_columns(
        by_soc.alias("soc_wh"),
        (pl.col("soc_used_sd_pct") * per_pct).alias("soc_own_wh"),
        (pl.col("capacity_sd") * usual).alias("soc_common_wh"),
        by_way.alias("model_wh"),
        (cv * by_way + SHORT_WH).alias("model_own_wh"),
        (pl.col("wh_per_km_sd") * by_way).alias("model_common_wh"),
        (pl.col("power_sd_wh") + power_alone.then(0.0).otherwise(SHORT_WH)).alias("power_own_wh"),
        (SENSOR_SD * pl.coalesce(power_alone.then(pl.col("power_wh").abs()), usual)).alias("power_common_wh"),
        power_alone.then(True).otherwise(False).alias("alone"),
        (pl.col("content_sd_wh") + SHORT_WH).alias("content_own_wh"),
        (SCALE_SD * usual).alias("content_common_wh"),
        pl.when(pl.col("reported_wh").is_not_null()).then(SHORT_WH).alias("reported_own_wh"),
        (JOURNAL_SD * pl.col("reported_wh").abs()).alias("reported_common_wh"),
    )


def _told(trips: pl.DataFrame) -> pl.DataFrame:
    """What there is of the columns that count."""
    names = ("distance_m", "soc_used_pct", "soc_used_sd_pct", "soc_mean_pct")
    more = ("power_wh", "power_sd_wh", "regen_wh", "content_wh", "content_sd_wh", "reported_wh")
    missing = [pl.lit(None, pl.Float64()).alias(name) for name in more if name not in trips.columns]
    return trips.with_columns(missing).select(pl.col(*WHO, "^started_at$", *names, *more))


def _believed() -> list[pl.Expr]:
    """Power and content without those that the percent denies: less than 1 Wh a percent is none, or of another sign.

    A content that does not change at all is not told anew, if the vehicle went far enough to change it.
    """
    fell = pl.when(pl.col("soc_used_pct") > FELL_SDS * pl.col("soc_used_sd_pct")).then("soc_used_pct")
    least_wh = fell * LEAST_WH / 100
    power = (pl.col("power_wh") >= least_wh).fill_null(True)
    way_wh = LEAST_WH_KM * pl.col("distance_m") / 1000
    still = (pl.col("content_wh") == 0) & (way_wh > FELL_SDS * pl.col("content_sd_wh"))
    content = (pl.col("content_wh") >= least_wh).fill_null(True) & ~still.fill_null(False)
    names = {"power_wh": power, "power_sd_wh": power, "regen_wh": power, "content_wh": content}
    return [pl.when(believed).then(name).alias(name) for name, believed in names.items()]


def _sd(name: str) -> pl.Expr:
    return (pl.col(f"{name}_own_wh") ** 2 + pl.col(f"{name}_common_wh") ** 2).sqrt()


def _apart() -> pl.Expr:
    """By how many standard errors the two estimates differ that differ most; null where there is only one."""
    pairs = itertools.combinations(_ESTIMATES, 2)
    return pl.max_horizontal(
        (pl.col(f"{one}_wh") - pl.col(f"{other}_wh")).abs() / (_sd(one) ** 2 + _sd(other) ** 2).sqrt()
        for one, other in pairs
    )


def _weights() -> list[pl.Expr]:
    """Of each estimate, null where it is not known or not weighed."""
    silent = pl.col("reported_wh").is_null()  # what a vendor reports, and power that misses little, stand alone
    weighed = silent & ~pl.col("alone")
    counts = {"reported": pl.lit(True), "content": weighed, "soc": weighed & pl.col("content_wh").is_null(),
              "power": silent, "model": weighed}  # fmt: skip
    return [
        pl.when(pl.col(f"{name}_wh").is_not_null() & counted).then(1 / _sd(name) ** 2).alias(f"{name}_weight")
        for name, counted in counts.items()
    ]


def _share(name: str) -> pl.Expr:
    return pl.col(f"{name}_weight") / pl.sum_horizontal(f"{each}_weight" for each in _ESTIMATES)


def _fused() -> pl.Expr:
    weighed = pl.sum_horizontal(_share(name) * pl.col(f"{name}_wh") for name in _ESTIMATES)
    return pl.when(_any()).then(weighed)


def _any() -> pl.Expr:
    return pl.any_horizontal(pl.col(f"{name}_weight").is_not_null() for name in _ESTIMATES)


def _errors() -> list[pl.Expr]:
    own, common = ({name: _share(name) * pl.col(f"{name}_{kind}_wh") for name in _ESTIMATES} for kind in _KINDS)
    shared = pl.sum_horizontal(common["soc"], common["model"])  # a percent and a kilometre are told by the same rides
    others = [common[name] ** 2 for name in ("reported", "content", "power")]
    sds = (pl.sum_horizontal(part**2 for part in own.values()), pl.sum_horizontal(shared**2, *others))
    wider = (pl.col("apart") / AGREE_SD).clip(1.0).fill_null(1.0)
    return [
        pl.when(_any()).then(wider * sd.sqrt()).alias(f"{kind}_sd_wh") for kind, sd in zip(_KINDS, sds, strict=True)
    ]


def _source() -> pl.Expr:
    words = [pl.when(pl.col(f"{name}_weight").is_not_null()).then(pl.lit(name)) for name in _ESTIMATES]
    return pl.when(_any()).then(pl.concat_str(words, separator="+", ignore_nulls=True))


def with_reasons(trips: pl.DataFrame) -> pl.DataFrame:
    """Trips with the reason in `flags` where there is no energy.

    Parameters
    ----------
    trips : DataFrame with the columns of `soc_used.used` and `energies`, and `flags`

    Returns
    -------
    `trips`; `flags` of those without `energy_wh` also tell `no_percent` where no percent is known at both ends (nor
    anything else that tells), `pack_changed` where a pack was changed out of sight, else `no_capacity`.
    """
    bare = pl.any_horizontal(pl.col("soc_start_pct", "soc_finish_pct").is_null())
    lost = pl.col("soc_used_pct").is_null()
    word = (
        pl.when(bare)
        .then(pl.lit("no_percent"))
        .when(lost)
        .then(pl.lit("pack_changed"))
        .otherwise(pl.lit("no_capacity"))
    )
    told = pl.concat_list(pl.col("flags").fill_null([]), word).list.sort()
    return trips.with_columns(pl.when(pl.col("energy_wh").is_null()).then(told).otherwise("flags").alias("flags"))
