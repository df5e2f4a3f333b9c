"""The steps that take documents apart: each does its one thing, and none fails on any document."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logger.sources.smartcar import steps
from logger.sources.smartcar.closures import add_doors, add_openings
from logger.sources.smartcar.documents import Element
from logger.sources.smartcar.messages import READS

NAMES = (
    *("data", "signals", "meta", "body", "code", "values", "vehicle", "id", "responses", "path", "headers", "payload"),
    *("vehicles", "eventType", "eventName", "status", "pages", "attributes", "isOpen", "row", "column", "mode", "type"),
)
WORDS = ("VEHICLE_STATE", "scheduled", "eventBased", "ERROR", "/security", "/diagnostics/dtcs", *sorted(READS)[:8])
TEXTS = st.sampled_from(WORDS) | st.text(max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS
DOCUMENTS = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.sampled_from(NAMES), below, max_size=6),
    max_leaves=40,
)


def signal(code: str, body: Any, at: Any = 1) -> dict[str, Any]:
    return {"code": code, "body": body, "meta": {"oemUpdatedAt": at}}


def event(*signals: Any) -> bytes:
    data = {"vehicle": {"id": "car-1"}, "signals": list(signals)}
    return msgspec.json.encode({"eventType": "VEHICLE_STATE", "data": data})


@pytest.mark.parametrize("step", steps.STEPS.values(), ids=steps.STEPS)
@given(document=DOCUMENTS)
@settings(max_examples=150)
def test_no_document_makes_a_step_fail(step: Any, document: Any) -> None:
    with suppress(ValueError, msgspec.DecodeError):  # which say why it is not to be stored
        parts = list(step(msgspec.json.encode(document)))
        assert parts
        assert all(isinstance(part, dict) for part in parts)


@pytest.mark.parametrize("form", ["signals", "responses"])
@given(found=st.lists(DOCUMENTS, max_size=5), body=DOCUMENTS, code=st.sampled_from(sorted(READS)))
@settings(max_examples=150)
def test_no_value_in_a_right_document_makes_a_step_fail(form: str, found: list[Any], body: Any, code: str) -> None:
    if form == "signals":
        assert list(
            steps.events(event(*found, {"code": code, "body": body}, signal(code, {"values": found, "value": body})))
        )
    else:
        items = [
            {"path": path, "code": 200, "body": body, "headers": body} for path in ("/security", "/diagnostics/dtcs")
        ]
        assert list(steps.paths(msgspec.json.encode({"responses": [*found, *items]})))


def test_parts_are_the_moments_of_a_document_each_with_its_values() -> None:
    codes = ("closure-islocked", "charge-ischarging", "connectivitystatus-isonline")
    parts = list(
        steps.events(event(*(signal(code, {"value": True}, at) for code, at in zip(codes, (5, 5, 7), strict=True))))
    )
    assert [part["measuredAt"] for part in parts] == [5, 7]
    assert {*parts[0]} >= {"closure-islocked.value", "charge-ischarging.value"}
    assert "connectivitystatus-isonline.value" in parts[1]


@pytest.mark.parametrize(
    ("states", "opened"),
    [
        ([False, False], False),
        ([False, True], True),
        ([None, True], True),
        ([False, None], None),
        ([], None),
        ("x", None),
    ],
)
def test_doors_are_open_where_one_is_and_shut_where_all_are_known_to_be(states: Any, opened: bool | None) -> None:
    values = [Element(isOpen=each) for each in states] if isinstance(states, list) else states
    part = {"closure-doors.values": values}
    add_openings(part)
    assert part.get("closure-doors.isOpen") is opened


@pytest.mark.parametrize(
    ("words", "opened"),
    [(["CLOSED"], False), (["CLOSED", "OPEN"], True), (["UNKNOWN"], None), (["LOCKED", "CLOSED"], False), ([], None)],
)
def test_the_words_of_the_older_form_mean_the_same(words: list[str], opened: bool | None) -> None:
    part: dict[str, Any] = {"/security.doors": [{"type": "x", "status": word} for word in words]}
    add_doors(part)
    assert part["/security.doors"] is opened


def test_storage_is_in_front_or_at_the_rear() -> None:
    storage = [
        {"type": "front", "status": "OPEN"},
        {"type": "rear", "status": "CLOSED"},
        {"type": "roof", "status": "OPEN"},
    ]
    part: dict[str, Any] = {"/security.storage": storage}
    add_doors(part)
    assert (part["/security.front"], part["/security.rear"]) == (True, False)


def test_wheels_are_named_by_row_and_column() -> None:
    part: dict[str, Any] = {"wheel-tires.values": [Element(row=1, column=0, tirePressure=240), Element(row=0), None]}
    steps.add_wheels(part)
    assert part["wheel-tires.10"] == 240


@pytest.mark.parametrize(
    ("given_", "heading"),
    [
        ({"heading": 10, "direction": 20}, 10),
        ({"direction": 20}, 20),
        ({"heading": "N"}, None),
        ({"heading": True}, None),
    ],
)
def test_a_heading_is_a_number_under_either_name(given_: dict[str, Any], heading: float | None) -> None:
    part = {f"location-preciselocation.{name}": value for name, value in given_.items()}
    steps.add_heading(part)
    assert part.get("location-preciselocation.heading") == heading


@pytest.mark.parametrize(
    ("watts", "volts", "amperes", "fast", "phases"),
    [
        (4683, 223, 7, False, 3),
        (3680, 230, 16, None, 1),
        (60_000, 400, 150, True, None),
        (100, 230, 16, False, None),
        (4683, 0, 7, False, None),
        (None, 230, 7, False, None),
        ("many", 230, 7, False, None),
    ],
)
def test_phases_are_what_watts_are_of_volts_times_amperes(
    watts: Any, volts: Any, amperes: Any, fast: bool | None, phases: int | None
) -> None:
    values = {"wattage": watts, "voltage": volts, "amperage": amperes, "isfastchargerpresent": fast}
    part = {f"charge-{name}.value": value for name, value in values.items()}
    steps.add_phases(part)
    assert part.get("charge.phases") == phases


@pytest.mark.parametrize(
    ("fast", "charging", "kind"),
    [(True, False, "dc"), (True, None, "dc"), (False, True, "ac"), (False, False, None), (None, True, None)],
)
def test_the_kind_of_a_charger_is_known_from_a_fast_one_or_while_it_charges(
    fast: bool | None, charging: bool | None, kind: str | None
) -> None:
    part: dict[str, Any] = {"charge-isfastchargerpresent.value": fast, "charge-ischarging.value": charging}
    steps.add_charger_kind(part)
    assert part.get("charge.kind") == kind
