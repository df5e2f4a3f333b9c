"""`voltrail import` stores files whole or not at all, and goes on where it was ended."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import voltrail
from logger.commands.import_files import import_files
from logger.commands.import_staging import Staged
from logger.commands.import_vehicles import Description
from logger.errors import ConfigError
from logger.settings import schema
from logger.settings.load import load_settings
from logger.sources.files.binary import members
from logger.sources.files.read import Options, parse_mapping
from logger.stores import open_lake

HEADER = "time,vehicle,soc_pct\n"
ROWS = "".join(f"2026-03-29 00:{at // 60:02}:{at % 60:02},car,80\n" for at in range(200))
BERLIN = Options(zone="Europe/Berlin")


@pytest.fixture
def settings(tmp_path: Path) -> schema.Settings:
    return settings_with(tmp_path, "")


def settings_with(folder: Path, text: str) -> schema.Settings:
    (folder / "voltrail.toml").write_text(text)
    return load_settings(folder / "voltrail.toml")


def written(folder: Path, text: str, name: str = "ride.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def silent(text: str) -> None:
    """No progress."""


def stored(settings: schema.Settings, table: str) -> pl.DataFrame:
    return open_lake(settings).scan(table).collect()


def run(folder: Path, *words: str) -> Any:
    return CliRunner().invoke(voltrail.app, ["import", *words, "--config", str(folder / "voltrail.toml")])


def test_rows_that_are_set_aside_are_counted_and_in_quarantine_once(tmp_path: Path, settings: schema.Settings) -> None:
    path = written(tmp_path, f"{HEADER}{ROWS}2026-03-29 02:30:00,car,80\n2026-03-29 03:40:00,car,70\n")
    for _ in range(2):
        (summary,) = import_files([path], BERLIN, settings, silent)
        assert (summary.rows, summary.aside) == (202, 1)
    assert stored(settings, "status").height == 201
    (row,) = stored(settings, "quarantine").rows(named=True)
    assert row["reason"] == (
        "ride.csv: column 'time', line 202: '2026-03-29 02:30:00' is a time that the change of clocks skips in "
        "Europe/Berlin"
    )
    assert json.loads(row["body"])["text"] == "2026-03-29 02:30:00,car,80"


def test_no_row_of_any_file_is_stored_where_one_of_them_is_refused(tmp_path: Path, settings: schema.Settings) -> None:
    good, bad = written(tmp_path, HEADER + ROWS), written(tmp_path, HEADER + "noon,car,80\n", "bad.csv")
    with pytest.raises(ConfigError, match=r"bad\.csv: column 'time', line 2: 'noon'"):
        import_files([good, bad], BERLIN, settings, silent)
    assert stored(settings, "status").is_empty()
    assert list((settings.data_dir / "imports").iterdir()) == []


def test_an_import_that_was_ended_goes_on_where_it_was(tmp_path: Path, settings: schema.Settings) -> None:
    path = written(tmp_path, HEADER + "".join(f"{1_780_300_800 + at},car,80\n" for at in range(250_000)))
    stops = iter([1])

    def stop_in_the_middle(text: str) -> None:
        if "rows stored" in text and next(stops, None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_files([path], Options(), settings, stop_in_the_middle)
    (member,) = members(path)
    left = Staged(settings.data_dir, member, Options()).slices()
    first = stored(settings, "status").height
    assert 0 < first < 250_000
    assert len(left) > 0
    (summary,) = import_files([path], Options(), settings, silent)
    rows = stored(settings, "status")
    assert rows.height == summary.rows == 250_000
    again = rows.filter(pl.col("received_at") > rows["received_at"].min())
    assert again.height < 250_000
    assert not Staged(settings.data_dir, member, Options()).slices()


# ---- vehicles ------------------------------------------------------------------------------------------------------


def test_the_zone_of_the_times_becomes_that_of_the_vehicle(tmp_path: Path, settings: schema.Settings) -> None:
    import_files([written(tmp_path, HEADER + ROWS)], BERLIN, settings, silent)
    assert stored(settings, "vehicles")["timezone"].to_list() == ["Europe/Berlin"]
    assert load_settings(tmp_path / "voltrail.toml").vehicles["car"].timezone == "Europe/Berlin"


def test_what_the_options_say_of_a_vehicle_is_kept_below_what_the_settings_say(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, '[vehicles."car"]\nlabel = "Mine"\n')
    said = Description("Yours", "Zoe", "family", lock="doors", swappable=False, cadence_s=900, capacity_wh=52_000)
    import_files([written(tmp_path, HEADER + ROWS)], BERLIN, settings, silent, said)
    import_files([written(tmp_path, HEADER + ROWS)], BERLIN, load_settings(tmp_path / "voltrail.toml"), silent)
    newest = stored(settings, "vehicles").sort("time").rows(named=True)[-1]
    assert (newest["label"], newest["model"], newest["group"]) == ("Mine", "Zoe", "family")
    vehicle = load_settings(tmp_path / "voltrail.toml").vehicles["car"]
    assert (vehicle.lock, vehicle.swappable, vehicle.cadence_s) == ("doors", False, 900)
    capacity = stored(settings, "battery")
    assert capacity["nominal_wh"].to_list() == [52_000.0]
    assert capacity["time"].to_list() == [stored(settings, "status")["time"].min()]


def test_a_label_is_not_given_to_several_vehicles(tmp_path: Path, settings: schema.Settings) -> None:
    path = written(tmp_path, HEADER + "1780300800,a,80\n1780300800,b,80\n")
    with pytest.raises(ConfigError, match="--label and --plate are of one vehicle, and there are 2: a, b"):
        import_files([path], Options(), settings, silent, Description(label="A"))
    assert list((settings.data_dir / "imports").iterdir()) == []


# ---- numbers that contradict each other ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("km", None),
        ("m", "a thousandth as far as the positions (0.0 km for 11.1 km): perhaps its column is in km"),
        ("1000 km", "1,000 times as far"),
        ("mi", "1.609 times as far as the positions"),
        ("0.621371 km", "1 / 1.609 as far as the positions"),
        ("0.621371 m", "1 / 1,609 as far as the positions (0.0 km for 11.1 km): perhaps its column is in miles"),
    ],
)
def test_an_odometer_that_contradicts_the_positions_is_reported(
    tmp_path: Path, settings: schema.Settings, unit: str, said: str | None
) -> None:
    lines = (f"{1_780_300_800 + 30 * at},car,{5 + 0.555975 * at:.4f},{47 + at * 0.005:.4f},8" for at in range(21))
    path = written(tmp_path, "time,vehicle,odo,lat_deg,lon_deg\n" + "\n".join(lines) + "\n")
    options = Options(mappings=(parse_mapping(f"odo=odometer_m:{unit}"),))
    (summary,) = import_files([path], options, settings, silent)
    assert bool(summary.notes) == (said is not None)
    assert (said or "") in "".join(summary.notes)


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("soc_pct", ("0.81", "0.5", "1"), "soc_pct is never above 1: perhaps its column is in fraction: map it with"),
        ("capacity_wh", ("62.4", "62.3"), "capacity_wh is never above 62.4: perhaps its column is in kWh"),
        ("soc_pct", ("1", "0"), None),
        ("soc_pct", ("0.81", "50"), None),
    ],
)
def test_values_that_are_too_small_for_their_unit_are_reported(
    tmp_path: Path, settings: schema.Settings, name: str, values: tuple[str, ...], said: str | None
) -> None:
    lines = "".join(f"{1_780_300_800 + 30 * at},car,{value}\n" for at, value in enumerate(values))
    path = written(tmp_path, f"time,vehicle,{name}\n{lines}")
    (summary,) = import_files([path], Options(), settings, silent)
    assert [each[: len(said or "")] for each in summary.notes] == ([said] if said else [])


# ---- the command line ----------------------------------------------------------------------------------------------


def test_the_summary_names_rows_what_was_set_aside_and_warnings(tmp_path: Path, settings: schema.Settings) -> None:
    path = written(tmp_path, f"{HEADER}{ROWS}2026-02-30 02:30:00,car,80\n")
    result = run(tmp_path, str(path), "--tz", "Europe/Berlin")
    assert result.exit_code == 0
    first, second = result.output.splitlines()
    assert first == f"       200 rows  {path}"
    assert second.strip().startswith(
        "1 row set aside, see `voltrail export quarantine`; the first: column 'time', line 202"
    )
    (listed,) = json.loads(run(tmp_path, str(path), "--tz", "Europe/Berlin", "--json").output)
    assert (listed["rows"], listed["aside"], listed["vehicles"]) == (201, 1, [["import", "car"]])


def test_formats_are_listed_without_a_file() -> None:
    result = CliRunner().invoke(voltrail.app, ["import", "--list-formats"])
    assert result.exit_code == 0
    assert "teslamate" in result.output
    assert len(result.output.splitlines()) == 10


def test_a_command_without_a_file_says_so(tmp_path: Path, settings: schema.Settings) -> None:
    result = run(tmp_path)
    assert isinstance(result.exception, ConfigError)
    assert "which files?" in str(result.exception)
    assert "--format: there is no 'tesla'" in str(run(tmp_path, "a.csv", "--format", "tesla").exception)
