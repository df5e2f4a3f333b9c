"""Energy that charges added: reported, by power, by the battery's content, by percent; the first that is known."""

import polars as pl

from analytics.charging.spans import seconds
from analytics.frames import WHO, as_of
from analytics.observations.capacity import LEAST_WH, MOST_WH, sure
from analytics.observations.charge_power import integrals, read_throughout
from analytics.observations.content import SCALE_SD, content_used

COUNT_SD_PCT = 0.408  # of a difference of two whole percents, or of steps of a coarser one (facts 2.2)
BMS_SD_PCT = 1.0  # of what batteries say that a charge added, beside the rounding (facts 3.2)
LOST, LOST_SD = 0.05, 0.03  # of what a battery gives, more goes in: facts, 4.2 (carculator)
POWER_SD = 0.01  # of charging power integrated over polls of 60 to 300 s (facts F4)
REPORTED_SD = 0.025  # of a counter that nobody has checked
COVERED = 0.8  # the least share of a session over which power must be known
COUNTED = 0.5  # ... after which a counter must have been told
AGREE_SD = 2.0  # two estimates farther apart than that contradict each other
ROSE_PCT = 4.0  # a percent that rose by more did rise
NEAR_S = 600.0  # a content told so long before a charge or after it is of its ends
PARTLY = 0.5  # ... where nothing else tells its energy
_WORDS = {"reported": "reported", "power": "power", "content": "content", "soc": "soc", "partly": "power"}
_SOURCES = tuple(_WORDS)  # who is believed before whom
_NAMES = ("energy_wh", "energy_low_wh", "energy_high_wh")
_Z = 1.96


def metered(
    sessions: pl.DataFrame, batteries: pl.DataFrame, counted: pl.DataFrame, percents: pl.DataFrame
) -> pl.DataFrame:
    """Sessions with what batteries, chargers and counters tell of them.

    Parameters
    ----------
    sessions : DataFrame of `SESSIONS` with `step_pct`, in which steps the percent is told, null where it is not
    batteries : DataFrame of `BATTERIES`
    counted : DataFrame of `added.added`
    percents : DataFrame with `provider` `vehicle` `at` `soc_pct`

    Returns
    -------
    DataFrame of the sessions with `duration_s`, `power_wh`, `power_covered` and `peak_w` at the battery, `read_wh` and
    `read_pct` of `charge_power.read_throughout`, `wall_wh`
    where the charger's power is known, `added_ah` where the current is, `content_wh` and `content_sd_wh` (positive
    where it rose), and the columns of `counted`.
    """
    rows = sessions.with_columns(duration_s=seconds("started_at", "finished_at"))
    inside = integrals(rows, batteries, "power_w")
    wall = integrals(rows, batteries, "charger_power_w").select(
        *WHO, "started_at", wall_wh=pl.when(pl.col("power_covered") >= COVERED).then("power_wh")
    )
    added_ah = integrals(rows, batteries, "current_a").select(
        *WHO, "started_at", added_ah=pl.when(pl.col("power_covered") >= COVERED).then("power_wh")
    )
    rose = rows.select(*WHO, started_at="rose_from", finished_at="rose_to")
    content = content_used(rose, batteries, NEAR_S).with_columns(-pl.col("content_wh"))
    told = rows.hstack(content)
    for each in (inside, read_throughout(rows, batteries, percents), wall, added_ah, counted):
        told = told.join(each, on=[*WHO, "started_at"], how="left", maintain_order="left")
    return told


