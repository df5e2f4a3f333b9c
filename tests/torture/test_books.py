"""The books on intake count every message once, whatever comes between counting and writing."""

from pathlib import Path

import polars as pl

from logger.decode.intake_stats import HOUR_MS
from logger.deliver.feeder import Feeder
from logger.envelope import Envelope
from logger.settings import schema
from logger.simulator.demo.collector import PLATFORM, SECRET
from logger.simulator.demo.pushes import body
from logger.sources.segway.account import SegwayAccount
from logger.spool.log import Spool
from logger.stores.lake.lake import Lake
from tests.torture.disks import Full, disk
from tests.torture.fleet import Client, Story
from tests.torture.running import SOURCE, Service, until
from tests.torture.verdict import verdict

_TURN_MS = 500_000 * HOUR_MS
_AGAIN = "nothing is lost, again in"


class Feeding:
    """A spool, a lake and a feeder in this process, which may be left as a kill would leave it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._story = folder, Story()
        self._next = 1
        self.lake = Lake(str(folder / "lake"))
        self.spool = Spool(folder)
        self.feeder = self._new()

    def _new(self) -> Feeder:
        account = schema.Segway(SOURCE, PLATFORM, client_secret=SECRET, unknown_vehicles="accept")
        sources = {SOURCE: SegwayAccount(account, schema.Settings())}
        return Feeder(self.spool, Lake(str(self._folder / "lake"), self.spool.log_id), sources, self._folder)

    def receive(self, count: int, received_at: int) -> None:
        """So many pushes at this moment [epoch ms]."""
        pushes = [self._story.push(number) for number in range(self._next, self._next + count)]
        self._next += count
        self.spool.append(
            [Envelope(SOURCE, each.kind, received_at, "push", body(each.vehicle, each.fields())) for each in pushes]
        )

    def die(self) -> None:
        """What was in memory is gone."""
        self.feeder.close()
        self.feeder = self._new()

    def booked(self) -> dict[int, int]:
        """Messages received, by hour [epoch h]."""
        rows = self.lake.scan("intake").collect().group_by("time").agg(received=pl.col("received").sum())
        return {int(time.timestamp()) // 3600: received for time, received in rows.iter_rows()}

    def close(self) -> None:
        """Let go of the files."""
        self.feeder.close()
        self.spool.close()


def test_a_kill_just_after_the_turn_of_the_hour_leaves_the_hour_before_whole(tmp_path: Path) -> None:
    feeding = Feeding(tmp_path)
    feeding.receive(30, _TURN_MS - 20_000)
    feeding.feeder.step()
    feeding.receive(50, _TURN_MS + 1_000)
    feeding.feeder.step()
    feeding.die()
    feeding.receive(7, _TURN_MS + 2_000)
    feeding.feeder.drain()
    assert feeding.booked() == {_TURN_MS // HOUR_MS - 1: 30, _TURN_MS // HOUR_MS: 57}
    feeding.close()


def test_books_that_a_full_disk_refused_are_written_when_it_is_back(tmp_path: Path) -> None:
    story = Story()
    lake = 'path = "disk/lake"\ncompact_after_s = 2'
    with disk(tmp_path / "disk", Full) as place, Service(tmp_path, lake=lake) as service:
        client = Client(service.port, tmp_path / "oracle.log", story)
        service.start()
        assert client.send(500)
        until(lambda: service.waiting() == 0, "the pushes are delivered")
        place.refuse([service.children()["feeder"]])
        service.log.wait(_AGAIN)
        place.relent([service.children()["feeder"]])
        assert service.stop() == 0
        verdict(service, client, story).check()
