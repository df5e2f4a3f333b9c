"""The demo's verdict on hand-made frames: it must find each kind of error in the data, and no other."""

from typing import Any

import polars as pl
import pytest

from logger.simulator.demo.verdict import Verdict, odometer_distances, verdict

KEYS = {"table": pl.String, "vehicle": pl.String, "time": pl.Int64, "subkey": pl.String, "via": pl.String}
ROWS = {**KEYS, "odometer_m": pl.Int64}
POLLS = ["query", "requests", "answered", "failed", "cloud_requests"]
PUSH = ("status", "v1", 1000, "", "push", 100)
SECOND_PUSH = ("status", "v1", 2000, "", "push", 350)
ALERT = ("event", "v1", 1000, "alert 12", "push", None)
PACK = ("pack", "v1", 1500, "1", "poll", None)


def rows(*values: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(values), schema=ROWS, orient="row")


def judge(**changed: pl.DataFrame) -> Verdict:
    """Return the verdict on three pushes, one of them sent twice and one forged, and two answers.

    All frames are right but for those that are given.
    """
    everything = rows(PUSH, SECOND_PUSH, ALERT, PACK)
    sent = [("fleet", "status", "a", 200), ("fleet", "status", "a", 200), ("fleet", "status", "b", 200)]
    sent += [("fleet", "alert", "c", 200), ("forger", "status", "x", 401)]
    received = [("push", "status", "a"), ("push", "status", "a"), ("push", "status", "b"), ("push", "alert", "c")]
    received += [("poll", "battery-info", "v1 1500")]
    frames = {
        "sent": pl.DataFrame(sent, schema=["sender", "path", "identity", "status"], orient="row"),
        "received": pl.DataFrame(received, schema=["via", "path", "identity"], orient="row"),
        "expected": pl.concat([everything, rows(PUSH)]),
        "stored": everything,
        "polls": pl.DataFrame([("battery-info", 1, 1, 0, 1)], schema=POLLS, orient="row"),
    }
    return verdict(**{**frames, **changed})


def errors(**changed: pl.DataFrame) -> dict[str, int]:
    return dict(judge(**changed).errors())


def test_the_verdict_is_complete_if_every_row_is_stored_once() -> None:
    assert judge().complete
    assert errors() == {}


def test_a_missing_row_is_an_error_of_pushes_or_of_answers() -> None:
    assert errors(stored=rows(PUSH, SECOND_PUSH, PACK)) == {"lost_push_rows": 1}
    assert errors(stored=rows(PUSH, SECOND_PUSH, ALERT)) == {"lost_answer_rows": 1}


def test_the_same_number_of_rows_with_another_key_is_an_error() -> None:
    other = ("event", "v1", 1001, "alert 12", "push", None)
    assert errors(stored=rows(PUSH, SECOND_PUSH, other, PACK)) == {"lost_push_rows": 1, "unexplained_rows": 1}


def test_a_duplicate_row_is_an_error() -> None:
    assert errors(stored=rows(PUSH, SECOND_PUSH, ALERT, ALERT, PACK)) == {"duplicate_keys": 1}


def test_a_row_that_is_in_no_message_is_an_error() -> None:
    other = ("body", "v1", 1500, "", "poll", None)
    assert errors(stored=rows(PUSH, SECOND_PUSH, ALERT, PACK, other)) == {"unexplained_rows": 1}


def test_a_row_with_the_origin_poll_must_come_from_an_answer() -> None:
    polled = ("event", "v1", 1000, "alert 12", "poll", None)
    stored = rows(PUSH, SECOND_PUSH, polled, PACK)
    assert errors(stored=stored) == {"unexplained_rows": 1}
    assert errors(stored=stored, expected=rows(PUSH, SECOND_PUSH, ALERT, polled, PACK)) == {}


@pytest.mark.parametrize("on_disk", [["a", "b"], ["a", "a", "a", "b"], ["a", "a", "b", "x"]])
def test_a_push_must_be_on_disk_as_often_as_it_was_answered(on_disk: list[str]) -> None:
    messages = [
        *(("push", "status", each) for each in on_disk),
        ("push", "alert", "c"),
        ("poll", "battery-info", "v1 1500"),
    ]
    received = pl.DataFrame(messages, schema=["via", "path", "identity"], orient="row")
    assert errors(received=received) == {"miscounted_pushes": 1}


def test_a_forged_push_must_be_refused_and_no_other() -> None:
    columns = ["sender", "path", "identity", "status"]
    pushes = [("fleet", "status", each, 200) for each in "aab"]
    accepted = pl.DataFrame([*pushes, ("forger", "alert", "c", 200)], schema=columns, orient="row")
    assert errors(sent=accepted) == {"wrong_replies": 1}
    refused = pl.DataFrame(
        [*pushes, ("fleet", "alert", "c", 200), ("fleet", "status", "z", 503)], schema=columns, orient="row"
    )
    assert errors(sent=refused) == {"wrong_replies": 1}


def test_the_distance_must_be_that_of_the_readings_received() -> None:
    short = ("status", "v1", 2000, "", "push", 349)
    assert errors(stored=rows(PUSH, short, ALERT, PACK)) == {"wrong_distances": 1}
    assert odometer_distances(rows(PUSH, SECOND_PUSH, ALERT)).rows() == [("v1", 250)]


@pytest.mark.parametrize("counts", [(1, 1, 0, 2), (2, 2, 0, 2), (1, 0, 1, 1), (2, 1, 0, 2)])
def test_counts_of_collector_cloud_and_disk_must_agree(counts: tuple[int, int, int, int]) -> None:
    polls = pl.DataFrame([("battery-info", *counts)], schema=POLLS, orient="row")
    assert errors(polls=polls) == {"miscounted_queries": 1}


def test_a_request_that_failed_needs_no_answer_on_disk() -> None:
    polls = pl.DataFrame([("battery-info", 2, 1, 1, 2)], schema=POLLS, orient="row")
    assert errors(polls=polls) == {}
