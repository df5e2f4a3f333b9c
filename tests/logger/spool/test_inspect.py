"""The read-only reader agrees with the spool itself and changes nothing on disk."""

from contextlib import closing
from pathlib import Path

import pytest

from logger.errors import Retry
from logger.spool.inspect import SpoolReader, Waiting
from logger.spool.log import Spool
from tests.logger.spool.test_log import SINKS, envelope


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_without_a_spool_stays_empty(tmp_path: Path) -> None:
    reader = SpoolReader(tmp_path)
    assert not reader.exists
    with pytest.raises(Retry, match=r"spool\.db: unable to open database file"):
        reader.waiting(["lake"])
    assert files(tmp_path) == []


@pytest.mark.parametrize("is_open", [True, False])
def test_the_reader_agrees_with_the_spool(tmp_path: Path, is_open: bool) -> None:
    spool = Spool(tmp_path, SINKS)
    for number in range(1, 5):
        spool.append([envelope(number, at=number * 1000)])
    spool.settle("lake", 4)
    spool.settle("influx", 1)
    size, depths = spool.bytes, [spool.depth(sink) for sink in SINKS]
    if not is_open:
        spool.close()
    before, reader = files(tmp_path), SpoolReader(tmp_path)
    assert reader.exists
    assert reader.bytes() == size
    assert reader.waiting(SINKS) == [Waiting("lake", depths[0], 0), Waiting("influx", depths[1], 2000)]
    assert list(reader.newest(2)) == [envelope(4, at=4000), envelope(3, at=3000)]
    assert files(tmp_path) == before
    spool.close()


def test_all_messages_in_the_spool_wait_for_a_sink_that_is_new(tmp_path: Path) -> None:
    with closing(Spool(tmp_path)) as spool:
        spool.append([envelope(1, at=1000)])
        spool.settle("lake", 1)
        spool.append([envelope(2, at=2000), envelope(3, at=3000)])
    assert SpoolReader(tmp_path).waiting(["lake", "influx"]) == [Waiting("lake", 2, 2000), Waiting("influx", 2, 2000)]
    with closing(Spool(tmp_path, SINKS)) as spool:
        assert spool.depth("influx") == 2
