"""Tables never contradict each other, of whatever vehicles: situations, a simulated fleet, real recordings."""

from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl
import pytest

from logger.settings.schema import Settings
from tests.analytics import recorded
from tests.analytics.contradictions import CONTRADICTIONS
from tests.analytics.driven import driven, located, stored
from tests.cases.reports.checks import Tables
from tests.cases.reports.engine import Wish, analyze
from tests.cases.reports.every import SITUATIONS
from tests.cases.reports.fleet import DERIVED_NAMES, Fleet
from tests.conftest import SHARED
from tests.score.scenarios import SCENARIOS, case, stories

VEHICLES, DAYS = 3, 4
Temporary = pytest.TempPathFactory


@pytest.fixture(scope="module")
def situations(reported: dict[str, Tables]) -> Tables:
    """All situations together, with the top speeds that settings know."""
    tables = {name: pl.concat(each[name] for each in reported.values()) for name in DERIVED_NAMES}
    tops = top_speeds(each.settings for each in SITUATIONS.values())
    return {**tables, "trips": tables["trips"].join(tops, on="vehicle", how="left")}


def top_speeds(settings: Iterable[Settings]) -> pl.DataFrame:
    """What settings tell of vehicles: `vehicle`, `top_speed_kmh`."""
    rows = [
        {"vehicle": name, "top_speed_kmh": each.models[vehicle.model].top_speed_kmh}
        for each in settings
        for name, vehicle in each.vehicles.items()
        if vehicle.model
    ]
    return pl.DataFrame(rows, schema={"vehicle": pl.String(), "top_speed_kmh": pl.Float64()})


def made_of(folder: Path, *parts: dict[str, pl.DataFrame]) -> Tables:
    """What analyses make of these rows of raw tables."""
    fleet = Fleet(folder, [])
    fleet.write(parts)
    analyze(fleet.settings, Wish())
    return fleet.tables(DERIVED_NAMES)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: Temporary) -> Tables:
    """Mopeds that obey physics, with a tenth of their messages lost and a collector that is away 120 times."""
    rows = case(SCENARIOS[2], stories(VEHICLES, DAYS), DAYS).rows
    return made_of(tmp_path_factory.mktemp("simulated"), dict(rows))


@pytest.fixture(scope="module")
def ridden(tmp_path_factory: Temporary) -> Tables:
    """Two mopeds ridden by the minute, one of them carried by a van."""
    rows = [*driven("a", 6, 9.5, 23.98, 105.3), *driven("b", 6, 33.3, 120.7)]
    places = list(located(rows, a=(60, 3000)))
    told = {"status": stored(rows), "location": stored(places, 1, "location")}
    return made_of(tmp_path_factory.mktemp("ridden"), told)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: Temporary) -> Tables:
    """Real rides and charges, thinned to a row a second."""
    folder = SHARED / "data"
    found = recorded.situations(folder)
    if not found:
        pytest.skip(f"no recordings: {folder / 'rides'} and {folder / 'recordings'} are not there")
    return made_of(tmp_path_factory.mktemp("recordings"), *map(recorded.frames, found))


_TOGETHER = pytest.mark.xdist_group("situations")
SOURCES = (pytest.param("situations", marks=_TOGETHER), "simulated", "ridden", "recordings")


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
@pytest.mark.parametrize("source", SOURCES)
def test_tables_do_not_contradict_each_other(request: pytest.FixtureRequest, source: str, contradiction: str) -> None:
    find: Callable[[Tables], pl.DataFrame] = CONTRADICTIONS[contradiction]
    found = find(request.getfixturevalue(source))
    assert found.is_empty(), f"{(find.__doc__ or '').splitlines()[0]}\n{found}"
