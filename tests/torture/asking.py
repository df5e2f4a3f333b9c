"""The lake held against the diary of the cloud that was asked: every answer is stored as it was said, or set aside."""

import http.client
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from logger.sources.segway.messages import CODES, UNSUPPORTED
from logger.stores.lake.lake import Lake
from tests.torture import light_cloud
from tests.torture.light_cloud import Said, vehicle
from tests.torture.weather import FAILURES, HONEST, REFUSALS, SET_ASIDE, TYPES

_VALUES = {"status": "odometer_m", "location": "lat_deg", "body": "helmets_seat", "battery": "bms_soc_pct",
           "pack": "pack_cycles"}  # fmt: skip
_OUT_OF_REACH = ("15300", "15301", "15302", "15303")
Key = tuple[str, str, int, str]  # table, vehicle, time [epoch ms], port


class Clouded(msgspec.Struct):
    """A cloud in a process of its own, and where it writes its diary."""

    base_url: str
    diary: Path

    def account(self, **poll: int) -> str:
        """The lines of a source that is asked at these intervals [s]."""
        lines = [f"{name} = {value}" for name, value in poll.items()]
        return "\n".join([f'base_url = "{self.base_url}"', 'vehicles_file = "fleet.csv"', "[sources.poll]", *lines])

    def weather(self, word: str) -> None:
        """`storm` or `calm`."""
        self._call(word)

    def read(self) -> list[Said]:
        """The diary up to now; the cloud must run."""
        self._call("diary")
        return list(light_cloud.read(self.diary))

    def _call(self, word: str) -> None:
        line = http.client.HTTPConnection(self.base_url.removeprefix("http://"), timeout=10)
        line.request("GET", f"/simulator/{word}")
        assert line.getresponse().status == 200
        line.close()


@contextmanager
def cloud(folder: Path, vehicles: int) -> Iterator[Clouded]:
    """A light cloud of so many vehicles while the block lasts, and their list beside the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [vehicle(number) for number in range(vehicles)]
    (folder / "fleet.csv").write_text("\n".join(["vehicle", *names]))
    diary = folder / "diary.ndjson"
    words = [sys.executable, "-m", "tests.torture.light_cloud", "--vehicles", str(vehicles), "--diary", str(diary)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Clouded(process.stdout.readline().strip(), diary)
        finally:
            process.terminate()


class Books(msgspec.Struct, frozen=True):
    """What became of the answers: said by the cloud, told by the lake, and where the two differ."""

    stored: int
    aside: Counter[str]
    told_stored: int
    told_aside: Counter[str]
    missing: list[Key]
    strange: list[Key]
    wrong: list[tuple[Key, Any, set[object]]]

    def check(self) -> None:
        """Fail with figures and a few cases, not with all of them."""
        odd = [each[:5] for each in (self.missing, self.strange, self.wrong)]
        assert not any(odd), odd
        assert self.aside == self.told_aside, (self.aside, self.told_aside)
        assert self.stored == self.told_stored


def books(lake: Lake, diary: Sequence[Said]) -> Books:
    """Hold them against each other; the service has ended."""
    answers = [said for said in diary if said.word != "token" and said.weather not in (*FAILURES, *REFUSALS)]
    expected: dict[Key, set[object]] = {}
    certain: set[Key] = set()
    for said in answers:
        for key, value in _rows(said):
            expected.setdefault(key, set()).update((value, None) if said.weather == TYPES else (value,))
            certain |= set() if said.weather == TYPES else {key}
    got = dict(_told(lake))
    aside = [reason for said in answers if (reason := _aside(said.weather))]
    return Books(
        stored=len(answers) - len(aside),
        aside=Counter(aside),
        told_stored=_received(lake),
        told_aside=_set_aside(lake),
        missing=sorted(certain - got.keys()),
        strange=sorted(got.keys() - expected.keys()),
        wrong=[(key, value, expected[key]) for key, value in got.items() if value not in expected.get(key, (value,))],
    )


def _aside(weather: str) -> str:
    """The reason of quarantine that this deserves; empty where it is read."""
    if weather in SET_ASIDE:
        return SET_ASIDE[weather]
    return "the vendor answered" if weather.isdigit() and CODES[int(weather)] == UNSUPPORTED else ""


def _rows(said: Said) -> Iterator[tuple[Key, object]]:
    """The rows that an answer makes: their keys, and the value that `_VALUES` names."""
    who = vehicle(said.number)
    data = light_cloud.honest(said)["data"]
    if _aside(said.weather):
        return
    if said.weather in _OUT_OF_REACH or (said.weather in (HONEST, TYPES) and data is None):
        yield ("status", who, said.at_ms, ""), None
    elif said.weather not in (HONEST, TYPES):
        return  # the vehicle could not say
    elif said.word == "status":
        yield ("status", who, data["statusUtcTime"] * 1000, ""), data["odometer"]
    elif said.word == "location":
        yield ("location", who, data["gpsUtcTime"] * 1000, ""), data["latitude"]
    elif said.word == "extra-status":
        yield ("body", who, said.at_ms, ""), data["seatCaskHelmet"]
    else:
        yield ("battery", who, said.at_ms, ""), data["vehiclePercent"]
        for pack in data["batteryData"]:
            yield ("pack", who, said.at_ms, str(pack["batteryPort"])), pack["cycleTimes"]


def _told(lake: Lake) -> Iterator[tuple[Key, Any]]:
    for table, value in _VALUES.items():
        port = pl.col("port") if table == "pack" else pl.lit("")
        rows = lake.scan(table).filter(pl.col("via") == "poll")
        for who, at, where, told in rows.select("vehicle", pl.col("time").dt.epoch("ms"), port, value).collect().rows():
            yield (table, who, at, where), told


def _received(lake: Lake) -> int:
    polled = lake.scan("intake").filter(pl.col("vehicle").str.starts_with(vehicle(0)[:3]))
    return int(polled.collect()["received"].sum())


def _set_aside(lake: Lake) -> Counter[str]:
    rows = lake.scan("quarantine").filter(pl.col("via") == "poll").collect()
    known = sorted({*SET_ASIDE.values()})
    return Counter(next((each for each in known if each in reason), reason) for reason in rows["reason"])
