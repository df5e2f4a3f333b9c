"""What `check` says of a model's nominal voltage beside the voltages that its vehicles report."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from logger.commands.check.finding import Finding
from logger.commands.check.voltages import check_voltages
from logger.settings.load import load_settings
from logger.stores import open_lake
from logger.tables import RAW
from tests.helpers.check_setup import ONE, OTHER, Setup, only

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
NOMINAL = '[models."E-moped"]\nnominal_voltage_v = 48\n'


def report(setup: Setup, table: str, *rows: Mapping[str, object]) -> None:
    """Store these rows, an hour apart."""
    base = {"provider": "segway", "via": "poll", "clock": "device"}
    times = [NOON + timedelta(hours=n) for n in range(len(rows))]
    full = [
        {**base, "time": at, "received_at": at, "sequence": n, **row}
        for n, (at, row) in enumerate(zip(times, rows, strict=True), 1)
    ]
    schema = RAW[table].schema
    open_lake(load_settings(setup.file)).write(
        table, pl.DataFrame([{name: row.get(name) for name in schema} for row in full], schema=schema)
    )


def findings(setup: Setup) -> list[Finding]:
    return [each for each in check_voltages(load_settings(setup.file)) if each.about == "nominal voltage"]


@pytest.mark.parametrize(
    ("voltage_v", "level"), [(35.9, "warning"), (36, "ok"), (48, "ok"), (64.8, "ok"), (64.9, "warning")]
)
@pytest.mark.parametrize(("table", "signal"), [("pack", "pack_voltage_v"), ("battery", "voltage_v")])
def test_a_voltage_fits_from_three_quarters_to_a_third_more_than_nominal(
    tmp_path: Path, table: str, signal: str, voltage_v: float, level: str
) -> None:
    setup = Setup(tmp_path).add(NOMINAL)
    report(setup, table, {"vehicle": ONE, "port": 1, signal: voltage_v})
    (finding,) = findings(setup)
    assert finding.level == level
    assert (finding.text == "fits what vehicles report") == (level == "ok")


def test_a_wrong_nominal_voltage_is_a_warning_that_names_vehicle_value_and_setting(tmp_path: Path) -> None:
    setup = Setup(tmp_path).add(NOMINAL.replace("48", "60"))
    report(setup, "pack", {"vehicle": ONE, "port": 1, "pack_voltage_v": 41.5})
    finding = only(setup.findings(), "nominal voltage")
    assert finding.level == "warning"
    assert finding.text == f"{ONE} reports pack_voltage_v 41.5 V, and E-moped should have 45 to 81 V"
    assert finding.remedy == 'mend nominal_voltage_v = 60 in [models."E-moped"]'


def test_a_model_has_one_warning_however_many_vehicles_it_has(tmp_path: Path) -> None:
    setup = Setup(tmp_path).add(NOMINAL)
    ports = [(vehicle, port) for vehicle in (ONE, OTHER) for port in (1, 2)]
    report(setup, "pack", *({"vehicle": vehicle, "port": port, "pack_voltage_v": 20.0} for vehicle, port in ports))
    (finding,) = findings(setup)
    assert finding.text.startswith(f"{ONE} (and 1 more) reports")


def test_the_newest_voltage_counts(tmp_path: Path) -> None:
    setup = Setup(tmp_path).add(NOMINAL)
    report(setup, "battery", {"vehicle": ONE, "voltage_v": 4.0}, {"vehicle": ONE, "voltage_v": 50.0}, {"vehicle": ONE})
    assert [each.level for each in findings(setup)] == ["ok"]


def test_a_vehicle_is_held_against_its_own_model(tmp_path: Path) -> None:
    own = f'[models.car]\nnominal_voltage_v = 400\n[vehicles."{OTHER}"]\nmodel = "car"\n[vehicles.van]\nmodel = "car"\n'
    setup = Setup(tmp_path).add(NOMINAL + own)
    rows = (
        {"vehicle": ONE, "voltage_v": 50.0},
        {"vehicle": OTHER, "voltage_v": 390.0},
        {"vehicle": "van", "voltage_v": 50.0},
    )
    report(setup, "battery", *rows)
    (finding,) = findings(setup)
    assert finding.text == "van reports voltage_v 50 V, and car should have 300 to 540 V"


def test_where_nothing_is_stored_or_set_there_is_nothing_to_warn_of(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    assert findings(setup) == []
    (finding,) = findings(setup.add(NOMINAL))
    assert (finding.level, finding.text) == ("ok", "no vehicle has reported a voltage yet")
    assert not setup.data.exists()
