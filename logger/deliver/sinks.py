"""The sinks of the settings, each with what feeds it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from logger.deliver.feeder import Feeder
from logger.deliver.follower import Follower
from logger.deliver.maintenance import InfluxMaintenance, LakeMaintenance
from logger.deliver.refused_rows import QuarantinedRows
from logger.errors import ConfigError
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.spool.log import Spool
from logger.stores import open_lake
from logger.stores.influx.influx import Influx


@contextmanager
def open_feeder(settings: Settings, sink: str, spool: Spool) -> Iterator[Feeder]:
    """What brings messages out of the spool into this sink. Raises `ConfigError` for one that is not set up."""
    make = {"lake": _lake, "influx": _influx}[sink]
    with make(settings, spool) as made, closing(made):
        yield made


@contextmanager
def _lake(settings: Settings, spool: Spool) -> Iterator[Feeder]:
    store = open_lake(settings, spool.log_id)
    house = LakeMaintenance(store, spool, settings.sinks.lake.compact_after_s)
    yield Feeder(spool, store, accounts(settings), settings.data_dir, house)


@contextmanager
def _influx(settings: Settings, spool: Spool) -> Iterator[Feeder]:
    ours = settings.sinks.influx
    if ours is None:
        raise ConfigError("there is no [sinks.influx] in the settings")
    refusals = QuarantinedRows(open_lake(settings, f"{spool.log_id}-refused"))
    with closing(Influx(ours, refusals.take)) as store:
        follower = Follower(
            open_lake(settings), store, settings.data_dir, lambda: spool.cursor("lake") >= spool.cursor("influx")
        )
        house = InfluxMaintenance(store, ours, follower)
        yield Feeder(spool, store, accounts(settings), settings.data_dir, house, refusals)
