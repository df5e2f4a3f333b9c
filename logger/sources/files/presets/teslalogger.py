"""TeslaLogger's tables `pos`, `charging` and `chargingstate`; its times are those of the machine that it runs on.

Columns: `TeslaLogger/sqlschema.sql` of bassmaster187/TeslaLogger. Its `DBHelper` stores km and km/h, and power as
kW × 1.35962, positive out of the battery.
"""

from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields

_METRIC_HP_W = "-735.499 W"  # of kW × 1.35962
PRESET = Preset(
    "teslalogger",
    "TeslaLogger: the tables pos, charging and chargingstate as CSV",
    (
        Sheet(
            ("Datum", "lat", "lng", "odometer"),
            (
                Moment(
                    ("Datum",),
                    fields(
                        "CarID=vehicle",
                        "lat=lat_deg",
                        "lng=lon_deg",
                        "altitude=altitude_m",
                        "speed=speed_kmh",
                        f"power=power_w:{_METRIC_HP_W}",
                        "odometer=odometer_m:km",
                        "battery_range_km=range_m:km",
                        "ideal_battery_range_km=range_m:km",
                        "battery_level=soc_pct",
                        "outside_temp=ambient_c",
                        "inside_temp=cabin_c",
                    ),
                ),
            ),
        ),
        Sheet(
            ("Datum", "charge_energy_added", "charger_power"),
            (
                Moment(
                    ("Datum",),
                    fields(
                        "CarID=vehicle",
                        "battery_level=soc_pct",
                        "charge_energy_added=charge_added_wh:kWh",
                        "charger_power=charger_power_w:kW",
                        "charger_voltage=charger_voltage_v",
                        "charger_actual_current=charger_current_a",
                        "charger_phases=charger_phases",
                        "battery_range_km=range_m:km",
                        "ideal_battery_range_km=range_m:km",
                        "outside_temp=ambient_c",
                    ),
                    {"charging": "true", "plugged": "true"},
                ),
            ),
        ),
        Sheet(
            ("StartDate", "EndDate", "StartChargingID", "EndChargingID"),
            (
                Moment(("StartDate",), fields("CarID=vehicle"), {"charging": "true", "plugged": "true"}),
                Moment(
                    ("EndDate",),
                    fields("CarID=vehicle", "charge_energy_added=charge_added_wh:kWh"),
                    {"charging": "false"},
                ),
                Moment(("UnplugDate",), fields("CarID=vehicle"), {"plugged": "false"}),
            ),
        ),
    ),
)
