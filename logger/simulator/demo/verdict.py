"""The verdict: what had to become of every message held against what did, key by key."""

from collections.abc import Iterator

import msgspec
import polars as pl

from logger.simulator.demo.keys import KEY


class Verdict(msgspec.Struct, frozen=True):
    """How many are wrong, and in what way; none where all is well."""

    misanswered: int  # pushes not answered as they deserve: 401 what is forged, 200 all else
    miscounted: int  # pushes that are on disk more or less often than they were answered 200
    lost: int  # rows of a push that are in no table
    lost_answers: int  # rows of an answer that are in no table
    doubled: int  # keys that are stored more than once
    unexplained: int  # rows that no message of their kind makes
    mismeasured: int  # vehicles whose metres in the lake are not those of the readings that came
    misasked: int  # queries whose figures differ between collector, cloud and disk

    @property
    def whole(self) -> bool:
        """Whether everything is there exactly once, and nothing else is."""
        return not any(msgspec.structs.astuple(self))

    def faults(self) -> Iterator[tuple[str, int]]:
        """What is wrong, by name."""
        yield from ((name, count) for name, count in msgspec.structs.asdict(self).items() if count)


def verdict(
    sent: pl.DataFrame, received: pl.DataFrame, due: pl.DataFrame, stored: pl.DataFrame, asked: pl.DataFrame
) -> Verdict:
    """Hold all against all.

    Parameters
    ----------
    sent : every push with `sender`, `path`, `identity`, and the `status` that it was answered
    received : every message on disk with `via` (`push`, `poll`), `path` and `identity`
    due : the rows that messages must make: `KEY`, `via`, and `odometer_m` of a status [m]; keys may repeat
    stored : all rows that there are, in the columns of `due`
    asked : by `query` how often the collector `asked`, was `answered` and `failed`, and the cloud was `called`
    """
    wanted = due.unique([*KEY, "via"])
    missing = wanted.join(stored, on=KEY, how="anti", nulls_equal=True)
    deserved = pl.when(pl.col("sender") == "forger").then(401).otherwise(200)
    return Verdict(
        misanswered=sent.filter(pl.col("status") != deserved).height,
        miscounted=_miscounted(sent.filter(status=200), received.filter(via="push")),
        lost=missing.filter(via="push").height,
        lost_answers=missing.filter(via="poll").height,
        doubled=stored.group_by(KEY).len().filter(pl.col("len") > 1).height,
        unexplained=stored.join(wanted, on=[*KEY, "via"], how="anti", nulls_equal=True).height,
        mismeasured=_mismeasured(due, stored),
        misasked=_misasked(asked, received.filter(via="poll")),
    )


def metres(rows: pl.DataFrame) -> pl.DataFrame:
    """`metres` of each vehicle [m]: from its lowest to its highest reading among these rows."""
    odometer = pl.col("odometer_m").cast(pl.Int64)
    return rows.drop_nulls("odometer_m").group_by("vehicle").agg(metres=odometer.max() - odometer.min())


def _miscounted(taken: pl.DataFrame, received: pl.DataFrame) -> int:
    sides = [each.group_by("path", "identity").len() for each in (taken, received)]
    both = sides[0].join(sides[1], on=["path", "identity"], how="full")
    return both.filter(pl.col("len").ne_missing(pl.col("len_right"))).height


def _mismeasured(due: pl.DataFrame, stored: pl.DataFrame) -> int:
    both = metres(due).join(metres(stored), on="vehicle", how="full")
    return both.filter(pl.col("metres").ne_missing(pl.col("metres_right"))).height


def _misasked(asked: pl.DataFrame, answers: pl.DataFrame) -> int:
    kept = answers.group_by(query="path").agg(kept=pl.len())
    both = asked.join(kept, on="query", how="full", coalesce=True).fill_null(0)
    ended = pl.col("answered") + pl.col("failed")
    alike = (pl.col("asked") == pl.col("called")) & (pl.col("asked") == ended) & (pl.col("answered") == pl.col("kept"))
    return both.filter(~alike).height
