"""`python -m tests.score energy`: whether energy and health are within the intervals that are told, by fleets.

What is known beforehand is a data sheet; all else comes from what these fleets pushed and answered.
"""

from collections.abc import Iterator, Sequence

import polars as pl

from tests.score.analysed import analyse
from tests.score.matching import Score, score
from tests.score.scenarios import SCENARIOS, Story, case, stories

FLEETS = ((101, 30, 30), (102, 30, 30), (105, 20, 90))  # seed, vehicles, days
LONG_M = 5000
_Z = 1.96


def fleets() -> Iterator[str]:
    """The figures of each fleet, and of all."""
    whole: dict[str, list[pl.DataFrame]] = {}
    packs = []
    for seed, vehicles, days in FLEETS:
        fleet = stories(vehicles, days, seed)
        of = case(SCENARIOS[0], fleet, days)
        made = analyse(of)
        packs.append(compare_health(made.verdicts, fleet))
        yield f"seed {seed}, {vehicles} vehicles, {days} days"
        yield f"  {'health':<12}{health(packs[-1])}"
        for name, told in made.trips.items():
            found = pairs(score(told, of.trips), told).with_columns(seed=pl.lit(seed))
            whole.setdefault(name, []).append(found)
            yield f"  {name:<12}{figures(found)}"
    yield "all"
    yield f"  {'health':<12}{health(pl.concat(packs))}"
    for name, parts in whole.items():
        yield f"  {name:<12}{figures(pl.concat(parts))}"
    own = (_Z * pl.col("own_sd_wh") / pl.col("energy_wh")).filter(pl.col("distance_m") > LONG_M).median()
    floor = 100 * pl.concat(whole["packs"]).select(own).item()
    yield f"  over 5 km, if what packs hold were known without error: ±{floor:.1f} %"
    last = whole["packs"][-1].filter(pl.col("distance_m") > LONG_M).with_columns(pl.col("day").dt.truncate("1mo"))
    months = [f"{month:%B} {_line(rows)}" for (month,), rows in last.sort("day").group_by("day", maintain_order=True)]
    yield f"  over 5 km by packs, seed {FLEETS[-1][0]}, as its log grows: {'; '.join(months)}"


def compare_health(verdicts: pl.DataFrame, fleet: Sequence[Story]) -> pl.DataFrame:
    """The last verdict of each vehicle with `true_pct`, the mean health of its packs on the day that it counts."""
    rows = [
        {"vehicle": of.vehicle, "day": pack["day"], "true_pct": pack["soh_pct"]}
        for of in fleet
        for pack in of.truth.packs
        if pack["port"] is not None
    ]
    held = pl.DataFrame(rows)
    true = held.group_by("vehicle", pl.col("day").cast(pl.Date)).agg(pl.col("true_pct").mean())
    last = verdicts.drop_nulls("soh_pct").sort("time").group_by("vehicle", maintain_order=True).last()
    return last.with_columns(day=pl.col("as_of").str.to_date()).join(true, on=["vehicle", "day"])


def health(told: pl.DataFrame) -> str:
    """Coverage, half-width and bias of the state of health."""
    held_in = pl.col("true_pct").is_between("soh_low_pct", "soh_high_pct").mean()
    half = ((pl.col("soh_high_pct") - pl.col("soh_low_pct")) / 2).median()
    off = (pl.col("soh_pct") - pl.col("true_pct")).mean()
    inside, wide, bias = told.select(held_in.alias("a"), half.alias("b"), off.alias("c")).row(0)
    return f"({told.height:,}) {inside:.3f} hold, ±{wide:.1f}, {bias:+.1f} percent points on the mean"


def pairs(of: Score, told: pl.DataFrame) -> pl.DataFrame:
    """Found trips with their true energy: by vehicle and day, with errors that are their own and shared."""
    sds = told.select("vehicle", "started_at", "own_sd_wh", "common_sd_wh")
    rows = [(*pair.found, pair.true_m, *pair.energy_wh) for pair in of.pairs if pair.found and pair.energy_wh]
    names = ["vehicle", "started_at", "distance_m", "true_wh", "energy_wh", "low", "high"]
    found = pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)
    times = found.with_columns(pl.col("started_at").cast(told.schema["started_at"]))
    return times.join(sds, on=["vehicle", "started_at"]).with_columns(day=pl.col("started_at").dt.date())


def figures(found: pl.DataFrame) -> str:
    """Coverage and half-widths of all trips, of those over 5 km, and of days."""
    far = found.filter(pl.col("distance_m") > LONG_M)
    shared = (pl.col("own_sd_wh") ** 2).sum() + pl.col("common_sd_wh").sum() ** 2
    days = found.group_by("seed", "vehicle", "day").agg(
        pl.col("true_wh", "energy_wh").sum(), (_Z * shared.sqrt()).alias("half")
    )
    sums = days.with_columns(low=pl.col("energy_wh") - pl.col("half"), high=pl.col("energy_wh") + pl.col("half"))
    return "; ".join(f"{name} {_line(rows)}" for name, rows in (("trips", found), ("over 5 km", far), ("days", sums)))


def _line(rows: pl.DataFrame) -> str:
    held_in = pl.col("true_wh").is_between("low", "high").mean()
    half = ((pl.col("high") - pl.col("low")) / (2 * pl.col("energy_wh"))).median()
    whole = pl.col("energy_wh").sum() / pl.col("true_wh").sum() - 1
    inside, wide, off = rows.select(held_in.alias("a"), half.alias("b"), whole.alias("c")).row(0)
    return f"({rows.height:,}) {inside:.3f} hold, ±{100 * wide:.1f} %, {100 * off:+.1f} % in all"
