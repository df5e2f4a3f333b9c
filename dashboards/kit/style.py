"""House style: how every panel looks, and that what is missing is a gap and never a zero."""

from collections.abc import Mapping

from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.kit.units import caption, unit_of

GREEN, YELLOW, ORANGE, RED = "green", "yellow", "orange", "red"
BLUE, LIGHT_BLUE, PURPLE, GREY, DARK = "blue", "light-blue", "purple", "#9fa7b3", "#5a4a4a"
NOTHING = "–"  # what a panel shows where there is no value

# The states of a vehicle and their colours, in the order of a legend
STATE_COLOURS = {
    "riding": BLUE,
    "paused": LIGHT_BLUE,
    "charging": GREEN,
    "discharging": PURPLE,
    "parked": GREY,
    "offline": ORANGE,
    "no_data": RED,
    "out_of_service": DARK,
}
# Beyond this a line is broken: a vehicle that was silent for longer has the state `no_data`
LONGEST_LINE_MS = 1_800_000
LEGEND = common.VizLegendOptions(
    display_mode=common.LegendDisplayMode.LIST, placement=common.LegendPlacement.BOTTOM, show_legend=True
)
NO_LEGEND = common.VizLegendOptions(
    display_mode=common.LegendDisplayMode.HIDDEN, placement=common.LegendPlacement.BOTTOM, show_legend=False
)
TOOLTIP = common.VizTooltipOptions(
    mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING, hide_zeros=False
)
ONE_TOOLTIP = common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE)


def thresholds(*steps: tuple[float, str], base: str = GREEN) -> grafana.ThresholdsConfig:
    """Return thresholds: `base`, and from each value on another colour."""
    first = grafana.Threshold(value=None, color=base)
    rest = [grafana.Threshold(value=value, color=colour) for value, colour in steps]
    return grafana.ThresholdsConfig(mode=grafana.ThresholdsMode.ABSOLUTE, steps=[first, *rest])


def low_is_bad(red_below: float, orange_below: float) -> grafana.ThresholdsConfig:
    """Return thresholds where little is bad."""
    return thresholds((red_below, ORANGE), (orange_below, GREEN), base=RED)


def high_is_bad(orange_from: float, red_from: float) -> grafana.ThresholdsConfig:
    """Return thresholds where much is bad."""
    return thresholds((orange_from, ORANGE), (red_from, RED))


PLAIN = thresholds(base=BLUE)


def state_mappings() -> list[grafana.ValueMapping]:
    """Return the colour and the words of each state."""
    return word_mappings({state: (state.replace("_", " "), colour) for state, colour in STATE_COLOURS.items()})


def word_mappings(words: Mapping[str, tuple[str, str]]) -> list[grafana.ValueMapping]:
    """Return for each value the words that are shown, and their colour."""
    results = {
        value: grafana.ValueMappingResult(text=text, color=colour, index=at)
        for at, (value, (text, colour)) in enumerate(words.items())
    }
    return [grafana.ValueMap(options=results)]


def field_config(
    unit: str,
    custom: object,
    *,
    limits: grafana.ThresholdsConfig | None = None,
    mappings: list[grafana.ValueMapping] | None = None,
    by_threshold: bool = False,
    low: float | None = None,
    high: float | None = None,
) -> grafana.FieldConfig:
    """Return what holds for all fields of a panel."""
    mode = grafana.FieldColorModeId.THRESHOLDS if by_threshold else grafana.FieldColorModeId.PALETTE_CLASSIC
    return grafana.FieldConfig(
        unit=unit,
        no_value=NOTHING,
        custom=custom,
        thresholds=limits or PLAIN,
        mappings=mappings or [],
        color=grafana.FieldColor(mode=mode),
        min_val=low,
        max_val=high,
    )


def override(name: str, **properties: object) -> grafana.DashboardFieldConfigSourceOverrides:
    """Return the override of one field, by its name; `custom_x` stands for the property `custom.x`."""
    return grafana.DashboardFieldConfigSourceOverrides(
        matcher=grafana.MatcherConfig(id_val="byName", options=name),
        properties=[
            grafana.DynamicConfigValue(id_val=_property(key), value=value) for key, value in properties.items()
        ],
    )


def own_unit(name: str, **more: object) -> grafana.DashboardFieldConfigSourceOverrides:
    """Return the override by which a field has the unit and the caption that follow from its name."""
    return override(name, unit=unit_of(name), displayName=caption(name), **more)


def band(low: str, high: str, colour: str = BLUE) -> list[grafana.DashboardFieldConfigSourceOverrides]:
    """Return the overrides that draw the area between two series: their interval of 95 %."""
    fixed = {"mode": "fixed", "fixedColor": colour}
    hidden = {"legend": True, "tooltip": False, "viz": False}
    line = {"color": fixed, "custom_lineWidth": 0, "custom_hideFrom": hidden}
    return [
        override(high, custom_fillBelowTo=low, custom_fillOpacity=15, **line),
        override(low, custom_fillOpacity=0, **line),
    ]


def _property(key: str) -> str:
    return key.replace("custom_", "custom.", 1) if key.startswith("custom_") else key
