"""What an unknown column or entity probably is, for errors that offer a command to paste."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence

from logger.sources.files.options import LongTable
from logger.sources.files.presets import likely_preset

_NAMES: Mapping[str, tuple[str, ...]] = {  # lower case, blanks and signs as `_`, without a unit
    "time": ("time", "timestamp", "date", "datetime", "date_time", "last_changed", "last_updated", "zeit", "datum",
             "zeitpunkt", "zeitstempel", "ts", "recorded_at", "created_at", "epoch", "epoch_time", "device_time",
             "utc"),
    "vehicle": ("vehicle", "vin", "car", "vehicle_id", "car_id", "carid", "imei", "device", "device_id", "fahrzeug"),
    "soc_pct": ("soc", "battery", "battery_level", "batterylevel", "state_of_charge", "battery_soc", "charge_level",
                "battery_percentage", "ladestand", "ladezustand", "akku", "soc_percent"),
    "odometer_m:km": ("odometer", "odo", "mileage", "total_distance", "totaldistance", "kilometerstand", "km_stand",
                      "distance_total"),
    "range_m:km": ("range", "battery_range", "est_range", "remaining_range", "range_remaining", "reichweite"),
    "speed_kmh": ("speed", "velocity", "vehicle_speed", "geschwindigkeit", "tempo"),
    "lat_deg": ("lat", "latitude", "breitengrad"),
    "lon_deg": ("lon", "lng", "long", "longitude", "laengengrad", "längengrad"),
    "altitude_m": ("alt", "altitude", "elevation", "ele", "elv", "hoehe", "höhe"),
    "heading_deg": ("heading", "bearing", "course"),
    "ambient_c": ("outside_temp", "outside_temperature", "ambient", "ambient_temp", "exterior_temperature",
                  "outdoor_temperature", "aussentemperatur", "außentemperatur"),
    "cabin_c": ("inside_temp", "inside_temperature", "interior_temperature", "cabin_temp"),
    "battery_c": ("battery_temp", "battery_temperature", "pack_temp"),
    "voltage_v": ("voltage", "pack_voltage", "battery_voltage", "hv_voltage"),
    "current_a": ("current", "pack_current", "battery_current", "hv_current"),
    "power_w": ("power", "battery_power"),
    "soh_pct": ("soh", "state_of_health", "battery_health"),
    "charging": ("charging", "is_charging", "ladung"),
    "plugged": ("plugged", "plugged_in", "is_plugged", "cable_connected", "charge_cable"),
    "locked": ("locked", "is_locked", "lock"),
    "moving": ("moving", "is_moving", "ignition"),
    "charge_limit_pct": ("charge_limit", "charge_limit_soc"),
}  # fmt: skip
_TARGETS = {name: target for target, names in _NAMES.items() for name in names}
_UNITS = {
    "km": "km", "mi": "mi", "miles": "mi", "m": "m", "mph": "mph", "kmh": "km/h", "kph": "km/h", "km_h": "km/h",
    "c": "degC", "degc": "degC", "f": "degF", "degf": "degF", "kw": "kW", "w": "W", "kwh": "kWh", "wh": "Wh",
    "v": "V", "a": "A", "pct": "%", "percent": "%", "ft": "ft", "mv": "mV", "ma": "mA",
}  # fmt: skip
_FAMILIES = {"km": "m", "mi": "m", "m": "m", "ft": "m", "mph": "kmh", "km/h": "kmh", "degC": "c", "degF": "c",
             "kW": "w", "W": "w", "kWh": "wh", "Wh": "wh", "V": "v", "mV": "v", "A": "a", "mA": "a",
             "%": "pct"}  # fmt: skip
_ENTITY_COLUMNS = ("entity_id", "entity", "metric", "signal", "sensor", "key", "_field", "field", "variable", "topic")
_STATE_COLUMNS = ("state", "value", "_value", "val")


def likely_target(name: str) -> str:
    """Return what this column or entity probably is, as `SIGNAL` or `SIGNAL:UNIT`; empty where nobody can say."""
    plain = re.sub(r"[^\w]+", "_", name.rpartition(".")[2].lower()).strip("_")
    base, unit = _without_unit(plain)
    target = next((found for each in (plain, base) if (found := _of_ending(each))), "")
    signal, _, usual = target.partition(":")
    if unit and _FAMILIES[unit] == signal.rpartition("_")[2]:
        usual = "" if unit in ("km/h", "degC", "W", "Wh", "V", "A", "%", "m") else unit
    return f"{signal}:{usual}" if usual else signal


def mapping_options(names: Iterable[str]) -> str:
    """Return `--map` options for those of these names that are likely something, to paste into a shell."""
    targets = {name: likely_target(name) for name in names}
    chosen: dict[str, str] = {}
    for name, target in targets.items():
        if target and target not in chosen.values():
            chosen[name] = target
    return " ".join(f"--map {shlex.quote(f'{name}={target}')}" for name, target in chosen.items())


def advice(columns: Iterable[str]) -> str:
    """Return what a file with these columns looks like and which option reads it; empty where that is not clear."""
    names = list(columns)
    known = likely_preset(names)
    if known is not None and known.long is None:
        return f"looks like {known.what.partition(':')[0]}; use --format {known.name}"
    long = likely_long(names)
    if long is None:
        return ""
    option = shlex.quote(",".join((long.entity, long.state, long.time)))
    form = f" (or --format {known.name})" if known is not None else ""
    return f"looks like a long table, one line for each entity and change; use --long {option}{form}"


def likely_long(names: Sequence[str]) -> LongTable | None:
    """Return the columns of a long table where a file with these names looks like one."""
    entity, state = (
        next((each for each in names if each.lower() in known), "") for known in (_ENTITY_COLUMNS, _STATE_COLUMNS)
    )
    time = next((each for each in names if likely_target(each) == "time"), "")
    return LongTable(entity, state, time) if entity and state and time else None


def _of_ending(plain: str) -> str:
    """The target of this name or, of an entity such as `my_car_battery_level`, of its last words."""
    parts = plain.split("_")
    endings = ("_".join(parts[at:]) for at in range(len(parts)))
    return next((_TARGETS[each] for each in endings if each in _TARGETS), "")


def _without_unit(plain: str) -> tuple[str, str]:
    """The name without the unit that is its last word, and the unit."""
    base, _, last = plain.rpartition("_")
    return (base, _UNITS[last]) if base and last in _UNITS else (plain, "")
