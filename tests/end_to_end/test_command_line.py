"""The command line as its user meets it: what it prints, where, and how it ends."""

import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from logger.settings.load import load_settings
from tests.helpers.command_line import voltrail
from tests.helpers.segway_settings import segway_accounts

SECRET = "one-secret-that-must-never-be-printed"
SETTINGS = """
[collector]
listen = "127.0.0.1:{port}"
data_dir = "data"

[[sources]]
kind = "segway"
name = "city"
client_id = "A20081"
client_secret_file = "city.secret"
"""


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A folder with settings and a few imported rows."""
    (tmp_path / "city.secret").write_text(SECRET)
    (tmp_path / "voltrail.toml").write_text(SETTINGS.format(port=1))
    rows = "time,vehicle,soc_pct,odometer_m,locked,lat_deg,lon_deg\n"
    rows += "2026-11-01T10:00:00Z,=1+1,80,1000,true,52,5\n2026-11-02T10:00:00Z,=1+1,70,2000,true,52,5\n"
    rows += "2026-11-02T10:00:00Z,moped 7,101,3000,false,0,0\n"
    (tmp_path / "rows.csv").write_text(rows)
    done = voltrail(tmp_path, "import", "rows.csv")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "         3 rows  rows.csv\n"
    assert done.stderr == ""
    return tmp_path


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["expor"], 2, "No such command 'expor'. Did you mean 'export'"),
        (["export"], 2, "Missing argument"),
        (["export", "statu"], 2, "unknown table 'statu'; did you mean 'status'?"),
        (["export", "status", "--format", "xml"], 2, "'xml' is none of csv, parquet, ndjson, xlsx"),
        (["export", "status", "--since", "yesterday"], 2, "--since 'yesterday' is no day or moment"),
        (["export", "status", "--config", "nowhere.toml"], 2, "cannot read nowhere.toml"),
        (["run"], 2, "there is no source to collect from"),
        (["import", "nowhere.csv"], 2, "nowhere.csv: not readable as a table"),
        (["import", "x.csv", "--map", "Soc"], 2, "is not COLUMN=SIGNAL"),
        (["status", "--vehicle", "ghost"], 2, "nothing is stored of vehicle 'ghost'"),
        (["demo", "--vehicles", "0"], 2, "greater than or equal to 1"),
    ],
)
def test_an_error_is_one_line_that_says_what_is_wrong(tmp_path: Path, words: list[str], code: int, text: str) -> None:
    done = voltrail(tmp_path, *words)
    assert done.returncode == code
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("voltrail: ")
    assert text in done.stderr


def test_debug_prints_a_traceback(tmp_path: Path) -> None:
    done = voltrail(tmp_path, "export", "statu", "--debug")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_every_format_is_written_and_read_back(filled: Path) -> None:
    for form in ("csv", "parquet", "ndjson", "xlsx"):
        done = voltrail(filled, "export", "status", "--format", form, "--out", f"out.{form}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert pl.read_parquet(filled / "out.parquet")["odometer_m"].to_list() == [1000.0, 2000.0, 3000.0]
    text = (filled / "out.csv").read_text().splitlines()
    assert text[0].startswith("provider,vehicle,time,online")
    assert text[1].startswith("import,=1+1,2026-11-01T10:00:00.000Z")
    assert "implausible:soc_pct" in text[3]
    lines = [json.loads(line) for line in (filled / "out.ndjson").read_text().splitlines()]
    assert lines[2]["flags"] == ["implausible:soc_pct"]
    assert lines[2]["soc_pct"] is None
    assert not list(filled.glob("*.part"))


def test_an_export_goes_to_stdout_bounded_by_time_and_vehicle(filled: Path) -> None:
    done = voltrail(filled, "export", "status", "--since", "2026-11-02", "--until", "2026-11-03", "--vehicle", "=1+1")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    assert "2026-11-02T10:00:00.000Z" in done.stdout


def test_a_day_is_a_day_of_the_zone_in_the_settings(filled: Path) -> None:
    text = (filled / "voltrail.toml").read_text()
    (filled / "voltrail.toml").write_text(text.replace("[collector]", '[collector]\ntimezone = "Pacific/Kiritimati"'))
    done = voltrail(filled, "export", "status", "--until", "2026-11-02")  # begins at 10:00 UTC the day before
    assert len(done.stdout.splitlines()) == 1


def test_status_is_text_for_people_and_json_for_programs(filled: Path) -> None:
    done = voltrail(filled, "status")
    assert done.returncode == 0
    assert "moped 7" in done.stdout
    assert "52.00000, 5.00000" in done.stdout
    printed = json.loads(voltrail(filled, "status", "--json", "--vehicle", "moped 7").stdout)
    (vehicle,) = printed["vehicles"]
    assert (vehicle["vehicle"], vehicle["soc_pct"], vehicle["lat_deg"], vehicle["state"]) == (
        "moped 7",
        None,
        None,
        "silent",
    )
    (sink,) = printed["sinks"]
    assert 0 <= sink.pop("age_s") < 60
    assert sink == {"name": "lake", "waiting": 0, "failures": 0, "error": ""}


def test_status_and_export_before_anything_came_are_empty_and_no_error(tmp_path: Path) -> None:
    assert "nothing is stored yet" in voltrail(tmp_path, "status").stdout
    assert len(voltrail(tmp_path, "export", "pack").stdout.splitlines()) == 1


def test_replay_prints_what_differs_for_people_and_for_programs(filled: Path) -> None:
    done = voltrail(filled, "replay", "--since", "2026-11-02T10:00Z", "--until", "2026-11-02T11:00Z")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^status +2 +2 +1 +0$", done.stdout, re.M)
    assert "messages decoded again: 2; whole days of UTC, from 2026-11-02 up to 2026-11-03" in done.stdout
    printed = json.loads(voltrail(filled, "replay", "--json", "--vehicle", "moped 7").stdout)
    assert (printed["messages"], printed["since"], printed["left"]) == (2, None, [])
    assert {"table": "status", "before": 1, "after": 1, "days": 2, "days_changed": 0} in printed["tables"]
    assert "neither the lake nor the messages have rows" in voltrail(filled, "replay", "--vehicle", "ghost").stdout


def test_sources_lists_what_each_field_becomes_and_what_is_never_reported(filled: Path) -> None:
    done = voltrail(filled, "sources")
    assert done.returncode == 0
    assert re.search(r"city +status +powerPercent +status +soc_pct +%", done.stdout)
    assert re.search(r"city +battery-info +data.batteryData\[\].cycleTimes +pack +pack_cycles", done.stdout)
    assert "city cannot tell:" in done.stdout
    told = done.stdout.partition("city, unless [vehicles] says otherwise:\n")[2].partition("\n\n")[0].splitlines()
    assert told == [
        "- Unlocked, a vehicle is used by somebody.",
        "- Its packs can be swapped.",
        "- Parked, it speaks every 900 s.",
    ]
    printed = json.loads(voltrail(filled, "sources", "--json").stdout)
    assert {
        "source": "city",
        "message": "fault",
        "field": "code",
        "table": "event",
        "signal": "code",
        "unit": "",
    } in printed["fields"]
    assert printed["traits"] == {"city": {"lock": "use", "swappable": True, "cadence_s": 900}}


def test_init_writes_settings_once_and_run_then_says_what_is_missing(tmp_path: Path) -> None:
    assert voltrail(tmp_path, "init", "--client-id", "A1", VOLTRAIL_SEGWAY_CLIENT_SECRET="s").returncode == 0
    assert "is there already" in voltrail(tmp_path, "init").stderr
    assert "client_secret_file" in voltrail(tmp_path, "run").stderr


def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "city.secret").write_text(SECRET)
        (tmp_path / "voltrail.toml").write_text(SETTINGS.format(port=port))
        done = voltrail(tmp_path, "run")
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr


@pytest.mark.parametrize(
    "words", ["status --json", "sources", "check", "export quarantine", "replay", "analyze", "poll --once", "run"]
)
def test_the_secret_is_in_no_output_of_a_command_that_has_read_it(filled: Path, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = SETTINGS.format(port=taken.getsockname()[1]) + 'base_url = "http://127.0.0.1:1"\nvehicles = ["1"]\n'
        (filled / "voltrail.toml").write_text(settings)
        assert segway_accounts(load_settings(filled / "voltrail.toml"))[0].client_secret == SECRET
        done = voltrail(filled, *words.split(), "--debug")
    assert done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_the_log_has_no_line_for_each_request_to_a_cloud(tmp_path: Path) -> None:
    code = "import logging; from logger.service.child import set_up_logging; set_up_logging('x', debug=True);"
    code += "logging.getLogger('httpx').info('GET /?iotCode=1'); logging.getLogger('logger').info('ours')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ours" in done.stderr
    assert "GET" not in done.stderr


def test_the_settings_may_be_named_by_the_environment(filled: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = voltrail(elsewhere, "status", VOLTRAIL_CONFIG=str(filled / "voltrail.toml"))
    assert "moped 7" in done.stdout


def test_an_export_into_a_folder_that_is_not_there_is_one_line(filled: Path) -> None:
    done = voltrail(filled, "export", "status", "--out", "no/such/folder.csv")
    assert done.returncode == 2
    assert "cannot write no/such/folder.csv" in done.stderr
