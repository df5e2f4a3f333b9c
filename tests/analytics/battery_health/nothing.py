"""Tables without a row."""

import polars as pl

from logger.tables import TIME

_TEXTS = ("provider", "vehicle", "start_place", "kind")
_NUMBERS = ("riding_s", "ambient_c", "soc_used_pct", "soc_mean_pct", "drag", "rush")
NO_TRIPS = pl.DataFrame(
    schema={
        **dict.fromkeys(_TEXTS, pl.String()),
        **dict.fromkeys(("started_at", "finished_at"), TIME),
        "swaps": pl.Int64(),
        **dict.fromkeys(("distance_m", *_NUMBERS), pl.Float64()),
    }
)
