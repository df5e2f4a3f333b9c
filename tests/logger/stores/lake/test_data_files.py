"""Data files of a lake are put together by day."""

from datetime import date

from logger.stores.lake.data_files import DataFile, days_together


def day(number: int, rows: int) -> list[DataFile]:
    return [DataFile(f"day{number}", date(2026, 3, number), rows, 1, 0)]


def test_small_days_are_together_a_large_one_is_alone_and_none_is_lost() -> None:
    days = [day(1, 0), day(2, 40), day(3, 60), day(4, 1), day(5, 500), day(6, 10)]
    groups = days_together(days, 100)
    assert [[file.day.day for file in files] for files in groups] == [[1, 2, 3], [4], [5], [6]]
    assert days_together([], 100) == []
