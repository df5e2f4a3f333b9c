"""What comes piece by piece is told as what comes at once, of every situation of the field."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from tests.cases.reports.engine import Wish, analyze
from tests.cases.reports.every import SITUATIONS
from tests.cases.reports.fleet import DERIVED_NAMES, Fleet, fleets
from tests.cases.reports.situations import Situation
from tests.cases.reports.story import Row

SEED, PARTS, LATE = 1, 4, 20  # a log comes in so many parts, or one in so many of its rows comes late
Pieces = list[list[Row]]
Cut = Callable[[Sequence[Row], random.Random], Pieces]

pytestmark = pytest.mark.long


def in_turn(rows: Sequence[Row], dice: random.Random) -> Pieces:
    """Parts of a log, one after the other, cut at random moments."""
    cuts = sorted(dice.randrange(len(rows) + 1) for _ in range(PARTS - 1))
    return [list(rows[begin:end]) for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)]


def late(rows: Sequence[Row], dice: random.Random) -> Pieces:
    """A log, and a piece of it that comes when all else is there."""
    begin = dice.randrange(len(rows))
    end = begin + max(1, len(rows) // LATE)
    return [[*rows[:begin], *rows[end:]], list(rows[begin:end])]


def told(folder: Path, situations: Sequence[Situation], pieces: Sequence[Pieces]) -> Fleet:
    """A fleet of these situations, analysed after each of their pieces."""
    fleet = Fleet(folder, situations)
    for parts in zip(*pieces, strict=True):
        fleet.write(each.frames(rows) for each, rows in zip(situations, parts, strict=True) if rows)
        analyze(fleet.settings, Wish())
    return fleet


def received(situation: Situation) -> list[Row]:
    """All rows in the order of their receipt."""
    return sorted([*situation.rows, *situation.late], key=lambda row: row.get("received_at", row["time"]))


@pytest.mark.parametrize("cut", [in_turn, late])
def test_tables_of_parts_are_those_of_the_whole_log(tmp_path: Path, cut: Cut) -> None:
    dice = random.Random(SEED)
    for place, each in enumerate(fleets(tmp_path / "none", list(SITUATIONS.values()))):
        rows = [received(situation) for situation in each.situations]
        whole = told(tmp_path / f"whole{place}", each.situations, [[some] for some in rows])
        parts = told(tmp_path / f"parts{place}", each.situations, [cut(some, dice) for some in rows])
        expected, found = whole.tables(DERIVED_NAMES), parts.tables(DERIVED_NAMES)
        for name in DERIVED_NAMES:
            assert_frame_equal(found[name], expected[name])
