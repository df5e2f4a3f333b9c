"""Files of apps, each by its preset: their columns, units, times and words as ours."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logger.errors import ConfigError
from logger.signals import SIGNALS
from logger.sources.files.options import KEYS
from logger.sources.files.presets import PRESETS, preset
from logger.sources.files.presets.contract import Preset
from logger.sources.files.read import Options, parse_mapping, read_file

ROOT = Path(__file__).parents[4]
CASES = ROOT / "tests" / "cases" / "imports"
ZONE = "Europe/Zurich"
_HOME = tuple(
    map(
        parse_mapping,
        (
            "sensor.blue_car_battery_level=soc_pct",
            "sensor.blue_car_odometer=odometer_m:km",
            "binary_sensor.blue_car_charging=charging",
        ),
    )
)


def rows(file: str, form: str, **options: Any) -> list[dict[str, Any]]:
    """The rows of a case, without what is null."""
    found = read_file(CASES / file, Options(form=form, **options)).drop("provider").rows(named=True)
    return [{name: value for name, value in row.items() if value is not None} for row in found]


def at(hour: int, minute: int = 0, second: int = 0, ms: int = 0, *, day: int = 1) -> datetime:
    return datetime(2026, 6, day, hour, minute, second, ms * 1000, UTC)


def close(expected: Mapping[str, Any]) -> dict[str, Any]:
    return {name: pytest.approx(value) if isinstance(value, float) else value for name, value in expected.items()}


def test_positions_of_teslamate_are_in_km_kw_and_bar_and_their_times_utc() -> None:
    first, second = rows("teslamate_positions.tsv", "teslamate")
    assert first == close(
        {
            "time": at(8, ms=125), "vehicle": "1", "lat_deg": 47.5, "lon_deg": 8.25, "altitude_m": 430.0,
            "speed_kmh": 50.0, "power_w": -20_000.0, "odometer_m": 12_345_678.0, "range_m": 390_250.0, "soc_pct": 80.0,
            "ambient_c": 21.5, "cabin_c": 22.0, "climate_on": True, "tyre_fl_kpa": 290.0,
        }
    )  # fmt: skip
    assert second["power_w"] == 5000.0
    assert "ambient_c" not in second


def test_a_dump_of_teslamate_gives_drives_and_charges_at_both_of_their_ends() -> None:
    found = sorted(rows("teslamate_dump.sql", "teslamate", vehicle="blue"), key=lambda row: (row["time"], len(row)))
    assert [row["time"] for row in found] == [
        at(8), at(8), at(8, 30), at(20, 5), at(20, 10), at(20, 20), at(23), at(20, 5, day=3),
    ]  # fmt: skip
    assert [row.get("charging") for row in found[3:]] == [True, True, True, False, True]
    assert [row.get("moving") for row in found[:3]] == [True, None, False]
    assert found[6] == close(
        {"time": at(23), "vehicle": "blue", "soc_pct": 88.0, "range_m": 420_000.0, "charge_added_wh": 31_200.0,
         "charging": False}
    )  # fmt: skip
    assert found[4]["charger_power_w"] == 11_000.0
    assert found[4]["charger_kind"] == "ac"


def test_copy_without_a_header_is_read_by_the_order_of_teslamates_columns(tmp_path: Path) -> None:
    cells = ["7", "2026-06-01 20:05:00", "2026-06-01 23:00:00", "31.2", *[r"\N"] * 2, "50", "88", *[r"\N"] * 2, "2"]
    (tmp_path / "processes.tsv").write_text("\t".join([*cells, *[r"\N"] * 7]) + "\n")
    found = read_file(tmp_path / "processes.tsv", Options(form="teslamate"))
    assert found.select("vehicle", "soc_pct").rows() == [("2", 50.0), ("2", 88.0)]
    cells = ["7", "2026-06-01 08:00:00", "2026-06-01 08:30:00", *[r"\N"] * 6, "12345.6", "12370.1", "24.5", "30", "2"]
    (tmp_path / "drives.tsv").write_text("\t".join([*cells, *[r"\N"] * 11]) + "\n")
    found = read_file(tmp_path / "drives.tsv", Options(form="teslamate"))
    assert found.select("vehicle", "odometer_m").rows() == [("2", 12_345_600.0), ("2", 12_370_100.0)]


def test_one_name_is_not_given_to_several_cars(tmp_path: Path) -> None:
    path = tmp_path / "drives.csv"
    path.write_text(
        "start_date,end_date,start_km,end_km,car_id\n2026-06-01,2026-06-02,1,2,1\n2026-06-01,2026-06-02,1,2,2\n"
    )
    with pytest.raises(ConfigError, match="'car_id' names 2 vehicles"):
        read_file(path, Options(form="teslamate", vehicle="blue"))
    assert set(read_file(path, Options(form="teslamate"))["vehicle"]) == {"1", "2"}


def test_teslafi_is_in_miles_and_a_sleeping_car_is_the_one_of_the_row_before() -> None:
    driving, asleep, charging = rows("teslafi.csv", "teslafi", zone=ZONE)
    assert driving == close(
        {
            "time": at(8), "vehicle": "TESTVIN0000000001", "odometer_m": 16_094_244.672, "soc_pct": 80.0,
            "range_m": 387_047.232, "charge_limit_pct": 90.0, "lat_deg": 47.5, "lon_deg": 8.25, "heading_deg": 90.0,
            "speed_kmh": 48.28032, "power_w": -20_000.0, "cabin_c": 21.5, "ambient_c": 18.0, "climate_on": True,
            "asleep": False, "online": True, "charge_state": "unplugged", "charging": False, "moving": True,
        }
    )  # fmt: skip
    assert asleep == {"time": at(8, 1), "vehicle": "TESTVIN0000000001", "asleep": True, "online": False}
    assert charging["charge_state"] == "charging"
    assert charging["charge_left_s"] == 5400.0
    assert charging["charger_power_w"] == 11_000.0
    assert charging["time"] == at(18)


def test_teslalogger_counts_power_in_metric_horsepower() -> None:
    first, second = rows("teslalogger_pos.csv", "teslalogger", zone=ZONE)
    assert first["power_w"] == pytest.approx(-19_858.473)
    assert first["odometer_m"] == 12_345_678.0
    assert first["time"] == at(8)
    assert second == close(
        {"time": at(8, 0, 10), "vehicle": "1", "lat_deg": 47.501, "lon_deg": 8.25, "speed_kmh": 48.0,
         "power_w": 5148.493, "odometer_m": 12_345_800.0, "soc_pct": 79.0}
    )  # fmt: skip
    (charge,) = rows("teslalogger_charging.csv", "teslalogger", zone=ZONE)
    assert charge["charge_added_wh"] == pytest.approx(700.0)
    assert charge["charging"] is True


def test_leafspy_has_degrees_and_minutes_and_ten_thousandths_of_a_percent() -> None:
    driving, charging = rows("leafspy.csv", "leafspy")
    assert driving["time"] == at(8)
    assert (driving["lat_deg"], driving["lon_deg"]) == (47.5, 8.25)
    assert (charging["lat_deg"], charging["lon_deg"]) == (-0.5, -8.25)
    assert driving["soc_pct"] == pytest.approx(80.34)
    assert driving["current_a"] == -30.5
    assert driving["ambient_c"] == pytest.approx(20.0)
    assert driving["odometer_m"] == 20_000_000.0
    assert (driving["charging"], driving["moving"]) == (False, True)
    assert (charging["charging"], charging["plugged"], charging["charger_kind"]) == (True, True, "dc")
    assert "battery_c" not in charging


def test_leafspy_may_write_percents_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("Gids,SOC,AHr,Pack Volts,Pack Amps,epoch time\n1,80.5,60.25,380,1,1780300800\n")
    found = read_file(tmp_path / "log.csv", Options(form="leafspy", vehicle="leaf"))
    assert found.select("soc_pct", "charge_ah").rows() == [(80.5, 60.25)]


def test_torque_is_read_across_a_start_with_other_columns() -> None:
    first, second, third = rows("torque.csv", "torque", zone=ZONE, vehicle="v")
    assert first == close(
        {"time": at(8, ms=250), "vehicle": "v", "lon_deg": 8.25, "lat_deg": 47.5, "hdop": 1.5, "altitude_m": 430.0,
         "heading_deg": 90.0, "speed_kmh": 36.0, "soc_pct": 80.5}
    )  # fmt: skip
    assert second == {"time": at(8, 0, 1, 250), "vehicle": "v", "speed_kmh": 37.0}
    assert (third["odometer_m"], third["soc_pct"]) == (12_345_600.0, 70.0)


def test_wheellog_counts_power_out_of_the_battery() -> None:
    first, second = rows("wheellog.csv", "wheellog", zone=ZONE, vehicle="w")
    assert (first["power_w"], first["current_a"]) == (-440.55, -5.5)
    assert second == close(
        {"time": at(8, ms=325), "vehicle": "w", "speed_kmh": 20.7, "voltage_v": 80.0, "current_a": 5.5,
         "power_w": 440.0, "soc_pct": 79.0, "odometer_m": 399_717.0}
    )  # fmt: skip


def test_home_assistant_has_a_line_for_each_entity_and_change() -> None:
    found = rows("homeassistant.csv", "homeassistant", vehicle="h", mappings=_HOME)
    values = [{name: value for name, value in row.items() if name in SIGNALS} for row in found]
    assert values == [
        {"soc_pct": 80.0}, {"odometer_m": 12_345_600.0}, {"charging": False}, {}, {"soc_pct": 79.0}, {"charging": True},
    ]  # fmt: skip


def test_an_entity_that_nobody_mapped_is_named_with_what_it_probably_is() -> None:
    with pytest.raises(ConfigError) as raised:
        rows("homeassistant.csv", "homeassistant", vehicle="h")
    assert "--map sensor.blue_car_odometer=odometer_m:km --map binary_sensor.blue_car_charging=charging" in str(
        raised.value
    )
    with pytest.raises(ConfigError, match=r"entities that nobody mapped: binary_sensor\.blue_car_charging; map"):
        rows("homeassistant.csv", "homeassistant", vehicle="h", mappings=_HOME[:2])
    assert rows("homeassistant.csv", "homeassistant", vehicle="h", mappings=_HOME[:1], only_mapped=True)


def test_ovms_says_where_it_had_no_fix() -> None:
    start, finish = rows("ovms.csv", "ovms")
    assert (start["odometer_m"], start["range_m"], start["charge_ah"]) == (12_345_600.0, 50_500.0, 100.5)
    assert (start["fix_valid"], finish["fix_valid"]) == (True, False)


def test_answers_of_an_ovms_server_need_no_header(tmp_path: Path) -> None:
    fields = "1,47.5,8.25,430.0,Home,12345.6,14.5,1800,1,55.0,35.0,38.0,70.0,1.5,0.2,4,1,95.0,good,100.5"
    record = f"*-LOG-Trip,2026-06-01 08:30:00,1,{fields},100,20,300,60,18.5,21.5,24.0,20,20,20,,,,,,"
    for before in ("", "MP-0 c32,0,1,1,"):
        (tmp_path / "trips.csv").write_text(f"{before}{record}\n")
        (row,) = read_file(tmp_path / "trips.csv", Options(form="ovms", vehicle="twizy")).rows(named=True)
        assert (row["time"], row["soc_pct"], row["odometer_m"]) == (at(8, 30), 55.0, 12_345_600.0)


def test_a_gpx_track_has_speeds_in_metres_a_second_and_points_without_a_time_are_left_out() -> None:
    first, second = rows("track.gpx", "gpx", vehicle="g")
    assert first == close(
        {"time": at(8), "vehicle": "g", "lat_deg": 47.5, "lon_deg": 8.25, "altitude_m": 430.5, "hdop": 1.2,
         "satellites": 9}
    )  # fmt: skip
    assert (second["time"], second["speed_kmh"]) == (at(8, 0, 10, 500), 36.0)


# ---- all presets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", PRESETS.values(), ids=lambda each: each.name)
def test_a_preset_has_a_document_and_names_signals_and_units_that_are_there(chosen: Preset) -> None:
    assert f"--format {chosen.name}" in (ROOT / "docs" / "import" / f"{chosen.name}.md").read_text()
    for sheet in chosen.sheets:
        for moment in sheet.moments:
            assert {each.to for each in moment.fields} <= {*SIGNALS, *KEYS}
            assert set(moment.constants) <= set(SIGNALS)
            assert not any(each.to == "time" for each in moment.fields)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("teslamate_positions.tsv", "teslamate"),
        ("teslafi.csv", "teslafi"),
        ("teslalogger_pos.csv", "teslalogger"),
        ("teslalogger_charging.csv", "teslalogger"),
        ("leafspy.csv", "leafspy"),
        ("torque.csv", "torque"),
        ("wheellog.csv", "wheellog"),
        ("homeassistant.csv", "homeassistant"),
        ("ovms.csv", "ovms"),
        ("track.gpx", "gpx"),
        ("teslamate_dump.sql", "teslamate"),
    ],
)
def test_a_file_that_shows_what_it_is_is_told_the_preset_that_reads_it(file: str, name: str) -> None:
    with pytest.raises(ConfigError, match=f"--format {name}"):
        read_file(CASES / file, Options(vehicle="v"))


def test_a_file_of_another_app_is_refused_with_the_columns_that_are_wanted() -> None:
    with pytest.raises(
        ConfigError, match="--format teslafi: this is none of its files, which have the columns data_id"
    ):
        rows("wheellog.csv", "teslafi")
    with pytest.raises(ConfigError, match="--format: there is no 'teslamat'; did you mean 'teslamate'"):
        preset("teslamat")


def test_a_mapping_takes_the_place_of_the_presets_own() -> None:
    own = (parse_mapping("power=power_w:kW"), parse_mapping("inside_temp=ambient_c"))
    first, _ = rows("teslamate_positions.tsv", "teslamate", mappings=own, ignore=("latitude", "longitude"))
    assert (first["power_w"], first["ambient_c"]) == (20_000.0, 22.0)
    assert "lat_deg" not in first
