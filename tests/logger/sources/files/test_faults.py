"""Rows that cannot be right are set aside; too many, or a fault of the file, refuse it with one line that helps."""

import io
import os
import tarfile
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from logger.errors import ConfigError
from logger.sources.files.binary import Member, members
from logger.sources.files.faults import Fault
from logger.sources.files.options import Dialect, Words, parse_dialect, parse_long, parse_mapping
from logger.sources.files.read import Options, read_file, read_parts

HEADER = "time,vehicle,soc_pct\n"
GOOD = "".join(f"2026-03-29 00:{at // 60:02}:{at % 60:02},car,80\n" for at in range(200))
BERLIN = Options(zone="Europe/Berlin")


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "ride.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def faults(path: Path, options: Options) -> list[Fault]:
    (member,) = members(path)
    return [fault for part in read_parts(member, options) for fault in part.faults]


def error(path: Path, options: Options) -> str:
    with pytest.raises(ConfigError) as raised:
        read_file(path, options)
    return str(raised.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-03-29 02:30:00,car,80", "column 'time', line 202: '2026-03-29 02:30:00' is a time that the change of"),
        ("2026-02-30 10:00:00,car,80", "column 'time', line 202: '2026-02-30 10:00:00' is no time that this can read"),
        ("0001-01-01 00:00:00,car,80", "column 'time', line 202: '0001-01-01 00:00:00' is no plausible date"),
        ("2212-01-01 00:00:00,car,80", "column 'time', line 202: '2212-01-01 00:00:00' is no plausible date"),
        ("0,car,80", "column 'time', line 202: '0' is no plausible date"),
        (",car,80", "column 'time', line 202: an empty cell is no time"),
        ("2026-03-29 03:30:00,car,full", "column 'soc_pct', line 202: 'full' is no value of soc_pct"),
        ("2026-03-29 03:30:00, ,80", "column 'vehicle', line 202: an empty cell is no vehicle"),
        ("2026-03-29 03:30:00,car,80,5", "line 202: '5' is a cell more than the 3 columns"),
    ],
)
def test_a_row_that_cannot_be_right_is_set_aside_and_the_rest_is_read(tmp_path: Path, row: str, reason: str) -> None:
    path = written(tmp_path, f"{HEADER}{GOOD}{row}\n2026-03-29 03:40:00,car,70\n")
    (fault,) = faults(path, BERLIN)
    assert fault.reason.startswith(reason)
    assert fault.text == row
    rows = read_file(path, BERLIN)
    assert rows.height == 201
    assert fault.near_ms >= rows["time"].dt.epoch("ms")[199]


def test_a_line_number_counts_blank_lines_comments_and_lines_within_cells(tmp_path: Path) -> None:
    path = written(tmp_path, f'# a log\n\n{HEADER}{GOOD}\n\n2026-03-29 03:30:00,"my\ncar",80\nnoon,car,80\n')
    assert [fault.line for fault in faults(path, BERLIN)] == [208]


