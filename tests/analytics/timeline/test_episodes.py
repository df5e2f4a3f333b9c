"""Episodes: from appearing to clearing, repeats and short gaps merged."""

from typing import Any

import polars as pl

from analytics.observations.dates import SET_ASIDE
from analytics.schemas import EVENTS, OBSERVATIONS
from analytics.stays.visits import SEEN
from analytics.timeline.episodes import date_span, episodes, misdated, resets
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
    return episodes(rows(EVENTS, *events).sort("at"), rows(OBSERVATIONS, *said))


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
    said = [{"minute": minute, "odometer_m": metres, "reset": jump} for minute, metres, jump in told]
    return resets(rows(OBSERVATIONS, *said).with_columns(since=pl.col("at").shift(1)))


def test_an_odometer_that_begins_anew_is_told_from_the_last_old_reading_to_the_first_new_one() -> None:
    got = jumped((0, 12_340, False), (5, 12_340, False), (9, 7, True), (12, 90, False))
    assert got.schema == DERIVED["episodes"].schema
    assert got.select("kind", "system", "code").rows() == [("pipeline", "odometer", "odometer_reset")]
    assert spans(got) == [("odometer_reset", at(5), at(9), 1, False)]
    assert got.select("text", "odometer_m").rows() == [("odometer went from 12.3 to 0.0 km", 12_340)]


def test_a_reading_without_odometer_before_it_hides_no_reset() -> None:
    assert jumped((0, 12_340, False), (5, None, False), (9, 7, True))["odometer_m"].to_list() == [12_340]
    assert jumped((0, 12_340, False), (5, 12_350, False)).is_empty()


def aside(minute: float, table: str, count: int, first: float, last: float, imported: bool = True) -> Any:
    return ("segway", "a", at(minute), table, count, at(first), at(last), imported)


def test_rows_of_a_wrong_date_are_told_at_the_nearest_right_row() -> None:
    old = -20 * 525_960
    told = [aside(0, "location", 1, old, old), aside(0, "status", 3, old, old + 1440), aside(9, "status", 2, 9e6, 9e6)]
    got = misdated(pl.DataFrame(told, schema=SET_ASIDE, orient="row"))
    assert got.schema == SEEN
    assert got.select("kind", "system", "code").unique().rows() == [("pipeline", "clock", "wrong_date")]
    assert spans(got) == [("wrong_date", at(0), at(0), 4, False), ("wrong_date", at(9), at(9), 2, False)]
    assert got["text"][0] == (
        "1 row of location dated 2006-03-02, 3 rows of status dated 2006-03-02 to 2006-03-03 set aside, years from all "
        "others; correct their dates in the file and import it again"
    )


def test_of_a_wrong_date_that_no_file_held_the_collectors_own_clock_is_to_blame() -> None:
    told = [aside(0, "status", 2, -9e6, -9e6, imported=False)]
    assert misdated(pl.DataFrame(told, schema=SET_ASIDE, orient="row"))["text"][0].endswith(
        "; set the clock of the machine that collects, and let NTP keep it"
    )


def test_whether_a_date_is_wrong_is_known_between_the_right_rows_that_were_read() -> None:
    right = pl.DataFrame({"vehicle": ["a"], "first": [at(0)], "last": [at(9)]})
    ((_, known_from, known_to),) = date_span(right).rows()
    assert at(0) < known_from < known_to < at(9)
