"""A cloud with every kind of failure at once, while vehicles push: no process ends, and nothing is stored wrong."""

import threading
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from logger.poll.client_pool import CONNECTIONS
from logger.process_state import read_state
from logger.simulator.demo.collector import SOURCE
from logger.sources.segway.messages import CODES
from tests.helpers.process_memory import resident_mib
from tests.helpers.waiting import wait_until
from tests.torture.light_cloud import Answer
from tests.torture.poll_audit import CloudProcess, PollAudit, audit_polls, light_cloud
from tests.torture.push_audit import PushAudit, audit_pushes
from tests.torture.push_client import Client, PushPlan
from tests.torture.service import Service
from tests.torture.storm import FAILURES, QUARANTINE_REASONS, REFUSALS, TYPES

_VEHICLES, _STORM_S, _PUSHES_HZ = 400, 30.0, 100.0
_ANSWERED = 'voltrail_poll_requests_total{outcome="answered",query="%s",source="segway"}'
_AFTERWARDS = 500  # answers of each query


def _answered(service: Service) -> float:
    return min(service.metric(_ANSWERED % query) for query in ("status-query", "battery-info", "location-query"))


class StormRun(msgspec.Struct, frozen=True):
    """The result of a storm: the cloud's diary, the audits, and figures of the service."""

    diary: list[Answer]
    pushes: PushAudit
    polls: PollAudit
    failed: int  # polls, by the receiver
    calm_s: float  # from the end of the storm until polling went on
    receiver_mib: float
    log_lines: int

    @property
    def kinds(self) -> Counter[str]:
        """The number of calls by kind of failure."""
        return Counter(answer.failure for answer in self.diary)

    @property
    def failures(self) -> int:
        """The number of failures, by the cloud."""
        return sum(self.kinds[kind] for kind in FAILURES)

    def __str__(self) -> str:
        """The result for people."""
        figures = {
            "calls, by the cloud": len(self.diary),
            "refused, and repeated": sum(self.kinds[kind] for kind in REFUSALS),
            "failures, by the cloud": self.failures,
            "failures, by /metrics": self.failed,
            "answers read": self.polls.stored,
            "answers in quarantine": self.polls.quarantine.total(),
            "pushes answered 200": self.pushes.answered,
            "lines in the log": self.log_lines,
        }
        lines = [f"{name:<30}{figure:>12,}" for name, figure in figures.items()]
        lines += [f"{'calm until all went on':<30}{self.calm_s:>10.1f} s"]
        return "\n".join(["", *lines, f"{'receiver, resident':<30}{self.receiver_mib:>8.0f} MiB"])


def run_storm(folder: Path, cloud: CloudProcess) -> StormRun:
    """Let vehicles push and the cloud fail for half a minute, then wait until polling goes on."""
    plan = PushPlan()
    source = cloud.account(riding_s=1, charging_s=2, parked_s=3, offline_s=3, silent_s=3)
    with Service(folder, source=source, debug=False) as service:
        service.start()
        client = Client(service.port, folder / "answers.log", plan)
        client.begin(per_second=_PUSHES_HZ)
        children = service.children()
        calm_s = _storm(service, cloud)
        mib = resident_mib(children["receiver"])
        client.halt()
        client.join()
        assert service.children() == children, "no process was started again"
        assert service.stop() == 0
    assert not service.log.faults(), service.log.faults()
    assert set(client.statuses) == {200}
    diary = cloud.read_diary()
    failed = read_state(service.settings.data_dir, "receiver")["polls"][SOURCE]["failed"]
    pushes, polls = audit_pushes(service, client, plan), audit_polls(service.lake(), diary)
    return StormRun(diary, pushes, polls, failed, calm_s, mib, len(service.log.lines))


def _storm(service: Service, cloud: CloudProcess) -> float:
    """Begin and end a storm; return how long it took afterwards until polling went on [s]."""
    cloud.control("storm")
    threading.Event().wait(_STORM_S)
    cloud.control("calm")
    before = _answered(service)
    return wait_until(lambda: _answered(service) > before + _AFTERWARDS, "polling goes on by itself", 60)


@pytest.mark.torture
def test_in_a_storm_no_process_ends_nothing_is_stored_wrong_and_afterwards_polling_goes_on(tmp_path: Path) -> None:
    with light_cloud(tmp_path, _VEHICLES) as cloud:
        result = run_storm(tmp_path, cloud)
    print(result)
    every_kind = {*FAILURES, *REFUSALS, *QUARANTINE_REASONS, TYPES, *map(str, CODES)}
    assert every_kind <= result.kinds.keys(), "every kind of failure occurred"
    result.polls.check()
    pushes = result.pushes
    assert not any((pushes.lost, pushes.duplicated, pushes.delivered_twice, pushes.unexpected)), pushes
    assert abs(result.failures - result.failed) <= CONNECTIONS
    assert result.receiver_mib < 300
    assert result.log_lines < 100
