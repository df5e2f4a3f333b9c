"""Transformations: what Grafana does to rows before it draws them."""

from grafana_foundation_sdk.models import dashboard as grafana


def sorted_by(field: str, *, descending: bool = False) -> grafana.DataTransformerConfig:
    """Sort rows by a field."""
    options = {"fields": {}, "sort": [{"field": field, "desc": descending}]}
    return grafana.DataTransformerConfig(id_val="sortBy", options=options)


def having(field: str, *words: str) -> grafana.DataTransformerConfig:
    """Keep the rows whose field is one of these words."""
    filters = [{"fieldName": field, "config": {"id": "equal", "options": {"value": word}}} for word in words]
    return grafana.DataTransformerConfig(
        id_val="filterByValue", options={"filters": filters, "type": "include", "match": "any"}
    )


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
