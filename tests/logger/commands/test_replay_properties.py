"""Whatever came in and whatever was changed: a replay leaves what would be there had the change always been there."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import msgspec
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from logger.commands.replay import replay
from logger.envelope import Envelope
from logger.spool.vehicle_index import UNKNOWN_VEHICLE
from logger.stores import open_lake
from tests.helpers.data_folder import (
    LATER,
    Rules,
    Tables,
    answer,
    compact,
    differing,
    feed,
    heartbeat,
    imported,
    named,
    of_days,
    push,
    stored_days,
    tables,
    take,
)
from tests.helpers.data_folder import settings as made
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
WHO = st.sampled_from([VEHICLE, VEHICLE, OTHER])
# How long under way [ms]: at once, late, beyond what any clock is believed, and ahead of ours.
LATE = st.sampled_from([SECOND, SECOND, 3 * HOUR, 2 * DAY, 29 * DAY, 31 * DAY, -300 * SECOND, -2 * HOUR])
KINDS = st.sampled_from(
    "status status status location fault garbage again again query pack file old-file named heartbeat".split()
)


class Told(msgspec.Struct, frozen=True):
    """One message to be: `gap_ms` after the one before it."""

    kind: str
    gap_ms: int
    vehicle: str
    late_ms: int
    source: str
    number: int


TOLD = st.lists(
    st.builds(
        Told,
        kind=KINDS,
        gap_ms=st.sampled_from([0, 5, 5 * SECOND, 20 * 60 * SECOND, 2 * HOUR, 9 * HOUR]),
        vehicle=WHO,
        late_ms=LATE,
        source=st.sampled_from(["moped", "moped", LATER]),
        number=st.integers(0, 3),
    ),
    min_size=1,
    max_size=14,
)
CUTS = st.sets(st.integers(1, 13), max_size=3)


def messages(told: Sequence[Told]) -> list[Envelope]:
    """All of them, in the order of their receipt."""
    found: list[Envelope] = []
    at = BEGIN
    for each in told:
        at += each.gap_ms
        found.append(message(each, at, found))
    return found


def message(each: Told, at: int, before: Sequence[Envelope]) -> Envelope:
    device_at, odometer = at - each.late_ms, f"{9000 + 40 * each.number}"
    moment = datetime.fromtimestamp(device_at / 1000, UTC)
    if each.kind == "again" and before:
        return msgspec.structs.replace(before[each.number % len(before)], received_at=at)
    if each.kind == "query":
        data = {
            "iotCode": each.vehicle,
            "odometer": int(odometer),
            "charging": True,
            "statusUtcTime": at // 7_200_000 * 7200,
        }
        return answer("status-query", at, data, each.vehicle)
    if each.kind == "pack":
        packs = [{"batteryPort": 1, "batteryPercent": 80 + each.number}]
        return answer("battery-info", at, {"vehiclePercent": 79, "batteryData": packs}, each.vehicle)
    if each.kind == "file":
        return imported(at, [moment, moment + timedelta(days=1)], odometer_m=[1.0, 2.0 - each.number])
    if each.kind == "old-file":
        times = [moment - timedelta(days=400), moment + timedelta(days=3)]
        return imported(at, times, each.vehicle, soc_pct=[50.0, 60.0], lat_deg=[48.0, 0.0], lon_deg=[11.0, 0.0])
    return pushed(each, at, device_at, odometer)


def pushed(each: Told, at: int, device_at: int, odometer: str) -> Envelope:
    if each.kind == "garbage":
        return Envelope(each.source, "status", at, "push", b"nonsense %d" % each.number)
    if each.kind == "named":
        return named(at, f"moped {each.number}")
    if each.kind == "heartbeat":
        return heartbeat(at)
    more = {"status": {"odometer": odometer}, "fault": {"code": f"1{each.number}"}}.get(each.kind, {})
    kind = each.kind if each.kind in ("status", "location", "fault") else "location"
    return push(kind, at, device_at, each.vehicle, each.source, **more)


def collected(folder: Path, rules: Rules, envelopes: Sequence[Envelope], cuts: set[int]) -> None:
    """A folder that was fed under these rules, by a feeder that was started anew at each cut."""
    ours = made(folder, rules)
    ends = [0, *sorted(cut for cut in cuts if cut < len(envelopes)), len(envelopes)]
    for start, stop in pairwise(ends):
        take(ours, *envelopes[start:stop])
        feed(ours)


SLOW = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(TOLD, RULES, RULES, CUTS, CUTS, st.booleans(), st.booleans())
def test_a_replay_leaves_what_would_be_there_had_the_rules_always_been_these(
    told: list[Told], old: Rules, new: Rules, cuts: set[int], other_cuts: set[int], before: bool, after: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, envelopes = Path(name), messages(told)
        collected(folder / "changed", old, envelopes, cuts)
        collected(folder / "always", new, envelopes, other_cuts)
        compact(made(folder / "changed", old)) if before else None
        ours = made(folder / "changed", new)
        result = replay(ours)
        assert (result.messages, result.left) == (len(envelopes), [])
        compact(ours) if after else None
        assert differing(tables(ours), tables(made(folder / "always", new))) == {}
        assert not any(table.days_changed for table in replay(ours).tables)
        take(ours, *messages([*told, Told("status", HOUR, VEHICLE, SECOND, "moped", 2)])[-1:])
        take(made(folder / "always", new), *messages([*told, Told("status", HOUR, VEHICLE, SECOND, "moped", 2)])[-1:])
        feed(ours)
        feed(made(folder / "always", new))
        assert differing(tables(ours), tables(made(folder / "always", new))) == {}


@SLOW
@given(TOLD, RULES, RULES, CUTS, st.integers(0, 5), st.booleans())
def test_a_replay_of_one_day_makes_that_day_and_leaves_all_others(
    told: list[Told], old: Rules, new: Rules, cuts: set[int], place: int, before: bool
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, envelopes = Path(name), messages(told)
        collected(folder / "changed", old, envelopes, cuts)
        collected(folder / "always", new, envelopes, set())
        compact(made(folder / "changed", old)) if before else None
        ours, was = made(folder / "changed", new), tables(made(folder / "changed", old))
        days = stored_days(open_lake(ours))
        day = days[place % len(days)]
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        replay(ours, noon, noon + timedelta(hours=1))
        found, always = tables(ours), tables(made(folder / "always", new))
        assert differing(of_days(found, [day]), of_days(always, [day])) == {}
        assert differing(of_days(found, [day], without=True), of_days(was, [day], without=True)) == {}


def of(found: Tables, vehicle: str) -> Tables:
    return {name: rows.filter(pl.col("vehicle") == vehicle) for name, rows in found.items()}


@SLOW
@given(TOLD, RULES, RULES, CUTS)
def test_a_replay_of_one_vehicle_makes_its_rows_and_leaves_all_others(
    told: list[Told], old: Rules, new: Rules, cuts: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, envelopes = Path(name), messages(told)
        collected(folder / "changed", old, envelopes, cuts)
        collected(folder / "always", new, envelopes, set())
        ours, was = made(folder / "changed", new), tables(made(folder / "changed", old))
        replay(ours, vehicles=[VEHICLE])
        found, always = tables(ours), tables(made(folder / "always", new))
        assert differing(of(found, VEHICLE), of(always, VEHICLE)) == {}
        for vehicle in (OTHER, "van"):
            assert differing(of(found, vehicle), of(was, vehicle)) == {}
        unread, unreadable = of(found, UNKNOWN_VEHICLE)["quarantine"], of(always, UNKNOWN_VEHICLE)["quarantine"]
        theirs = pl.col("body").bin.contains(VEHICLE.encode())
        others = of(was, UNKNOWN_VEHICLE)["quarantine"].filter(~theirs)
        assert set(others["sequence"]) <= set(unread["sequence"])
        assert set(unread.filter(theirs)["sequence"]) == set(unreadable.filter(theirs)["sequence"])
