"""The spool keeps its invariants: whatever is appended is on disk, in order, until every sink has settled it."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from logger.envelope import Envelope
from logger.errors import Retry
from logger.spool.log import Spool, SpoolFull

SINKS = ("lake", "influx")
DAY_MS = 86_400_000


VEHICLES = ("a", "b", "c")


def vehicle(number: int) -> str:
    """The vehicle that this message is from."""
    return VEHICLES[number // 2 % 3]


def envelope(number: int, at: int = 0, size: int = 10) -> Envelope:
    return Envelope("fleet", "status", at, "push", f"{number}".encode().ljust(size, b"."))


def test_sequences_count_from_one_in_the_order_of_append(spool: Spool) -> None:
    assert spool.append([envelope(1), envelope(2)]) == 2
    assert spool.append([envelope(3)]) == 3
    batch = spool.read("lake")
    assert batch.sequences == [1, 2, 3]
    assert batch.envelopes == [envelope(1), envelope(2), envelope(3)]


def test_reading_again_gives_the_same_until_it_is_settled(spool: Spool) -> None:
    spool.append([envelope(1), envelope(2), envelope(3)])
    assert spool.read("lake") == spool.read("lake")
    spool.settle("lake", 2)  # in the middle of what was appended together
    assert spool.read("lake").sequences == [3]
    assert spool.depth("lake") == 1


def test_a_limit_still_gives_at_least_one_commit(spool: Spool) -> None:
    spool.append([envelope(1), envelope(2)])
    spool.append([envelope(3)])
    assert spool.read("lake", limit=1).sequences == [1, 2]


def test_sequences_go_on_after_everything_is_settled_and_the_file_opened_again(tmp_path: Path) -> None:
    first = Spool(tmp_path)
    first.append([envelope(1), envelope(2)])
    first.settle("lake", 2)
    first.close()
    again = Spool(tmp_path)
    assert again.append([envelope(3)]) == 3
    assert again.log_id == first_log_id(tmp_path)
    again.close()


def first_log_id(folder: Path) -> str:
    with closing(sqlite3.connect(folder / "spool.db")) as db:
        return str(db.execute("SELECT log FROM identity").fetchone()[0])


def test_two_processes_that_append_never_share_a_sequence(tmp_path: Path) -> None:
    one, other = Spool(tmp_path), Spool(tmp_path)
    assert [one.append([envelope(1)]), other.append([envelope(2)]), one.append([envelope(3)])] == [1, 2, 3]
    one.close()
    other.close()


def test_a_full_spool_refuses_messages_keeps_all_it_has_and_accepts_again_when_there_is_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=300_000)
    taken = 0
    while spool.bytes < 290_000:
        taken = spool.append([envelope(taken, size=5000)])
    with pytest.raises(SpoolFull, match="mend the sink lake"):
        spool.append([envelope(taken, size=20_000)])
    assert 20 < taken < 60
    assert len(spool.read("lake")) == taken
    spool.settle("lake", taken)
    assert spool.append([envelope(taken, size=5000)]) == taken + 1
    spool.close()


def test_settled_messages_are_in_the_archive_file_of_the_day_they_were_received(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([envelope(1, at=DAY_MS)])
    spool.append([envelope(2, at=2 * DAY_MS)])
    spool.settle("lake", 2)
    assert sorted(file.name for file in (tmp_path / "raw").iterdir()) == ["1970-01-02.zst", "1970-01-03.zst"]
    (batch,) = spool.read_archive(2 * DAY_MS, 3 * DAY_MS)
    assert (batch.sequences, batch.envelopes) == ([2], [envelope(2, at=2 * DAY_MS)])
    spool.close()


def test_what_a_crash_left_behind_the_last_frame_is_cut_off(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.append([envelope(1)])
    spool.settle("lake", 1)
    with (tmp_path / "raw" / "1970-01-01.zst").open("ab") as file:
        file.write(b"half a frame that was never indexed")
    spool.append([envelope(2)])
    spool.settle("lake", 2)
    assert [batch.sequences for batch in spool.read_archive(0, DAY_MS)] == [[1], [2]]
    spool.close()


def test_archive_files_are_kept_for_raw_days(tmp_path: Path) -> None:
    spool = Spool(tmp_path, raw_days=30)
    for day in (1, 20, 40):
        spool.append([envelope(day, at=day * DAY_MS)])
    spool.settle("lake", 3)
    spool.delete_old_archives("1970-02-15")
    assert sorted(file.stem for file in (tmp_path / "raw").iterdir()) == ["1970-01-21", "1970-02-10"]
    assert [batch.sequences for batch in spool.read_archive(0, 100 * DAY_MS)] == [[2], [3]]
    spool.close()


def test_an_archive_file_that_cannot_be_deleted_is_a_retry(tmp_path: Path) -> None:
    spool = Spool(tmp_path, raw_days=30)
    (tmp_path / "raw" / "1970-01-01.zst").mkdir(parents=True)
    with pytest.raises(Retry, match=r"spool\.db"):
        spool.delete_old_archives("1970-02-15")
    spool.close()


def test_zero_raw_days_make_no_archive(tmp_path: Path) -> None:
    spool = Spool(tmp_path, raw_days=0)
    spool.append([envelope(1)])
    spool.settle("lake", 1)
    assert not (tmp_path / "raw").exists()
    spool.close()


def test_messages_stay_for_the_slowest_sink_and_delay_no_other(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SINKS)
    spool.append([envelope(1), envelope(2)])
    spool.settle("lake", 2)
    assert (spool.depth("lake"), spool.depth("influx")) == (0, 2)
    assert spool.read("influx").sequences == [1, 2]
    assert list(spool.read_archive(0, DAY_MS)) == []
    assert [batch.sequences for batch in spool.read_settled("lake", 0)] == [[1, 2]]
    spool.close()


def test_messages_that_wait_for_a_slow_sink_are_not_read_where_later_ones_are_wanted(tmp_path: Path) -> None:
    with closing(Spool(tmp_path, SINKS)) as spool:
        for day in range(4):
            spool.append([envelope(day, at=day * DAY_MS)])
        spool.settle("lake", 4)
        assert [batch.sequences for batch in spool.read_settled("lake", 3 * DAY_MS)] == [[4]]


def test_a_full_spool_names_the_sink_that_holds_it_up(tmp_path: Path) -> None:
    with closing(Spool(tmp_path, SINKS, max_bytes=200_000)) as spool:
        spool.append([envelope(1, size=20_000)])
        spool.settle("lake", 1)
        with pytest.raises(SpoolFull, match="mend the sink influx"):
            spool.append([envelope(2, size=150_000)])


def test_a_sink_that_left_the_settings_does_not_keep_messages_in_the_spool(tmp_path: Path) -> None:
    both = Spool(tmp_path, SINKS)
    both.append([envelope(1)])
    both.close()
    alone = Spool(tmp_path, ("lake",))
    alone.settle("lake", 1)
    assert [batch.sequences for batch in alone.read_archive(0, DAY_MS)] == [[1]]
    alone.close()


def test_a_new_sink_begins_with_the_oldest_message_that_still_waits(tmp_path: Path) -> None:
    alone = Spool(tmp_path, ("lake",))
    alone.append([envelope(1)])
    alone.settle("lake", 1)
    alone.append([envelope(2)])
    alone.close()
    both = Spool(tmp_path, SINKS)
    assert both.read("influx").sequences == [2]
    both.close()


def test_space_goes_back_to_the_disk_after_an_outage_is_caught_up(tmp_path: Path) -> None:
    spool = Spool(tmp_path, raw_days=0)
    for number in range(100):
        spool.append([envelope(number, size=1 << 20)])
    grown = spool.bytes
    for sequence in range(1, 101):
        spool.settle("lake", sequence)
    assert grown > 100 << 20
    with closing(sqlite3.connect(tmp_path / "spool.db")) as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    assert pages * 8192 < 80 << 20
    spool.close()


def test_a_file_that_is_no_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "spool.db").write_bytes(b"not a database " * 1000)
    with pytest.raises(Retry, match=r"spool\.db"):
        Spool(tmp_path)


class SpoolMachine(RuleBasedStateMachine):
    """The spool compared with a list, with two sinks and any number of processes that end without closing it."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.spools = [Spool(Path(self.folder.name), SINKS)]
        self.appended: list[Envelope] = []
        self.cursor = dict.fromkeys(SINKS, 0)

    @property
    def spool(self) -> Spool:
        return self.spools[-1]

    @rule(count=st.integers(1, 5), at=st.integers(0, 3 * DAY_MS))
    def append(self, count: int, at: int) -> None:
        new = [envelope(len(self.appended) + number, at) for number in range(count)]
        assert self.spool.append(new) == len(self.appended) + count
        self.appended += new

    @rule(sink=st.sampled_from(SINKS), limit=st.integers(1, 6))
    def read(self, sink: str, limit: int) -> None:
        batch = self.spool.read(sink, limit=limit)
        start = self.cursor[sink]
        assert batch.sequences == list(range(start + 1, start + 1 + len(batch)))
        assert batch.envelopes == self.appended[start : start + len(batch)]
        assert len(batch) > 0 or start == len(self.appended)

    @rule(sink=st.sampled_from(SINKS), share=st.floats(0, 1), vehicles_known=st.booleans())
    def settle(self, sink: str, share: float, vehicles_known: bool) -> None:
        start = self.cursor[sink]
        self.cursor[sink] = start + round(share * (len(self.appended) - start))
        vehicles = [vehicle(number) for number in range(start, self.cursor[sink])]
        self.spool.settle(sink, self.cursor[sink], vehicles if vehicles_known else None)

    @rule()
    def another_process_opens_it(self) -> None:
        self.spools.append(Spool(Path(self.folder.name), SINKS))

    @invariant()
    def nothing_is_lost_and_nothing_is_there_twice(self) -> None:
        if not hasattr(self, "appended"):
            return
        for sink in SINKS:
            settled = [batch for batch in self.spool.read_settled(sink, 0) if len(batch)]
            sequences = [sequence for batch in settled for sequence in batch.sequences]
            assert sequences[: self.cursor[sink]] == list(range(1, self.cursor[sink] + 1))
            envelopes = [each for batch in settled for each in batch.envelopes]
            assert envelopes[: self.cursor[sink]] == self.appended[: self.cursor[sink]]

    @invariant()
    def every_message_of_a_vehicle_is_read(self) -> None:
        for name in VEHICLES if hasattr(self, "appended") else ():
            read = [sequence for batch in self.spool.read_settled("lake", 0, [name]) for sequence in batch.sequences]
            assert {n + 1 for n in range(self.cursor["lake"]) if vehicle(n) == name} <= set(read)
            assert read == sorted(set(read))

    def teardown(self) -> None:
        for spool in getattr(self, "spools", []):
            spool.close()
        if hasattr(self, "folder"):
            self.folder.cleanup()


TestSpool = SpoolMachine.TestCase
TestSpool.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
