"""What derived tables are made of beside provider, vehicle and time: what the key adds, columns, and one never null.

A row sits at its start. `low` and `high` are the ends of a 95 % interval. Times are UTC, days local, as YYYY-MM-DD.
"""

from collections.abc import Mapping

import polars as pl

TIME = pl.Datetime("ms", "UTC")
_T, _N, _I, _B = pl.String(), pl.Float64(), pl.Int64(), pl.Boolean()
_WORDS: Mapping[str, pl.DataType] = {"T": _T, "N": _N, "I": _I, "B": _B, "M": TIME, "L": pl.List(_T)}


def _columns(text: str) -> dict[str, pl.DataType]:
    """`name:type` by blanks: T text, N number, I count, B boolean, M moment, L list of texts."""
    pairs = (word.split(":") for word in text.split())
    return {name: _WORDS[kind] for name, kind in pairs}


# name: (what the key adds, columns, the one that is never null)
DERIVED: Mapping[str, tuple[dict[str, pl.DataType], dict[str, pl.DataType], str]] = {
    "trips": (
        {},
        _columns(
            "trip_id:T kind:T started_at:M finished_at:M start_uncertainty_s:N finish_uncertainty_s:N duration_s:N "
            "riding_s:N paused_s:N distance_m:N distance_source:T start_odometer_m:N finish_odometer_m:N "
            "start_lat_deg:N start_lon_deg:N finish_lat_deg:N finish_lon_deg:N start_place:T finish_place:T "
            "soc_start_pct:N soc_finish_pct:N soc_used_pct:N soc_used_low_pct:N soc_used_high_pct:N "
            "energy_wh:N energy_low_wh:N energy_high_wh:N energy_source:T regen_wh:N wh_per_km:N "
            "mean_speed_kmh:N max_speed_kmh:N ambient_c:N samples:I coverage:N swaps:I flags:L"
        ),
        "trip_id",
    ),
    "charges": (
        _columns("kind:T port:T"),
        _columns(
            "charge_id:T started_at:M finished_at:M soc_start_pct:N soc_finish_pct:N soc_added_pct:N "
            "energy_wh:N energy_low_wh:N energy_high_wh:N energy_source:T wall_wh:N efficiency:N mean_w:N peak_w:N "
            "lat_deg:N lon_deg:N place:T cost:N currency:T flags:L"
        ),
        "charge_id",
    ),
    "states": ({}, _columns("state:T started_at:M finished_at:M duration_s:N"), "state"),
    "consumption": (
        {},
        _columns(
            "day:T distance_m:N driven_wh:N driven_low_wh:N driven_high_wh:N standby_wh:N charged_wh:N residual_wh:N "
            "wh_per_km_net:N wh_per_km_gross:N trips:I driving_s:N"
        ),
        "day",
    ),
    "standby": (
        {},
        _columns(
            "started_at:M finished_at:M soc_lost_pct:N pct_per_day:N pct_per_day_low:N pct_per_day_high:N mean_w:N "
            "resolvable:N"
        ),
        "finished_at",
    ),
    "episodes": (
        _columns("kind:T code:T"),
        _columns("system:T text:T started_at:M finished_at:M count:I odometer_m:N open:B"),
        "started_at",
    ),
    "coverage": (
        {},
        _columns(
            "day:T expected:I received:I duplicates:I late:I median_latency_s:N longest_gap_s:N "
            "odometer_m:N trips_m:N pushed_m:N unplaced_m:N"
        ),
        "day",
    ),
    "forecast": ({}, _columns("soc_pct:N t10:M t50:M t90:M below_at_next_service:N"), "soc_pct"),
    # A provider has several models: without `model` in the key they would overwrite each other.
    "calibration": (_columns("model:T check:T"), _columns("answer:T value:N low:N high:N n:I"), "answer"),
    # What `calibration` and energies are made of, in the lake alone.
    "evidence": (_columns("check:T"), _columns("n:I sum_x:N sum_y:N sum_xx:N sum_xy:N sum_yy:N"), "n"),
    "stretches": (
        {},
        _columns(
            "swapped:B ports:I first_low:I first_high:I last_low:I last_high:I km:N blind_km:N drag:N rush:N "
            "used_pct:N tilted_pct:N polled_km:N polled_wh:N motor_km:N motor_wh:N"
        ),
        "swapped",
    ),
    "worth": ({}, _columns("capacity_wh:N capacity_sd:N wh_per_km:N wh_per_km_sd:N"), "capacity_wh"),
}
