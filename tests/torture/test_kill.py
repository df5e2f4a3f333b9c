"""kill -9 of all processes at once, at random moments in every phase: answered pushes are stored exactly once."""

import os
import random
import shutil
import threading
from collections import Counter
from pathlib import Path

import msgspec
import polars as pl
import pytest

from logger.stores.lake.lake import Lake
from logger.tables import shaped
from tests.helpers.waiting import wait_until
from tests.torture.push_audit import PushAudit, audit_pushes
from tests.torture.push_client import Client, PushPlan
from tests.torture.service import PHASES, Service

ANSWERED_BETWEEN, ANSWERS_S = 500, 30.0
# The latest moment of the kill within a phase [s]: about the duration of the phase.
_WITHIN_S = {"append": 0.002, "decode": 0.006, "lake commit": 0.03, "compaction": 0.03}
_RATE = 1500.0  # pushes a second: the spool is busy, and each run's rows stay few enough for hundreds of runs
_ATTEMPTS = 6  # for each kill that counts


class KillReport(msgspec.Struct, frozen=True):
    """The result of many kills."""

    seed: int
    kills: Counter[str]  # by phase
    outside: int  # kills outside all phases
    fewest_between: int
    faults: list[str]
    exit_code: int
    sends: int
    audit: PushAudit

    def __str__(self) -> str:
        """The report for people."""
        lines = [
            "",
            *(f"killed during {phase:<12}{self.kills[phase]:>10,}" for phase in PHASES),
            f"killed outside            {self.outside:>10,}",
            f"fewest answered between   {self.fewest_between:>10,}",
            f"pushes sent               {self.sends:>10,}",
            str(self.audit),
            f"seed                      {self.seed:>10,}",
        ]
        return "\n".join(lines)


def kill_repeatedly(folder: Path, each: int, seed: int) -> KillReport:
    """Kill all processes `each` times in every phase, drain the spool, and audit the lake."""
    print(f"\nseed {seed}")
    chance, plan = random.Random(seed), PushPlan()
    kills: Counter[str] = Counter()
    fewest, faults = 1 << 40, list[str]()
    with Service(folder, lake="compact_after_s = 0") as service:
        client = Client(service.port, folder / "answers.log", plan)
        for _ in range(each * len(PHASES) * _ATTEMPTS):
            open_phases = [phase for phase in PHASES if kills[phase] < each]
            if not open_phases:
                break
            phase, answered = _run_and_kill(service, client, chance.choice(open_phases), chance)
            kills[phase] += 1
            fewest = min(fewest, answered)
            faults += service.log.faults()
        service.start()
        code = service.stop()
        faults += service.log.faults()
        assert set(client.statuses) == {200}
        outside, audit = kills.pop("", 0), audit_pushes(service, client, plan)
        return KillReport(seed, kills, outside, fewest, faults, code, client.sent.total(), audit)


def _run_and_kill(service: Service, client: Client, phase: str, chance: random.Random) -> tuple[str, int]:
    """Run and kill once; return the phase of the kill, empty if it was over, and the number of answers before."""
    service.start()
    before = client.answers.count
    again = [number for number in sorted(client.unanswered) if chance.random() < 0.5]
    client.begin(again, per_second=_RATE)
    wait_until(lambda: client.answers.count - before >= ANSWERED_BETWEEN, f"{ANSWERED_BETWEEN} answers", ANSWERS_S)
    service.log.wait(f": {phase} begins")
    threading.Event().wait(chance.uniform(0, _WITHIN_S[phase]))
    answered = client.answers.count - before
    log = service.kill()
    client.join()
    return phase if log.in_phase(phase) else "", answered


def _check(report: KillReport, each: int) -> None:
    print(report)
    assert all(report.kills[phase] >= each for phase in PHASES), str(report)
    assert report.fewest_between >= ANSWERED_BETWEEN, str(report)
    report.audit.check()
    assert report.audit.answered <= report.audit.received <= report.sends, str(report)
    assert not report.faults, report.faults
    assert report.exit_code == 0, str(report)


@pytest.mark.long
def test_answered_pushes_survive_a_kill_in_every_phase(tmp_path: Path) -> None:
    _check(kill_repeatedly(tmp_path, each=1, seed=1), each=1)


@pytest.mark.torture
def test_answered_pushes_survive_twenty_kills_in_every_phase(tmp_path: Path) -> None:
    _check(kill_repeatedly(tmp_path, each=20, seed=2), each=20)


def test_files_left_by_a_killed_commit_are_deleted_an_hour_later_and_no_others(tmp_path: Path) -> None:
    lake, times = Lake(str(tmp_path), "log"), [1_000 * second for second in range(1, 10)]
    rows = pl.DataFrame({"provider": "p", "vehicle": "v", "time": times, "received_at": times, "sequence": times})
    lake.write("status", shaped(rows, "status"))
    (file,) = lake.files("status")
    old, fresh = (Path(file.uri).with_name(f"part-{name}-c000.snappy.parquet") for name in ("old", "fresh"))
    for each in (old, fresh):
        shutil.copyfile(file.uri, each)
    for each in (old, Path(file.uri)):
        os.utime(each, (0, 0))
    lake.vacuum()
    assert [each.exists() for each in (old, fresh, Path(file.uri))] == [False, True, True]
    assert lake.scan("status").collect().height == len(times)
