"""LeafSpy Pro's log; its column `epoch time` is UTC.

Columns and units: `bin/leafspy-process.pl` of strowger/hm and `dataline.go` of FileGo/go-leafspycsv; positions in
degrees and minutes: `CSVReader.java` of corentinHuaulme/LeafSpyVisualizer. What depends on the phone's settings
(`Speed`, `Elv`) or on the age of the pack (`Gids`) is left out.
"""

from logger.sources.files.options import ColumnMapping
from logger.sources.files.presets.contract import Moment, Preset, Sheet, fields, words

_CHARGE_MODES = {"0": "false", "1": "true", "2": "true", "3": "true"}
_GEARS = {"1": "false", "2": "true", "3": "true", "4": "true", "7": "true"}  # park, reverse, neutral, drive, eco
PRESET = Preset(
    "leafspy",
    "LeafSpy Pro: its log as CSV",
    (
        Sheet(
            ("Gids", "SOC", "Pack Volts", "Pack Amps"),
            (
                Moment(
                    ("epoch time", "Date/Time"),
                    (
                        *fields(
                            "VIN=vehicle",
                            "Lat=lat_deg:deg min",
                            "Long=lon_deg:deg min",
                            "Pack Volts=voltage_v",
                            "Pack Amps=current_a:-A",
                            "Pack T1 C=battery_c",
                            "12v Bat Volts=aux_voltage_v",
                            "Odo(km)=odometer_m:km",
                            "TP-FL=tyre_fl_kpa:psi",
                            "TP-FR=tyre_fr_kpa:psi",
                            "TP-RR=tyre_rr_kpa:psi",
                            "TP-RL=tyre_rl_kpa:psi",
                            "Ambient=ambient_c:degF",
                            "SOH=soh_pct",
                            "OBC Out Pwr=charger_power_w",
                        ),
                        ColumnMapping(("SOC",), "soc_pct", "0.0001 %", least=100.01),
                        ColumnMapping(("AHr",), "charge_ah", "0.0001 Ah", least=1000),
                        words("Plug State", "plugged", **{"0": "false", "1": "false", "2": "true"}),
                        words("Charge Mode", "charging", **_CHARGE_MODES),
                        words("Charge Mode", "charger_kind", **{"1": "ac", "2": "ac", "3": "dc"}),
                        words("Gear", "moving", **_GEARS),
                    ),
                ),
            ),
        ),
    ),
    formats=("%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M"),
)
