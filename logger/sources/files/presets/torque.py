"""Torque's `trackLog.csv`; its column `Device Time` is the phone's local time.

Columns: headers of real logs as public readers of them quote them; the unit stands in the name of the column. What a
plugin for an electric car adds is called as its author liked: the usual names are here, others need `--map`.
"""

from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields

_SOC = ("State of charge(%)", "State of Charge(%)", "SOC(%)", "State of Charge (%)", "Battery level(%)", "SoC(%)",
        "HV State of Charge(%)", "Hybrid Battery Charge(%)", "Hybrid/EV Battery Charge (%)",
        "Hybrid Battery Charge (%)(%)", "State of Charge BMS(%)", "State of Charge Display(%)")  # fmt: skip
_SPEEDS = (
    "Speed (OBD)(km/h)=speed_kmh", "Speed (OBD)(mph)=speed_kmh:mph", "Speed (GPS)(km/h)=speed_kmh",
    "Speed (GPS)(mph)=speed_kmh:mph", "GPS Speed(km/h)=speed_kmh", "GPS Speed (km/h)=speed_kmh",
    "GPS Speed(mph)=speed_kmh:mph", "GPS Speed (mph)=speed_kmh:mph", "GPS Speed (Meters/second)=speed_kmh:m/s",
    "GPS Speed(Meters/second)=speed_kmh:m/s",
)  # fmt: skip
PRESET = Preset(
    "torque",
    "Torque: its trackLog.csv",
    (
        Sheet(
            ("GPS Time", "Longitude", "Latitude"),
            (
                Moment(
                    ("Device Time", "GPS Time"),
                    fields(
                        "Longitude=lon_deg",
                        "Latitude=lat_deg",
                        "Horizontal Dilution of Precision=hdop",
                        "Altitude(m)=altitude_m",
                        "Altitude=altitude_m",
                        "Bearing=heading_deg",
                        *_SPEEDS,
                        *(f"{name}=soc_pct" for name in _SOC),
                        "Odometer(km)=odometer_m:km",
                        "Odometer(miles)=odometer_m:mi",
                        "Voltage (Control Module)(V)=aux_voltage_v",
                        "Ambient air temp(°C)=ambient_c",
                        "Ambient air temp(℃)=ambient_c",
                        "Ambient air temp(°F)=ambient_c:degF",
                    ),
                ),
            ),
        ),
    ),
    formats=("%d-%b-%Y %H:%M:%S.%f", "%d-%b-%Y %H:%M:%S", "%a %b %d %H:%M:%S GMT%:z %Y"),
)
