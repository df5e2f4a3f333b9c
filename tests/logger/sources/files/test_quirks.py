"""Every usual quirk of CSV files is read without an option, but for the zone of local times."""

from pathlib import Path

import pytest

from logger.sources.files.read import Options, read_file
from tests.cases.imports.quirks import QUIRKS, Quirk


@pytest.mark.parametrize("quirk", QUIRKS, ids=lambda quirk: quirk.name)
def test_a_quirk_is_read(tmp_path: Path, quirk: Quirk) -> None:
    path = tmp_path / "file"
    path.write_bytes(quirk.data)
    rows = read_file(path, Options(zone=quirk.options.get("tz", "")))
    assert rows.select("time", quirk.column).rows() == list(quirk.rows)
    assert rows["vehicle"].null_count() == 0
