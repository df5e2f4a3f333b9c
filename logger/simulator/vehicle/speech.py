"""What a moped says, in the vendor's words and units: forms of a push, and data of an answer.

Spellings that look wrong are the vendor's: `temperatrue`, `remainderRange`, a `gpsUtcTime` that is text.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from logger.simulator.vehicle.gps import Fix

if TYPE_CHECKING:
    from logger.simulator.vehicle.moped import Moped

Form = dict[str, str]
Data = dict[str, object]
_SIGNAL_LOW, _SIGNAL_HIGH = 2, 32


def status(moped: "Moped") -> Form:
    """A status push."""
    traits = moped.traits
    return {
        "online": "true",
        "locked": "true" if moped.locked else "false",
        "lockVoltage": str(int(100 * moped.lock_v)),
        "networkSignal": str(signal(moped)),
        "charging": "true" if moped.charging else "false",
        "powerPercent": str(moped.percent),
        "speedMode": "0" if moped.locked and traits.locked_mode_0 else str(moped.mode),
        "speed": str(round(3.6 * moped.speed_ms * traits.tyre)),
        "odometer": str(int(moped.odometer_m)),
        traits.range_name: str(int(moped.range_m / 10)),
        "totalRidingSecs": str(int(moped.riding_s)),
        "statusUtcTime": str(moped.device_s),
    }


def signal(moped: "Moped") -> int:
    """The radio's own figure, as modems give it."""
    strength = moped.world.radio(moped.x_m, moped.y_m)
    return int(min(_SIGNAL_HIGH, max(_SIGNAL_LOW, 4 + 18 * strength)))


def location(fix: Fix) -> Form:
    """A location push."""
    return {
        "locationStatus": "valid" if fix.valid else "invalid",
        "latitude": "" if fix.lat_deg is None else f"{fix.lat_deg:.6f}",
        "longitude": "" if fix.lon_deg is None else f"{fix.lon_deg:.6f}",
        "satelliteNumber": str(fix.satellites),
        "hdop": f"{fix.hdop:.2f}",
        "altitude": f"{fix.altitude_m:.1f}",
        "gpsUtcTime": str(int(fix.at)),
    }


def status_answer(told: Mapping[str, str]) -> Data:
    """The last status that the cloud heard: it may be a quarter of an hour old, or days."""
    texts = {"online", "locked", "charging"}
    data: Data = {name: value == "true" if name in texts else int(value) for name, value in told.items()}
    data["speedMode"] = max(1, int(told["speedMode"]))  # the query knows no 0
    return data


def location_answer(told: Mapping[str, str], as_text: bool) -> Data:
    """The last location that the cloud heard."""
    return {
        "latitude": float(told["latitude"] or 0),
        "longitude": float(told["longitude"] or 0),
        "satelliteNumber": int(told["satelliteNumber"]),
        "hdop": float(told["hdop"]),
        "altitude": float(told["altitude"]),
        "gpsUtcTime": told["gpsUtcTime"] if as_text else int(told["gpsUtcTime"]),
    }


def extra_answer(moped: "Moped") -> Data:
    """What the body's switches say now."""
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


def battery_answer(moped: "Moped") -> Data:
    """What the packs say now. The voltage may be some seconds older than the power."""
    # A step is a second while riding, which is all that anybody could notice.
    volts = moped.volts[-1 - min(moped.traits.skew_s, len(moped.volts) - 1)]
    packs = [(port, pack) for port, pack in enumerate(moped.packs, 1) if pack is not None]
    fine = sum(pack.bms.fine_pct for _, pack in packs) / len(packs) if packs else 0.0
    return {
        "charging": moped.charging,
        "vehiclePercent": max(0, min(100, round(fine))),
        "batteryCount": len(packs),
        "drivingVoltage": round(volts) if packs else 0,
        "currentPower": round(moped.power_w - moped.charger_w),
        "iotPercent": round(moped.iot_pct),
        "iotVoltage": int(360 + 0.55 * moped.iot_pct),
        "batteryData": [
            {
                "batteryPort": port,
                "batteryPercent": pack.bms.shown_pct,
                "batteryVoltage": round(pack.voltage_v),
                "cycleTimes": pack.bms.cycles,
                "temperatrue": round(pack.temperature_c),
            }
            for port, pack in packs
        ],
    }
