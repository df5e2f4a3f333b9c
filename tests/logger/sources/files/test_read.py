"""CSV and Parquet files are read into columns named as signals, and imported into the tables."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner

import voltrail
from logger.commands.import_files import import_files
from logger.errors import ConfigError
from logger.settings import schema
from logger.settings.load import load_settings
from logger.settings.schema import Vehicle
from logger.sources.files.read import Options, parse_mapping, read_file
from logger.stores import open_lake

DOCUMENT = Path(__file__).parents[4] / "docs" / "import.md"


def csv(folder: Path, text: str) -> Path:
    path = folder / "ride.csv"
    path.write_text(text)
    return path


def settings_in(folder: Path) -> schema.Settings:
    path = folder / "voltrail.toml"
    path.write_text("")
    return load_settings(path)


def test_columns_named_as_signals_need_no_mapping(tmp_path: Path) -> None:
    rows = read_file(csv(tmp_path, "time,vehicle,soc_pct,locked\n2026-11-01T10:00:00Z,v1,80,true\n"), Options())
    assert rows.row(0, named=True) == {
        "time": datetime(2026, 11, 1, 10, tzinfo=UTC),
        "vehicle": "v1",
        "provider": "import",
        "soc_pct": 80.0,
        "locked": True,
    }


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        ("2026-11-01T10:00:00Z", "", 10),
        ("2026-11-01 10:00:00+02:00", "", 8),
        ("1793527200", "", 10),
        ("1793527200000", "", 10),
        ("2026-11-01 10:00:00", "Africa/Casablanca", 9),
        ("2026-11-01T10:00:00.000", "UTC", 10),
        ("2026-11-01T10:00Z", "", 10),
        ("2026-11-01 10:00+02", "", 8),
        ("2026-11-01T10:00:00+0200", "", 8),
        ("2026-11-01T10:00", "Africa/Casablanca", 9),
        ("2026-11-01", "Pacific/Honolulu", 10),
        ("01.11.26 10:00", "UTC", 10),
        ("01.11.26 10:00:00", "UTC", 10),
        ("01.11.2026 10:00", "UTC", 10),
    ],
)
def test_times_are_iso_or_an_epoch_in_seconds_or_milliseconds(tmp_path: Path, text: str, zone: str, hour: int) -> None:
    rows = read_file(csv(tmp_path, f"time,soc_pct\n{text},80\n"), Options(vehicle="v1", zone=zone))
    assert rows["time"].to_list() == [datetime(2026, 11, 1, hour, tzinfo=UTC)]


def test_a_column_may_hold_local_times_beside_those_with_a_zone(tmp_path: Path) -> None:
    path = csv(tmp_path, "time,soc_pct\n2026-11-01T10:00Z,80\n2026-11-01 12:00,81\n")
    rows = read_file(path, Options(vehicle="v1", zone="Europe/Berlin"))
    assert rows["time"].to_list() == [datetime(2026, 11, 1, hour, tzinfo=UTC) for hour in (10, 11)]
    with pytest.raises(ConfigError, match="local times: say where with --tz"):
        read_file(path, Options(vehicle="v1"))


def test_a_boolean_is_any_of_the_usual_words(tmp_path: Path) -> None:
    words = ["true", "Yes", "on", "t", " 1 ", "FALSE", "no", "Off", "f", "0", ""]
    path = csv(tmp_path, "time,locked\n" + "".join(f"{1793527200 + n},{word}\n" for n, word in enumerate(words)))
    rows = read_file(path, Options(vehicle="v1"))
    assert rows["locked"].to_list() == [True] * 5 + [False] * 5 + [None]


def test_the_name_of_a_file_is_no_pattern(tmp_path: Path) -> None:
    path = tmp_path / "ride[1]*.csv"
    path.write_text("time,vehicle,soc_pct\n2026-11-01T10:00:00Z,v1,80\n")
    assert read_file(path, Options())["soc_pct"].to_list() == [80.0]


def test_a_parquet_file_may_hold_typed_times(tmp_path: Path) -> None:
    path = tmp_path / "ride.parquet"
    moment = datetime(2026, 11, 1, 10, tzinfo=UTC)
    pl.DataFrame({"time": [moment], "vehicle": ["v1"], "odometer_m": [5]}).write_parquet(path)
    assert read_file(path, Options())["time"].to_list() == [moment]


@pytest.mark.parametrize(
    ("unit", "raw", "value"),
    [
        ("odometer_m:km", "1.5", 1500.0),
        ("odometer_m:mi", "1", 1609.344),
        ("energy_wh:kWh", "2", 2000.0),
        ("power_w:-W", "300", -300.0),
        ("power_w:-kW", "0.3", -300.0),
        ("ambient_c:degF", "212", 100.0),
        ("ambient_c:F", "212 °F", 100.0),
        ("ambient_c:°C", "-3.5 °C", -3.5),
        ("odometer_m:km", "1.5 km", 1500.0),
        ("odometer_m:km", "1.5 KM", 1500.0),
        ("odometer_m", "1500 m", 1500.0),
        ("soc_pct", "81 %", 81.0),
        ("speed_kmh", "31 km/h", 31.0),
        ("speed_kmh", "31 kmh", 31.0),
        ("tyre_fl_kpa:psi", "30", 206.84271),
        ("soc_pct:fraction", "0.5", 50.0),
        ("speed_kmh:m/s", "10", 36.0),
    ],
)
def test_a_unit_converts_and_a_minus_turns_the_sign(tmp_path: Path, unit: str, raw: str, value: float) -> None:
    path = csv(tmp_path, f"time,x\n2026-11-01T10:00:00Z,{raw}\n")
    rows = read_file(path, Options(vehicle="v1", mappings=(parse_mapping(f"x={unit}"),)))
    assert rows[unit.split(":")[0]].to_list() == [pytest.approx(value)]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("time,vehicle,soc\n1,v,1\n", {}, "unknown column 'soc'"),
        ("time,vehicle,soc_pc\n1,v,1\n", {}, "unknown column 'soc_pc'; did you mean 'soc_pct'"),
        ("time,soc_pct\n1,1\n", {}, "no column `vehicle`"),
        ("vehicle,soc_pct\nv,1\n", {}, "no column `time`"),
        ("time,vehicle\n1793527200,v\n", {}, "no column holds a signal"),
        ("time,vehicle,soc_pct\n2026-11-01 10:00,v,1\n", {}, "local times: say where with --tz"),
        ("time,vehicle,soc_pct\n2026-11-01 10:00:00,v,1\n", {"zone": "Mars/Base"}, "no zone 'Mars/Base'"),
        ("time,vehicle,soc_pct\n1793527200,v,full\n", {}, "column 'soc_pct', line 2: 'full' is no value of soc_pct"),
        ("time,vehicle,odometer_m\n1793527200,v,31 km\n", {}, "has a unit with --map odometer_m=odometer_m:km"),
        ("time,vehicle,soc_pct\n2026-11-01T10:00Z,v,1\n", {"zone": "Mars/Base"}, "--tz: no zone 'Mars/Base'"),
        ("time,vehicle,soc_pct\n1793527200,v,1\nnoon,v,2\n", {"zone": "UTC"}, "column 'time', line 3: 'noon'"),
        ("time,vehicle,soc_pct\nnoon,v,1\n", {}, "column 'time', line 2: 'noon' is no time that this can read"),
        ("time,vehicle,soc_pct\n2026/11/01 10:00:00+02:00,v,1\n", {}, "--time-format '%Y/%m/%d %H:%M:%S%z'"),
        ("time,vehicle,soc_pct\n1970-01-01T00:00:07Z,v,1\n", {}, "else leave these rows out of the file"),
        (
            "time,vehicle,locked\n1793527200,v,maybe\n",
            {},
            "line 2: 'maybe' is no yes or no of locked; say what it means with --true maybe",
        ),
        ("time,vehicle,soc_pct\n1793527200,,1\n", {}, "line 2: an empty cell is no vehicle"),
        ("time,vehicle,pack_soc_pct\n1793527200,v,1\n", {}, "a pack needs its port"),
        ("", {}, "empty"),
        ("time,vehicle,x\n1793527200,v,1\n", {"ignore": ("y",)}, "--ignore: there is no column 'y'"),
        ("time,vehicle,x,soc_pct\n1,v,1,1\n", {"mappings": (parse_mapping("x=soc_pct"),)}, "two columns for soc_pct"),
    ],
)
def test_an_error_names_the_file_and_the_column(
    tmp_path: Path, text: str, options: dict[str, str], message: str
) -> None:
    path = csv(tmp_path, text)
    with pytest.raises(ConfigError, match=re.escape(message)) as raised:
        read_file(path, Options(**options))  # type: ignore[arg-type]
    assert "ride.csv" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Soc", "is not COLUMN=SIGNAL"),
        ("Soc=soc", "unknown signal 'soc'; did you mean 'soc_pct'"),
        ("Soc=soc_pct:km", "unit 'km' does not fit soc_pct"),
        ("T=time:s", "only a signal has a unit"),
        ("D=odometer_m:kmm", "did you mean 'km'"),
    ],
)
def test_the_error_for_a_wrong_mapping_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_mapping(text)


def test_imported_rows_are_in_every_table_that_their_columns_belong_to(tmp_path: Path) -> None:
    path = csv(tmp_path, "time,vehicle,soc_pct,lat_deg,lon_deg,port,pack_soc_pct\n1793527200,v,80,1,2,1,50\n")
    settings = settings_in(tmp_path)
    (summary,) = import_files([path], Options(), settings, lambda text: None)
    assert (summary.file, summary.rows, summary.aside) == (str(path), 1, 0)
    store = open_lake(settings)
    assert {name: store.scan(name).collect().height for name in ("status", "location", "pack", "battery")} == {
        "status": 1,
        "location": 1,
        "pack": 1,
        "battery": 0,
    }
    assert store.scan("status").collect()["via"].to_list() == ["import"]


def test_an_import_names_its_vehicles_but_for_those_that_an_account_names(tmp_path: Path) -> None:
    path = csv(tmp_path, "time,vehicle,soc_pct\n1793527200,van,80\n1793527200,bike,70\n1793527200,listed,60\n")
    account = schema.Segway(name="moped", client_id="A1", client_secret="s", vehicles=("listed",))
    named = {"van": Vehicle(label="The van", group="north", lock="doors")}
    settings = msgspec.structs.replace(settings_in(tmp_path), sources=(account,), vehicles=named)
    import_files([path], Options(), settings, lambda text: None)
    rows = (
        open_lake(settings).scan("vehicles").sort("vehicle").select("provider", "vehicle", "label", "group").collect()
    )
    assert rows.rows() == [("import", "bike", None, None), ("import", "van", "The van", "north")]


def test_importing_twice_changes_nothing_and_old_times_stay(tmp_path: Path) -> None:
    path = csv(tmp_path, "time,vehicle,soc_pct\n2011-11-01T10:00:00Z,v,80\n2011-11-01T10:00:10Z,v,101\n")
    settings = settings_in(tmp_path)
    for _ in range(2):
        import_files([path], Options(), settings, lambda text: None)
    rows = open_lake(settings).scan("status").sort("time").collect()
    assert rows["time"].dt.year().to_list() == [2011, 2011]
    assert rows["soc_pct"].to_list() == [80.0, None]
    assert rows["flags"].to_list() == [None, ["implausible:soc_pct"]]


def test_the_commands_of_the_document_read_the_real_recordings(
    tmp_path: Path, rides: Path, request: pytest.FixtureRequest
) -> None:
    settings = settings_in(tmp_path)
    (block,) = re.findall(r"## Two real recordings.*?```sh\n(.*?)```", DOCUMENT.read_text(), re.S)
    for command in block.replace("\\\n", " ").strip().split("\n\n"):
        words = shlex.split(command)[1:]
        files = [str(path) for path in sorted(rides.glob(words[1].removeprefix("rides/")))]
        result = CliRunner().invoke(
            voltrail.app,
            [words[0], *files, *words[2:], "--config", str(tmp_path / "voltrail.toml")],
            catch_exceptions=False,
        )
        assert result.exit_code == 0
    rows = open_lake(settings).scan("status").sort("time").collect()
    assert rows.filter(vehicle="twizy").height == 4535 + 961 + 1121
    wheel = rows.filter(vehicle="wheel")
    assert wheel.height == recorded_moments(rides)
    assert wheel["time"][0] == datetime(2020, 5, 15, 23, 2, 10, 2000, tzinfo=UTC)
    assert wheel["odometer_m"][0] == 399_713.0
    assert rows["flags"].null_count() == rows.height
    power = open_lake(settings).scan("battery", vehicles=["wheel"]).sort("time").collect()["power_w"]
    assert power[0] == -367.14


def recorded_moments(rides: Path) -> int:
    """The number of distinct times in the recordings of the wheel."""
    moments = {
        tuple(line.split(",")[:2]) for path in rides.glob("wheel_*.csv") for line in path.read_text().splitlines()[1:]
    }
    return len(moments)
