"""The sinks of the settings, each with the feeder that delivers to it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager

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
    """Open the feeder from the spool to this sink. Raises `ConfigError` for a sink that the settings do not have."""
    if sink not in _FEEDERS:
        raise ConfigError(f"there is no sink {sink!r}; there are: {', '.join(_FEEDERS)}")
    with _FEEDERS[sink](settings, spool) as feeder, closing(feeder):
        yield feeder


@contextmanager
def _lake_feeder(settings: Settings, spool: Spool) -> Iterator[Feeder]:
    store = open_lake(settings, spool.log_id)
    maintenance = LakeMaintenance(store, spool, settings.sinks.lake.compact_after_s)
    yield Feeder(spool, store, accounts(settings), settings.data_dir, maintenance)


@contextmanager
def _influx_feeder(settings: Settings, spool: Spool) -> Iterator[Feeder]:
    influx = settings.sinks.influx
    if influx is None:
        raise ConfigError("there is no [sinks.influx] in the settings")
    refused_rows = QuarantinedRows(open_lake(settings, f"{spool.log_id}-refused"))
    with closing(Influx(influx, refused_rows.add)) as store:
        follower = Follower(
            open_lake(settings), store, settings.data_dir, lambda: spool.cursor("lake") >= spool.cursor("influx")
        )
        maintenance = InfluxMaintenance(store, influx, follower)
        yield Feeder(spool, store, accounts(settings), settings.data_dir, maintenance, refused_rows)


_FEEDERS: Mapping[str, Callable[[Settings, Spool], AbstractContextManager[Feeder]]] = {
    "lake": _lake_feeder,
    "influx": _influx_feeder,
}
