"""`voltrail check` as its user sees it: lines, JSON, exit code."""

import json
from pathlib import Path

from logger.simulator.demo.collector import SECRET
from tests.helpers.check_setup import Setup, cloud
from tests.helpers.command_line import voltrail


def test_warnings_alone_are_no_failure(tmp_path: Path) -> None:
    with cloud() as url:
        Setup(tmp_path, url)
        done = voltrail(tmp_path, "check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\n0 errors, " in done.stdout


def test_an_error_is_exit_code_1_and_each_line_says_what_to_do(tmp_path: Path) -> None:
    with cloud() as url:
        Setup(tmp_path, url)
        (tmp_path / "segway.secret").write_text("another secret")
        done = voltrail(tmp_path, "check")
    assert done.returncode == 1
    assert done.stderr.startswith("voltrail: 1 of ")
    lines = done.stdout.splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith("error")]
    assert lines[at].index("http://") == lines[at + 1].index("-> check client_id")
    assert "another secret" not in done.stdout + done.stderr


def test_findings_line_up(tmp_path: Path) -> None:
    Setup(tmp_path)
    lines = voltrail(tmp_path, "check").stdout.splitlines()
    (start,) = {len(line) - len(line.lstrip()) for line in lines if "->" in line}
    for line in lines[:-2]:
        assert line[start - 2 : start] == "  "
        assert line[start] != " "


def test_findings_are_json_for_programs(tmp_path: Path) -> None:
    Setup(tmp_path).replace("listen", "lissten")
    done = voltrail(tmp_path, "check", "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 1
    assert {tuple(each) for each in findings} == {("about", "level", "text", "remedy")}
    assert SECRET not in done.stdout
    assert "lissten" in findings[0]["text"]


def test_without_settings_the_embedded_default_is_checked(tmp_path: Path) -> None:
    done = voltrail(tmp_path, "check")
    assert done.returncode == 0
    assert "there is no voltrail.toml here" in done.stdout
    assert list(tmp_path.iterdir()) == []
