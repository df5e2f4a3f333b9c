"""A spool; and for replays two days under old rules, and how they look under new ones."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from logger.settings import schema
from logger.spool.log import Spool
from tests.helpers.data_folder import NEW, OLD, TWO_DAYS, Tables, feed, settings, tables, take


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def always(tmp_path: Path) -> Tables:
    """What two days look like under the new rules, had they always been there."""
    ours = settings(tmp_path / "always", NEW)
    take(ours, *TWO_DAYS)
    feed(ours)
    return tables(ours)


@pytest.fixture
def changed(tmp_path: Path) -> schema.Settings:
    """The new rules on a folder that was filled under the old ones."""
    old = settings(tmp_path / "data", OLD)
    take(old, *TWO_DAYS[:7])
    feed(old)
    take(old, *TWO_DAYS[7:])
    feed(old)
    return settings(tmp_path / "data", NEW)
