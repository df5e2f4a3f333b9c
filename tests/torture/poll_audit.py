"""Compares the lake with the diary of the cloud that was polled: every answer is stored as it was, or quarantined."""

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
from tests.torture.light_cloud import Answer, honest_answer, read_diary, vehicle
from tests.torture.storm import FAILURES, HONEST, QUARANTINE_REASONS, REFUSALS, TYPES

_VALUES = {"status": "odometer_m", "location": "lat_deg", "body": "helmets_seat", "battery": "bms_soc_pct",
           "pack": "pack_cycles"}  # fmt: skip
_OFFLINE = ("15300", "15301", "15302", "15303")
Key = tuple[str, str, int, str]  # table, vehicle, time [epoch ms], port


# ---- the cloud -----------------------------------------------------------------------------------------------------


class CloudProcess(msgspec.Struct):
    """A light cloud in a process of its own, and its diary."""

    base_url: str
    diary: Path

    def account(self, **poll: int) -> str:
        """Return the lines of a source that is polled at these intervals [s]."""
        lines = [f"{name} = {value}" for name, value in poll.items()]
        return "\n".join([f'base_url = "{self.base_url}"', 'vehicles_file = "fleet.csv"', "[sources.poll]", *lines])

    def control(self, word: str) -> None:
        """Begin a `storm`, end it (`calm`), or write the `diary`."""
        connection = http.client.HTTPConnection(self.base_url.removeprefix("http://"), timeout=10)
        connection.request("GET", f"/simulator/{word}")
        assert connection.getresponse().status == 200
        connection.close()

    def read_diary(self) -> list[Answer]:
        """Return the diary up to now; the cloud must run."""
        self.control("diary")
        return list(read_diary(self.diary))


@contextmanager
def light_cloud(folder: Path, vehicles: int) -> Iterator[CloudProcess]:
    """Run a light cloud of this many vehicles while the block lasts; write their list beside the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [vehicle(number) for number in range(vehicles)]
    (folder / "fleet.csv").write_text("\n".join(["vehicle", *names]))
    diary = folder / "diary.ndjson"
    command = [sys.executable, "-m", "tests.torture.light_cloud", "--vehicles", str(vehicles), "--diary", str(diary)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield CloudProcess(process.stdout.readline().strip(), diary)
        finally:
            process.terminate()


# ---- the audit -----------------------------------------------------------------------------------------------------


class PollAudit(msgspec.Struct, frozen=True):
    """What became of the answers, by the diary (`expected…`) and by the lake, and where the two differ."""

    expected_stored: int
    expected_quarantine: Counter[str]
    stored: int
    quarantine: Counter[str]
    missing: list[Key]
    unexpected: list[Key]
    wrong: list[tuple[Key, Any, set[object]]]

    def check(self) -> None:
        """Fail with figures and a few cases, not with all of them."""
        cases = [each[:5] for each in (self.missing, self.unexpected, self.wrong)]
        assert not any(cases), cases
        assert self.expected_quarantine == self.quarantine, (self.expected_quarantine, self.quarantine)
        assert self.expected_stored == self.stored


def audit_polls(lake: Lake, diary: Sequence[Answer]) -> PollAudit:
    """Compare the lake with the diary; the service has ended."""
    retried = (*FAILURES, *REFUSALS)
    answers = [answer for answer in diary if answer.word != "token" and answer.failure not in retried]
    expected, certain = _expected_values(answers)
    values = dict(_stored_values(lake))
    reasons = [reason for answer in answers if (reason := _quarantine_reason(answer.failure))]
    return PollAudit(
        expected_stored=len(answers) - len(reasons),
        expected_quarantine=Counter(reasons),
        stored=_stored_messages(lake),
        quarantine=_quarantine(lake),
        missing=sorted(certain - values.keys()),
        unexpected=sorted(values.keys() - expected.keys()),
        wrong=[(key, each, expected[key]) for key, each in values.items() if each not in expected.get(key, (each,))],
    )


def _expected_values(answers: Sequence[Answer]) -> tuple[dict[Key, set[object]], set[Key]]:
    """Return the possible values of every row, and the keys of rows that must be stored."""
    expected: dict[Key, set[object]] = {}
    certain: set[Key] = set()
    for answer in answers:
        for key, value in _rows(answer):
            expected.setdefault(key, set()).update((value, None) if answer.failure == TYPES else (value,))
            certain |= set() if answer.failure == TYPES else {key}
    return expected, certain


def _quarantine_reason(failure: str) -> str:
    """Return the expected reason of quarantine; empty if the answer is read."""
    if failure in QUARANTINE_REASONS:
        return QUARANTINE_REASONS[failure]
    return "the vendor answered" if failure.isdigit() and CODES[int(failure)] == UNSUPPORTED else ""


def _rows(answer: Answer) -> Iterator[tuple[Key, object]]:
    """Yield the rows that an answer makes: their keys, and the value of the column in `_VALUES`."""
    if _quarantine_reason(answer.failure):
        return
    name, data = vehicle(answer.number), honest_answer(answer)["data"]
    if answer.failure in _OFFLINE or (answer.failure in (HONEST, TYPES) and data is None):
        yield ("status", name, answer.at_ms, ""), None
    elif answer.failure in (HONEST, TYPES):  # any other failure is an answer without data
        yield from _data_rows(answer, name, data)


def _data_rows(answer: Answer, name: str, data: dict[str, Any]) -> Iterator[tuple[Key, object]]:
    if answer.word == "status":
        yield ("status", name, data["statusUtcTime"] * 1000, ""), data["odometer"]
    elif answer.word == "location":
        yield ("location", name, data["gpsUtcTime"] * 1000, ""), data["latitude"]
    elif answer.word == "extra-status":
        yield ("body", name, answer.at_ms, ""), data["seatCaskHelmet"]
    else:
        yield ("battery", name, answer.at_ms, ""), data["vehiclePercent"]
        for pack in data["batteryData"]:
            yield ("pack", name, answer.at_ms, str(pack["batteryPort"])), pack["cycleTimes"]


def _stored_values(lake: Lake) -> Iterator[tuple[Key, Any]]:
    for table, column in _VALUES.items():
        port = pl.col("port") if table == "pack" else pl.lit("")
        rows = lake.scan(table).filter(pl.col("via") == "poll")
        columns = rows.select("vehicle", pl.col("time").dt.epoch("ms"), port, column).collect()
        for name, at_ms, port_name, value in columns.rows():
            yield (table, name, at_ms, port_name), value


def _stored_messages(lake: Lake) -> int:
    polled = lake.scan("intake").filter(pl.col("vehicle").str.starts_with(vehicle(0)[:3]))
    return int(polled.collect()["received"].sum())


def _quarantine(lake: Lake) -> Counter[str]:
    rows = lake.scan("quarantine").filter(pl.col("via") == "poll").collect()
    known = sorted({*QUARANTINE_REASONS.values()})
    return Counter(next((each for each in known if each in reason), reason) for reason in rows["reason"])
