"""What `check` finds about disks, port and push addresses, each fault made for real."""

import socket
from pathlib import Path

import pytest

from logger.locks import exclusive_lock
from logger.simulator.demo.collector import PREFIX, Collector
from logger.simulator.demo.pushes import request
from logger.simulator.demo.sender import get, send
from tests.helpers.check_setup import NOWHERE, ONE, Setup, cloud, only
from tests.torture.disks import Full, ReadOnly, disk


def tree(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def test_a_check_leaves_nothing_behind_and_makes_no_data_folder(tmp_path: Path) -> None:
    setup = Setup(tmp_path).public()
    before = tree(tmp_path)
    findings = setup.findings()
    assert tree(tmp_path) == before
    assert only(findings, "data folder").text == f"{setup.data} is not there yet, and can be"


def test_folders_that_take_what_is_written_are_well(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    (setup.data / "lake").mkdir(parents=True)
    findings = setup.findings()
    assert only(findings, "data folder").text == f"{setup.data} takes what is written"
    assert only(findings, "lake folder").level == "ok"
    assert not list((setup.data / "lake").iterdir())


def test_a_file_where_a_folder_should_be_is_an_error(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    setup.data.touch()
    findings = setup.findings()
    for about in ("data folder", "lake folder"):
        assert only(findings, about).level == "error"
        assert "move it away" in only(findings, about).remedy


@pytest.mark.parametrize("kind", [Full, ReadOnly])
def test_a_disk_that_refuses_is_an_error(tmp_path: Path, kind: type[Full | ReadOnly]) -> None:
    with disk(tmp_path / "disk", kind) as broken:
        setup = Setup(tmp_path).replace('"data"', '"disk/data"')
        (broken.folder / "data").mkdir()
        broken.refuse(())
        finding = setup.found("data folder")
        broken.accept(())
    assert finding.level == "error"
    assert "cannot be written to" in finding.text


def test_a_file_of_ours_that_this_user_may_not_write_is_an_error(tmp_path: Path) -> None:
    with disk(tmp_path / "data", ReadOnly) as broken:
        (broken.folder / "run.lock").touch(0o444)
        broken.refuse(())
        findings = Setup(tmp_path).findings()
        broken.accept(())
    (finding,) = [each for each in findings if "this user may not write" in each.text]
    assert "chown" in finding.remedy


def test_a_spool_that_may_outgrow_its_disk_is_a_warning(tmp_path: Path) -> None:
    finding = Setup(tmp_path).replace("[collector]", f"[collector]\nmax_bytes = {10**18}").found("free space")
    assert finding.level == "warning"
    assert "1,000,000,000.0 GB" in finding.text


# ---- port ----------------------------------------------------------------------------------------------------------


def test_a_port_that_somebody_else_holds_is_an_error(tmp_path: Path) -> None:
    setup = Setup(tmp_path).public()
    with socket.create_server(("127.0.0.1", setup.port)):
        findings = setup.findings()
    assert only(findings, "port").level == "error"
    assert "Address already in use" in only(findings, "port").text
    assert any("not tried" in each.text for each in findings if each.about == "public_url")


def test_a_voltrail_that_holds_the_folder_and_does_not_answer_is_an_error(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    with exclusive_lock(setup.data / "run.lock"):
        finding = setup.found("port")
    assert finding.level == "error"
    assert "does not answer" in finding.text


# ---- the address that is registered with the vendor ------------------------------------------------------------------


def test_without_a_public_url_a_warning_says_what_to_set_and_to_register(tmp_path: Path) -> None:
    finding = Setup(tmp_path).found("push address segway")
    assert finding.level == "warning"
    assert f"register https://YOUR-HOST{PREFIX}/segway with the vendor, who adds /v2/vehicle/status" in finding.remedy


def test_where_nothing_runs_the_check_itself_answers_for_a_moment(tmp_path: Path) -> None:
    setup = Setup(tmp_path).public()
    finding = setup.found("push address segway")
    assert (finding.level, finding.text) == (
        "ok",
        f"http://127.0.0.1:{setup.port}{PREFIX}/segway leads to voltrail, seen from this machine",
    )
    with socket.create_server(("127.0.0.1", setup.port)):
        pass  # and lets go of the port


def test_an_address_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    finding = Setup(tmp_path).public(NOWHERE).found("push address segway")
    assert finding.level == "error"
    assert "cannot be reached from this machine: ConnectError" in finding.text


def test_an_address_that_leads_to_somebody_else_is_an_error(tmp_path: Path) -> None:
    with cloud() as url:
        finding = Setup(tmp_path).public(url).found("push address segway")
    assert finding.level == "error"
    assert "answers HTTP 404, and it is not voltrail" in finding.text


def test_an_account_that_admits_others_alone_is_a_warning(tmp_path: Path) -> None:
    finding = Setup(tmp_path).public().add('clients = ["203.0.113.0/24"]\n').found("push address segway")
    assert finding.level == "warning"
    assert "`clients`" in finding.text


def test_beside_a_running_service_all_is_well_and_nothing_is_disturbed(tmp_path: Path) -> None:
    with cloud() as url, Collector(tmp_path, [ONE], f'base_url = "{url}"\n') as collector:
        setup = Setup.of(collector).public()
        status = {"online": "true", "locked": "true", "statusUtcTime": "1591067719"}
        assert [answer.status for answer in send(collector.address, [request(ONE, "status", status)], 1)] == [200]
        findings = setup.findings()
        assert get(collector.address, "/readyz")[0] == 200
        wrong = setup.replace(f'path_prefix = "{PREFIX}"', 'path_prefix = "/another"').found("push address segway")
    assert {each.about for each in findings if each.level != "ok"} <= {"public_url", "free space"}
    assert "answered by the voltrail that is running" in only(findings, "port").text
    assert wrong.level == "error"
    assert "restart voltrail" in wrong.remedy
    assert "ERROR" not in (tmp_path / "run.log").read_text()


def test_a_path_that_the_system_refuses_is_an_error_of_that_path(tmp_path: Path) -> None:
    findings = Setup(tmp_path).replace('"data"', f'"{"x" * 300}"').findings()
    assert "File name too long" in only(findings, "disks").text
    assert "check as the user" in only(findings, "disks").remedy
