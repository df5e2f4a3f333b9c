"""Form bodies read many at once have the same texts as bodies that are read one by one."""

from urllib.parse import quote_plus

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logger.decode import form_bodies

NAMES = ["a", "b", "a.b", "signature", "é", ""]
KEYS = st.sampled_from([*NAMES, "c", "_", "A", "a-b", "a b", "%", "1", "x" * 40])
VALUES = st.text("ab1 &=+%\n\x00é東\U0001f6f5", max_size=6)
PIECES = st.sampled_from(
    [b"a", b"b", b"=", b"&", b"+", b"%", b"%41", b"%C3%A9", b"%ff", b" ", b"\n", b"\xc3\xa9", b"\xff", b"1", b"."]
)
ENCODED = st.lists(st.tuples(KEYS, VALUES), max_size=5).map(
    lambda pairs: "&".join(f"{quote_plus(key)}={quote_plus(value)}" for key, value in pairs).encode()
)
PLAIN = st.lists(st.tuples(st.sampled_from(["a", "b", "a.b", "c"]), st.sampled_from(["", "1", "x=y", "é"])), max_size=5)
BODIES = st.one_of(
    PLAIN.map(lambda pairs: "&".join(f"{key}={value}" for key, value in pairs).encode()),
    ENCODED,
    st.lists(PIECES, max_size=10).map(b"".join),
    st.binary(max_size=12),
)


def expected_values(body: bytes) -> list[str | None]:
    """The texts of this body under `NAMES`, read by itself, and its problem."""
    try:
        fields = form_bodies.read_fields(body)
    except ValueError as error:
        return [*[None] * len(NAMES), f"not a form in UTF-8: {error}"]
    return [*map(fields.get, NAMES), None]


def read(bodies: list[bytes]) -> list[list[str | None]]:
    texts = form_bodies.read_texts(bodies, NAMES)
    assert texts.columns == [*NAMES, form_bodies.PROBLEM]
    assert set(texts.dtypes) == {pl.String()}
    return [list(row) for row in texts.iter_rows()]


@settings(deadline=None)
@given(st.lists(BODIES, max_size=20))
@example([b"a=1", b"a", b"a=2&", b"&a=3", b"a=4=5", b"a=6&a=7", b"", b"&", b"=", b"a=%"])
@example([b"b=1&a=2", b"a=1&b=2", b"a=1&b=2\n", b"a=1\n&b=2", b"aXb=1&b=2", b"a.b=1&b=2"])
@example([b"a.b=1", b"aXb=2", b"a.b=3"])
def test_many_at_once_read_like_expected(bodies: list[bytes]) -> None:
    assert read(bodies) == [expected_values(body) for body in bodies]


@settings(deadline=None)
@given(st.lists(PLAIN, min_size=1, max_size=8), st.integers(1, 5))
def test_layouts_may_alternate(layouts: list[list[tuple[str, str]]], turns: int) -> None:
    bodies = [
        "&".join(f"{key}={value}{turn}" for key, value in layout).encode()
        for turn in range(turns)
        for layout in layouts
    ]
    assert read(bodies) == [expected_values(body) for body in bodies]


def test_more_layouts_than_there_are_patterns_are_all_read() -> None:
    bodies = [f"{'b' * number}=0&a={number}".encode() for number in range(2, 30)] * 2
    assert form_bodies.read_texts(bodies, ["a"])["a"].to_list() == [f"{number}" for number in range(2, 30)] * 2


def test_no_bodies_make_no_rows_and_all_columns() -> None:
    assert read([]) == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"a=1&b=2", {"a": "1", "b": "2"}),
        (b"a=%2B1+2", {"a": "+1 2"}),
        (b"a=&b", {"a": "", "b": ""}),
        (b"a=x%26b%3Dy", {"a": "x&b=y"}),
        (b"a=1=2", {"a": "1=2"}),
        (b"&&a=1&", {"a": "1"}),
        (b"%C3%A9=%E6%9D%B1", {"é": "東"}),
        ("é=東".encode(), {"é": "東"}),
        (b"a=100%", {"a": "100%"}),
        (b"", {}),
    ],
)
def test_a_form_is_read_as_browsers_write_it(body: bytes, fields: dict[str, str]) -> None:
    assert form_bodies.read_fields(body) == fields


@pytest.mark.parametrize("body", [b"\xff", b"a=\xff", b"a=%ff", b"%c3=1", b"a=1&b=%E6%9D"])
def test_a_body_that_is_no_utf_8_has_a_problem_and_no_other_body_has(body: bytes) -> None:
    texts = form_bodies.read_texts([b"a=1", body, b"a=2"], ["a"])
    assert texts["a"].to_list() == ["1", None, "2"]
    problems = texts[form_bodies.PROBLEM].to_list()
    assert problems[::2] == [None, None]
    assert problems[1].startswith("not a form in UTF-8: 'utf-8' codec can't decode")
