"""Which of the percents that contradict each other at rest are wrong: the fewest that leave the others possible.

A run is one value told in several readings on end. A chain of runs costs for each run that it leaves out, the more the
longer that is, and for each change that no battery makes; the cheapest chain holds. Only what lies beyond the runs
around it can be left out: what falls step by step, though faster than a battery can, goes somewhere. The first or last
run can be, if its value is told again.
"""

import math
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

import msgspec
import polars as pl

from analytics.frames import WHO

IMPOSSIBLE, UNREPORTED = 3.0, 1.9  # costs of a change that no battery makes, and of a rise that a vehicle denies
LONG, NOTHING = 4.0, 0.5  # the most that a run costs; a 0 is what is told where nothing is known: it costs half
FROM_NOTHING = 1.0  # cost of a rise from such a 0 by more than some percent, of a vehicle that does not charge then
DENIED_PCT, DENIED_S = 5.0, 1800.0  # readings further apart say nothing of a charge that began and ended between them
EDGE = 2.0  # the first or last run, of which nobody knows whether it comes back, costs so many times as much
REACH = 8  # runs that one excursion hides at most
SLACK_PCT = 2.0  # two readings of whole percents


class Run(msgspec.Struct, frozen=True):
    """`fallen` and `risen` are sums of what was possible [%], `unseen` of spans without readings that are too long to
    deny a charge [s], until the first and until the last reading.

    `charges` and `denies` say whether the vehicle says in one of them, or in none, that it charges. `nothing` is true
    of a 0 that does not mean that a pack was taken out.
    """

    soc_pct: float
    cost: float
    fallen: tuple[float, float]
    risen: tuple[float, float]
    unseen: tuple[float, float]
    charges: bool
    denies: bool
    nothing: bool


def left_out(rows: pl.DataFrame) -> pl.Series:
    """Numbers (`row`) of readings that are none.

    Parameters
    ----------
    rows : DataFrame with `row` `provider` `vehicle` `fresh` `soc_pct` `charging` `denied` (at both ends of what lies
        before it) `swappable` `step_pct` `rise_pct` `fall_pct` `dt_s`, by vehicle and time: what the percent
        rose or fell since the row before, how much it can have done so [%], and how long before that was
    """
    runs = _runs(rows)
    share = pl.when(pl.col("nothing")).then(NOTHING).otherwise(1.0)
    cost = (1 + pl.col("readings").log(2)).clip(upper_bound=LONG) * share
    doubted = runs.filter("near").with_columns(cost.alias("cost"))
    known = zip(doubted["part"], doubted["run"], _as_runs(doubted), strict=True)
    parts = [list(part) for _, part in groupby(known, itemgetter(0))]
    out = [
        number
        for part in parts
        for (_, number, _), kept in zip(part, _kept([run for *_, run in part]), strict=True)
        if not kept
    ]
    numbered = rows.with_columns(_run().alias("run"))
    return numbered.filter(pl.col("run").is_in(pl.Series(out, dtype=pl.UInt32).implode()))["row"]


def doubtful() -> pl.Expr:
    """Whether a reading fell, since the one before it, by more than a battery can, or to nothing, or rose uncharged."""
    impossible = pl.col("step_pct") < -(pl.col("fall_pct") + SLACK_PCT)
    nothing = (pl.col("soc_pct") == 0) & (pl.col("step_pct") < -DENIED_PCT)
    risen = pl.col("denied") & (pl.col("step_pct") > DENIED_PCT)
    return (impossible | nothing | risen).fill_null(False) & ~pl.col("fresh")


def _run() -> pl.Expr:
    return (pl.col("fresh") | (pl.col("step_pct") != 0)).cum_sum().cast(pl.UInt32)


