"""What the receiver tells of itself in its heartbeats."""

from typing import Any

from logger.receive.metrics import ReceiverMetrics


def backlog(**state: Any) -> dict[str, float]:
    whole = {"depth": {}, "bytes": 0, "max_bytes": 100, "feeders": {}, **state}
    return ReceiverMetrics(lambda: whole).backlog()


def test_the_backlog_has_a_column_for_each_sink() -> None:
    feeders = {"lake": {"rows": {"status": 5, "quarantine": 2}}}
    found = backlog(depth={("lake",): 3, ("influx",): 4}, bytes=25, feeders=feeders)
    assert found == {"spool_share": 0.25, "lake_waiting": 3, "influx_waiting": 4, "quarantined": 2}


def test_a_feeder_that_never_ran_and_a_spool_without_a_limit_are_no_error() -> None:
    assert backlog(max_bytes=0) == {"spool_share": 0, "quarantined": 0}
