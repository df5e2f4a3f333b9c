"""Both languages have the same texts with the same values in them; numbers and dates follow the locale."""

import string
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from analytics.battery_health import reasons
from logger.derived_tables import CHARGE_ENERGY_SOURCES, CHARGE_FLAGS, METHODS, STATES, VERDICTS
from logger.display.formats import Formats
from logger.display.texts import FOLDER, Texts, read_texts
from logger.display.units import units
from logger.settings.display import LANGUAGES
from logger.settings.schema import Display

GERMAN = Formats(Display(locale="de"), "EUR")
ENGLISH = Formats(Display(), "EUR")
WORDS = {
    "state": STATES, "verdict": VERDICTS, "method": METHODS, "charge_source": CHARGE_ENERGY_SOURCES,
    "charge_flag": CHARGE_FLAGS,
}  # fmt: skip


def values_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_every_language_has_a_file_and_every_file_a_language() -> None:
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_missing_or_empty(language: str) -> None:
    texts, english = read_texts(language), read_texts("en")
    assert set(texts) == set(english)
    assert [key for key, text in texts.items() if not text.strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_the_same_values_in_it(language: str) -> None:
    texts, english = read_texts(language), read_texts("en")
    assert [key for key in texts if values_in(texts[key]) != values_in(english[key])] == []


@pytest.mark.parametrize("group", WORDS)
def test_every_word_of_the_tables_has_a_name(group: str) -> None:
    assert [word for word in WORDS[group] if not Texts("de").has(f"{group}.{word}")] == []


def test_every_sentence_of_battery_health_has_a_text() -> None:
    written = [text for name, text in vars(reasons).items() if name.isupper()]
    sentences = [text.format(*("1", "2")[: text.count("{}")]) for text in written]
    assert len(sentences) == len([key for key in read_texts("en") if key.startswith("health.")])
    assert [Texts("en").sentences("health", each) for each in sentences] == sentences
    assert [each for each in sentences if Texts("de").sentences("health", each) == each] == []


def test_stored_sentences_are_translated_with_the_values_in_them() -> None:
    stored = "charges; 2 left out, too far from the others: 2026-03-10 10:00, 2026-03-11 10:00; what nobody knows yet"
    assert Texts("de").sentences("health", stored) == (
        "Ladungen; 2 weggelassen, zu weit von den anderen: 2026-03-10 10:00, 2026-03-11 10:00; what nobody knows yet"
    )


def test_numbers_have_the_signs_of_their_language() -> None:
    assert ENGLISH.value(1_234_567, "m") == "1,235\N{NO-BREAK SPACE}km"
    assert GERMAN.value(1_234_567, "m") == "1.235\N{NO-BREAK SPACE}km"
    assert (ENGLISH.number(0.916, "share"), GERMAN.number(45.25, "Wh/km")) == ("91.6", "45,2")


def test_money_is_written_with_its_sign_or_its_code() -> None:
    assert ENGLISH.value(1234.5, "money") == "€1,234.50"
    assert Formats(Display(currency="code"), "EUR").value(1234.5, "money") == "EUR\N{NO-BREAK SPACE}1,234.50"
    assert GERMAN.value(1234.5, "money") == "1.234,50\N{NO-BREAK SPACE}€"


def test_an_amount_beyond_all_cents_is_written_all_the_same() -> None:
    assert ENGLISH.value(1e300, "money") == "1e+300\N{NO-BREAK SPACE}EUR"


def test_days_and_moments_are_local() -> None:
    berlin = Formats(Display(locale="de"), zone=ZoneInfo("Europe/Berlin"))
    assert berlin.moment(datetime(2026, 11, 30, 23, 5, tzinfo=UTC)) == "01.12.2026, 00:05"
    assert ENGLISH.day(date(2026, 11, 30)) == "Nov 30, 2026"


def test_what_nobody_knows_is_a_dash() -> None:
    assert [ENGLISH.value(each, "m") for each in (None, float("nan"), float("inf"))] == ["–"] * 3


def test_an_open_interval_says_which_end_is_known() -> None:
    assert ENGLISH.interval(1000, None, "m") == "at least 1"
    assert ENGLISH.interval(None, None, "m") == ""


def test_imperial_units_differ_only_where_miles_and_degrees_do() -> None:
    metric, imperial = units("metric"), units("imperial")
    assert {name for name in metric if metric[name] != imperial[name]} == {
        "m", "km", "km/d", "km/h", "km/%", "Wh/km", "degC", "g",
    }  # fmt: skip
    assert imperial["degC"].converted(100) == 212
