"""Transformations: what Grafana does to rows before it draws them."""

from grafana_foundation_sdk.models import dashboard as grafana


def sorted_by(field: str, *, descending: bool = False) -> grafana.DataTransformerConfig:
    """Sort rows by a field."""
    options = {"fields": {}, "sort": [{"field": field, "desc": descending}]}
    return grafana.DataTransformerConfig(id_val="sortBy", options=options)


def having(field: str, *words: str) -> grafana.DataTransformerConfig:
    """Keep the rows whose field is one of these words."""
    return _filter(*(_condition(field, "equal", word) for word in words))


def greater(field: str, value: float) -> grafana.DataTransformerConfig:
    """Keep the rows whose field is greater than this value."""
    return _filter(_condition(field, "greater", value))


def _condition(field: str, test: str, value: str | float) -> dict[str, object]:
    return {"fieldName": field, "config": {"id": test, "options": {"value": value}}}


def _filter(*filters: dict[str, object]) -> grafana.DataTransformerConfig:
    options = {"filters": list(filters), "type": "include", "match": "any"}
    return grafana.DataTransformerConfig(id_val="filterByValue", options=options)


def counted(by: str, of: str) -> grafana.DataTransformerConfig:
    """One row for each value of `by`, with the number of its rows as `of (count)`."""
    fields = {
        by: {"operation": "groupby", "aggregations": []},
        of: {"operation": "aggregate", "aggregations": ["count"]},
    }
    return grafana.DataTransformerConfig(id_val="groupBy", options={"fields": fields})


def renamed(field: str, name: str) -> grafana.DataTransformerConfig:
    """Give a field another name."""
    options = {"excludeByName": {}, "includeByName": {}, "indexByName": {}, "renameByName": {field: name}}
    return grafana.DataTransformerConfig(id_val="organize", options=options)


def limited(most: int) -> grafana.DataTransformerConfig:
    """Keep so many rows."""
    return grafana.DataTransformerConfig(id_val="limit", options={"limitField": most})


def kept(*fields: str) -> grafana.DataTransformerConfig:
    """Keep these fields alone."""
    options = {"include": {"names": list(fields)}}
    return grafana.DataTransformerConfig(id_val="filterFieldsByName", options=options)


def joined(field: str) -> grafana.DataTransformerConfig:
    """Put the rows of two queries together where they have the same value of a field."""
    return grafana.DataTransformerConfig(id_val="joinByField", options={"byField": field, "mode": "inner"})
