"""The demo's verdict on hand-made frames: it must fail for each way in which data can be wrong, and for no other."""

import json
from typing import Any

import polars as pl
import pytest

from logger.simulator.demo.keys import Row, answered, placed, pushed, set_aside
from logger.simulator.demo.verdict import Verdict, metres, verdict

DAY_MS = 86_400_000
RECEIVED = 1_790_000_000_000
KEYS = {"table": pl.String, "vehicle": pl.String, "time": pl.Int64, "more": pl.String, "via": pl.String}
ROWS = {**KEYS, "odometer_m": pl.Int64}
ASKED = ["query", "asked", "answered", "failed", "called"]
PUSH = ("status", "v1", 1000, "", "push", 100)
FURTHER = ("status", "v1", 2000, "", "push", 350)
ALERT = ("event", "v1", 1000, "alert 12", "push", None)
PACK = ("pack", "v1", 1500, "1", "poll", None)


def rows(*told: tuple[Any, ...]) -> pl.DataFrame:
    return pl.DataFrame(list(told), schema=ROWS, orient="row")


def judged(**changed: pl.DataFrame) -> Verdict:
    """Three pushes, one of them sent twice and one forged, and two answers; all is well but for what is changed."""
    everything = rows(PUSH, FURTHER, ALERT, PACK)
    sent = [("fleet", "status", "a", 200), ("fleet", "status", "a", 200), ("fleet", "status", "b", 200)]
    sent += [("fleet", "alert", "c", 200), ("forger", "status", "x", 401)]
    received = [("push", "status", "a"), ("push", "status", "a"), ("push", "status", "b"), ("push", "alert", "c")]
    received += [("poll", "battery-info", "v1 1500")]
    frames = {
        "sent": pl.DataFrame(sent, schema=["sender", "path", "identity", "status"], orient="row"),
        "received": pl.DataFrame(received, schema=["via", "path", "identity"], orient="row"),
        "due": pl.concat([everything, rows(PUSH)]),
        "stored": everything,
        "asked": pl.DataFrame([("battery-info", 1, 1, 0, 1)], schema=ASKED, orient="row"),
    }
    return verdict(**{**frames, **changed})


def faults(**changed: pl.DataFrame) -> dict[str, int]:
    return dict(judged(**changed).faults())


def test_all_is_well_where_every_row_is_there_once() -> None:
    assert judged().whole
    assert faults() == {}


def test_a_missing_row_is_found_and_whose_it_was() -> None:
    assert faults(stored=rows(PUSH, FURTHER, PACK)) == {"lost": 1}
    assert faults(stored=rows(PUSH, FURTHER, ALERT)) == {"lost_answers": 1}


def test_as_many_rows_with_another_key_are_not_the_same() -> None:
    other = ("event", "v1", 1001, "alert 12", "push", None)
    assert faults(stored=rows(PUSH, FURTHER, other, PACK)) == {"lost": 1, "unexplained": 1}


def test_a_doubled_row_is_found() -> None:
    assert faults(stored=rows(PUSH, FURTHER, ALERT, ALERT, PACK)) == {"doubled": 1}


def test_a_row_that_nobody_told_is_found() -> None:
    assert faults(stored=rows(PUSH, FURTHER, ALERT, PACK, ("body", "v1", 1500, "", "poll", None))) == {"unexplained": 1}


def test_a_row_beyond_the_pushes_must_come_from_an_answer() -> None:
    posing = ("event", "v1", 1000, "alert 12", "poll", None)
    assert faults(stored=rows(PUSH, FURTHER, posing, PACK)) == {"unexplained": 1}
    assert faults(stored=rows(PUSH, FURTHER, posing, PACK), due=rows(PUSH, FURTHER, ALERT, posing, PACK)) == {}


@pytest.mark.parametrize("kept", [["a", "b"], ["a", "a", "a", "b"], ["a", "a", "b", "x"]])
def test_a_push_must_be_on_disk_as_often_as_it_was_answered(kept: list[str]) -> None:
    messages = [
        *(("push", "status", each) for each in kept),
        ("push", "alert", "c"),
        ("poll", "battery-info", "v1 1500"),
    ]
    received = pl.DataFrame(messages, schema=["via", "path", "identity"], orient="row")
    assert faults(received=received) == {"miscounted": 1}


