"""Every panel answers on the demo's data: its queries run on a real InfluxDB as Grafana sends them, and have rows."""

import pytest

from dashboards.catalogue import pages
from dashboards.kit.panels import Panel
from tests.dashboards.answers import Result, result
from tests.dashboards.chosen import Demo

pytestmark = pytest.mark.xdist_group("dashboards")
PAGES = pages()
# Columns that are empty where there is nothing to say
SPARSE = {"flags", "place", "text", "currency"}


def missing(panel: Panel, found: Result) -> set[str]:
    """The fields that a panel shows and none of its rows has; of time series, one of them is enough."""
    if any(query.is_series for query in panel.queries):
        values = [value for points in found.series.values() for _, value in points if value is not None]
        return set() if values else set(panel.fields)
    return {field for field in panel.fields if field not in SPARSE and not found.values(field)}


@pytest.mark.parametrize("name", PAGES)
def test_every_panel_shows_the_fields_that_it_names(name: str, demo: Demo) -> None:
    page = PAGES[name]
    views = demo.views(page)
    asked = 0
    for panel in page.panels:
        results = [result(panel, view, demo.client, demo.database) for view in views]
        asked += len(panel.queries)
        lacking = [missing(panel, found) for found in results]
        if panel.empty:
            assert all(lacking), f"{panel.title} has rows: it is not empty any more"
        else:
            assert not all(lacking), f"{panel.title} lacks {lacking[0]}"
    assert asked == sum(len(panel.queries) for panel in page.panels) > 0


def test_there_are_at_least_twelve_dashboards_with_ninety_panels() -> None:
    assert len(PAGES) >= 12
    assert sum(len(page.panels) for page in PAGES.values()) >= 90


def test_few_panels_are_declared_empty_and_none_in_a_first_row() -> None:
    panels = [panel for page in PAGES.values() for panel in page.panels]
    assert len([panel for panel in panels if panel.empty]) <= len(panels) / 20
    for page in PAGES.values():
        assert not [panel.title for panel in page.rows[0][1] if panel.empty]


def test_no_two_panels_ask_the_same() -> None:
    asked: dict[tuple[str, ...], str] = {}
    for page in PAGES.values():
        for panel in page.panels:
            queries = tuple(query.text for query in panel.queries)
            place = f"{page.title}: {panel.title}"
            assert queries not in asked, f"{place} and {asked[queries]}"
            asked[queries] = place
