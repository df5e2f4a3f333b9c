"""TeslaMate's tables, as CSV, as COPY writes them, or in a dump of its database; its times are UTC.

Columns: the schemas below `lib/teslamate/log/` of teslamate-org/teslamate. TeslaMate stores km, km/h, °C, bar, and the
power of the drive in kW, positive out of the battery.
"""

from logger.sources.files.options import ColumnMapping
from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields

_CHARGER = {"t": "dc", "true": "dc", "1": "dc", "f": "ac", "false": "ac", "0": "ac"}
_RANGE = ("rated_battery_range_km=range_m:km", "ideal_battery_range_km=range_m:km")
_POSITION_COLUMNS = (
    "id", "date", "latitude", "longitude", "speed", "power", "odometer", "ideal_battery_range_km", "battery_level",
    "outside_temp", "elevation", "fan_status", "driver_temp_setting", "passenger_temp_setting", "is_climate_on",
    "is_rear_defroster_on", "is_front_defroster_on", "car_id", "drive_id", "inside_temp", "battery_heater",
    "battery_heater_on", "battery_heater_no_power", "est_battery_range_km", "rated_battery_range_km",
    "usable_battery_level", "tpms_pressure_fl", "tpms_pressure_fr", "tpms_pressure_rl", "tpms_pressure_rr",
    "center_display_state", "is_auto_conditioning_on",
)  # fmt: skip
_DRIVE_COLUMNS = (
    "id", "start_date", "end_date", "outside_temp_avg", "speed_max", "power_max", "power_min", "start_ideal_range_km",
    "end_ideal_range_km", "start_km", "end_km", "distance", "duration_min", "car_id", "inside_temp_avg",
    "start_address_id", "end_address_id", "start_rated_range_km", "end_rated_range_km", "start_position_id",
    "end_position_id", "start_geofence_id", "end_geofence_id", "ascent", "descent",
)  # fmt: skip
_POSITIONS = Sheet(
    ("date", "latitude", "longitude", "odometer", "ideal_battery_range_km"),
    (
        Moment(
            ("date",),
            fields(
                "car_id=vehicle",
                "latitude=lat_deg",
                "longitude=lon_deg",
                "elevation=altitude_m",
                "speed=speed_kmh",
                "power=power_w:-kW",
                "odometer=odometer_m:km",
                *_RANGE,
                "battery_level=soc_pct",
                "outside_temp=ambient_c",
                "inside_temp=cabin_c",
                "is_climate_on=climate_on",
                *(f"tpms_pressure_{wheel}=tyre_{wheel}_kpa:bar" for wheel in ("fl", "fr", "rl", "rr")),
            ),
        ),
    ),
    "positions",
    tuple(_POSITION_COLUMNS[:count] for count in (26, 30, 31, 32)),  # later versions have some more at the end
)
_CHARGES = Sheet(
    ("date", "charge_energy_added", "charger_power", "charging_process_id"),
    (
        Moment(
            ("date",),
            (
                *fields(
                    "car_id=vehicle",
                    "battery_level=soc_pct",
                    "charge_energy_added=charge_added_wh:kWh",
                    "charger_power=charger_power_w:kW",
                    "charger_voltage=charger_voltage_v",
                    "charger_actual_current=charger_current_a",
                    "charger_pilot_current=charger_max_a",
                    "charger_phases=charger_phases",
                    *_RANGE,
                    "outside_temp=ambient_c",
                ),
                ColumnMapping(("fast_charger_present",), "charger_kind", words=_CHARGER),
            ),
            {"charging": "true", "plugged": "true"},
        ),
    ),
    "charges",
    (
        (
            "id", "date", "battery_heater_on", "battery_level", "charge_energy_added", "charger_actual_current",
            "charger_phases", "charger_pilot_current", "charger_power", "charger_voltage", "fast_charger_present",
            "conn_charge_cable", "fast_charger_brand", "fast_charger_type", "ideal_battery_range_km",
            "not_enough_power_to_heat", "outside_temp", "charging_process_id", "battery_heater",
            "battery_heater_no_power", "rated_battery_range_km", "usable_battery_level",
        ),
    ),
)  # fmt: skip
_CHARGING_PROCESSES = Sheet(
    ("start_date", "end_date", "start_battery_level", "end_battery_level"),
    (
        Moment(
            ("start_date",),
            fields("car_id=vehicle", "start_battery_level=soc_pct", "start_rated_range_km=range_m:km"),
            {"charging": "true", "plugged": "true"},
        ),
        Moment(
            ("end_date",),
            fields(
                "car_id=vehicle",
                "end_battery_level=soc_pct",
                "end_rated_range_km=range_m:km",
                "charge_energy_added=charge_added_wh:kWh",
            ),
            {"charging": "false"},
        ),
    ),
    "charging_processes",
    (
        (
            "id", "start_date", "end_date", "charge_energy_added", "start_ideal_range_km", "end_ideal_range_km",
            "start_battery_level", "end_battery_level", "duration_min", "outside_temp_avg", "car_id", "position_id",
            "address_id", "start_rated_range_km", "end_rated_range_km", "geofence_id", "charge_energy_used", "cost",
        ),
    ),
)  # fmt: skip
_DRIVES = Sheet(
    ("start_date", "end_date", "start_km", "end_km"),
    (
        Moment(
            ("start_date",),
            fields("car_id=vehicle", "start_km=odometer_m:km", "start_rated_range_km=range_m:km"),
            {"moving": "true"},
        ),
        Moment(
            ("end_date",),
            fields("car_id=vehicle", "end_km=odometer_m:km", "end_rated_range_km=range_m:km"),
            {"moving": "false"},
        ),
    ),
    "drives",
    tuple(_DRIVE_COLUMNS[:count] for count in (23, 25)),
)
PRESET = Preset(
    "teslamate",
    "TeslaMate: positions, drives, charges and charging_processes, as CSV, COPY or a dump",
    (_POSITIONS, _CHARGES, _CHARGING_PROCESSES, _DRIVES),
    zone="UTC",
)