def test_more_than_one_row_in_a_hundred_refuses_the_file_with_the_first_of_them(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + GOOD + "noon,car,80\n" * 3)
    assert error(path, BERLIN) == (
        "column 'time', line 202: 'noon' is no time that this can read; see --time-format "
        "(3 of 203 rows cannot be read)"
    )


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            HEADER + "06/01/2026 08:00,car,80\n",
            BERLIN,
            "--time-format '%m/%d/%Y %H:%M' or --time-format '%d/%m/%Y %H:%M'",
        ),
        (HEADER + "23/01/2026 08:00,car,80\n", BERLIN, "no time that this can read; --time-format '%d/%m/%Y %H:%M'"),
        (HEADER + "01-Jun-2026 08:00:00,car,80\n", BERLIN, "--time-format '%d-%b-%Y %H:%M:%S'"),
        (HEADER + "2026-03-29 02:30,car,80\n", BERLIN, "skips in Europe/Berlin; if the times are UTC, use --tz UTC"),
        (HEADER + "2026-06-01T08:00Z,car,80,5\n", Options(), "; see --separator, --quote and --decimal"),
        (HEADER + "2026-06-01T08:00Z,,80\n", Options(), "is no vehicle; name it with --vehicle NAME"),
        (HEADER + "0,car,80\n", Options(), "before 1990 or after 2100; if it is in another form, see --time-format"),
        (HEADER + "2026-06-01T08:00Z,car,not known\n", Options(), "if it stands for nothing, add --null 'not known'"),
        (
            HEADER + "46174.5,car,80\n",
            Options(),
            "a spreadsheet's serial dates, which are local times: say where with --tz",
        ),
        ("time,vehicle,Pack SoC [%]\n2026-06-01T08:00Z,car,80\n", Options(), "use --map 'Pack SoC [%]=soc_pct'"),
        (
            "when,vehicle,soc_pct\n1,car,80\n",
            Options(only_mapped=True),
            "no column `time`: name it with --map COLUMN=time",
        ),
        ("Date,vehicle,soc_pct\n1,car,80\n", Options(only_mapped=True), "--map COLUMN=time, such as --map Date=time"),
        ("time,VIN,soc_pct\n1780300800,car,80\n", Options(only_mapped=True), "such as --map VIN=vehicle"),
        (
            "2026-06-01T08:00Z,car,80\n",
            Options(),
            "line 1 holds data ('2026-06-01T08:00Z' …), not the names of columns",
        ),
        (HEADER, Options(), "no row below the header"),
        (
            "time,vehicle,soc,soc\n1,car,80,81\n",
            Options(mappings=(parse_mapping("soc=soc_pct"),)),
            "'soc' is there twice",
        ),
    ],
)
def test_an_error_says_what_to_do_ready_to_paste(tmp_path: Path, text: str, options: Options, message: str) -> None:
    assert message in error(written(tmp_path, text), options)


def test_all_unknown_columns_are_named_at_once_and_the_likely_ones_mapped(tmp_path: Path) -> None:
    path = written(
        tmp_path, "time,vehicle,Odometer (mi),battery_level,Outside temp °C,x1,x2\n2026-06-01T08:00Z,car,1,2,3,4,5\n"
    )
    assert error(path, Options()) == (
        "unknown columns 'Odometer (mi)', 'battery_level', 'Outside temp °C', 'x1', 'x2': map the likely ones with "
        "--map 'Odometer (mi)=odometer_m:mi' --map battery_level=soc_pct --map 'Outside temp °C=ambient_c' "
        "and leave the others out with --only-mapped"
    )
    likely = ("Odometer (mi)=odometer_m:mi", "battery_level=soc_pct", "Outside temp °C=ambient_c")
    rows = read_file(path, Options(mappings=tuple(map(parse_mapping, likely)), only_mapped=True))
    assert rows.row(0, named=True) | {"time": None, "provider": None} == {
        "time": None, "vehicle": "car", "provider": None, "odometer_m": 1609.344, "soc_pct": 2.0, "ambient_c": 3.0,
    }  # fmt: skip


def test_a_column_that_is_there_twice_matters_only_where_it_is_used(tmp_path: Path) -> None:
    path = written(tmp_path, "time,vehicle,soc_pct,note,note\n2026-06-01T08:00Z,car,80,a,b\n")
    assert read_file(path, Options(only_mapped=True))["soc_pct"].to_list() == [80.0]


# ---- what is found out, told ---------------------------------------------------------------------------------------


def test_each_finding_is_an_option_too(tmp_path: Path) -> None:
    text = "x~1780300800~'a~b'~80,5\n"
    dialect = Dialect("~", ",", "utf-16-le", "'", "none", ("note", "time", "vehicle", "soc_pct"))
    rows = read_file(written(tmp_path, text.encode("utf-16-le")), Options(dialect=dialect, ignore=("note",)))
    assert rows.select("vehicle", "soc_pct").rows() == [("a~b", 80.5)]
    plain = Dialect(quote="none", compression="none")
    rows = read_file(written(tmp_path, HEADER + '1780300800,"a,80\n'), Options(dialect=plain))
    assert rows["soc_pct"].to_list() == [80.0]


def test_a_vehicle_may_be_called_like_a_word_for_nothing(tmp_path: Path) -> None:
    names = ["null", "-", "NaN", '"it\'s"', "a\r\nb", "\\N"]
    lines = "".join('1780300800,"' + name.replace('"', '""') + '",80\n' for name in names)
    assert read_file(written(tmp_path, HEADER + lines), Options())["vehicle"].to_list() == [
        "null", "-", "NaN", "it's", "a\r\nb", "\\N",
    ]  # fmt: skip


