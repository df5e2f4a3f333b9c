"""Spells: the time between two swaps of a vehicle, in which the same packs are in it; what was ridden on them.

Packs have no serial number. Their count of cycles is a weak one: who left with 200 comes back with 200, or 201 after a
charge. Analytics facts, 3.0 and F9.
"""

from datetime import timedelta

import polars as pl

from analytics.effort import at_half, way_m
from analytics.power import net_power, of_rides
from analytics.steps import WHO
from analytics.tables import PACKS
from logger.tables import TIME

_N, _I = pl.Float64(), pl.Int64()
SPELLS = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "begun_at": TIME,
        "ports": _I,
        "first_low": _I,
        "first_high": _I,
        "last_low": _I,
        "last_high": _I,
        "cycles": _N,
    }
)
BACK = timedelta(days=60)  # after which a pack that comes back is not known again: ever more would agree by chance
APART = 10  # shifts of the count at which packs that agree do so by chance
MODEL = ("provider", "model")
_CYCLES = ("first_low", "first_high", "last_low", "last_high")


def spells(packs: pl.DataFrame, swaps: pl.DataFrame, readings: pl.DataFrame) -> pl.DataFrame:
    """The spells of vehicles.

    Parameters
    ----------
    packs, swaps, readings : DataFrames of `PACKS`, `SWAPS` and `READINGS`

    Returns
    -------
    DataFrame of `SPELLS`, by vehicle and `begun_at`, which is the moment of the swap or the vehicle's first reading:
    how many `ports` told of a pack, the least and most cycles among them when it began and when it ended, and their
    mean over the spell. Null where nobody asked the packs.
    """
    begins = readings.group_by(WHO).agg(pl.col("at").min().alias("begun_at"))
    cuts = pl.concat([begins, swaps.select(*WHO, pl.col("at").alias("begun_at"))]).unique().sort("begun_at")
    told = packs.select(PACKS.names()).drop_nulls("pack_cycles").sort("at").join_asof(
        cuts, left_on="at", right_on="begun_at", by=WHO, check_sortedness=False
    ).drop_nulls("begun_at")  # fmt: skip
    first, last = pl.col("pack_cycles").first(), pl.col("pack_cycles").last()
    ports = told.group_by(*WHO, "begun_at", "port", maintain_order=True).agg(first.alias("first"), last.alias("last"))
    rows = ports.group_by(*WHO, "begun_at").agg(
        pl.len().alias("ports"),
        pl.col("first").min().alias("first_low"), pl.col("first").max().alias("first_high"),
        pl.col("last").min().alias("last_low"), pl.col("last").max().alias("last_high"),
        ((pl.col("first") + pl.col("last")) / 2).mean().alias("cycles"),
    )  # fmt: skip
    return cuts.join(rows, on=[*WHO, "begun_at"], how="left").select(SPELLS.names()).cast(SPELLS).sort(*WHO, "begun_at")


def of_trips(trips: pl.DataFrame, spells: pl.DataFrame) -> pl.Series:
    """`begun_at` of the spell in which each trip's middle lies; of one with a swap it is the later or the earlier."""
    middle = pl.col("started_at") + (pl.col("finished_at") - pl.col("started_at")) / 2
    rows = trips.select(*WHO, middle.alias("at")).with_row_index("row").sort("at")
    cuts = spells.select(*WHO, "begun_at").sort("begun_at")
    placed = rows.join_asof(cuts, left_on="at", right_on="begun_at", by=WHO, check_sortedness=False)
    return placed.sort("row")["begun_at"]


