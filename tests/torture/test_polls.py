"""Ten thousand vehicles polled for real, ten minutes at some eight times their speed: with a budget, and without."""

import itertools
import json
import statistics
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from logger.simulator.demo.collector import SOURCE
from tests.helpers.process_memory import resident_mib
from tests.helpers.waiting import wait_until
from tests.torture.light_cloud import Answer, state
from tests.torture.poll_audit import CloudProcess, audit_polls, light_cloud
from tests.torture.service import Service

VEHICLES, QUERIES = 10_000, 4
_MINUTE_S = 60 / 8  # one of the ten
_MAX_SHARE = 1.25  # of a minute's share of the budget
_PACE_HZ = 500.0  # a third of what the intervals need
_PATIENCE_S = 240.0
_DELAY = "voltrail_poll_delay_seconds"


class PollRun(msgspec.Struct, frozen=True):
    """The result of a run: the cloud's diary, and the greatest and last figures of the service."""

    diary: list[Answer]
    seconds: float
    receiver_mib: float
    spool_depth: int
    planned: int
    delay_s: tuple[float, float]
    used: int

    def __str__(self) -> str:
        """The result for people."""
        minutes = self.minutes()
        figures = {
            "vehicles polled": f"{len(_polled_vehicles(self.diary)):,}",
            "calls, by the cloud": f"{len(self.diary):,}",
            "calls a second": f"{len(self.diary) / self.seconds:,.0f}",
            "busiest minute, of the mean": f"{max(minutes) * len(minutes) / sum(minutes):.2f}",
            "delay p50, p99": " s, ".join(f"≤ {bound:g}" for bound in self.delay_s) + " s",
            "requests in the plan": f"{self.planned:,}",
            "most in the spool": f"{self.spool_depth:,}",
            "receiver, resident": f"{self.receiver_mib:.0f} MiB",
        }
        return "\n" + "\n".join(f"{name:<30}{figure:>16}" for name, figure in figures.items())

    def minutes(self) -> list[int]:
        """Return the calls by (compressed) minute, without the last, incomplete one."""
        first = self.diary[0].at_ms
        counts = Counter(int((answer.at_ms - first) / 1000 / _MINUTE_S) for answer in self.diary)
        return [counts[minute] for minute in range(max(counts))]


def _polled_vehicles(diary: Sequence[Answer]) -> set[int]:
    return {answer.number for answer in diary if answer.word != "token"}


def run(folder: Path, cloud: CloudProcess, source: str) -> tuple[PollRun, Service]:
    """Poll until every vehicle has been polled and the intervals have run for a while."""
    before = _used_calls(folder)
    with Service(folder, source=source, debug=False) as service:
        service.start()
        depth, planned = 0, 0

        def all_polled() -> bool:
            nonlocal depth, planned
            threading.Event().wait(2.0)
            depth = max(depth, service.spool_depth())
            planned = max(planned, int(_poll_state(service)["waiting"]))
            return len({answer.number for answer in cloud.read_diary()}) == VEHICLES

        children = service.children()
        seconds = wait_until(all_polled, "every vehicle was polled", _PATIENCE_S)
        delay_s = (service.quantile(_DELAY, 0.5), service.quantile(_DELAY, 0.99))
        mib = resident_mib(children["receiver"])
        assert service.children() == children, "no process was started again"
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
    return PollRun(cloud.read_diary(), seconds, mib, depth, planned, delay_s, _used_calls(folder) - before), service


def _poll_state(service: Service) -> dict[str, Any]:
    content = json.loads((service.settings.data_dir / "receiver.json").read_text())
    account: dict[str, Any] = content["polls"][SOURCE]
    return account


# ---- the budget ----------------------------------------------------------------------------------------------------


def _calls_file(folder: Path) -> Path:
    return folder / "voltrail-data" / f"calls-{SOURCE}.json"


def _used_calls(folder: Path) -> int:
    file = _calls_file(folder)
    return sum(json.loads(file.read_text()).values()) if file.exists() else 0


def make_nearly_used_budget(folder: Path, pace_hz: float) -> int:
    """Return a budget, and note so many calls as used that the rest lasts at this pace, today and tomorrow."""
    now, calls = datetime.now(UTC), 10**9
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    left_s = {today: (today + timedelta(days=1) - now).total_seconds(), today + timedelta(days=1): 86_400.0}
    used = {f"{day:%Y-%m-%d}": calls - round(pace_hz * seconds) for day, seconds in left_s.items()}
    _calls_file(folder).parent.mkdir(parents=True, exist_ok=True)
    _calls_file(folder).write_text(json.dumps(used))
    return calls


def _interval_factors(diary: Sequence[Answer], every_s: dict[str, float]) -> dict[str, float]:
    """Return by state the median time between two status queries over the interval, in the first half."""
    times: defaultdict[int, list[int]] = defaultdict(list)
    for answer in diary:
        if answer.word == "status":
            times[answer.number].append(answer.at_ms)
    half = (diary[0].at_ms + diary[-1].at_ms) / 2
    intervals_s: defaultdict[str, list[float]] = defaultdict(list)
    for number, moments in times.items():
        for one, next_one in itertools.pairwise(moments):
            if one < half:
                intervals_s[state(number, one // 1000)].append((next_one - one) / 1000)
    return {name: statistics.median(intervals_s[name]) / every_s[name] for name in every_s}


# ---- tests ---------------------------------------------------------------------------------------------------------


def _check(result: PollRun, service: Service) -> None:
    print(result)
    audit_polls(service.lake(), result.diary).check()
    assert result.receiver_mib < 300
    assert result.planned <= VEHICLES * QUERIES
    assert result.spool_depth < len(result.diary) / 2
    assert result.used == len(result.diary), "every call of the diary is counted"


@pytest.mark.torture
def test_ten_thousand_vehicles_are_polled_and_every_answer_is_stored_as_it_was(tmp_path: Path) -> None:
    with light_cloud(tmp_path, VEHICLES) as cloud:
        source = cloud.account(riding_s=12, charging_s=24, parked_s=90, offline_s=180, silent_s=70)
        result, service = run(tmp_path, cloud, source)
    _check(result, service)


@pytest.mark.torture
def test_a_budget_that_is_too_small_is_kept_every_minute_and_lengthens_all_intervals_alike(tmp_path: Path) -> None:
    calls = make_nearly_used_budget(tmp_path, _PACE_HZ)
    with light_cloud(tmp_path, VEHICLES) as cloud:
        source = cloud.account(riding_s=6, charging_s=12, parked_s=30, offline_s=30, silent_s=30, calls=calls)
        result, service = run(tmp_path, cloud, source)
    _check(result, service)
    assert max(result.minutes()) <= _MAX_SHARE * _PACE_HZ * _MINUTE_S, result.minutes()
    factors = _interval_factors(result.diary, {"riding": 6.0, "charging": 12.0})
    print("\n".join(f"interval of {name:<18}{factor:>16.1f} ×" for name, factor in factors.items()))
    assert min(factors.values()) > 1.5
    assert max(factors.values()) < 1.3 * min(factors.values())