def test_a_vehicle_may_be_called_like_its_column(tmp_path: Path) -> None:
    path = written(tmp_path, "vehicle,time,soc_pct\nvehicle,1780300800,80\nvehicle,1780300900,79\n")
    assert read_file(path, Options())["vehicle"].to_list() == ["vehicle", "vehicle"]


def test_words_can_be_added(tmp_path: Path) -> None:
    path = written(tmp_path, "time,vehicle,soc_pct,moving\n1780300800,car,Nada,An\n1780300900,car,1,Aus\n")
    rows = read_file(path, Options(words=Words(("nada",), ("an",), ("aus",))))
    assert rows.select("soc_pct", "moving").rows() == [(None, True), (1.0, False)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("::", "", "", "", "", ""), "--separator '::' is not one character"),
        (("", "dot", "", "", "", ""), "--decimal 'dot' is neither point nor comma"),
        (("", "", "utf-9", "", "", ""), "--encoding: there is no 'utf-9'"),
        (("", "", "", "ab", "", ""), "--quote 'ab' is not one character, nor none"),
        (("", "", "", "", "rar", ""), "--compression 'rar' is none of: none, gzip, zip"),
    ],
)
def test_the_error_for_a_wrong_option_says_what_is_possible(given: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse_dialect(*given)
    assert message in str(raised.value)


def test_the_columns_of_a_long_table_are_three() -> None:
    assert parse_long("") is None
    with pytest.raises(ConfigError, match="--long 'a,b' is not ENTITY,STATE,TIME"):
        parse_long("a,b")


def test_a_long_table_may_have_a_vehicle_and_words_of_its_own(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "metric;value;at;car\nsoc;80,5;01.06.2026 10:00;a\nsoc;n/a;01.06.2026 10:10;a\nsoc;70,5;01.06.2026 10:00;b\n",
    )
    options = Options(
        long=parse_long("metric,value,at"),
        mappings=(parse_mapping("soc=soc_pct"), parse_mapping("car=vehicle")),
        zone="Europe/Berlin",
    )
    assert read_file(path, options).select("vehicle", "soc_pct").rows() == [("a", 80.5), ("a", None), ("b", 70.5)]


def test_a_file_that_looks_long_is_offered_the_options_with_its_own_entities(tmp_path: Path) -> None:
    path = written(tmp_path, "metric,value,time\ncar.soc,80,2026-06-01T08:00Z\n")
    assert "use --long metric,value,time --map car.soc=soc_pct" in error(path, Options(vehicle="a"))


def test_a_long_table_without_any_mapped_entity_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "metric,value,time\ncar.soc,80,2026-06-01T08:00Z\n")
    options = Options(vehicle="a", long=parse_long("metric,value,time"), only_mapped=True)
    wrong = msgspec.structs.replace(options, mappings=(parse_mapping("car.sok=soc_pct"),))
    assert error(path, wrong) == "no line is of an entity that --map names (car.sok); there are: car.soc"


# ---- bytes ---------------------------------------------------------------------------------------------------------


def test_every_file_of_an_archive_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("a.csv", HEADER + "1780300800,a,80\n")
        archive.writestr("__MACOSX/a.csv", "rubbish")
        archive.writestr("folder/b.csv", HEADER + "1780300800,b,80\n")
    assert read_file(tmp_path / "all.zip", Options())["vehicle"].to_list() == ["a", "b"]


def test_a_damaged_archive_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path, b"\x1f\x8b\x08\x00rubbish")
    assert "not readable" in error(path, Options())
    assert "is the file whole?" in error(path, Options())


def test_a_character_that_a_block_of_the_file_cuts_stays_whole(tmp_path: Path) -> None:
    name = "é" * 50
    lines = 60_000  # more than one block of 4 MiB
    path = written(tmp_path, HEADER + f"1780300800,{name},80\n" * lines)
    rows = read_file(path, Options())
    assert rows["vehicle"].unique().to_list() == [name]
    assert rows.height == lines


