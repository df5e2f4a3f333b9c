"""`voltrail poll --once` against a simulated cloud: ask, store, print."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import voltrail
from logger.errors import LoggerError
from logger.settings.load import load_settings
from logger.simulator.cloud.cloud import Cloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import fleet
from logger.stores import open_lake

START, VEHICLES = 1_790_000_000, ("860000000000001", "860000000000002")


class Clouded:
    """A cloud, and a folder with settings that name it."""

    def __init__(self, folder: Path, serving: CloudServer, cloud: Cloud) -> None:
        self.cloud, self.file = cloud, folder / "voltrail.toml"
        (folder / "city.secret").write_text("simulated-secret")
        self.file.write_text(
            f'[[sources]]\nkind = "segway"\nname = "city"\nclient_id = "A00000"\nclient_secret_file = "city.secret"\n'
            f'base_url = "{serving.base_url}"\nvehicles = {list(VEHICLES)}\n'
        )

    def poll(self, *words: str) -> Result:
        return CliRunner().invoke(voltrail.app, ["poll", *words, "--config", str(self.file)])

    def rows(self, table: str) -> int:
        return int(open_lake(load_settings(self.file)).scan(table).collect().height)


@pytest.fixture
def clouded(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clouded]:
    mishaps = getattr(request, "param", ())
    cloud = Cloud(fleet(2, 7, START, 1), lambda: START + DAY_S / 2, "A00000", "simulated-secret", failures=mishaps)
    with CloudServer(cloud) as serving:
        yield Clouded(tmp_path, serving, cloud)


def test_each_query_of_each_vehicle_is_made_and_the_answers_are_stored(clouded: Clouded) -> None:
    done = clouded.poll("--once")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 8
    assert clouded.rows("status") == 2
    assert clouded.rows("battery") == clouded.rows("body") == 2
    assert clouded.rows("pack") >= 2
    assert not clouded.cloud.forbidden


def test_one_vehicle_may_be_named_and_the_outcomes_are_json_for_programs(clouded: Clouded) -> None:
    told = json.loads(clouded.poll("--once", "--json", "--vehicle", VEHICLES[1]).stdout)
    assert {each["vehicle"] for each in told} == {VEHICLES[1]}
    assert {each["query"] for each in told} == {"status-query", "location-query", "extra-status", "battery-info"}


@pytest.mark.parametrize("clouded", [(Failure("http", "battery-info", code=500, count=0),)], indirect=True)
def test_a_failed_query_is_an_error_and_the_other_answers_are_stored(clouded: Clouded) -> None:
    done = clouded.poll("--once")
    assert isinstance(done.exception, LoggerError)
    assert "2 of 8 queries got no answer: city: the cloud answers HTTP 500" in str(done.exception)
    assert (clouded.rows("status"), clouded.rows("battery")) == (2, 0)


@pytest.mark.parametrize(
    "clouded",
    [(Failure("html", "status"), Failure("wrong_types", "battery-info"), Failure("other_vehicle", "status"))],
    indirect=True,
)
def test_nothing_is_stored_wrong(clouded: Clouded) -> None:
    clouded.poll("--once")
    assert clouded.rows("status") == 0
    reasons = open_lake(load_settings(clouded.file)).scan("quarantine").collect()["reason"].to_list()
    assert any("not JSON" in reason for reason in reasons)
    assert any("another vehicle" in reason for reason in reasons)


def test_a_vehicle_of_no_account_is_an_error_that_names_it(clouded: Clouded) -> None:
    done = clouded.poll("--once", "--vehicle", "ghost")
    assert "no account lists the vehicle 'ghost'" in str(done.exception)
