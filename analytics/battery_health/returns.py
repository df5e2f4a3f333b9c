"""Packs that come back to a vehicle: known again by their count of cycles, where that tells one from another.

Who left with 200 cycles comes back with 200, or 201 after a charge. Whether counts of a model tell packs apart is asked
of the fleet itself. Analytics facts, 3.0 and F9.
"""

from datetime import timedelta

import polars as pl

from analytics.frames import WHO

BACK = timedelta(days=60)  # after which a pack that comes back is not known again: ever more would agree by chance
SAME = 0.9  # as sure must it be that packs with the same count are the same
_APART = 10  # pairs of counts by which packs differ that agree by chance
_VEHICLES = 100  # together, so that memory stays flat: each stint is beside all of its vehicle
_MODEL = ("provider", "model")
_STINT = (*WHO, "stint_id")
_CYCLES = ("first_cycles", "last_cycles")


def packs_return(parts: pl.DataFrame) -> pl.DataFrame:
    """How sure it is that packs with the count of cycles of earlier ones in the same vehicle are the same.

    Parameters
    ----------
    parts : DataFrame with `provider` `vehicle` `model` `stint_id` `since` `first_cycles` `last_cycles`; several of one
        stint

    Returns
    -------
    DataFrame `provider` `model` `packs_return`: 1 less the pairs that agree by chance, as often as they do with a count
    that is 1 to 20 too low, which no pack ever is, per pair that agrees. 0 where none does.
    """
    pairs = _pairs(parts).join(parts.select(*_STINT, "model").unique(), on=_STINT)
    agree = (pl.col("pair") == 0).sum()
    chance = pl.col("pair").is_between(-_APART, -1).sum() / _APART
    found = pairs.group_by(_MODEL).agg(pl.when(agree > 0).then((1 - chance / agree).clip(0.0)).alias("packs_return"))
    models = parts.select(_MODEL).unique().drop_nulls().sort(_MODEL)
    return models.join(found, on=_MODEL, how="left", maintain_order="left").with_columns(
        pl.col("packs_return").fill_null(0.0)
    )


def with_packs(parts: pl.DataFrame) -> pl.DataFrame:
    """Parts with `pack`: the same number where the same packs came back within 60 days, with their cycles or one more.

    Who left comes back once; of several that agree it is the one that left last. So how far back stints are known
    changes nothing of later ones.

    Parameters
    ----------
    parts : as of `packs_return`, with that of the model, null where nobody knows
    """
    sure = parts.filter((pl.col("packs_return") >= SAME).fill_null(False))
    agree = _pairs(sure).filter(pl.col("pair") == 0).sort(*WHO, "since", "since_then", descending=True)
    earlier = agree.group_by(_STINT, maintain_order=True).agg("stint_id_then")
    stints = parts.group_by(_STINT).agg(pl.col("since").min()).join(earlier, on=_STINT, how="left")
    number: dict[tuple[object, ...], int] = {}
    back: set[tuple[object, ...]] = set()
    rows = stints.sort(*WHO, "since").select(*_STINT, "stint_id_then").rows()
    for provider, vehicle, stint, left in rows:
        stood = (provider, vehicle, stint)
        if free := [each for name in left or () if (each := (provider, vehicle, name)) not in back]:
            back.add(free[0])
            stood = free[0]
        number[provider, vehicle, stint] = number.get(stood, len(number))
    named = pl.DataFrame([(*key, pack) for key, pack in number.items()], schema=_PACKS, orient="row")
    return parts.join(named, on=_STINT, how="left", maintain_order="left")


_PACKS = {**dict.fromkeys(_STINT, pl.String()), "pack": pl.Int64()}


def _pairs(parts: pl.DataFrame) -> pl.DataFrame:
    """Stints of a vehicle and its earlier ones, and `pair`: by how many pairs of cycles their packs are apart."""
    rows = parts.drop_nulls(_CYCLES).sort("since")
    ends = rows.group_by(_STINT, maintain_order=True).agg(
        pl.col("since").first(), pl.col("since").last().alias("last_since"), pl.col("first_cycles").first(),
        pl.col("last_cycles").last(),
    )  # fmt: skip
    who = ends.select(WHO).unique().sort(WHO)
    parted = [_pair_stints(ends.join(some, on=WHO, how="semi")) for some in who.iter_slices(_VEHICLES)]
    return pl.concat(parted or [_pair_stints(ends)])


def _pair_stints(ends: pl.DataFrame) -> pl.DataFrame:
    both = ends.join(ends, on=WHO, suffix="_then")
    ago = pl.col("since") - pl.col("last_since_then")
    near = both.filter((pl.col("since") > pl.col("since_then")) & (ago <= BACK))
    return near.with_columns((pl.col("first_cycles") - pl.col("last_cycles_then")).floordiv(2).alias("pair"))
