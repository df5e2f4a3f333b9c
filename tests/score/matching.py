"""Trips held against the truth: matched one to one by temporal IoU (intersection over union), the best pair first."""

import math
import statistics
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import msgspec
import polars as pl

LEAST_IOU = 0.5  # of a pair that counts as found (analytics facts, 1.6)
Span = tuple[float, float]


class Pair(msgspec.Struct, frozen=True):
    """A true trip and the estimate that found it; `start_s` and `finish_s` are how much later the estimate is [s]."""

    iou: float
    start_s: float
    finish_s: float
    distance_m: float | None  # how much longer
    true_m: float
    kind: str
    energy_wh: Sequence[float] = ()  # where known: true, found, and the ends of its 95 % interval
    found: tuple[str, datetime] | None = None  # vehicle and start of the estimate


class Score(msgspec.Struct, frozen=True):
    """How well some estimates find the true trips.

    `fragmented` is how many true trips overlap several estimates, `merged` how many estimates several true trips.
    """

    pairs: Sequence[Pair]
    estimates: int
    truths: int
    fragmented: int
    merged: int

    @property
    def precision(self) -> float:
        return len(self.pairs) / self.estimates if self.estimates else 0.0

    @property
    def recall(self) -> float:
        return len(self.pairs) / self.truths if self.truths else 0.0

    @property
    def f1(self) -> float:
        return 2 * len(self.pairs) / (self.estimates + self.truths) if self.estimates + self.truths else 0.0

    @property
    def mean_iou(self) -> float:
        return statistics.fmean(pair.iou for pair in self.pairs) if self.pairs else 0.0

    @property
    def distance_error_pct(self) -> float:
        """Mean of the absolute errors of found trips, in per cent of the true distance."""
        known = [(abs(pair.distance_m), pair.true_m) for pair in self.pairs if pair.distance_m is not None]
        shares = [far_m / true_m for far_m, true_m in known if true_m > 0]
        return 100 * statistics.fmean(shares) if shares else math.nan

    def late(self, edge: str) -> "Edge":
        """Errors of `start` or `finish`."""
        return Edge(sorted(abs(getattr(pair, f"{edge}_s")) for pair in self.pairs))


class Edge(msgspec.Struct, frozen=True):
    """Absolute errors of starts or ends [s], in order."""

    errors_s: Sequence[float]

    def share(self, within_s: float) -> float:
        """Of those that are off by no more than this."""
        return sum(error <= within_s for error in self.errors_s) / max(1, len(self.errors_s))

    def quantile(self, part: float) -> float:
        """The nearest rank."""
        return self.errors_s[min(len(self.errors_s) - 1, int(part * len(self.errors_s)))] if self.errors_s else 0.0


def score(trips: pl.DataFrame, truth: pl.DataFrame) -> Score:
    """Trips (`vehicle` `started_at` `finished_at`, and where known `distance_m` `kind`) against the true ones."""
    pairs, fragmented, merged = list[Pair](), 0, 0
    found = {vehicle: rows.sort("started_at") for (vehicle,), rows in trips.group_by("vehicle")}
    for (vehicle,), rows in truth.group_by("vehicle", maintain_order=True):
        real = rows.sort("started_at")
        guessed = found.get(vehicle, trips.clear())
        overlaps = list(_overlaps(_spans(real), _spans(guessed)))
        fragmented += _several([each[0] for _, each in overlaps])
        merged += _several([each[1] for _, each in overlaps])
        pairs += [_pair(iou, real.row(a, named=True), guessed.row(b, named=True)) for iou, (a, b) in _matched(overlaps)]
    return Score(pairs, trips.height, truth.height, fragmented, merged)


def by_kind(whole: Score, kinds: Sequence[str], trips: pl.DataFrame) -> dict[str, Score]:
    """The same pairs by the kind of the estimate. What nobody found has no kind: only precision and errors hold."""
    return {
        kind: Score([p for p in whole.pairs if p.kind == kind], trips.filter(pl.col("kind") == kind).height, 0, 0, 0)
        for kind in kinds
    }


def _spans(rows: pl.DataFrame) -> list[Span]:
    return [(a.timestamp(), b.timestamp()) for a, b in rows.select("started_at", "finished_at").iter_rows()]


def _overlaps(real: list[Span], guessed: list[Span]) -> Iterator[tuple[float, tuple[int, int]]]:
    """(IoU, (place of the true trip, place of the estimate)) of all that overlap."""
    for a, (began, ended) in enumerate(real):
        for b, (begin, end) in enumerate(guessed):
            common, union = min(ended, end) - max(began, begin), max(ended, end) - min(began, begin)
            if common > 0:
                yield common / union, (a, b)


def _matched(overlaps: list[tuple[float, tuple[int, int]]]) -> Iterator[tuple[float, tuple[int, int]]]:
    """The best pair first; neither of a pair is used again."""
    used_a, used_b = set[int](), set[int]()
    for iou, (a, b) in sorted(overlaps, reverse=True):
        if iou >= LEAST_IOU and a not in used_a and b not in used_b:
            used_a.add(a)
            used_b.add(b)
            yield iou, (a, b)


def _several(places: list[int]) -> int:
    return sum(places.count(place) > 1 for place in set(places))


def _pair(iou: float, real: dict[str, Any], guessed: dict[str, Any]) -> Pair:
    start_s, finish_s = ((guessed[name] - real[name]).total_seconds() for name in ("started_at", "finished_at"))
    far_m = guessed["distance_m"] - real["distance_m"] if guessed.get("distance_m") is not None else None
    found = guessed["vehicle"], guessed["started_at"]
    kind, energy_wh = guessed.get("kind", ""), _energy(real, guessed)
    return Pair(iou, start_s, finish_s, far_m, real["distance_m"], kind, energy_wh, found)


def _energy(real: dict[str, Any], guessed: dict[str, Any]) -> tuple[float, ...]:
    if guessed.get("energy_wh") is None or real.get("energy_wh") is None:
        return ()
    return (real["energy_wh"], *(guessed[name] for name in ("energy_wh", "energy_low_wh", "energy_high_wh")))
