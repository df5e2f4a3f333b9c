"""GPX tracks, of any app that writes them; their times are UTC.

Elements: topografix.com/GPX/1/1; speed and course, which GPX 1.0 and extensions have, are in m/s and degrees.
"""

from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields

PRESET = Preset(
    "gpx",
    "GPX: a track of any app",
    (
        Sheet(
            ("time", "lat", "lon", "ele"),
            (
                Moment(
                    ("time",),
                    fields(
                        "lat=lat_deg",
                        "lon=lon_deg",
                        "ele=altitude_m",
                        "speed=speed_kmh:m/s",
                        "course=heading_deg",
                        "hdop=hdop",
                        "sat=satellites",
                    ),
                ),
            ),
        ),
    ),
    zone="UTC",
)
