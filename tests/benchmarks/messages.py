"""What is sent and stored in the benchmarks: messages of the simulated fleet, rightly signed."""

import heapq
import time
from collections.abc import Iterator
from pathlib import Path

from logger.envelope import Envelope
from logger.settings import schema
from logger.settings.schema import LakeSettings, Settings, Sinks
from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET
from logger.simulator.demo.pushes import body
from logger.simulator.demo.sender import post
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation, fleet

BEGIN_S = 1_767_225_600  # 2026-01-01T00:00:00Z, a day like others
_SEED = 1
_UNDER_WAY_MS = 700  # from the vehicle's clock to ours
_STORIES, _TELLERS = 100, 50  # physics make 25,000 messages a second: the receiver, to which all are alike, gets copies


def settings(folder: Path) -> Settings:
    """Settings of one account that takes any vehicle, all data below this folder."""
    account = schema.Segway(
        name="segway", client_id=PLATFORM, client_secret=SECRET, vehicles="all", unknown_vehicles="accept"
    )
    return Settings(
        schema.Collector(data_dir=str(folder), path_prefix=PREFIX),
        Sinks(LakeSettings(path=str(folder / "lake"))),
        (account,),
    )


def requests() -> Iterator[bytes]:
    """Pushes of the day up to now, ready for the wire; some three million, each story told by many vehicles.

    They are different but for one in three hundred: an old position that is told again.
    """
    for _, vehicle, path, fields in _told(_STORIES, int(time.time()) - DAY_S, days=1):
        for teller in range(_TELLERS):
            content = body(f"{int(vehicle) + teller * _STORIES}", fields)
            yield post(f"{PREFIX}/segway/v2/vehicle/{path}", content)


def envelopes(vehicles: int, days: int, tellers: int = 1) -> Iterator[Envelope]:
    """What a fleet says in some days as it comes into the spool, in the order of arrival.

    Each story is told by so many vehicles: `vehicles` times `tellers` in all.
    """
    for at, vehicle, path, fields in _told(vehicles, BEGIN_S, days):
        for teller in range(tellers):
            content = body(f"{int(vehicle) + teller * vehicles}", fields)
            yield Envelope("segway", path, int(at * 1000) + _UNDER_WAY_MS, "push", content)


_Told = tuple[float, str, str, dict[str, str]]


def _told(vehicles: int, begin_s: int, days: int) -> Iterator[_Told]:
    """(moment [epoch s], vehicle, path, fields) of all that they say, in the order of time."""
    streams = (_story(scooter) for scooter in fleet(vehicles, _SEED, begin_s, days))
    yield from heapq.merge(*streams, key=lambda told: told[:2])


def _story(scooter: Simulation) -> Iterator[_Told]:
    for at, path, fields in scooter.pushes():
        yield at, scooter.vehicle, path, fields
