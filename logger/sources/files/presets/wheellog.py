"""WheelLog's log of a ride; its times are the phone's local ones.

Columns: `LoggingService.java` of Wheellog/Wheellog.Android, which writes km/h, V, A, W, m and °C; power and current are
positive out of the battery.
"""

from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields

PRESET = Preset(
    "wheellog",
    "WheelLog: its CSV of a ride",
    (
        Sheet(
            ("date", "time", "battery_level", "totaldistance"),
            (
                Moment(
                    ("date+time",),
                    fields(
                        "latitude=lat_deg",
                        "longitude=lon_deg",
                        "gps_alt=altitude_m",
                        "gps_heading=heading_deg",
                        "speed=speed_kmh",
                        "voltage=voltage_v",
                        "current=current_a:-A",
                        "power=power_w:-W",
                        "battery_level=soc_pct",
                        "totaldistance=odometer_m",
                    ),
                ),
            ),
        ),
    ),
)
