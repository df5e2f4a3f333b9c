"""After a replay, the tables are as if the new settings had been there from the start, whatever came in."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logger.commands.replay import replay
from logger.envelope import Envelope
from logger.settings.schema import Settings
from logger.spool.vehicle_index import UNKNOWN_VEHICLE
from logger.stores import open_lake
from tests.helpers.data_folder import (
    LATER,
    Rules,
    Tables,
    answer,
    append_messages,
    compact_all,
    deliver_all,
    differences,
    heartbeat,
    imported_slice,
    make_settings,
    push,
    read_tables,
    rows_of_days,
    stored_days,
    vehicle_names,
)
from tests.helpers.segway_pushes import OTHER, VEHICLE

BEGIN = int(datetime(2026, 10, 1, 22, tzinfo=UTC).timestamp() * 1000)
SECOND, HOUR, DAY = 1000, 3_600_000, 86_400_000

RULES = st.builds(
    Rules,
    odometer_scale=st.sampled_from([1.0, 10.0]),
    vehicles=st.sampled_from([(VEHICLE,), (VEHICLE, OTHER), (OTHER,)]),
    model=st.sampled_from(["E-moped", "other"]),
    later=st.booleans(),
)
VEHICLES = st.sampled_from([VEHICLE, VEHICLE, OTHER])
# Time from the device to the receipt [ms]: at once, late, longer than a clock is believed, and from the future.
DELAYS_MS = st.sampled_from([SECOND, SECOND, 3 * HOUR, 2 * DAY, 29 * DAY, 31 * DAY, -300 * SECOND, -2 * HOUR])
KINDS = st.sampled_from(
    "status status status location fault garbage repeat repeat query pack file old-file names heartbeat".split()
)


class Draft(msgspec.Struct, frozen=True):
    """A message to make, received `gap_ms` after the one before it."""

    kind: str
    gap_ms: int
    vehicle: str
    delay_ms: int
    source: str
    number: int


DRAFTS = st.lists(
    st.builds(
        Draft,
        kind=KINDS,
        gap_ms=st.sampled_from([0, 5, 5 * SECOND, 20 * 60 * SECOND, 2 * HOUR, 9 * HOUR]),
        vehicle=VEHICLES,
        delay_ms=DELAYS_MS,
        source=st.sampled_from(["moped", "moped", LATER]),
        number=st.integers(0, 3),
    ),
    min_size=1,
    max_size=14,
)
CUTS = st.sets(st.integers(1, 13), max_size=3)
LAST = Draft("status", HOUR, VEHICLE, SECOND, "moped", 2)


def messages(drafts: Sequence[Draft]) -> list[Envelope]:
    """All of them, in the order of their receipt."""
    envelopes: list[Envelope] = []
    at = BEGIN
    for draft in drafts:
        at += draft.gap_ms
        envelopes.append(message(draft, at, envelopes))
    return envelopes


def message(draft: Draft, at: int, before: Sequence[Envelope]) -> Envelope:
    moment = datetime.fromtimestamp((at - draft.delay_ms) / 1000, UTC)
    if draft.kind == "repeat" and before:
        return msgspec.structs.replace(before[draft.number % len(before)], received_at=at)
    if draft.kind == "file":
        return imported_slice(at, [moment, moment + timedelta(days=1)], odometer_m=[1.0, 2.0 - draft.number])
    if draft.kind == "old-file":
        times = [moment - timedelta(days=400), moment + timedelta(days=3)]
        return imported_slice(at, times, draft.vehicle, soc_pct=[50.0, 60.0], lat_deg=[48.0, 0.0], lon_deg=[11.0, 0.0])
    if draft.kind == "names":
        return vehicle_names(at, f"moped {draft.number}")
    if draft.kind == "heartbeat":
        return heartbeat(at)
    return poll_answer(draft, at) if draft.kind in ("query", "pack") else vendor_push(draft, at)


def odometer(draft: Draft) -> int:
    return 9000 + 40 * draft.number


def poll_answer(draft: Draft, at: int) -> Envelope:
    if draft.kind == "pack":
        packs = [{"batteryPort": 1, "batteryPercent": 80 + draft.number}]
        return answer("battery-info", at, {"vehiclePercent": 79, "batteryData": packs}, draft.vehicle)
    time_s = at // 7_200_000 * 7200
    data = {"iotCode": draft.vehicle, "odometer": odometer(draft), "charging": True, "statusUtcTime": time_s}
    return answer("status-query", at, data, draft.vehicle)


def vendor_push(draft: Draft, at: int) -> Envelope:
    if draft.kind == "garbage":
        return Envelope(draft.source, "status", at, "push", b"nonsense %d" % draft.number)
    fields = {"status": {"odometer": f"{odometer(draft)}"}, "fault": {"code": f"1{draft.number}"}}.get(draft.kind, {})
    kind = draft.kind if draft.kind in ("status", "location", "fault") else "location"
    return push(kind, at, at - draft.delay_ms, draft.vehicle, draft.source, **fields)


def collect(folder: Path, rules: Rules, envelopes: Sequence[Envelope], cuts: set[int]) -> Settings:
    """Deliver the messages under these rules, with a new feeder after each cut; return the settings."""
    ours = make_settings(folder, rules)
    ends = [0, *sorted(cut for cut in cuts if cut < len(envelopes)), len(envelopes)]
    for start, stop in pairwise(ends):
        append_messages(ours, *envelopes[start:stop])
        deliver_all(ours)
    return ours


SLOW = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.long
@SLOW
@given(DRAFTS, RULES, RULES, CUTS, CUTS, st.booleans(), st.booleans())
def test_after_a_replay_the_tables_are_as_if_the_new_rules_had_always_been_there(
    drafts: list[Draft], old: Rules, new: Rules, cuts: set[int], other_cuts: set[int], before: bool, after: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, envelopes = Path(name), messages(drafts)
        replaced = collect(folder / "changed", old, envelopes, cuts)
        always_new = collect(folder / "always", new, envelopes, other_cuts)
        compact_all(replaced) if before else None
        changed = make_settings(folder / "changed", new)
        result = replay(changed)
        assert (result.messages, result.left) == (len(envelopes), [])
        compact_all(changed) if after else None
        assert differences(read_tables(changed), read_tables(always_new)) == {}
        assert not any(table.days_changed for table in replay(changed).tables)
        for each in (changed, always_new):
            append_messages(each, messages([*drafts, LAST])[-1])
            deliver_all(each)
        assert differences(read_tables(changed), read_tables(always_new)) == {}


@pytest.mark.long
@SLOW
@given(DRAFTS, RULES, RULES, CUTS, st.integers(0, 5), st.booleans())
def test_a_replay_of_one_day_replaces_that_day_and_no_other(
    drafts: list[Draft], old: Rules, new: Rules, cuts: set[int], place: int, before: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, envelopes = Path(name), messages(drafts)
        replaced = collect(folder / "changed", old, envelopes, cuts)
        new_tables = read_tables(collect(folder / "always", new, envelopes, set()))
        compact_all(replaced) if before else None
        changed, old_tables = make_settings(folder / "changed", new), read_tables(replaced)
        days = stored_days(open_lake(changed))
        day = days[place % len(days)]
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        replay(changed, noon, noon + timedelta(hours=1))
        tables = read_tables(changed)
        assert differences(rows_of_days(tables, [day]), rows_of_days(new_tables, [day])) == {}
        others, old_others = (rows_of_days(each, [day], without=True) for each in (tables, old_tables))
        assert differences(others, old_others) == {}


def rows_of(tables: Tables, vehicle: str) -> Tables:
    return {name: rows.filter(pl.col("vehicle") == vehicle) for name, rows in tables.items()}


@pytest.mark.long
@SLOW
@given(DRAFTS, RULES, RULES, CUTS)
def test_a_replay_of_one_vehicle_replaces_its_rows_and_no_others(
    drafts: list[Draft], old: Rules, new: Rules, cuts: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, envelopes = Path(name), messages(drafts)
        old_tables = read_tables(collect(folder / "changed", old, envelopes, cuts))
        new_tables = read_tables(collect(folder / "always", new, envelopes, set()))
        changed = make_settings(folder / "changed", new)
        replay(changed, vehicles=[VEHICLE])
        tables = read_tables(changed)
        assert differences(rows_of(tables, VEHICLE), rows_of(new_tables, VEHICLE)) == {}
        for vehicle in (OTHER, "van"):
            assert differences(rows_of(tables, vehicle), rows_of(old_tables, vehicle)) == {}
        unread, new_unread, old_unread = (
            rows_of(each, UNKNOWN_VEHICLE)["quarantine"] for each in (tables, new_tables, old_tables)
        )
        is_chosen = pl.col("body").bin.contains(VEHICLE.encode())
        assert set(old_unread.filter(~is_chosen)["sequence"]) <= set(unread["sequence"])
        assert set(unread.filter(is_chosen)["sequence"]) == set(new_unread.filter(is_chosen)["sequence"])
