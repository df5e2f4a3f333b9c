"""What the receiver says at `/metrics`: its own counters, and what spool and feeder tell at the moment of asking."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

disable_created_metrics()  # type: ignore[no-untyped-call]
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5)


class ReceiverMetrics:
    """Counts per source; plain counters on the hot path, made into metric families when somebody asks.

    `state` tells, when asked, of the other processes: `depth` and `feeders` by sink, `bytes` and `max_bytes`.
    """

    def __init__(self, state: Callable[[], dict[str, Any]]) -> None:
        self._state = state
        self._taken: Counter[tuple[str, str]] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._not_stored: Counter[str] = Counter()
        self.held = True
        self.asking: Callable[[], dict[str, dict[str, Any]]] = dict
        self._registry = CollectorRegistry()
        self._commit = Histogram(
            "voltrail_commit_seconds",
            "time to put one group of messages on disk",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._registry.register(self)

    def taken(self, source: str, variant: str) -> None:
        """A push is on disk and answered 200; `variant` is the reading of the signature that matched."""
        self._taken[source, variant] += 1

    def refused(self, source: str, reason: str) -> None:
        """A push was answered 401, 404 or 413."""
        self._refused[source, reason] += 1

    def not_stored(self, source: str) -> None:
        """A push was answered 503, because the spool was full or its disk failed."""
        self._not_stored[source] += 1

    def committed(self, size: int, seconds: float, held: bool) -> None:
        """A group of `size` messages took this long to be put on disk; `held` is false where the disk refused."""
        self.held = held
        self._commit.observe(seconds)

    def text(self) -> bytes:
        """The page, in the Prometheus text format."""
        return generate_latest(self._registry)

    def summary(self) -> dict[str, Any]:
        """The same in short, for other processes, by source: pushes `taken`, `refused`, `not_stored`; the `asking`."""
        taken, refused = Counter[str](), Counter[str]()
        for (source, _), count in self._taken.items():
            taken[source] += count
        for (source, _), count in self._refused.items():
            refused[source] += count
        pushes = {"taken": taken, "refused": refused, "not_stored": self._not_stored}
        return {"pushes": pushes, "asking": self.asking()}

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
        """What `prometheus_client` asks for."""
        yield _counter("voltrail_pushes_taken", "pushes answered 200, on disk", ("source", "variant"), self._taken)
        yield _counter("voltrail_pushes_refused", "pushes refused", ("source", "reason"), self._refused)
        yield _counter(
            "voltrail_pushes_not_stored",
            "pushes answered 503",
            ("source",),
            {(k,): n for k, n in self._not_stored.items()},
        )
        state = self._state()
        yield _gauge("voltrail_spool_depth", "messages that wait for a sink", ("sink",), state["depth"])
        yield _gauge("voltrail_spool_bytes", "bytes in the spool", (), {(): state["bytes"]})
        yield _gauge("voltrail_spool_max_bytes", "bytes that the spool may take", (), {(): state["max_bytes"]})
        full = state["bytes"] >= 0.9 * state["max_bytes"]
        yield _gauge("voltrail_spool_alarm", "1 where the spool is nine tenths full or more", (), {(): full})
        asking = self.asking()
        asks = {
            (source, query, outcome): count
            for source, told in asking.items()
            for query, counts in told["queries"].items()
            for outcome, count in counts.items()
        }
        labels = ("source", "query", "outcome")
        yield _counter("voltrail_asks", "questions to clouds, by what became of them", labels, asks)
        rests = {(source,): told["rests_s"] for source, told in asking.items()}
        yield _gauge("voltrail_asking_rests_seconds", "for how long a cloud is left alone", ("source",), rests)
        yield _histogram(
            "voltrail_ask_lateness_seconds", "how long after its time a question is asked", "source",
            {source: told["lateness"] for source, told in asking.items()},
        )  # fmt: skip
        feeders = state["feeders"]
        rows = {(sink, table): n for sink, told in feeders.items() for table, n in told.get("rows", {}).items()}
        yield _counter("voltrail_rows", "rows delivered since the feeder started", ("sink", "table"), rows)
        failures = {(sink,): told.get("failures", 0) for sink, told in feeders.items()}
        yield _counter("voltrail_sink_failures", "times that a sink refused a batch", ("sink",), failures)
        troubled = {(sink,): bool(told.get("error")) for sink, told in feeders.items()}
        yield _gauge("voltrail_sink_trouble", "1 where a sink refused and has taken nothing since", ("sink",), troubled)


def _counter(name: str, text: str, labels: tuple[str, ...], values: Any) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _gauge(name: str, text: str, labels: tuple[str, ...], values: Any) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _histogram(name: str, text: str, label: str, values: Any) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, text, labels=(label,))
    for key, told in values.items():
        family.add_metric((key,), buckets=told["bins"], sum_value=told["sum_s"])
    return family
