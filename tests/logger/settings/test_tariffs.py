"""`[tariffs]`: impossible prices are errors that say where they are."""

from pathlib import Path

import pytest

from logger.errors import ConfigError
from logger.settings import schema
from logger.settings.load import parse_settings
from logger.settings.template import Answers, settings_text

PRICED = '[tariffs]\ncurrency = "EUR"\n'
RATE = '[[tariffs.rates]]\nbegin = "22:00"\nend = "06:00"\nper_kwh = 0.2\ndays = ["fri", "sat"]\n'


def test_prices_by_time_are_read() -> None:
    got = parse_settings(f"{PRICED}per_kwh = 0.3\nsession_fee = 0.5\n{RATE}", Path("voltrail.toml")).tariffs
    assert (got.currency, got.per_kwh, got.session_fee) == ("EUR", 0.3, 0.5)
    assert got.rates == (schema.Rate("22:00", "06:00", 0.2, ("fri", "sat")),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tariffs]\nper_kwh = 0.3", "tariffs.currency: name the currency"),
        ("[tariffs]\ncurrency = '€'", "tariffs.currency: '€' is not three capital letters"),
        (f"{PRICED}efficiency = 90", "tariffs.efficiency: 90 is not above 0 and at most 1"),
        (f"{PRICED}per_kwh = nan", "tariffs.per_kwh: nan is no price"),
        (f"{PRICED}session_fe = 1", r"unknown key 'session_fe' in \[tariffs\]; did you mean 'session_fee'"),
        (PRICED + RATE.replace("06:00", "24:00"), "tariffs.rates: end '24:00' is not HH:MM"),
        (PRICED + RATE.replace("0.2", "inf"), "tariffs.rates: per_kwh: inf is no price"),
        (PRICED + RATE.replace("fri", "friday"), "tariffs.rates.days: unknown word 'friday'; did you mean 'fri'"),
        (PRICED + RATE.replace("per_kwh", "price"), r"unknown key 'price' in \[tariffs.rates\]"),
    ],
)
def test_impossible_prices_say_where_they_are_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_settings(text, Path("voltrail.toml"))


def test_the_prices_that_init_shows_can_be_read() -> None:
    shown = settings_text(Answers()).partition("# [tariffs]")
    lines = [line.removeprefix("# ") for line in (shown[1] + shown[2]).splitlines()]
    got = parse_settings("\n".join(lines), Path("voltrail.toml")).tariffs
    assert (got.currency, len(got.rates)) == ("EUR", 1)
