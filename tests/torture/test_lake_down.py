"""A disk that refuses, the lake's or the spool's, then is back: memory flat, nothing lost, caught up by itself."""

from pathlib import Path

import msgspec
import pytest

from tests.torture.disks import Full, Limited, ReadOnly, Replaced, disk
from tests.torture.fleet import Client, Story
from tests.torture.running import ROLES, Service, resident_mib, until
from tests.torture.verdict import Verdict, verdict

_AGAIN = "nothing is lost, again in"  # what the feeder says of a sink that refuses
_LAKE = 'path = "disk/lake"\ncompact_after_s = 1'
_PAGE_BYTES = 8192
KINDS = [Full, ReadOnly, Limited, Replaced]
_Kind = type[Full | ReadOnly | Limited | Replaced]


class Outage(msgspec.Struct, frozen=True):
    """What came of an outage of the lake: memory by role [MiB] at some backlog and at a larger one, and the rest."""

    some: int
    more: int
    some_mib: dict[str, float]
    more_mib: dict[str, float]
    caught_up_s: float
    verdict: Verdict

    def __str__(self) -> str:
        """For people."""
        memory = [
            f"{role:<10}{mib[role]:>6.0f} MiB at {waiting:>7,} waiting"
            for role in ROLES
            for waiting, mib in ((self.some, self.some_mib), (self.more, self.more_mib))
        ]
        return "\n".join(["", *memory, f"caught up in              {self.caught_up_s:>8.1f} s", str(self.verdict)])


def outage(folder: Path, kind: _Kind, some: int, more: int) -> Outage:
    """Take the lake away under load, let the backlog grow from `some` to `more`, give it back."""
    story = Story()
    with disk(folder / "disk", kind) as place, Service(folder, lake=_LAKE) as service:
        client = Client(service.port, folder / "oracle.log", story)
        service.start()
        assert client.send(500)
        until(lambda: service.waiting() == 0, "the first pushes are delivered")
        place.refuse([service.children()["feeder"]])
        some_mib = _memory_at(service, client, some)
        more_mib = _memory_at(service, client, more)
        place.relent([service.children()["feeder"]])
        seconds = until(lambda: service.waiting() == 0, "the lake caught up", 60)
        assert set(client.statuses) == {200}
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        return Outage(some, more, some_mib, more_mib, seconds, verdict(service, client, story))


def _memory_at(service: Service, client: Client, backlog: int) -> dict[str, float]:
    """Send until so many wait, let the feeder fail on them, and look."""
    assert client.send(backlog - service.waiting())
    assert "the lake at " in service.log.wait(_AGAIN), "what is wrong, and what becomes of it, in one line"
    return {role: resident_mib(process) for role, process in service.children().items()}


def _check(outage: Outage, growth: float, slack_mib: float) -> None:
    print(outage)
    outage.verdict.check()
    for role in ROLES:
        assert outage.more_mib[role] < outage.some_mib[role] * growth + slack_mib, outage


@pytest.mark.parametrize("kind", [Full, ReadOnly])
def test_a_lake_that_refuses_holds_nobody_up_and_catches_up_when_it_is_back(tmp_path: Path, kind: _Kind) -> None:
    _check(outage(tmp_path, kind, 2_000, 10_000), 1.0, 64)


@pytest.mark.torture
@pytest.mark.parametrize("kind", KINDS)
def test_memory_stays_flat_while_the_lake_refuses_a_large_backlog(tmp_path: Path, kind: _Kind) -> None:
    _check(outage(tmp_path, kind, 60_000, 240_000), 1.1, 16)


@pytest.mark.parametrize("kind", [Full, Limited])
def test_a_spool_at_its_limit_refuses_aloud_and_drops_nothing(tmp_path: Path, kind: _Kind) -> None:
    story = Story()
    limit = f"max_bytes = {120 * _PAGE_BYTES}"
    with disk(tmp_path / "disk", kind) as place, Service(tmp_path, collector=limit, lake=_LAKE) as service:
        client = Client(service.port, tmp_path / "oracle.log", story)
        service.start()
        assert client.send(500)
        until(lambda: service.waiting() == 0, "the first pushes are delivered")
        place.refuse([service.children()["feeder"]])
        assert client.send(20_000)
        assert set(client.statuses) == {200, 503}
        assert service.metric("voltrail_spool_alarm") == 1
        assert service.get("/readyz")[0] == 503
        assert service.get("/healthz")[0] == 200
        place.relent([service.children()["feeder"]])
        _sent_again(client)
        until(lambda: service.metric("voltrail_spool_alarm") == 0, "the alarm is over")
        assert service.get("/readyz")[0] == 200
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        got = verdict(service, client, story)
        got.check()
        assert got.answered == 20_500


@pytest.mark.parametrize("kind", [Full, Limited])
def test_a_full_disk_under_the_spool_is_503_and_then_200_again_and_loses_nothing(tmp_path: Path, kind: _Kind) -> None:
    story = Story()
    with disk(tmp_path / "disk", kind) as place, Service(tmp_path, collector='data_dir = "disk/data"') as service:
        client = Client(service.port, tmp_path / "oracle.log", story)
        service.start()
        assert client.send(500)
        until(lambda: service.waiting() == 0, "the first pushes are delivered")
        place.refuse(list(service.children().values()))
        until(lambda: _refused(client), "the full disk is noticed")
        assert service.get("/readyz")[0] == 503
        assert service.get("/metrics")[0] == 200
        place.relent(list(service.children().values()))
        _sent_again(client)
        assert service.get("/readyz")[0] == 200
        until(lambda: service.waiting() == 0, "all is delivered", 60)
        assert service.stop() == 0
        assert not service.log.faults(), service.log.faults()
        verdict(service, client, story).check()


def _refused(client: Client) -> bool:
    assert client.send(200)
    assert set(client.statuses) <= {200, 503}
    return client.statuses[503] > 0


def _sent_again(client: Client) -> None:
    """As the vendor does: what was refused comes again until it is taken."""

    def taken() -> bool:
        assert client.send(0, again=sorted(client.unanswered)[:1000])
        return not client.unanswered

    until(taken, "what was refused is taken", 60)
    assert set(client.statuses) == {200, 503}
