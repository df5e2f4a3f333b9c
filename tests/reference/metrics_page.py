"""`metrics.md`: every metric at `/metrics`, as a receiver without any message has it."""

from collections.abc import Iterator

from logger.poll.calls import CallCounts
from logger.receive.metrics import ReceiverMetrics
from tests.reference.markdown import code, sentence, table

_INTRODUCTION = """
# Metrics

`http://127.0.0.1:8080/metrics` (the address is `listen` of the [settings](settings.md)) answers in the text format of
Prometheus. It is for you alone: let no proxy pass it on.

A *counter* only rises, and starts at 0 when `voltrail run` starts. A *gauge* is the value at the moment of the request.
A *histogram* counts observations by size, as `…_bucket`, `…_count` and `…_sum`.
"""
_LABELS = {
    "source": "the account's name in the settings",
    "sink": "a store: `lake` or `influx`",
    "table": "a [table](tables.md)",
    "query": "which query of the vendor's cloud",
    "outcome": f"what became of the requests: {code(*CallCounts.__struct_fields__)}",
    "reason": "why the push was refused",
    "reading": "the reading of the vendor's signature rule that matched",
}


def text() -> str:
    """Return the page."""
    metrics = list(_metrics())
    rows = [(code(name), kind, code(*labels), sentence(meaning)) for name, kind, labels, meaning in metrics]
    used = dict.fromkeys(label for _, _, labels, _ in metrics for label in labels)
    parts = [
        _INTRODUCTION,
        table(("metric", "type", "labels", "meaning"), rows),
        "\n## Labels\n",
        table(("label", "meaning"), [(code(label), sentence(_LABELS[label])) for label in used]),
    ]
    return "\n".join(parts)


def _metrics() -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Yield name, type, labels and text of every metric."""
    metrics = ReceiverMetrics(lambda: {"depth": {}, "bytes": 0, "max_bytes": 1, "feeders": {}})
    for collector in list(metrics._registry._collector_to_names):  # no public method gives the labels
        for family in collector.collect():
            labels: tuple[str, ...] = getattr(family, "_labelnames", ()) or getattr(collector, "_labelnames", ())
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield name, family.type, tuple(labels), family.documentation
