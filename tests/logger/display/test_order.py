"""Names in the order that people expect."""

import polars as pl
import pytest

from logger.display.order import natural


@pytest.mark.parametrize(
    "names",
    [
        ["Moped 1", "Moped 2", "Moped 3", "Moped 10", "Moped 11"],
        ["2 b", "10 a", "a", "a 1 b 2", "a 1 b 10", "a 02 b 1"],
        ["860000000000009", "860000000000010", "860000000100001"],
        ["", "$1", "B-EV 9", "B-EV 10", "é"],
    ],
)
def test_numbers_in_names_count_as_numbers(names: list[str]) -> None:
    rows = pl.DataFrame({"label": names[::-1]})
    assert rows.sort(natural("label"))["label"].to_list() == names
