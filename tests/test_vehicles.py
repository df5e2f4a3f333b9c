"""What a person calls a vehicle: from the settings through the spool into the table, and into what `status` says."""

from pathlib import Path

import pytest

from logger import config, supervisor
from logger.demo.collector import Collector
from logger.demo.pushes import request
from logger.demo.sender import get, send
from logger.errors import ConfigError
from logger.status import lines, overview
from logger.stores import lake

ONE, OTHER = "861000000000001", "861000000000002"


def named(label: str, *, in_service: bool = True) -> str:
    return f'\n[vehicles."{ONE}"]\nlabel = "{label}"\nplate = "AB-1"\nin_service = {str(in_service).lower()}\n'


def run(folder: Path, more: str, *pushed: str) -> config.Settings:
    with Collector(folder, [ONE, OTHER], more) as collector:
        status = {"online": "true", "locked": "true", "statusUtcTime": "1591067719"}
        answers = send(collector.address, [request(vehicle, "status", status) for vehicle in pushed], 1)
        assert {answer.status for answer in answers} <= {200}
    return config.load(collector.settings_file)


def test_status_speaks_in_labels_and_in_numbers_where_there_is_none(tmp_path: Path) -> None:
    settings = run(tmp_path, named("Moped 7"), ONE, OTHER)
    assert [(each.label, each.vehicle) for each in overview(settings).vehicles] == [(OTHER, OTHER), ("Moped 7", ONE)]
    (row,) = lake(settings).latest("vehicles").to_dicts()
    assert (row["provider"], row["vehicle"], row["label"], row["plate"], row["in_service"]) == (
        ("segway", ONE, "Moped 7", "AB-1", True)
    )


def test_a_vehicle_may_be_asked_for_by_its_label(tmp_path: Path) -> None:
    settings = run(tmp_path, named("Moped 7"), ONE, OTHER)
    assert [each.vehicle for each in overview(settings, ["Moped 7"]).vehicles] == [ONE]
    with pytest.raises(ConfigError, match="nothing is stored of vehicle 'Moped 8'"):
        overview(settings, ["Moped 8"])


def test_the_latest_settings_hold_and_what_held_before_is_kept(tmp_path: Path) -> None:
    run(tmp_path, named("Moped 7"), ONE)
    settings = run(tmp_path, named("Moped 8", in_service=False))
    (vehicle,) = overview(settings).vehicles
    assert (vehicle.label, vehicle.state) == ("Moped 8", "out of service")
    assert any("Moped 8" in line and "out of service" in line for line in lines(overview(settings)))
    assert sorted(lake(settings).scan("vehicles").collect()["label"]) == ["Moped 7", "Moped 8"]


@pytest.mark.parametrize("code", ["X20081", "e20081", "20081"])
def test_an_account_that_only_pushes_may_have_any_platform_code(tmp_path: Path, code: str) -> None:
    collector = Collector(tmp_path, [ONE])
    collector.settings_file.write_text(collector.settings_file.read_text().replace("A00000", code))
    with collector:
        assert get(collector.address, "/readyz")[0] == 200


def test_a_cloud_that_is_to_be_asked_and_is_nowhere_stops_the_start(tmp_path: Path) -> None:
    collector = Collector(tmp_path, [ONE], "[sources.poll]\n")
    path = collector.settings_file
    path.write_text(path.read_text().replace("A00000", "X20081"))
    with pytest.raises(ConfigError, match="names no region by its first letter"):
        supervisor.run(config.load(path))


def test_a_zone_that_is_none_names_its_vehicle(tmp_path: Path) -> None:
    path = tmp_path / "voltrail.toml"
    path.write_text(f'[vehicles."{ONE}"]\ntimezone = "Europe/Nowhere"\n')
    with pytest.raises(ConfigError, match=rf'vehicles\."{ONE}"\.timezone: no zone'):
        config.load(path)
