"""Open the stores that the settings name; every store is listed here by hand."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from logger.errors import ConfigError
from logger.settings.schema import Settings
from logger.stores.contract import Store
from logger.stores.lake.lake import Lake
from logger.suggest import nearest


def open_lake(settings: Settings, log_id: str = "none") -> Lake:
    """Return the lake of these settings; `log_id` names the spool whose rows are written to it."""
    return Lake(settings.sinks.lake.path, log_id)


@contextmanager
def open_store(settings: Settings, name: str) -> Iterator[Store]:
    """Open the store of this name, `lake` or `influx`. Raises `ConfigError` where the settings do not have it."""
    if name not in settings.sinks.names:
        near = nearest(name, ("lake", "influx"))
        raise ConfigError(f"the settings have no store {name!r}{near}; they have: {', '.join(settings.sinks.names)}")
    if settings.sinks.influx is None or name == "lake":
        yield open_lake(settings)
        return
    from logger.stores.influx.influx import Influx

    with closing(Influx(settings.sinks.influx)) as store:
        yield store
