"""`voltrail check` and `voltrail init` know every kind of account."""

from pathlib import Path

import pytest

from logger.commands.check.addresses import register
from logger.commands.check.check import check_setup
from logger.settings.load import load_settings
from logger.sources import KINDS, accounts
from tests.helpers.command_line import voltrail

PUSH_ONLY = """
[[sources]]
kind = "smartcar"
name = "cars"
management_token_file = "token"
vehicles = ["car-1"]
"""
WITHOUT_ADDRESS = """
[[sources]]
kind = "hiven"
name = "cars"
api_key_file = "token"
user_id = "user-1"
"""


def settings_file(folder: Path, text: str) -> Path:
    (folder / "token").write_text("a-token")
    (folder / "voltrail.toml").write_text(text)
    return folder / "voltrail.toml"


def test_an_account_that_only_pushes_has_no_cloud_to_check(tmp_path: Path) -> None:
    findings = check_setup(settings_file(tmp_path, PUSH_ONLY), {})
    assert "cloud cars" not in {each.about for each in findings}
    assert not [each for each in findings if each.level == "error"]


def test_an_account_that_can_only_be_polled_must_have_a_cloud(tmp_path: Path) -> None:
    (found,) = [
        each for each in check_setup(settings_file(tmp_path, WITHOUT_ADDRESS), {}) if each.about == "cloud cars"
    ]
    assert (found.level, "base_url" in found.text) == ("error", True)


def test_a_vendor_that_adds_no_path_is_registered_by_the_address_alone(tmp_path: Path) -> None:
    settings = load_settings(settings_file(tmp_path, PUSH_ONLY), {})
    (account,) = accounts(settings).values()
    assert register(settings, account) == "register https://YOUR-HOST/cars with the vendor"


@pytest.mark.parametrize("kind", [str(kind.__struct_config__.tag) for kind in KINDS])
def test_init_writes_a_sample_of_each_kind_that_loads_once_it_is_filled_in(kind: str, tmp_path: Path) -> None:
    done = voltrail(tmp_path, "init", "--kind", kind)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "voltrail.toml").read_text()
    assert f'# kind = "{kind}"' in text
    assert load_settings(tmp_path / "voltrail.toml").sources == ()
    assert text.count("[sources.poll]") == 1


def test_init_names_the_kinds_that_there_are(tmp_path: Path) -> None:
    done = voltrail(tmp_path, "init", "--kind", "smartcat")
    assert done.returncode == 2
    assert "did you mean 'smartcar'" in done.stderr
