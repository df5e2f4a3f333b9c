"""The messages of the benchmarks: those of the simulated fleet, signed, as requests or as they lie in the spool."""

import heapq
import itertools
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from logger.envelope import Envelope
from logger.settings import schema
from logger.settings.schema import LakeSettings, Settings, Sinks
from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET
from logger.simulator.demo.pushes import body
from logger.simulator.demo.sender import post
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation, fleet
from logger.spool.log import Spool

BEGIN_S = 1_767_225_600  # 2026-01-01T00:00:00Z, an ordinary day
_SEED = 1
_LATENCY_MS = 700  # from the vehicle's clock to ours
_SIMULATED, _COPIES = 100, 50  # the simulation makes 25,000 messages a second, too few for the receiver: it gets copies
_GROUP = 30  # messages a commit, as many as arrive during one under load


def settings(folder: Path) -> Settings:
    """Return settings of one account that accepts any vehicle, with all data below this folder."""
    account = schema.Segway(
        name="segway", client_id=PLATFORM, client_secret=SECRET, vehicles="all", unknown_vehicles="accept"
    )
    return Settings(
        schema.Collector(data_dir=str(folder), path_prefix=PREFIX),
        Sinks(LakeSettings(path=str(folder / "lake"))),
        (account,),
    )


def requests() -> Iterator[bytes]:
    """Yield some three million pushes of the last day as bytes to be sent; each is copied to several vehicles.

    All differ but for one in three hundred: an old position that is repeated.
    """
    for _, vehicle, path, fields in _messages(_SIMULATED, int(time.time()) - DAY_S, days=1):
        for copy in range(_COPIES):
            content = body(f"{int(vehicle) + copy * _SIMULATED}", fields)
            yield post(f"{PREFIX}/segway/v2/vehicle/{path}", content)


def envelopes(vehicles: int, days: int, copies: int = 1) -> Iterator[Envelope]:
    """Yield the messages of a fleet in some days as they come into the spool, in the order of arrival.

    Each of the simulated `vehicles` is copied: there are `vehicles` times `copies` in all.
    """
    for at, vehicle, path, fields in _messages(vehicles, BEGIN_S, days):
        for copy in range(copies):
            content = body(f"{int(vehicle) + copy * vehicles}", fields)
            yield Envelope("segway", path, int(at * 1000) + _LATENCY_MS, "push", content)


def fill_spool(spool: Spool, envelopes: Iterable[Envelope]) -> None:
    """Write all envelopes to the spool, in commits as large as under load."""
    incoming = iter(envelopes)
    while group := list(itertools.islice(incoming, _GROUP)):
        spool.append(group)


_Message = tuple[float, str, str, dict[str, str]]  # moment [epoch s], vehicle, path, fields


def _messages(vehicles: int, begin_s: int, days: int) -> Iterator[_Message]:
    """Yield all messages of the vehicles in the order of time."""
    streams = (_vehicle_messages(simulation) for simulation in fleet(vehicles, _SEED, begin_s, days))
    yield from heapq.merge(*streams, key=lambda message: message[:2])


def _vehicle_messages(simulation: Simulation) -> Iterator[_Message]:
    for at, path, fields in simulation.pushes():
        yield at, simulation.vehicle, path, fields
