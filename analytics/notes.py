"""Notes of what was made of which files, so that only what changed is made anew."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logger.atomic import write_file
from logger.stores.lake.data_files import DataFile


def mark(files: Sequence[DataFile]) -> str:
    """What tells one state of a day's files from another; a compaction counts as one, which costs a little work."""
    return digest(*sorted(file.uri.rpartition("/")[2] for file in files))


def digest(*texts: str) -> str:
    """A short text that differs where these do."""
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=12).hexdigest()


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
