"""File locks: who holds one, and who can know."""

from pathlib import Path

from logger.locks import exclusive_lock, is_locked, is_requested, take_over


def test_a_lock_is_seen_as_long_as_it_is_held_and_looking_creates_nothing(tmp_path: Path) -> None:
    lock = tmp_path / "some.lock"
    assert not is_locked(lock)
    assert not lock.exists()
    with exclusive_lock(lock):
        assert is_locked(lock)
    assert not is_locked(lock)


def test_a_sink_is_requested_while_a_command_writes_to_it(tmp_path: Path) -> None:
    with take_over(tmp_path, "influx"):
        assert is_requested(tmp_path, "influx")
        assert not is_requested(tmp_path, "lake")
    assert not is_requested(tmp_path, "influx")
