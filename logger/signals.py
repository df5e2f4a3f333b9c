"""The vocabulary: every signal with its table, unit, plausible range and meaning, and the words of events and flags.

The unit is the last word of a name. Missing is null, never 0 and never false. Power and current are
positive into the battery. `vss` is the path in the COVESA Vehicle Signal Specification 6, or "extension".
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from logger.errors import UnknownName
from logger.suggest import nearest


class Signal(msgspec.Struct, frozen=True):
    """One quantity or state that a vehicle reports.

    `type` is `bool`, `float`, `int` or `enum`; the `meaning` of an enum lists its words, separated by `|`.
    `low` and `high` are the plausible range [unit], ends included; None where every value is plausible.
    """

    name: str
    table: str
    type: Literal["bool", "float", "int", "enum"]
    unit: str
    low: float | None
    high: float | None
    vss: str
    meaning: str

    @property
    def words(self) -> tuple[str, ...]:
        """The words that an enum may hold; empty for any other type."""
        return tuple(self.meaning.split("|")) if self.type == "enum" else ()


# fmt: off
_ALL = (
    # status
    Signal("online", "status", "bool", "", None, None,
           "Connectivity.IsConnectivityAvailable",
           "the vendor's cloud has a live connection to the vehicle"),
    Signal("asleep", "status", "bool", "", None, None,
           "extension",
           "the vehicle sleeps; a poll that wakes it costs its 12 V battery"),
    Signal("locked", "status", "bool", "", None, None,
           "Cabin.Door.Row1.DriverSide.IsLocked",
           "the vehicle as a whole is locked"),
    Signal("moving", "status", "bool", "", None, None,
           "IsMoving",
           "ignition or motor on, as the vendor says"),
    Signal("charging", "status", "bool", "", None, None,
           "Powertrain.TractionBattery.Charging.IsCharging",
           "energy flows in from outside"),
    Signal("charge_state", "status", "enum", "", None, None,
           "extension",
           "unknown|unplugged|plugged|scheduled|starting|charging_ac|charging_dc|charging|complete|fault|discharging"),
    Signal("plugged", "status", "bool", "", None, None,
           "Powertrain.TractionBattery.Charging.ChargingPort.AnyPosition.IsChargingCableConnected",
           "a charging cable is connected"),
    Signal("soc_pct", "status", "float", "%", 0, 100,
           "Powertrain.TractionBattery.StateOfCharge.Displayed",
           "state of charge as shown to the rider"),
    Signal("speed_kmh", "status", "float", "km/h", 0, 300,
           "Speed",
           "speed over ground"),
    Signal("odometer_m", "status", "float", "m", 0, 1e10,
           "TraveledDistance",
           "total distance ever driven"),
    Signal("range_m", "status", "float", "m", 0, 2e6,
           "Powertrain.TractionBattery.Range",
           "remaining range as the vehicle estimates it"),
    Signal("range_full_m", "status", "float", "m", 0, 2e6,
           "extension",
           "range that the vehicle projects at exactly 100 %"),
    Signal("range_at_limit_m", "status", "float", "m", 0, 2e6,
           "extension",
           "range projected at the charge limit (SAIC bmsEstdElecRng); never used for health"),
    Signal("ride_time_s", "status", "float", "s", 0, 1e9,
           "extension",
           "total riding time ever"),
    Signal("ride_mode", "status", "int", "", 1, 15,
           "Powertrain.Transmission.PerformanceMode",
           "speed mode (Segway 1 low 2 medium 3 high); 0 is null"),
    Signal("network_signal", "status", "int", "", 0, 99,
           "extension",
           "vendor's raw radio signal figure"),
    Signal("charge_limit_pct", "status", "float", "%", 0, 100,
           "Powertrain.TractionBattery.Charging.ChargeLimit",
           "state of charge at which charging stops"),
    Signal("charge_min_pct", "status", "float", "%", 0, 100,
           "extension",
           "state of charge to be reached at once, whatever the price"),
    Signal("charge_left_s", "status", "float", "s", 0, 1e6,
           "Powertrain.TractionBattery.Charging.TimeToComplete",
           "time until charging is complete"),
    Signal("charge_added_wh", "status", "float", "Wh", 0, 1e6,
           "extension",
           "energy added in the current or last charge, as the vehicle says"),
    Signal("charge_rate_kmh", "status", "float", "km/h", 0, 2000,
           "extension",
           "range gained per hour of charging, as the vehicle says"),
    Signal("lock_voltage_v", "status", "float", "V", 0.1, 60,
           "extension",
           "voltage of the lock's own cell"),
    Signal("aux_voltage_v", "status", "float", "V", 0.1, 60,
           "LowVoltageBattery.CurrentVoltage",
           "low-voltage (12 V) battery"),
    Signal("aux_soc_pct", "status", "float", "%", 0, 100,
           "extension",
           "low-voltage battery state of charge"),
    Signal("ambient_c", "status", "float", "degC", -60, 70,
           "Exterior.AirTemperature",
           "outside air"),
    Signal("cabin_c", "status", "float", "degC", -60, 100,
           "Cabin.HVAC.AmbientAirTemperature",
           "cabin air"),
    Signal("service_in_m", "status", "float", "m", -1e8, 1e8,
           "extension",
           "distance to the next service; negative is overdue"),
    Signal("service_in_d", "status", "float", "d", -3650, 3650,
           "extension",
           "days to the next service; negative is overdue"),
    Signal("alarm", "status", "bool", "", None, None,
           "extension",
           "the theft alarm sounds"),
    # location
    Signal("lat_deg", "location", "float", "deg", -90, 90,
           "CurrentLocation.Latitude",
           "WGS84"),
    Signal("lon_deg", "location", "float", "deg", -180, 180,
           "CurrentLocation.Longitude",
           "WGS84"),
    Signal("altitude_m", "location", "float", "m", -500, 9000,
           "CurrentLocation.Altitude",
           "above sea level"),
    Signal("heading_deg", "location", "float", "deg", 0, 360,
           "CurrentLocation.Heading",
           "clockwise from north"),
    Signal("hdop", "location", "float", "1", 0, 100,
           "extension",
           "horizontal dilution of precision; lower is better"),
    Signal("satellites", "location", "int", "1", 0, 100,
           "extension",
           "satellites used in the fix"),
    Signal("fix_valid", "location", "bool", "", None, None,
           "extension",
           "the receiver had a fix; false keeps the row for its time and drops the position"),
    # battery
    Signal("voltage_v", "battery", "float", "V", 0.1, 1500,
           "Powertrain.TractionBattery.CurrentVoltage",
           "traction battery terminal voltage"),
    Signal("current_a", "battery", "float", "A", -2000, 2000,
           "Powertrain.TractionBattery.CurrentCurrent",
           "positive is into the battery"),
    Signal("power_w", "battery", "float", "W", -1e6, 1e6,
           "Powertrain.TractionBattery.CurrentPower",
           "positive is into the battery"),
    Signal("motor_power_w", "battery", "float", "W", -1e6, 1e6,
           "extension",
           "power as the vendor reports it where its sign is not known (Segway currentPower)"),
    Signal("energy_wh", "battery", "float", "Wh", 0, 1e6,
           "Powertrain.TractionBattery.StateOfCharge.CurrentEnergy",
           "energy now in the battery"),
    Signal("capacity_wh", "battery", "float", "Wh", 0, 1e6,
           "Powertrain.TractionBattery.NetCapacity",
           "usable capacity that the vehicle reports as measured; a nominal figure goes to nominal_wh"),
    Signal("nominal_wh", "battery", "float", "Wh", 0, 1e6,
           "Powertrain.TractionBattery.GrossCapacity",
           "capacity from a data sheet or a constant that the vendor sends"),
    Signal("charge_ah", "battery", "float", "Ah", 0, 5000,
           "extension",
           "usable charge as the vendor reports it"),
    Signal("soh_pct", "battery", "float", "%", 0, 120,
           "Powertrain.TractionBattery.StateOfHealth",
           "state of health as the vendor reports it"),
    Signal("battery_c", "battery", "float", "degC", -60, 100,
           "Powertrain.TractionBattery.Temperature.Average",
           "traction battery temperature"),
    Signal("bms_soc_pct", "battery", "float", "%", 0, 100,
           "extension",
           "state of charge by the battery query where it differs from the display (Segway vehiclePercent)"),
    Signal("bms_charging", "battery", "bool", "", None, None,
           "extension",
           "charging by the battery query where it differs from the status (Segway)"),
    Signal("pack_count", "battery", "int", "1", 0, 8,
           "extension",
           "packs in the vehicle"),
    Signal("iot_soc_pct", "battery", "float", "%", 0, 100,
           "extension",
           "telematics unit's own battery"),
    Signal("iot_voltage_v", "battery", "float", "V", 0.1, 60,
           "extension",
           "telematics unit's own battery"),
    Signal("charger_power_w", "battery", "float", "W", 0, 1e6,
           "extension",
           "power drawn at the charger, AC or DC by charger_kind"),
    Signal("charger_voltage_v", "battery", "float", "V", 0.1, 1500,
           "Powertrain.TractionBattery.Charging.ChargeVoltage.DC",
           "at the charger, AC or DC by charger_kind"),
    Signal("charger_current_a", "battery", "float", "A", -2000, 2000,
           "Powertrain.TractionBattery.Charging.ChargeCurrent.DC",
           "at the charger, AC or DC by charger_kind; positive is into the vehicle"),
    Signal("charger_max_a", "battery", "float", "A", 0, 2000,
           "extension",
           "most current that the charge point or the limit offers"),
    Signal("charger_phases", "battery", "int", "1", 1, 3,
           "extension",
           "AC phases in use"),
    Signal("charger_kind", "battery", "enum", "", None, None,
           "extension",
           "unknown|ac|dc|wireless"),
    Signal("last_charge_wh", "battery", "float", "Wh", 0, 1e6,
           "extension",
           "energy in the battery when the last charge ended (SAIC lastChargeEndingPower)"),
    Signal("used_since_charge_wh", "battery", "float", "Wh", 0, 1e6,
           "extension",
           "energy used since the last charge, vendor's counter"),
    Signal("driven_since_charge_m", "battery", "float", "m", 0, 2e6,
           "extension",
           "distance since the last charge, vendor's counter"),
    # pack
    Signal("pack_soc_pct", "pack", "float", "%", 0, 100,
           "extension",
           "state of charge of the pack in this port"),
    Signal("pack_voltage_v", "pack", "float", "V", 0.1, 1500,
           "extension",
           "voltage of the pack in this port"),
    Signal("pack_cycles", "pack", "int", "1", 0, 1e5,
           "extension",
           "cycle count that the pack in this port reports"),
    Signal("pack_c", "pack", "float", "degC", -60, 100,
           "extension",
           "temperature of the pack in this port"),
    # body
    Signal("helmets_seat", "body", "int", "1", 0, 9,
           "extension",
           "helmets in the seat compartment"),
    Signal("helmets_tailbox", "body", "int", "1", 0, 9,
           "extension",
           "helmets in the tail box"),
    Signal("occupied", "body", "bool", "", None, None,
           "Cabin.Seat.Row1.DriverSide.IsOccupied",
           "somebody sits on the vehicle"),
    Signal("cruise", "body", "bool", "", None, None,
           "ADAS.CruiseControl.IsActive",
           "cruise control on"),
    Signal("saddle_locked", "body", "bool", "", None, None,
           "extension",
           "saddle compartment locked"),
    Signal("tailbox_locked", "body", "bool", "", None, None,
           "extension",
           "tail box locked"),
    Signal("handlebar_locked", "body", "bool", "", None, None,
           "extension",
           "handlebar lock engaged"),
    Signal("kickstand_open", "body", "bool", "", None, None,
           "extension",
           "kickstand is down"),
    Signal("tyre_fl_kpa", "body", "float", "kPa", 50, 600,
           "Chassis.Axle.Row1.Wheel.Left.Tire.Pressure",
           "front left"),
    Signal("tyre_fr_kpa", "body", "float", "kPa", 50, 600,
           "Chassis.Axle.Row1.Wheel.Right.Tire.Pressure",
           "front right"),
    Signal("tyre_rl_kpa", "body", "float", "kPa", 50, 600,
           "Chassis.Axle.Row2.Wheel.Left.Tire.Pressure",
           "rear left"),
    Signal("tyre_rr_kpa", "body", "float", "kPa", 50, 600,
           "Chassis.Axle.Row2.Wheel.Right.Tire.Pressure",
           "rear right"),
    Signal("tyre_fl_c", "body", "float", "degC", -60, 150,
           "Chassis.Axle.Row1.Wheel.Left.Tire.AirTemperature",
           "tyre air temperature"),
    Signal("tyre_fr_c", "body", "float", "degC", -60, 150,
           "Chassis.Axle.Row1.Wheel.Right.Tire.AirTemperature",
           "tyre air temperature"),
    Signal("tyre_rl_c", "body", "float", "degC", -60, 150,
           "Chassis.Axle.Row2.Wheel.Left.Tire.AirTemperature",
           "tyre air temperature"),
    Signal("tyre_rr_c", "body", "float", "degC", -60, 150,
           "Chassis.Axle.Row2.Wheel.Right.Tire.AirTemperature",
           "tyre air temperature"),
    Signal("tyre_warning", "body", "bool", "", None, None,
           "extension",
           "any tyre pressure or temperature warning"),
    Signal("doors_open", "body", "bool", "", None, None,
           "extension",
           "any door open"),
    Signal("windows_open", "body", "bool", "", None, None,
           "extension",
           "any window not fully closed"),
    Signal("sunroof_open", "body", "bool", "", None, None,
           "extension",
           "sunroof not fully closed"),
    Signal("trunk_open", "body", "bool", "", None, None,
           "Body.Trunk.Rear.IsOpen",
           "trunk open"),
    Signal("hood_open", "body", "bool", "", None, None,
           "Body.Hood.IsOpen",
           "bonnet open"),
    Signal("charge_lid_open", "body", "bool", "", None, None,
           "extension",
           "any charge port lid open"),
    Signal("parking_brake", "body", "bool", "", None, None,
           "Chassis.ParkingBrake.IsEngaged",
           "parking brake on"),
    Signal("climate_on", "body", "bool", "", None, None,
           "extension",
           "cabin climate running, preconditioning included"),
    Signal("cabin_humidity_pct", "body", "float", "%", 0, 100,
           "extension",
           "relative humidity in the cabin"),
    Signal("cabin_pm25_ugm3", "body", "float", "ug/m3", 0, 1000,
           "extension",
           "fine dust in the cabin"),
)
# fmt: on

SIGNALS: Mapping[str, Signal] = {each.name: each for each in _ALL}
BOOLEAN_WORDS: Mapping[str, bool] = {  # in files that people write; lower case
    **dict.fromkeys(("true", "t", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "off", "0"), False),
}


# Words of raw tables, with their meanings.
EVENT_KINDS: Mapping[str, str] = {
    "alert": "an incident that the vehicle reports, such as illegal moving",
    "fault": "a fault code of the vehicle",
    "component": "a lockable part, such as the saddle or a helmet, changed its state",
    "dtc": "a standardised diagnostic trouble code",
    "firmware": "a firmware version; `code` is the version, `appeared` when it was first seen",
    "pipeline": "found by voltrail in the data, and not reported by the vehicle",
}
EVENT_STATES: Mapping[str, str] = {
    "appeared": "an alert or a fault began, a firmware version was first seen",
    "cleared": "an alert or a fault ended",
    "locked": "the component was locked",
    "unlocked": "the component was unlocked",
    "returned": "a helmet was put back",
    "taken": "a helmet was taken out",
}
VIA: Mapping[str, str] = {
    "push": "the vendor sent it to us, or the collector wrote it",
    "poll": "the answer to a request of ours",
    "import": "read from a file or from the settings",
}
CLOCKS: Mapping[str, str] = {
    "device": "the vehicle's clock",
    "server": "the clock of the vendor's cloud or of voltrail",
    "received": "the moment of the first receipt, because the message had no usable time",
}
FLAGS: Mapping[str, str] = {
    "unreadable:SIGNAL": "the message held a text that is no value of this signal; the value is null",
    "implausible:SIGNAL": "the value was outside the plausible range of this signal; the value is null",
    "unit:SIGNAL": "the unit of this value is unsure: its magnitude fits none of the vendor's units, or the vendor "
    "names none; the value is kept as it came",
    "differ:SIGNAL": "the message held this value under two names and the two differ; the first is kept",
    "null_island": "the position was 0, 0; it is null and `fix_valid` is false",
    "position_untrusted": "the vehicle says that its position cannot be trusted; it is kept",
    "time_missing": "the message had no time; `time` is that of the receipt",
    "time_behind": "the message's time was over 30 days old; `time` is that of the receipt",
    "time_ahead": "the message's time was over 10 minutes ahead; `time` is that of the receipt",
    "odometer_back": "the odometer is below the vehicle's reading before it",
    "odometer_jump": "the odometer rose faster than 200 km/h since the reading before it",
}


def signal(name: str) -> Signal:
    """The signal of this name. Raises `UnknownName`, which names the nearest known one."""
    if name not in SIGNALS:
        raise UnknownName(f"unknown signal {name!r}{nearest(name, SIGNALS)}")
    return SIGNALS[name]


def of_table(table: str) -> tuple[Signal, ...]:
    """The signals of this table, in the order of the vocabulary."""
    return tuple(each for each in _ALL if each.table == table)
