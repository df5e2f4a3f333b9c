"""The demo's result on messages, for people and for programs."""

from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from logger.simulator.demo.car_comparison import CarResult, lines
from logger.simulator.demo.expected_rows import KEY
from logger.simulator.demo.poll_comparison import OUTCOMES
from logger.simulator.demo.verdict import Verdict

_ERRORS = {
    "wrong_replies": "pushes got another answer than expected",
    "miscounted_pushes": "pushes are on disk more or less often than they were answered 200",
    "lost_push_rows": "rows of pushes are missing",
    "lost_answer_rows": "rows of answers are missing",
    "duplicate_keys": "keys are stored twice",
    "unexplained_rows": "rows come from no message",
    "wrong_distances": "vehicles have another distance in the lake than in their readings",
    "miscounted_queries": "queries have other counts in the collector than in the cloud",
}
_COLUMNS = {  # of the table of vehicles: key, title, width
    "generated": ("pushes", 8),
    "lost": ("lost", 7),
    "delayed": ("delayed", 9),
    "repeated": ("repeated", 10),
    "stored": ("stored", 9),
    "polled": ("polled", 8),
    "driven_m": ("driven m", 11),
    "measured_m": ("measured m", 12),
}


class MessageResult(msgspec.Struct, frozen=True):
    """What was sent, and what became of it.

    `sent` has every push, `expected` the rows that messages must make (see `expected_rows.date_rows`), `answers` is
    the number of answers on disk; `vehicles` and `polls` have one row a vehicle and a query. `seconds` is the duration
    of the whole demo up to this result.
    """

    verdict: Verdict
    sent: pl.DataFrame
    expected: pl.DataFrame
    answers: int
    quarantined: int
    vehicles: pl.DataFrame
    polls: pl.DataFrame
    seconds: float = 0.0
    cars: tuple[CarResult, ...] = ()

    @property
    def errors(self) -> list[str]:
        """The names of what is wrong; none where all that was answered is stored."""
        wrong = [name for name, _ in self.verdict.errors()]
        return [*wrong, *(f"cars of {each.provider}" for each in self.cars if not each.complete)]

    def figures(self) -> dict[str, Any]:
        """Return all figures, ready for JSON."""
        return {
            "complete": not self.errors,
            "verdict": msgspec.structs.asdict(self.verdict),
            "seconds": self.seconds,
            **self._push_figures(),
            **self._row_figures(),
            "answers": self.answers,
            "quarantined": self.quarantined,
            "queries": self.polls.to_dicts(),
            "vehicles": self.vehicles.to_dicts(),
            "cars": [msgspec.structs.asdict(each) for each in self.cars],
        }

    def _push_figures(self) -> dict[str, Any]:
        status, latency_ms = self.sent["status"], self.sent["seconds"] * 1000
        return {
            "sent": self.sent.height,
            "answered": int((status == 200).sum()),
            "refused": int((status == 401).sum()),
            "p50_ms": latency_ms.quantile(0.5),
            "p99_ms": latency_ms.quantile(0.99),
        }

    def _row_figures(self) -> dict[str, Any]:
        pushes = self.expected.filter((pl.col("via") == "push") & (pl.col("table") != "quarantine"))
        messages, keys = pushes.unique(["path", "identity"]).height, pushes.unique(KEY).height
        sums = self.vehicles.sum()
        return {
            "stored": sums["stored"][0],
            "expected": keys,
            "repeated": pushes.height - messages,
            "sent_twice": sums["repeated"][0],
            "same_second": messages - keys,
            "clock_ahead": pushes.filter(clock_error="ahead").height,
            "clock_behind": pushes.filter(clock_error="behind").height,
            "polled": sums["polled"][0],
        }

    def lines(self) -> Iterator[str]:
        """Yield the result as lines for people: vehicle by vehicle, query by query, and in sum."""
        yield ""
        yield from self._vehicle_lines()
        yield ""
        yield from self._query_lines()
        yield ""
        yield from self._summary_lines()

    def _vehicle_lines(self) -> Iterator[str]:
        yield f"{'vehicle':<17}" + "".join(f"{title:>{width}}" for title, width in _COLUMNS.values())
        for row in self.vehicles.iter_rows(named=True):
            counts = "".join(f"{row[name]:>{width},}" for name, (_, width) in _COLUMNS.items())
            yield f"{row['vehicle']:<17}{counts}"

    def _query_lines(self) -> Iterator[str]:
        titles = "".join(f"{outcome:>10}" for outcome in OUTCOMES)
        yield f"{'account':<10}{'query':<16}{titles}{'received by cloud':>19}"
        for row in self.polls.iter_rows(named=True):
            counts = "".join(f"{row[outcome]:>10,}" for outcome in OUTCOMES)
            yield f"{row['source']:<10}{row['query']:<16}{counts}{row['cloud_requests']:>19,}"

    def _summary_lines(self) -> Iterator[str]:
        figures = self.figures()
        old = figures["repeated"] - figures["sent_twice"]
        yield f"sent          {figures['sent']:,} pushes, {figures['refused']} of them with a wrong signature"
        yield f"answered 200  {figures['answered']:,}; 401: {figures['refused']}"
        yield f"stored        {figures['stored']:,} rows of {figures['expected']:,} different keys in pushes"
        parts = f"{figures['sent_twice']:,} sent twice, {old:,} old positions, {figures['same_second']:,} of one second"
        yield f"repeated      {figures['repeated'] + figures['same_second']:,} pushes: {parts}"
        clocks = f"{figures['clock_ahead']:,} pushes ahead, {figures['clock_behind']:,} long ago"
        yield f"wrong clocks  {clocks}: stored at their receipt"
        yield f"answers       {figures['answers']:,} on disk, {figures['polled']:,} rows that are in no push"
        yield f"quarantined   {figures['quarantined']} pushes of vehicles that are not listed"
        yield f"distance      {self._distance()}"
        yield f"answer time   {figures['p50_ms']:.1f} ms median, {figures['p99_ms']:.1f} ms at the 99th percentile"
        yield from lines(self.cars)
        yield f"verdict       {self._verdict()}; {self.seconds:.0f} s in all"

    def _distance(self) -> str:
        driven_m, measured_m = (int(self.vehicles[name].sum()) for name in ("driven_m", "measured_m"))
        if driven_m == measured_m:
            return f"{measured_m:,} m measured, {driven_m:,} m driven"
        return f"{measured_m:,} m measured, {driven_m:,} m driven: {driven_m - measured_m:,} m are in no message"

    def _verdict(self) -> str:
        if not self.errors:
            return "all that was answered is stored exactly once, and nothing else is"
        counts = [f"{count:,} {_ERRORS[name]}" for name, count in self.verdict.errors()]
        return "INCOMPLETE: " + ", ".join([*counts, *self.errors[len(counts) :]])
