"""The texts by which dashboards list vehicles, beside each row of `vehicles` and nowhere else."""

from contextlib import closing
from datetime import UTC, datetime

import polars as pl
import pytest

from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import Influx
from logger.tables import TABLES, TIME, shaped

AT = datetime(2026, 3, 1, tzinfo=UTC)


def written(settings: InfluxSettings, **row: str | None) -> dict[str, str]:
    """What stands beside a row, read as a dashboard reads it."""
    whole = {"provider": "p", "vehicle": "1", "time": AT, "received_at": AT, "via": "import", "sequence": 1, **row}
    times = [pl.col(name).cast(TIME) for name in ("time", "received_at")]
    with closing(Influx(settings)) as store:
        store.write("vehicles", shaped(pl.DataFrame([whole]).with_columns(times), "vehicles"))
        (series,) = store.client.query_series(settings.bucket, 'SELECT "title", "menu" FROM "vehicles"')
        return dict(zip(series["columns"], series["values"][0], strict=True))


@pytest.mark.parametrize(
    ("row", "title"),
    [
        ({"label": "Moped 1", "plate": "AB 1"}, "Moped 1"),
        ({"plate": "AB 1"}, "AB 1"),
        ({"label": "", "plate": " "}, "1"),
        ({}, "1"),
    ],
)
def test_the_title_is_the_label_else_the_plate_else_the_number(
    row: dict[str, str], title: str, native: InfluxSettings
) -> None:
    assert written(native, **row)["title"] == title


def test_the_menu_has_group_model_title_and_the_tag_with_tabs_between(native: InfluxSettings) -> None:
    found = written(native, vehicle="a\\b%", label="one\ttwo\nthree", group="north", model="E")
    assert found["menu"].split("\t") == ["north", "E", "one two three", "a%5Cb%25"]


def test_what_is_not_known_is_empty_in_the_menu(native: InfluxSettings) -> None:
    assert written(native)["menu"] == "\t\t1\t1"


def test_the_texts_are_no_columns_of_the_table(native: InfluxSettings) -> None:
    written(native, label="Moped 1")
    with closing(Influx(native)) as store:
        assert store.scan("vehicles").collect().columns == list(TABLES["vehicles"].columns)
