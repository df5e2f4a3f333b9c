"""Documents of each vendor, made up in the form of real ones, and exactly the rows that they make."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from logger.decode.result import DecodeResult
from logger.envelope import Envelope
from tests.helpers.segway_pushes import decode_all
from tests.helpers.source_kits import KITS, account_of

FOLDER = Path(__file__).parents[2] / "cases"
CASES = sorted(path for kit in KITS for path in (FOLDER / kit).glob("*.json"))
ORIGIN = {"provider", "received_at", "via", "sequence", "message", "source", "path", "body"}


def decode_case(case: Mapping[str, Any], provider: str, body: bytes | None = None) -> DecodeResult:
    """The result of decoding the document of this case, or these bytes in its place."""
    account = account_of(provider, unknown_vehicles="accept")
    received_ms = int(datetime.fromisoformat(case["received_at"]).timestamp() * 1000)
    if body is None:
        body = (case.get("text") or json.dumps(case["body"])).encode()
    message = Envelope(account.name, case["path"], received_ms, case["via"], body, case.get("vehicle", ""))
    return decode_all(message, sources={account.name: account})


def plain_rows(result: DecodeResult) -> dict[str, list[dict[str, Any]]]:
    """The rows by table, without what is null and where they come from."""
    return {name: sorted(map(_plain, rows.to_dicts()), key=str) for name, rows in sorted(result.rows.items())}


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_columns(row))


def _columns(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if value is not None and name not in ORIGIN:
            yield name, value.isoformat() if isinstance(value, datetime) else value


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_document_makes_exactly_these_rows(path: Path) -> None:
    case = json.loads(path.read_text())
    assert plain_rows(decode_case(case, path.parent.name)) == case["rows"]


@pytest.mark.parametrize("kit", [name for name in KITS if name != "segway"])
def test_each_vendor_has_cases(kit: str) -> None:
    assert len([path for path in CASES if path.parent.name == kit]) >= 5
