"""What tests of analyses share: situations of real fleets, analysed once."""

import pytest

from tests.cases.reports.checks import Tables
from tests.cases.reports.every import SITUATIONS
from tests.cases.reports.fleet import analysed


@pytest.fixture(scope="session")
def reported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tables]:
    """What tables say of each situation, by its name: all vehicles side by side in one lake."""
    return analysed(tmp_path_factory.mktemp("reports"), list(SITUATIONS.values()))
