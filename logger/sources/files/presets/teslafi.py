"""TeslaFi's file of a month; its times are those of the owner's zone.

Columns: the header that olexs/tesla-apiscraper-to-teslafi-export writes for it, forms of time: TeslaMate's import of
TeslaFi (`lib/teslamate/import/line_parser.ex`). The values are Tesla's own: miles, mph, °C, kW, the power of the drive
positive out of the battery.
"""

from logger.sources.files.options import ColumnMapping
from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields, words

_SHIFTS = {"d": "true", "r": "true", "n": "true", "p": "false"}
_DC = {"1": "dc", "true": "dc", "0": "ac", "false": "ac"}
PRESET = Preset(
    "teslafi",
    "TeslaFi: the CSV of a month",
    (
        Sheet(
            ("data_id", "Date", "charging_state"),
            (
                Moment(
                    ("Date",),
                    (
                        *fields(
                            "vin=vehicle",
                            "odometer=odometer_m:mi",
                            "battery_level=soc_pct",
                            "battery_range=range_m:mi",
                            "charge_limit_soc=charge_limit_pct",
                            "charge_energy_added=charge_added_wh:kWh",
                            "charge_rate=charge_rate_kmh:mph",
                            "charger_power=charger_power_w:kW",
                            "charger_voltage=charger_voltage_v",
                            "charger_actual_current=charger_current_a",
                            "charger_pilot_current=charger_max_a",
                            "charger_phases=charger_phases",
                            "time_to_full_charge=charge_left_s:h",
                            "latitude=lat_deg",
                            "longitude=lon_deg",
                            "heading=heading_deg",
                            "speed=speed_kmh:mph",
                            "power=power_w:-kW",
                            "inside_temp=cabin_c",
                            "outside_temp=ambient_c",
                            "locked=locked",
                            "is_climate_on=climate_on",
                        ),
                        words("state", "asleep", asleep="true", online="false", driving="false", charging="false"),
                        words("state", "online", asleep="false", offline="false", online="true"),
                        words(
                            "charging_state", "charge_state", charging="charging", complete="complete",
                            disconnected="unplugged", stopped="plugged", nopower="plugged", starting="starting",
                        ),
                        words(
                            "charging_state", "charging", charging="true", starting="true", complete="false",
                            disconnected="false", stopped="false", nopower="false",
                        ),
                        ColumnMapping(("shift_state",), "moving", words=_SHIFTS),
                        ColumnMapping(("fast_charger_present",), "charger_kind", words=_DC),
                    ),
                ),
            ),
        ),
    ),
    formats=("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M"),
)  # fmt: skip
