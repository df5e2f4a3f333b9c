"""What the pipeline makes depends on the messages alone, not on batches, failed deliveries or restarts."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logger.decode.intake_stats import HOUR_MS
from logger.decode.pipeline import Pipeline
from logger.envelope import Batch, Envelope
from logger.tables import RAW
from tests.helpers.segway_pushes import RECEIVED, MemoryReceipts, account, body, envelope

HOUR = RECEIVED // HOUR_MS * HOUR_MS
NO_READINGS = pl.DataFrame(schema=RAW["status"].schema)
OBSERVATIONS = st.lists(  # minutes since the reading before, odometer [m]
    st.tuples(st.sampled_from([0, 1, 45]), st.sampled_from([9000, 9100, 9050, 99_000])), min_size=1, max_size=12
)


def pushes(*readings: tuple[int, int]) -> list[Envelope]:
    """Pushes of `status`, each received at the time it carries."""
    messages, at = [], HOUR
    for minutes, odometer_m in readings:
        at += 60_000 * minutes
        messages.append(envelope("status", body("status", statusUtcTime=f"{at // 1000}", odometer=f"{odometer_m}"), at))
    return messages


def batches(messages: Sequence[Envelope], cuts: set[int]) -> list[Batch]:
    ends = [0, *sorted(cut for cut in cuts if 0 < cut < len(messages)), len(messages)]
    whole = Batch(list(range(1, len(messages) + 1)), list(messages))
    return [whole.part(start, stop) for start, stop in pairwise(ends)]


def pipeline(last_readings: pl.DataFrame = NO_READINGS) -> Pipeline:
    return Pipeline({"moped": account()}, MemoryReceipts(), last_readings)


def by_key(rows: Sequence[pl.DataFrame], table: str) -> pl.DataFrame:
    """The last row of each key."""
    key = RAW[table].key
    return pl.concat(rows).unique(key, keep="last", maintain_order=True).sort(key)


def run(parts: Sequence[Batch], failures: Collection[int] = ()) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of `status` and `intake`; batches with these numbers fail to be delivered at first."""
    steps, status, intake = pipeline(), [], []
    for number, part in enumerate(parts):
        if number in failures:
            steps.decode(part)
        result = steps.decode(part)
        steps.commit(result)
        status.append(result.rows["status"])
        intake.append(steps.changed_intake())
    return pl.concat(status), by_key(intake, "intake")


@settings(deadline=None, max_examples=30)
@given(OBSERVATIONS, st.sets(st.integers(1, 11), max_size=4), st.sets(st.integers(0, 4)))
def test_batches_and_failed_deliveries_change_nothing(
    readings: list[tuple[int, int]], cuts: set[int], failures: set[int]
) -> None:
    messages = pushes(*readings)
    status, intake = run(batches(messages, cuts), failures)
    whole_status, whole_intake = run(batches(messages, set()))
    assert_frame_equal(status, whole_status)
    assert_frame_equal(intake, whole_intake)


@settings(deadline=None, max_examples=30)
@given(OBSERVATIONS, st.integers(0, 12))
def test_a_restart_changes_nothing(readings: list[tuple[int, int]], cut: int) -> None:
    messages = pushes(*readings)
    before, after = [*batches(messages, {cut}), Batch([], [])][:2]
    status, intake = run([before])
    restarted = pipeline(status.drop_nulls("odometer_m").sort("time", "sequence").group_by("vehicle").last())
    restarted.count([before], messages[len(before) - 1].received_at // HOUR_MS * HOUR_MS)
    rows = [status]
    if len(after):
        result = restarted.decode(after)
        restarted.commit(result)
        rows.append(result.rows["status"].select(status.columns))
    whole_status, whole_intake = run(batches(messages, set()))
    assert_frame_equal(pl.concat(rows), whole_status)
    assert_frame_equal(by_key([intake, restarted.changed_intake()], "intake"), whole_intake)


def test_rows_of_a_batch_that_was_not_delivered_are_not_compared_with() -> None:
    steps = pipeline()
    first, second = batches(pushes((0, 9000), (1, 8000)), {1})
    steps.decode(first)
    assert steps.decode(second).rows["status"]["flags"].to_list() == [None]
    steps.commit(steps.decode(first))
    assert steps.decode(second).rows["status"]["flags"].to_list() == [["odometer_back"]]


def test_only_messages_of_the_hours_that_are_not_complete_are_counted_again() -> None:
    messages = pushes((59, 9000), (1, 9001), (0, 9002))
    late = envelope("status", body("status", odometer="9003"), HOUR + 59 * 60_000)  # its request began in the old hour
    steps = pipeline()
    steps.count(batches([*messages, late], {2}), HOUR + HOUR_MS)
    hour = datetime.fromtimestamp((HOUR + HOUR_MS) / 1000, UTC)
    assert steps.changed_intake().select("time", "received").rows() == [(hour, 2)]
