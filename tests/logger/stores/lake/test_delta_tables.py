"""Which commits of a table are put on disk."""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from logger.stores.lake.delta import empty_table, partition_column, table_configuration
from logger.stores.lake.delta_tables import DeltaTables


class RecordingTables(DeltaTables):
    """Tables that record which versions were synced."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.synced: list[tuple[str, int]] = []

    def sync(self, name: str, version: int) -> None:
        super().sync(name, version)
        self.synced.append((name, version))


@pytest.fixture
def tables(tmp_path: Path) -> RecordingTables:
    return RecordingTables(str(tmp_path))


def test_the_commit_that_creates_a_table_is_synced(tables: RecordingTables) -> None:
    tables.ensure("pack")
    assert tables.synced == [("pack", 0)]
    tables.ensure("pack")
    assert tables.synced == [("pack", 0)]


def test_the_commit_that_adds_columns_is_synced(tables: RecordingTables, tmp_path: Path) -> None:
    (tmp_path / "pack").mkdir()
    DeltaTable.create(
        str(tmp_path / "pack"),
        empty_table("pack").drop_columns(["pack_soc_pct"]).schema,
        partition_by=[partition_column("pack")],
        configuration=table_configuration("pack"),
    )
    delta = tables.ensure("pack")
    assert "pack_soc_pct" in {field.name for field in delta.schema().fields}
    assert tables.synced[-1] == ("pack", 1)
