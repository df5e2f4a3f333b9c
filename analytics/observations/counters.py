"""Counters of a vehicle made steady: late, cached, coarse and wrong values told apart from true ones.

Most counters never fall and never leap: expressions alone count those. The others are walked through reading by
reading. The rules are those of the analytics facts, 1.3.
"""

import itertools
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
import polars as pl

from analytics.frames import WHO, before, carried, marked, vehicles_in

JITTER = 5.0  # a counter that falls by so little stays where it was
BASES = 5  # of which a late value may go on from any
SOON = 8  # readings after which nothing takes back what was told
RISES = 2  # of a counter that began anew, before anything returns to the old one
WRAPS = (2.0**16, 2.0**24)
NEAR_WRAP = 0.9  # a counter that begins anew at 2^k was near it
FEW = 3  # counts that tell in which steps they are
STEPS_M = (1609.344, 1000.0, 100.0)  # of odometers told in whole miles, whole or tenths of kilometres


class Rule(msgspec.Struct, frozen=True):
    """A counter rises by at most `rate` a second and `slack` at once."""

    rate: float
    slack: float


class Steady(msgspec.Struct, frozen=True):
    """`value` is the count since the first reading, null where the reading was none; `fault` says why.

    `glitch`: the reading is none. `reset`: the counter began anew in it, and what lies between is not known.
    """

    value: list[float | None]
    fault: list[str]


def steady(seconds: Sequence[float], counter: Sequence[float | None], rule: Rule) -> Steady:
    """One vehicle's counter, in the order of time [s].

    Notes
    -----
    A rise is possible if it is no more than the rule allows since the count, or one of the five before it, was first
    told: clouds tell of late counts. A counter that tells 0, or falls by more than 5, or leaps, is not believed until
    it rises twice from there; if it returns to the old count before that, it never left it. So a value that a cloud
    keeps and tells again and again makes no way. Nothing falls: a correction downwards ends in the old count.
    """
    walk = _Walk(rule, seconds, counter)
    while (place := len(walk.value)) < len(counter):
        walk.step(seconds[place], counter[place], place)
        walk.follow()
    return Steady(walk.value, walk.fault)


def returning(counter: Sequence[float | None]) -> frozenset[float]:
    """Readings that are told again after higher ones: a cloud keeps them, so that they count when last told."""
    seen, found, highest = set[float](), set[float](), float("-inf")
    for reading in counter:
        if reading is None:
            continue
        if reading < highest - JITTER and reading in seen:
            found.add(reading)
        seen.add(reading)
        highest = max(highest, reading)
    return frozenset(found)


class _Walk:
    """Where a walk along a counter stands: the last counts, each with when it was first told, and a doubted run."""

    def __init__(self, rule: Rule, seconds: Sequence[float], counter: Sequence[float | None]) -> None:
        self._rule, self._seconds, self._counter, self._returns = rule, seconds, counter, returning(counter)
        self._sum = 0.0
        self._bases: deque[tuple[float, float, int]] = deque(maxlen=BASES + 1)  # reading, first told at, and where
        self._doubted: list[tuple[int, float, float]] = []  # place, time, reading
        self._zero: tuple[int, float] | None = None  # place and time of the first reading of 0
        self.value: list[float | None] = []
        self.fault: list[str] = []

    def step(self, at: float, reading: float | None, place: int) -> None:
        """Take the next reading."""
        self.value.append(None)
        self.fault.append("")
        if reading is None:
            return
        if not self._bases:
            self._begin(at, reading, place)
        elif not self._goes_on(at, reading, place):
            self._doubt(at, reading, place)

    def follow(self) -> None:
        """Take the readings that follow as long as each rises by what is possible: nearly all do, and need no rule."""
        begin = len(self.value)
        first, at = self._counter[begin - 1], self._seconds[begin - 1]
        if first is None or not self._bases or self._doubted or first != self._bases[-1][0]:
            return
        was = first
        for place in range(begin, len(self._counter)):
            reading, then = self._counter[place], self._seconds[place]
            if not reading or not 0 <= reading - was <= self._rule.rate * (then - at) + self._rule.slack:
                break
            if reading > was:
                self._bases.append((reading, then, place))
            elif reading in self._returns:
                self._bases[-1] = (reading, then, place)
            self.value.append(self._sum + reading - first)
            was, at = reading, then
        self._sum += was - first
        self.fault += [""] * (len(self.value) - begin)

    def _begin(self, at: float, reading: float, place: int) -> None:
        """The first reading: a 0 is one of a new vehicle alone, which the next reading tells."""
        if reading == 0:
            self._zero = self._zero or (place, at)
            return
        if self._zero and reading <= self._most(at - self._zero[1]):
            self._accept(self._zero[1], 0.0, 0.0, self._zero[0])
            self._accept(at, reading, reading, place)
        else:
            self._accept(at, reading, 0.0, place)

    def _accept(self, at: float, reading: float, rise: float, place: int) -> None:
        self._sum += rise
        if rise > 0 or not self._bases:
            self._bases.append((reading, at, place))
        elif reading in self._returns:
            self._bases[-1] = (reading, at, place)
        self.value[place] = self._sum
        self._doubted.clear()

    def _goes_on(self, at: float, reading: float, place: int) -> bool:
        """Whether the reading follows from what the counter told before; then it counts."""
        last = self._bases[-1][0]
        rise = reading - last
        if -JITTER <= rise <= 0:
            self._accept(at, last, 0.0, place)
            return True
        if reading == 0 or rise < 0:
            return self._wraps(at, reading, place)
        able = (base for base in reversed(self._bases) if reading - base[0] <= self._most(at - base[1]))
        base = next(able, None)
        late = base is not self._bases[-1]
        if base is None or (late and self._taken_back(reading, place)):
            return False
        if late:  # what was told since then was late, too
            self.value[base[2] + 1 : place] = [None] * (place - base[2] - 1)
        self._accept(at, reading, rise, place)
        return True

    def _returns_soon(self, last: float, place: int) -> bool:
        """Whether one of the next readings is at the old count again."""
        return any(later >= last - JITTER for later in self._soon(place))

    def _taken_back(self, reading: float, place: int) -> bool:
        """Whether one of the next readings goes on from the old count, so that this one came before its time."""
        last = self._bases[-1][0]
        return any(last - JITTER <= later < reading - JITTER for later in self._soon(place))

    def _soon(self, place: int) -> Iterator[float]:
        """The next readings."""
        following = (self._counter[later] for later in range(place + 1, len(self._counter)))
        return itertools.islice((reading for reading in following if reading is not None), SOON)

    def _wraps(self, at: float, reading: float, place: int) -> bool:
        last, since, _ = self._bases[-1]
        for wrap in WRAPS:
            rise = reading + wrap - last
            if (
                NEAR_WRAP * wrap <= last < wrap
                and not self._returns_soon(last, place)
                and 0 <= rise <= self._most(at - since)
            ):
                self._accept(at, reading, rise, place)
                return True
        return False

    def _doubt(self, at: float, reading: float, place: int) -> None:
        """Keep a reading aside; with its second rise the counter has begun anew."""
        self.fault[place] = "glitch"
        if self._doubted:
            _, since, last = self._doubted[-1]
            if reading == 0 < last:
                return
            if reading < last - JITTER or reading - last > self._most(at - since):
                self._doubted.clear()
        self._doubted.append((place, at, reading))
        known = self._doubted
        rises = sum(after[2] > before[2] for before, after in itertools.pairwise(known))
        if reading > 0 and rises >= RISES:
            self._begin_anew()

    def _begin_anew(self) -> None:
        run, self._doubted = self._doubted, []
        self._bases.clear()
        first = run[0][0]
        for place, at, reading in run:
            self.fault[place] = ""
            last = self._bases[-1][0] if self._bases else reading
            self._accept(at, max(reading, last), max(0.0, reading - last), place)
        self.fault[first] = "reset"

    def _most(self, seconds: float) -> float:
        return self._rule.rate * max(0.0, seconds) + self._rule.slack


