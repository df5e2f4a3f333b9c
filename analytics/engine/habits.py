"""Traits of the vehicles of which no source says what their signals mean: learnt from all that they ever told."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from analytics.digests import digest
from analytics.frames import DAY
from analytics.observations.observations import observations
from analytics.trips.segments import learnt_traits
from analytics.trips.traits import TRAITS, traits
from logger.settings.schema import Settings
from logger.sources import TRAITS as DECLARED
from logger.sources.contract import Traits
from logger.stores.contract import Store

_TABLES = ("status", "location")
_TOGETHER = 50  # vehicles that are learnt in one pass, so that memory stays flat


class Habits:
    """What the signals of vehicles mean, learnt traits included; `noted` are those of the run before."""

    def __init__(self, store: Store, settings: Settings, noted: Sequence[Sequence[Any]]) -> None:
        self._store, self._settings = store, settings
        self._told = {
            name: Traits(each.lock, each.swappable, each.cadence_s) for name, each in settings.vehicles.items()
        }
        self._learnt = pl.DataFrame([list(row) for row in noted], schema=TRAITS, orient="row")

    @property
    def noted(self) -> list[list[Any]]:
        """Learnt traits, to be handed in again."""
        return [list(row) for row in self._learnt.sort("provider", "vehicle").rows()]

    def of(self, vehicles: pl.DataFrame) -> pl.DataFrame:
        """As `TRAITS`; `vehicles` is a DataFrame with `provider` `vehicle`."""
        return traits(vehicles, self._learnt, DECLARED, self._told)

    def learn(self, touched: pl.DataFrame) -> Mapping[str, str]:
        """Learn the traits of those of these vehicles, as `TOUCHED`, of which no source says them; returns `marks`.

        Where a source says that unlocked means in use, the lock tells all; of others, their pace must be learnt.
        """
        told = [name for name, each in DECLARED.items() if each.lock == "use"]
        undeclared = ~pl.col("provider").is_in(told)
        names: list[str] = []
        if touched.height:
            first, last = touched.select(pl.col("first_at").min(), pl.col("last_at").max() + DAY).row(0)
            scans = [self._store.scan(name, first, last, touched["vehicle"].to_list()) for name in _TABLES]
            there = [rows.filter(undeclared).select("vehicle").unique().collect() for rows in scans]
            names = pl.concat(there)["vehicle"].unique().sort().to_list()
        for begin in range(0, len(names), _TOGETHER):
            self._learn(names[begin : begin + _TOGETHER], undeclared)
        return self.marks()

    def _learn(self, vehicles: list[str], undeclared: pl.Expr) -> None:
        rows = [self._store.scan(name, None, None, vehicles).filter(undeclared) for name in _TABLES]
        new = learnt_traits(observations(rows[0], rows[1]))
        kept = self._learnt.join(new, on=["provider", "vehicle"], how="anti")
        self._learnt = pl.concat([kept, new])

    def marks(self) -> Mapping[str, str]:
        """By vehicle what tells its traits, and what the settings say of it, from others."""
        said = self._settings.vehicles.items()
        texts = {name: [repr(each), repr(self._settings.models.get(each.model or ""))] for name, each in said}
        for row in self.noted:
            texts.setdefault(row[1], []).append(repr(row))
        return {name: digest(*each) for name, each in texts.items()}
