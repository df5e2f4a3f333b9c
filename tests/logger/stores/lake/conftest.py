"""A lake in an empty folder."""

from pathlib import Path

import pytest

from logger.stores.lake.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"), "log-1")
