"""Tables describe themselves: every column has a type, a unit that fits its name, and a meaning."""

import re
from pathlib import Path

import pytest

from logger.columns import Column
from logger.decode.values import TIME_FLAGS
from logger.signals import FLAGS
from logger.tables import DERIVED, TABLES
from tests.conftest import SHARED

UNITS = {
    "pct": "%", "kmh": "km/h", "m": "m", "km": "km", "s": "s", "d": "d", "day": "d", "wh": "Wh", "ah": "Ah", "v": "V",
    "a": "A", "w": "W", "c": "degC", "deg": "deg", "kpa": "kPa", "ugm3": "ug/m3", "km2": "km2",
    "wh2": "Wh2", "mohm": "mOhm", "year": "a",
}  # fmt: skip
NOT_IN_THE_NAME = {
    "cost": "currency", "resolvable": "%/d", "energy_wh_km": "Wh km", "fade_low": "%/a", "fade_high": "%/a",
}  # fmt: skip
WITHOUT_UNIT = {
    "network_signal", "ride_mode",  # codes of the vendor
    "value", "low", "high", "bin_start",  # each row has its own unit
}  # fmt: skip


def unit_by_name(name: str) -> str:
    """The unit that the last word of a name stands for, or the words around `per`; 1 where it stands for none."""
    words = name.split("_")
    if "per" in words:
        at = words.index("per")
        return f"{UNITS[words[at - 1]]}/{UNITS[words[at + 1]]}"
    return UNITS.get(words[-1], "1")


def unit_expected(column: Column) -> str:
    if column.type not in ("float", "int") or column.name in WITHOUT_UNIT:
        return ""
    return NOT_IN_THE_NAME.get(column.name) or unit_by_name(column.name)


@pytest.fixture
def contract() -> Path:
    """The page of names that are fixed; it stays outside the project."""
    path = SHARED / "contract.md"
    if not path.is_file():
        pytest.skip(f"no contract to compare with: {path} is not there")
    return path


@pytest.mark.parametrize("name", TABLES)
def test_every_column_says_what_it_means(name: str) -> None:
    for column in TABLES[name].described:
        assert column.meaning or column.words, column.name
        assert column.words or column.type != "enum", column.name


@pytest.mark.parametrize("name", TABLES)
def test_the_unit_of_every_column_is_the_last_word_of_its_name(name: str) -> None:
    wrong = {each.name: each.unit for each in TABLES[name].described if each.unit != unit_expected(each)}
    assert wrong == {}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_describes_each_of_its_columns_and_says_what_a_row_is(name: str) -> None:
    table = TABLES[name]
    assert [column.name for column in table.described] == list(table.columns)
    assert table.row
    assert table.source
    assert table.always in table.columns
    assert table.key[:3] == ("provider", "vehicle", "time")


def test_every_flag_of_a_wrong_time_is_described() -> None:
    assert set(TIME_FLAGS) <= set(FLAGS)


def test_the_derived_tables_of_the_contract_are_a_part_of_ours(contract: Path) -> None:
    block = contract.read_text(encoding="utf-8").partition("| derived table |")[2].partition("\n\n")[0]
    names = set()
    for line in block.splitlines()[2:]:
        name, key, _, columns = (re.sub(r"\([^)]*\)", " ", cell) for cell in line.strip(" |").split("|"))
        name = name.strip(" `")
        names.add(name)
        assert set(re.findall(r"`(\w+)`", key + columns)) <= set(DERIVED[name].columns), name
    assert len(names) > 10
    assert names <= set(DERIVED)


def test_the_words_of_columns_are_those_of_the_contract(contract: Path) -> None:
    section = contract.read_text(encoding="utf-8").partition("## 2.")[2].partition("## 3.")[0]
    agreed = re.findall(r"`(\w+)` ?\(((?:`\w+`[ |]*)+)", section)
    ours = [(column.name, set(column.words)) for table in TABLES.values() for column in table.described]
    assert {name for name, _ in agreed} >= {"kind", "state", "via", "clock", "distance_source"}
    for name, words in agreed:
        assert (name, set(re.findall(r"\w+", words))) in ours
