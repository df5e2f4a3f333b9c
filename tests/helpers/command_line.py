"""The command line as a process of its own; the one runner of all tests."""

import os
import subprocess
import sys
from pathlib import Path


def voltrail(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `voltrail` with these words in this folder, and no VOLTRAIL_ variable but these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VOLTRAIL_")}
    return subprocess.run(
        [sys.executable, "-m", "voltrail", *words],
        cwd=folder,
        env={**kept, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
