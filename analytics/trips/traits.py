"""Traits of a vehicle: what its signals mean, which a shared moped and a car tell in different ways.

Does unlocked mean in use, or are doors meant? Does `moving` ever change? Does the vehicle speak while nobody has it,
and how often? Can packs be swapped? What the settings say of one vehicle comes first, then what its source says of all
of its vehicles; the rest is learnt from all that the vehicle ever told.
"""

from collections.abc import Mapping

import polars as pl

from analytics.frames import WHO, before
from logger.sources.contract import Traits

NEAR_S = 900.0  # segments of which lock and motion tell something of each other
RIDDEN, BUSY = 0.9, 0.2  # of a lock that means use: motion while unlocked, and unlocked time in motion, at least
MOVES_MS, STOP_S = 2.0, 180.0
CADENCE_S, CADENCES = 10.0, 4.5  # of riding, where nobody moved; so many of them are a silence
STANDS, MOSTLY = 2.5, 0.75  # ... of standing in use, by the pace that is kept for so much of that time
SLEEPS = 0.8  # of its standing time, at least: of two loggers that take turns some readings are close together
LEAST_S = 20.0  # no silence is shorter
SELDOM_S = 180.0  # a vehicle whose segments in motion are longer tells by its counters alone
FEW = 3
PARKS_S = 900.0  # cadence while parked, where nothing tells
_T, _B, _N = pl.String(), pl.Boolean(), pl.Float64()

# `lock_tells`: unlocked means in use. `moving_tells`: `moving` is told, and changes. `swappable`: packs can be swapped.
# `cadence_s`: how often it speaks while parked. `silent_s`: a silence that use does not explain. `sleeps`: it is silent
# for most of its standing time. `seldom`: it speaks too seldom to tell by that whether it is in use.
TRAITS = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "lock_tells": _B,
        "moving_tells": _B,
        "swappable": _B,
        "cadence_s": _N,
        "silent_s": _N,
        "sleeps": _B,
        "seldom": _B,
    }
)


def traits(
    vehicles: pl.DataFrame, learnt: pl.DataFrame, declared: Mapping[str, Traits], told: Mapping[str, Traits]
) -> pl.DataFrame:
    """What the signals of vehicles mean, as `TRAITS`, by vehicle.

    Parameters
    ----------
    vehicles : DataFrame with `provider` `vehicle`
    learnt : DataFrame of `learned`, or of `TRAITS`, of those that were learnt
    declared : what sources say of their vehicles, by provider
    told : what the settings say, by vehicle
    """
    rows = vehicles.select(WHO).unique().sort(WHO)
    known = rows.join(_said("provider", declared), on="provider", how="left").join(
        _said("vehicle", told), on="vehicle", how="left", suffix="_told"
    ).join(learnt, on=WHO, how="left", suffix="_learnt")  # fmt: skip
    return known.select(
        *WHO,
        pl.coalesce("lock_tells_told", "lock_tells", "lock_tells_learnt", pl.lit(False)).alias("lock_tells"),
        pl.col("moving_tells").fill_null(False),
        pl.coalesce("swappable_told", "swappable", "swappable_learnt", pl.lit(False)).alias("swappable"),
        pl.coalesce("cadence_s_told", "cadence_s", "cadence_s_learnt", pl.lit(PARKS_S)).alias("cadence_s"),
        pl.col("silent_s").fill_null(CADENCES * CADENCE_S), pl.col("sleeps").fill_null(True),
        pl.col("seldom").fill_null(False),
    ).cast(TRAITS)  # fmt: skip


def _said(key: str, traits: Mapping[str, Traits]) -> pl.DataFrame:
    rows = [
        {
            key: name,
            "lock_tells": each.lock and each.lock == "use",
            "swappable": each.swappable,
            "cadence_s": each.cadence_s,
        }
        for name, each in traits.items()
    ]
    return pl.DataFrame(rows, schema={key: _T, "lock_tells": _B, "swappable": _B, "cadence_s": _N})


def learned(segments: pl.DataFrame) -> pl.DataFrame:
    """What all rows of vehicles tell of their traits.

    Parameters
    ----------
    segments : DataFrame of `evidence.placed`, by vehicle and time

    Returns
    -------
    DataFrame of `TRAITS`; `swappable` is null, since nothing tells it.
    """
    dt, quiet = pl.col("dt_s"), pl.col("quiet_s")
    speed = pl.col("d_m") / dt
    still = pl.col("still")
    riding = quiet.filter((speed > MOVES_MS) & (dt <= STOP_S)).median().fill_null(CADENCE_S)
    stands = quiet.filter(still & (quiet <= STOP_S)).sort()
    standing = stands.filter(stands.cum_sum() >= MOSTLY * stands.sum()).first()
    silent = still & (quiet > STOP_S)
    return segments.group_by(WHO, maintain_order=True).agg(
        _lock_tells(segments).alias("lock_tells"),
        (pl.col("moving").drop_nulls().n_unique() > 1).alias("moving_tells"),
        pl.lit(None, _B).alias("swappable"),
        dt.filter(silent).median().alias("cadence_s"),
        pl.max_horizontal(CADENCES * riding, STANDS * standing).clip(LEAST_S, STOP_S).alias("silent_s"),
        (dt.filter(silent).sum() > SLEEPS * dt.filter(still).sum()).alias("sleeps"),
        _seldom().alias("seldom"),
    ).select(TRAITS.names()).cast(TRAITS)  # fmt: skip


def _seldom() -> pl.Expr:
    """Whether segments in motion are long; one or two that positions alone tell may be those of a van."""
    went = pl.col("went")
    sure = (went & (pl.col("source") != "gps")).any() | (went.sum() >= FEW)
    return (sure & (pl.col("dt_s").filter(went).median() > SELDOM_S)).fill_null(False)


def _lock_tells(segments: pl.DataFrame) -> pl.Expr:
    """Whether the vehicle moves while unlocked alone, and is unlocked for not much longer than it moves."""
    dt, went = pl.col("dt_s"), pl.col("went")
    open_ = (pl.col("locked").not_() | before("locked").not_()).fill_null(False)
    near = (dt <= NEAR_S) & pl.col("locked").is_not_null()
    ridden = (near & went & open_).sum() >= RIDDEN * (near & went).sum()
    busy = dt.filter(near & open_ & went).sum() >= BUSY * dt.filter(near & open_).sum()
    both = pl.col("locked").drop_nulls().n_unique() > 1
    return both & (near & went).any() & ridden & busy
