"""`python -m tests.score health`: whether what is said of batteries is true, by thousands of batteries that are known.

Charges are made of batteries that hold 70 to 100 % of 60 kWh, by habits, months and errors of all kinds, and go through
the tables as those of vehicles do. Beside ours stand the ratio of sums, what must fail (weights that know the measured
energy, the mean of ratios), and the formula of TeslaMate on the same charges.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from analytics.battery_health.pooling import parts
from analytics.battery_health.spreads import models
from analytics.battery_health.stint_months import stint_months, stint_pairs
from analytics.battery_health.stints import bounds
from analytics.battery_health.trends import fade, months_to_threshold
from analytics.battery_health.verdicts import verdicts
from analytics.charging.energies import LOST
from analytics.frames import WHO
from logger.tables import TIME, shaped
from tests.analytics.battery_health.packs_made import NO_HISTORY, NO_PAIRS, figures, fleet
from tests.analytics.battery_health.stints_made import PACKS
from tests.analytics.hand import AT

Floats = np.ndarray[tuple[int, int], np.dtype[np.float64]]
Errors = Callable[[np.random.Generator, Floats], Floats]
NEW_WH, GAIN_SD, LOST_SD = 60_000.0, 0.025, 0.03
BATTERIES = 1500  # of each kind
WEEKS, ALARMS = 26, 0.01
SPREADS = (0.025, 0.05)  # of packs of one model, relative: analytics facts 3.2, and the simulated fleet
KM_OF_FULL = 400.0
_Z = 1.96


class Kind(NamedTuple):
    """Batteries whose percents err in one way, and how they are charged: depths [%] and how often."""

    name: str
    errors: Errors
    depth: tuple[float, float] = (10, 70)
    charges: int = WEEKS
    exact: bool = False  # counter and losses are known without error: what remains is the percent's


def no_error(chance: np.random.Generator, depth: Floats) -> Floats:
    """Whole percents are all that errs."""
    return 0 * depth


def one_percent(chance: np.random.Generator, depth: Floats) -> Floats:
    """Each charge errs by one percent."""
    return chance.normal(0, 1, depth.shape)


def drifts(chance: np.random.Generator, depth: Floats) -> Floats:
    """The percent wanders off between recalibrations, every fourth charge."""
    steps = chance.normal(0, 0.7, depth.shape)
    return np.cumsum(steps, axis=1) - np.cumsum(steps, axis=1)[:, [4 * (k // 4) for k in range(depth.shape[1])]]


def correlated(chance: np.random.Generator, depth: Floats) -> Floats:
    """A percent is too large or too small by 2 %, and so is the next."""
    scale, rows = np.zeros(depth.shape[0]), []
    for _ in range(depth.shape[1]):
        scale = 0.7 * scale + chance.normal(0, 0.02 * 0.51**0.5, depth.shape[0])
        rows.append(scale)
    return depth * np.array(rows).T


def monthly(chance: np.random.Generator, depth: Floats) -> Floats:
    """A recalibration every month sets the size of a percent anew, 2 % off."""
    scale = chance.normal(0, 0.02, depth.shape)
    return depth * scale[:, [4 * (k // 4) for k in range(depth.shape[1])]]


KINDS = (
    Kind("10 charges, 20–60 %, exact", no_error, (20, 60), 10, exact=True),
    Kind("10 charges, 20–60 %, 1 % error", one_percent, (20, 60), 10, exact=True),
    Kind("habits of all kinds", no_error),
    Kind("... with 1 % error", one_percent),
    Kind("shallow charges, 1 % error", one_percent, (4, 20)),
    Kind("3 charges, 1 % error", one_percent, (10, 70), 3),
    Kind("drift between recalibrations", drifts),
    Kind("correlated errors", correlated),
    Kind("a recalibration every month", monthly),
)
OURS, SUMS, KNOWING, RATIOS, TESLAMATE = "ours", "ratio of sums", "weights by energy", "mean of ratios", "TeslaMate"


def lines() -> Iterator[str]:
    """Tables of batteries by their charges, of what is known at all, of trends and of weak packs."""
    yield f"batteries of {NEW_WH / 1000:.0f} kWh when new, 70 to 100 % left, {BATTERIES} of each kind"
    yield line("kind / method", "bias %", "sd %", "95 % holds", "half-width %", "off by 2 ×")
    found = [batteries(kind, seed) for seed, kind in enumerate(KINDS)]
    for kind, told in zip(KINDS, found, strict=True):
        yield from _of_kind(kind, told)
    yield from _bars(found)
    yield from knowable()
    yield from foretold()
    yield from weak_packs()


# ---- capacity by charges -------------------------------------------------------------------------------------------


def batteries(kind: Kind, seed: int) -> pl.DataFrame:
    """Of each battery the truth and what each method says: `true`, `ours` with `low` and `high`, and the others."""
    chance = np.random.default_rng(seed)
    true = NEW_WH * chance.uniform(0.7, 1, BATTERIES)
    depth = chance.uniform(*kind.depth, (BATTERIES, kind.charges))
    low = chance.uniform(5, 100 - depth)
    gain = np.ones(BATTERIES) if kind.exact else 1 + chance.normal(0, GAIN_SD, BATTERIES)
    lost = LOST + (0 if kind.exact else chance.normal(0, LOST_SD, BATTERIES))
    wh = (true * gain * (1 + lost))[:, None] * depth / 100 * (1 + chance.normal(0, 0.005, depth.shape))
    shown = np.floor(low + depth + kind.errors(chance, depth)) - np.floor(low)
    rows = charges(shown, wh)
    said = _last_verdicts(rows).join(pl.DataFrame({"vehicle": names(BATTERIES), "true": true}), on="vehicle")
    return said.join(_others(rows, np.floor(low + depth)), on="vehicle")


def names(count: int) -> list[str]:
    return [f"{number:05d}" for number in range(count)]


def charges(shown: Floats, wh: Floats) -> pl.DataFrame:
    """Rows of `charges`, one a week."""
    vehicle, week = (each.ravel() for each in np.indices(shown.shape))
    start = pl.Series([AT + timedelta(days=7 * int(each)) for each in week], dtype=TIME)
    rows = pl.DataFrame({"provider": "p", "vehicle": [f"{number:05d}" for number in vehicle], "kind": "charge"})
    return shaped(rows.with_columns(
        time=start, started_at=start, finished_at=start + timedelta(hours=6), energy_source=pl.lit("power"),
        soc_added_pct=pl.Series(shown.ravel()), energy_wh=pl.Series(wh.ravel()),
    ), "charges")  # fmt: skip


def _last_verdicts(charges: pl.DataFrame) -> pl.DataFrame:
    """The last verdict of each vehicle, through the tables: `vehicle` `ours` `low` `high`."""
    begun = charges.group_by(WHO).agg(pl.col("started_at").min().alias("begun_at"))
    swaps, packs, trips = charges.clear(), pl.DataFrame(schema=PACKS), shaped(pl.DataFrame(), "trips").clear()
    cuts = bounds(swaps, packs, begun)
    told = parts(stint_months(cuts, trips, charges, packs))
    known = told.with_columns(model=pl.lit(None, pl.String()), sheet_wh=pl.lit(NEW_WH))
    found = verdicts(known, stint_pairs(cuts, charges, trips), NO_HISTORY, NO_MODELS, AT)
    last = found.sort("time").group_by("vehicle").last()
    return last.select("vehicle", ours="capacity_wh", low="capacity_low_wh", high="capacity_high_wh")


NO_MODELS = figures(fleet(1, vehicles=2, times=2)).clear()


def _others(charges: pl.DataFrame, level: Floats) -> pl.DataFrame:
    """What other formulas say of the same charges: by `vehicle`, [Wh]."""
    pct, wh = pl.col("soc_added_pct"), pl.col("energy_wh") / (1 + LOST)
    weight = 1 / wh**2
    rated = (KM_OF_FULL * pl.col("true_share") * pl.col("level") / 100).round() / pl.col("level")  # range over percent
    rows = charges.with_columns(level=pl.Series(level.ravel())).filter(pct > 0)
    sums = {
        SUMS: 100 * wh.sum() / pct.sum(),
        KNOWING: 100 * (weight * pct * wh).sum() / (weight * pct**2).sum(),
        RATIOS: 100 * (wh / pct).mean(),
    }
    share = rows.with_columns(true_share=(100 * wh / pct / NEW_WH).mean().over("vehicle"))
    teslamate = share.group_by("vehicle").agg((NEW_WH * rated.mean() / rated.max()).alias(TESLAMATE))
    return rows.group_by("vehicle").agg(**sums).join(teslamate, on="vehicle")


def _of_kind(kind: Kind, told: pl.DataFrame) -> Iterator[str]:
    yield line(kind.name, *_figures(told, OURS), *_intervals(told))
    for name in (SUMS, KNOWING, RATIOS, TESLAMATE):
        yield line(f"  {name}", *_figures(told, name))


def _figures(told: pl.DataFrame, name: str) -> tuple[str, str]:
    off = 100 * (told[name] / told["true"] - 1)
    return f"{_mean(off):+.2f}", f"{_sd(off):.2f}"


def _intervals(told: pl.DataFrame) -> tuple[str, str, str]:
    half = (told["high"] - told["low"]) / 2
    return f"{_share_inside(told):.3f}", f"{100 * _mean(half / told['ours']):.2f}", f"{_far(told):.4f}"


def _share_inside(told: pl.DataFrame) -> float:
    return _mean(told.select((pl.col("true").is_between("low", "high")).cast(pl.Float64))["true"])


def _far(told: pl.DataFrame) -> float:
    """The share that is off by more than twice the interval."""
    half = (pl.col("high") - pl.col("low")) / 2
    return _mean(told.select(((pl.col(OURS) - pl.col("true")).abs() > 2 * half).cast(pl.Float64))[OURS])


def _bars(found: list[pl.DataFrame]) -> Iterator[str]:
    names = {kind.name: told for kind, told in zip(KINDS, found, strict=True)}
    own = pl.concat([names[kind.name] for kind in KINDS[2:6]])
    others = pl.concat([names[kind.name] for kind in KINDS[6:]])
    off = own.select(pl.col(OURS) / pl.col("true") - 1)[OURS]
    exact, one = (100 * _sd(names[kind.name][OURS] / names[kind.name]["true"]) for kind in KINDS[:2])
    knowing = names[KINDS[4].name][KNOWING] / names[KINDS[4].name]["true"] - 1
    yield ""
    yield _bar(f"{own.height} truths inside", _share_inside(own), 0.93, 0.97)
    yield _bar("bias over sd", abs(_mean(off)) / _sd(off), 0, 0.3)
    yield _bar("ten charges, sd %", exact, 0, 0.5)
    yield _bar("ten charges with 1 % error, sd %", one, 0, 2)
    yield _bar(f"{others.height} truths of other errors inside", _share_inside(others), 0.90, 1)
    yield _bar("off by more than twice the interval", _far(pl.concat([own, others])), 0, 0.01)
    yield _bar("weights by energy: bias over sd (must fail)", abs(_mean(knowing)) / _sd(knowing), 0.3, 99)


# ---- what can be known, what lies ahead, who is weak ---------------------------------------------------------------


def knowable() -> Iterator[str]:
    """Whether there is a figure where the data carry one, and none where not: depths and errors of one charge."""
    yield "\none charge of this depth, percent in whole steps that err by 1 %: is there a figure, is it inside?"
    for depth in (1.0, 3.0, 5.0, 10.0, 20.0, 40.0, 80.0):
        kind = Kind("", one_percent, (depth, depth + 0.01), 1)
        told = batteries(kind, round(depth))
        known = told.drop_nulls("low")
        inside = f"{_share_inside(known):.3f}" if known.height else "–"
        yield line(f"  {depth:.0f} %", f"{known.height / BATTERIES:.2f}", inside)


def foretold() -> Iterator[str]:
    """Fade and months to 80 % of batteries that lose 2 to 10 % a year, seen for 1 to 3 years."""
    chance = np.random.default_rng(9)
    yield "\nfade and months to 80 %, months' capacities that err by so much"
    yield line("sd %, years", "fade inside", "half-width", "months inside", "with an end")
    for sd, years in ((1.0, 1.0), (1.0, 2.0), (3.0, 1.0), (3.0, 2.0), (3.0, 3.0)):
        yield line(f"  {sd:.0f} %, {years:.0f}", *_trend(chance, sd, years))


def _trend(chance: np.random.Generator, sd: float, years: float, count: int = 600) -> tuple[str, ...]:
    rows = []
    for _ in range(count):
        loss, x = chance.uniform(2, 10), np.arange(-years, 0.01, 1 / 12)
        points = list(zip(x.tolist(), (100 - loss * (x + years) + chance.normal(0, sd, x.size)).tolist(), strict=True))
        _, low, high = fade(points)
        first, _, last = months_to_threshold(points)
        months = 12 * max(0.0, (20 - loss * years) / loss)
        ahead = (first or 0) - 0.05 <= months <= (last if last is not None else np.inf) + 0.05
        rows.append(((low or 0) <= loss <= (high or 0), ((high or 0) - (low or 0)) / 2, ahead, last is not None))
    return tuple(f"{float(np.mean(column)):.3f}" for column in zip(*rows, strict=True))


def weak_packs() -> Iterator[str]:
    """How often a pack that holds 15 % less is told from its fleet, at one false alarm in a hundred."""
    yield "\na pack that holds 15 % less than others: found at 1 % false alarms, after stints of 8 trips"
    yield line("stints", *(f"packs ±{100 * cv:g} %" for cv in SPREADS))
    found = {stints: [_power(8 * stints, cv) for cv in SPREADS] for stints in (1, 2, 4, 8)}
    for stints, powers in found.items():
        yield line(f"  {stints}", *(f"{power:.3f}" for power in powers))
    yield _bar("four stints, packs that differ by 2.5 %", found[4][0], 0.8, 1)


def _power(trips: int, pack_cv: float) -> float:
    fleets = [_weights(seed, trips, pack_cv) for seed in range(6)]
    well, weak = (np.concatenate(each) for each in zip(*fleets, strict=True))
    return float(np.mean(weak > np.quantile(well, 1 - ALARMS)))


def _weights(seed: int, trips: int, pack_cv: float) -> tuple[np.ndarray, np.ndarray]:
    """`weak_probability` of packs that are well, and of one in twelve that holds 15 % less."""
    of = fleet(400 + seed, trips=trips, pack_cv=pack_cv)
    weak = pl.col("since") == pl.col("since").max()
    more = of.parts.with_columns(pl.when(weak).then(pl.col("used_pct") / 0.85).otherwise("used_pct").alias("used_pct"))
    got = verdicts(more, NO_PAIRS, NO_HISTORY, figures(of, models(of.trips)), AT)
    chance = np.random.default_rng(seed).uniform(0, 1e-9, got.height)  # tells apart what rounding makes alike
    odds = got.with_columns(pl.Series("odds", got["weak_probability"].to_numpy() + chance))
    last = pl.col("time") == pl.col("time").max()
    return odds.filter(~last)["odds"].to_numpy(), odds.filter(last)["odds"].to_numpy()


# ---- lines ---------------------------------------------------------------------------------------------------------


def _mean(values: pl.Series) -> float:
    return float(values.to_numpy().mean())


def _sd(values: pl.Series) -> float:
    return float(values.to_numpy().std())


def _bar(name: str, value: float, low: float, high: float) -> str:
    return f"  {name}: {value:.3f} ({'met' if low <= value <= high else 'NOT met'}: {low:g} to {high:g})"


def line(name: str, *cells: str) -> str:
    return f"{name:<36}" + "".join(f"{cell:>14}" for cell in cells)
