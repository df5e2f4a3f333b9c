"""Panels: what each kind is made of. A dashboard's module has one function a panel, which calls one of these.

The text of a panel begins with the question that it answers, up to the question mark; the rest says what it shows and
how that is computed.
"""

import re
from collections.abc import Sequence
from typing import TypedDict, Unpack

import msgspec
from grafana_foundation_sdk.models import barchart, bargauge, common, histogram, stat, statetimeline, timeseries, trend
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.kit import style
from dashboards.kit.influxql import Query
from dashboards.kit.transformations import counted, having, kept, limited, renamed, sorted_by
from dashboards.kit.units import unit_of

Overrides = Sequence[grafana.DashboardFieldConfigSourceOverrides]
Limits = grafana.ThresholdsConfig | None
Mappings = list[grafana.ValueMapping] | None


class Panel(msgspec.Struct, frozen=True, kw_only=True):
    """A panel of any kind, before it has its place on a page. `fields` are those that it shows.

    `empty` is why it has no rows on the demo's data; "" means that it must have some. `time_from` is a range of its
    own, such as `1d`. `width` and `height` are in units of Grafana's grid, of which a row has 24.
    """

    kind: str
    title: str
    text: str
    queries: tuple[Query, ...]
    fields: tuple[str, ...]
    config: grafana.FieldConfig
    options: object
    overrides: Overrides = ()
    transformations: Sequence[grafana.DataTransformerConfig] = ()
    width: int = 12
    height: int = 8
    time_from: str = ""
    empty: str = ""

    @property
    def explained(self) -> str:
        """Its text, and how many rows are shown at most."""
        limits = {int(each) for query in self.queries for each in re.findall(r" LIMIT (\d+)$", query.text)}
        return self.text + "".join(f" Of more than {each:,} rows, the newest are shown." for each in sorted(limits))

    @property
    def question(self) -> str:
        """What the panel answers."""
        return self.text.partition("?")[0] + "?"


def number(
    title: str,
    text: str,
    query: Query,
    field: str,
    *,
    limits: Limits = None,
    mappings: Mappings = None,
    unit: str = "",
    width: int = 4,
    time_from: str = "",
    calc: str = "lastNotNull",
    only: Sequence[str] = (),
    also: Sequence[Query] = (),
) -> Panel:
    """One figure, word or moment; a count shows `none` where no row fits, because InfluxDB then answers nothing.

    Of several rows the newest counts, or Grafana takes another figure of them (`calc`), of those whose field has one of
    the words in `only` alone. For InfluxDB that would be a query over a query, which takes ten times as long.
    `also` are queries that answer where the first does not.
    """
    options = stat.Options(
        graph_mode=common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.VALUE,
        reduce_options=common.ReduceDataOptions(values=False, calcs=[calc], fields=f"/^{field}$/"),
    )
    config = style.field_config(
        unit or unit_of(field), {}, limits=limits or style.thresholds(base="text"), mappings=mappings, by_threshold=True
    )
    if "count(" in query.text:
        config.no_value = "none"
    return Panel(
        kind="stat", title=title, text=text, queries=(query, *also), fields=(field,), config=config, options=options,
        width=width, height=4, time_from=time_from, transformations=[having(field, *only)] if only else [],
    )  # fmt: skip


class Look(TypedDict, total=False):
    """What may differ between panels over time: `low` and `high` are the ends of the axis."""

    overrides: Overrides
    limits: Limits
    low: float
    high: float
    width: int


def lines(title: str, text: str, *queries: Query, unit: str, **look: Unpack[Look]) -> Panel:
    """Values over time as lines, which are broken where values are missing.

    Means of intervals come with their gaps; among single readings, a gap is whatever lasts too long.
    """
    custom = _line(style.LONGEST_LINE_MS)
    if all("fill(null)" in query.text for query in queries):
        custom.insert_nulls = None
    return _over_time(title, text, queries, custom, unit, look)


def daily(title: str, text: str, *queries: Query, unit: str, **look: Unpack[Look]) -> Panel:
    """One value a day as points joined by lines; a day without a value breaks them."""
    custom = _line(36 * 3_600_000)  # a day, and the hours by which days differ where clocks change or zones do
    custom.show_points = common.VisibilityMode.ALWAYS
    return _over_time(title, text, queries, custom, unit, look)


def _line(longest_ms: int) -> common.GraphFieldConfig:
    return common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=0,
        show_points=common.VisibilityMode.AUTO,
        span_nulls=longest_ms,
        insert_nulls=longest_ms,
    )


def columns(
    title: str, text: str, *queries: Query, unit: str, stacked: bool = True, overrides: Overrides = (), width: int = 12
) -> Panel:
    """Sums over time as columns; a day without a row has none."""
    stacking = common.StackingMode.NORMAL if stacked and len(queries) > 1 else common.StackingMode.NONE
    custom = common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.BARS,
        line_width=0,
        fill_opacity=80,
        bar_alignment=common.BarAlignment.AFTER,
        bar_width_factor=0.8,
        stacking=common.StackingConfig(mode=stacking, group="A"),
        span_nulls=False,
    )
    return _over_time(title, text, queries, custom, unit, Look(overrides=overrides, width=width))


