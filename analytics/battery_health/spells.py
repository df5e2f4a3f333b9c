"""Spells: the time between two swaps of a vehicle, in which the same packs are in it; what was ridden on them.

Packs have no serial number. Their count of cycles is a weak one: who left with 200 comes back with 200, or 201 after a
charge. Analytics facts, 3.0 and F9.
"""

from datetime import timedelta

import polars as pl

from analytics.battery_health.effort import even_km
from analytics.frames import WHO
from analytics.observations.power import SIGNS

BACK = timedelta(days=60)  # after which a pack that comes back is not known again: ever more would agree by chance
APART = 10  # shifts of the count at which packs that agree do so by chance
MODEL = ("provider", "model")
_SUMS = ("km", "blind_km", "drag", "rush", "used_pct", "tilted_pct", "polled_km", "polled_wh", "motor_km", "motor_wh")
_CYCLES = ("first_low", "first_high", "last_low", "last_high")
_KEY = (*WHO, "since")
_VEHICLES = 100  # together, so that memory stays flat: each spell is beside all of its vehicle


def spells(stretches: pl.DataFrame) -> pl.DataFrame:
    """The spells of vehicles, cut where months begin.

    Parameters
    ----------
    stretches : DataFrame of `stretches`, by vehicle and time

    Returns
    -------
    DataFrame by vehicle and `since`, the moment of the swap or the month's beginning: `month`, `spell` (a number that
    the parts of one share), `ports`, the least and the most cycles when it began and ended, their mean `cycles`, and
    the sums of `stretches`. Null where nobody asked the packs. A part is told by itself and by those before it.
    """
    rows = stretches.sort(*WHO, "time").with_columns(
        pl.col("swapped").cast(pl.Int64).cum_sum().over(WHO).alias("spell"),
        pl.col("time").dt.truncate("1mo").alias("month"),
    )
    since = pl.when(pl.col("swapped").first()).then(pl.col("time").first()).otherwise(pl.col("month").first())
    ends = [getattr(pl.col(name).drop_nulls(), name.partition("_")[0])().alias(name) for name in _CYCLES]
    parts = rows.group_by(*WHO, "month", "spell", maintain_order=True).agg(
        since.alias("since"), pl.col("ports").max(), *ends, pl.col(_SUMS).sum()
    )
    mean = pl.sum_horizontal(_CYCLES, ignore_nulls=False) / len(_CYCLES)
    return parts.with_columns(mean.alias("cycles"))


def measured(spells: pl.DataFrame) -> pl.DataFrame:
    """What spells say in the terms of their model.

    Parameters
    ----------
    spells : the frame of `spells` with `percent_slope`, `motor_power_sign`, `even_km`, `even_drag`, `even_rush` of the
        model, null where nobody knows

    Returns
    -------
    `spells` with `km` (even), `used_pct` (as at 50 % [%]), `seen_km` (even) and `seen_wh`, what readings of power say.
    """
    way = even_km("km", "drag", "rush") + pl.col("blind_km")
    whole = pl.col("km") + pl.col("blind_km")
    by_motor = (pl.col("polled_km") == 0) & pl.col("motor_power_sign").is_not_null()
    turn = pl.col("motor_power_sign").replace_strict(SIGNS, default=None, return_dtype=pl.Float64())
    seen_km = pl.when(by_motor).then("motor_km").otherwise("polled_km")
    seen_wh = pl.when(by_motor).then(pl.col("motor_wh") * turn).otherwise("polled_wh")
    return spells.with_columns(
        way.alias("km"),
        (pl.col("used_pct") + pl.col("percent_slope").fill_null(0.0) * pl.col("tilted_pct")).alias("used_pct"),
        (seen_km * pl.when(whole > 0).then(way / whole).otherwise(1.0)).alias("seen_km"),
        seen_wh.alias("seen_wh"),
    )


# ---- packs that come back ------------------------------------------------------------------------------------------


def _pairs(spells: pl.DataFrame) -> pl.DataFrame:
    """Spells of a vehicle and its earlier ones, and `shift`: by how many pairs of cycles all packs are apart."""
    who = spells.select(WHO).unique().sort(WHO)
    parts = [spells.join(some, on=WHO, how="semi") for some in who.iter_slices(_VEHICLES)]
    return pl.concat([_paired(part) for part in parts or [spells]])


def _paired(spells: pl.DataFrame) -> pl.DataFrame:
    told = spells.drop_nulls("cycles").select(*WHO, "since", "spell", "ports", *_CYCLES)
    begun = told.filter(pl.col("since") == pl.col("since").min().over(*WHO, "spell"))
    ended = told.filter(pl.col("since") == pl.col("since").max().over(*WHO, "spell"))
    both = begun.join(ended, on=[*WHO, "ports"], suffix="_then")
    ago = pl.col("since") - pl.col("since_then")
    both = both.filter((ago > timedelta(0)) & (ago <= BACK))
    low, high = ((pl.col(f"first_{end}") - pl.col(f"last_{end}_then")).floordiv(2) for end in ("low", "high"))
    return both.with_columns(low.alias("shift")).filter(low == high)


def returning(spells: pl.DataFrame) -> pl.DataFrame:
    """How sure it is that packs with the count of cycles of earlier ones in the same vehicle are the same.

    Parameters
    ----------
    spells : the frame of `spells` with `model`

    Returns
    -------
    DataFrame `provider` `model` `same`: 1 less the pairs that agree by chance, as often as they do with a count that is
    1 to 20 too low, which no pack ever is, per pair that agrees. 0 where none does.
    """
    pairs = _pairs(spells).join(spells.select(*_KEY, "model"), on=_KEY)
    agree = (pl.col("shift") == 0).sum()
    chance = pl.col("shift").is_between(-APART, -1).sum() / APART
    found = pairs.group_by(MODEL).agg(pl.when(agree > 0).then((1 - chance / agree).clip(0.0)).alias("same"))
    models = spells.select(MODEL).unique().drop_nulls().sort(MODEL)
    return models.join(found, on=MODEL, how="left", maintain_order="left").with_columns(pl.col("same").fill_null(0.0))


def numbered(spells: pl.DataFrame) -> pl.DataFrame:
    """Spells with `pack`: the same number where packs came back within 60 days, with their cycles or one more.

    Who left comes back once; of several that agree it is the one that left last. So how far back spells are told
    changes nothing of later ones whose packs were asked.

    Parameters
    ----------
    spells : the frame of `spells` with `known`, whether packs that agree in their cycles are held to be the same
    """
    agree = _pairs(spells).filter(pl.col("shift") == 0).group_by(_KEY).agg(pl.col("since_then").sort(descending=True))
    goes_on = pl.col("since").shift(1).over(*WHO, "spell").alias("goes_on")
    keys = (
        spells.join(agree, on=_KEY, how="left").sort(_KEY).select(*_KEY, goes_on, pl.when("known").then("since_then"))
    )
    number: dict[tuple[object, ...], int] = {}
    back: set[tuple[object, ...]] = set()
    for provider, vehicle, since, before, left in keys.iter_rows():
        pack = (provider, vehicle, before)
        if before is None and (free := [at for at in left or () if (provider, vehicle, at) not in back]):
            pack = (provider, vehicle, free[0])
            back.add(pack)
        number[provider, vehicle, since] = number.get(pack, len(number))
    named = keys.select(_KEY).with_columns(pl.Series("pack", list(number.values()), pl.Int64()))
    return spells.join(named, on=_KEY, how="left", maintain_order="left")
