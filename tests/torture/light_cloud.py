"""A simulated cloud light enough for ten thousand vehicles: documented answers from a template, and a diary of them.

    python -m tests.torture.light_cloud --vehicles 10000 --diary FILE

What a vehicle says follows from its number and the moment, so that whoever reads the diary knows what must be stored.
`GET /simulator/storm` begins a storm, `calm` ends it, `diary` puts the diary on disk. There is one account, the demo's.
"""

import argparse
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from logger.simulator.cloud.cloud import QUERIES, TOKEN, Request, Tokens
from logger.simulator.cloud.mishaps import Reply
from logger.simulator.cloud.serving import Serving
from logger.simulator.demo.collector import PLATFORM, SECRET
from tests.torture.weather import HONEST, Weather

_FIRST = 861_000_000_000_000
_JSON = {"Content-Type": "application/json"}
_SLOT_S = 20  # a state lasts so long
_OFFLINE = 15301


def vehicle(number: int) -> str:
    """The IMEI of this one."""
    return str(_FIRST + number)


class Said(msgspec.Struct, frozen=True, array_like=True):
    """A line of the diary: which query of which vehicle, when [epoch ms], and what the weather made of the answer."""

    word: str
    number: int
    at_ms: int
    weather: str

    @property
    def at_s(self) -> int:
        """The moment by the vehicle's clock."""
        return self.at_ms // 1000


def state(number: int, at_s: int) -> str:
    """One in twenty rides, one in ten charges, one in twenty is out of reach, for twenty seconds at a time."""
    slot = (at_s + number % _SLOT_S) // _SLOT_S
    lot = (number * 7919 + slot * 104_729) % 100
    return "riding" if lot < 5 else "charging" if lot < 15 else "offline" if lot < 20 else "parked"


def odometer_m(said: Said) -> int:
    """Its own, and growing."""
    return said.number * 1000 + heard_s(said) % 1000


def heard_s(said: Said) -> int:
    """When the cloud last heard of it: now, or when it went out of reach."""
    begun = said.at_s - (said.at_s + said.number % _SLOT_S) % _SLOT_S
    return begun if state(said.number, said.at_s) == "offline" else said.at_s


def honest(said: Said) -> dict[str, Any]:
    """The whole answer, without any mishap."""
    now = state(said.number, said.at_s)
    if now == "offline" and said.word in ("battery-info", "extra-status"):
        return _envelope(said, None, _OFFLINE)
    return _envelope(said, _DATA[said.word](said, now))


def _envelope(said: Said, data: object, code: int = 0) -> dict[str, Any]:
    return {"code": code, "msg": "Success", "data": data, "t": said.at_ms, "opId": f"{said.at_ms:x}"}


def _status(said: Said, now: str) -> dict[str, Any]:
    return {
        "iotCode": vehicle(said.number),
        "online": now != "offline",
        "locked": now != "riding",
        "lockVoltage": 412,
        "networkSignal": 22,
        "charging": now == "charging",
        "powerPercent": said.number % 101,
        "speedMode": 1,
        "speed": 20 if now == "riding" else 0,
        "odometer": odometer_m(said),
        "remainderRange": 3000,
        "totalRidingSecs": said.number,
        "statusUtcTime": heard_s(said),
    }


def _location(said: Said, now: str) -> dict[str, Any]:
    place = {"latitude": 54.0 + said.number / 1e5, "longitude": 25.0 + heard_s(said) % 1000 / 1e5}
    return {**place, "satelliteNumber": 6, "hdop": 1.38, "altitude": 10.1, "gpsUtcTime": heard_s(said)}


def _extra(said: Said, now: str) -> dict[str, Any]:
    body = {"seatCaskHelmet": said.number % 3, "tailboxHelmet": 1, "peopleSat": int(now == "riding"), "cruiseStatus": 0}
    return {**body, "saddleStatus": 1, "tailboxStatus": 1, "handlebarStatus": 1, "kickstand": 1}


def _battery(said: Said, now: str) -> dict[str, Any]:
    packs = [
        {"batteryPort": port, "batteryPercent": 50, "batteryVoltage": 48, "cycleTimes": said.number % 500 + port,
         "temperatrue": 21}
        for port in (1, 2)
    ]  # fmt: skip
    shown = {
        "charging": now == "charging",
        "vehiclePercent": said.number % 101,
        "batteryCount": 2,
        "batteryData": packs,
    }
    return {**shown, "drivingVoltage": 48, "currentPower": 312, "iotPercent": 90, "iotVoltage": 411}


_DATA = {"status": _status, "location": _location, "extra-status": _extra, "battery-info": _battery}


class LightCloud:
    """Answers, and notes each answer in the diary before it goes out."""

    def __init__(self, vehicles: int, diary: Path) -> None:
        self._known = {vehicle(number): number for number in range(vehicles)}
        self._tokens = Tokens(PLATFORM, SECRET, time.time, 43_199)
        self._diary = diary.open("ab")
        self._weather = Weather()

    def answer(self, request: Request) -> Reply:
        """What this call gets."""
        word = QUERIES.get(request.path)
        if request.path == TOKEN:
            self._note(Said("token", 0, time.time_ns() // 1_000_000, HONEST))
            return self._tokens.issue(request.body)
        if word is None:
            return self._told(request.path)
        number = self._known[request.words["iotCode"]]
        at_ms = time.time_ns() // 1_000_000
        admitted = self._tokens.admits(request.headers.get("authorization", ""))
        weather = self._weather.next(word, number) if admitted else "15101"
        said = Said(word, number, at_ms, weather)
        self._note(said)
        other = msgspec.structs.replace(said, number=(number + 1) % len(self._known))
        return self._weather.spoilt(weather, Reply(200, msgspec.json.encode(honest(said)), _JSON), honest(other))

    def flush(self) -> None:
        """Put the diary on disk."""
        self._diary.flush()

    def _note(self, said: Said) -> None:
        self._diary.write(msgspec.json.encode(said) + b"\n")

    def _told(self, path: str) -> Reply:
        if path == "/simulator/storm":
            self._weather.begin()
        elif path == "/simulator/calm":
            self._weather.end()
        elif path != "/simulator/diary":
            return Reply(404, b"{}", _JSON)
        self.flush()
        return Reply(200, b"{}", _JSON)


def read(diary: Path) -> Iterator[Said]:
    """The lines of a diary."""
    for line in diary.read_bytes().splitlines():
        yield msgspec.json.decode(line, type=Said)


def main() -> None:
    """Serve until a signal says that it is enough."""
    options = argparse.ArgumentParser()
    options.add_argument("--vehicles", type=int, required=True)
    options.add_argument("--diary", type=Path, required=True)
    told, signals = options.parse_args(), {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # for the thread that serves, too
    cloud = LightCloud(told.vehicles, told.diary)
    with Serving(cloud) as serving:
        print(serving.base_url, flush=True)
        signal.sigwait(signals)
    cloud.flush()


if __name__ == "__main__":
    main()
