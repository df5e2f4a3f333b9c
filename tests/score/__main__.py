"""`python -m tests.score`: how well trips are found, by us and by others, as tables on stdout.

`python -m tests.score energy`: how well their energy is known, by larger fleets.
"""

import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence

import polars as pl

from analytics.observations.clean import fixes, readings
from analytics.trips.gpsonly import gps_trips
from analytics.trips.intervals import intervals
from analytics.trips.silences import spoken
from analytics.trips.speedonly import speed_trips
from analytics.trips.trips import trips
from tests.score import baselines, recordings
from tests.score.analysed import by_knowledge
from tests.score.books import books, energy
from tests.score.energy import fleets
from tests.score.matching import Score, by_kind, score
from tests.score.scenarios import OUTAGE_S, SCENARIOS, Case, case, stories

VEHICLES, DAYS = 12, 20
OTHER_SEEDS, OTHER_VEHICLES, OTHER_DAYS = (8, 23, 31, 57, 91), 8, 14  # whether what holds of one fleet holds of others
EASY = ("no loss", "10 % lost")  # the library takes half a minute a run
KINDS = ("observed", "bridged", "inferred")
_HEAD = "scenario / method", "P", "R", "F1", "IoU", "start s", "P90", "≤15", "≤60", "end s", "P90", "≤15", "≤60"
_TAIL = "frag", "merged", "dist. error"
Finder = Callable[[], pl.DataFrame]


def main() -> None:
    """Score and print."""
    warnings.simplefilter("ignore")  # the library's own
    began = time.monotonic()
    for line in fleets() if sys.argv[1:] == ["energy"] else _all():
        print(line, flush=True)
    print(f"took {time.monotonic() - began:.0f} s", file=sys.stderr)


def _all() -> Iterator[str]:
    told = stories(VEHICLES, DAYS)
    yield f"simulated fleet: {VEHICLES} vehicles, {DAYS} days, outages of {OUTAGE_S[0]}–{OUTAGE_S[1]} s\n"
    yield _line((*_HEAD, *_TAIL))
    for scenario in SCENARIOS:
        yield from _lines(case(scenario, told, DAYS))
    yield from _other_fleets()
    if not baselines.HAS_LIBRARY:
        yield "\nmovingpandas is not installed and was left out: `make score` installs it"
    yield from recordings.lines()


def _lines(of: Case) -> Iterator[str]:
    count = f"{of.trips.height} trips, {of.rows['status'].height:,} readings, {of.rows['location'].height:,} positions"
    yield f"\n{of.scenario.name}: {count}"
    cleaned, _ = readings(of.rows["status"].lazy())
    positions, none = fixes(of.rows["location"].lazy())
    said = spoken(positions, none)
    steps = intervals(cleaned, spoken=said)
    known = by_knowledge(of)
    ours = known["data sheet"]
    whole = score(ours, of.trips)
    yield _row("voltrail", whole)
    for kind, part in by_kind(whole, KINDS, ours).items():
        if part.estimates:
            yield _row(f"  {kind} ({part.estimates})", part)
    yield books(steps, ours, of)
    for name, told in known.items():
        yield energy(score(told, of.trips), name)
    for name, find in _others(of, cleaned, positions, said).items():
        yield _row(name, score(find(), of.trips))


def _other_fleets() -> Iterator[str]:
    yield f"\nother fleets: {OTHER_VEHICLES} vehicles, {OTHER_DAYS} days"
    for seed in OTHER_SEEDS:
        told = stories(OTHER_VEHICLES, OTHER_DAYS, seed)
        for of in (case(scenario, told, OTHER_DAYS) for scenario in SCENARIOS if scenario.name in EASY):
            what = f"{seed}, {of.scenario.name}"
            positions, none = fixes(of.rows["location"].lazy())
            steps = intervals(readings(of.rows["status"].lazy())[0], spoken=spoken(positions, none))
            yield _row(what, score(trips(steps), of.trips))
            yield _row(f"{what}, positions", score(gps_trips(positions), of.trips))


def _others(of: Case, cleaned: pl.DataFrame, positions: pl.DataFrame, said: pl.DataFrame) -> dict[str, Finder]:
    found: dict[str, Finder] = {
        "voltrail, positions alone": lambda: gps_trips(positions),
        "voltrail, speed and lock": lambda: speed_trips(_without(of, "odometer_m"), spoken=said),
        "voltrail, speed alone": lambda: speed_trips(_without(of, "odometer_m", "locked", "ride_time_s")),
        "odometer polled, 10 min": lambda: baselines.polled(of.rows["status"]),
        "gap of 300 s": lambda: baselines.gap_rule(cleaned),
    }
    if baselines.HAS_LIBRARY and of.scenario.name in EASY:
        found["movingpandas, 164 s 114 m"] = lambda: baselines.library(positions, baselines.TUNED)
        found["movingpandas, 60 s 7 m"] = lambda: baselines.library(positions, baselines.EXAMPLE)
    return found


def _without(of: Case, *columns: str) -> pl.DataFrame:
    status = of.rows["status"]
    return readings(status.with_columns(pl.lit(None, status.schema[name]).alias(name) for name in columns).lazy())[0]


def _row(name: str, of: Score) -> str:
    found = [f"{each:.4f}" for each in (of.precision, of.recall, of.f1)]
    if not of.truths:
        found[1:] = "", ""
    edges = [cell for name in ("start", "finish") for cell in _edge(of, name)]
    counts = [str(of.fragmented), str(of.merged)] if of.truths else ["", ""]
    if not of.pairs:
        return _line((name, *found))
    return _line((name, *found, f"{of.mean_iou:.3f}", *edges, *counts, f"{of.distance_error_pct:.2f} %"))


def _edge(of: Score, which: str) -> list[str]:
    late = of.late(which)
    return [f"{late.quantile(part):.1f}" for part in (0.5, 0.9)] + [f"{late.share(within):.3f}" for within in (15, 60)]


def _line(cells: Sequence[str]) -> str:
    first, *others = cells
    return f"{first:<28}" + "".join(f"{cell:>8}" for cell in others[:-1]) + f"{others[-1]:>13}"


if __name__ == "__main__":
    main()
