"""Many rows at once into InfluxDB, over two connections."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import BATCH_ROWS, Influx
from logger.tables import shaped

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
TELLINGS = 3


def told(vehicles: int) -> pl.DataFrame:
    """More rows than go in one batch: each moment of each vehicle told some times, each time with another percent."""
    number = pl.int_range(BATCH_ROWS // 2, eager=True)
    moments = pl.DataFrame({"vehicle": (number % vehicles).cast(pl.String), "time": AT + number * timedelta(seconds=1)})
    tellings = (moments.with_columns(soc_pct=pl.lit(float(telling))) for telling in range(TELLINGS))
    return shaped(pl.concat(tellings).with_columns(provider=pl.lit("segway"), received_at=pl.lit(AT)), "status")


@pytest.mark.parametrize("vehicles", [1, 2, 7])
def test_rows_of_one_key_keep_their_order_however_many_come_at_once(influx: InfluxSettings, vehicles: int) -> None:
    rows = told(vehicles)
    with closing(Influx(influx)) as store:
        assert store.write("status", rows) == len(rows)
        found = store.scan("status").collect()
    assert len(found) == len(rows) // TELLINGS
    assert found["soc_pct"].unique().to_list() == [TELLINGS - 1]
