"""Many rows written to InfluxDB at once, over two connections."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import BATCH_ROWS, Influx
from logger.tables import shaped

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPEATS = 3


def many_rows(vehicles: int) -> pl.DataFrame:
    """More rows than one batch takes: each key some times, each time with another percent."""
    number = pl.int_range(BATCH_ROWS // 2, eager=True)
    moments = pl.DataFrame({"vehicle": (number % vehicles).cast(pl.String), "time": AT + number * timedelta(seconds=1)})
    repeats = (moments.with_columns(soc_pct=pl.lit(float(repeat))) for repeat in range(REPEATS))
    return shaped(pl.concat(repeats).with_columns(provider=pl.lit("segway"), received_at=pl.lit(AT)), "status")


@pytest.mark.parametrize("vehicles", [1, 2, 7])
def test_rows_of_one_key_keep_their_order_however_many_are_written_at_once(
    influx: InfluxSettings, vehicles: int
) -> None:
    rows = many_rows(vehicles)
    with closing(Influx(influx)) as store:
        assert store.write("status", rows) == len(rows)
        stored = store.scan("status").collect()
    assert len(stored) == len(rows) // REPEATS
    assert stored["soc_pct"].unique().to_list() == [REPEATS - 1]
