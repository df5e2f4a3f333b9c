"""The vehicles of an account's CSV, added to what the settings name."""

from pathlib import Path

import pytest

from logger.errors import ConfigError
from logger.settings.schema import Segway, Settings, Vehicle
from logger.settings.vehicles_csv import add_vehicles_of_files, read_vehicles


def fleet(folder: Path, lines: str) -> str:
    (folder / "fleet.csv").write_text(lines)
    return "fleet.csv"


def test_the_vehicles_of_the_file_are_listed_after_those_of_the_settings(tmp_path: Path) -> None:
    file = fleet(tmp_path, "vehicle,label\nB,second\nA,first\n")
    settings = Settings(sources=(Segway(name="city", vehicles=("A",), vehicles_file=file),))
    settings = add_vehicles_of_files(settings, tmp_path)
    assert settings.sources[0].vehicles == ("A", "B")
    assert settings.vehicles == {"A": Vehicle(label="first"), "B": Vehicle(label="second")}


def test_where_the_cloud_lists_the_vehicles_the_file_still_describes_them(tmp_path: Path) -> None:
    file = fleet(tmp_path, "vehicle,label,model,in_service\nA,first,big,no\n")
    settings = Settings(sources=(Segway(name="city", vehicles="all", vehicles_file=file),))
    settings = add_vehicles_of_files(settings, tmp_path)
    assert settings.sources[0].vehicles == "all"
    assert settings.vehicles == {"A": Vehicle(label="first", model="big", in_service=False)}
    assert settings.out_of_service == {"A"}


def test_what_the_settings_have_of_a_vehicle_wins(tmp_path: Path) -> None:
    file = fleet(tmp_path, "vehicle,label\nA,of the file\n")
    settings = Settings(
        sources=(Segway(name="city", vehicles_file=file),), vehicles={"A": Vehicle(label="of the settings")}
    )
    assert add_vehicles_of_files(settings, tmp_path).vehicles == {"A": Vehicle(label="of the settings")}


def test_how_a_vehicle_behaves_may_stand_in_columns(tmp_path: Path) -> None:
    file = fleet(tmp_path, "vehicle;lock;swappable;cadence_s\nA;use;yes;900\nB;doors;;\n")
    vehicles = read_vehicles(tmp_path / file)
    assert vehicles == {"A": Vehicle(lock="use", swappable=True, cadence_s=900.0), "B": Vehicle(lock="doors")}


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("in_service", "perhaps", "in_service: Expected `bool`, got `str`: write true or false"),
        ("swappable", "perhaps", "swappable: Expected `bool | null`, got `str`: write true or false"),
        ("lock", "door", "lock: Invalid enum value 'door': write use or doors"),
        ("cadence_s", "often", "cadence_s: Expected `float | null`, got `str`: write a number of seconds, such as 900"),
    ],
)
def test_a_cell_that_cannot_be_is_named_with_its_line_and_column(
    tmp_path: Path, column: str, cell: str, message: str
) -> None:
    file = tmp_path / fleet(tmp_path, f"vehicle,{column}\nA,{cell}\n")
    with pytest.raises(ConfigError) as raised:
        read_vehicles(file)
    assert str(raised.value) == f"{file}: line 2: {message}"
