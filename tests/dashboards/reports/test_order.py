"""Tables of vehicles that nothing else orders are in the order of their names, numbers counting as numbers."""

from pathlib import Path

import pytest

from dashboards.reports.make import open_data, report
from logger.settings.schema import ReportKind
from logger.stores import open_lake
from tests.dashboards.reports import made
from tests.dashboards.reports.conftest import end_of, settings_in

NAMES = [f"Moped {number}" for number in (10, 2, 1, 11, 9)]
IN_ORDER = ["Moped 1", "Moped 2", "Moped 9", "Moped 10", "Moped 11"]


@pytest.mark.parametrize(("kind", "table"), [("battery-health", "verdicts"), ("battery-health", "certificates")])
def test_vehicles_are_in_the_order_of_their_names(kind: ReportKind, table: str, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    made.fill(open_lake(settings), NAMES, days=3)
    found = report(kind, open_data(open_lake(settings), settings, now=end_of(3)))
    rows = next(each.rows for each in found.tables if each.name == table)
    assert rows["label"].unique(maintain_order=True).to_list() == IN_ORDER