def test_a_forged_push_must_be_refused_and_no_other() -> None:
    words = ["sender", "path", "identity", "status"]
    pushes = [("fleet", "status", each, 200) for each in "aab"]
    taken = pl.DataFrame([*pushes, ("forger", "alert", "c", 200)], schema=words, orient="row")
    assert faults(sent=taken) == {"misanswered": 1}
    refused = pl.DataFrame(
        [*pushes, ("fleet", "alert", "c", 200), ("fleet", "status", "z", 503)], schema=words, orient="row"
    )
    assert faults(sent=refused) == {"misanswered": 1}


def test_metres_must_be_those_of_the_readings_that_came() -> None:
    short = ("status", "v1", 2000, "", "push", 349)
    assert faults(stored=rows(PUSH, short, ALERT, PACK)) == {"mismeasured": 1}
    assert metres(rows(PUSH, FURTHER, ALERT)).rows() == [("v1", 250)]


@pytest.mark.parametrize("counts", [(1, 1, 0, 2), (2, 2, 0, 2), (1, 0, 1, 1), (2, 1, 0, 2)])
def test_collector_cloud_and_disk_must_count_alike(counts: tuple[int, int, int, int]) -> None:
    asked = pl.DataFrame([("battery-info", *counts)], schema=ASKED, orient="row")
    assert faults(asked=asked) == {"misasked": 1}


def test_a_question_that_failed_is_none_that_was_answered() -> None:
    asked = pl.DataFrame([("battery-info", 2, 1, 1, 2)], schema=ASKED, orient="row")
    assert faults(asked=asked) == {}


# ---- which rows a message must make --------------------------------------------------------------------------------


def test_a_push_makes_one_row_at_the_vehicles_time() -> None:
    assert pushed("status", {"odometer": "7", "statusUtcTime": "5"}) == Row("status", 5000, "", 7)
    assert pushed("location", {"gpsUtcTime": "5"}) == Row("location", 5000)
    assert pushed("fault", {"code": "E2", "faultStatus": "0", "statusUtcTime": "5"}) == Row("event", 5000, "fault E2")
    assert pushed("components", {"type": "4", "status": "1", "statusUtcTime": "5"}).more == "component 4"


def answer(code: int, data: object) -> bytes:
    return json.dumps({"code": code, "data": data, "t": 9000}).encode()


def test_an_answer_makes_what_it_says_and_nothing_where_there_is_nothing_to_say() -> None:
    packs = {"batteryData": [{"batteryPort": 1}, {"batteryPort": 2}]}
    made = [Row("battery", 9000), Row("pack", 9000, "1"), Row("pack", 9000, "2")]
    assert answered("battery-info", answer(0, packs)) == made
    assert answered("extra-status", answer(0, {})) == [Row("body", 9000)]
    status = answer(0, {"statusUtcTime": 5, "odometer": 7})
    assert answered("status-query", status) == [Row("status", 5000, "", 7)]
    assert answered("location-query", answer(0, {"gpsUtcTime": "5"})) == [Row("location", 5000)]
    assert answered("location-query", answer(15400, None)) == []
    assert answered("battery-info", answer(15301, None)) == [Row("status", 9000)]
    assert answered("battery-info", answer(15102, None)) == [set_aside(answer(15102, None))]


def test_a_clock_beyond_its_bounds_gives_way_to_the_first_receipt() -> None:
    received = pl.DataFrame(
        {"path": "status", "identity": ["a", "b", "c", "b"], "received_at": [RECEIVED + ms for ms in (0, 1, 2, 3)]}
    )
    device_at = [RECEIVED + 600_000, RECEIVED + 600_002, RECEIVED - 30 * DAY_MS, RECEIVED + 600_002]
    told = pl.DataFrame({"path": "status", "identity": ["a", "b", "c", "b"], "device_at": device_at})
    got = placed(told, received)
    assert got["moved"].to_list() == [None, "ahead", "behind", "ahead"]
    assert (got["time"] - RECEIVED).to_list() == [600_000, 1, 2, 1]


def test_what_is_nobodys_lies_at_its_receipt() -> None:
    received = pl.DataFrame({"path": ["status"], "identity": ["a"], "received_at": [RECEIVED]})
    told = pl.DataFrame(
        {"path": ["status"], "identity": ["a"], "device_at": [None]}, schema_overrides={"device_at": pl.Int64}
    )
    assert placed(told, received).select("time", "moved").row(0) == (RECEIVED, None)