def energies(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Rows of `metered` with `soc_added_pct`, `energy_wh` and its 95 % interval, `energy_source` and `reason`.

    Parameters
    ----------
    known : as for `energy.trips.energies`

    Notes
    -----
    `reported` is the rise of `charge_added_wh`, if it was told in the second half of the rise; then `power`, if it
    covers 80 % of the session; then `content`, then `soc`, which is capacity times percent; of these two, 5 % more
    go in than come out; then `power` that covers half of it. What says less than 1 Wh or more than 20 kWh for each
    percent that rose is of another unit or sign, or frozen: it does not count. What another estimate contradicts by
    more than two standard errors has a wider interval. By percent, a session within one step has an interval and no
    value, and so has a rise that may be a swap.
    `reason` tells why nothing is known: `no_percent`, `no_capacity`; `sign` is `power_sign` where power flows out
    of a battery whose percent rises.
    """
    capacity = as_of(rows, "started_at", sure(known).drop("wh_per_km", "wh_per_km_sd", "percent_slope"))
    told = capacity.with_columns(soc_added_pct=pl.col("soc_finish_pct") - pl.col("soc_start_pct"))
    made = told.with_columns(*_reported(), *_by_power(), *_by_content(), *_by_soc(), *_read())
    turned = pl.when(pl.col("read_wh") < 0).then(pl.lit("power_sign")).alias("sign")
    wider = (_apart() / AGREE_SD).clip(1.0).fill_null(1.0)
    ends = {source: _ends(source, wider) for source in _SOURCES}
    source = pl.coalesce(pl.when(high.is_not_null()).then(pl.lit(name)) for name, (*_, high) in ends.items())
    chosen = [
        pl.coalesce(pl.when(source == word).then(each[place]) for word, each in ends.items()).alias(name)
        for place, name in enumerate(_NAMES)
    ]
    return made.with_columns(*chosen, source.replace(_WORDS).alias("energy_source"), _reason(), turned)


def _is_plausible(name: str) -> pl.Expr:
    """Whether something was added, and as much as batteries hold for each percent that surely rose."""
    rose = pl.when(pl.col("soc_added_pct") > ROSE_PCT).then("soc_added_pct")
    fits = pl.col(name).is_between(rose * LEAST_WH / 100, rose * MOST_WH / 100)
    return (pl.col(name) > 0) & fits.fill_null(True)


def _reported() -> list[pl.Expr]:
    """The rise of the counter; what came after its last word may have been as much again for its time, or nothing."""
    enough = pl.when((pl.col("added_covered") >= COUNTED) & _is_plausible("added_wh"))
    value = pl.col("added_wh")
    unseen = value * (1 / pl.col("added_covered") - 1) / 3**0.5
    step = COUNT_SD_PCT * pl.col("added_step_wh").fill_null(0.0)
    sd = ((REPORTED_SD * value) ** 2 + unseen**2 + pl.min_horizontal(step, REPORTED_SD * value) ** 2).sqrt()
    return [enough.then(value).alias("reported_wh"), enough.then(sd).alias("reported_sd")]


def _by_power() -> list[pl.Expr]:
    """The integral of power; where it is not known, there was as much again, or nothing."""
    value, covered = pl.col("power_wh"), pl.col("power_covered")
    sd = ((POWER_SD * value) ** 2 + (value * (1 - covered)) ** 2 / 3).sqrt()
    plausible, most = _is_plausible("power_wh"), covered >= COVERED
    enough, partly = pl.when(plausible & most), pl.when(plausible & ~most & (covered >= PARTLY))
    return [
        each.then(part).alias(f"{name}_{unit}")
        for name, each in (("power", enough), ("partly", partly))
        for unit, part in (("wh", value), ("sd", sd))
    ]


def _read() -> list[pl.Expr]:
    """What was read throughout, where the percent surely rose meanwhile, and by as much as batteries hold.

    Of a power of the other sign it is below 0.
    """
    rose = pl.col("read_pct") > ROSE_PCT
    fits = pl.col("read_wh").abs().is_between(pl.col("read_pct") * LEAST_WH / 100, pl.col("read_pct") * MOST_WH / 100)
    return [pl.when(rose & fits).then(name).alias(name) for name in ("read_wh", "read_pct")]


def _by_content() -> list[pl.Expr]:
    """The rise of the battery's content, and what is lost in it on the way in and out."""
    rose = pl.when(_is_plausible("content_wh"))
    value = pl.col("content_wh") * (1 + LOST)
    sd = (pl.col("content_sd_wh") ** 2 + (SCALE_SD**2 + LOST_SD**2) * value**2).sqrt()
    return [rose.then(value).alias("content_wh"), rose.then(sd).alias("content_sd")]


def _by_soc() -> list[pl.Expr]:
    """Capacity times percent, and what is lost in the battery on the way in and out."""
    percent_wh = pl.col("capacity_wh") / 100 * (1 + LOST)
    value = percent_wh * pl.col("soc_added_pct").clip(0.0)
    scale = pl.col("capacity_sd") ** 2 + LOST_SD**2
    count = COUNT_SD_PCT * pl.col("step_pct").fill_null(1.0)
    sd = ((count**2 + BMS_SD_PCT**2) * percent_wh**2 + scale * value**2).sqrt()
    return [value.alias("soc_wh"), sd.alias("soc_sd")]


def _apart() -> pl.Expr:
    """By how many standard errors the two estimates differ that differ most; null where there is only one."""
    pairs = [(one, other) for place, one in enumerate(_SOURCES) for other in _SOURCES[place + 1 :]]
    return pl.max_horizontal(
        (pl.col(f"{one}_wh") - pl.col(f"{other}_wh")).abs()
        / (pl.col(f"{one}_sd") ** 2 + pl.col(f"{other}_sd") ** 2).sqrt()
        for one, other in pairs
    )


def _ends(source: str, wider: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Value, low and high [Wh]."""
    value, half = pl.col(f"{source}_wh"), _Z * wider * pl.col(f"{source}_sd")
    if source != "soc":
        return value, (value - half).clip(0.0), value + half
    sure = (value > 0) & ~pl.col("flags").list.contains("or_swap").fill_null(False)
    return pl.when(sure).then(value), pl.when(sure).then(value - half).otherwise(0 * value).clip(0.0), value + half


def _reason() -> pl.Expr:
    bare = pl.any_horizontal(pl.col("soc_start_pct", "soc_finish_pct").is_null())
    nothing = pl.all_horizontal(pl.col(f"{source}_wh").is_null() for source in _SOURCES)
    why = pl.when(bare).then(pl.lit("no_percent")).otherwise(pl.lit("no_capacity"))
    return pl.when(nothing).then(why).alias("reason")