def _over_time(
    title: str, text: str, queries: Sequence[Query], custom: common.GraphFieldConfig, unit: str, look: Look
) -> Panel:
    limits = look.get("limits")
    if limits:
        custom.thresholds_style = common.GraphThresholdsStyleConfig(mode=common.GraphThresholdsStyleMode.DASHED)
    return Panel(
        kind="timeseries",
        title=title,
        text=text,
        queries=tuple(queries),
        fields=tuple(dict.fromkeys(query.name for query in queries)),
        config=style.field_config(unit, custom, limits=limits, low=look.get("low"), high=look.get("high")),
        options=timeseries.Options(legend=style.LEGEND, tooltip=style.TOOLTIP),
        overrides=look.get("overrides", ()),
        width=look.get("width", 12),
    )


def ranking(
    title: str, text: str, *queries: Query, unit: str, limits: Limits = None, width: int = 8, overrides: Overrides = ()
) -> Panel:
    """One bar for each named series, with its newest value."""
    options = bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        value_mode=common.BarGaugeValueMode.TEXT,
        orientation=common.VizOrientation.HORIZONTAL,
        show_unfilled=False,
        reduce_options=common.ReduceDataOptions(values=False, calcs=["lastNotNull"], fields=""),
        legend=style.NO_LEGEND,
    )
    config = style.field_config(unit, {}, limits=limits, by_threshold=True, low=0)
    names = tuple(dict.fromkeys(query.name for query in queries))
    return Panel(
        kind="bargauge", title=title, text=text, queries=queries, fields=names, config=config, options=options,
        width=width, overrides=overrides,
    )  # fmt: skip


def bars(
    title: str, text: str, query: Query, category: str, *values: str, sort: str = "", most: int = 0, width: int = 12,
    descending: bool = False, horizontal: bool = False,
) -> Panel:  # fmt: skip
    """One bar, or one for each of `values`, for every word of `category`."""
    options = barchart.Options(
        x_field=category,
        orientation=common.VizOrientation.HORIZONTAL if horizontal else common.VizOrientation.VERTICAL,
        show_value=common.VisibilityMode.AUTO,
        stacking=common.StackingMode.NONE,
        legend=style.LEGEND if len(values) > 1 else style.NO_LEGEND,
        tooltip=style.TOOLTIP,
    )
    custom = barchart.FieldConfig(line_width=0, fill_opacity=80)
    steps = [sorted_by(sort, descending=descending)] if sort else []
    steps += [limited(most)] if most else []
    return Panel(
        kind="barchart", title=title, text=text, queries=(query,), fields=(category, *values), options=options,
        width=width, overrides=[style.own_unit(value) for value in values],
        config=style.field_config(unit_of(values[0]), custom),
        transformations=[*steps, kept(category, *values)],
    )  # fmt: skip


def tally(
    title: str, text: str, query: Query, category: str, of: str, name: str, *, mappings: Mappings, width: int = 12
) -> Panel:
    """One bar for each word of `category`: how many rows have it, each of them one of `of`, shown as `name`."""
    panel = bars(title, text, query, category, name, width=width)
    panel.config.mappings = mappings
    steps = [counted(category, of), renamed(f"{of} (count)", name), sorted_by(name, descending=True)]
    return msgspec.structs.replace(panel, transformations=[*steps, *panel.transformations])


def curve(title: str, text: str, query: Query, x: str, *values: str, band: bool = False, width: int = 12) -> Panel:
    """Values over a number instead of time; with `band` the second and third of them are the ends of an interval."""
    options = trend.Options(legend=style.LEGEND, tooltip=style.TOOLTIP, x_field=x)
    custom = common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=0,
        show_points=common.VisibilityMode.ALWAYS,
        span_nulls=False,
    )
    overrides = [style.own_unit(name) for name in (x, *values)]
    if band:
        overrides += style.band(values[1], values[2])
    return Panel(
        kind="trend", title=title, text=text, queries=(query,), fields=(x, *values), options=options, width=width,
        config=style.field_config(unit_of(values[0]), custom), overrides=overrides,
        transformations=[sorted_by(x), kept(x, *values)],
    )  # fmt: skip


def distribution(title: str, text: str, query: Query, field: str, *, size: int, width: int = 8) -> Panel:
    """How often a value lies where: a histogram with buckets of this size, in the unit of the field."""
    options = histogram.Options(bucket_size=size, legend=style.NO_LEGEND, tooltip=style.TOOLTIP, combine=True)
    custom = histogram.FieldConfig(line_width=0, fill_opacity=80)
    return Panel(
        kind="histogram", title=title, text=text, queries=(query,), fields=(field,), options=options, width=width,
        config=style.field_config(unit_of(field), custom), transformations=[kept(field)],
        overrides=[style.own_unit(field)],
    )  # fmt: skip


def timeline(title: str, text: str, *queries: Query, mappings: Mappings, height: int = 10, width: int = 24) -> Panel:
    """A band of each series, in the colour of its word."""
    options = statetimeline.Options(
        show_value=common.VisibilityMode.NEVER,
        row_height=0.8,
        merge_values=True,
        legend=style.LEGEND,
        tooltip=style.ONE_TOOLTIP,
        per_page=20,
    )
    custom = statetimeline.FieldConfig(line_width=0, fill_opacity=80)
    names = tuple(dict.fromkeys(query.name for query in queries))
    return Panel(
        kind="state-timeline", title=title, text=text, queries=queries, fields=names, options=options, width=width,
        config=style.field_config("string", custom, mappings=mappings), height=height,
    )  # fmt: skip
