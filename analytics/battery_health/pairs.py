"""Pairs of what the percent changed by and the energy or charge that was measured meanwhile, of charges and trips.

A capacity follows from many of them (analytics facts, 3.1). All count, however little the percent changed: to choose by
what was measured would bias the figure.
"""

import polars as pl

from analytics.charging.energies import BMS_SD_PCT, COUNT_SD_PCT
from analytics.frames import WHO

PAIRS = pl.Schema(
    {
        "provider": pl.String(),
        "vehicle": pl.String(),
        "at": pl.Datetime("ms", "UTC"),
        "source": pl.String(),
        "pct": pl.Float64(),
        "pct_var": pl.Float64(),
        "wh": pl.Float64(),
        "ah": pl.Float64(),
    }
)
CHARGE, RIDE = "charge", "ride"
METHODS = {CHARGE: "charge_energy", RIDE: "ride_energy"}
SURE_SD = 0.12  # relative, of an energy by power: of a charge of which more was not seen, nobody knows the end
_Z = 1.96


def pairs(charges: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Charges and trips that tell a capacity, as `PAIRS` by vehicle and time.

    Parameters
    ----------
    charges : rows of `charges`; those count whose energy a counter or power tells, or whose charge current tells; by
        power, it is that between the first reading and the last, which needs no beginning and no end
    trips : rows of `trips` without a swap; those count whose readings of power or current are so close together that
        little lies between them

    Returns
    -------
    DataFrame of `PAIRS`: `at` is the end of a charge and the middle of a trip; `pct_var` is the variance of `pct` [%²]
    by whole percents and by what batteries err; `wh` and `ah` are positive, or null.
    """
    made = pl.concat([_of_charges(charges), _of_trips(trips)])
    told = made.filter((pl.col("pct") > 0) & pl.any_horizontal(pl.col("wh", "ah").is_not_null()))
    return told.cast(PAIRS).sort(*WHO, "at", "source")


def _of_charges(charges: pl.DataFrame) -> pl.DataFrame:
    source, energy = pl.col("energy_source"), pl.col("energy_wh")
    read = ((pl.col("read_wh") > 0) & (source != "reported").fill_null(True)).fill_null(False)
    seen = (pl.col("energy_high_wh") - energy <= _Z * SURE_SD * energy).fill_null(True)
    sure = (energy > 0) & ((source == "reported") | ((source == "power") & seen))
    rows = charges.filter(pl.col("kind") != "swap").select(
        *WHO, "soc_added_pct", "added_ah", at="finished_at", source=pl.lit(CHARGE),
        pct_var=pl.lit(COUNT_SD_PCT**2 + BMS_SD_PCT**2),
        pct=pl.when(read).then("read_pct").otherwise("soc_added_pct"),
        wh=pl.when(read).then("read_wh").when(sure).then("energy_wh"),
    )  # fmt: skip
    counted = pl.when(pl.col("added_ah") > 0).then("added_ah")
    energies = rows.with_columns(pl.lit(None, pl.Float64()).alias("ah")).select(PAIRS.names())
    amperes = rows.with_columns(pct="soc_added_pct", wh=pl.lit(None, pl.Float64()), ah=counted).select(PAIRS.names())
    return pl.concat([energies, amperes])


def _of_trips(trips: pl.DataFrame) -> pl.DataFrame:
    one = (pl.col("swaps").fill_null(0) == 0) & (pl.col("distance_m") > 0)
    read = (pl.col("soc_used_high_pct") - pl.col("soc_used_low_pct")) / (2 * _Z)
    sure = pl.when((pl.col("energy_source") == "power") & (pl.col("energy_wh") > 0))
    return trips.filter(one).select(
        *WHO, at=pl.col("started_at") + (pl.col("finished_at") - pl.col("started_at")) / 2, source=pl.lit(RIDE),
        pct="soc_used_pct", pct_var=read.fill_null(COUNT_SD_PCT) ** 2 + BMS_SD_PCT**2,
        wh=sure.then("energy_wh"), ah=pl.when(pl.col("used_ah") > 0).then("used_ah"),
    )  # fmt: skip
