"""Logs of the Open Vehicle Monitoring System: `*-LOG-Trip` and `*-LOG-Grid`; their times are UTC.

Columns: "Trip history log" and "Grid history log" of its user guide (`docs/source/userguide/notifications.rst` of
openvehicles/Open-Vehicle-Monitoring-System-3), which has km, kWh, °C and kPa; the names of its metrics (`v.b.soc`) are
understood as well. What stands before the fields in an answer of the server: `GPSLogData.kt` of
openvehicles/Open-Vehicle-Android.
"""

from logger.sources.files.options import ColumnMapping
from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields, words

_TRIP = (
    "pos_gpslock", "pos_latitude", "pos_longitude", "pos_altitude", "pos_location", "pos_odometer", "pos_trip",
    "env_drivetime", "env_drivemode", "bat_soc", "bat_range_est", "bat_range_ideal", "bat_range_full",
    "bat_energy_used", "bat_energy_recd", "bat_coulomb_used", "bat_coulomb_recd", "bat_soh", "bat_health", "bat_cac",
    "bat_energy_used_total", "bat_energy_recd_total", "bat_coulomb_used_total", "bat_coulomb_recd_total", "env_temp",
    "env_cabintemp", "bat_temp", "inv_temp", "mot_temp", "charge_12v_temp", "tpms_temp_min", "tpms_temp_max",
    "tpms_pressure_min", "tpms_pressure_max", "tpms_health_min", "tpms_health_max",
)  # fmt: skip
_GRID = (
    "pos_gpslock", "pos_latitude", "pos_longitude", "pos_altitude", "pos_location", "charge_type", "charge_state",
    "charge_substate", "charge_mode", "charge_climit", "charge_limit_range", "charge_limit_soc", "gen_type",
    "gen_state", "gen_substate", "gen_mode", "gen_climit", "gen_limit_range", "gen_limit_soc", "charge_time",
    "charge_kwh", "charge_kwh_grid", "charge_kwh_grid_total", "gen_time", "gen_kwh", "gen_kwh_grid",
    "gen_kwh_grid_total", "bat_soc", "bat_range_est", "bat_range_ideal", "bat_range_full", "bat_voltage", "bat_temp",
    "charge_temp", "charge_12v_temp", "env_temp", "env_cabintemp", "bat_soh", "bat_health", "bat_cac",
    "bat_energy_used_total", "bat_energy_recd_total", "bat_coulomb_used_total", "bat_coulomb_recd_total",
    "pos_odometer",
)  # fmt: skip
_RECORD = ("type", "time", "number")
_REPLY = ("reply", "result", "at", "of", *_RECORD)  # a line of the server's answer to command 32
_ORDERS = tuple((*before, *log) for before in (_RECORD, _REPLY) for log in (_TRIP, _GRID, _GRID[:-1]))
_TIMES = ("time", "timestamp", "h_timestamp", "date", "datetime", "m_msgtime")
_STATES = {"charging": "true", "topoff": "true", "done": "false", "stopped": "false", "prepare": "false"}
_COMMON = (
    *fields(
        "vehicleid=vehicle",
        "pos_latitude=lat_deg",
        "v.p.latitude=lat_deg",
        "pos_longitude=lon_deg",
        "v.p.longitude=lon_deg",
        "pos_altitude=altitude_m",
        "v.p.altitude=altitude_m",
        "pos_gpslock=fix_valid",
        "pos_odometer=odometer_m:km",
        "v.p.odometer=odometer_m:km",
        "v.p.speed=speed_kmh",
        "bat_soc=soc_pct",
        "v.b.soc=soc_pct",
        "bat_soh=soh_pct",
        "v.b.soh=soh_pct",
        "bat_range_est=range_m:km",
        "v.b.range.est=range_m:km",
        "bat_range_full=range_full_m:km",
        "bat_cac=charge_ah",
        "v.b.cac=charge_ah",
        "bat_temp=battery_c",
        "v.b.temp=battery_c",
        "bat_voltage=voltage_v",
        "v.b.voltage=voltage_v",
        "v.b.current=current_a:-A",
        "v.b.power=power_w:-kW",
        "env_temp=ambient_c",
        "v.e.temp=ambient_c",
        "env_cabintemp=cabin_c",
        "v.e.cabintemp=cabin_c",
        "charge_kwh=charge_added_wh:kWh",
        "v.c.kwh=charge_added_wh:kWh",
        "charge_limit_soc=charge_limit_pct",
        "v.c.charging=charging",
        "v.e.on=moving",
        "v.e.locked=locked",
    ),
    words("charge_state", "charging", **_STATES),
    ColumnMapping(("charge_type",), "charger_kind", words={"ccs": "dc", "chademo": "dc", "type2": "ac", "type1": "ac"}),
)
PRESET = Preset(
    "ovms",
    "OVMS: its trip and grid logs, or its metrics, as CSV with names of columns",
    (
        Sheet(("bat_soc",), (Moment(_TIMES, _COMMON),), orders=_ORDERS),
        Sheet(("v.b.soc",), (Moment(_TIMES, _COMMON),)),
    ),
    zone="UTC",
)
