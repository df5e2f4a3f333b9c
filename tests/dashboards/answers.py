"""A panel's real result: its queries, run on a real InfluxDB as Grafana would run them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from dashboards.kit.panels import Panel
from logger.stores.influx.client import InfluxClient
from tests.dashboards.grafana import Rows, View, expand, table_rows, time_series, transform


class Result(msgspec.Struct, frozen=True):
    """What a panel shows: the rows of a table, or points by series."""

    rows: Rows
    series: Mapping[str, list[tuple[int, Any]]]
    range_ms: tuple[int, int] = (0, 0)

    def values(self, field: str) -> list[Any]:
        """All values of a field, or of a series, that are not null."""
        if field == "$tag_vehicle" or "$tag" in field:
            return [value for points in self.series.values() for _, value in points if value is not None]
        points = self.series.get(field, [])
        return [row[field] for row in self.rows if row.get(field) is not None] + [v for _, v in points if v is not None]


def result(panel: Panel, view: View, client: InfluxClient, database: str) -> Result:
    """Run the queries of a panel."""
    if panel.time_from:
        view = msgspec.structs.replace(view, since=view.until - _length(panel.time_from))
    frames: list[Rows] = []
    series: dict[str, list[tuple[int, Any]]] = {}
    for query in panel.queries:
        answer = client.query_series(database, expand(query.text, view))
        if query.is_series:
            for name, points in time_series(answer, query.name).items():
                series.setdefault(name, []).extend(points)
        else:
            frames.append(table_rows(answer))
    steps = [{"id": step.id_val, "options": step.options} for step in panel.transformations]
    rows = [row for frame in transform(frames, steps) for row in frame]
    return Result(rows, series, view.range_ms)


def _length(text: str) -> timedelta:
    return timedelta(**{{"h": "hours", "d": "days"}[text[-1]]: int(text[:-1])})
