"""How many cells a model's battery has in series, and of which chemistry: a guess by its volts at rest.

Cells of nickel, manganese and cobalt (NMC) lose an eighth of their volts between full and nearly empty, those of
lithium iron phosphate (LFP) hardly any: Plett, Battery Management Systems, volume I (2015), open-circuit voltage.
"""

from typing import Any

import polars as pl

from analytics.battery_health.calibration import CHECKS, INSUFFICIENT, answered, check
from analytics.battery_health.pooling import MODEL
from analytics.frames import WHO

FULL_PCT, MIDDLE_PCT, EMPTY_PCT = (85, 100), (40, 60), (10, 30)
FEWEST = 5  # readings at each of these levels
NMC_RATIO, LFP_RATIO = 1.07, 1.055  # of the volts when full to those when nearly empty: from here, and up to there
MIDDLE_V = {"nmc": 3.68, "lfp": 3.29}  # of a cell at 50 %
VOLTS_SD = 0.02  # relative, of the middle volts of one chemistry
NEAR = "10m"


def at_rest(batteries: pl.DataFrame, readings: pl.DataFrame, packs: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Volts and percents of batteries and packs that were not on a trip: `provider` `vehicle` `pct` `volts`.

    Parameters
    ----------
    batteries : DataFrame `provider` `vehicle` `at` `voltage_v`
    readings : DataFrame `provider` `vehicle` `at` `soc_pct`
    packs : DataFrame `provider` `vehicle` `at` `pack_voltage_v` `pack_soc_pct`
    trips : rows of `trips` of these vehicles
    """
    percents = readings.drop_nulls("soc_pct").select(*WHO, "at", pct="soc_pct").sort("at")
    whole = batteries.drop_nulls("voltage_v").sort("at").join_asof(
        percents, on="at", by=WHO, tolerance=NEAR, check_sortedness=False
    ).select(*WHO, "at", "pct", volts="voltage_v")  # fmt: skip
    single = packs.select(*WHO, "at", pct="pack_soc_pct", volts="pack_voltage_v").drop_nulls()
    told = pl.concat([single, whole.drop_nulls().join(single, on=WHO, how="anti")]).sort("at")
    spans = trips.select(*WHO, "started_at", "finished_at").sort("started_at")
    placed = told.join_asof(spans, left_on="at", right_on="started_at", by=WHO, check_sortedness=False)
    return placed.filter((pl.col("finished_at") < pl.col("at")).fill_null(True)).select(*WHO, "pct", "volts")


def cells(volts: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The check `cells_guess` of every model.

    Parameters
    ----------
    volts : DataFrame of `at_rest`
    known : DataFrame `provider` `vehicle` `model`, of the vehicles of models that count

    Returns
    -------
    DataFrame of `CHECKS` by provider and model: `nmc` or `lfp`; `value` is the number of cells in series, with an
    interval as wide as volts of one chemistry differ. `time` is null.
    """
    models = known.select(*WHO, "model").drop_nulls("model")
    rows = volts.join(models, on=WHO)
    levels = {"full": FULL_PCT, "middle": MIDDLE_PCT, "empty": EMPTY_PCT}
    inside = {name: pl.col("volts").filter(pl.col("pct").is_between(*ends)) for name, ends in levels.items()}
    least = pl.min_horizontal(*(each.len() for each in inside.values())).cast(pl.Int64).alias("n")
    medians = rows.group_by(MODEL).agg(least, *(each.median().alias(name) for name, each in inside.items()))
    whole = models.select(MODEL).unique().join(medians, on=MODEL, how="left").sort(MODEL)
    made = [{"provider": row["provider"], **_guess(row)} for row in whole.iter_rows(named=True)]
    return pl.DataFrame(made, schema=CHECKS)


def _guess(row: dict[str, Any]) -> dict[str, Any]:
    n = row["n"] or 0
    ratio = row["full"] / row["empty"] if n >= FEWEST else 0.0
    word = "nmc" if ratio >= NMC_RATIO else "lfp" if 1.0 < ratio <= LFP_RATIO else INSUFFICIENT
    if word == INSUFFICIENT:
        return check(row["model"], "cells_guess", INSUFFICIENT, None, None, n)
    count = row["middle"] / MIDDLE_V[word]
    half = 1.96 * VOLTS_SD * count
    return answered(row["model"], "cells_guess", word, (round(count), count - half, count + half), n)
