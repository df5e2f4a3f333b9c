"""What the collector says that it asked, beside what the simulated cloud says that it was asked, query by query."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

OUTCOMES = ("asked", "answered", "spared", "late", "failed")
_COUNTERS = {"asked": "requests", "spared": "skipped", "late": "delayed"}
_COLUMNS = {"source": pl.String(), "query": pl.String(), **dict.fromkeys((*OUTCOMES, "called"), pl.Int64())}


def asked(receiver: Mapping[str, Any], called: Counter[str]) -> pl.DataFrame:
    """A row for each account and query: `OUTCOMES` as the receiver counts, and `called` as the cloud does.

    `receiver` is the last word of one that has ended: only then can both sides say the same.
    """
    rows = [
        {
            "source": source,
            "query": query,
            **{word: counts[_COUNTERS.get(word, word)] for word in OUTCOMES},
            "called": called[query],
        }
        for source, told in receiver["polls"].items()
        for query, counts in told["queries"].items()
    ]
    return pl.DataFrame(rows, schema=_COLUMNS)
