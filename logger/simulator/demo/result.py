"""What the demo found, for people and for programs."""

from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from logger.simulator.demo.asked import OUTCOMES
from logger.simulator.demo.keys import KEY
from logger.simulator.demo.verdict import Verdict

_FAULTS = {
    "misanswered": "pushes were not answered as they deserve",
    "miscounted": "pushes are on disk more or less often than they were answered 200",
    "lost": "rows of pushes are missing",
    "lost_answers": "rows of answers are missing",
    "doubled": "rows are stored twice",
    "unexplained": "rows come from no message",
    "mismeasured": "vehicles have other metres in the lake than in their readings",
    "misasked": "queries are counted differently by collector and cloud",
}


class Result(msgspec.Struct, frozen=True):
    """What was sent and what became of it.

    `sent` is every push, `due` the rows that messages must make (see `keys.placed`), `answers` how many came,
    `vehicles` and `queries` one row each.
    """

    verdict: Verdict
    sent: pl.DataFrame
    due: pl.DataFrame
    answers: int
    quarantined: int
    vehicles: pl.DataFrame
    queries: pl.DataFrame
    seconds: float

    def told(self) -> dict[str, Any]:
        """All figures, ready for JSON."""
        sums = self.vehicles.sum()
        pushes, status = self._fleet(), self.sent["status"]
        latency_ms = self.sent["seconds"] * 1000
        return {
            "whole": self.verdict.whole,
            "verdict": msgspec.structs.asdict(self.verdict),
            "seconds": self.seconds,
            "sent": self.sent.height,
            "answered": int((status == 200).sum()),
            "refused": int((status == 401).sum()),
            "stored": sums["stored"][0],
            "expected": pushes.unique(KEY).height,
            "repeated": pushes.height - pushes.unique(["path", "identity"]).height,
            "sent_twice": sums["repeated"][0],
            "same_moment": pushes.unique(["path", "identity"]).height - pushes.unique(KEY).height,
            "ahead": pushes.filter(moved="ahead").height,
            "behind": pushes.filter(moved="behind").height,
            "answers": self.answers,
            "polled": sums["polled"][0],
            "quarantined": self.quarantined,
            "p50_ms": latency_ms.quantile(0.5),
            "p99_ms": latency_ms.quantile(0.99),
            "queries": self.queries.to_dicts(),
            "vehicles": self.vehicles.to_dicts(),
        }

    def lines(self) -> Iterator[str]:
        """For people: vehicle by vehicle, query by query, and in sum."""
        yield ""
        yield from self._vehicle_lines()
        yield ""
        yield from self._query_lines()
        yield ""
        yield from self._sums()

    def _fleet(self) -> pl.DataFrame:
        return self.due.filter((pl.col("via") == "push") & (pl.col("table") != "quarantine"))

    def _vehicle_lines(self) -> Iterator[str]:
        yield (
            f"{'vehicle':<17}{'made':>8}{'lost':>7}{'late':>7}{'twice':>7}{'stored':>9}{'polled':>8}"
            f"{'driven m':>11}{'measured m':>12}"
        )
        for row in self.vehicles.iter_rows(named=True):
            yield (
                f"{row['vehicle']:<17}{row['made']:>8,}{row['lost']:>7,}{row['late']:>7,}{row['repeated']:>7,}"
                f"{row['stored']:>9,}{row['polled']:>8,}{row['driven_m']:>11,}{row['measured_m']:>12,}"
            )

    def _query_lines(self) -> Iterator[str]:
        words = "".join(f"{word:>10}" for word in OUTCOMES)
        yield f"{'account':<10}{'query':<16}{words}{'the cloud counts':>19}"
        for row in self.queries.iter_rows(named=True):
            counts = "".join(f"{row[word]:>10,}" for word in OUTCOMES)
            yield f"{row['source']:<10}{row['query']:<16}{counts}{row['called']:>19,}"

    def _sums(self) -> Iterator[str]:
        told = self.told()
        old = told["repeated"] - told["sent_twice"]
        yield f"sent          {told['sent']:,} pushes, {told['refused']} of them with a wrong signature"
        yield f"answered 200  {told['answered']:,}; 401: {told['refused']}"
        yield f"stored        {told['stored']:,} rows of {told['expected']:,} different moments that pushes told"
        again = f"{told['sent_twice']:,} sent twice, {old:,} old positions, {told['same_moment']:,} of the same second"
        yield f"told again    {told['repeated'] + told['same_moment']:,} pushes: {again}"
        yield f"wrong clocks  {told['ahead']:,} pushes ahead, {told['behind']:,} of long ago: stored at their receipt"
        yield f"answers       {told['answers']:,} on disk, {told['polled']:,} rows that no push told"
        yield f"quarantined   {told['quarantined']} pushes of vehicles that are not listed"
        yield f"distance      {self._distance()}"
        yield f"answer time   {told['p50_ms']:.1f} ms median, {told['p99_ms']:.1f} ms at the 99th percentile"
        yield f"verdict       {self._verdict()}; {self.seconds:.0f} s in all"

    def _distance(self) -> str:
        driven_m, measured_m = (int(self.vehicles[name].sum()) for name in ("driven_m", "measured_m"))
        if driven_m == measured_m:
            return f"{measured_m:,} m measured, {driven_m:,} m driven"
        return f"{measured_m:,} m measured, {driven_m:,} m driven: {driven_m - measured_m:,} m were never told"

    def _verdict(self) -> str:
        if self.verdict.whole:
            return "all that was answered is stored exactly once, and nothing else is"
        return "NOT WHOLE: " + ", ".join(f"{count:,} {_FAULTS[name]}" for name, count in self.verdict.faults())
