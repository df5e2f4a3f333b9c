"""A simulated cloud light enough for ten thousand vehicles: documented answers from a template, and a diary of them.

    python -m tests.torture.light_cloud --vehicles 10000 --diary FILE

The content of an answer follows from the vehicle's number and the moment: from the diary it is known what must be
stored. `GET /simulator/storm` begins a storm, `calm` ends it, `diary` writes the diary to disk. There is one account,
the demo's.
"""

import argparse
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from logger.simulator.cloud.cloud import QUERIES, TOKEN, Request, Tokens
from logger.simulator.cloud.failures import Reply
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.demo.collector import PLATFORM, SECRET
from tests.torture.storm import HONEST, Storm, apply_kind

_FIRST = 861_000_000_000_000
_JSON = {"Content-Type": "application/json"}
_SLOT_S = 20  # how long a vehicle keeps a state
_OFFLINE = 15301


def vehicle(number: int) -> str:
    """Return the IMEI of the vehicle of this number."""
    return str(_FIRST + number)


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A line of the diary: which query of which vehicle, when [epoch ms], and the kind of failure, empty for none."""

    word: str
    number: int
    at_ms: int
    failure: str

    @property
    def at_s(self) -> int:
        """The moment by the vehicle's clock."""
        return self.at_ms // 1000


def state(number: int, at_s: int) -> str:
    """Return a state that lasts twenty seconds: of twenty vehicles one rides, two charge, and one is offline."""
    slot = (at_s + number % _SLOT_S) // _SLOT_S
    lot = (number * 7919 + slot * 104_729) % 100
    return "riding" if lot < 5 else "charging" if lot < 15 else "offline" if lot < 20 else "parked"


def odometer_m(answer: Answer) -> int:
    """Return an odometer reading that differs between vehicles and grows."""
    return answer.number * 1000 + last_contact_s(answer) % 1000


def last_contact_s(answer: Answer) -> int:
    """Return the moment of the cloud's last contact with the vehicle: now, or when it went offline."""
    slot_began_s = answer.at_s - (answer.at_s + answer.number % _SLOT_S) % _SLOT_S
    return slot_began_s if state(answer.number, answer.at_s) == "offline" else answer.at_s


def honest_answer(answer: Answer) -> dict[str, Any]:
    """Return the whole answer without any failure."""
    now = state(answer.number, answer.at_s)
    if now == "offline" and answer.word in ("battery-info", "extra-status"):
        return _envelope(answer, None, _OFFLINE)
    return _envelope(answer, _DATA[answer.word](answer, now))


def _envelope(answer: Answer, data: object, code: int = 0) -> dict[str, Any]:
    return {"code": code, "msg": "Success", "data": data, "t": answer.at_ms, "opId": f"{answer.at_ms:x}"}


def _status(answer: Answer, now: str) -> dict[str, Any]:
    return {
        "iotCode": vehicle(answer.number),
        "online": now != "offline",
        "locked": now != "riding",
        "lockVoltage": 412,
        "networkSignal": 22,
        "charging": now == "charging",
        "powerPercent": answer.number % 101,
        "speedMode": 1,
        "speed": 20 if now == "riding" else 0,
        "odometer": odometer_m(answer),
        "remainderRange": 3000,
        "totalRidingSecs": answer.number,
        "statusUtcTime": last_contact_s(answer),
    }


def _location(answer: Answer, now: str) -> dict[str, Any]:
    contact_s = last_contact_s(answer)
    position = {"latitude": 54.0 + answer.number / 1e5, "longitude": 25.0 + contact_s % 1000 / 1e5}
    return {**position, "satelliteNumber": 6, "hdop": 1.38, "altitude": 10.1, "gpsUtcTime": contact_s}


def _extra_status(answer: Answer, now: str) -> dict[str, Any]:
    seat = {"seatCaskHelmet": answer.number % 3, "tailboxHelmet": 1, "peopleSat": int(now == "riding")}
    return {**seat, "cruiseStatus": 0, "saddleStatus": 1, "tailboxStatus": 1, "handlebarStatus": 1, "kickstand": 1}


def _battery_info(answer: Answer, now: str) -> dict[str, Any]:
    packs = [
        {
            "batteryPort": port,
            "batteryPercent": 50,
            "batteryVoltage": 48,
            "cycleTimes": answer.number % 500 + port,
            "temperatrue": 21,
        }
        for port in (1, 2)
    ]
    display = {"charging": now == "charging", "vehiclePercent": answer.number % 101}
    battery = {"batteryCount": 2, "batteryData": packs, "drivingVoltage": 48, "currentPower": 312}
    return {**display, **battery, "iotPercent": 90, "iotVoltage": 411}


_DATA = {"status": _status, "location": _location, "extra-status": _extra_status, "battery-info": _battery_info}


class LightCloud:
    """Answers, and notes each answer in the diary before it is sent."""

    def __init__(self, vehicles: int, diary: Path) -> None:
        self._numbers = {vehicle(number): number for number in range(vehicles)}
        self._tokens = Tokens(PLATFORM, SECRET, time.time, 43_199)
        self._diary = diary.open("ab")
        self._storm = Storm()

    def answer(self, request: Request) -> Reply:
        """Return the answer to this call."""
        word = QUERIES.get(request.path)
        if request.path == TOKEN:
            self._note(Answer("token", 0, time.time_ns() // 1_000_000, HONEST))
            return self._tokens.issue(request.body)
        if word is None:
            return self._control(request.path)
        number = self._numbers[request.parameters["iotCode"]]
        at_ms = time.time_ns() // 1_000_000
        accepted = self._tokens.accepts(request.headers.get("authorization", ""))
        failure = self._storm.next(word, number) if accepted else "15101"
        answer = Answer(word, number, at_ms, failure)
        self._note(answer)
        other = msgspec.structs.replace(answer, number=(number + 1) % len(self._numbers))
        return apply_kind(failure, Reply(200, msgspec.json.encode(honest_answer(answer)), _JSON), honest_answer(other))

    def flush(self) -> None:
        """Write the diary to disk."""
        self._diary.flush()

    def _note(self, answer: Answer) -> None:
        self._diary.write(msgspec.json.encode(answer) + b"\n")

    def _control(self, path: str) -> Reply:
        if path == "/simulator/storm":
            self._storm.begin()
        elif path == "/simulator/calm":
            self._storm.end()
        elif path != "/simulator/diary":
            return Reply(404, b"{}", _JSON)
        self.flush()
        return Reply(200, b"{}", _JSON)


def read_diary(diary: Path) -> Iterator[Answer]:
    """Yield the lines of a diary."""
    for line in diary.read_bytes().splitlines():
        yield msgspec.json.decode(line, type=Answer)


def main() -> None:
    """Serve until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--vehicles", type=int, required=True)
    parser.add_argument("--diary", type=Path, required=True)
    options, signals = parser.parse_args(), {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # also for the thread that serves
    cloud = LightCloud(options.vehicles, options.diary)
    with CloudServer(cloud) as server:
        print(server.base_url, flush=True)
        signal.sigwait(signals)
    cloud.flush()


if __name__ == "__main__":
    main()
