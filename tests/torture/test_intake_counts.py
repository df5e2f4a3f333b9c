"""The intake statistics count every message once, whatever happens between counting and writing."""

from pathlib import Path

import polars as pl

from logger.decode.intake_stats import HOUR_MS
from logger.deliver.feeder import Feeder
from logger.envelope import Envelope
from logger.settings import schema
from logger.simulator.demo.collector import PLATFORM, SECRET, SOURCE
from logger.simulator.demo.pushes import body
from logger.sources.segway.account import SegwayAccount
from logger.spool.log import Spool
from logger.stores.lake.lake import Lake
from tests.helpers.waiting import wait_until
from tests.torture.disks import Full, disk
from tests.torture.push_audit import audit_pushes
from tests.torture.push_client import Client, PushPlan
from tests.torture.service import Service

_FULL_HOUR_MS = 500_000 * HOUR_MS
_RETRY_LINE = "nothing is lost, again in"  # in the feeder's log line about a sink that refuses


class LocalFeeder:
    """A spool, a lake and a feeder in this process, whose memory can be lost as by a kill."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._plan = folder, PushPlan()
        self._next = 1
        self.lake = Lake(str(folder / "lake"))
        self.spool = Spool(folder)
        self.feeder = self._new()

    def _new(self) -> Feeder:
        account = schema.Segway(SOURCE, PLATFORM, client_secret=SECRET, unknown_vehicles="accept")
        sources = {SOURCE: SegwayAccount(account, schema.Settings())}
        return Feeder(self.spool, Lake(str(self._folder / "lake"), self.spool.log_id), sources, self._folder)

    def receive(self, count: int, received_at: int) -> None:
        """Put pushes received at this moment [epoch ms] into the spool."""
        pushes = [self._plan.push(number) for number in range(self._next, self._next + count)]
        self._next += count
        self.spool.append(
            [Envelope(SOURCE, each.kind, received_at, "push", body(each.vehicle, each.fields())) for each in pushes]
        )

    def lose_memory(self) -> None:
        """Replace the feeder by a new one."""
        self.feeder.close()
        self.feeder = self._new()

    def received_by_hour(self) -> dict[int, int]:
        """Return the number of messages in the intake statistics by hour [epoch h]."""
        rows = self.lake.scan("intake").collect().group_by("time").agg(received=pl.col("received").sum())
        return {int(time.timestamp()) // 3600: received for time, received in rows.iter_rows()}

    def close(self) -> None:
        """Close the files."""
        self.feeder.close()
        self.spool.close()


def test_a_kill_just_after_a_full_hour_leaves_the_statistics_of_the_hour_before_complete(tmp_path: Path) -> None:
    local = LocalFeeder(tmp_path)
    local.receive(30, _FULL_HOUR_MS - 20_000)
    local.feeder.step()
    local.receive(50, _FULL_HOUR_MS + 1_000)
    local.feeder.step()
    local.lose_memory()
    local.receive(7, _FULL_HOUR_MS + 2_000)
    local.feeder.drain()
    assert local.received_by_hour() == {_FULL_HOUR_MS // HOUR_MS - 1: 30, _FULL_HOUR_MS // HOUR_MS: 57}
    local.close()


def test_statistics_that_a_full_disk_refused_are_written_when_it_accepts_writes_again(tmp_path: Path) -> None:
    plan = PushPlan()
    lake = 'path = "disk/lake"\ncompact_after_s = 2'
    with disk(tmp_path / "disk", Full) as full, Service(tmp_path, lake=lake) as service:
        client = Client(service.port, tmp_path / "answers.log", plan)
        service.start()
        assert client.send(500)
        wait_until(lambda: service.spool_depth() == 0, "the pushes are delivered")
        full.refuse([service.children()["feeder"]])
        service.log.wait(_RETRY_LINE)
        full.accept([service.children()["feeder"]])
        assert service.stop() == 0
        audit_pushes(service, client, plan).check()
