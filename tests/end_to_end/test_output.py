"""How commands print: tables, colour and progress on a terminal, plain text elsewhere, and never a raw control."""

import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import polars as pl
import pytest

from tests.helpers.command_line import voltrail, voltrail_on_terminal

CASE = Path(__file__).parents[1] / "cases" / "upgrade" / "0.1" / "folder.tar.xz"
COLOUR = re.compile(r"\x1b\[[\d;]*m")
MOVES = re.compile(r"\x1b\[\??\d*[A-HJKhl]")  # the cursor, by a progress bar
BOXES = re.compile("[─-╿]")
# Sets the window's title and a colour, returns to the line's start, reverses the text; and the CSI of C1.
HOSTILE = "evil\x1b]0;owned\x07\x1b[31m\r\u202egnp.\x9b2J"
ESCAPED = r"evil\x1b]0;owned\x07\x1b[31m\r\u202egnp.\x9b2J"
FILE = HOSTILE.replace("[", "") + ".csv"  # brackets in a file's name are a pattern


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a fleet of three."""
    folder = tmp_path_factory.mktemp("fleet")
    with tarfile.open(CASE) as packed:
        packed.extractall(folder, filter="data")
    settings = folder / "voltrail.toml"
    text = settings.read_text().replace("[[sources]]", '[[sources]]\nbase_url = "http://127.0.0.1:1"')
    settings.write_text(text.replace('"127.0.0.1:8080"', '"127.0.0.1:0"'))
    return folder


@pytest.fixture
def fleet(unpacked: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(unpacked, tmp_path / "fleet"))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Settings and rows whose account, vehicle, label, provider and file have names that control a terminal."""
    (tmp_path / "city.secret").write_text("s")
    name = json.dumps(HOSTILE)  # which is how TOML quotes it, too
    (tmp_path / "voltrail.toml").write_text(
        f'[collector]\ndata_dir = "data"\nlisten = "127.0.0.1:0"\n\n[[sources]]\nkind = "segway"\nname = "city"\n'
        f'client_id = "A1"\nclient_secret_file = "city.secret"\nbase_url = "http://127.0.0.1:1"\nvehicles = [{name}]\n'
        f"[vehicles.{name}]\nlabel = {name}\nmodel = {name}\n[models.{name}]\nnominal_voltage_v = 400\n"
    )
    return tmp_path


