"""Every page by its file name."""

from pathlib import Path

from tests.reference import commands_page, metrics_page, settings_page, signals_page, sources_page, tables_page

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
HEAD = "<!-- Generated from the code by `make reference`: change the code, not this page. -->\n\n"


def pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    texts = {
        "tables.md": tables_page.text(),
        "signals.md": signals_page.text(),
        "sources.md": sources_page.text(),
        "settings.md": settings_page.text(),
        "metrics.md": metrics_page.text(),
        "commands.md": commands_page.text(),
    }
    return {name: HEAD + text.strip() + "\n" for name, text in texts.items()}
