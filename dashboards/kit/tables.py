"""Tables: rows with captions and units that follow from their columns, and links from a row to its details."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.models import common, table
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.kit import style
from dashboards.kit.influxql import EVER, Query, select
from dashboards.kit.panels import Panel
from dashboards.kit.transformations import greater, joined, kept, limited, sorted_by

# The name of each vehicle, which a table of vehicles shows beside its number
NAMES = select('last("title") AS "title"', "vehicles", span=EVER, by=["vehicle"])
_VEHICLE = "${provider:queryparam}&var-vehicle=${__data.fields.vehicle:percentencode}"
TO_VEHICLE = ("vehicle", "Open the vehicle", f"/d/voltrail-vehicle?{_VEHICLE}&${{__url_time_range}}")
TO_TRIP = (
    "started_at",
    "Open the trip",
    f"/d/voltrail-trip?{_VEHICLE}&from=${{__data.fields.started_at.numeric}}&to=${{__data.fields.finished_at.numeric}}",
)
Link = tuple[str, str, str]  # the column that has it, what it says, where it leads


def rows(
    title: str,
    text: str,
    query: Query,
    *shown: str,
    links: Sequence[Link] = (),
    sort: str = "",
    ascending: bool = False,
    most: int = 0,
    limits: Mapping[str, grafana.ThresholdsConfig] | None = None,
    names: bool = True,
    width: int = 12,
    height: int = 9,
    overrides: Sequence[grafana.DashboardFieldConfigSourceOverrides] = (),
    above: tuple[str, float] | None = None,
    empty: str = "",
) -> Panel:
    """A table of these columns, in their order; with `names` the vehicle's name stands before its number.

    `above` keeps the rows whose column is greater than a value.
    """
    named = names and "vehicle" in shown
    every = ("title", *shown) if named else shown
    steps = [sorted_by(sort, descending=not ascending)] if sort else []
    steps = [greater(*above), *steps] if above else steps
    steps = [joined("vehicle"), *steps] if named else steps
    steps += [limited(most)] if most else []
    linked = {column: (title, url) for column, title, url in links}
    return Panel(
        kind="table",
        title=title,
        text=text,
        queries=(query, NAMES) if named else (query,),
        fields=every,
        config=style.field_config("none", _cells(), limits=style.thresholds(base="text")),
        options=table.Options(frame_index=0, show_header=True, cell_height=common.TableCellHeight.SM),
        overrides=[*(_column(name, linked.get(name), (limits or {}).get(name)) for name in every), *overrides],
        transformations=[*steps, kept(*every), _ordered(every)],
        width=width,
        height=height,
        empty=empty,
    )


def _cells() -> common.TableFieldOptions:
    return common.TableFieldOptions(cell_options=common.TableAutoCellOptions(), filterable=True)


def _column(
    name: str, link: tuple[str, str] | None, limits: grafana.ThresholdsConfig | None
) -> grafana.DashboardFieldConfigSourceOverrides:
    more: dict[str, object] = {}
    if link:
        more["links"] = [{"title": link[0], "url": link[1], "targetBlank": False}]
    if limits:
        more["thresholds"] = limits
        more["custom_cellOptions"] = {"type": "color-text"}
    return style.own_unit(name, **more)


def _ordered(columns: Sequence[str]) -> grafana.DataTransformerConfig:
    order = {name: at for at, name in enumerate(columns)}
    options = {"excludeByName": {}, "includeByName": {}, "indexByName": order, "renameByName": {}}
    return grafana.DataTransformerConfig(id_val="organize", options=options)
