"""Of a document of many values, those that tables read."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger.sources.picking import Picker

PATHS = ("a", "b.c", "b.d.a", "c.b", "d")
NAMES = st.sampled_from(("a", "b", "c", "d", "e"))
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
DOCUMENTS = st.recursive(
    LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below), max_leaves=30
)


def value_at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def test_only_what_is_wanted_is_picked_by_its_whole_path() -> None:
    picker = Picker(["a", "b.c", "b.d.e", "f"])
    assert picker.read(b'{"a": 1, "b": {"c": "2", "x": 3, "d": {"e": false}}, "g": 4}') == {
        "a": 1,
        "b.c": "2",
        "b.d.e": False,
        "f": None,
    }


@given(DOCUMENTS)
def test_a_document_of_any_form_has_the_values_that_are_at_these_paths(document: Any) -> None:
    found = Picker(PATHS).read(msgspec.json.encode(document))
    assert found == {path: value_at(document, path) for path in PATHS}


def test_of_a_path_and_one_below_it_the_shorter_one_is_picked() -> None:
    assert Picker(["a.b", "a"]).read(b'{"a": 1}')["a"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"<html>", b'{"a": 1} x'])
def test_what_is_no_json_is_an_error(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        Picker(PATHS).read(body)


def test_a_number_of_any_size_is_read() -> None:
    found = Picker(["a.b", "c"]).read(json.dumps({"a": 10**40, "c": 10**40}).encode())
    assert found["a.b"] is None
