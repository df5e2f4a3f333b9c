"""Tables, numbers and names as commands print them."""

import errno
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger.commands.output import (
    Styled,
    Table,
    format_count,
    format_duration,
    format_size,
    one_line,
    plain_lines,
    report_failure,
    table_of,
)
from logger.printable import printable


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device: the disk is full: make space"),
        (
            OSError(errno.EROFS, "Read-only file system", "d/x.lock"),
            "d/x.lock: Read-only file system: this user may not",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "d/\x1b[2J"),
            r"d/\x1b[2J: Permission denied: this user may",
        ),
        (OSError(errno.EIO, "Input/output error", "d"), "d: Input/output error: --debug shows where"),
        (ValueError("odd"), "ValueError: odd (--debug shows where)"),
    ],
)
def test_a_failure_that_no_command_expects_is_a_line_with_what_to_do(
    error: Exception, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, debug=False) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"voltrail: {text}")
    assert said.count("\n") == 1


class Record(msgspec.Struct, frozen=True):
    name: str
    rows: int


def test_columns_are_as_wide_as_their_widest_cell_and_numbers_align_right() -> None:
    table = table_of([Record("status", 1234567), Record("pack", 8)], ("table", "rows"))
    assert list(plain_lines([table])) == [
        "table        rows",
        "status  1,234,567",
        "pack            8",
    ]


def test_a_column_of_text_aligns_right_where_it_is_named() -> None:
    table = Table(("vehicle", "age"), [("a", "19 h"), ("bc", "3 min")], right=("age",))
    assert list(plain_lines([table])) == ["vehicle    age", "a         19 h", "bc       3 min"]


def test_an_empty_cell_is_a_dash_below_headers_and_blank_without_them() -> None:
    assert list(plain_lines([Table(("a", "b"), [("", "x")])])) == ["a  b", "-  x"]
    assert list(plain_lines([Table((), [("ok", "x"), ("", Styled("y", "red"))])])) == ["ok  x", "    y"]


def test_a_table_without_rows_is_its_headers() -> None:
    assert list(plain_lines([Table(("a", "b"), [])])) == ["a  b"]
    assert list(plain_lines([Table((), [])])) == []


TEXT = st.text(min_size=1).filter(lambda text: "\\" not in text)


@given(st.lists(st.tuples(TEXT, TEXT), min_size=1))
def test_any_table_splits_into_its_cells(rows: list[tuple[str, str]]) -> None:
    _, *lines = plain_lines([Table(("left", "right"), rows)])
    cells = [[cell.replace(r"\x20", " ") for cell in re.split(r"  +", line)] for line in lines]
    assert cells == [[printable(left), printable(right)] for left, right in rows]


@given(st.text())
def test_printable_text_is_printable_and_text_that_is_so_already_is_left_alone(text: str) -> None:
    assert printable(text).isprintable()
    assert (printable(text) == text) == text.isprintable()


@pytest.mark.parametrize(
    ("raw", "escaped"),
    [
        ("Zoë – 7", "Zoë – 7"),
        ("a\x1b[31m", r"a\x1b[31m"),
        ("a\rb\nc\td", r"a\rb\nc\td"),
        ("\u202eab", r"\u202eab"),
        ("\x9b\x7f", r"\x9b\x7f"),
        ("\udcff", r"\udcff"),
        ("a\u2028b\ufeff", r"a\u2028b\ufeff"),
    ],
)
def test_controls_are_escaped_and_letters_are_not(raw: str, escaped: str) -> None:
    assert printable(raw) == escaped


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (119, "119 s"), (180, "3 min"), (7199, "120 min"), (7200, "2 h"), (68_400, "19 h"), (172_800, "2 d")],
)
def test_a_duration_is_in_the_largest_unit_of_which_there_are_two(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_counts_and_sizes_have_separators() -> None:
    assert [format_count(n, "error") for n in (0, 1, 2000)] == ["0 errors", "1 error", "2,000 errors"]
    assert [format_size(n) for n in (100_000, 10_000_000_000, 10**18)] == ["0.1 MB", "10.0 GB", "1,000,000,000.0 GB"]


def test_one_line_joins_lines_and_leaves_other_controls_to_be_escaped() -> None:
    assert one_line(" a  b\r\n  c\n\n d\re ") == "a b c d\re"
