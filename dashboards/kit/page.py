"""A page: rows of panels, put side by side on Grafana's grid, as a dashboard of the SDK."""

from collections.abc import Callable, Iterator, Sequence

import msgspec
from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.kit import variables
from dashboards.kit.influxql import DATASOURCE_REF, InfluxTarget
from dashboards.kit.panels import Panel

COLUMNS = 24  # of Grafana's grid
_SCHEMA = 42  # of the JSON that Grafana 13 writes
_VARIABLES: dict[str, Callable[[], list[grafana.VariableModel]]] = {
    "fleet": variables.fleet,
    "vehicle": variables.one_vehicle,
}


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One dashboard. `of` is what its variables select: a `fleet` or one `vehicle`.

    `rows` are titles with their panels; `since` is the range that it opens with. `low` says that panels ask what
    counts as a low charge.
    """

    uid: str
    title: str
    text: str
    rows: Sequence[tuple[str, Sequence[Panel]]]
    of: str = "fleet"
    since: str = "now-7d"
    low: bool = False

    @property
    def panels(self) -> list[Panel]:
        """All its panels, in order."""
        return [panel for _, panels in self.rows for panel in panels]


def dashboard(page: Page, low_pct: float) -> grafana.Dashboard:
    """Return the page as a dashboard. `low_pct` is the percent below which the settings have packs swapped [%]."""
    models = [*_VARIABLES[page.of](), *([variables.low_charge(low_pct)] if page.low else [])]
    return grafana.Dashboard(
        uid=page.uid,
        title=page.title,
        description=page.text,
        tags=["voltrail"],
        timezone="browser",
        editable=False,
        graph_tooltip=grafana.DashboardCursorSync.CROSSHAIR,
        time=grafana.DashboardDashboardTime(from_val=page.since, to="now"),
        refresh="5m",
        schema_version=_SCHEMA,
        panels=list(_placed(page)),
        templating=grafana.DashboardDashboardTemplating(list_val=models),
        links=[_other_dashboards()],
    )


def _placed(page: Page) -> Iterator[grafana.Panel | grafana.RowPanel]:
    number, top = 0, 0
    for title, panels in page.rows:
        number += 1
        place = grafana.GridPos(h=1, w=COLUMNS, x=0, y=top)
        yield grafana.RowPanel(title=title, collapsed=False, grid_pos=place, id_val=number, panels=[])
        top += 1
        for line in _lines(panels):
            left = 0
            for panel in line:
                number += 1
                yield _panel(panel, number, grafana.GridPos(h=panel.height, w=panel.width, x=left, y=top))
                left += panel.width
            top += max(panel.height for panel in line)


def _lines(panels: Sequence[Panel]) -> Iterator[list[Panel]]:
    """Yield the panels that fit side by side."""
    line: list[Panel] = []
    for panel in panels:
        if sum(each.width for each in line) + panel.width > COLUMNS:
            yield line
            line = []
        line.append(panel)
    if line:
        yield line


def _panel(panel: Panel, number: int, place: grafana.GridPos) -> grafana.Panel:
    note = f"\n\nEmpty so far: {panel.empty}" if panel.empty else ""
    return grafana.Panel(
        type_val=panel.kind,
        id_val=number,
        title=panel.title,
        description=panel.explained + note,
        datasource=DATASOURCE_REF,
        grid_pos=place,
        targets=[InfluxTarget.of(query, at) for at, query in enumerate(panel.queries)],
        transformations=list(panel.transformations),
        options=panel.options,
        field_config=grafana.FieldConfigSource(defaults=panel.config, overrides=list(panel.overrides)),
        time_from=panel.time_from or None,
    )


def _other_dashboards() -> grafana.DashboardLink:
    return grafana.DashboardLink(
        title="voltrail",
        type_val=grafana.DashboardLinkType.DASHBOARDS,
        tags=["voltrail"],
        as_dropdown=True,
        include_vars=True,
        keep_time=True,
    )
