"""A store on a database of its own."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import Influx


@pytest.fixture
def store(influx: InfluxSettings) -> Iterator[Influx]:
    with closing(Influx(influx)) as store:
        yield store
