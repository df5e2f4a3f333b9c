"""What is sent and stored in the benchmarks: messages of the kinematic fleet, distinct and rightly signed."""

import heapq
import time
from collections.abc import Iterator
from pathlib import Path

from logger import config
from logger.config import LakeSettings, Settings, Sinks
from logger.demo.collector import PLATFORM, PREFIX, SECRET
from logger.demo.kinematics import DAY_S, Scooter, fleet
from logger.demo.pushes import body
from logger.demo.sender import post
from logger.model import Envelope

BEGIN_S = 1_767_225_600  # 2026-01-01T00:00:00Z, a day like others
_SEED = 1
_UNDER_WAY_MS = 700  # from the vehicle's clock to ours


def settings(folder: Path) -> Settings:
    """Settings of one account that takes any vehicle, all data below this folder."""
    account = config.Segway(
        name="segway", client_id=PLATFORM, client_secret=SECRET, vehicles="all", unknown_vehicles="accept"
    )
    return Settings(
        config.Collector(data_dir=str(folder), path_prefix=PREFIX),
        Sinks(LakeSettings(path=str(folder / "lake"))),
        (account,),
    )


def requests() -> Iterator[bytes]:
    """Distinct pushes of the day up to now, status and location in turn, ready for the wire; some three million."""
    for _, path, content in _messages(vehicles=4000, begin_s=int(time.time()) - DAY_S, days=1):
        yield post(f"{PREFIX}/segway/v2/vehicle/{path}", content)


def envelopes(vehicles: int, days: int) -> Iterator[Envelope]:
    """What a fleet says in some days as it comes into the spool, in the order of arrival."""
    for at, path, content in _messages(vehicles, BEGIN_S, days):
        yield Envelope("segway", path, int(at * 1000) + _UNDER_WAY_MS, "push", content)


def _messages(vehicles: int, begin_s: int, days: int) -> Iterator[tuple[float, str, bytes]]:
    streams = map(_told, fleet(vehicles, _SEED, begin_s, days))
    for at, vehicle, path, fields in heapq.merge(*streams, key=lambda told: told[:2]):
        yield at, path, body(vehicle, fields)


def _told(scooter: Scooter) -> Iterator[tuple[float, str, str, dict[str, str]]]:
    for at, path, fields in scooter.pushes():
        yield at, scooter.vehicle, path, fields
