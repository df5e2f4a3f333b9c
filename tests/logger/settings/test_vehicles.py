"""`[vehicles]`: how a vehicle behaves, where somebody says so."""

from pathlib import Path

import pytest

from logger.errors import ConfigError
from logger.settings.load import parse_settings
from logger.settings.schema import Settings, Vehicle
from logger.settings.template import Answers, settings_text


def parsed(*keys: str) -> Settings:
    return parse_settings("\n".join(('[vehicles."Moped 7"]', *keys)), Path("voltrail.toml"))


def test_what_is_said_of_a_vehicle_is_read_though_no_account_lists_it() -> None:
    settings = parsed('lock = "doors"', "swappable = false", "cadence_s = 3600")
    assert settings.vehicles == {"Moped 7": Vehicle(lock="doors", swappable=False, cadence_s=3600.0)}


def test_what_nobody_says_is_unknown() -> None:
    vehicle = parsed().vehicles["Moped 7"]
    assert (vehicle.lock, vehicle.swappable, vehicle.cadence_s) == (None, None, None)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (
            'lock = "door"',
            r'"Moped 7"\.lock: unknown word .door.; did you mean .doors.\?; there are: use, doors',
        ),
        ('lock = ""', r'vehicles\."Moped 7"\.lock: unknown word ..; there are: use, doors'),
        ("lock = true", r"lock: Expected `str \| null`, got `bool`"),
        ('swappable = "yes"', r"swappable: Expected `bool \| null`, got `str`"),
        ("cadence_s = 0", r'vehicles\."Moped 7"\.cadence_s: 0 is not a number of seconds above 0, such as 900'),
        ("cadence_s = -0.5", r'vehicles\."Moped 7"\.cadence_s: -0\.5 is not'),
        ("cadence_s = inf", r'vehicles\."Moped 7"\.cadence_s: inf is not'),
        ("cadence_s = nan", r'vehicles\."Moped 7"\.cadence_s: nan is not'),
        ("cadence = 900", r"unknown key 'cadence' in \[vehicles\.\"Moped 7\"\]; did you mean 'cadence_s'"),
    ],
)
def test_what_cannot_be_says_where_and_what_could(key: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parsed(key)


def test_what_init_shows_of_a_vehicle_can_be_read() -> None:
    shown = settings_text(Answers()).partition("# [vehicles.")[2].partition("\n\n")[0].splitlines()
    (vehicle,) = parsed(*(line.removeprefix("# ") for line in shown[1:])).vehicles.values()
    assert (vehicle.label, vehicle.lock, vehicle.swappable, vehicle.cadence_s) == ("Moped 7", "use", True, 900)
