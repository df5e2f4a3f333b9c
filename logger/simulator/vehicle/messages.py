"""A moped's messages in the vendor's words and units: the forms of pushes, and the data of answers.

Spellings that look wrong are the vendor's: `temperatrue`, `remainderRange`, a `gpsUtcTime` that is text.
"""

from collections.abc import Mapping

from logger.simulator.vehicle.gps import Fix
from logger.simulator.vehicle.moped_state import MopedState

Form = dict[str, str]
Data = dict[str, object]
Message = tuple[float, str, Form]  # moment [epoch s], path, fields
_SIGNAL_LOW, _SIGNAL_HIGH = 2, 32


def status_push(moped: MopedState) -> Form:
    """Return the fields of a status push."""
    specification = moped.specification
    return {
        "online": "true",
        "locked": "true" if moped.locked else "false",
        "lockVoltage": str(int(100 * moped.lock_v)),
        "networkSignal": str(_network_signal(moped)),
        "charging": "true" if moped.charging else "false",
        "powerPercent": str(moped.percent),
        "speedMode": "0" if moped.locked and specification.mode_0_when_locked else str(moped.mode),
        "speed": str(round(3.6 * moped.speed_ms * specification.odometer_factor)),
        "odometer": str(int(moped.odometer_m)),
        specification.range_field: str(int(moped.range_m / 10)),
        "totalRidingSecs": str(int(moped.riding_s)),
        "statusUtcTime": str(moped.device_s),
    }


def _network_signal(moped: MopedState) -> int:
    """Return the strength of the network in the unit of modems."""
    strength = moped.environment.network_strength(moped.x_m, moped.y_m)
    return int(min(_SIGNAL_HIGH, max(_SIGNAL_LOW, 4 + 18 * strength)))


def location_push(fix: Fix) -> Form:
    """Return the fields of a location push."""
    return {
        "locationStatus": "valid" if fix.valid else "invalid",
        "latitude": "" if fix.lat_deg is None else f"{fix.lat_deg:.6f}",
        "longitude": "" if fix.lon_deg is None else f"{fix.lon_deg:.6f}",
        "satelliteNumber": str(fix.satellites),
        "hdop": f"{fix.hdop:.2f}",
        "altitude": f"{fix.altitude_m:.1f}",
        "gpsUtcTime": str(int(fix.at)),
    }


def status_answer(push: Mapping[str, str]) -> Data:
    """Return the last status that the cloud received: it may be a quarter of an hour old, or days."""
    flags = {"online", "locked", "charging"}
    data: Data = {name: value == "true" if name in flags else int(value) for name, value in push.items()}
    data["speedMode"] = max(1, int(push["speedMode"]))  # the answer has no 0
    return data


def location_answer(push: Mapping[str, str], time_as_text: bool) -> Data:
    """Return the last location that the cloud received."""
    return {
        "latitude": float(push["latitude"] or 0),
        "longitude": float(push["longitude"] or 0),
        "satelliteNumber": int(push["satelliteNumber"]),
        "hdop": float(push["hdop"]),
        "altitude": float(push["altitude"]),
        "gpsUtcTime": push["gpsUtcTime"] if time_as_text else int(push["gpsUtcTime"]),
    }


def extra_status_answer(moped: MopedState) -> Data:
    """Return the present state of the body's switches."""
    return {
        "seatCaskHelmet": 0 if moped.helmet_taken else 1,
        "tailboxHelmet": 1,
        "peopleSat": int(not moped.locked and moped.mode_riding),
        "cruiseStatus": 0,
        "saddleStatus": 0 if moped.saddle_open else 1,
        "tailboxStatus": 1,
        "handlebarStatus": int(moped.locked),
        "kickstand": int(not moped.mode_riding),
    }


def battery_answer(moped: MopedState) -> Data:
    """Return the present state of the packs. The voltage may be some seconds older than the power."""
    # Voltages are kept by step; a step is a second while riding, where alone the difference is noticeable.
    volts = moped.volts[-1 - min(moped.specification.voltage_age_s, len(moped.volts) - 1)]
    fine_pct = sum(pack.bms.fine_pct for pack in moped.fitted) / len(moped.fitted) if moped.fitted else 0.0
    return {
        "charging": moped.charging,
        "vehiclePercent": max(0, min(100, round(fine_pct))),
        "batteryCount": len(moped.fitted),
        "drivingVoltage": round(volts) if moped.fitted else 0,
        "currentPower": round(moped.power_w - moped.charger_w),
        "iotPercent": round(moped.iot_pct),
        "iotVoltage": int(360 + 0.55 * moped.iot_pct),
        "batteryData": _pack_data(moped),
    }


def _pack_data(moped: MopedState) -> list[Data]:
    return [
        {
            "batteryPort": port,
            "batteryPercent": pack.bms.shown_pct,
            "batteryVoltage": round(pack.voltage_v),
            "cycleTimes": pack.bms.cycles,
            "temperatrue": round(pack.temperature_c),
        }
        for port, pack in enumerate(moped.packs, 1)
        if pack is not None
    ]
