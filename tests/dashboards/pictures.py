"""Pictures of what panels show: each panel's real result, drawn by Altair, or as a small table or figure in HTML."""

import html
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import altair as alt
import polars as pl
import vl_convert
from grafana_foundation_sdk.models import barchart, common, geomap, histogram, trend

from dashboards.kit import style
from dashboards.kit.panels import Panel
from dashboards.kit.units import TIME, caption, unit_of
from tests.dashboards.answers import Result

_COLOURS = {"light-blue": "#8ab8ff", "blue": "#3274d9", "green": "#56a64b", "orange": "#ff780a", "red": "#e02f44"}
_WORDS = {
    "lengthm": ("m", 1.0), "lengthkm": ("km", 1.0), "velocitykmh": ("km/h", 1.0), "percent": ("%", 1.0),
    "percentunit": ("%", 100.0), "watth": ("Wh", 1.0), "watt": ("W", 1.0), "volt": ("V", 1.0), "celsius": ("°C", 1.0),
    "dtdurations": ("s", 1.0), "degree": ("°", 1.0),
}  # fmt: skip
_LARGER = {
    "lengthm": ((1000, 1000, "km"),),
    "watth": ((1000, 1000, "kWh"),),
    "dtdurations": ((86_400, 86_400, "d"), (3600, 3600, "h"), (60, 60, "min")),
}
_ROWS, _WIDTH, _HEIGHT = 8, 430, 170
_LEGEND = alt.Legend(orient="bottom", columns=4)
Chart = Any  # Altair's charts have no common type


def picture(panel: Panel, result: Result) -> str:
    """Return what a panel shows as HTML."""
    if panel.kind == "stat":
        return f'<p class="figure">{html.escape(_figure(panel, result))}</p>'
    if panel.kind == "table":
        return _table(panel, result)
    if not result.rows and not any(value is not None for points in result.series.values() for _, value in points):
        return '<p class="figure">–</p>'
    return draw(panel, result)


def draw(panel: Panel, result: Result) -> str:
    """Return a chart's result as SVG."""
    return str(vl_convert.vegalite_to_svg(_chart(panel, result)))


def photograph(panel: Panel, result: Result) -> bytes:
    """Return a chart's result as PNG, which is small however many marks it has."""
    return bytes(vl_convert.vegalite_to_png(_chart(panel, result), scale=1.5))


def _chart(panel: Panel, result: Result) -> dict[str, Any]:
    chart = _CHARTS[panel.kind](panel, result).properties(width=_WIDTH, height=_HEIGHT)
    return dict(chart.to_dict())


def shown(value: Any, unit: str) -> str:
    """Return a value as a reader sees it, about as Grafana writes it."""
    if value is None:
        return style.NOTHING
    if unit.startswith("dateTime") and isinstance(value, int | float):
        return f"{datetime.fromtimestamp(value / 1000, UTC):%m-%d %H:%M}"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    word, scale = _WORDS.get(unit, (unit.removeprefix("suffix: ") if unit.startswith("suffix:") else "", 1.0))
    for larger, factor, name in _LARGER.get(unit, ()):
        if abs(value) >= larger:
            return f"{value / factor:,.2f} {name}"
    digits = 0 if abs(value * scale) >= 100 or value == int(value) else 2
    return f"{value * scale:,.{digits}f} {word}".strip()


def _unit_word(unit: str | None) -> str:
    """What stands beside an axis for a unit of Grafana."""
    words = {unit: word for unit, (word, _) in _WORDS.items()}
    return words.get(unit or "", (unit or "").removeprefix("suffix: ").replace("short", "").replace("none", ""))


def _figure(panel: Panel, result: Result) -> str:
    values = result.values(panel.fields[0])
    (calc,) = panel.options.reduce_options.calcs  # type: ignore[attr-defined]
    if calc == "count":
        return f"{len(values)}"
    if not values:
        return str(panel.config.no_value)
    return _word(panel, values[-1]) or shown(values[-1], panel.config.unit or "")


