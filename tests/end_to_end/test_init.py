"""`voltrail init`: by options, by questions on a terminal, and what it wrote passes `voltrail check`."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from logger.commands.check.check import check_setup
from logger.settings.load import load_settings
from logger.settings.template import Answers, settings_text, toml_string
from logger.simulator.demo.collector import PLATFORM, SECRET, free_port
from tests.helpers.check_setup import ONE, OTHER, cloud
from tests.helpers.command_line import voltrail, voltrail_on_terminal
from tests.helpers.segway_settings import segway_accounts


def init(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return voltrail(folder, "init", *words, **environment)


def on_a_terminal(folder: Path, words: list[str], *answers: str) -> tuple[int, str]:
    """Exit code, and all that the terminal showed, of a run whose questions get these answers."""
    return voltrail_on_terminal(folder, "init", *words, answers=answers)


def levels(file: Path) -> dict[str, str]:
    return {each.about: each.level for each in check_setup(file)}


def test_options_are_written_and_pass_the_check(tmp_path: Path) -> None:
    (tmp_path / "my.secret").write_text(SECRET)
    port = free_port()
    with cloud() as url:
        words = ["--client-id", PLATFORM, "--client-secret-file", "my.secret", "--vehicle", ONE, "--vehicle", OTHER]
        words += ["--base-url", url, "--listen", f"127.0.0.1:{port}", "--public-url", f"http://127.0.0.1:{port}"]
        done = init(tmp_path, *words, "--name", "city", "--data-dir", "here")
        assert done.returncode == 0, done.stderr
        found = levels(tmp_path / "voltrail.toml")
    assert "error" not in found.values()
    assert found["cloud city"] == found["push address city"] == found["clock"] == "ok"
    settings = load_settings(tmp_path / "voltrail.toml")
    assert settings.data_dir == tmp_path / "here"
    assert settings.sources[0].vehicles == (ONE, OTHER)
    assert f"register http://127.0.0.1:{port}{settings.collector.path_prefix}/city with the vendor" in done.stderr


def test_without_an_account_one_is_written_as_a_comment_and_the_check_says_so(tmp_path: Path) -> None:
    assert init(tmp_path).returncode == 0
    found = [each for each in check_setup(tmp_path / "voltrail.toml") if each.level != "ok"]
    assert {each.level for each in found} == {"warning"}
    assert "there is no account to collect from" in [each.text for each in found]


def test_the_comments_become_an_account_where_they_are_uncommented(tmp_path: Path) -> None:
    text = (
        settings_text(Answers()).replace("# VOLTRAIL", "# # VOLTRAIL").replace("# vehicles_file", "# # vehicles_file")
    )
    account = text[text.index("# [[sources]]") : text.index("\n# Poll the vendor")]
    (tmp_path / "segway.secret").write_text("x")
    file = tmp_path / "voltrail.toml"
    file.write_text(text.replace(account, re.sub("^# ", "", account, flags=re.M)))
    assert segway_accounts(load_settings(file))[0].client_id == "A00000"


def test_on_a_terminal_it_asks_and_a_typed_secret_lies_beside_the_settings_for_its_owner_alone(tmp_path: Path) -> None:
    code, shown = on_a_terminal(tmp_path, [], "A20081", "typed in secret", f"{ONE}, {OTHER}", "https://ev.example")
    assert code == 0, shown
    assert "typed in secret" not in shown
    assert "typed in secret" not in (tmp_path / "voltrail.toml").read_text()
    assert (tmp_path / "segway.secret").stat().st_mode & 0o777 == 0o600
    settings = load_settings(tmp_path / "voltrail.toml")
    (account,) = segway_accounts(settings)
    assert (account.client_id, account.client_secret) == ("A20081", "typed in secret")
    assert account.vehicles == (ONE, OTHER)
    assert settings.collector.public_url == "https://ev.example"


def test_on_a_terminal_only_what_is_missing_is_asked_and_may_be_left_out(tmp_path: Path) -> None:
    code, shown = on_a_terminal(tmp_path, ["--public-url", "https://ev.example"], "")
    assert code == 0, shown
    assert shown.startswith("Platform code (client_id)")
    assert not [word for word in ("secret", "Vehicles", "Where the vendor") if word in shown]
    assert load_settings(tmp_path / "voltrail.toml").sources == ()


def test_a_path_that_was_meant_from_here_is_found_from_the_settings(tmp_path: Path) -> None:
    (tmp_path / "my.secret").write_text("s")
    (tmp_path / "etc").mkdir()
    words = ["--client-id", "A1", "--client-secret-file", "my.secret", "--data-dir", "here", "--out", "etc/v.toml"]
    assert init(tmp_path, *words).returncode == 0
    settings = load_settings(tmp_path / "etc" / "v.toml")
    assert (settings.data_dir, segway_accounts(settings)[0].client_secret) == (tmp_path / "here", "s")


def test_the_secret_may_come_from_the_environment(tmp_path: Path) -> None:
    done = init(tmp_path, "--client-id", "A1", "--name", "my-city", VOLTRAIL_MY_CITY_CLIENT_SECRET="s")
    assert done.returncode == 0, done.stderr
    assert "VOLTRAIL_MY_CITY_CLIENT_SECRET in the environment" in (tmp_path / "voltrail.toml").read_text()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--client-id", "A1"], "no client_secret"),
        (["--vehicle", ONE], "an account needs --client-id"),
        (["--name", "city"], "an account needs --client-id"),
        (["--client-id", "A1", "--name", 'x"\n[[sources]]\n#'], "must be letters, digits"),
        (["--client-id", "A1", "--client-secret-file", "gone"], "cannot read"),
        (["--listen", "8080"], "not ADDRESS:PORT"),
        (["--public-url", "https://host/path"], "is not https://HOST"),
        (["--public-url", "https://a\n[x]"], ""),
        (["--data-dir", "\udcff"], "for its \\udcff"),
        (["--client-id", "A1", "--vehicle", "\udcff"], "is no text"),
        (["--out", "no/such/folder.toml"], "cannot write no/such/folder.toml"),
    ],
)
def test_what_would_not_load_is_refused_before_anything_is_written(tmp_path: Path, words: list[str], text: str) -> None:
    done = init(tmp_path, *words, **({} if "no client_secret" in text else {"VOLTRAIL_SEGWAY_CLIENT_SECRET": "s"}))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert text in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "segway.secret").write_text("of old")
    code, shown = on_a_terminal(tmp_path, ["--public-url", "https://h"], "A1", "new", "")
    assert code == 2
    assert "segway.secret is there already" in shown
    assert [path.name for path in tmp_path.iterdir()] == ["segway.secret"]
    (tmp_path / "voltrail.toml").write_text("mine")
    assert "is there already" in init(tmp_path).stderr
    assert (tmp_path / "voltrail.toml").read_text() == "mine"


@pytest.mark.parametrize("text", ['a"b', "a\\b", "a\nb\tc", "\x00\x1f\x7f\x85", "ü€😀", "'''", "#", '"""\\'])
def test_any_text_is_quoted_so_that_it_reads_back(text: str) -> None:
    assert tomllib.loads(f"x = {toml_string(text)}") == {"x": text}


def test_a_hostile_path_and_vehicle_are_only_text(tmp_path: Path) -> None:
    hostile, folder = 'd"]\n[x]\\', 'd" # x = 1'
    words = ["--client-id", "A1", "--vehicle", hostile, "--data-dir", folder]
    assert init(tmp_path, *words, VOLTRAIL_SEGWAY_CLIENT_SECRET="s").returncode == 0
    settings = load_settings(tmp_path / "voltrail.toml", {"VOLTRAIL_SEGWAY_CLIENT_SECRET": "s"})
    assert (settings.sources[0].vehicles, settings.data_dir) == ((hostile,), tmp_path / folder)


def test_a_data_folder_that_cannot_be_used_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    refused = init(tmp_path, "--client-id", "A1", "--data-dir", "d[x]", VOLTRAIL_SEGWAY_CLIENT_SECRET="s")
    assert refused.returncode == 2
    assert "for its [ ]" in refused.stderr
    assert list(tmp_path.iterdir()) == []
