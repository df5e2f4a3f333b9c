"""What all tests share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture
def rides() -> Path:
    """The folder of real recordings; they stay outside the project."""
    folder = SHARED / "data" / "rides"
    if not folder.is_dir():
        pytest.skip(f"no recordings: {folder} is not there")
    return folder
