"""A million messages that the lake has settled and an InfluxDB that was away has not: until it has caught up."""

import itertools
import shutil
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from logger.deliver.sinks import open_feeder
from logger.settings.load import decode_settings, encode_settings
from logger.settings.schema import Settings
from logger.spool.open import open_spool
from tests.benchmarks.figures import Figure
from tests.benchmarks.messages import envelopes, settings
from tests.helpers.influx_server import Server

_RUNS = 3
_MESSAGES = 1_000_000
_STORIES, _TELLERS, _DAYS = 50, 10, 3
_GROUP = 30  # messages a commit, as many as come in during one under load


def figures(name: str, folder: Path, place: Server) -> list[Figure]:
    """The same spool each time, fed by a new process into a new database."""
    _fill(_settings(folder, place, "none"))
    seconds = [_caught_up(folder, place) for _ in range(_RUNS)]
    return [Figure(f"{name}: an outage of {_MESSAGES:,} messages caught up", seconds, "s", "less", bar=60, aim=20)]


def _settings(folder: Path, place: Server, database: str) -> Settings:
    ours = settings(folder)
    return msgspec.structs.replace(ours, sinks=msgspec.structs.replace(ours.sinks, influx=place.settings(database)))


def _fill(ours: Settings) -> None:
    waiting = open_spool(ours)
    incoming = itertools.islice(envelopes(_STORIES, _DAYS, _TELLERS), _MESSAGES)
    while group := list(itertools.islice(incoming, _GROUP)):
        waiting.append(group)
    assert waiting.depth("influx") == _MESSAGES
    waiting.settle("lake", _MESSAGES)
    waiting.close()


def _caught_up(folder: Path, place: Server) -> float:
    fresh = folder / "caught-up"
    fresh.mkdir()
    for path in folder.glob("spool.db*"):
        shutil.copy(path, fresh)
    with place.database() as database:
        told = encode_settings(_settings(fresh, place, database))
        done = subprocess.run([sys.executable, "-m", __name__], input=told, stdout=subprocess.PIPE, check=True)
    shutil.rmtree(fresh)
    return float(done.stdout)


def main() -> None:
    """`python -m tests.benchmarks.influx_outage`: settings in, seconds out."""
    ours = decode_settings(sys.stdin.buffer.read())
    waiting = open_spool(ours)
    with open_feeder(ours, "influx", waiting) as feeding:
        began = time.perf_counter()
        feeding.drain(or_raise=True)
        print(time.perf_counter() - began)
    waiting.close()


if __name__ == "__main__":
    main()
