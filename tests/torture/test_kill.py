"""kill -9 of everything at once, at random moments in every phase: what was answered is stored exactly once."""

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
from tests.torture.fleet import Client, Story
from tests.torture.running import PHASES, Service, until
from tests.torture.verdict import Verdict, verdict

ANSWERED_BETWEEN, ANSWERS_S = 500, 30.0
# How far into a phase the kill comes at most [s]: about as long as the phase lasts.
_WITHIN_S = {"append": 0.002, "decode": 0.006, "lake commit": 0.03, "compaction": 0.03}
_RATE = 1500.0  # pushes a second: the spool is busy, and each run's rows stay few enough for hundreds of runs
_ATTEMPTS = 6  # for each kill that counts


class Storm(msgspec.Struct, frozen=True):
    """What came of a storm of kills."""

    seed: int
    kills: Counter[str]
    elsewhere: int
    fewest_between: int
    faults: list[str]
    exit_code: int
    sends: int
    verdict: Verdict


def storm(folder: Path, each: int, seed: int) -> Storm:
    """Kill everything `each` times in every phase, let it drain, and compare."""
    print(f"\nseed {seed}")
    chance, story = random.Random(seed), Story()
    kills: Counter[str] = Counter()
    fewest, faults = 1 << 40, list[str]()
    with Service(folder, lake="compact_after_s = 0") as service:
        client = Client(service.port, folder / "oracle.log", story)
        for _ in range(each * len(PHASES) * _ATTEMPTS):
            open_phases = [phase for phase in PHASES if kills[phase] < each]
            if not open_phases:
                break
            phase, answered = _killed(service, client, chance.choice(open_phases), chance)
            kills[phase] += 1
            fewest = min(fewest, answered)
            faults += service.log.faults()
        service.start()
        code = service.stop()
        faults += service.log.faults()
        assert set(client.statuses) == {200}
        elsewhere = kills.pop("", 0)
        got = verdict(service, client, story)
        return Storm(seed, kills, elsewhere, fewest, faults, code, client.sent.total(), got)


def _killed(service: Service, client: Client, phase: str, chance: random.Random) -> tuple[str, int]:
    """One run and its end: the phase that it was killed in, empty where that was over; how many it had answered."""
    service.start()
    before = client.oracle.count
    again = [number for number in sorted(client.unanswered) if chance.random() < 0.5]
    client.begin(again, per_second=_RATE)
    until(lambda: client.oracle.count - before >= ANSWERED_BETWEEN, f"{ANSWERED_BETWEEN} answers", ANSWERS_S)
    service.log.wait(f": {phase} begins")
    threading.Event().wait(chance.uniform(0, _WITHIN_S[phase]))
    answered = client.oracle.count - before
    log = service.kill()
    client.end()
    return phase if log.running(phase) else "", answered


def _told(storm: Storm) -> str:
    """The result for people."""
    return "\n".join(
        [
            "",
            *(f"killed during {phase:<12}{storm.kills[phase]:>10,}" for phase in PHASES),
            f"killed elsewhere          {storm.elsewhere:>10,}",
            f"fewest answered between   {storm.fewest_between:>10,}",
            f"pushes sent               {storm.sends:>10,}",
            str(storm.verdict),
            f"seed                      {storm.seed:>10,}",
        ]
    )


def _check(storm: Storm, each: int) -> None:
    told = _told(storm)
    print(told)
    assert all(storm.kills[phase] >= each for phase in PHASES), told
    assert storm.fewest_between >= ANSWERED_BETWEEN, told
    storm.verdict.check()
    assert storm.verdict.answered <= storm.verdict.received <= storm.sends, told
    assert not storm.faults, storm.faults
    assert storm.exit_code == 0, told


def test_what_was_answered_survives_a_kill_in_every_phase(tmp_path: Path) -> None:
    _check(storm(tmp_path, each=1, seed=1), each=1)


@pytest.mark.torture
def test_what_was_answered_survives_twenty_kills_in_every_phase(tmp_path: Path) -> None:
    _check(storm(tmp_path, each=20, seed=2), each=20)


def test_what_a_kill_left_of_a_commit_is_deleted_an_hour_later_and_nothing_else_is(tmp_path: Path) -> None:
    lake, times = Lake(str(tmp_path), "log"), [1_000 * second for second in range(1, 10)]
    rows = pl.DataFrame({"provider": "p", "vehicle": "v", "time": times, "received_at": times, "sequence": times})
    lake.write("status", shaped(rows, "status"))
    (file,) = lake.files("status")
    left, fresh = (Path(file.uri).with_name(f"part-{name}-c000.snappy.parquet") for name in ("left", "fresh"))
    for each in (left, fresh):
        shutil.copyfile(file.uri, each)
    for each in (left, Path(file.uri)):
        os.utime(each, (0, 0))
    lake.vacuum()
    assert [each.exists() for each in (left, fresh, Path(file.uri))] == [False, True, True]
    assert lake.scan("status").collect().height == len(times)
