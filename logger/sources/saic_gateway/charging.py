"""SAIC: the charging data of a car, which the gateway and the vendor's own cloud have alike: fields and steps.

Scales and validity are those of the vendor's schema (SAIC-iSmart-API, ASN.1), checked against an answer of a real car:
31.8 % of 72.5 kWh are the 23.1 kWh that it names. What no line of a table can say is a step.
"""

from collections.abc import Callable
from typing import Any

from logger.mapping import Field
from logger.sources.numbers import number

Values = dict[str, Any]
_NONE = ("65535",)  # the greatest number of two bytes: not known
_CHARGING = ("1", "3", "10", "11", "12")
_CHARGE_STATE = {
    "0": "unplugged",
    "2": "complete",
    "4": "fault",
    "5": "starting",
    "6": "plugged",
    "7": "plugged",
    "8": "plugged",
    "9": "scheduled",
    "11": "charging_dc",
    "13": "discharging",
    **dict.fromkeys(("1", "3", "10", "12"), "charging"),
}
_IS_CHARGING = {code: code in _CHARGING for code in _CHARGE_STATE}
_PACK_V, _PACK_A, _PACK_ZERO_A = 0.25, 0.05, 1000.0  # a code of the pack's voltage and current; its zero
_CHARGER_V, _CHARGER_A = 2.0, 0.2  # of the charger's
_LIMIT_INVALID_KM = 2046
_ROOT_3 = 3**0.5


def status_fields(data: str, status: str) -> tuple[Field, ...]:
    """The fields of `status`, from the members `data` and `status` of a document."""
    return (
        Field(path=f"{data}.bmsPackSOCDsp", to="soc_pct", unit="0.1 %", scale=0.1, unknown=_NONE),
        Field(path=f"{data}.bmsChrgSts", to="charge_state", choices=_CHARGE_STATE, otherwise="unknown"),
        Field(path=f"{data}.bmsChrgSts", to="charging", choices=_IS_CHARGING, lookup=True),
        Field(path=f"{status}.chargingGunState", to="plugged"),
        Field(path=f"{status}.mileage", to="odometer_m", unit="0.1 km", scale=100, unknown=("0",)),
        Field(path=f"{data}.range", to="range_m", unit="0.1 km", scale=100),
        Field(path=f"{data}.bmsEstdElecRng", to="range_at_limit_m", unit="km", scale=1000),
        Field(
            path=f"{data}.bmsOnBdChrgTrgtSOCDspCmd",
            to="charge_limit_pct",
            unit="1 to 7: 40 to 100 %",
            scale=10,
            offset=30,
            unknown=("0",),
        ),
        Field(path=f"{data}.chrgngRmnngTime", to="charge_left_s", unit="min", scale=60, unknown=("1023",)),
    )


def battery_fields(data: str, status: str, capacity_wh: float | None = None) -> tuple[Field, ...]:
    """The fields of `battery`. Current is negative while charging at the vendor, and positive here.

    Cars with a small pack may name the capacity of the largest one, and the energy in it. So both are flagged; where
    the settings know the capacity of the model, the energy is that share of it.
    """
    return (
        Field(path=f"{data}.bmsPackVol", to="voltage_v", unit="0.25 V", scale=_PACK_V, unknown=("0", *_NONE)),
        Field(
            path=f"{data}.bmsPackCrnt",
            to="current_a",
            unit="0.05 A from -1000 A",
            scale=-_PACK_A,
            offset=_PACK_ZERO_A,
            unknown=_NONE,
        ),
        Field(path=f"{data}.power", to="power_w", unit="W"),
        _energy(status, capacity_wh),
        Field(
            path=f"{status}.totalBatteryCapacity",
            to="nominal_wh",
            unit="0.1 kWh",
            scale=100,
            unknown=("0", *_NONE),
            doubtful=True,
        ),
        Field(path=f"{data}.chargerPower", to="charger_power_w", unit="W"),
        Field(
            path=f"{data}.onBdChrgrAltrCrntInptVol",
            to="charger_voltage_v",
            unit="2 V",
            scale=_CHARGER_V,
            unknown=("0",),
        ),
        Field(path=f"{data}.onBdChrgrAltrCrntInptCrnt", to="charger_current_a", unit="0.2 A", scale=_CHARGER_A),
        Field(path=f"{status}.phases", to="charger_phases"),
        Field(path=f"{data}.chargerKind", to="charger_kind"),
        Field(path=f"{status}.lastChargeEndingPower", to="last_charge_wh", unit="0.1 kWh", scale=100, unknown=_NONE),
        Field(
            path=f"{status}.powerUsageSinceLastCharge",
            to="used_since_charge_wh",
            unit="0.1 kWh",
            scale=100,
            unknown=_NONE,
        ),
        Field(
            path=f"{status}.mileageSinceLastCharge",
            to="driven_since_charge_m",
            unit="0.1 km",
            scale=100,
            unknown=_NONE,
        ),
    )


