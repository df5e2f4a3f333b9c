"""A replay that is killed, runs out of disk, finds damage, or works beside a running service."""

import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from logger.commands.replay import replay
from logger.deliver.refused_rows import QuarantinedRows
from logger.errors import Retry
from logger.locks import clear_scratch, is_requested, scratch_folder, take_over
from logger.settings import schema
from logger.stores import open_lake
from logger.tables import RAW
from tests.helpers.data_folder import TWO_DAYS, Tables, differences, read_tables
from tests.helpers.segway_settings import segway_accounts


def on_disk(settings: schema.Settings) -> Path:
    """These settings as a file for the command line."""
    model, scale = settings.sources[0].model, settings.model(settings.sources[0].model).odometer_scale
    text = f'[collector]\ndata_dir = "data"\n[models."{model}"]\nodometer_scale = {scale}\n'
    for each in segway_accounts(settings):
        text += f'[[sources]]\nkind = "segway"\nname = "{each.name}"\nclient_id = "{each.client_id}"\n'
        text += f'client_secret_file = "secret"\nmodel = "{model}"\nvehicles = {list(each.vehicles)}\n'
    (settings.data_dir.parent / "secret").write_text(segway_accounts(settings)[0].client_secret)
    file = settings.data_dir.parent / "voltrail.toml"
    file.write_text(text)
    return file


def command(file: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "voltrail", "replay", "--config", str(file), *more]


def killed_at(words: Sequence[str], line: str, place: int) -> None:
    """Run until the log has this line for so many times, and no further."""
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        seen = sum(1 for _ in zip(range(place), (each for each in process.stderr if line in each), strict=False))
        process.send_signal(signal.SIGKILL)
    assert (seen, process.returncode) == (place, -signal.SIGKILL)


@pytest.mark.parametrize(("line", "place"), [("decode ends", 1), ("replacement begins", 1), ("replacement begins", 5)])
def test_after_a_kill_each_day_is_old_or_new_and_another_replay_does_the_rest(
    changed_settings: schema.Settings, new_tables: Tables, line: str, place: int
) -> None:
    before = read_tables(changed_settings)
    killed_at(command(on_disk(changed_settings), "--debug"), line, place)
    assert (changed_settings.data_dir / "replay").exists()
    for name, rows in read_tables(changed_settings).items():
        for day in rows["time"].dt.date().unique():
            found, old, new = (
                each[name].filter(pl.col("time").dt.date() == day)
                for each in (read_tables(changed_settings), before, new_tables)
            )
            assert found.equals(old) or found.equals(new), f"{name} {day}"
    replay(changed_settings)
    assert differences(read_tables(changed_settings), new_tables) == {}
    assert not (changed_settings.data_dir / "replay").exists()


def test_a_full_disk_is_one_line_and_costs_nothing(changed_settings: schema.Settings, new_tables: Tables) -> None:
    before, file = read_tables(changed_settings), on_disk(changed_settings)
    limit = (2000, resource.getrlimit(resource.RLIMIT_FSIZE)[1])
    done = subprocess.run(
        command(file),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert differences(read_tables(changed_settings), before) == {}
    done = subprocess.run(command(file), capture_output=True, text=True, check=True)
    assert differences(read_tables(changed_settings), new_tables) == {}
    assert f"messages decoded again: {len(TWO_DAYS)}" in done.stdout
    assert done.stderr == ""


def test_a_damaged_day_file_is_named_and_nothing_is_replaced(changed_settings: schema.Settings) -> None:
    before = read_tables(changed_settings)
    file = changed_settings.data_dir / "raw" / "2026-10-02.zst"
    data = bytearray(file.read_bytes())
    data[len(data) // 2 :] = bytes(len(data) - len(data) // 2)
    file.write_bytes(data)
    with pytest.raises(Retry, match=r"2026-10-02\.zst is damaged at byte \d+"):
        replay(changed_settings)
    assert differences(read_tables(changed_settings), before) == {}


def test_what_a_kill_left_is_removed_by_whoever_writes_to_the_lake_next(changed_settings: schema.Settings) -> None:
    with take_over(changed_settings.data_dir), scratch_folder(changed_settings.data_dir) as place:
        assert is_requested(changed_settings.data_dir)
        place.mkdir()
        (place / "left").touch()
    assert not place.exists()
    assert not is_requested(changed_settings.data_dir)
    place.mkdir()
    clear_scratch(changed_settings.data_dir)
    assert not place.exists()


def test_what_a_store_refused_stays_in_quarantine(changed_settings: schema.Settings) -> None:
    row = open_lake(changed_settings).scan("status").head(1).collect()
    refusals = QuarantinedRows(open_lake(changed_settings, "refused"))
    refusals.add(RAW["status"], row, "a word where a number should be")
    refusals.write()
    for vehicles in (None, [row["vehicle"][0]], ["another"]):
        replay(changed_settings, vehicles=vehicles)
        (kept,) = (
            open_lake(changed_settings).scan("quarantine").filter(pl.col("source") == "influx").collect().to_dicts()
        )
        assert (kept["vehicle"], kept["path"], kept["sequence"]) == (row["vehicle"][0], "status", row["sequence"][0])