def _word(panel: Panel, value: Any) -> str:
    """The word that the panel shows in place of this value; "" where it shows the value."""
    key = str(value).lower() if isinstance(value, bool) else str(value)
    found = [getattr(mapping, "options", {}).get(key) for mapping in panel.config.mappings or []]
    return next((each.text for each in found if each is not None and each.text), "")


def _table(panel: Panel, result: Result) -> str:
    head = "".join(f"<th>{html.escape(caption(name))}</th>" for name in panel.fields)
    rows = ""
    for row in result.rows[:_ROWS]:
        cells = (shown(row.get(name), TIME if name == "Time" else unit_of(name)) for name in panel.fields)
        rows += "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
    return f"<table><tr>{head}</tr>{rows}</table><p>{len(result.rows)} rows</p>"


def _series_rows(result: Result) -> pl.DataFrame:
    rows = [(name, at, value) for name, points in result.series.items() for at, value in sorted(points)]
    frame = pl.DataFrame(rows, schema=["name", "at", "value"], orient="row", strict=False, infer_schema_length=None)
    return frame.with_columns(pl.from_epoch("at", time_unit="ms").alias("at"))


def _broken(rows: pl.DataFrame, longest_ms: float) -> pl.DataFrame:
    """Put a gap between two points of a series that are too far apart for a line."""
    known = rows.drop_nulls("value")
    far = (pl.col("at") - pl.col("at").shift(1).over("name")).dt.total_milliseconds() > longest_ms
    gaps = known.filter(far).with_columns(pl.col("at") - pl.duration(milliseconds=1), value=None)
    return pl.concat([known, gaps.cast(known.schema)]).sort("name", "at")


def _over_time(panel: Panel, result: Result) -> Chart:
    rows = _series_rows(result)
    custom = panel.config.custom
    assert isinstance(custom, common.GraphFieldConfig)
    x, colour = alt.X("at:T", title=None), alt.Color("name:N", title=None, legend=_LEGEND)
    y = alt.Y("value:Q", title=_unit_word(panel.config.unit))
    if panel.config.unit == "percentunit":
        y = y.title(None).axis(format="~%")
    if custom.draw_style == common.GraphDrawStyle.BARS:
        stacked = custom.stacking is not None and custom.stacking.mode == common.StackingMode.NORMAL
        bars = alt.Chart(rows.drop_nulls("value")).mark_bar(width=14, opacity=0.8)
        return bars.encode(x=x, y=y.stack("zero" if stacked else None), color=colour)
    ends = _band(panel)
    if custom.insert_nulls:
        rows = _broken(rows, float(custom.insert_nulls))
    chart = alt.Chart(rows.filter(~pl.col("name").is_in(ends))).mark_line(point=True).encode(x=x, y=y, color=colour)
    if not ends:
        return chart
    wide = rows.filter(pl.col("name").is_in(ends)).pivot("name", index="at", values="value")
    return alt.Chart(wide).mark_area(opacity=0.2).encode(x=x, y=alt.Y(f"{ends[0]}:Q"), y2=f"{ends[1]}:Q") + chart


def _band(panel: Panel) -> list[str]:
    for override in panel.overrides:
        for each in override.properties:
            if each.id_val == "custom.fillBelowTo":
                return [str(each.value), str(override.matcher.options)]
    return []


def _ranking(panel: Panel, result: Result) -> Chart:
    rows = [{"name": name, "value": points[-1][1]} for name, points in result.series.items() if points]
    return (
        alt.Chart(pl.DataFrame(rows))
        .mark_bar()
        .encode(x=alt.X("value:Q", title=_unit_word(panel.config.unit)), y="name:N")
    )


def _bars(panel: Panel, result: Result) -> Chart:
    assert isinstance(panel.options, barchart.Options)
    category, value = panel.fields[:2]
    x = alt.X(f"{category}:N", sort=None, title=None)
    return alt.Chart(_rows(result)).mark_bar().encode(x=x, y=alt.Y(f"{value}:Q", title=_labelled(value)))


