"""Write docs/dashboards.md."""

from tests.dashboards import document

document.PATH.write_text(document.text(), encoding="utf-8")
print(document.PATH)
