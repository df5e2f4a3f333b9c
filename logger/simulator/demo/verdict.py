"""The demo's verdict: whether every message became exactly the rows that it must make."""

from collections.abc import Iterator

import msgspec
import polars as pl

from logger.simulator.demo.expected_rows import KEY


class Verdict(msgspec.Struct, frozen=True):
    """The number of errors of each kind; all are 0 where nothing is wrong."""

    wrong_replies: int  # pushes with another status than expected: 401 for a wrong signature, else 200
    miscounted_pushes: int  # pushes that are on disk more or less often than they were answered 200
    lost_push_rows: int  # rows of pushes that are in no table
    lost_answer_rows: int  # rows of answers that are in no table
    duplicate_keys: int  # keys that are stored more than once
    unexplained_rows: int  # rows that no message of their kind makes
    wrong_distances: int  # vehicles whose distance in the lake is not that of the readings received
    miscounted_queries: int  # queries whose counts differ between collector, cloud and disk

    @property
    def complete(self) -> bool:
        """Whether every row is stored exactly once, and no other row."""
        return not any(msgspec.structs.astuple(self))

    def errors(self) -> Iterator[tuple[str, int]]:
        """Yield the kinds of errors that occurred, and their number."""
        yield from ((name, count) for name, count in msgspec.structs.asdict(self).items() if count)


def verdict(
    sent: pl.DataFrame, received: pl.DataFrame, expected: pl.DataFrame, stored: pl.DataFrame, polls: pl.DataFrame
) -> Verdict:
    """Compare what was sent, what is on disk and what is stored.

    Parameters
    ----------
    sent : every push with `sender`, `path`, `identity`, and the `status` of its answer
    received : every message on disk with `via` (`push`, `poll`), `path` and `identity`
    expected : the rows that messages must make: `KEY`, `via`, and `odometer_m` of a status [m]; keys may repeat
    stored : all rows in the lake, in the columns of `expected`
    polls : by `query` the number of `requests`, `answered` and `failed` by the collector, and `cloud_requests`
    """
    unique = expected.unique([*KEY, "via"])
    missing = unique.join(stored, on=KEY, how="anti", nulls_equal=True)
    status = pl.when(pl.col("sender") == "forger").then(401).otherwise(200)
    return Verdict(
        wrong_replies=sent.filter(pl.col("status") != status).height,
        miscounted_pushes=_miscounted_pushes(sent.filter(status=200), received.filter(via="push")),
        lost_push_rows=missing.filter(via="push").height,
        lost_answer_rows=missing.filter(via="poll").height,
        duplicate_keys=stored.group_by(KEY).len().filter(pl.col("len") > 1).height,
        unexplained_rows=stored.join(unique, on=[*KEY, "via"], how="anti", nulls_equal=True).height,
        wrong_distances=_wrong_distances(expected, stored),
        miscounted_queries=_miscounted_queries(polls, received.filter(via="poll")),
    )


def odometer_distances(rows: pl.DataFrame) -> pl.DataFrame:
    """Return `distance_m` of each vehicle: from its lowest to its highest odometer reading in these rows [m]."""
    odometer = pl.col("odometer_m").cast(pl.Int64)
    return rows.drop_nulls("odometer_m").group_by("vehicle").agg(distance_m=odometer.max() - odometer.min())


def _miscounted_pushes(answered: pl.DataFrame, received: pl.DataFrame) -> int:
    left, right = (each.group_by("path", "identity").len() for each in (answered, received))
    both = left.join(right, on=["path", "identity"], how="full")
    return both.filter(pl.col("len").ne_missing(pl.col("len_right"))).height


def _wrong_distances(expected: pl.DataFrame, stored: pl.DataFrame) -> int:
    both = odometer_distances(expected).join(odometer_distances(stored), on="vehicle", how="full")
    return both.filter(pl.col("distance_m").ne_missing(pl.col("distance_m_right"))).height


def _miscounted_queries(polls: pl.DataFrame, answers: pl.DataFrame) -> int:
    on_disk = answers.group_by(query="path").agg(on_disk=pl.len())
    both = polls.join(on_disk, on="query", how="full", coalesce=True).fill_null(0)
    requests = pl.col("requests")
    by_cloud, by_outcome = requests == pl.col("cloud_requests"), requests == pl.col("answered") + pl.col("failed")
    return both.filter(~(by_cloud & by_outcome & (pl.col("answered") == pl.col("on_disk")))).height