def _curve(panel: Panel, result: Result) -> Chart:
    assert isinstance(panel.options, trend.Options)
    name, value, *ends = panel.fields
    rows = alt.Chart(_rows(result))
    x, y = alt.X(f"{name}:Q", title=_labelled(name)), alt.Y(f"{value}:Q", title=_unit_word(unit_of(value)))
    chart = rows.mark_line(point=True).encode(x=x, y=y)
    return rows.mark_area(opacity=0.2).encode(x=x, y=f"{ends[0]}:Q", y2=f"{ends[1]}:Q") + chart if ends else chart


def _labelled(field: str) -> str:
    """What a field is called, with its unit."""
    unit = _unit_word(unit_of(field))
    return f"{caption(field)} ({unit})" if unit else caption(field)


def _distribution(panel: Panel, result: Result) -> Chart:
    assert isinstance(panel.options, histogram.Options)
    (field,), step = panel.fields, panel.options.bucket_size or 1
    x = alt.X(f"{field}:Q", bin=alt.Bin(step=step), title=_labelled(field))
    return alt.Chart(_rows(result)).mark_bar().encode(x=x, y="count()")


def _heat(panel: Panel, result: Result) -> Chart:
    (field,) = panel.fields
    rows = _rows(result).with_columns(pl.from_epoch("Time", time_unit="ms").alias("at"))
    x, y = alt.X("yearmonthdate(at):T", title=None), alt.Y(f"{field}:Q", bin=alt.Bin(step=10), title=caption(field))
    return alt.Chart(rows).mark_rect().encode(x=x, y=y, color=alt.Color("count()", title=None))


def _points(panel: Panel, result: Result) -> Chart:
    x, y = panel.fields
    scale = alt.Scale(zero=False)
    axes = (alt.X(f"{x}:Q", title=_labelled(x), scale=scale), alt.Y(f"{y}:Q", title=_labelled(y), scale=scale))
    return alt.Chart(_rows(result).head(4000)).mark_circle(opacity=0.5).encode(*axes)


def _map(panel: Panel, result: Result) -> Chart:
    assert isinstance(panel.options, geomap.Options)
    lat, lon, *colour = panel.fields
    rows = alt.Chart(_rows(result).head(4000).with_row_index())
    scale = alt.Scale(zero=False)
    axes = (alt.X(f"{lon}:Q", scale=scale, title="longitude"), alt.Y(f"{lat}:Q", scale=scale, title="latitude"))
    if panel.options.layers[0].type_val == "route":
        return rows.mark_line().encode(*axes, order="index:Q")
    marks = rows.mark_circle(opacity=0.7).encode(*axes)
    return marks.encode(color=alt.Color(f"{colour[0]}:Q", title=caption(colour[0]))) if colour else marks


def _timeline(panel: Panel, result: Result) -> Chart:
    rows = _series_rows(result).sort("name", "at")
    spans = rows.with_columns(end=pl.col("at").shift(-1).over("name")).with_columns(
        pl.col("end").fill_null(pl.col("at").max())
    )
    since, until = (datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None) for ms in result.range_ms)
    spans = spans.filter(pl.col("end") >= since).with_columns(pl.col("at").clip(since, until))
    words = [value for mapping in panel.config.mappings or [] for value in getattr(mapping, "options", {})]
    css = [
        _css(style.STATE_COLOURS.get(word, {"appeared": "red", "cleared": "green"}.get(word, "#999"))) for word in words
    ]
    colour = alt.Color("value:N", scale=alt.Scale(domain=words, range=css), title=None, legend=_LEGEND)
    return (
        alt.Chart(spans)
        .mark_bar(height=8)
        .encode(x=alt.X("at:T", title=None), x2="end:T", y=alt.Y("name:N", title=None), color=colour)
    )


def _css(colour: str) -> str:
    return _COLOURS.get(colour, colour)


def _rows(result: Result) -> pl.DataFrame:
    return pl.DataFrame(result.rows, infer_schema_length=None, strict=False)


_CHARTS: Mapping[str, Callable[[Panel, Result], Chart]] = {
    "timeseries": _over_time,
    "bargauge": _ranking,
    "barchart": _bars,
    "trend": _curve,
    "histogram": _distribution,
    "heatmap": _heat,
    "xychart": _points,
    "geomap": _map,
    "state-timeline": _timeline,
}