# ---- many vehicles -------------------------------------------------------------------------------------------------


def counted(rows: pl.DataFrame, name: str, count: str, rule: Rule) -> pl.DataFrame:
    """Rows with a counter made steady.

    Parameters
    ----------
    rows : DataFrame with `provider` `vehicle` `at` and the counter `name`, by vehicle and time
    count : the name of the count to make
    rule : what is possible; `slack` is at least the counter's smallest step, where it is told in whole km or miles

    Returns
    -------
    `rows` and `count`, since the vehicle's first reading, null where the reading is none, and `{count}_fault`: `glitch`
    and `reset` as in `Steady`, else empty.
    """
    told = marked(rows.select(*WHO, "at", name).with_row_index("row").drop_nulls(name))
    rise = pl.col(name) - before(name)
    seconds = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    odd = (rise < 0) | (rise > seconds * rule.rate + rule.slack) | (pl.col(name) == 0)
    whose = vehicles_in(told.filter(odd.fill_null(False)))
    plain = told.join(whose, on=WHO, how="anti", maintain_order="left") if whose.height else told
    first = pl.when("fresh").then(name).forward_fill()
    parts = [plain.select("row", (pl.col(name) - first).alias(count), pl.lit("").alias(f"{count}_fault"))]
    if whose.height:
        parts += _walked(told.join(whose, on=WHO, how="semi", maintain_order="left"), name, count, rule)
    made = pl.concat(parts).cast({"row": pl.UInt32, count: pl.Float64})
    if made.height == rows.height and not whose.height:
        return rows.hstack(made.drop("row"))
    joined = rows.with_row_index("row").join(made, on="row", how="left", maintain_order="left").drop("row")
    return joined.with_columns(pl.col(f"{count}_fault").fill_null(""))


def _walked(told: pl.DataFrame, name: str, count: str, rule: Rule) -> Iterator[pl.DataFrame]:
    for _, part in told.group_by(WHO, maintain_order=True):
        seconds = (part["at"].dt.epoch("ms") / 1000).to_list()
        slack = max(rule.slack, coarseness(part[name]))
        found = steady(seconds, part[name].cast(pl.Float64).to_list(), Rule(rule.rate, slack))
        yield part.select(
            "row",
            pl.Series(count, found.value, dtype=pl.Float64),
            pl.Series(f"{count}_fault", found.fault, dtype=pl.String),
        )


def coarseness(counter: pl.Series) -> float:
    """The step in which a counter is told: of whole miles, whole or tenths of kilometres [m]; else 0."""
    told = counter.filter(counter > 0).unique()
    for step in STEPS_M if len(told) >= FEW else ():
        parts = told / step
        if ((parts - parts.round()).abs() < 1e-3).all():
            return step
    return 0.0


def kept(rows: pl.DataFrame, count: str) -> pl.DataFrame:
    """`count` carried on to rows that tell none, and 0 before a vehicle's first."""
    filled = carried(rows, count)
    counts = pl.col(count).is_not_null().any().over(WHO)
    return filled.with_columns(pl.when(counts).then(pl.col(count).fill_null(0.0)).alias(count))
