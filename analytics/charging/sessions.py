"""Charges: sessions that vehicles report, rises of the percent that nobody reported, and swaps beside them.

The rules are those of the analytics facts, 4.2. Energy is that at the battery's terminals, positive when added.
"""

import polars as pl

from analytics.charging.swaps import CHARGER_PCT_H, RISE_PCT
from analytics.frames import WHO, as_of, before, carried, marked, ordered
from analytics.observations.capacity import sure
from analytics.observations.charge_power import integrals
from logger.tables import shaped

PAUSE_S = 600.0  # a session goes on if it is heard of again so soon
SILENCE_S = 1800.0  # a wider window says nothing of where in it a session began or ended
MOVED_M = 30.0
COUNT_SD_PCT = 0.408  # of a difference of two whole percents (facts 2.2)
BMS_SD_PCT = 1.0  # of what batteries say that a charge added, beside the rounding (facts 3.2)
LOST, LOST_SD = 0.05, 0.03  # of what a battery gives, more goes in: facts, 4.2 (carculator)
POWER_SD = 0.01  # of charging power integrated over polls of 60 to 300 s (facts F4)
COVERED = 0.8  # the least share of a session over which power must be known
EFFICIENCY = (0.75, 1.0)  # outside, wall and battery contradict each other
_MS = pl.Datetime("ms", "UTC")
_SESSION = (*WHO, "session")


def charges(
    readings: pl.DataFrame, batteries: pl.DataFrame, swaps: pl.DataFrame, known: pl.DataFrame, fixes: pl.DataFrame
) -> pl.DataFrame:
    """Charges and swaps.

    Parameters
    ----------
    readings, batteries, swaps, fixes : DataFrames of `READINGS`, `BATTERIES`, `SWAPS` and `FIXES`, each in its order
    known : as for `energy.trips.energies`

    Returns
    -------
    DataFrame of `charges` by vehicle and start; `place`, `cost` and `currency` are null.

    Notes
    -----
    `kind` is `charge` where a vehicle said that it charges or its percent rose step by step, `inferred` where two
    readings alone show it: then it lies between `started_at` and `finished_at`. A start or an end is the middle of the
    window that readings leave; where that is wider than 30 min, it is the nearest reading inside the session, flagged
    `start_unsure` or `finish_unsure`. `energy_source` is `power` where `power_w` covers 80 % of the session, else
    `soc`, which is capacity times percent, and the 5 % that go in beyond what comes out; a session within one step of
    the percent has an interval and no value.
    A swap, too, lies between its two times; it adds percent and no charged energy. An unreported rise of a vehicle
    whose packs are swapped may be a swap that nobody saw (`or_swap`): its energy is null, with an interval from 0.
    Other flags: `unreported`, `open` (no reading after it), `efficiency_odd`. `charge_id` follows from vehicle, kind,
    port, odometer and percent at the start.
    """
    spoken = _spoken(readings, batteries)
    sessions = _sessions(spoken, swaps)
    rises = _rises(spoken, sessions, swaps)
    told = pl.concat([_told(sessions), rises], how="diagonal")
    charged = _energies(_metered(told, batteries), known)
    every = pl.concat([charged, _swapped(swaps)], how="diagonal")
    return _named(_placed(every, fixes), readings).sort(*WHO, "started_at", "kind", "port")


