"""Every field of the fact sheet is read, or the source's document says why not."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import SHARED

SHEET = SHARED / "facts" / "vendors.md"
SOURCES = Path(__file__).parents[3] / "logger" / "sources"
# The sections that list fields, and the folders that read them or say why not.
SECTIONS: Sequence[tuple[str, tuple[str, ...]]] = (
    *((title, ("smart",)) for title in ("A.6", "A.8", "A.9")),
    ("B.1", ("saic_gateway",)),
    ("B.2", ("saic", "saic_gateway")),  # which read the same charging data
    *((title, ("smartcar",)) for title in ("C.2", "C.4")),
    *((title, ("hiven",)) for title in ("D.1", "D.2")),
    ("E.1", ("segway",)),
)
# What these sections name besides: of requests, pages, envelopes and lists; and parts of names written in short.
OTHERS = {
    *("pageIndex", "pageSize", "sortField", "totleSize", "totalTrips", "rowCount", "columnCount"),
    *("deliveredAt", "deliveryId", "deliveryTime", "docURL", "webhookId", "webhookName", "signalCount", "vehicleId"),
    *("skipCooldown", "ptcHeat", "realTimeLocation"),
    "bmsPackCrntV",  # the flag of `bmsPackCrnt`: it is read as its name and V
    "frontRrightTyrePressure",  # of an older interface
    "drivingBehaviourStatus",  # an object
}
_FIELD = re.compile(r"(?<![\w/])(?:[a-z]+[A-Z][A-Za-z0-9]*|[a-z]+-[a-z-]*[a-z])")
_BEGIN = re.compile(r"([A-Za-z]{6,})[…{]")  # `tyreStatus…` of a document, `tyreStatus{place}` of a table


def fields(title: str) -> set[str]:
    """The names of fields in this section: in camel case, or in the first column of a table of signals."""
    found = re.search(
        rf"^### {re.escape(title)} .*?(?=^##)", SHEET.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found
    lines = [line for line in found[0].splitlines() if title != "E.1" or re.search(r"\| (query|push) \|", line)]
    cells = [line.split("|")[1] for line in lines if line.startswith("|")]
    names = {name for line in lines for name in _FIELD.findall(line) if "-" not in name}
    return names | {name for cell in cells for name in _FIELD.findall(cell)} - OTHERS


def _text(folders: Sequence[str]) -> str:
    paths = [path for folder in folders for path in (SOURCES / folder).iterdir() if path.suffix in (".py", ".md")]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


@pytest.mark.parametrize(("title", "folders"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_every_field_of_the_fact_sheet_is_read_or_said_to_be_left_out(title: str, folders: Sequence[str]) -> None:
    if not SHEET.is_file():
        pytest.skip(f"no fact sheet to compare with: {SHEET} is not there")
    text = _text(folders)
    begins = tuple(_BEGIN.findall(text))
    found = fields(title) - OTHERS
    assert found
    assert [name for name in sorted(found) if name not in text and not name.startswith(begins)] == []
