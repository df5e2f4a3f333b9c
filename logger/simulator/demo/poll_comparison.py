"""Compares the requests that the collector counts with those that the simulated cloud counts, query by query."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from logger.simulator.demo.collector import SOURCE

OUTCOMES = ("requests", "answered", "skipped", "delayed", "failed")  # counters in the receiver's state
_COLUMNS = {"source": pl.String(), "query": pl.String(), **dict.fromkeys((*OUTCOMES, "cloud_requests"), pl.Int64())}


def compare_polls(receiver: Mapping[str, Any], cloud_requests: Counter[str]) -> pl.DataFrame:
    """Return a row for each account and query: `OUTCOMES` by the receiver, `cloud_requests` by the cloud.

    `receiver` is the last state of a receiver that has ended: only then can both counts agree.
    """
    rows = [
        {"source": source, "query": query, **_outcomes(counters), "cloud_requests": cloud_requests[query]}
        for source, account in receiver["polls"].items()
        if source == SOURCE
        for query, counters in account["queries"].items()
    ]
    return pl.DataFrame(rows, schema=_COLUMNS)


def _outcomes(counters: Mapping[str, int]) -> dict[str, int]:
    return {outcome: counters[outcome] for outcome in OUTCOMES}
