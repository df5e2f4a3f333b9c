"""Names of vehicles: from the settings through the spool into the table and into `voltrail status`."""

import json
from pathlib import Path

import pytest

from logger.commands.output import plain_lines
from logger.commands.status import view
from logger.envelope import Envelope
from logger.errors import ConfigError
from logger.live.overview import read_overview
from logger.service import supervisor
from logger.settings import schema
from logger.settings.load import load_settings
from logger.simulator.demo.collector import Collector
from logger.simulator.demo.pushes import request
from logger.simulator.demo.sender import get, send
from logger.sources import accounts
from logger.stores import open_lake
from tests.helpers.segway_pushes import AT, RECEIVED, decode_all, envelope, rows, signed_body

ONE, OTHER = "861000000000001", "861000000000002"


def named(label: str, *, in_service: bool = True) -> str:
    keys = f'label = "{label}"\nplate = "AB-1"\nin_service = {str(in_service).lower()}\nswappable = true\n'
    return f'\n[vehicles."{ONE}"]\n{keys}'


def run(folder: Path, more: str, *pushed: str) -> schema.Settings:
    with Collector(folder, [ONE, OTHER], more) as collector:
        status = {"online": "true", "locked": "true", "statusUtcTime": "1591067719"}
        answers = send(collector.address, [request(vehicle, "status", status) for vehicle in pushed], 1)
        assert {answer.status for answer in answers} <= {200}
    return load_settings(collector.settings_file)


def test_status_shows_labels_and_numbers_where_there_is_no_label(tmp_path: Path) -> None:
    settings = run(tmp_path, named("Moped 7"), ONE, OTHER)
    assert [(each.label, each.vehicle) for each in read_overview(settings).vehicles] == [
        (OTHER, OTHER),
        ("Moped 7", ONE),
    ]
    row, other = open_lake(settings).latest("vehicles").sort("vehicle").to_dicts()
    assert (row["provider"], row["vehicle"], row["label"], row["plate"]) == ("segway", ONE, "Moped 7", "AB-1")
    assert (other["vehicle"], other["label"], other["model"], other["in_service"]) == (OTHER, None, "E-moped", True)


def test_status_may_name_a_vehicle_by_its_label(tmp_path: Path) -> None:
    settings = run(tmp_path, named("Moped 7"), ONE, OTHER)
    assert [each.vehicle for each in read_overview(settings, ["Moped 7"]).vehicles] == [ONE]
    with pytest.raises(ConfigError, match="nothing is stored of vehicle 'Moped 8'"):
        read_overview(settings, ["Moped 8"])


def test_the_latest_settings_hold_and_what_held_before_is_kept(tmp_path: Path) -> None:
    run(tmp_path, named("Moped 7"), ONE)
    settings = run(tmp_path, named("Moped 8", in_service=False))
    (vehicle,) = read_overview(settings, [ONE]).vehicles
    assert (vehicle.label, vehicle.state) == ("Moped 8", "out of service")
    assert any("Moped 8" in line and "out of service" in line for line in plain_lines(view(read_overview(settings))))
    held = open_lake(settings).scan("vehicles", vehicles=[ONE]).sort("time").collect()
    assert held["label"].to_list() == ["Moped 7", "Moped 8"]


@pytest.mark.parametrize("code", ["X20081", "e20081", "20081"])
def test_an_account_that_only_pushes_may_have_any_platform_code(tmp_path: Path, code: str) -> None:
    collector = Collector(tmp_path, [ONE])
    collector.settings_file.write_text(collector.settings_file.read_text().replace("A00000", code))
    with collector:
        assert get(collector.address, "/readyz")[0] == 200


def test_a_cloud_that_is_to_be_polled_and_has_no_host_stops_the_start(tmp_path: Path) -> None:
    collector = Collector(tmp_path, [ONE], "[sources.poll]\n")
    path = collector.settings_file
    path.write_text(path.read_text().replace("A00000", "X20081"))
    with pytest.raises(ConfigError, match="names no region by its first letter"):
        supervisor.run(load_settings(path), supervisor.Commands())


def test_a_zone_that_is_none_names_its_vehicle(tmp_path: Path) -> None:
    path = tmp_path / "voltrail.toml"
    path.write_text(f'[vehicles."{ONE}"]\ntimezone = "Europe/Nowhere"\n')
    with pytest.raises(ConfigError, match=rf'vehicles\."{ONE}"\.timezone: no zone'):
        load_settings(path)


