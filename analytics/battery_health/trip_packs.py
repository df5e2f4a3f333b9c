"""What the packs of trips hold that were made on several."""

import polars as pl

from analytics.frames import WHO, as_of
from analytics.observations.soc_at import SocPath
from analytics.observations.soc_used import parts

_LEAST_PCT = 1e-4  # a pack that was in counts, if it gave nothing


def mixed(trips: pl.DataFrame, known: pl.DataFrame, path: SocPath) -> pl.DataFrame:
    """Of trips with a swap on the way, what their packs hold, each by what it gave: for `energy.trips.energies`.

    Parameters
    ----------
    trips : DataFrame of `trips.trips` with the columns of `soc_used.used`
    known : DataFrame of `held.worth`
    path : of these trips

    Returns
    -------
    DataFrame in the order of `trips`: `capacity_wh` and `capacity_sd`, null for trips on one pack.
    """
    numbered = trips.with_row_index("row")
    cut = numbered.filter(pl.col("swaps") > 0)
    pieces = parts(path, cut).drop_nulls("used")
    named = pieces.with_columns(cut["row"].gather(pieces["span"]).alias("row"), pl.col("used").clip(_LEAST_PCT))
    told = as_of(named, "from_at", known.select(*WHO, "since", "capacity_wh", "capacity_sd"))
    weight = pl.col("used") / pl.col("used").sum()
    means = [(weight * pl.col(name)).sum().alias(name) for name in ("capacity_wh", "capacity_sd")]
    by_trip = told.drop_nulls("capacity_wh").group_by("row").agg(means)
    return numbered.select("row").join(by_trip, on="row", how="left", maintain_order="left").drop("row")
