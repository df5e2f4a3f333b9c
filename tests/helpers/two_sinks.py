"""Lake and InfluxDB of one data folder, each fed by the real feeder of the settings, step by step."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from logger.deliver.feeder import Feeder
from logger.deliver.sinks import open_feeder
from logger.settings.schema import InfluxSettings, Settings
from logger.spool.open import open_spool
from logger.stores import open_lake
from logger.stores.compare import differences
from logger.stores.influx.influx import Influx
from tests.helpers import data_folder
from tests.helpers.data_folder import Rules
from tests.helpers.store_rows import differing_rows

_STEPS = 60


def settings(folder: Path, influx: InfluxSettings) -> Settings:
    """Settings of both sinks, all data below this folder."""
    ours = data_folder.make_settings(folder, Rules())
    return msgspec.structs.replace(ours, sinks=msgspec.structs.replace(ours.sinks, influx=influx))


@contextmanager
def feeding(ours: Settings, sink: str) -> Iterator[Feeder]:
    """The feeder of this sink, just started."""
    with closing(open_spool(ours)) as log, open_feeder(ours, sink, log) as made:
        yield made


def waiting(ours: Settings, sink: str) -> int:
    """How many messages wait for it."""
    with closing(open_spool(ours)) as log:
        return log.depth(sink)


def feed(ours: Settings, sink: str) -> list[float]:
    """Step until nothing waits; how long it would have waited after each step [s]."""
    waits = []
    with feeding(ours, sink) as made:
        while waiting(ours, sink):
            waits.append(made.step())
            assert len(waits) < _STEPS, f"{sink} takes nothing"
        made.drain(or_raise=True)
    return waits


def check_same(ours: Settings, influx: InfluxSettings) -> None:
    """Both hold the same, counted and row by row; `influx` says how to get there."""
    with closing(Influx(influx)) as there:
        assert differences(open_lake(ours), there) == []
        assert differing_rows(open_lake(ours), there) == {}
