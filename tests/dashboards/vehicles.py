"""The variables of a dashboard, answered by a real InfluxDB, and rows of every table for vehicles of any name."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl
from grafana_foundation_sdk.models.dashboard import VariableModel

from dashboards.kit import variables
from logger.columns import Column
from logger.stores.influx.client import InfluxClient
from logger.tables import TABLES, shaped
from tests.dashboards.grafana import Everything, Value, View, expand, options, table_rows

_SINCE, _UNTIL = datetime(2026, 1, 1), datetime(2026, 1, 2)  # noqa: DTZ001 - no variable depends on the range
_ROWS = 3


def variable(name: str) -> VariableModel:
    """Return the variable with this name."""
    return next(each for each in variables.fleet() if each.name == name)


def choices(client: InfluxClient, database: str, name: str, **chosen: Value | Everything) -> dict[str, str]:
    """Return what a variable offers, by text, where these values are chosen in those before it."""
    model = variable(name)
    values = {"provider": Everything(".*"), "group": Everything("[^\\t]*"), "model": Everything("[^\\t]*"), **chosen}
    assert isinstance(model.query, str)
    rows = table_rows(client.query_series(database, expand(model.query, View(_SINCE, _UNTIL, values))))
    return options(rows, "value" if model.query.startswith("SHOW") else "menu", model.regex or "")


def vehicle_options(client: InfluxClient, database: str, **chosen: Value | Everything) -> dict[str, str]:
    """Return the vehicles that can be chosen: their tags by what people call them."""
    return choices(client, database, "vehicle", **chosen)


def made_rows(table: str, vehicles: Sequence[str], until: datetime, groups: Mapping[str, str]) -> pl.DataFrame:
    """Return rows of a table for these vehicles, every column filled, values different for each vehicle."""
    rows = [
        {column.name: _value(column, number, row, until) for column in TABLES[table].described}
        | {"provider": "import", "vehicle": vehicle, "time": until - timedelta(minutes=10 * (row + 1))}
        | ({"group": groups[vehicle]} if table == "vehicles" else {})
        for number, vehicle in enumerate(vehicles, 1)
        for row in range(_ROWS)
    ]
    return shaped(pl.DataFrame(rows, infer_schema_length=None), table)


def _value(column: Column, number: int, row: int, until: datetime) -> Any:
    if column.type == "time":
        return until - timedelta(minutes=number + row)
    if column.type == "bool":
        return (number + row) % 2 == 0
    if column.type == "words":
        return [next(iter(column.words), "word")]
    if column.words:
        return list(column.words)[(number + row) % len(column.words)]
    if column.type in ("text", "enum"):
        return f"{column.name} {number}"
    return number * 7 + row
