"""A line that InfluxDB refuses costs its own row alone."""

import math

import msgspec
import polars as pl
import pytest

from logger.errors import Retry
from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import Influx
from logger.stores.influx.line_protocol import encode_lines
from logger.tables import RAW, Table
from tests.helpers.faulty_proxy import faulty_proxy
from tests.logger.stores.influx.test_influx import AT, rows, stored


def test_a_field_of_another_type_costs_only_its_row(influx: InfluxSettings) -> None:
    refused: list[tuple[str, str, str]] = []
    written = rows("status", *({"vehicle": f"v{n}", "soc_pct": float(n)} for n in range(5000)))
    text_table = table_with_text("status", "soc_pct")
    wrong = written[2345:2346].with_columns(pl.lit("a word").alias("soc_pct"))
    with faulty_proxy(influx.url) as proxy:
        proxied = msgspec.structs.replace(influx, url=proxy.url)
        store = Influx(proxied, lambda table, row, reason: refused.append((table.name, row["vehicle"][0], reason)))
        store.write("status", rows("status", {"soc_pct": 1.0}))
        before = proxy.requests.total()
        assert write_with_wrong_line(store, text_table, written, wrong) == 4999
        assert proxy.requests.total() - before <= 1 + 2 * math.ceil(math.log2(5000))
        assert stored(store, "status", since=AT).height == 5000
        store.close()
    ((*subject, reason),) = refused
    assert subject == ["status", "v2345"]
    assert {"type", '"soc_pct"'} <= set(reason.split())


def table_with_text(name: str, column: str) -> Table:
    """The table with texts in this column."""
    table = RAW[name]
    return Table(name, table.key, {**table.columns, column: pl.String()})


def write_with_wrong_line(store: Influx, text_table: Table, rows: pl.DataFrame, wrong: pl.DataFrame) -> int:
    """Write rows of `status`, the one of the same vehicle as `wrong` with a text where a number should be."""
    (index,) = rows.with_row_index().filter(pl.col("vehicle") == wrong["vehicle"][0])["index"]
    lines = encode_lines(RAW["status"], rows).to_list()
    lines[index] = encode_lines(text_table, wrong)[0]
    return store.write_batch(RAW["status"], rows, pl.Series("line", lines))


def test_without_a_handler_a_refused_row_is_an_error_that_names_it(store: Influx) -> None:
    store.write("status", rows("status", {"soc_pct": 1.0}))
    wrong = rows("status", {"soc_pct": 1.0}).with_columns(pl.lit("a word").alias("soc_pct"))
    with pytest.raises(Retry, match=r"refuses a row of status of 860000000000001"):
        write_with_wrong_line(store, table_with_text("status", "soc_pct"), rows("status", {}), wrong)