def test_a_fleets_list_names_its_vehicles_and_makes_them_known(tmp_path: Path) -> None:
    fleet = f"\ufeffvehicle;label;model;in_service\n{ONE};Moped 7;E125;\n{OTHER};Moped 8;;no\n\n"
    (tmp_path / "fleet.csv").write_text(fleet)
    collector = Collector(tmp_path, [], 'vehicles_file = "fleet.csv"\n')
    with collector:
        status = {"online": "true", "odometer": "12", "statusUtcTime": "1591067719"}
        answers = send(collector.address, [request(vehicle, "status", status) for vehicle in (ONE, OTHER)], 1)
        assert {answer.status for answer in answers} == {200}
    settings = load_settings(collector.settings_file)
    assert [(each.label, each.state == "out of service") for each in read_overview(settings).vehicles] == [
        ("Moped 7", False),
        ("Moped 8", True),
    ]
    named = {row["vehicle"]: row["model"] for row in open_lake(settings).latest("vehicles").to_dicts()}
    assert named == {ONE: "E125", OTHER: "E-moped"}
    assert open_lake(settings).scan("quarantine").collect().is_empty()


def test_the_settings_override_the_fleets_list(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text(f"vehicle,label\n{ONE},Moped 7\n{OTHER},Moped 8\n")
    collector = Collector(tmp_path, [ONE], 'vehicles_file = "fleet.csv"\n' + named("Old 7"))
    settings = load_settings(collector.settings_file)
    assert settings.sources[0].vehicles == (ONE, OTHER)
    assert {number: vehicle.label for number, vehicle in settings.vehicles.items()} == {ONE: "Old 7", OTHER: "Moped 8"}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "the first line must name the columns"),
        ("label\nMoped 7\n", "the first line must name the columns"),
        ("vehicle,labell\n", "unknown column 'labell'; did you mean 'label'?"),
        (f"vehicle,label\n{ONE},a\n{ONE},b\n", f"line 3: vehicle '{ONE}' stands twice"),
        ("vehicle,label\n,a\n", "line 2: no vehicle"),
        (f"vehicle,label\n{ONE},a,b\n", "line 2: 3 cells for 2 columns"),
        (f"vehicle,in_service\n{ONE},maybe\n", "line 2: .*write true or false"),
        (f"vehicle,timezone\n{ONE},Nowhere\n", rf'vehicles\."{ONE}"\.timezone: no zone'),
    ],
)
def test_a_fleets_list_that_is_wrong_says_where(tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "fleet.csv").write_text(text)
    collector = Collector(tmp_path, [], 'vehicles_file = "fleet.csv"\n')
    with pytest.raises(ConfigError, match=error):
        load_settings(collector.settings_file)


def test_a_fleets_list_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*fleet\.csv"):
        load_settings(Collector(tmp_path, [], 'vehicles_file = "fleet.csv"\n').settings_file)


def test_each_vehicle_is_read_as_its_own_model_pushed_or_polled() -> None:
    account = schema.Segway("city", "A00000", client_secret="s", vehicles=(ONE, OTHER))
    settings = schema.Settings(
        sources=(account,),
        models={"old": schema.Model(odometer_scale=10)},
        vehicles={OTHER: schema.Vehicle(model="old")},
    )
    sources = accounts(settings)
    who = {"platformCode": "A00000", "statusUtcTime": f"{AT}"}
    pushes = [
        envelope(
            kind,
            signed_body({"iotCode": vehicle, **who, **fields}),
            source="city",
        )
        for vehicle in (ONE, OTHER)
        for kind, fields in (("status", {"odometer": "12"}), ("fault", {"code": "E5", "faultStatus": "0"}))
    ]
    answer = json.dumps({"code": 0, "t": AT * 1000, "data": {"odometer": 13, "statusUtcTime": AT + 1}}).encode()
    answers = [Envelope("city", "status-query", RECEIVED, "poll", answer, vehicle) for vehicle in (ONE, OTHER)]
    result = decode_all(*pushes, *answers, sources=sources)
    metres = {(row["vehicle"], row["via"]): row["odometer_m"] for row in rows(result, "status")}
    assert metres == {(ONE, "push"): 12, (OTHER, "push"): 120, (ONE, "poll"): 13, (OTHER, "poll"): 130}
    assert {row["vehicle"]: row["text"] for row in rows(result, "event")} == {ONE: "GNSS", OTHER: None}
