"""Spans of time around a charge: how long they are, and what swaps and trips lie about them."""

import polars as pl

from analytics.frames import WHO

_MS = pl.Datetime("ms", "UTC")


def seconds(begin: str, end: str) -> pl.Expr:
    """From one moment to another [s]."""
    return (pl.col(end) - pl.col(begin)).dt.total_milliseconds() / 1000


def middle(begin: str, end: str) -> pl.Expr:
    """The moment between two."""
    return (pl.col(begin) + (pl.col(end) - pl.col(begin)) / 2).cast(_MS)


def last_swap(rows: pl.DataFrame, end: str, swaps: pl.DataFrame) -> pl.Series:
    """When the vehicle's last swap until this end of each row was."""
    places = rows.select(*WHO, end).with_row_index("row").sort(end)
    moments = swaps.select(*WHO, swap_at="at").sort("swap_at")
    found = places.join_asof(moments, left_on=end, right_on="swap_at", by=WHO, check_sortedness=False)
    return found.sort("row")["swap_at"]


def overlapping(spans: pl.DataFrame, others: pl.DataFrame, begin: str, end: str) -> pl.Series:
    """Whether each span `begin` `end` has more than an edge in common with a span `started_at` `finished_at`."""
    known = others.select(*WHO, "started_at", "finished_at").sort("started_at")
    known = known.with_columns(pl.col("finished_at").cum_max().over(WHO))
    places = spans.select(*WHO, begin, end).with_row_index("row").sort(end)
    joined = places.join_asof(
        known, left_on=end, right_on="started_at", by=WHO, allow_exact_matches=False, check_sortedness=False
    ).sort("row")
    return (joined["finished_at"] > joined[begin]).fill_null(False)


def observed(trips: pl.DataFrame) -> pl.DataFrame:
    """`trip_from` and `trip_to` of trips whose messages came all the way through, by start."""
    seen = trips.filter(pl.col("kind") == "observed")
    return seen.select(*WHO, trip_from="started_at", trip_to="finished_at").sort("trip_from")


def under_way(spans: pl.DataFrame, trips: pl.DataFrame, begin: str, end: str) -> pl.Series:
    """Whether each span `begin` `end` lies in an observed trip, whole."""
    places = spans.select(*WHO, begin, end).with_row_index("row").sort(begin)
    joined = places.join_asof(observed(trips), left_on=begin, right_on="trip_from", by=WHO, check_sortedness=False)
    return (joined.sort("row")["trip_to"] >= joined.sort("row")[end]).fill_null(False)


def outside_trips(spans: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Spans `started_at` `finished_at` without what of them lies in an observed trip; one that does whole is out."""
    seen = observed(trips)
    late = spans.with_row_index("row").sort("started_at").join_asof(
        seen, left_on="started_at", right_on="trip_from", by=WHO, check_sortedness=False
    )  # fmt: skip
    began = pl.when(pl.col("trip_to") > pl.col("started_at")).then("trip_to").otherwise("started_at")
    cut = late.with_columns(began.alias("started_at")).drop("trip_from", "trip_to").sort("finished_at").join_asof(
        seen, left_on="finished_at", right_on="trip_from", by=WHO, allow_exact_matches=False, check_sortedness=False
    )  # fmt: skip
    ended = pl.when(pl.col("trip_to") >= pl.col("finished_at")).then("trip_from").otherwise("finished_at")
    whole = cut.with_columns(ended.alias("finished_at")).filter(pl.col("started_at") <= pl.col("finished_at"))
    return whole.sort("row").drop("row", "trip_from", "trip_to")
