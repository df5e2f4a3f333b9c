"""A spool; and for replays two days under old rules, and their tables under new ones."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from logger.settings.schema import Settings
from logger.spool.log import Spool
from tests.helpers.data_folder import (
    NEW,
    OLD,
    TWO_DAYS,
    Tables,
    append_messages,
    deliver_all,
    make_settings,
    read_tables,
)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path)) as spool:
        yield spool


@pytest.fixture
def new_tables(tmp_path: Path) -> Tables:
    """The tables of two days that were delivered under the new rules."""
    settings = make_settings(tmp_path / "always", NEW)
    append_messages(settings, *TWO_DAYS)
    deliver_all(settings)
    return read_tables(settings)


@pytest.fixture
def changed_settings(tmp_path: Path) -> Settings:
    """Settings with the new rules, of a folder whose two days were delivered under the old ones."""
    settings = make_settings(tmp_path / "data", OLD)
    append_messages(settings, *TWO_DAYS[:7])
    deliver_all(settings)
    append_messages(settings, *TWO_DAYS[7:])
    deliver_all(settings)
    return make_settings(tmp_path / "data", NEW)
