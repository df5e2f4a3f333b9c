"""Of a document of many values, those that tables read."""

import pytest

from logger.sources.picking import pick, tree_of


def test_only_what_is_wanted_is_picked_by_its_whole_path() -> None:
    tree = tree_of(["a", "b.c", "b.d.e", "f"])
    assert pick(tree, {"a": 1, "b": {"c": "2", "x": 3, "d": {"e": False}}, "g": 4}) == {
        "a": 1,
        "b.c": "2",
        "b.d.e": False,
    }


@pytest.mark.parametrize("document", [{"b": None}, {"b": 7}, {"b": []}, {"b": {"c": {}}}, {"b": {"c": [1]}}, {}])
def test_what_has_another_shape_than_it_should_is_left_aside(document: dict[str, object]) -> None:
    assert pick(tree_of(["b.c"]), document) == {}


def test_of_a_path_and_one_below_it_the_shorter_one_is_picked() -> None:
    assert pick(tree_of(["a.b", "a"]), {"a": 1}) == {"a": 1}
