"""How estimates are held against the truth, and what the rules of others make of hand-sized data."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from tests.score.baselines import gap_rule, polled
from tests.score.matching import by_kind, score

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def trips(
    *spans: tuple[int, int], vehicle: str = "one", distance_m: float = 1000.0, kind: str = "observed"
) -> pl.DataFrame:
    """Trips from minute to minute."""
    rows = [(vehicle, BEGIN + timedelta(minutes=a), BEGIN + timedelta(minutes=b), distance_m, kind) for a, b in spans]
    return pl.DataFrame(rows, schema=["vehicle", "started_at", "finished_at", "distance_m", "kind"], orient="row")


def test_an_estimate_that_shares_half_of_the_union_has_found_the_trip() -> None:
    assert score(trips((0, 5)), trips((0, 10))).f1 == 1
    assert score(trips((0, 4)), trips((0, 10))).f1 == 0


def test_one_estimate_finds_one_trip_and_the_best_pair_is_made_first() -> None:
    got = score(trips((0, 10)), trips((0, 6), (0, 9)))
    assert [pair.iou for pair in got.pairs] == [pytest.approx(0.9)]
    assert (got.precision, got.recall) == (1, 0.5)
    assert got.f1 == pytest.approx(2 / 3)


def test_trips_of_another_vehicle_find_nothing() -> None:
    assert score(trips((0, 10), vehicle="two"), trips((0, 10))).pairs == []


def test_a_trip_in_pieces_is_fragmented_and_two_trips_in_one_are_merged() -> None:
    pieces = score(trips((0, 4), (6, 10)), trips((0, 10)))
    whole = score(trips((0, 10)), trips((0, 4), (6, 10)))
    assert (pieces.fragmented, pieces.merged) == (1, 0)
    assert (whole.fragmented, whole.merged) == (0, 1)


def test_errors_of_edges_and_distances_are_absolute() -> None:
    got = score(trips((1, 10), (21, 28), distance_m=900), trips((0, 10), (20, 30)))
    assert list(got.late("start").errors_s) == [60, 60]
    assert list(got.late("finish").errors_s) == [0, 120]
    assert got.late("finish").share(60) == 0.5
    assert got.distance_error_pct == pytest.approx(10)


def test_precision_is_told_by_kind() -> None:
    found = pl.concat([trips((0, 10)), trips((20, 30), (50, 60), kind="inferred")])
    parts = by_kind(score(found, trips((0, 10), (20, 30))), ("observed", "inferred"), found)
    assert {kind: part.precision for kind, part in parts.items()} == {"observed": 1, "inferred": 0.5}


def test_no_estimates_score_nothing() -> None:
    got = score(trips(), trips((0, 10)))
    assert (got.precision, got.recall, got.f1) == (0, 0, 0)


def driven(*readings: tuple[float, float]) -> pl.DataFrame:
    """One vehicle's odometer [m] by minute, received at once."""
    rows = [("one", BEGIN + timedelta(minutes=at), metres, 0.0) for at, metres in readings]
    told = pl.DataFrame(rows, schema=["vehicle", "at", "odometer_m", "speed_kmh"], orient="row")
    return told.with_columns(pl.col("at").cast(pl.Datetime("ms", "UTC"))).with_columns(received_at="at")


def minutes(found: pl.DataFrame) -> list[tuple[float, float]]:
    spans = found.select("started_at", "finished_at").iter_rows()
    return [((a - BEGIN) / timedelta(minutes=1), (b - BEGIN) / timedelta(minutes=1)) for a, b in spans]


def test_a_polled_odometer_is_cut_where_it_stood_for_more_than_ten_minutes() -> None:
    got = polled(driven((0, 0), (9, 100), (18, 200), (70, 200), (71, 300), (80, 300)))
    assert minutes(got) == [(0, 20), (70, 80)]
    assert got["distance_m"].to_list() == [200, 100]


def test_the_gap_rule_cuts_after_five_minutes_without_movement() -> None:
    got = gap_rule(driven((0, 0), (1, 100), (5, 200), (11, 200), (12, 300)))
    assert minutes(got) == [(0, 5), (11, 12)]
