import csv
import subprocess
import sys

import msgspec
import pytest

from logger.errors import UnknownName
from logger.mapping import Field, Rows
from logger.settings.schema import Model
from logger.signals import EVENT_KINDS, EVENT_STATES, SIGNALS, Signal, of_table, signal
from logger.sources.segway.messages import shapes
from logger.tables import RAW, table
from tests.conftest import SHARED

FIELDS = [
    pytest.param(rows, field, id=f"{kind}-{field.path}-{field.to}")
    for kind, shape in shapes("E-moped", Model()).items()
    for rows in shape.rows
    for field in rows.fields
]


# Cars report more than the contract's range: the first service of a new one may be 30,000 km away.
WIDER = {"service_in_m": (-1e8, 1e8)}


def test_the_signals_are_those_of_the_contract_some_with_a_wider_range() -> None:
    path = SHARED / "facts" / "signals.csv"
    if not path.is_file():
        pytest.skip(f"no contract to compare with: {path} is not there")
    with path.open(encoding="utf-8", newline="") as file:
        agreed = [_signal(line) for line in csv.DictReader(file)]
    widened = [msgspec.structs.replace(each, **_wider(each)) for each in agreed]
    assert list(SIGNALS.values()) == widened
    assert {each.name for each, wide in zip(agreed, widened, strict=True) if each != wide} == {*WIDER}


def _wider(signal: Signal) -> dict[str, float]:
    """The ends of the range here, where it contains that of the contract."""
    low, high = WIDER.get(signal.name, (signal.low, signal.high))
    if signal.low is None or signal.high is None or low is None or high is None:
        return {}
    assert low <= signal.low < signal.high <= high
    return {"low": low, "high": high}


def _signal(line: dict[str, str]) -> Signal:
    ends = {end: float(line[end]) if line[end] else None for end in ("low", "high")}
    return msgspec.convert({**line, **ends, "name": line["signal"]}, Signal)


def test_no_two_signals_have_the_same_name() -> None:
    assert sum(len(of_table(name)) for name in RAW) == len(SIGNALS)


def test_only_yes_no_signals_and_enums_have_no_range() -> None:
    open_ended = {each.type for each in SIGNALS.values() if each.low is None or each.high is None}
    assert open_ended == {"bool", "enum"}


def test_an_enum_has_words_and_no_other_type_has_any() -> None:
    assert "charging_dc" in signal("charge_state").words
    assert [each.name for each in SIGNALS.values() if each.words] == ["charge_state", "charger_kind"]


def test_every_signal_has_a_path_in_the_vehicle_signal_specification_or_is_an_extension() -> None:
    paths = {each.name: each.vss for each in SIGNALS.values() if each.vss != "extension"}
    assert len(set(paths.values())) == len(paths)
    assert all(path and all(word.isidentifier() for word in path.split(".")) for path in paths.values())


def test_signals_and_settings_start_without_polars() -> None:
    code = "import sys, logger.signals, logger.settings.load; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("wrong", "near"), [("soc_percent", "soc_pct"), ("odometer_km", "odometer_m"), ("latdeg", "lat_deg")]
)
def test_an_unknown_signal_names_the_nearest(wrong: str, near: str) -> None:
    with pytest.raises(UnknownName, match=f"unknown signal '{wrong}'; did you mean '{near}'"):
        signal(wrong)


def test_an_unknown_signal_that_resembles_none_gets_no_hint() -> None:
    with pytest.raises(UnknownName, match=r"unknown signal 'zzzzzzzz'$"):
        signal("zzzzzzzz")


def test_an_unknown_table_names_the_nearest_and_all() -> None:
    with pytest.raises(UnknownName, match=r"unknown table 'batery'; did you mean 'battery'\?; there are: status, "):
        table("batery")


@pytest.mark.parametrize(("rows", "field"), FIELDS)
def test_every_line_of_a_decoder_fills_a_column_of_its_table(rows: Rows, field: Field) -> None:
    assert field.to in table(rows.table).columns
    assert field.to not in SIGNALS or SIGNALS[field.to].table == rows.table


@pytest.mark.parametrize(("rows", "field"), FIELDS)
def test_every_event_of_a_decoder_has_a_known_kind_and_state(rows: Rows, field: Field) -> None:
    if rows.table != "event":
        return
    assert rows.constants["kind"] in EVENT_KINDS
    assert field.to != "state" or set((field.choices or {}).values()) <= set(EVENT_STATES)


@pytest.mark.parametrize(("rows", "field"), FIELDS)
def test_every_word_of_a_decoder_is_in_the_vocabulary(rows: Rows, field: Field) -> None:
    words = SIGNALS[field.to].words if field.to in SIGNALS else ()
    assert not words or set((field.choices or {}).values()) <= set(words)
