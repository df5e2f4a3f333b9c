"""Certified rows beside those that are stored later: what changed is named, what came later does no harm."""

from pathlib import Path

import msgspec
import pytest

from logger.commands.certify.certificate import Inputs
from logger.commands.certify.compare_inputs import Comparison, compare_inputs
from logger.commands.certify.inputs import inputs_of
from tests.logger.commands.certify.rows import HOUR, Rows, changed, frames, lake_of, told

ROWS = told(range(0, 40, 4))  # five on 1 November, five on the day after


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs_of(frames(lake_of(tmp_path_factory.mktemp("lake"), ROWS)))


def compared(folder: Path, certified: Inputs, *parts: Rows) -> Comparison:
    return compare_inputs(frames(lake_of(folder, *parts)), certified)


def differing(comparison: Comparison) -> list[tuple[str, str]]:
    return [(each.what, each.detail) for each in comparison.findings if each.result == "differs"]


def new(comparison: Comparison) -> list[tuple[str, str]]:
    return [(each.what, each.detail) for each in comparison.findings if each.result == "new"]


def test_the_same_rows_hold(tmp_path: Path, certified: Inputs) -> None:
    comparison = compared(tmp_path, certified, ROWS)
    assert [each.result for each in comparison.findings] == ["same", "same"]
    assert comparison.findings[0].detail == "2 days, 10 rows"
    assert comparison.days_with_more == []


def test_a_changed_value_is_named_by_table_and_day(tmp_path: Path, certified: Inputs) -> None:
    comparison = compared(tmp_path, certified, changed(ROWS, 7, lambda row: row | {"soc_pct": row["soc_pct"] + 1}))
    assert differing(comparison) == [("status 2026-11-02", "5 rows, of other values than certified")]


def test_a_removed_row_and_a_removed_day_are_named(tmp_path: Path, certified: Inputs) -> None:
    assert differing(compared(tmp_path / "a", certified, ROWS[1:])) == [
        ("status 2026-11-01", "5 rows certified, 4 stored")
    ]
    assert differing(compared(tmp_path / "b", certified, ROWS[5:])) == [
        ("status 2026-11-01", "5 rows certified, none stored")
    ]


def test_days_that_come_later_and_rows_after_the_last_are_new(tmp_path: Path, certified: Inputs) -> None:
    comparison = compared(tmp_path, certified, ROWS, told([38, 50, 51, 75]))
    assert differing(comparison) == []
    assert new(comparison) == [
        ("status 2026-11-02", "1 row came later; 5 rows as certified"),
        ("status", "2 new days, 2026-11-03 to 2026-11-04: 3 rows"),
    ]
    assert comparison.days_with_more == ["2026-11-02", "2026-11-03", "2026-11-04"]


def test_a_table_that_was_not_there_is_new(tmp_path: Path, certified: Inputs) -> None:
    lake_of(tmp_path, told([1], soc_pct=None, port="1"), table="pack")
    assert new(compared(tmp_path, certified, ROWS)) == [("pack", "1 new day, 2026-11-01: 1 row")]


def test_rows_that_come_late_into_a_certified_day_are_new(tmp_path: Path, certified: Inputs) -> None:
    late = [row | {"received_at": row["received_at"] + 99 * HOUR} for row in told([1, 2])]
    comparison = compared(tmp_path, certified, ROWS, late)
    assert differing(comparison) == []
    assert new(comparison) == [("status 2026-11-01", "2 rows came later; 5 rows as certified")]


def test_a_changed_value_is_found_among_rows_that_come_late_and_however_late_it_is_said_to_be(
    tmp_path: Path, certified: Inputs
) -> None:
    late = [row | {"received_at": row["received_at"] + 99 * HOUR} for row in told([1, 2])]
    other = changed(ROWS, 1, lambda row: row | {"soc_pct": 1.0, "received_at": row["received_at"] + 99 * HOUR})
    for name, parts in {"late": [other, late], "alone": [other]}.items():
        assert [what for what, _ in differing(compared(tmp_path / name, certified, *parts))] == ["status 2026-11-01"]


@pytest.mark.parametrize(
    "other",
    [
        {"sha256": "0" * 64},
        {"first_at": ROWS[1]["time"]},
        {"last_at": ROWS[-1]["time"] + HOUR},
        {"tables": {}},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_certificate_whose_numbers_do_not_agree_with_its_days_does_not_hold(
    tmp_path: Path, certified: Inputs, other: dict[str, object]
) -> None:
    forged = msgspec.structs.replace(certified, **other)
    assert [what for what, _ in differing(compared(tmp_path, forged, ROWS))] == ["inputs"]


def test_a_source_that_no_row_is_from_does_not_hold(tmp_path: Path, certified: Inputs) -> None:
    forged = msgspec.structs.replace(certified, sources=[msgspec.structs.replace(certified.sources[0], via="poll")])
    assert differing(compared(tmp_path, forged, ROWS)) == [("sources", "no row is from segway by poll")]


def test_a_source_that_is_left_out_does_not_hold(tmp_path: Path) -> None:
    rows = changed(ROWS, 3, lambda row: row | {"via": "import"})
    certified = inputs_of(frames(lake_of(tmp_path, rows)))
    forged = msgspec.structs.replace(certified, sources=certified.sources[1:])
    assert [each.via for each in certified.sources] == ["import", "push"]
    assert differing(compared(tmp_path, forged)) == [("sources", "rows are from segway by import, which is left out")]


def test_a_receipt_later_than_that_of_any_row_does_not_hold(tmp_path: Path, certified: Inputs) -> None:
    forged = msgspec.structs.replace(certified, received_until=certified.received_until + HOUR)
    assert [what for what, _ in differing(compared(tmp_path, forged, ROWS))] == ["received_until"]


def test_rows_that_come_once_more_by_another_way_are_as_certified(tmp_path: Path, certified: Inputs) -> None:
    again = [row | {"via": "poll", "received_at": row["received_at"] + 99 * HOUR} for row in ROWS]
    comparison = compared(tmp_path, certified, ROWS, again)
    assert differing(comparison) == []
    assert [each.detail for each in comparison.findings if each.result == "moved"] == [
        "10 certified rows came once more"
    ]
