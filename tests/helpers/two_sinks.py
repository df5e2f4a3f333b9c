"""A data folder with two sinks, lake and InfluxDB, each with the feeder of its settings, run step by step."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from logger.deliver import sinks
from logger.deliver.feeder import Feeder
from logger.settings.schema import InfluxSettings, Settings
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.compare import differences
from logger.stores.influx.influx import Influx
from tests.helpers import data_folder
from tests.helpers.data_folder import Rules
from tests.helpers.store_rows import differing_rows

_MOST_STEPS = 60


def influx_settings(folder: Path, influx: InfluxSettings) -> Settings:
    """Return settings of both sinks, with all data below this folder."""
    settings = data_folder.make_settings(folder, Rules())
    return msgspec.structs.replace(settings, sinks=msgspec.structs.replace(settings.sinks, influx=influx))


@contextmanager
def open_feeder(settings: Settings, sink: str) -> Iterator[Feeder]:
    """Open the feeder of this sink, as its process does at its start."""
    with closing(open_spool(settings)) as spool, sinks.open_feeder(settings, sink, spool) as feeder:
        yield feeder


def waiting(settings: Settings, sink: str) -> int:
    """Return how many messages wait for this sink."""
    with closing(open_spool(settings)) as spool:
        return spool.depth(sink)


def feed(settings: Settings, sink: str) -> list[float]:
    """Deliver until no message waits; return how long the feeder would have waited after each step [s]."""
    waits = []
    with open_feeder(settings, sink) as feeder:
        while waiting(settings, sink):
            waits.append(feeder.step())
            assert len(waits) < _MOST_STEPS, f"{sink} takes no message"
        feeder.drain(or_raise=True)
    return waits


def check_same(settings: Settings, influx: InfluxSettings) -> None:
    """Check that both sinks hold the same rows, by number and one by one; `influx` is the way to the server."""
    with closing(Influx(influx)) as store:
        assert differences(open_lake(settings), store) == []
        assert differing_rows(open_lake(settings), store) == {}
