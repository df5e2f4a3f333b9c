"""Episodes: from appearing to clearing, repeats and short gaps merged."""

from typing import Any

import polars as pl

from analytics.schemas import EVENTS, READINGS
from analytics.timeline.episodes import episodes, resets
from logger.tables import DERIVED
from tests.analytics.hand import at, rows

Told = tuple[float, str, str]
ON, OFF = "appeared", "cleared"


def found(*told: Told, kind: str = "fault", readings: tuple[tuple[float, float], ...] = ()) -> pl.DataFrame:
    events = [
        {"minute": m, "sequence": n, "kind": kind, "code": code, "state": state, "text": f"text of {code}"}
        for n, (m, code, state) in enumerate(told)
    ]
    said = [{"minute": minute, "odometer_m": odometer} for minute, odometer in readings]
    return episodes(rows(EVENTS, *events).sort("at"), rows(READINGS, *said))


def spans(got: pl.DataFrame) -> list[Any]:
    return got.select("code", "started_at", "finished_at", "count", "open").rows()


def test_an_episode_lies_from_appearing_to_clearing() -> None:
    got = found((0, "E5", ON), (40, "E5", OFF), readings=((-5, 1000), (5, 2000)))
    assert got.schema == DERIVED["episodes"].schema
    assert spans(got) == [("E5", at(0), at(40), 1, False)]
    assert got.select("odometer_m", "text", "kind").rows() == [(1000, "text of E5", "fault")]


def test_repeats_are_counted_and_what_comes_back_within_half_an_hour_never_went() -> None:
    got = found((0, "14", ON), (1, "14", ON), (10, "14", OFF), (11, "14", OFF), (35, "14", ON), (60, "14", OFF))
    assert spans(got) == [("14", at(0), at(60), 3, False)]


def test_what_comes_back_later_is_another_episode_and_the_last_is_open() -> None:
    got = found((0, "14", ON), (10, "14", OFF), (45, "14", ON))
    assert spans(got) == [("14", at(0), at(10), 1, False), ("14", at(45), None, 1, True)]


def test_a_clearing_whose_appearance_was_lost_says_nothing() -> None:
    assert found((0, "14", OFF)).is_empty()


def test_codes_do_not_mix() -> None:
    got = found((0, "14", ON), (1, "15", ON), (2, "14", OFF))
    assert spans(got) == [("14", at(0), at(2), 1, False), ("15", at(1), None, 1, True)]


def test_a_vehicle_that_fell_down_unlocked_stands_again_when_the_other_fall_is_cleared() -> None:
    got = found((0, "4", ON), (8, "2", OFF), kind="alert")
    assert spans(got) == [("4", at(0), at(8), 1, False)]


def test_a_fall_that_nothing_clears_is_forgotten_after_a_day_and_a_later_one_is_another() -> None:
    got = found((0, "4", ON), (300, "4", ON), kind="alert", readings=((300, 0),))
    assert spans(got) == [("4", at(0), None, 1, False), ("4", at(300), None, 1, True)]
    later = found((0, "4", ON), kind="alert", readings=((1500, 0),))
    assert later["open"].to_list() == [False]


def test_components_are_no_episodes() -> None:
    assert found((0, "1", "unlocked"), kind="component").is_empty()


def jumped(*told: tuple[float, float | None, bool]) -> pl.DataFrame:
    """Of readings at these minutes with these odometers, of which some began anew."""
    said = [{"minute": minute, "odometer_m": metres, "jump": jump} for minute, metres, jump in told]
    return resets(rows(READINGS, *said).with_columns(since=pl.col("at").shift(1)))


def test_an_odometer_that_begins_anew_is_told_from_the_last_old_reading_to_the_first_new_one() -> None:
    got = jumped((0, 12_340, False), (5, 12_340, False), (9, 7, True), (12, 90, False))
    assert got.schema == DERIVED["episodes"].schema
    assert got.select("kind", "system", "code").rows() == [("pipeline", "odometer", "odometer_reset")]
    assert spans(got) == [("odometer_reset", at(5), at(9), 1, False)]
    assert got.select("text", "odometer_m").rows() == [("odometer went from 12.3 to 0.0 km", 12_340)]


def test_a_reading_without_odometer_before_it_hides_no_reset() -> None:
    assert jumped((0, 12_340, False), (5, None, False), (9, 7, True))["odometer_m"].to_list() == [12_340]
    assert jumped((0, 12_340, False), (5, 12_350, False)).is_empty()
