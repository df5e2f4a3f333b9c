"""The documents are true: every command has help and a line, every quick start works, nothing points nowhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

import voltrail
from logger.settings.load import parse_settings
from logger.settings.schema import AccountSettings
from logger.signals import SIGNALS
from logger.sources import KINDS
from logger.sources.documents import limits, sample_settings
from logger.tables import RAW

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "demo" for part in path.parts[len(ROOT.parts) :])
)
COMMANDS = sorted(get_command(voltrail.app).commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example_and_a_line_in_the_readme(command: str) -> None:
    text = get_command(voltrail.app).commands[command].help or ""  # type: ignore[attr-defined]
    assert f"Example: voltrail {command}" in text
    assert f"`voltrail {command}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_says_what_it_is(command: str) -> None:
    for parameter in get_command(voltrail.app).commands[command].params:  # type: ignore[attr-defined]
        assert getattr(parameter, "help", None), f"{command}: {parameter.name}"


def test_the_quick_start_is_two_commands() -> None:
    block = re.search(r"## Quick start\n.*?```\w*\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert block
    assert [line.split("#")[0].strip() for line in block[1].strip().splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_named_files_exist(document: Path) -> None:
    text = document.read_text()
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (document.parent / target).exists(), target
    for target in re.findall(r"`((?:logger|analytics|dashboards|tests|deploy)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_in_code_blocks_use_options_that_exist(document: Path) -> None:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", document.read_text(), re.S))
    for line in re.findall(r"^voltrail (\w[^\n]*(?:\\\n[^\n]*)*)", blocks, re.M):
        words = line.replace("\\\n", " ").split()
        assert words[0] in COMMANDS, line
        known = {name for parameter in get_command(voltrail.app).commands[words[0]].params for name in parameter.opts}  # type: ignore[attr-defined]
        for word in words[1:]:
            if word.startswith("--"):
                assert word.partition("=")[0] in {*known, "--help"}, line


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_sample_settings_of_a_source_load(kind: type[AccountSettings], tmp_path: Path) -> None:
    folder = ROOT / "logger" / "sources" / KINDS[kind].provider.replace("-", "_")
    blocks = re.findall(r"```toml\n(.*?)```", (folder / "README.md").read_text(), re.S)
    for file in re.findall(r'_file = "(.+?)"', "".join(blocks)):
        (tmp_path / file).write_text("a-secret")
    settings = parse_settings("\n".join(blocks), tmp_path / "voltrail.toml", {})
    assert [type(source) for source in settings.sources] == [kind]
    assert sample_settings(KINDS[kind].provider)
    assert limits(KINDS[kind].provider).startswith("- "), "`voltrail sources` prints it"


def test_a_document_names_no_signal_or_table_that_is_not_there() -> None:
    names = re.findall(r"`([a-z]+(?:_[a-z]+)*_(?:pct|kmh|m|s|wh|v|a|w|c|deg|kpa))`", (ROOT / "README.md").read_text())
    columns = {column for table in RAW.values() for column in table.columns}
    assert set(names) <= {*SIGNALS, *columns}


def test_help_is_fast_because_nothing_heavy_is_imported_for_it() -> None:
    assert not imported("import voltrail", "polars", "deltalake", "uvicorn", "httpx", "rich")


@pytest.mark.parametrize("module", ["service.main", "service.feeder", "service.receiver", "service.supervisor"])
def test_a_process_of_the_service_does_not_load_what_only_a_terminal_needs(module: str) -> None:
    assert not imported(f"import logger.{module}", "rich", "pygments", "typer")


def test_an_analysis_on_schedule_does_not_load_what_only_a_terminal_needs() -> None:
    assert not imported("import analytics.engine.process", "rich", "pygments", "typer")


def imported(code: str, *names: str) -> list[str]:
    """Those of these modules that a process holds which ran this code."""
    code = f"import sys; {code}; print(*(name for name in {names} if name in sys.modules))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
