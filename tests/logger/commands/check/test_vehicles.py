"""What `check` says of the vehicles of an account whose cloud lists them."""

from pathlib import Path

import msgspec

from logger.commands.check.vehicles import check_vehicles
from logger.commands.check.voltages import check_voltages
from logger.settings.load import load_settings
from logger.settings.schema import Settings
from tests.helpers.check_setup import Setup, only


def cloud_lists_them(setup: Setup) -> Settings:
    """These settings with `vehicles = "all"`."""
    settings = load_settings(setup.file)
    source = msgspec.structs.replace(settings.sources[0], vehicles="all")
    return msgspec.structs.replace(settings, sources=(source,))


def test_an_account_whose_cloud_lists_its_vehicles_is_not_advised_to_list_them(tmp_path: Path) -> None:
    finding = only(list(check_vehicles(cloud_lists_them(Setup(tmp_path)))), "vehicles segway")
    assert (finding.level, finding.text, finding.remedy) == ("ok", "its cloud lists them", "")


def test_an_account_that_lists_none_and_accepts_none_is_a_warning(tmp_path: Path) -> None:
    settings = load_settings(Setup(tmp_path).file)
    source = msgspec.structs.replace(settings.sources[0], vehicles=())
    findings = list(check_vehicles(msgspec.structs.replace(settings, sources=(source,))))
    assert only(findings, "vehicles segway").text == "none is listed: whatever they report goes to quarantine"


def test_no_letter_of_the_word_all_is_a_vehicle_with_a_model(tmp_path: Path) -> None:
    settings = cloud_lists_them(Setup(tmp_path).add('[models."E-moped"]\nnominal_voltage_v = 48\n'))
    assert list(check_voltages(settings)) == []
