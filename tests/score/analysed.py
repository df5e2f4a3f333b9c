"""Trips and verdicts of a case as `voltrail analyze` makes them of a lake."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from analytics.battery_health.calibration import CHECKS
from analytics.battery_health.figures import calibrated
from analytics.energy.trips import energies
from analytics.engine.jobs import Wish, analyze
from analytics.engine.load import Rows, known
from analytics.frames import Read
from analytics.trips.traits import TRAITS, traits
from logger.settings.schema import Collector, LakeSettings, Model, Settings, Sinks
from logger.sources import TRAITS as DECLARED
from logger.stores import open_store
from logger.stores.lake.lake import Lake
from logger.tables import shaped
from tests.score.scenarios import Case


class Analysed(NamedTuple):
    """Trips by what is known of their packs, less of it first, the last by `voltrail analyze`; what it says of packs.

    `verdicts` are rows of `battery_health`.
    """

    trips: Mapping[str, pl.DataFrame]
    verdicts: pl.DataFrame


def analyse(of: Case) -> Analysed:
    """What is found in the rows of this case, in a lake of its own."""
    with tempfile.TemporaryDirectory() as folder:
        settings = _settings(Path(folder), of.known)
        _fill(settings, of)
        analyze(settings, Wish())
        with open_store(settings, "lake") as store:
            verdicts = store.scan("battery_health").filter(pl.col("method") == "verdict").collect()
        return Analysed(_trips(settings, of), verdicts)


def _settings(folder: Path, known: pl.DataFrame) -> Settings:
    sheets = known.select("model", "capacity_wh", "wh_per_km").unique().rows()
    models = {model: Model(capacity_wh=capacity_wh, wh_per_km=use) for model, capacity_wh, use in sheets}
    return Settings(Collector(data_dir=str(folder)), Sinks(LakeSettings(str(folder / "lake"))), models=models)


def _fill(settings: Settings, of: Case) -> None:
    lake = Lake(str(settings.data_dir / "lake"), "score")
    first = of.rows["status"]["time"].min()
    named = of.known.with_columns(time=pl.lit(first), received_at=pl.lit(first), via=pl.lit("import"), sequence=1)
    for name, rows in {**of.rows, "vehicles": shaped(named, "vehicles")}.items():
        lake.write(name, rows.with_columns(sequence=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)))


def _trips(settings: Settings, of: Case) -> dict[str, pl.DataFrame]:
    with open_store(settings, "lake") as store:
        checks, health = (store.scan(name).collect() for name in ("calibration", "battery_health"))
        told = known(store.latest("vehicles"), settings)

        def figures(vehicles: Sequence[str], read: Read) -> tuple[pl.DataFrame, pl.DataFrame]:
            return checks, health

        at = pl.col("time").dt.truncate("1d")
        first, last = (
            of.rows["status"].select(at.min().dt.offset_by("-1d"), at.max().dt.offset_by("2d").alias("b")).row(0)
        )
        read = Read(first, last, True, True)
        rows = Rows(store, told["vehicle"].to_list(), read, told, _declared, figures, settings)
        return {
            "data sheet": rows.spent.hstack(energies(rows.spent, calibrated(rows.known, CHECKS.to_frame()))),
            "model": rows.spent.hstack(energies(rows.spent, calibrated(rows.known, checks))),
            "packs": rows.counted,
        }


def _declared(vehicles: pl.DataFrame) -> pl.DataFrame:
    """What the source says that signals of these vehicles mean, as `TRAITS`."""
    return traits(vehicles, TRAITS.to_frame(), DECLARED, {})
