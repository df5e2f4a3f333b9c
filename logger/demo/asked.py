"""What the collector says that it asked, beside what the simulated cloud says that it was asked, query by query."""

import time
from collections import Counter, defaultdict

import polars as pl
from prometheus_client.parser import text_string_to_metric_families

from logger.demo.collector import Collector
from logger.demo.sender import get
from logger.demo.vendor import Vendor

OUTCOMES = ("asked", "answered", "spared", "late", "failed")
_PATIENCE_S, _TICK_S = 15.0, 0.01


def asked(collector: Collector, vendor: Vendor) -> pl.DataFrame:
    """A row for each account and query: `OUTCOMES`, and `called` as the cloud counts.

    Read at a moment at which no question is under way, so that both sides can say the same.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        before, counts, after = vendor.calls(), _counts(collector), vendor.calls()
        if (before == after and _agree(counts, after)) or time.monotonic() > end:
            return _frame(counts, after)
        time.sleep(_TICK_S)


_Counts = dict[tuple[str, str], dict[str, int]]


def _counts(collector: Collector) -> _Counts:
    """By account and query, from `/metrics`."""
    counts: _Counts = defaultdict(dict)
    for family in text_string_to_metric_families(get(collector.address, "/metrics")[1].decode()):
        for sample in family.samples if family.name == "voltrail_asks" else ():
            labels = sample.labels
            counts[labels["source"], labels["query"]][labels["outcome"]] = int(sample.value)
    return counts


def _agree(counts: _Counts, called: Counter[str]) -> bool:
    settled = all(told["asked"] == told["answered"] + told["failed"] for told in counts.values())
    return settled and all(told["asked"] == called[query] for (_, query), told in counts.items())


def _frame(counts: _Counts, called: Counter[str]) -> pl.DataFrame:
    rows = [
        {"source": source, "query": query, **{word: told[word] for word in OUTCOMES}, "called": called[query]}
        for (source, query), told in counts.items()
    ]
    columns = {"source": pl.String(), "query": pl.String(), **dict.fromkeys((*OUTCOMES, "called"), pl.Int64())}
    return pl.DataFrame(rows, schema=columns)
