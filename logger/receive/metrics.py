"""The metrics of a receiver, at `/metrics`: its own counters, and the state of spool, polls and feeders."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

disable_created_metrics()  # type: ignore[no-untyped-call]
_COMMIT_BOUNDS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)
_DELAY_BOUNDS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
_Family = CounterMetricFamily | GaugeMetricFamily


class ReceiverMetrics:
    """Counts by account; plain counters on the hot path, made into metric families when the page is read.

    `state` gives, when the page is read, the state of the other processes: `depth` and `feeders` by sink, `bytes` and
    `max_bytes`. Set `polls` to what gives the state of polling by account, `signatures` to what gives accepted
    signatures by account and reading of the vendor's rule.
    """

    def __init__(self, state: Callable[[], dict[str, Any]]) -> None:
        self._state = state
        self._taken: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._not_stored: Counter[str] = Counter()
        self.stores = True
        self.polls: Callable[[], dict[str, dict[str, Any]]] = dict
        self.signatures: Callable[[], dict[str, Mapping[str, int]]] = dict
        self._registry = CollectorRegistry()
        self._commit = Histogram(
            "voltrail_commit_seconds",
            "time to put one group of messages on disk",
            buckets=_COMMIT_BOUNDS_S,
            registry=self._registry,
        )
        self._delay = Histogram(
            "voltrail_poll_delay_seconds",
            "how long after its time each call to a cloud is made",
            ("source",),
            buckets=_DELAY_BOUNDS_S,
            registry=self._registry,
        )
        self._registry.register(self)

    def count_push(self, source: str) -> None:
        """A push is on disk."""
        self._taken[source] += 1

    def count_refusal(self, source: str, reason: str) -> None:
        """A push was answered with a refusal."""
        self._refused[source, reason] += 1

    def not_stored(self, source: str) -> None:
        """A push was not stored, because the spool was full or its disk failed."""
        self._not_stored[source] += 1

    def count_commit(self, size: int, seconds: float, stored: bool) -> None:
        """A group of `size` messages took this long to be put on disk; `stored` is false where the disk refused."""
        self.stores = stored
        self._commit.observe(seconds)

    def delay_observer(self, source: str) -> Callable[[float], None]:
        """What counts the delays of this account's calls [s]."""
        return self._delay.labels(source).observe

    def text(self) -> bytes:
        """The page, in the Prometheus text format."""
        return generate_latest(self._registry)

    def summary(self) -> dict[str, Any]:
        """The same in short, for other processes, by account: pushes `taken`, `refused`, `not_stored`; and `polls`."""
        refused = Counter[str]()
        for (source, _), count in self._refused.items():
            refused[source] += count
        pushes = {"taken": dict(self._taken), "refused": refused, "not_stored": dict(self._not_stored)}
        return {"pushes": pushes, "polls": self.polls()}

    def backlog(self) -> dict[str, float]:
        """How full the spool is, what waits for each sink, and what is in quarantine: columns of `collector`."""
        state = self._state()
        waiting = {f"{sink}_waiting": depth for (sink,), depth in state["depth"].items()}
        quarantined = state["feeders"].get("lake", {}).get("rows", {}).get("quarantine", 0)
        return {"spool_share": state["bytes"] / max(state["max_bytes"], 1), **waiting, "quarantined": quarantined}

    def collect(self) -> Iterator[_Family]:
        """The metric families, for `prometheus_client`."""
        yield from self._push_families()
        state = self._state()
        yield from _spool_families(state)
        yield from _poll_families(self.polls())
        yield from _sink_families(state["feeders"])

    def _push_families(self) -> Iterator[_Family]:
        by_source = {(source,): count for source, count in self._taken.items()}
        yield _counter("voltrail_pushes_taken", "pushes answered 200, on disk", ("source",), by_source)
        yield _counter("voltrail_pushes_refused", "pushes refused", ("source", "reason"), self._refused)
        not_stored = {(source,): count for source, count in self._not_stored.items()}
        yield _counter("voltrail_pushes_not_stored", "pushes answered 503, not on disk", ("source",), not_stored)
        signatures = {
            (source, reading): count
            for source, counts in self.signatures().items()
            for reading, count in counts.items()
        }
        text = "right signatures of pushes, by the reading of the vendor's rule that matched"
        yield _counter("voltrail_push_signatures", text, ("source", "reading"), signatures)


def _spool_families(state: dict[str, Any]) -> Iterator[_Family]:
    yield _gauge("voltrail_spool_depth", "messages that wait for a sink", ("sink",), state["depth"])
    yield _gauge("voltrail_spool_bytes", "bytes in the spool", (), {(): state["bytes"]})
    yield _gauge("voltrail_spool_max_bytes", "bytes that the spool may take", (), {(): state["max_bytes"]})
    full = state["bytes"] >= 0.9 * state["max_bytes"]
    yield _gauge("voltrail_spool_alarm", "1 where the spool is nine tenths full or more", (), {(): full})


def _poll_families(polls: dict[str, dict[str, Any]]) -> Iterator[_Family]:
    requests = {
        (source, query, outcome): count
        for source, state in polls.items()
        for query, counts in state["queries"].items()
        for outcome, count in counts.items()
    }
    labels = ("source", "query", "outcome")
    yield _counter("voltrail_poll_requests", "queries of clouds, by outcome", labels, requests)
    pauses = {(source,): state["pause_s"] for source, state in polls.items()}
    yield _gauge("voltrail_poll_pause_seconds", "how long a cloud in trouble is still left alone", ("source",), pauses)


def _sink_families(feeders: dict[str, dict[str, Any]]) -> Iterator[_Family]:
    rows = {(sink, table): count for sink, state in feeders.items() for table, count in state.get("rows", {}).items()}
    yield _counter("voltrail_rows", "rows delivered since the feeder started", ("sink", "table"), rows)
    failures = {(sink,): state.get("failures", 0) for sink, state in feeders.items()}
    yield _counter("voltrail_sink_failures", "times that a sink refused a batch", ("sink",), failures)
    trouble = {(sink,): bool(state.get("error")) for sink, state in feeders.items()}
    yield _gauge("voltrail_sink_trouble", "1 where a sink refused and has taken nothing since", ("sink",), trouble)


def _counter(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Mapping[Any, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
