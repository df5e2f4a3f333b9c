"""A million messages that are in the lake and, after an outage, not yet in InfluxDB: until it has caught up."""

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
from tests.benchmarks.messages import envelopes, fill_spool, settings
from tests.helpers.influx_server import Server

_RUNS = 3
_MESSAGES = 1_000_000
_SIMULATED, _COPIES, _DAYS = 50, 10, 3


def figures(name: str, folder: Path, server: Server) -> list[Figure]:
    """Deliver the same spool each time by a new process into a new database."""
    _fill(_settings(folder, server, "none"))
    seconds = [_catch_up_s(folder, server) for _ in range(_RUNS)]
    return [Figure(f"{name}: an outage of {_MESSAGES:,} messages caught up", seconds, "s", "less", bar=60, aim=20)]


def _settings(folder: Path, server: Server, database: str) -> Settings:
    ours = settings(folder)
    return msgspec.structs.replace(ours, sinks=msgspec.structs.replace(ours.sinks, influx=server.settings(database)))


def _fill(ours: Settings) -> None:
    spool = open_spool(ours)
    fill_spool(spool, itertools.islice(envelopes(_SIMULATED, _DAYS, _COPIES), _MESSAGES))
    assert spool.depth("influx") == _MESSAGES
    spool.settle("lake", _MESSAGES)
    spool.close()


def _catch_up_s(folder: Path, server: Server) -> float:
    copy = folder / "caught-up"
    copy.mkdir()
    for path in folder.glob("spool.db*"):
        shutil.copy(path, copy)
    with server.database() as database:
        content = encode_settings(_settings(copy, server, database))
        done = subprocess.run([sys.executable, "-m", __name__], input=content, stdout=subprocess.PIPE, check=True)
    shutil.rmtree(copy)
    return float(done.stdout)


def main() -> None:
    """`python -m tests.benchmarks.influx_outage`: read settings, write seconds."""
    ours = decode_settings(sys.stdin.buffer.read())
    spool = open_spool(ours)
    with open_feeder(ours, "influx", spool) as feeder:
        began = time.perf_counter()
        feeder.drain(or_raise=True)
        print(time.perf_counter() - began)
    spool.close()


if __name__ == "__main__":
    main()