def ridden(trips: pl.DataFrame, spells: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Spells with what was ridden on them.

    Parameters
    ----------
    trips : DataFrame of `trips.trips` with the columns of `soc_used.used`, and `even_m` where it is known
    spells : DataFrame of `SPELLS`
    known : DataFrame of `calibration.calibrated`; of it only `percent_slope`

    Returns
    -------
    `spells` and `km` (even), `used_pct` (as at 50 % [%]), sums over trips without a swap of which both are known.
    All of them: to choose by what was measured would bias the ratio (facts, 3.1).
    """
    told = trips.with_columns(of_trips(trips, spells).alias("begun_at")).filter(pl.col("swaps") == 0)
    sure = told.drop_nulls(["soc_used_pct", "begun_at"]).filter(pl.col("distance_m") > 0)
    sums = (
        at_half(sure, known)
        .group_by(*WHO, "begun_at")
        .agg((way_m(trips).sum() / 1000).alias("km"), pl.col("half_pct").sum().alias("used_pct"))
    )
    joined = spells.join(sums, on=[*WHO, "begun_at"], how="left", maintain_order="left")
    return joined.with_columns(pl.col("km", "used_pct").fill_null(0.0))


def polled(trips: pl.DataFrame, steps: pl.DataFrame, batteries: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """What single readings of power say of a vehicle's rides.

    Parameters
    ----------
    trips : DataFrame of `trips.trips`, with `even_m` where it is known
    steps : DataFrame of `intervals`
    batteries : DataFrame of `BATTERIES`
    known : DataFrame of `calibration.calibrated`; of it only `motor_power_sign`

    Returns
    -------
    DataFrame `provider` `vehicle` and sums over `observed` rides (in a gap, nobody could ask) with a reading while they
    moved: `polled_rides`, `polled_km`, `polled_wh` and `polled_square` (of the squares of that by their km [Wh^2/km]).
    Sums of parts of the time add up.
    """
    ways = trips.with_row_index("row").select("row", (way_m(trips) / 1000).alias("km"))
    rides = of_rides(trips, steps, net_power(batteries, known)).join(ways, on="row", maintain_order="left")
    sums = rides.group_by(WHO).agg(
        pl.len().cast(pl.Int64()).alias("polled_rides"),
        pl.col("km").sum().alias("polled_km"),
        pl.col("wh").sum().alias("polled_wh"),
        (pl.col("wh") ** 2 / pl.col("km")).sum().alias("polled_square"),
    )
    return sums.sort(WHO)


# ---- packs that come back ------------------------------------------------------------------------------------------


def _pairs(spells: pl.DataFrame) -> pl.DataFrame:
    """Spells of a vehicle and its earlier ones, and `shift`: by how many pairs of cycles all packs are apart."""
    told = spells.drop_nulls("cycles").select(*WHO, "begun_at", "ports", *_CYCLES)
    both = told.join(told, on=[*WHO, "ports"], suffix="_then")
    ago = pl.col("begun_at") - pl.col("begun_at_then")
    both = both.filter((ago > timedelta(0)) & (ago <= BACK))
    low, high = ((pl.col(f"first_{end}") - pl.col(f"last_{end}_then")).floordiv(2) for end in ("low", "high"))
    return both.with_columns(low.alias("shift")).filter(low == high)


def returning(spells: pl.DataFrame) -> pl.DataFrame:
    """How sure it is that packs with the count of cycles of earlier ones in the same vehicle are the same.

    Parameters
    ----------
    spells : DataFrame of `SPELLS` and `model`

    Returns
    -------
    DataFrame `provider` `model` `same`: 1 less the pairs that agree by chance, as often as they do with a count that is
    1 to 20 too low, which no pack ever is, per pair that agrees. 0 where none does.
    """
    pairs = _pairs(spells).join(spells.select(*WHO, "begun_at", "model"), on=[*WHO, "begun_at"])
    agree = (pl.col("shift") == 0).sum()
    chance = pl.col("shift").is_between(-APART, -1).sum() / APART
    found = pairs.group_by(MODEL).agg(pl.when(agree > 0).then((1 - chance / agree).clip(0.0)).alias("same"))
    models = spells.select(MODEL).unique().drop_nulls().sort(MODEL)
    return models.join(found, on=MODEL, how="left", maintain_order="left").with_columns(pl.col("same").fill_null(0.0))


def numbered(spells: pl.DataFrame) -> pl.DataFrame:
    """Spells with `pack`: the same number where packs came back within 60 days, with their cycles or one more.

    Parameters
    ----------
    spells : DataFrame of `SPELLS` and `known`, whether packs that agree in their cycles are held to be the same
    """
    latest = _pairs(spells).filter(pl.col("shift") == 0).group_by(*WHO, "begun_at").agg(pl.col("begun_at_then").max())
    rows = spells.join(latest, on=[*WHO, "begun_at"], how="left", maintain_order="left")
    number: dict[tuple[object, ...], int] = {}
    keys = rows.select(*WHO, "begun_at", pl.when("known").then("begun_at_then")).sort(*WHO, "begun_at")
    for provider, vehicle, begun_at, then in keys.iter_rows():
        number[provider, vehicle, begun_at] = number.get((provider, vehicle, then), len(number))
    named = keys.select(*WHO, "begun_at").with_columns(pl.Series("pack", list(number.values()), pl.Int64()))
    return spells.join(named, on=[*WHO, "begun_at"], how="left", maintain_order="left")
