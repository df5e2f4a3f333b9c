"""Calls that were made are counted on disk: whatever fails, and however many processes count."""

import json
import threading
from pathlib import Path

import pytest

from logger.poll.used_calls import UsedCalls

DAY = "2026-11-01"


def on_disk(folder: Path) -> dict[str, int]:
    counts: dict[str, int] = json.loads((folder / "calls-city.json").read_text())
    return counts


def test_what_one_process_saved_the_next_one_knows(tmp_path: Path) -> None:
    first = UsedCalls(tmp_path, "city")
    first.total[DAY] += 5
    first.save()
    first.save()
    assert UsedCalls(tmp_path, "city").total == {DAY: 5} == on_disk(tmp_path)


def test_two_processes_add_to_each_other(tmp_path: Path) -> None:
    service, by_hand = UsedCalls(tmp_path, "city"), UsedCalls(tmp_path, "city")
    service.total[DAY] += 7
    by_hand.total[DAY] += 3
    service.save()
    by_hand.save()
    service.total[DAY] += 1
    service.save()
    assert service.total[DAY] == on_disk(tmp_path)[DAY] == 11


def test_calls_that_could_not_be_saved_are_saved_the_next_time(tmp_path: Path) -> None:
    used = UsedCalls(tmp_path, "city")
    used.total[DAY] += 50
    used.save()
    used.total[DAY] += 30
    (tmp_path / "calls-city.lock").unlink()
    (tmp_path / "calls-city.lock").mkdir()  # it cannot be locked, so that nothing can be written
    used.save()
    assert (used.total[DAY], on_disk(tmp_path)[DAY]) == (80, 50)
    (tmp_path / "calls-city.lock").rmdir()
    used.total[DAY] += 1
    used.save()
    assert used.total[DAY] == on_disk(tmp_path)[DAY] == 81


@pytest.mark.parametrize("text", ["", "[]", "7", '{"2026-11-01": null}'])
def test_a_damaged_file_is_written_anew_with_all_that_this_process_knows(tmp_path: Path, text: str) -> None:
    used = UsedCalls(tmp_path, "city")
    used.total[DAY] += 81
    used.save()
    (tmp_path / "calls-city.json").write_text(text)
    used.total[DAY] += 10
    used.save()
    assert used.total[DAY] == on_disk(tmp_path)[DAY] == 91


def test_no_call_is_lost_when_many_save_at_once(tmp_path: Path) -> None:
    def count() -> None:
        used = UsedCalls(tmp_path, "city")
        for _ in range(10):
            used.total[DAY] += 1
            used.save()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert on_disk(tmp_path)[DAY] == 40
    assert not list(tmp_path.glob("*.part"))
