"""`voltrail interval`: asks, writes once and only what is named, and says what each vehicle answered."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from logger.simulator.cloud.cloud import Cloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.serving import CloudServer
from tests.helpers.command_line import voltrail, voltrail_on_terminal
from tests.logger.sources.segway.kit import CLIENT, SECRET, cloud

FIRST, SECOND = "860000000000001", "860000000000002"
ALL = {
    "--location-unlocked": ("locationInterval", "unlockStatus", 10),
    "--location-locked": ("locationInterval", "lockStatus", 900),
    "--status-riding": ("statusInterval", "ridingStatus", 11),
    "--status-idle": ("statusInterval", "nonRiding", 60),
    "--status-locked": ("statusInterval", "lockStatus", 65_535),
}


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    servers: list[CloudServer] = []

    def start(*failures: Failure) -> Cloud:
        simulated = cloud(*failures)
        server = CloudServer(simulated)
        servers.append(server)
        server.__enter__()
        (tmp_path / "secret").write_text(SECRET)
        (tmp_path / "voltrail.toml").write_text(
            f'[[sources]]\nkind = "segway"\nname = "fleet"\nbase_url = "{server.base_url}"\nclient_id = "{CLIENT}"\n'
            f'client_secret_file = "secret"\nvehicles = ["{FIRST}", "{SECOND}"]\n\n'
            '[[sources]]\nkind = "saic-gateway"\nname = "mg"\nuser = "u"\npassword_file = "secret"\n'
        )
        return simulated

    yield start
    for server in servers:
        server.__exit__(None, None, None)


def test_each_of_the_five_values_is_written_under_the_vendors_name(serve: Any, tmp_path: Path) -> None:
    simulated = serve()
    words = [word for option, (_, _, seconds) in ALL.items() for word in (option, str(seconds))]
    done = voltrail(tmp_path, "interval", "fleet", *words, "--vehicle", FIRST, "--yes")
    assert (done.returncode, done.stdout.split()) == (0, [FIRST, "written"]), done.stderr
    expected: dict[str, dict[str, int]] = {}
    for group, name, seconds in ALL.values():
        expected.setdefault(group, {})[name] = seconds
    assert simulated.intervals == {FIRST: expected}


def test_only_what_is_named_is_written_to_every_vehicle_of_the_account_once(serve: Any, tmp_path: Path) -> None:
    simulated = serve()
    done = voltrail(tmp_path, "interval", "fleet", "--status-idle", "120", "--yes", "--json")
    assert json.loads(done.stdout) == [{"vehicle": each, "refusal": ""} for each in (FIRST, SECOND)]
    assert simulated.intervals == {each: {"statusInterval": {"nonRiding": 120}} for each in (FIRST, SECOND)}
    assert [count for (word, _), count in simulated.calls.items() if word == "interval"] == [1, 1]


def test_a_person_is_asked_and_may_say_no(serve: Any, tmp_path: Path) -> None:
    simulated = serve()
    words = ("interval", "fleet", "--location-locked", "900", "--status-riding", "10")
    code, shown = voltrail_on_terminal(tmp_path, *words, answers=["n"])
    assert (code, simulated.intervals) == (1, {})
    assert "Write to 2 vehicles: location locked 900 s, status riding 10 s? [y/N]:" in shown
    assert "nothing was written" in shown
    code, shown = voltrail_on_terminal(tmp_path, *words, "--vehicle", FIRST, answers=["y"])
    assert (code, list(simulated.intervals)) == (0, [FIRST]), shown


def test_where_nobody_can_be_asked_nothing_is_written(serve: Any, tmp_path: Path) -> None:
    simulated = serve()
    done = voltrail(tmp_path, "interval", "fleet", "--status-idle", "120")
    assert (done.returncode, "add --yes" in done.stderr, dict(simulated.calls)) == (2, True, {})


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["fleet"], "nothing to write: name a value"),
        (["fleet", "--status-riding", "9"], "greater than or equal to 10"),
        (["fleet", "--status-riding", "65536"], "less than or equal to 65535"),
        (["fleet", "--status-riding", "60", "--vehicle", "860000000000009"], "no vehicle '860000000000009'"),
        (["flee", "--status-riding", "60"], "did you mean 'fleet'"),
        (["mg", "--status-riding", "60"], "its vendor has no such setting"),
    ],
)
def test_a_wrong_use_is_named_and_nothing_is_sent(words: list[str], why: str, serve: Any, tmp_path: Path) -> None:
    simulated = serve()
    done = voltrail(tmp_path, "interval", *words, "--yes")
    assert (done.returncode, dict(simulated.calls)) == (2, {})
    assert why in " ".join(done.stderr.split())


def test_a_vehicle_without_the_setting_is_said_to_be_one_and_the_others_are_written(serve: Any, tmp_path: Path) -> None:
    simulated = serve()
    simulated.without_interval.add(FIRST)
    done = voltrail(tmp_path, "interval", "fleet", "--status-idle", "120", "--yes")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].split(maxsplit=1) == [FIRST, "not supported by this vehicle (code 15707)"]
    assert list(simulated.intervals) == [SECOND]
    assert "1 of 2 vehicles did not take it" in done.stderr


@pytest.mark.parametrize("kind", ["disconnect", "html", "http"])
def test_what_may_have_arrived_is_not_sent_again_but_said(kind: str, serve: Any, tmp_path: Path) -> None:
    simulated = serve(Failure(kind, path="interval", count=0))
    done = voltrail(tmp_path, "interval", "fleet", "--status-idle", "120", "--yes", "--vehicle", FIRST)
    assert (done.returncode, "whether it was written is not known" in done.stdout) == (1, True)
    assert simulated.calls["interval", FIRST] == 1
    assert "Traceback" not in done.stderr


def test_a_refused_login_ends_it_and_no_secret_is_shown(serve: Any, tmp_path: Path) -> None:
    simulated = serve(Failure("http", path="token", code=401, count=0))
    done = voltrail(tmp_path, "interval", "fleet", "--status-idle", "120", "--yes")
    assert (done.returncode, simulated.calls["interval", FIRST]) == (1, 0)
    assert len(done.stdout.splitlines()) == 1
    assert "check client_id, secret" in done.stdout
    assert SECRET not in done.stdout + done.stderr