def _runs(rows: pl.DataFrame) -> pl.DataFrame:
    """One row a run, with `near`, whether an impossible fall is near, and `part`, those that are near each other."""
    unseen_s = pl.when(pl.col("dt_s") > DENIED_S).then("dt_s").otherwise(0.0)
    sums = {"fall": pl.col("fall_pct"), "rise": pl.col("rise_pct"), "unseen": unseen_s}
    summed = [each.cum_sum().over(WHO).alias(name) for name, each in sums.items()]
    known = rows.with_columns(*summed, doubtful().alias("falls"), _run().alias("run"))
    runs = known.group_by("run", maintain_order=True).agg(
        pl.col(*WHO, "soc_pct", "fresh", "falls").first(),
        pl.len().alias("readings"),
        pl.col(*sums).first().name.suffix("_first"), pl.col(*sums).last().name.suffix("_last"),
        pl.col("charging").fill_null(False).any().alias("charges"),
        pl.col("charging").not_().fill_null(False).all().alias("denies"),
        ((pl.col("soc_pct") == 0) & ~pl.col("swappable")).first().alias("nothing"),
    )  # fmt: skip
    around = [pl.col("falls").shift(by).fill_null(False) for by in range(-REACH, REACH + 1)]
    near = runs.with_columns(pl.any_horizontal(around).alias("near"))
    return near.with_columns((pl.col("near").rle_id() + pl.col("fresh").cum_sum()).alias("part"))


def _as_runs(rows: pl.DataFrame) -> list[Run]:
    sums = [f"{name}_{end}" for name in ("fall", "rise", "unseen") for end in ("first", "last")]
    return [
        Run(soc, each, (fall, fallen), (rise, risen), (begin, end), *flags)
        for soc, each, fall, fallen, rise, risen, begin, end, *flags in rows.select(
            "soc_pct", "cost", *sums, "charges", "denies", "nothing"
        ).iter_rows()
    ]


def _kept(runs: list[Run]) -> list[bool]:
    """Which runs are in the cheapest chain."""
    skipped = [0.0]
    for run in runs:
        skipped.append(skipped[-1] + run.cost)
    costs, origins = _chains(runs, skipped)
    last = len(runs) - 1
    place: int | None = last
    if last and _again(runs, last) and costs[last - 1] + EDGE * runs[last].cost < costs[last]:
        place = last - 1
    kept = [False] * len(runs)
    while place is not None:
        kept[place], place = True, origins[place]
    return kept


def _chains(runs: list[Run], skipped: list[float]) -> tuple[list[float], list[int | None]]:
    """Of each run the cost of the cheapest chain that ends with it, and which run is before it in that."""
    costs, origins = list[float](), list[int | None]()
    for at, run in enumerate(runs):
        chains: list[tuple[float, int | None]] = [(_begin(runs, at), None)]
        for place in _before(runs, at):
            between = skipped[at] - skipped[place + 1]
            chains.append((costs[place] + between + _change(runs[place], run), place))
        cost, origin = min(chains, key=lambda each: each[0])
        costs.append(cost)
        origins.append(origin)
    return costs, origins


def _begin(runs: list[Run], at: int) -> float:
    """What it costs that a chain begins with this run."""
    if at == 1 and _again(runs, 0):
        return EDGE * runs[0].cost
    return math.inf if at else 0.0


def _again(runs: list[Run], at: int) -> bool:
    """Whether nothing is told in this run, or the same in another one near it."""
    near = runs[max(0, at - REACH) : at] + runs[at + 1 : at + 1 + REACH]
    return runs[at].nothing or any(abs(run.soc_pct - runs[at].soc_pct) <= 1 for run in near)


def _before(runs: list[Run], at: int) -> Iterator[int]:
    """Runs that can be the one before this in a chain: those between lie beyond both."""
    soc_pct, below, above = runs[at].soc_pct, -math.inf, math.inf
    for place in range(at - 1, max(-1, at - 2 - REACH), -1):
        other = runs[place].soc_pct
        if below <= other - 1 and above >= other + 1:
            yield place
        if abs(other - soc_pct) < 1:
            return
        below, above = (max(below, other), above) if other < soc_pct else (below, min(above, other))


def _change(was: Run, run: Run) -> float:
    """What a change from one run to another costs."""
    change = run.soc_pct - was.soc_pct
    fall, rise = run.fallen[0] - was.fallen[1], run.risen[0] - was.risen[1]
    impossible = not -(fall + SLACK_PCT) <= change <= rise + SLACK_PCT
    seen = run.unseen[0] <= was.unseen[1]
    denied = was.denies and run.denies and seen and change > DENIED_PCT
    nothing = was.nothing and change > DENIED_PCT and not (was.charges or run.charges)
    return IMPOSSIBLE * impossible + UNREPORTED * denied + FROM_NOTHING * nothing
