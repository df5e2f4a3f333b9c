"""How charts of reports are drawn."""

import polars as pl
import pytest

from dashboards.reports import charts


@pytest.mark.parametrize(
    ("values", "least"),
    [
        ([0.1, 3.0], 0),
        ([0.0, 9.0], 0),
        ([0.2, 30.0], 0),
        ([50.0, 60.0], None),
        ([-5.0, 20.0], None),
        ([4.0, 4.0], None),
    ],
)
def test_an_axis_of_amounts_does_not_begin_below_zero(values: list[float], least: int | None) -> None:
    rows = pl.DataFrame({"efc": values, "soh": 90.0, "low": 85.0, "high": 95.0, "pack": "1"})
    chart = charts.series("n", rows, "efc", "soh", ("low", "high"), "pack", ("full cycles", "%"))
    for drawn in (chart.wide, chart.narrow):
        scales = [layer["encoding"]["x"]["scale"] for layer in drawn["layer"]]
        assert {scale.get("domainMin") for scale in scales} == {least}
