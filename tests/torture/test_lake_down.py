"""A disk of the lake or the spool refuses writes for a time: memory stays flat, nothing is lost, all catches up."""

from pathlib import Path

import msgspec
import pytest

from tests.helpers.process_memory import resident_mib
from tests.helpers.waiting import wait_until
from tests.torture.disks import Full, Limited, ReadOnly, Replaced, disk
from tests.torture.push_audit import PushAudit, audit_pushes
from tests.torture.push_client import Client, PushPlan
from tests.torture.service import ROLES, Service

_RETRY_LINE = "nothing is lost, again in"  # in the feeder's log line about a sink that refuses
_LAKE = 'path = "disk/lake"\ncompact_after_s = 1'
_PAGE_BYTES = 8192
KINDS = [Full, ReadOnly, Limited, Replaced]
_Kind = type[Full | ReadOnly | Limited | Replaced]


class Outage(msgspec.Struct, frozen=True):
    """The result of an outage of the lake: memory by role [MiB] at a small and a large backlog [messages]."""

    small: int
    large: int
    small_mib: dict[str, float]
    large_mib: dict[str, float]
    caught_up_s: float
    audit: PushAudit

    def __str__(self) -> str:
        """The result for people."""
        memory = [
            f"{role:<10}{mib[role]:>6.0f} MiB at {backlog:>7,} waiting"
            for role in ROLES
            for backlog, mib in ((self.small, self.small_mib), (self.large, self.large_mib))
        ]
        return "\n".join(["", *memory, f"caught up in              {self.caught_up_s:>8.1f} s", str(self.audit)])


def lake_outage(folder: Path, kind: _Kind, small: int, large: int) -> Outage:
    """Make the lake refuse writes under load, let the backlog grow from `small` to `large`, end the outage."""
    plan = PushPlan()
    with disk(folder / "disk", kind) as lake_disk, Service(folder, lake=_LAKE) as service:
        client = Client(service.port, folder / "answers.log", plan)
        _deliver_first_pushes(service, client)
        lake_disk.refuse([service.children()["feeder"]])
        small_mib = _memory_at_backlog(service, client, small)
        large_mib = _memory_at_backlog(service, client, large)
        lake_disk.accept([service.children()["feeder"]])
        seconds = wait_until(lambda: service.spool_depth() == 0, "the lake caught up", 60)
        assert set(client.statuses) == {200}
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        return Outage(small, large, small_mib, large_mib, seconds, audit_pushes(service, client, plan))


def _deliver_first_pushes(service: Service, client: Client) -> None:
    service.start()
    assert client.send(500)
    wait_until(lambda: service.spool_depth() == 0, "the first pushes are delivered")


def _memory_at_backlog(service: Service, client: Client, backlog: int) -> dict[str, float]:
    """Send until this many messages wait and the feeder has failed on them; return the memory by role."""
    assert client.send(backlog - service.spool_depth())
    assert "the lake at " in service.log.wait(_RETRY_LINE), "one line has the error and the consequence"
    return {role: resident_mib(process) for role, process in service.children().items()}


def _check(outage: Outage, growth: float, slack_mib: float) -> None:
    print(outage)
    outage.audit.check()
    for role in ROLES:
        assert outage.large_mib[role] < outage.small_mib[role] * growth + slack_mib, outage


@pytest.mark.long
@pytest.mark.parametrize("kind", [Full, ReadOnly])
def test_a_lake_that_refuses_writes_delays_no_answer_and_catches_up_afterwards(tmp_path: Path, kind: _Kind) -> None:
    _check(lake_outage(tmp_path, kind, 2_000, 10_000), 1.0, 64)


@pytest.mark.torture
@pytest.mark.parametrize("kind", KINDS)
def test_memory_stays_flat_while_the_lake_refuses_a_large_backlog(tmp_path: Path, kind: _Kind) -> None:
    _check(lake_outage(tmp_path, kind, 60_000, 240_000), 1.1, 16)


@pytest.mark.long
@pytest.mark.parametrize("kind", [Full, Limited])
def test_a_spool_at_its_limit_answers_503_and_drops_nothing(tmp_path: Path, kind: _Kind) -> None:
    plan = PushPlan()
    limit = f"max_bytes = {120 * _PAGE_BYTES}"
    with disk(tmp_path / "disk", kind) as lake_disk, Service(tmp_path, collector=limit, lake=_LAKE) as service:
        client = Client(service.port, tmp_path / "answers.log", plan)
        _deliver_first_pushes(service, client)
        lake_disk.refuse([service.children()["feeder"]])
        assert client.send(20_000)
        assert set(client.statuses) == {200, 503}
        assert service.metric("voltrail_spool_alarm") == 1
        assert service.get("/readyz")[0] == 503
        assert service.get("/healthz")[0] == 200
        lake_disk.accept([service.children()["feeder"]])
        _send_refused_pushes(client)
        wait_until(lambda: service.metric("voltrail_spool_alarm") == 0, "the alarm is over")
        assert service.get("/readyz")[0] == 200
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        audit = audit_pushes(service, client, plan)
        audit.check()
        assert audit.answered == 20_500


@pytest.mark.parametrize("kind", [Full, Limited])
def test_with_a_full_disk_the_receiver_answers_503_and_afterwards_200_and_nothing_is_lost(
    tmp_path: Path, kind: _Kind
) -> None:
    plan = PushPlan()
    with disk(tmp_path / "disk", kind) as spool_disk, Service(tmp_path, collector='data_dir = "disk/data"') as service:
        client = Client(service.port, tmp_path / "answers.log", plan)
        _deliver_first_pushes(service, client)
        spool_disk.refuse(list(service.children().values()))
        wait_until(lambda: _is_refused(client), "the full disk is noticed")
        assert service.get("/readyz")[0] == 503
        assert service.get("/metrics")[0] == 200
        spool_disk.accept(list(service.children().values()))
        _send_refused_pushes(client)
        assert service.get("/readyz")[0] == 200
        wait_until(lambda: service.spool_depth() == 0, "all is delivered", 60)
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        audit_pushes(service, client, plan).check()


def _is_refused(client: Client) -> bool:
    assert client.send(200)
    assert set(client.statuses) <= {200, 503}
    return client.statuses[503] > 0


def _send_refused_pushes(client: Client) -> None:
    """Send refused pushes again until they are accepted, as the vendor does."""

    def all_accepted() -> bool:
        assert client.send(0, again=sorted(client.unanswered)[:1000])
        return not client.unanswered

    wait_until(all_accepted, "the refused pushes are accepted", 60)
    assert set(client.statuses) == {200, 503}
