"""Stores side by side, by the command line: copied, compared, rolled up, followed."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from logger.settings.load import load_settings
from logger.settings.schema import InfluxSettings
from logger.stores import open_lake
from logger.stores.compare import COMPARED_TABLES
from logger.stores.influx.influx import Influx
from logger.tables import TABLES
from tests.end_to_end.test_influx_sink import sink
from tests.helpers.command_line import voltrail

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Setup:
    """Settings with both stores, filled by imports; commands run as a user runs them."""

    def __init__(self, folder: Path, influx: InfluxSettings) -> None:
        self._folder, self._numbers = folder, iter(range(100))
        self.file = folder / "voltrail.toml"
        self.file.write_text('[collector]\ndata_dir = "data"\n' + sink(influx, folder))
        self.settings = load_settings(self.file)
        self.lake = open_lake(self.settings)
        self.influx = Influx(influx)

    def run(self, *words: str, code: int = 0) -> str:
        done = voltrail(self._folder, *words)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout if code == 0 else done.stdout + done.stderr

    def take(self, *rows: tuple[datetime, str, float]) -> None:
        path = self._folder / f"{next(self._numbers)}.csv"
        records = [{"time": at.isoformat(), "vehicle": vehicle, "soc_pct": soc} for at, vehicle, soc in rows]
        pl.DataFrame(records).write_csv(path)
        self.run("import", str(path))

    def assert_same(self) -> None:
        for name in COMPARED_TABLES:
            there, here = (store.scan(name).sort(TABLES[name].key).collect() for store in (self.lake, self.influx))
            assert_frame_equal(there, here)


@pytest.fixture
def setup(tmp_path: Path, influx: InfluxSettings) -> Iterator[Setup]:
    made = Setup(tmp_path, influx)
    with closing(made.influx):
        yield made


def three_days() -> list[tuple[datetime, str, float]]:
    return [(NOON + timedelta(days=n // 20, minutes=n), f"v{n % 4}", float(n)) for n in range(60)]


def test_an_import_reaches_both_stores_and_compare_says_so(setup: Setup) -> None:
    setup.take(*three_days())
    setup.assert_same()
    assert "hold the same number of rows" in setup.run("check", "--compare", "lake", "influx")


def test_what_one_store_lost_is_found_and_copied_from_the_other_and_back(setup: Setup) -> None:
    setup.take(*three_days())
    setup.influx.replace("status", pl.DataFrame(schema=TABLES["status"].schema), None, NOON, NOON + timedelta(days=1))
    printed = setup.run("check", "--compare", "lake", "influx", code=1)
    assert "2026-03-01" in printed
    assert "`voltrail copy` mends them" in printed
    copied = {
        each["table"]: each for each in json.loads(setup.run("copy", "--from", "lake", "--to", "influx", "--json"))
    }
    assert (copied["status"]["days"], copied["status"]["rows"], copied["status"]["same"]) == (1, 20, 2)
    setup.assert_same()
    held = setup.lake.scan("status").sort("time").collect()
    setup.lake.replace("status", held.clear(), None, NOON, NOON + timedelta(days=9))
    setup.run("copy", "--from", "influx", "--to", "lake")
    assert_frame_equal(setup.lake.scan("status").sort("time").collect(), held)


def test_a_span_is_copied_whatever_the_numbers_say(setup: Setup) -> None:
    setup.take(*three_days())
    wrong = setup.lake.scan("status", NOON, NOON + timedelta(hours=1)).collect().with_columns(soc_pct=pl.lit(99.0))
    setup.influx.write("status", wrong)
    assert "hold the same" in setup.run("check", "--compare", "lake", "influx")
    setup.run("copy", "--from", "lake", "--to", "influx", "--since", "2026-03-01", "--until", "2026-03-02")
    setup.assert_same()


def test_rollups_are_made_of_what_changed_and_reach_both_stores(setup: Setup) -> None:
    setup.take(*three_days())
    first = rolled(setup)
    assert first["status_1d"] == {"table": "status_1d", "days": 3, "rows": 12, "same": 0}
    assert rolled(setup)["status_5m"]["days"] == 0
    setup.take((NOON + timedelta(days=1, seconds=1), "v9", 50.0))
    assert rolled(setup)["status_1d"] == {"table": "status_1d", "days": 1, "rows": 5, "same": 2}
    setup.assert_same()
    assert setup.lake.scan("status_1d").select(pl.col("samples").sum()).collect().item() == 61


def rolled(setup: Setup) -> dict[str, dict[str, Any]]:
    return by_table(setup.run("rollup", "--json"))


def by_table(printed: str) -> dict[str, dict[str, Any]]:
    return {each["table"]: each for each in json.loads(printed)}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("copy", "--from", "lake", "--to", "inflx"), "no store 'inflx'; did you mean 'influx'?"),
        (("check", "--compare", "lake", "x"), "the settings have no store 'x'; they have: lake, influx"),
        (("copy", "--from", "lake", "--to", "lake"), "not from the lake to itself"),
    ],
)
def test_a_store_that_is_none_names_those_there_are(setup: Setup, words: tuple[str, ...], error: str) -> None:
    assert error in setup.run(*words, code=2)


def test_a_store_that_is_down_is_one_line(setup: Setup) -> None:
    setup.file.write_text(
        setup.file.read_text().replace(f'url = "{setup.influx.client.url}"', 'url = "http://127.0.0.1:9"')
    )
    printed = setup.run("check", "--compare", "lake", "influx", code=1)
    assert printed.strip().startswith("voltrail: InfluxDB at http://127.0.0.1:9 does not answer as it should")
    assert len(printed.strip().splitlines()) == 1
