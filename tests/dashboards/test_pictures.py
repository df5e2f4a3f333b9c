"""The contact sheet: every kind of panel can be drawn from its real result, and an empty one says so."""

import pytest

from dashboards import vehicle
from dashboards.catalogue import pages
from dashboards.kit.panels import Panel
from tests.dashboards.answers import Result, result
from tests.dashboards.chosen import Demo
from tests.dashboards.pictures import picture, shown

FIRST: dict[str, tuple[str, Panel]] = {}
for name, page in pages().items():
    for each in page.panels:
        if not each.empty:
            FIRST.setdefault(each.kind, (name, each))


@pytest.mark.xdist_group("dashboards")
@pytest.mark.parametrize("kind", FIRST)
def test_a_panel_is_drawn(kind: str, demo: Demo) -> None:
    name, panel = FIRST[kind]
    drawn = {picture(panel, result(panel, view, demo.client, demo.database)) for view in demo.views(pages()[name])}
    marks = {"stat": "figure", "table": "<td>"}.get(kind, "<svg")
    assert any(marks in each for each in drawn)


@pytest.mark.parametrize("kind", sorted(set(FIRST) - {"stat", "table"}))
def test_a_panel_without_rows_is_a_dash(kind: str) -> None:
    assert picture(FIRST[kind][1], Result([], {})) == '<p class="figure">–</p>'


def test_values_are_written_with_their_units() -> None:
    assert shown(1234.5, "lengthm") == "1.23 km"
    assert shown(0.25, "percentunit") == "25.00 %"
    assert shown(90, "dtdurations") == "1.50 min"
    assert shown(None, "watth") == "–"


def test_a_word_of_ours_stands_for_a_value_as_in_grafana() -> None:
    assert picture(vehicle.locked(), Result([{"locked": True}], {})) == '<p class="figure">locked</p>'
    assert picture(vehicle.charge(), Result([{"soc_pct": 80.0}], {})) == '<p class="figure">80 %</p>'
