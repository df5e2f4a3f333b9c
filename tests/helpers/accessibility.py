"""What axe-core, the accessibility checker, finds on a page; npm unpacks it into `.cache` from the locked version."""

import contextlib
import shutil
import subprocess
import tempfile
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
    """In a folder of its own, which is moved when it is whole: tests in other processes unpack at the same time."""
    if not shutil.which("npm"):
        pytest.skip("no npm, which serves the accessibility checker")
    _UNPACKED.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_UNPACKED.parent) as folder:
        own = Path(shutil.copytree(_LOCKED, Path(folder) / "axe"))
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=own, check=True, capture_output=True)
        with contextlib.suppress(OSError):  # another process was faster
            own.rename(_UNPACKED)


def serious_findings(page: Page) -> list[str]:
    """Return each finding that axe-core calls serious or critical: its rule, and the elements that it is about."""
    page.evaluate(axe())
    found: list[dict[str, Any]] = page.evaluate("axe.run().then((result) => result.violations)")
    return [
        f"{each['id']}: {each['help']}: {[node['target'] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
