"""`python -m tests.score`: how well trips are found, by us and by others, as tables on stdout.

`python -m tests.score energy`: how well their energy is known, by larger fleets and by recordings.
`python -m tests.score health`: whether what is said of batteries is true.
`python -m tests.score recordings`: what is made of real recordings, where there are some.
"""

import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence

import polars as pl

from analytics.observations.positions import fixes
from analytics.trips.trips import trips
from tests.analytics.finding import observed, timed
from tests.score import baselines, health, own_health, recordings
from tests.score.analysed import analyse
from tests.score.books import books, energy
from tests.score.energy import fleets
from tests.score.evidence import KINDS, steps_by, trips_by
from tests.score.former import former
from tests.score.matching import Score, by_kind, score
from tests.score.scenarios import OUTAGE_S, SCENARIOS, SEED, Case, case, stories

VEHICLES, DAYS = 12, 20
OTHER_SEEDS, OTHER_VEHICLES, OTHER_DAYS = (8, 23, 31, 57, 91), 8, 14  # whether what holds of one fleet holds of others
EASY = ("no loss", "10 % lost")  # the library takes half a minute a run
WORDS = ("observed", "bridged", "inferred")
_HEAD = "scenario / method", "P", "R", "F1", "former", "IoU", "start s", "P90", "≤15", "≤60"
_TAIL = "end s", "P90", "≤15", "≤60", "frag", "merged", "dist. error"
Finder = Callable[[], pl.DataFrame]
Fleets = dict[str, list[list[float]]]  # by scenario, fleet after fleet, F1 by kind of evidence


def main() -> None:
    """Score and print."""
    warnings.simplefilter("ignore")  # the library's own
    began = time.monotonic()
    parts = {"energy": _energies, "health": _health, "recordings": recordings.lines}
    for line in parts.get("".join(sys.argv[1:]), _all)():
        print(line, flush=True)
    print(f"took {time.monotonic() - began:.0f} s", file=sys.stderr)


def _energies() -> Iterator[str]:
    yield from fleets()
    yield from recordings.energies()


def _health() -> Iterator[str]:
    yield from health.lines()
    yield from own_health.lines()


def _all() -> Iterator[str]:
    told, f1 = stories(VEHICLES, DAYS), dict[str, list[float]]()
    yield f"simulated fleet: {VEHICLES} vehicles, {DAYS} days, outages of {OUTAGE_S[0]}–{OUTAGE_S[1]} s"
    yield "former: F1 of the finder before this one, where it could do that\n"
    yield _line((*_HEAD, *_TAIL))
    for place, scenario in enumerate(SCENARIOS):
        f1[scenario.name] = []
        yield from _lines(case(scenario, told, DAYS), place, f1[scenario.name])
    yield from _by_fleets({name: [f1[name], *_other_fleets(name)] for name in EASY})
    if not baselines.HAS_LIBRARY:
        yield "\nmovingpandas is not installed and was left out: `make score` installs it"
    yield from recordings.lines()


# ---- a scenario ----------------------------------------------------------------------------------------------------


def _lines(of: Case, place: int, f1: list[float]) -> Iterator[str]:
    """Of the kinds of evidence, whose F1 is added to `f1`, the first with all that is known of its trips; of others."""
    count = f"{of.trips.height} trips, {of.rows['status'].height:,} readings, {of.rows['location'].height:,} positions"
    yield f"\n{of.scenario.name}: {count}"
    for kind in KINDS:
        steps = steps_by(kind, of)
        found = trips(steps)
        whole = score(found, of.trips)
        f1.append(whole.f1)
        yield _row(kind.name, whole, former(kind.name, place))
        if kind is KINDS[0]:
            yield from _details(whole, found, steps, of)
    for name, find in _others(of).items():
        yield _row(name, score(find(), of.trips))


def _details(whole: Score, found: pl.DataFrame, steps: pl.DataFrame, of: Case) -> Iterator[str]:
    """Trips by their kind, the books, and what is known of energy by those that are made of a lake."""
    for kind, part in by_kind(whole, WORDS, found).items():
        if part.estimates:
            yield _row(f"  {kind} ({part.estimates})", part)
    yield books(steps, found, of)
    for name, told in analyse(of).trips.items():
        yield energy(score(told, of.trips), name)


def _others(of: Case) -> dict[str, Finder]:
    cleaned = observed(of.rows["status"].lazy()).with_columns(odometer_m="count_m")
    found: dict[str, Finder] = {
        "poller's rule, every 10 min": lambda: baselines.polled(of.rows["status"]),
        "gap of 300 s": lambda: baselines.gap_rule(cleaned),
    }
    if baselines.HAS_LIBRARY and of.scenario.name in EASY:
        positions = fixes(timed(of.rows["location"].lazy(), "location")[0])
        found["movingpandas, 164 s 114 m"] = lambda: baselines.library(positions, baselines.TUNED)
        found["movingpandas, 60 s 7 m"] = lambda: baselines.library(positions, baselines.EXAMPLE)
    return found


# ---- other fleets --------------------------------------------------------------------------------------------------


def _other_fleets(scenario: str) -> Iterator[list[float]]:
    how = next(each for each in SCENARIOS if each.name == scenario)
    for seed in OTHER_SEEDS:
        of = case(how, stories(OTHER_VEHICLES, OTHER_DAYS, seed), OTHER_DAYS)
        yield [score(trips_by(kind, of), of.trips).f1 for kind in KINDS]


def _by_fleets(f1: Mapping[str, Sequence[Sequence[float]]]) -> Iterator[str]:
    """F1 by fleet and kind of evidence, its mean, and whether that is what it is to be."""
    seeds = [f"{seed}" for seed in (SEED, *OTHER_SEEDS)]
    yield f"\nF1 by fleet: the one above and others of {OTHER_VEHICLES} vehicles and {OTHER_DAYS} days, by their seeds"
    for place, (scenario, by_fleet) in enumerate(f1.items()):
        yield f"\n{_line((scenario, *seeds, 'mean', 'former', 'bar'))}"
        for number, kind in enumerate(KINDS):
            each = [fleet[number] for fleet in by_fleet]
            mean = statistics.fmean(each)
            cells = [f"{value:.4f}" for value in (*each, mean)]
            bar = f"{'met' if mean >= kind.bar else 'NOT met'}, ≥ {kind.bar}" if kind.bar else ""
            yield _line((kind.name, *cells, former(kind.name, place - len(EASY)), bar)).rstrip()


# ---- lines -----------------------------------------------------------------------------------------------------------


def _row(name: str, of: Score, was: str = "") -> str:
    found = [f"{each:.4f}" for each in (of.precision, of.recall, of.f1)]
    if not of.truths:
        found[1:] = "", ""
    edges = [cell for name in ("start", "finish") for cell in _edge(of, name)]
    counts = [str(of.fragmented), str(of.merged)] if of.truths else ["", ""]
    if not of.pairs:
        return _line((name, *found, was))
    return _line((name, *found, was, f"{of.mean_iou:.3f}", *edges, *counts, f"{of.distance_error_pct:.2f} %"))


def _edge(of: Score, which: str) -> list[str]:
    late = of.late(which)
    return [f"{late.quantile(part):.1f}" for part in (0.5, 0.9)] + [f"{late.share(within):.3f}" for within in (15, 60)]


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return f"{first:<28}" + "".join(f"{cell:>8}" for cell in others[:-1]) + f"{others[-1]:>16}"


if __name__ == "__main__":
    main()