def import_hostile(folder: Path) -> str:
    """Import a row of that vehicle by that provider from that file; return what was printed."""
    rows = pl.DataFrame({"time": ["2026-11-01T10:00:00Z"], "vehicle": [HOSTILE], "voltage_v": [48.0]})
    rows.with_columns(odometer_m=pl.lit(1000.0)).write_csv(folder / FILE)
    done = voltrail(folder, "import", FILE, "--provider", HOSTILE)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def is_harmless(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


# ---- names from outside ----------------------------------------------------------------------------------------------


def test_a_hostile_name_is_printed_as_escapes_by_import_status_and_check(hostile: Path) -> None:
    printed = import_hostile(hostile)
    assert is_harmless(printed)
    assert ESCAPED.replace("[", "") in printed
    for command in ("status", "check"):
        done = voltrail(hostile, command)
        assert is_harmless(done.stdout + done.stderr)
        assert ESCAPED in done.stdout


def test_a_hostile_name_does_not_reach_a_terminal_raw(hostile: Path) -> None:
    import_hostile(hostile)
    for words in (["status"], ["check"], ["analyze"], ["import", FILE, "--provider", HOSTILE]):
        _, shown = voltrail_on_terminal(hostile, *words, columns=250)
        bare = MOVES.sub("", COLOUR.sub("", shown)).replace("\r", "")
        assert is_harmless(bare), words
        assert words == ["analyze"] or r"evil\x1b]0;owned" in bare


@pytest.mark.parametrize(
    "words",
    [
        ["import", f"{HOSTILE}.csv"],
        ["import", "good.csv", "--map", f"{HOSTILE}=soc_pct"],
        ["import", "local.csv", "--tz", HOSTILE],
        ["status", "--vehicle", HOSTILE],
        ["analyze", HOSTILE],
        ["analyze", "--vehicle", HOSTILE],
        ["export", HOSTILE],
        ["export", "status", "--format", HOSTILE],
        ["export", "status", "--out", f"no/{HOSTILE}"],
        ["export", "gpx", "--trip", HOSTILE],
        ["export", "status", "--since", HOSTILE],
        ["copy", "--from", HOSTILE, "--to", "lake"],
        ["certify", HOSTILE],
        ["certify", "--verify", f"{HOSTILE}.json"],
        ["status", "--config", f"{HOSTILE}.toml"],
        ["init", "--out", f"no/{HOSTILE}"],
        [HOSTILE],
        ["status", f"--{HOSTILE}"],
        ["export", "status", "--out", f"no/{HOSTILE}", "--debug"],
    ],
)
def test_an_error_escapes_what_it_repeats(hostile: Path, words: list[str]) -> None:
    (hostile / "good.csv").write_text("time,vehicle,soc_pct\n2026-11-01T10:00:00Z,a,1\n")
    (hostile / "local.csv").write_text("time,vehicle,soc_pct\n2026-11-01 10:00:00,a,1\n")
    done = voltrail(hostile, *words)
    assert done.returncode in (1, 2)
    assert is_harmless(done.stderr)
    assert "voltrail: " in done.stderr
    assert r"\x1b]0;owned" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("words", [["import", "good.csv"], ["analyze"], ["rollup"], ["replay"], ["poll", "--once"]])
def test_a_file_in_the_place_of_the_data_folder_is_named_with_what_to_do(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "good.csv").write_text("time,vehicle,soc_pct\n2026-11-01T10:00:00Z,a,1\n")
    (tmp_path / "voltrail-data").touch()
    done = voltrail(tmp_path, *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "voltrail-data" in done.stderr
    assert done.stderr.endswith(": a file is in the place of a folder: look at `data_dir`\n")


def test_a_log_line_cannot_begin_another_and_a_traceback_is_escaped() -> None:
    code = "import logging; from logger.service.child import set_up_logging; set_up_logging('x', debug=False);"
    code += "logging.error('no vehicle %s', 'a\\x1b[31m\\nERROR forged');"
    code += "\ntry: raise ValueError('b\\u202e')\nexcept ValueError: logging.exception('failed')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert is_harmless(done.stderr)
    assert r"no vehicle a\x1b[31m\nERROR forged" in done.stderr.splitlines()[0]
    assert done.stderr.splitlines()[-1] == r"ValueError: b\u202e"


def test_a_warning_of_a_command_without_a_log_is_escaped() -> None:
    code = "import logging; from logger.commands.output import print_warnings; print_warnings();"
    code += "logging.getLogger('x').warning('cannot read %s', 'a\\x1bb'); logging.getLogger('x').info('not this')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "voltrail: cannot read a\\x1bb\n"


@pytest.mark.parametrize(
    "words",
    [
        ["status", "--json"],
        ["export", "status"],
        ["export", "status", "--format", "ndjson"],
        ["certify", HOSTILE],
        ["report", "fleet"],
    ],
)
def test_data_on_a_terminal_is_escaped_as_well(hostile: Path, words: list[str]) -> None:
    import_hostile(hostile)
    code, shown = voltrail_on_terminal(hostile, *words, columns=250)
    bare = MOVES.sub("", COLOUR.sub("", shown)).replace("\r", "")
    assert (code, is_harmless(bare)) == (0, True)
    assert words == ["report", "fleet"] or "gnp." in bare


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
def test_data_that_is_no_text_is_not_for_a_terminal(hostile: Path, form: str) -> None:
    code, shown = voltrail_on_terminal(hostile, "export", "status", "--format", form, columns=250)
    assert code == 2
    assert "this is no text for a terminal: name a file with --out FILE" in shown


def test_data_keeps_the_name_as_it_is(hostile: Path) -> None:
    import_hostile(hostile)
    vehicles = json.loads(voltrail(hostile, "status", "--json").stdout)["vehicles"]
    assert {each["vehicle"] for each in vehicles} == {HOSTILE}
    for form, read in (("csv", pl.read_csv), ("ndjson", pl.read_ndjson), ("parquet", pl.read_parquet)):
        assert voltrail(hostile, "export", "status", "--format", form, "--out", f"out.{form}").returncode == 0
        assert read(hostile / f"out.{form}")["vehicle"].to_list() == [HOSTILE]


# ---- piped -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["--help", "export --help", "status", "check", "analyze", "sources", "replay"])
def test_a_pipe_gets_plain_text_that_is_neither_wrapped_nor_cut(fleet: Path, words: str) -> None:
    done = voltrail(fleet, *words.split())
    assert done.returncode == 0
    assert is_harmless(done.stdout)
    assert not BOXES.search(done.stdout)
    assert not re.search(r"\.\.\.$", done.stdout.replace("[ARGS]...", ""), re.M)
    assert done.stderr == ""


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "dumb")])
@pytest.mark.parametrize("words", ["status", "analyze", "--help", "export nothing"])
def test_a_terminal_without_colour_gets_plain_text(fleet: Path, words: str, setting: tuple[str, str]) -> None:
    _, shown = voltrail_on_terminal(fleet, *words.split(), environment=dict([setting]))
    assert "\x1b" not in shown
    assert not BOXES.search(shown)


