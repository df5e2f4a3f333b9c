"""The state of charge of a vehicle without readings that its battery cannot have had.

Three kinds are left out: one that sags under load and comes back when the load is gone, one that is told once or a few
times between others that agree, and one of another source that is told again and again.
"""

import polars as pl

from analytics.frames import WHO, before, marked
from analytics.observations.positions import STANDS_KMH
from analytics.observations.soc_runs import SLACK_PCT, doubtful, left_out

CHARGER_PCT_S = 8 / 60  # no charger is faster: 350 kW into 75 kWh
REGEN_PCT_M = 1.5e-3  # of a moped that rolls down a tenth of its way; a car regains less
FULL_PCT_S, FULL_PCT_M = 4 / 60, 1 / 100  # full power, over some minutes and over the way
LASTING_PCT, LASTING_PCT_S = 10.0, 2.5 / 60  # ... and for longer
STANDS_PCT_S = 3 / 3600  # of a standing vehicle that heats its cabin
USUAL_MS = 8.0  # of the time between two readings, what is not ridden at this speed may have been charged
NO_PLUG_S = 1800.0  # unplugged at both of two readings so close, nothing was charged
RECOVERS_PCT_S = 2 / 3600
MOVING_M = 5.0  # in a minute

RESOLUTIONS = (10.0, 5.0, 1.0, 0.5, 0.1, 0.01)
COARSE_PCT, SURELY = 1.0, 30  # a step above it is believed of so many readings


def resolutions(observations: pl.DataFrame) -> pl.DataFrame:
    """In which steps each vehicle tells its percent: `provider` `vehicle` `step_pct`, 1 for whole percents [%]."""
    soc = pl.col("soc_pct")
    sure = (soc.len() >= SURELY) & (soc.n_unique() > 1)
    fits = [
        (((soc / step).round() * step - soc).abs().max() < 1e-6) & (sure | pl.lit(step <= COARSE_PCT))
        for step in RESOLUTIONS[:-1]
    ]
    finest = pl.lit(RESOLUTIONS[-1])
    step = pl.coalesce(*(pl.when(fit).then(size) for fit, size in zip(fits, RESOLUTIONS, strict=False)), finest)
    return observations.drop_nulls("soc_pct").group_by(WHO, maintain_order=True).agg(step.alias("step_pct"))


def clean_soc(observations: pl.DataFrame, traits: pl.DataFrame | None = None) -> pl.DataFrame:
    """Observations whose percent is null where no battery can have had it.

    Parameters
    ----------
    observations : DataFrame with `provider` `vehicle` `at` `soc_pct` `way_m` `speed_kmh` `charging` `charge_state`
        `plugged`, by vehicle and time
    traits : DataFrame with `provider` `vehicle` `swappable` (without a pack, such a vehicle tells 0), or None: none is

    Returns
    -------
    `observations`, with fewer percents [%].

    Notes
    -----
    A percent falls by at most 4 % a minute, for longer 2.5 %, and 1 % in 100 m, standing by 3 % an hour (discharging as
    under way), and rises by at most 8 % a minute, under way by 1.5 % a kilometre. What sags or soars in motion, faster
    than that in both directions, is out. Of what contradicts itself at rest, the fewest readings are out that leave the
    rest possible; a jump that stays is kept.
    """
    rows = _limits(_with_packs(observations.with_row_index("row").drop_nulls("soc_pct"), traits))
    if not rows.select(doubtful().any()).item():
        return observations
    steady = _without_load(rows)
    out = pl.concat([rows.join(steady, on="row", how="anti")["row"], left_out(_limits(steady))])
    kept = pl.when(~pl.int_range(pl.len()).is_in(out.implode())).then("soc_pct")
    return observations.with_columns(kept.alias("soc_pct"))


def _with_packs(rows: pl.DataFrame, traits: pl.DataFrame | None) -> pl.DataFrame:
    """Rows with `swappable`, whether packs can be swapped."""
    if traits is None:
        return rows.with_columns(swappable=pl.lit(False))
    known = rows.join(traits.select(*WHO, "swappable"), on=WHO, how="left", maintain_order="left")
    return known.with_columns(pl.col("swappable").fill_null(False))


