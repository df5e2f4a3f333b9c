"""What `check` finds about settings and clouds, each fault made for real."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from logger.simulator.cloud.failures import Failure
from tests.helpers.check_setup import NOWHERE, Setup, cloud, only


def test_an_account_that_its_cloud_knows_is_well_and_so_is_a_clock_that_agrees(tmp_path: Path) -> None:
    with cloud() as url:
        findings = Setup(tmp_path, url).findings()
    assert only(findings, "cloud segway").text == f"{url} knows the account"
    assert only(findings, "clock").level == only(findings, "settings").level == "ok"


def test_a_wrong_secret_is_an_error_that_says_what_to_check(tmp_path: Path) -> None:
    with cloud() as url:
        setup = Setup(tmp_path, url)
        (tmp_path / "segway.secret").write_text("another")
        finding = setup.found("cloud segway")
    assert (finding.level, finding.text) == ("error", f"{url} refuses the account (HTTP 401)")
    assert "check client_id, secret" in finding.remedy


def test_a_platform_code_of_another_region_than_the_host_that_refuses_is_named(tmp_path: Path) -> None:
    with cloud() as url:
        finding = Setup(tmp_path, url).replace("A00000", "E00000").found("cloud segway")
    assert finding.level == "error"
    assert "the first letter of client_id says https://eu-api.segwaydiscovery.com, base_url another" in finding.remedy


@pytest.mark.parametrize(("poll", "level"), [("", "warning"), ("[sources.poll]\n", "error")])
def test_a_cloud_that_is_not_there_is_worse_for_an_account_that_is_polled(
    tmp_path: Path, poll: str, level: str
) -> None:
    finding = Setup(tmp_path, NOWHERE).add(poll).found("cloud segway")
    assert finding.level == level
    assert "does not answer" in finding.text
    assert "check base_url" in finding.remedy


@pytest.mark.parametrize("kind", ["http", "disconnect", "truncate", "html"])
def test_a_cloud_in_trouble_is_an_error(tmp_path: Path, kind: str) -> None:
    with cloud(Failure(kind, "token")) as url:
        finding = Setup(tmp_path, url).add("[sources.poll]\n").found("cloud segway")
    assert finding.level == "error"


@pytest.mark.parametrize(("poll", "level"), [("", "warning"), ("[sources.poll]\n", "error")])
def test_a_platform_code_of_no_region_fails_only_an_account_that_is_polled(
    tmp_path: Path, poll: str, level: str
) -> None:
    setup = Setup(tmp_path).replace("A00000", "X00000").replace(f'base_url = "{NOWHERE}"\n', "").add(poll)
    finding = setup.found("cloud segway")
    assert finding.level == level
    assert "names no region" in finding.text


@pytest.mark.parametrize("url", ["here", "ftp://here", "http://", "http://a b", "http://127.0.0.1:99999"])
def test_a_base_url_that_is_not_one_is_an_error(tmp_path: Path, url: str) -> None:
    assert "is not https://HOST" in Setup(tmp_path, url).found("cloud segway").text


@pytest.mark.parametrize(
    ("ahead_s", "level", "text"),
    [
        (3, "ok", "agrees"),
        (-3, "ok", "agrees"),
        (30, "warning", "clock is 30 s behind"),
        (-31, "warning", "ahead of"),
        (7300, "error", "clock is 2 h behind"),
        (-7300, "error", "clock is 2 h ahead of"),
    ],
)
def test_a_clock_that_is_off_is_found_by_the_cloud_s(tmp_path: Path, ahead_s: int, level: str, text: str) -> None:
    with cloud(clock=lambda: time.time() + ahead_s) as url:
        finding = Setup(tmp_path, url).found("clock")
    assert finding.level == level
    assert text in finding.text


def test_a_refusal_carries_the_time_as_well(tmp_path: Path) -> None:
    with cloud(clock=lambda: time.time() + 600) as url:
        assert Setup(tmp_path, url).replace("A00000", "A00001").found("clock").level == "error"


def test_a_clock_that_nothing_was_compared_with_is_a_warning(tmp_path: Path) -> None:
    finding = Setup(tmp_path).found("clock")
    assert (finding.level, finding.text) == ("warning", "no cloud gave its time to compare with")


# ---- settings ------------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_a_finding_that_names_the_nearest_and_the_rest_is_looked_at_all_the_same(
    tmp_path: Path,
) -> None:
    with cloud() as url:
        findings = Setup(tmp_path, url).add('[models."E-moped"]\ncapacity = 1\n').findings()
    assert "did you mean 'capacity_wh'?" in only(findings, "settings").text
    assert only(findings, "cloud segway").level == only(findings, "data folder").level == "ok"


def test_every_fault_of_the_settings_is_named_and_what_needs_them_is_left_out(tmp_path: Path) -> None:
    setup = Setup(tmp_path).replace("listen", "lissten").add("vehicle = []\n[sink]\n")
    findings = setup.findings()
    texts = [each.text for each in findings if each.about == "settings"]
    assert ["lissten" in texts[0], "vehicle" in texts[1], "sink" in texts[2]] == [True] * 3
    assert only(findings, "the rest").text.startswith("not looked at: disks, port")
    assert not [each for each in findings if each.about == "data folder"]


def test_one_account_that_cannot_be_read_does_not_hide_the_other(tmp_path: Path) -> None:
    with cloud() as url:
        setup = Setup(tmp_path, url)
        account = "[[sources]]" + setup.file.read_text().partition("[[sources]]")[2]
        setup.add(account.replace('name = "segway"', 'name = "other"').replace("segway.secret", "gone"))
        findings = setup.findings()
    assert "gone" in "".join(each.text for each in findings if each.about == "settings")
    assert only(findings, "cloud segway").level == "ok"


def test_tables_that_contradict_each_other_are_an_error(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    finding = setup.add("[[sources]]" + setup.file.read_text().partition("[[sources]]")[2]).found("settings")
    assert "'segway' stands twice" in finding.text


@pytest.mark.parametrize(
    "text", ["[collector", "sources = 5", "sources = [1]", "[sources]\nkind = 'segway'", "collector = 1", "\ud800x = 1"]
)
def test_settings_that_are_none_are_an_error_and_never_a_traceback(tmp_path: Path, text: str) -> None:
    setup = Setup(tmp_path)
    setup.file.write_bytes(text.encode("utf-8", "surrogatepass"))
    findings = setup.findings()
    assert only(findings, "settings").level == "error"
    assert only(findings, "time zones").level == "ok"


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    setup.file.unlink()
    assert "voltrail init" in setup.found("settings").text


def test_time_zone_data_that_is_missing_is_an_error_that_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "tzdata").mkdir()
    (tmp_path / "tzdata" / "__init__.py").touch()  # stands before the package and has no data
    setup = Setup(tmp_path)
    code = "import pathlib; from logger.commands.check.check import check_setup, view;"
    code += "from logger.commands.output import plain_lines;"
    code += f"print('\\n'.join(plain_lines(view(check_setup(pathlib.Path({str(setup.file)!r}))))))"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**os.environ, "PYTHONTZPATH": "", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert "this machine has no time zone data" in done.stdout
    assert "install the package tzdata" in done.stdout
