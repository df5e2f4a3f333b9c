"""The pages of `docs/reference/` say what the code says."""

import pytest

from analytics.engine.registry import ANALYSES, OF_FLEETS
from logger.tables import DERIVED
from tests.reference.pages import FOLDER, pages

PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_reference_page_is_fresh(name: str) -> None:
    path = FOLDER / name
    assert path.is_file(), f"docs/reference/{name} is missing: run `make reference`"
    assert path.read_text(encoding="utf-8") == PAGES[name], f"docs/reference/{name} is stale: run `make reference`"


def test_every_analysis_is_named_by_the_table_that_it_fills() -> None:
    tables = {name: each.table or name for name, each in ANALYSES.items()} | {name: name for name in OF_FLEETS}
    for name, table in tables.items():
        assert name in DERIVED[table].source.strip("`").split(), f"{name} fills {table}"