def _limits(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with `step_pct` since the row before, and by how much it can have risen (`rise_pct`) and fallen."""
    told = marked(rows.drop("fresh", strict=False))
    dt_s = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    known = told.with_columns(
        dt_s.alias("dt_s"),
        (pl.col("way_m") - before("way_m")).alias("d_m"),
        (pl.col("soc_pct") - before("soc_pct")).alias("step_pct"),
        _either(pl.col("charge_state") == "discharging").alias("drawn"),
        (pl.col("charging").not_() & before("charging").not_()).fill_null(False).alias("denied"),
        (pl.col("plugged").not_() & before("plugged").not_()).fill_null(False).alias("loose"),
    )
    return known.with_columns(_rise().fill_null(0.0).alias("rise_pct"), _fall().fill_null(0.0).alias("fall_pct"))


def _either(said: pl.Expr) -> pl.Expr:
    """Whether the row or the one before it says so."""
    here = said.fill_null(False)
    return here | (here.shift(1).fill_null(False) & ~pl.col("fresh"))


def _rise() -> pl.Expr:
    way_m = pl.col("d_m").fill_null(0.0)
    at_rest_s = (pl.col("dt_s") - way_m / USUAL_MS).clip(0.0)
    soon = pl.col("loose") & (pl.col("dt_s") <= NO_PLUG_S)
    by_time = pl.when(soon).then(at_rest_s * RECOVERS_PCT_S).otherwise(at_rest_s * CHARGER_PCT_S)
    return by_time + way_m * REGEN_PCT_M


def _fall() -> pl.Expr:
    by_time = pl.min_horizontal(pl.col("dt_s") * FULL_PCT_S, LASTING_PCT + pl.col("dt_s") * LASTING_PCT_S)
    ridden = pl.min_horizontal(by_time, pl.col("d_m") * FULL_PCT_M) + pl.col("dt_s") * STANDS_PCT_S
    return pl.when(pl.col("d_m").is_null() | pl.col("drawn")).then(by_time).otherwise(ridden)


# ---- under load ----------------------------------------------------------------------------------------------------


def _without_load(rows: pl.DataFrame) -> pl.DataFrame:
    """Without what sags in motion, and then without what soars there."""
    names = rows.filter(doubtful() & _moving()).select(WHO).unique()
    if not names.height:
        return rows
    sagging = rows.join(names, on=WHO, how="semi", maintain_order="left")
    steady = sagging.filter(~(_sags() & _moving()))
    level = _limits(steady).filter(~(_soars() & _moving()))
    others = rows.join(names, on=WHO, how="anti", maintain_order="left")
    return pl.concat([others, level.select(rows.columns)]).sort("row")


def _moving() -> pl.Expr:
    """Whether the vehicle moved in the last minute."""
    in_minute = pl.col("d_m").fill_null(0.0).rolling_sum_by("at", "60s").over(WHO)
    return (in_minute > MOVING_M) | (pl.col("speed_kmh") > STANDS_KMH).fill_null(False)


def _sags() -> pl.Expr:
    """Whether a battery that had the percents before and after cannot have had so little between."""
    soc, fallen, risen = pl.col("soc_pct"), *_summed()
    was = (soc + fallen).cum_max().over(WHO) - fallen
    comes = (soc - risen).cum_max(reverse=True).over(WHO) + risen
    return soc < pl.min_horizontal(was, comes) - SLACK_PCT


def _soars() -> pl.Expr:
    """Whether a battery that had the percents before and after cannot have had so much between."""
    soc, fallen, risen = pl.col("soc_pct"), *_summed()
    was = (soc - risen).cum_min().over(WHO) + risen
    comes = (soc + fallen).cum_min(reverse=True).over(WHO) - fallen
    return soc > pl.max_horizontal(was, comes) + SLACK_PCT


def _summed() -> tuple[pl.Expr, pl.Expr]:
    """How much can have fallen and risen until each row."""
    return pl.col("fall_pct").cum_sum().over(WHO), pl.col("rise_pct").cum_sum().over(WHO)
