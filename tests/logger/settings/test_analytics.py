"""`[analytics]`: impossible limits are errors that say where they are."""

from pathlib import Path

import pytest

from logger.errors import ConfigError
from logger.settings import schema
from logger.settings.load import parse_settings
from logger.settings.template import Answers, settings_text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("swap_below_pct = 100", "analytics.swap_below_pct: 100 is not from 0 to 99"),
        ("swap_below_pct = nan", "analytics.swap_below_pct: nan is not from 0 to 99"),
        ('service_at = "6:00"', "analytics.service_at: '6:00' is not HH:MM"),
        ('service_at = "24:00"', "analytics.service_at: '24:00' is not HH:MM"),
        ("swap_below = 20", r"unknown key 'swap_below' in \[analytics\]; did you mean 'swap_below_pct'"),
    ],
)
def test_impossible_limits_say_where_they_are_and_what_to_do(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_settings(f"[analytics]\n{text}", Path("voltrail.toml"))


def test_the_limits_that_init_shows_are_the_defaults() -> None:
    shown = settings_text(Answers()).partition("# [analytics]")[2].partition("\n\n")[0]
    lines = ["[analytics]", *(line.removeprefix("# ") for line in shown.splitlines())]
    assert parse_settings("\n".join(lines), Path("voltrail.toml")).analytics == schema.Settings().analytics
