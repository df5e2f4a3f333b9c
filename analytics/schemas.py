"""What analyses hand to each other, between the raw tables and the derived ones."""

import polars as pl

from logger.tables import TIME

_T, _N, _B = pl.String(), pl.Float64(), pl.Boolean()

# One row per vehicle and moment. `charging` is what flag or word say, null where nothing does. `count_m` and `ride_s`
# are counters since the vehicle's first reading, null where they were not told; `reset` where the odometer began anew.
# `way_m` is the way so far, by whatever told it. `path_m` is the way along positions, `refused_m` what of it was too
# fast, `straight_m` what was straight, `leg_ms` how fast the last leg was; `placed` where a row of positions came.
OBSERVATIONS = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "at": TIME,
        "received_at": TIME,
        "sequence": pl.Int64(),
        "locked": _B,
        "moving": _B,
        "charging": _B,
        "charge_state": _T,
        "plugged": _B,
        "online": _B,
        "asleep": _B,
        "speed_kmh": _N,
        "soc_pct": _N,
        "range_m": _N,
        "ambient_c": _N,
        "odometer_m": _N,
        "ride_time_s": _N,
        "charge_added_wh": _N,
        "count_m": _N,
        "ride_s": _N,
        "reset": _B,
        "way_m": _N,
        "lat_deg": _N,
        "lon_deg": _N,
        "sigma_m": _N,
        "path_m": _N,
        "refused_m": _N,
        "straight_m": _N,
        "leg_ms": _N,
        "placed": _B,
    }
)

# A row that was left out or changed, and why.
REASONS = pl.Schema({"provider": _T, "vehicle": _T, "time": TIME, "sequence": pl.Int64(), "reason": _T})

# A position that passed the gates; `sigma_m` is its standard error.
FIXES = pl.Schema({"provider": _T, "vehicle": _T, "at": TIME, "lat_deg": _N, "lon_deg": _N, "sigma_m": _N})

# A pack in its port, as it was polled, by vehicle, port and time.
PACKS = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "at": TIME,
        "port": _T,
        "pack_soc_pct": _N,
        "pack_voltage_v": _N,
        "pack_cycles": pl.Int64(),
        "pack_c": _N,
    }
)

# What the battery query said, by vehicle and time. Power and current are positive into the battery, `motor_power_w`
# has no known sign.
BATTERIES = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "at": TIME,
        "power_w": _N,
        "motor_power_w": _N,
        "voltage_v": _N,
        "current_a": _N,
        "energy_wh": _N,
        "capacity_wh": _N,
        "nominal_wh": _N,
        "bms_soc_pct": _N,
        "bms_charging": _B,
        "charger_power_w": _N,
        "battery_c": _N,
        "soh_pct": _N,
        "charge_ah": _N,
    }
)

# What a vehicle reported, by vehicle and time; columns as in `event`.
EVENTS = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "at": TIME,
        "sequence": pl.Int64(),
        "kind": _T,
        "code": _T,
        "system": _T,
        "text": _T,
        "state": _T,
    }
)

# A pack that took the place of another. It happened after `since` and not after `until`; `at` is the best guess.
# `port` is null, and the percents are the vehicle's, where only the vehicle's percent tells.
SWAPS = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "at": TIME,
        "port": _T,
        "soc_before_pct": _N,
        "soc_after_pct": _N,
        "since": TIME,
        "until": TIME,
    }
)

# A trip as the vendor's journal tells it, by vehicle and time; it began at `at`. Its way is [m], its energy [Wh].
JOURNAL = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "at": TIME,
        "distance_m": _N,
        "finished_at": TIME,
        "energy_wh": _N,
        "start_odometer_m": _N,
        "finish_odometer_m": _N,
    }
)

# Rows of a vehicle that are new or other than before lie between these moments, both included.
TOUCHED = pl.Schema({"vehicle": pl.String(), "first_at": pl.Datetime("ms", "UTC"), "last_at": pl.Datetime("ms", "UTC")})
