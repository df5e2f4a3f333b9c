"""`make contact-sheet`: one page with a picture of every panel, drawn from the demo's data in a real InfluxDB."""

import html
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from dashboards.catalogue import pages
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel
from logger.stores.influx.client import InfluxClient
from tests.dashboards.answers import Result, result
from tests.dashboards.chosen import Demo
from tests.dashboards.demo_store import fill
from tests.dashboards.pictures import photograph, picture
from tests.helpers.influx_server import running_server

FOLDER = Path(__file__).parents[2] / ".cache" / "contact-sheet"
DOCS = Path(__file__).parents[2] / "docs" / "dashboards"
IN_README = (("timeline", "States"), ("consumption", "By temperature"), ("fleet", "Energy"))
_VEHICLES, _DAYS = 12, 7
_HEAD = """<!doctype html><meta charset="utf-8"><title>Contact sheet of the dashboards</title>
<style>body{font:13px sans-serif;margin:16px}section{display:flex;flex-wrap:wrap;gap:12px}
article{border:1px solid #ddd;padding:8px;max-width:560px;overflow:hidden}h3{margin:0}.figure{font-size:28px;margin:8px}
table{border-collapse:collapse;font-size:11px}td,th{border:1px solid #ddd;padding:1px 5px;text-align:left}
p.q{color:#666;margin:2px 0 6px}</style><h1>Drawn from the demo</h1>"""


def sheet(demo: Demo) -> Iterator[tuple[str, str]]:
    """Yield a page of pictures for each dashboard, with its name."""
    for name, page in pages().items():
        yield name, _HEAD + f"<h2>{html.escape(page.title)}</h2><section>{''.join(_cards(page, demo))}</section>"


def _cards(page: Page, demo: Demo) -> Iterator[str]:
    for panel, found in _results(page, demo):
        head = f'<h3>{html.escape(panel.title)}</h3><p class="q">{html.escape(panel.question)}</p>'
        note = f"<p>Empty so far: {html.escape(panel.empty)}</p>" if panel.empty else ""
        yield f"<article>{head}{picture(panel, found)}{note}</article>"


def _results(page: Page, demo: Demo) -> Iterator[tuple[Panel, Result]]:
    for panel in page.panels:
        found = [result(panel, view, demo.client, demo.database) for view in demo.views(page)]
        yield panel, max(found, key=_size)


def _size(found: Result) -> int:
    return sum(value is not None for points in found.series.values() for _, value in points) + len(found.rows)


def main() -> None:
    """Fill a database, and write the sheet and the pictures of the README."""
    with tempfile.TemporaryDirectory() as folder, running_server() as server, server.database() as name:
        fill(Path(folder), server.settings(name), _VEHICLES, _DAYS)
        with closing(InfluxClient(server.settings(name))) as client:
            demo = Demo(client, name)
            write(list(sheet(demo)), demo)


def write(sheets: Sequence[tuple[str, str]], demo: Demo) -> None:
    """Write these pages, and the pictures of the README."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    DOCS.mkdir(parents=True, exist_ok=True)
    for name, text in sheets:
        path = FOLDER / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        print(path)
    for name, title in IN_README:
        page = pages()[name]
        panel, found = next((panel, found) for panel, found in _results(page, demo) if panel.title == title)
        (DOCS / f"{name}.png").write_bytes(photograph(panel, found))


if __name__ == "__main__":
    main()
