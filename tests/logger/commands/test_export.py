"""Where `export` writes: into a file that is whole or not there, through a link, into a pipe."""

import io
import os
import threading
from pathlib import Path

import polars as pl
import pytest

from logger.commands.export import FORMATS, export_rows, write_bytes
from logger.errors import ConfigError

ROWS = pl.LazyFrame({"vehicle": ["v1", "v2"], "soc_pct": [80.0, None]})


@pytest.mark.parametrize("form", FORMATS)
def test_a_pipe_is_written_directly_and_stays(tmp_path: Path, form: str) -> None:
    pipe, received = tmp_path / "pipe", list[bytes]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    export_rows(ROWS, form, pipe)
    reader.join(timeout=30)
    assert pipe.is_fifo()
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]
    if form == "parquet":
        assert pl.read_parquet(io.BytesIO(received[0])).equals(ROWS.collect())
    else:
        assert b"v2" in received[0] or received[0].startswith(b"PK")


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "folder" / "link.csv"
    target.write_bytes(b"old")
    link.parent.mkdir()
    link.symlink_to("../target.csv")
    write_bytes(b"new", link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_link_that_leads_to_nothing_yet_gets_a_target(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to("target.csv")
    write_bytes(b"new", tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "target.csv").read_bytes() == b"new"


def test_a_folder_is_no_place_for_an_export(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot write .*: Is a directory"):
        write_bytes(b"new", tmp_path)
    assert tmp_path.is_dir()


@pytest.mark.parametrize("form", ["csv", "ndjson", "xlsx"])
def test_bytes_that_are_no_text_are_written_as_base64_and_cost_no_other(form: str, tmp_path: Path) -> None:
    rows = pl.LazyFrame({"body": [b"\xff\xfe", b"as it came", None]})
    export_rows(rows, form, tmp_path / "out")
    written = (tmp_path / "out").read_bytes()
    if form == "xlsx":
        assert written.startswith(b"PK")
    else:
        assert b"//4=" in written
        assert b"as it came" in written
