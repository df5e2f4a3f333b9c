"""What axe-core, the accessibility checker, finds on a page; npm unpacks it into `.cache` from the locked version."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

_LOCKED = Path(__file__).parent / "axe"
_UNPACKED = Path(__file__).parents[2] / ".cache" / "axe"


@cache
def axe() -> str:
    """Return the checker's script; skip the test where npm is missing."""
    script = _UNPACKED / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        _unpack()
    return script.read_text(encoding="utf-8")


def _unpack() -> None:
    if not shutil.which("npm"):
        pytest.skip("no npm, which serves the accessibility checker")
    _UNPACKED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_LOCKED / name, _UNPACKED / name)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=_UNPACKED, check=True, capture_output=True)


def serious_findings(page: Page) -> list[str]:
    """Return each finding that axe-core calls serious or critical: its rule, and the elements that it is about."""
    page.evaluate(axe())
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((result) => result.violations)")
    return [
        f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
