"""Ten thousand vehicles asked for real, ten minutes at some eight times their speed: with a budget, and without."""

import itertools
import json
import statistics
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.torture.asking import Clouded, cloud
from tests.torture.asking import books as asked_books
from tests.torture.light_cloud import Said, state
from tests.torture.running import SOURCE, Service, resident_mib, until

VEHICLES, QUERIES = 10_000, 4
_MINUTE_S = 60 / 8  # of the ten
_AT_MOST = 1.25  # of a minute's share of the budget
_PACE_HZ = 500.0  # a third of what the intervals ask for
_PATIENCE_S = 240.0
_LATENESS = "voltrail_poll_delay_seconds"


class Run(msgspec.Struct, frozen=True):
    """What came of it: the cloud's diary, and the greatest and last figures of the service."""

    diary: list[Said]
    seconds: float
    receiver_mib: float
    spool_depth: int
    waiting: int
    lateness_s: tuple[float, float]
    used: int

    def __str__(self) -> str:
        """For people."""
        figures = {
            "vehicles asked": f"{len({said.number for said in self.diary if said.word != 'token'}):,}",
            "calls, by the cloud": f"{len(self.diary):,}",
            "calls a second": f"{len(self.diary) / self.seconds:,.0f}",
            "busiest minute, of the mean": f"{max(self.minutes()) * len(self.minutes()) / sum(self.minutes()):.2f}",
            "lateness p50, p99": " s, ".join(f"≤ {bound:g}" for bound in self.lateness_s) + " s",
            "questions in the plan": f"{self.waiting:,}",
            "most in the spool": f"{self.spool_depth:,}",
            "receiver, resident": f"{self.receiver_mib:.0f} MiB",
        }
        return "\n" + "\n".join(f"{name:<30}{figure:>16}" for name, figure in figures.items())

    def minutes(self) -> list[int]:
        """Calls by (compressed) minute; the last one is not whole."""
        first = self.diary[0].at_ms
        counts = Counter(int((said.at_ms - first) / 1000 / _MINUTE_S) for said in self.diary)
        return [counts[minute] for minute in range(max(counts))]


def run(folder: Path, where: Clouded, source: str) -> tuple[Run, Service]:
    """Ask until every vehicle was asked, and until ten minutes are over."""
    before = _used(folder)
    with Service(folder, source=source, debug=False) as service:
        service.start()
        depth, waiting = 0, 0

        def everybody() -> bool:
            nonlocal depth, waiting
            threading.Event().wait(2.0)
            depth = max(depth, service.waiting())
            waiting = max(waiting, _waiting(service))
            return len({said.number for said in where.read()}) == VEHICLES

        children = service.children()
        seconds = until(everybody, "every vehicle was asked", _PATIENCE_S)
        lateness = (service.quantile(_LATENESS, 0.5), service.quantile(_LATENESS, 0.99))
        mib = resident_mib(children["receiver"])
        assert service.children() == children, "no process was started anew"
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
    diary = where.read()
    return Run(diary, seconds, mib, depth, waiting, lateness, _used(folder) - before), service


def _waiting(service: Service) -> int:
    told = json.loads((service.settings.data_dir / "receiver.json").read_text())
    return int(told["polls"][SOURCE]["waiting"])


def _data(folder: Path) -> Path:
    return folder / "voltrail-data"


def _used(folder: Path) -> int:
    file = _data(folder) / f"calls-{SOURCE}.json"
    return sum(json.loads(file.read_text()).values()) if file.exists() else 0


def rest_of_a_budget(folder: Path, pace_hz: float) -> int:
    """A budget whose rest lasts at this pace, today and tomorrow: a note says that all else of it is used."""
    now, calls = datetime.now(UTC), 10**9
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    left_s = {today: (today + timedelta(days=1) - now).total_seconds(), today + timedelta(days=1): 86_400.0}
    used = {f"{day:%Y-%m-%d}": calls - round(pace_hz * seconds) for day, seconds in left_s.items()}
    _data(folder).mkdir(parents=True, exist_ok=True)
    (_data(folder) / f"calls-{SOURCE}.json").write_text(json.dumps(used))
    return calls


def _stretches(diary: Sequence[Said], every_s: dict[str, float]) -> dict[str, float]:
    """By state, how many times its interval lay between two status queries, for those of the first half."""
    times: defaultdict[int, list[int]] = defaultdict(list)
    for said in diary:
        if said.word == "status":
            times[said.number].append(said.at_ms)
    half = (diary[0].at_ms + diary[-1].at_ms) / 2
    gaps: defaultdict[str, list[float]] = defaultdict(list)
    for number, moments in times.items():
        for one, next_one in itertools.pairwise(moments):
            if one < half:
                gaps[state(number, one // 1000)].append((next_one - one) / 1000)
    return {name: statistics.median(gaps[name]) / every_s[name] for name in every_s}


def _check(run: Run, service: Service) -> None:
    print(run)
    asked_books(service.lake(), run.diary).check()
    assert run.receiver_mib < 300
    assert run.waiting <= VEHICLES * QUERIES
    assert run.spool_depth < len(run.diary) / 2
    assert run.used == len(run.diary), "every call of the diary is booked"


@pytest.mark.torture
def test_ten_thousand_vehicles_are_asked_and_every_answer_is_stored_as_it_was_said(tmp_path: Path) -> None:
    with cloud(tmp_path, VEHICLES) as where:
        source = where.account(riding_s=12, charging_s=24, parked_s=90, offline_s=180, silent_s=70)
        got, service = run(tmp_path, where, source)
    _check(got, service)


@pytest.mark.torture
def test_a_budget_that_does_not_suffice_is_kept_minute_by_minute_and_stretches_all_alike(tmp_path: Path) -> None:
    calls = rest_of_a_budget(tmp_path, _PACE_HZ)
    with cloud(tmp_path, VEHICLES) as where:
        source = where.account(riding_s=6, charging_s=12, parked_s=30, offline_s=30, silent_s=30, calls=calls)
        got, service = run(tmp_path, where, source)
    _check(got, service)
    assert max(got.minutes()) <= _AT_MOST * _PACE_HZ * _MINUTE_S, got.minutes()
    stretches = _stretches(got.diary, {"riding": 6.0, "charging": 12.0})
    print("\n".join(f"interval of {name:<18}{stretch:>16.1f} ×" for name, stretch in stretches.items()))
    assert min(stretches.values()) > 1.5
    assert max(stretches.values()) < 1.3 * min(stretches.values())
