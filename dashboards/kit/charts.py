"""Charts with two axes of numbers, and maps."""

from grafana_foundation_sdk.models import common, geomap, heatmap, xychart
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.kit import style
from dashboards.kit.influxql import Query
from dashboards.kit.panels import Limits, Panel
from dashboards.kit.transformations import kept
from dashboards.kit.units import unit_of


def points(title: str, text: str, query: Query, x: str, y: str, *, width: int = 12) -> Panel:
    """One point a row."""
    mapping = xychart.XYSeriesConfig(
        x=xychart.XychartXYSeriesConfigX(matcher=xychart.MatcherConfig(id_val="byName", options=x)),
        y=xychart.XychartXYSeriesConfigY(matcher=xychart.MatcherConfig(id_val="byName", options=y)),
    )
    options = xychart.Options(
        mapping=xychart.SeriesMapping.MANUAL, series=[mapping], legend=style.NO_LEGEND, tooltip=style.ONE_TOOLTIP
    )
    custom = xychart.FieldConfig(
        show=xychart.XYShowMode.POINTS, point_size=xychart.XychartFieldConfigPointSize(fixed=4), fill_opacity=50
    )
    return Panel(
        kind="xychart", title=title, text=text, queries=(query,), fields=(x, y), options=options, width=width,
        config=style.field_config(unit_of(y), custom), overrides=[style.own_unit(x), style.own_unit(y)],
        transformations=[kept(x, y)],
    )  # fmt: skip


def heat(title: str, text: str, query: Query, field: str, *, size: float, width: int = 12) -> Panel:
    """How often a value lies where, over time: cells of a day and of this size."""
    options = heatmap.Options(
        calculate=True,
        calculation=common.HeatmapCalculationOptions(
            x_buckets=common.HeatmapCalculationBucketConfig(mode=common.HeatmapCalculationMode.SIZE, value="1d"),
            y_buckets=common.HeatmapCalculationBucketConfig(mode=common.HeatmapCalculationMode.SIZE, value=f"{size:g}"),
        ),
        color=heatmap.HeatmapColorOptions(
            mode=heatmap.HeatmapColorMode.SCHEME, scheme="Blues", fill=style.BLUE, steps=32
        ),
        y_axis=heatmap.YAxisConfig(unit=unit_of(field), axis_placement=common.AxisPlacement.LEFT),
        show_value=common.VisibilityMode.NEVER,
        legend=heatmap.HeatmapLegend(show=True),
        tooltip=heatmap.HeatmapTooltip(mode=common.TooltipDisplayMode.SINGLE),
        exemplars=heatmap.ExemplarConfig(color=style.RED),
    )
    return Panel(
        kind="heatmap", title=title, text=text, queries=(query,), fields=(field,), options=options, width=width,
        config=style.field_config(unit_of(field), heatmap.FieldConfig()), transformations=[kept("Time", field)],
    )  # fmt: skip


def places(
    title: str, text: str, query: Query, *, colour: str = "", limits: Limits = None, lat: str = "lat_deg",
    lon: str = "lon_deg", width: int = 12, height: int = 12,
) -> Panel:  # fmt: skip
    """One dot a row on a map, in the colour of a value's threshold."""
    style_of_dot: dict[str, object] = {"size": {"fixed": 5}, "opacity": 0.7, "color": {"fixed": style.BLUE}}
    if colour:
        style_of_dot["color"] = {"field": colour, "fixed": style.BLUE}
    layer = _layer("markers", {"style": style_of_dot, "showLegend": bool(colour)}, lat, lon)
    fields = (lat, lon, colour) if colour else (lat, lon)
    return _map(title, text, query, layer, fields, limits, width, height)


def route(title: str, text: str, query: Query, *, width: int = 12, height: int = 12) -> Panel:
    """The rows as a line on a map, in their order."""
    config = {"style": {"lineWidth": 3, "color": {"fixed": style.BLUE}, "opacity": 0.8}, "arrow": 1}
    layer = _layer("route", config, "lat_deg", "lon_deg")
    return _map(title, text, query, layer, ("lat_deg", "lon_deg"), None, width, height)


def _layer(kind: str, config: dict[str, object], lat: str, lon: str) -> common.MapLayerOptions:
    location = common.FrameGeometrySource(mode=common.FrameGeometrySourceMode.COORDS, latitude=lat, longitude=lon)
    return common.MapLayerOptions(type_val=kind, name=kind, config=config, location=location, tooltip=True)


def _map(
    title: str, text: str, query: Query, layer: common.MapLayerOptions, fields: tuple[str, ...], limits: Limits,
    width: int, height: int,
) -> Panel:  # fmt: skip
    options = geomap.Options(
        view=geomap.MapViewConfig(id_val="fit", all_layers=True, padding=10, lat=0, lon=0, zoom=12),
        controls=geomap.ControlsOptions(show_zoom=True, mouse_wheel_zoom=False, show_attribution=True),
        basemap=common.MapLayerOptions(type_val="default", name="map"),
        layers=[layer],
        tooltip=geomap.TooltipOptions(mode=geomap.TooltipMode.DETAILS),
    )
    config = style.field_config("none", {}, limits=limits, by_threshold=True)
    overrides: list[grafana.DashboardFieldConfigSourceOverrides] = [style.own_unit(name) for name in fields]
    return Panel(
        kind="geomap", title=title, text=text, queries=(query,), fields=fields, options=options, width=width,
        height=height, config=config, overrides=overrides,
    )  # fmt: skip