def _spoken(readings: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """What status and battery query say of charging, in one order; the percent is the display's where there is one.

    It is carried on to rows that say none; `own_pct` is null there.
    """
    shown = readings.drop_nulls("soc_pct").select(WHO).unique().with_columns(shown=True)
    asked = batteries.join(shown, on=WHO, how="left", maintain_order="left").select(
        *WHO,
        "at",
        charging="bms_charging",
        soc_pct=pl.when(pl.col("shown").is_null()).then("bms_soc_pct"),
        asked=pl.lit(1),
    )
    told = readings.select(*WHO, "at", "charging", "soc_pct", "way_m", asked=pl.lit(0))
    both = pl.concat([told, asked], how="diagonal").with_columns(pl.col("soc_pct").alias("own_pct"))
    return carried(ordered(both, "at", "asked"), "soc_pct", "way_m")


# ---- sessions ------------------------------------------------------------------------------------------------------


def _sessions(spoken: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """One row a session: its first and last moment that said so, and the readings around it."""
    around = marked(spoken.drop_nulls("charging")).with_columns(
        *(before(name).alias(f"{name}_before") for name in ("at", "soc_pct")),
        *(pl.when(~pl.col("fresh").shift(-1)).then(pl.col(name).shift(-1)).alias(f"{name}_after")
          for name in ("at", "soc_pct")),
        paused=before("charging").not_(),
    ).filter("charging")  # fmt: skip
    told = marked(around)
    silent = (pl.col("at") - before("at")).dt.total_milliseconds() > 1000 * PAUSE_S
    moved = (pl.col("way_m") - before("way_m")) > MOVED_M
    other = pl.col("fresh") | (silent & pl.col("paused")) | moved | (_swap_until(told, "at", swaps) > before("at"))
    numbered = told.with_columns(session=other.fill_null(False).cum_sum())
    found = numbered.group_by(_SESSION, maintain_order=True).agg(
        pl.col("at").first().alias("first_at"), pl.col("at").last().alias("last_at"),
        pl.col("at_before", "soc_pct_before").first(), pl.col("at_after", "soc_pct_after").last(),
        pl.col("soc_pct").first().alias("soc_first_pct"), pl.col("soc_pct").last().alias("soc_last_pct"),
    )  # fmt: skip
    return _of_one_pack(found, swaps)


def _of_one_pack(sessions: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    """Without what another pack said, right before a session or right after it."""
    was_other = (_swap_until(sessions, "first_at", swaps) > sessions["at_before"]).fill_null(False)
    is_other = (_swap_until(sessions, "at_after", swaps) > sessions["last_at"]).fill_null(False)
    return sessions.with_columns(
        soc_pct_before=pl.when(was_other).then("soc_first_pct").otherwise("soc_pct_before"),
        soc_pct_after=pl.when(~is_other).then("soc_pct_after"),
    )


def _swap_until(rows: pl.DataFrame, end: str, swaps: pl.DataFrame) -> pl.Series:
    """When the vehicle's last swap until this end of each row was."""
    places = rows.select(*WHO, end).with_row_index("row").sort(end)
    moments = swaps.select(*WHO, swap_at="at").sort("swap_at")
    found = places.join_asof(moments, left_on=end, right_on="swap_at", by=WHO, check_sortedness=False)
    return found.sort("row")["swap_at"]


def _told(sessions: pl.DataFrame) -> pl.DataFrame:
    near_before = _seconds("at_before", "first_at") <= SILENCE_S
    near_after = _seconds("last_at", "at_after") <= SILENCE_S
    made = sessions.select(
        *WHO,
        pl.lit("charge").alias("kind"),
        pl.when(near_before).then(_middle("at_before", "first_at")).otherwise("first_at").alias("started_at"),
        pl.when(near_after).then(_middle("last_at", "at_after")).otherwise("last_at").alias("finished_at"),
        pl.when(near_before).then("soc_pct_before").otherwise("soc_first_pct").alias("soc_start_pct"),
        pl.max_horizontal("soc_last_pct", pl.when(near_after).then("soc_pct_after")).alias("soc_finish_pct"),
        pl.when(~near_before.fill_null(False)).then(pl.lit("start_unsure")).alias("unsure_start"),
        pl.when(~near_after.fill_null(False) & pl.col("at_after").is_not_null()).then(pl.lit("finish_unsure"))
        .alias("unsure_finish"),
        pl.when(pl.col("at_after").is_null()).then(pl.lit("open")).alias("still"),
        (pl.col("first_at") == pl.col("last_at")).alias("once"),
    )  # fmt: skip
    flicker = pl.col("once") & ~(pl.col("soc_finish_pct") > pl.col("soc_start_pct")).fill_null(False)
    return made.filter(~flicker).drop("once")


def _seconds(begin: str, end: str) -> pl.Expr:
    return (pl.col(end) - pl.col(begin)).dt.total_milliseconds() / 1000


def _middle(begin: str, end: str) -> pl.Expr:
    return (pl.col(begin) + (pl.col(end) - pl.col(begin)) / 2).cast(_MS)


# ---- rises that nobody reported ------------------------------------------------------------------------------------


def _rises(spoken: pl.DataFrame, sessions: pl.DataFrame, swaps: pl.DataFrame) -> pl.DataFrame:
    flagged = spoken.with_columns(flag=pl.col("charging").forward_fill().over(WHO).fill_null(False))
    steps = flagged.drop_nulls("own_pct").select(
        *WHO, before("at").alias("since"), pl.col("at").alias("until"), before("soc_pct").alias("soc_start_pct"),
        pl.col("soc_pct").alias("soc_finish_pct"), (pl.col("way_m") - before("way_m")).alias("moved_m"),
        (pl.col("flag") | before("flag")).alias("reported"),
    ).drop_nulls("since")  # fmt: skip
    still = (pl.col("moved_m").fill_null(0.0) <= MOVED_M) | (_seconds("since", "until") > PAUSE_S)
    up = steps.filter((pl.col("soc_finish_pct") > pl.col("soc_start_pct")) & still & ~pl.col("reported"))
    alone = _without(up, sessions.select(*WHO, begin="first_at", end="last_at"))
    grouped = _grouped(_without(alone, swaps.select(*WHO, begin="since", end="until")))
    often = swaps.select(WHO).unique().with_columns(doubt=pl.lit("or_swap"))
    return grouped.join(often, on=WHO, how="left")


def _without(steps: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Steps that no span of their vehicle overlaps."""
    pairs = steps.select(*WHO, "since", "until").join(spans, on=WHO)
    inside = pairs.filter((pl.col("begin") < pl.col("until")) & (pl.col("end") > pl.col("since")))
    return steps.join(inside, on=[*WHO, "until"], how="anti", maintain_order="left")


def _grouped(steps: pl.DataFrame) -> pl.DataFrame:
    rows = marked(steps)
    apart_s = (pl.col("since") - before("until")).dt.total_milliseconds() / 1000
    fell = pl.col("soc_start_pct") < before("soc_finish_pct")
    new = (pl.col("fresh") | (apart_s > SILENCE_S) | fell).fill_null(True).cum_sum()
    groups = rows.with_columns(session=new).group_by(_SESSION, maintain_order=True).agg(
        pl.col("since").first().alias("started_at"), pl.col("until").last().alias("finished_at"),
        pl.col("soc_start_pct").first(), pl.col("soc_finish_pct").last(),
        pl.when(pl.len() == 1).then(pl.lit("inferred")).otherwise(pl.lit("charge")).alias("kind"),
    )  # fmt: skip
    rise, hours = pl.col("soc_finish_pct") - pl.col("soc_start_pct"), _seconds("started_at", "finished_at") / 3600
    slow = groups.filter((rise > RISE_PCT) & (rise <= RISE_PCT + CHARGER_PCT_H * hours))
    return slow.drop("session").with_columns(unreported=pl.lit("unreported"))


# ---- energy --------------------------------------------------------------------------------------------------------


def _metered(told: pl.DataFrame, batteries: pl.DataFrame) -> pl.DataFrame:
    """`power_wh`, `power_covered` and `peak_w` at the battery, `wall_wh` where the charger's power is known."""
    rows = told.with_columns(duration_s=_seconds("started_at", "finished_at"))
    inside = integrals(rows, batteries, "power_w")
    wall = integrals(rows, batteries, "charger_power_w").select(
        *WHO, "started_at", wall_wh=pl.when(pl.col("power_covered") >= COVERED).then("power_wh")
    )
    return rows.join(inside, on=[*WHO, "started_at"], how="left").join(wall, on=[*WHO, "started_at"], how="left")


def _energies(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    capacity = as_of(rows, "started_at", sure(known).drop("wh_per_km", "wh_per_km_sd", "percent_slope"))
    added = capacity.with_columns(soc_added_pct=pl.col("soc_finish_pct") - pl.col("soc_start_pct"))
    measured = (pl.col("power_covered") >= COVERED).fill_null(False)
    ends = zip(("energy_wh", "energy_low_wh", "energy_high_wh"), _by_power(), _by_soc(), strict=True)
    chosen = added.with_columns(pl.when(measured).then(power).otherwise(soc).alias(name) for name, power, soc in ends)
    source = pl.when(measured).then(pl.lit("power")).otherwise(pl.lit("soc"))
    return _rates(
        chosen.with_columns(pl.when(pl.col("energy_high_wh").is_not_null()).then(source).alias("energy_source"))
    )


def _by_power() -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Value, low and high [Wh]: the integral of power; where it is not known, there was as much again, or nothing."""
    value = pl.col("power_wh")
    sd = ((POWER_SD * value) ** 2 + (value * (1 - pl.col("power_covered"))) ** 2 / 3).sqrt()
    return value, (value - 1.96 * sd).clip(0.0), value + 1.96 * sd


def _by_soc() -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Value, low and high [Wh]: capacity times percent, and what is lost in the battery on the way in and out.

    No value within a step, nor where a swap is as likely.
    """
    percent_wh = pl.col("capacity_wh") / 100 * (1 + LOST)
    value = percent_wh * pl.col("soc_added_pct").clip(0.0)
    scale = pl.col("capacity_sd") ** 2 + LOST_SD**2
    half = 1.96 * ((COUNT_SD_PCT**2 + BMS_SD_PCT**2) * percent_wh**2 + scale * value**2).sqrt()
    sure = (value > 0) & pl.col("doubt").is_null()
    return pl.when(sure).then(value), pl.when(sure).then(value - half).otherwise(0 * value).clip(0.0), value + half


def _rates(rows: pl.DataFrame) -> pl.DataFrame:
    """Mean power, of a session whose window is its duration, and efficiency where wall and battery are both known."""
    placed = (pl.col("kind") == "charge") & (pl.col("duration_s") > 0)
    low, high = EFFICIENCY
    efficiency = pl.when(pl.col("wall_wh") > 0).then(pl.col("energy_wh") / pl.col("wall_wh"))
    odd = pl.when(~efficiency.is_between(low, high)).then(pl.lit("efficiency_odd"))
    mean = pl.when(placed).then(pl.col("energy_wh") * 3600 / pl.col("duration_s"))
    return rows.with_columns(mean.alias("mean_w"), efficiency.alias("efficiency"), odd.alias("odd"))


# ---- swaps, places, names ------------------------------------------------------------------------------------------


def _swapped(swaps: pl.DataFrame) -> pl.DataFrame:
    zero = [pl.lit(0.0).alias(name) for name in ("energy_wh", "energy_low_wh", "energy_high_wh")]
    return swaps.select(
        *WHO, "port", pl.lit("swap").alias("kind"), pl.col("since").alias("started_at"),
        pl.col("until").alias("finished_at"), pl.col("soc_before_pct").alias("soc_start_pct"),
        pl.col("soc_after_pct").alias("soc_finish_pct"),
        (pl.col("soc_after_pct") - pl.col("soc_before_pct")).alias("soc_added_pct"), *zero,
    )  # fmt: skip


def _placed(rows: pl.DataFrame, fixes: pl.DataFrame) -> pl.DataFrame:
    """The last position before a charge ended; one from before it began may be of another place."""
    told = fixes.select(*WHO, "lat_deg", "lon_deg", fixed_at="at").sort("fixed_at")
    found = rows.sort("finished_at").join_asof(
        told, left_on="finished_at", right_on="fixed_at", by=WHO, check_sortedness=False
    )
    late = pl.col("fixed_at") >= pl.col("started_at") - pl.duration(milliseconds=round(1000 * PAUSE_S))
    return found.with_columns(pl.when(late).then(name).alias(name) for name in ("lat_deg", "lon_deg"))


def _named(rows: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    told = readings.drop_nulls("odometer_m").select(*WHO, "odometer_m", counted_at="at").sort("counted_at")
    known = rows.sort("started_at").join_asof(
        told, left_on="started_at", right_on="counted_at", by=WHO, check_sortedness=False
    )
    start = [pl.col(name).round().cast(pl.Int64) for name in ("odometer_m", "soc_start_pct")]
    counter = pl.concat_str(*WHO, "kind", pl.col("port").fill_null(""), *start, separator="/")
    moment = pl.concat_str(*WHO, "kind", pl.col("port").fill_null(""), separator="/") + pl.format(
        "@{}", pl.col("started_at").dt.epoch("ms")
    )
    name = pl.when(counter.is_first_distinct()).then(counter).otherwise(moment).fill_null(moment)
    words = ("unsure_start", "unsure_finish", "still", "unreported", "doubt", "odd")
    flags = pl.concat_list(pl.col(word).cast(pl.String) for word in words).list.drop_nulls().list.sort()
    some = pl.when(flags.list.len() > 0).then(flags)
    return shaped(known.with_columns(name.alias("charge_id"), some.alias("flags"), time="started_at"), "charges")