def test_a_name_in_an_old_encoding_that_comes_late_is_read(tmp_path: Path) -> None:
    text = (HEADER + "1780300800,car,80\n" * 300_000 + "1780300801,Käfer,80\n").encode("latin-1")
    assert read_file(written(tmp_path, text), Options())["vehicle"].unique().sort().to_list() == ["Käfer", "car"]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not readable"):
        members(tmp_path / "missing.csv")
    assert Member(tmp_path / "a.zip", "zip", "b.csv").label.endswith("a.zip/b.csv")


def test_a_file_that_is_no_table_is_told_what_to_do(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("ride.csv"), io.BytesIO())
    with zipfile.ZipFile(tmp_path / "ride.xlsx", "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    assert error(written(tmp_path, packed.getvalue()), Options()) == "an archive of tar: unpack it first"
    assert error(tmp_path / "ride.xlsx", Options()).startswith("a workbook of a spreadsheet: save its sheet as CSV")
    assert error(written(tmp_path, '[{"soc": 80}]\n'), Options()).startswith("JSON: wanted is CSV")
    assert error(written(tmp_path, bytes(range(256)) * 9), Options()).startswith("no text: wanted is CSV")
    assert error(tmp_path, Options()) == "not readable as a table: Is a directory"


def test_a_pipe_or_a_device_is_named_and_never_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "rows.csv"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        assert error(path, Options()) == "a pipe or a device, and a file is read more than once: write a file first"


# ---- typed times of Parquet ------------------------------------------------------------------------------------------


def test_local_times_of_parquet_are_those_of_the_zone_and_a_repeated_hour_is_kept_apart(tmp_path: Path) -> None:
    clocks = pl.Series("time", [f"2026-10-25 {each}" for each in ("02:00", "02:30", "02:00", "02:30", "03:00")])
    frame = pl.DataFrame({"time": clocks.str.to_datetime(), "vehicle": ["car"] * 5, "soc_pct": [80] * 5})
    frame.write_parquet(tmp_path / "ride.parquet")
    with pytest.raises(ConfigError, match="holds local times: say where with --tz"):
        read_file(tmp_path / "ride.parquet", Options())
    found = read_file(tmp_path / "ride.parquet", BERLIN)["time"].to_list()
    assert found == [datetime(2026, 10, 25, 0, tzinfo=UTC) + timedelta(minutes=30 * at) for at in range(5)]


def test_days_and_epochs_of_parquet_are_times(tmp_path: Path) -> None:
    pl.DataFrame({"time": [date(2026, 6, 1)], "vehicle": ["car"], "moving": [True]}).write_parquet(tmp_path / "a.pq")
    assert read_file(tmp_path / "a.pq", Options(zone="UTC"))["time"].to_list() == [datetime(2026, 6, 1, tzinfo=UTC)]
    pl.DataFrame({"time": [1_780_300_800_000_000], "vehicle": ["car"], "soc_pct": [80.5]}).write_parquet(
        tmp_path / "b.pq"
    )
    (row,) = read_file(tmp_path / "b.pq", Options()).rows(named=True)
    assert (row["time"], row["soc_pct"]) == (datetime(2026, 6, 1, 8, tzinfo=UTC), 80.5)


def test_vehicles_of_one_file_keep_their_repeated_hours_apart_each_by_itself(tmp_path: Path) -> None:
    clocks = ("02:10", "02:50", "02:20", "02:55")
    lines = (f"2026-10-25 {clock},{name},80\n" for clock in clocks for name in ("a", "b"))
    rows = read_file(written(tmp_path, HEADER + "".join(lines)), BERLIN)
    for name in ("a", "b"):
        found = rows.filter(pl.col("vehicle") == name)["time"].to_list()
        assert [(each.hour, each.minute) for each in found] == [(0, 10), (0, 50), (1, 20), (1, 55)]


def test_a_row_that_came_late_within_a_repeated_hour_does_not_begin_its_second_pass(tmp_path: Path) -> None:
    clocks = ("02:10:00", "02:10:10", "02:10:05", "02:10:20", "02:59:50", "02:00:00")
    rows = read_file(written(tmp_path, HEADER + "".join(f"2026-10-25 {each},car,80\n" for each in clocks)), BERLIN)
    assert rows["time"].dt.hour().to_list() == [0, 0, 0, 0, 0, 1]