def _energy(status: str, capacity_wh: float | None) -> Field:
    if capacity_wh:
        return Field(path=f"{status}.share", to="energy_wh", unit="share of the capacity", scale=capacity_wh)
    path = f"{status}.realtimePower"
    return Field(path=path, to="energy_wh", unit="0.1 kWh", scale=100, unknown=_NONE, doubtful=True)


# ---- steps -----------------------------------------------------------------------------------------------------------


Wanted = tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]


def wanted(data: str, status: str) -> Wanted:
    """What the fields read of the members `data` and `status` of a document: the name in it, and the whole path."""
    fields = (*status_fields(data, status), *battery_fields(data, status), *battery_fields(data, status, 1.0))
    paths = sorted({name for field in fields for name in field.names})
    below = tuple((path.removeprefix(f"{status}."), path) for path in paths if path.startswith(f"{status}."))
    rest = tuple((path.removeprefix(f"{data}."), path) for path in paths if not path.startswith(f"{status}."))
    return rest, below


def charging_values(data: Any, status: Any, names: Wanted) -> Values:
    """The wanted values of both members of a document, after all steps. Members may be missing."""
    data, status = (dict(each) if each.__class__ is dict else {} for each in (data, status))
    for step in STEPS:
        step(data, status)
    values = {path: data[name] for name, path in names[0] if name in data}
    values.update((path, status[name]) for name, path in names[1] if name in status)
    return values


def drop_invalid(data: Values, status: Values) -> None:
    """Empty a value that its own flag calls invalid; of a projected range, from 2046 km on."""
    for name in ("bmsPackCrnt", "chrgngRmnngTime"):
        if number(data.get(f"{name}V")) == 1:
            data[name] = None
    limit_km = number(data.get("bmsEstdElecRng"))
    if limit_km is not None and limit_km >= _LIMIT_INVALID_KM:
        data["bmsEstdElecRng"] = None


def add_range(data: Values, status: Values) -> None:
    """The remaining range: that of the battery [0.1 km], else that of the instrument cluster [km]."""
    tenths = number(status.get("fuelRangeElec"))
    cluster_km = number(data.get("clstrElecRngToEPT"))
    if tenths is not None and 1 <= tenths <= 20_459:
        data["range"] = tenths
    elif cluster_km is not None and cluster_km < _LIMIT_INVALID_KM:
        data["range"] = 10 * cluster_km


def add_power(data: Values, status: Values) -> None:
    """Power into the battery [W]: its voltage times its current."""
    volts, amperes = number(data.get("bmsPackVol")), number(data.get("bmsPackCrnt"))
    if volts is not None and amperes is not None and 0 < volts < 65535 and 0 <= amperes < 65535:
        data["power"] = round(_PACK_V * volts * (_PACK_ZERO_A - _PACK_A * amperes), 3)


def add_share(data: Values, status: Values) -> None:
    """Energy in the pack as a share of the capacity that the car names; both may be those of a larger pack."""
    energy, capacity = number(status.get("realtimePower")), number(status.get("totalBatteryCapacity"))
    if energy is not None and capacity is not None and 0 <= energy < 65535 and 0 < capacity < 65535:
        status["share"] = round(energy / capacity, 6)


def add_charger_power(data: Values, status: Values) -> None:
    """Power of the charger [W]: volts times amperes, times the root of three where the car names three phases."""
    volts, amperes = number(data.get("onBdChrgrAltrCrntInptVol")), number(data.get("onBdChrgrAltrCrntInptCrnt"))
    phases = number(status.get("chargingElectricityPhase"))
    if phases in (1, 3):
        status["phases"] = int(phases)
    if volts is not None and amperes is not None and 0 <= volts <= 255 and 0 <= amperes <= 255:  # of one byte each
        factor = _ROOT_3 if phases == 3 else 1.0
        data["chargerPower"] = round(_CHARGER_V * volts * _CHARGER_A * amperes * factor, 3)


def add_charger_kind(data: Values, status: Values) -> None:
    """Which plug is in: that of the charger on board takes alternating current, the other one direct current."""
    if number(data.get("ccuOnbdChrgrPlugOn")) == 1:
        data["chargerKind"] = "ac"
    elif number(data.get("ccuOffBdChrgrPlugOn")) == 1:
        data["chargerKind"] = "dc"


STEPS: tuple[Callable[[Values, Values], None], ...] = (
    drop_invalid,
    add_range,
    add_power,
    add_share,
    add_charger_power,
    add_charger_kind,
)
