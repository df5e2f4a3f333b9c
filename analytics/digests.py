"""Short texts that tell one state of rows or files from another."""

import hashlib
from collections.abc import Sequence

from logger.stores.lake.data_files import DataFile


def mark(files: Sequence[DataFile]) -> str:
    """What tells one state of a day's files from another; a compaction counts as one, which costs a little work."""
    return digest(*sorted(file.uri.rpartition("/")[2] for file in files))


def digest(*texts: str) -> str:
    """A short text that differs where these do."""
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=12).hexdigest()
