"""Notes of what was made of which files, so that only what changed is made anew."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logger.atomic import write_file


def read(path: Path) -> dict[str, Any]:
    """What was noted; empty where nothing was, or nothing that can be read."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def write(path: Path, made: Mapping[str, Any]) -> None:
    """Note this; a kill leaves what was noted before."""
    write_file(path, json.dumps(made).encode())
