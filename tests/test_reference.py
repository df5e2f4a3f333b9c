"""The pages of `docs/reference/` say what the code says, and the pictures of `docs/analytics/` show what it finds."""

import pytest

from analytics.engine.registry import ANALYSES, OF_FLEETS
from logger.tables import DERIVED
from tests.reference import pictures
from tests.reference.pages import FOLDER, pages

PAGES = pages()
PICTURES = pictures.pictures()
MOST_BYTES = 60_000


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_fresh(name: str) -> None:
    path = FOLDER / name
    assert path.is_file(), f"docs/reference/{name} is missing: run `make reference`"
    assert path.read_text(encoding="utf-8") == PAGES[name], f"docs/reference/{name} is stale: run `make reference`"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_fresh_and_small(name: str) -> None:
    path = pictures.FOLDER / name
    assert path.is_file(), f"docs/analytics/{name} is missing: run `make reference`"
    assert path.read_text(encoding="utf-8") == PICTURES[name](), f"docs/analytics/{name} is stale: run `make reference`"
    assert path.stat().st_size <= MOST_BYTES


def test_every_analysis_is_named_by_the_table_that_it_fills() -> None:
    tables = {name: each.table or name for name, each in ANALYSES.items()} | {name: name for name in OF_FLEETS}
    for name, table in tables.items():
        assert name in DERIVED[table].source.strip("`").split(), f"{name} fills {table}"