def test_a_program_can_split_a_table_whatever_blanks_its_names_hold(fleet: Path) -> None:
    labels = ["a  b", "c\td", "x" * 150]
    (fleet / "rows.csv").write_text(
        "time,vehicle,soc_pct\n" + "".join(f'2026-11-01T10:00:00Z,"{label}",{n}\n' for n, label in enumerate(labels))
    )
    assert voltrail(fleet, "import", "rows.csv").returncode == 0
    head, *rows = voltrail(fleet, "status").stdout.partition("\n\n")[0].splitlines()
    cells = [re.split(r"  +", row) for row in rows]
    assert re.split(r"  +", head) == ["vehicle", "age", "charge", "state", "odometer", "position"]
    assert {len(row) for row in cells} == {6}
    assert {r"a \x20b", r"c\td", "x" * 150} <= {row[0] for row in cells}


def test_help_on_a_terminal_cuts_no_summary(tmp_path: Path) -> None:
    for columns in (80, 100):
        for no_colour in ("", "1"):
            code, shown = voltrail_on_terminal(tmp_path, "--help", columns=columns, environment={"NO_COLOR": no_colour})
            assert code == 0
            assert not re.search(r"(\.\.\.|…)\W*$", COLOUR.sub("", shown).replace("[ARGS]...", ""), re.M)


# ---- on a terminal ---------------------------------------------------------------------------------------------------


def test_a_terminal_gets_a_table_with_colour(fleet: Path) -> None:
    code, shown = voltrail_on_terminal(fleet, "status")
    assert code == 0
    assert COLOUR.search(shown)
    assert BOXES.search(shown)
    assert "Moped 1" in shown or "860000000000001" in shown


def test_a_narrow_terminal_wraps_cells_and_loses_nothing(fleet: Path) -> None:
    _, wide = voltrail_on_terminal(fleet, "status", columns=100)
    _, narrow = voltrail_on_terminal(fleet, "status", columns=50)
    assert "…" not in narrow
    table_of = [re.sub(r"[\s─]", "", COLOUR.sub("", shown).partition("\n\n")[0]) for shown in (wide, narrow)]
    assert sorted(table_of[0]) == sorted(table_of[1])


def test_a_progress_bar_is_shown_on_a_terminal_and_taken_away_again(fleet: Path) -> None:
    for words in (["analyze"], ["export", "status", "--out", "status.csv"], ["rollup"], ["replay"]):
        code, shown = voltrail_on_terminal(fleet, *words)
        assert code == 0, shown
        assert "━" in shown, words
        assert "\x1b[?25h" in shown.rpartition("━")[2], "the cursor is shown again"


def test_data_on_a_terminal_is_data_alone(fleet: Path) -> None:
    for words in (["status", "--json"], ["export", "status"]):
        _, shown = voltrail_on_terminal(fleet, *words)
        assert "\x1b" not in shown, words


def test_a_reader_that_closes_the_pipe_early_is_no_error(fleet: Path) -> None:
    for words in ("sources", "status"):
        with subprocess.Popen(
            [sys.executable, "-m", "voltrail", words], cwd=fleet, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stderr
            process.stdout.close()
            assert (process.stderr.read(), process.wait()) == (b"", 0), words


# ---- nothing is created ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["status", "check", "export status", "sources"])
def test_a_command_that_reads_creates_nothing_in_an_empty_folder(tmp_path: Path, command: str) -> None:
    done = voltrail(tmp_path, *command.split())
    assert list(tmp_path.iterdir()) == []
    assert done.returncode == (2 if command == "sources" else 0)


def test_status_of_an_empty_folder_says_that_nothing_is_stored_yet(tmp_path: Path) -> None:
    done = voltrail(tmp_path, "status")
    assert "nothing is stored yet" in done.stdout
    assert "0 messages wait, its feeder has never run" in done.stdout
    assert json.loads(voltrail(tmp_path, "status", "--json").stdout)["vehicles"] == []


def test_status_and_check_change_no_file_of_a_folder_in_use(fleet: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in fleet.rglob("*")}
    for command in ("status", "check"):
        assert voltrail(fleet, command).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in fleet.rglob("*")} == before


# ---- completion ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("voltrail sta", {"status"}),
        ("voltrail export sta", {"status", "states", "standby", "states_1d", "status_5m", "status_1d"}),
        ("voltrail export gp", {"gpx"}),
        ("voltrail analyze tri", {"trips"}),
        ("voltrail copy --from la", {"lake"}),
        ("voltrail copy --to ", {"lake", "influx"}),
    ],
)
def test_a_shell_completes_commands_tables_and_stores(tmp_path: Path, typed: str, offered: set[str]) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" ")), "_VOLTRAIL_COMPLETE": "complete_bash"}
    code = "import sys; sys.argv = ['voltrail']; import voltrail; voltrail.main()"
    done = subprocess.run([sys.executable, "-c", code], env=words, capture_output=True, text=True, check=True)
    assert offered <= set(done.stdout.split())
    assert all(each.startswith(typed.rpartition(" ")[2]) for each in done.stdout.split())


def test_the_completion_script_is_printed(tmp_path: Path) -> None:
    done = voltrail(tmp_path, "--show-completion", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 2  # a shell must be named where none is detected
    named = voltrail(tmp_path, "--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "complete -o default" in named.stdout
