"""The page docs/dashboards.md is fresh, and names every panel with its question and its query."""

from dashboards.catalogue import pages
from tests.dashboards import document


def test_the_page_is_fresh() -> None:
    assert document.PATH.read_text(encoding="utf-8") == document.text(), (
        "docs/dashboards.md is stale: run `make reference`"
    )


def test_the_page_has_every_panel_with_its_question_and_its_queries() -> None:
    text = document.PATH.read_text(encoding="utf-8")
    for page in pages().values():
        for panel in page.panels:
            assert f"**{panel.title}** – {panel.question}" in text
            assert all(query.text in text for query in panel.queries)
