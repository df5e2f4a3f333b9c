"""Compares the results of the analyses with the truth, which is read only now, after all results are written."""

from collections.abc import Iterator
from pathlib import Path

import msgspec

from logger.simulator.demo.car_comparison import CarAnalysis, compare_car_analyses
from logger.simulator.demo.charge_comparison import ChargeComparison, compare_charges
from logger.simulator.demo.estimated_sum import EstimatedSum
from logger.simulator.demo.health_comparison import HealthComparison, compare_health
from logger.simulator.demo.trip_comparison import TripComparison, compare_trips
from logger.stores.lake.lake import Lake


class AnalysisComparison(msgspec.Struct, frozen=True):
    """Trips, charges and batteries compared with the truth."""

    trips: TripComparison
    charges: ChargeComparison
    health: HealthComparison
    cars: tuple[CarAnalysis, ...] = ()

    def sums(self) -> dict[str, EstimatedSum]:
        """Return the sums over the mopeds, by the names of figures in reports."""
        trips, charges = self.trips, self.charges
        return {
            "trips": trips.trips,
            "distance_m": trips.distance_m,
            "driven_wh": trips.energy_wh,
            "charged_wh": charges.energy_wh,
            "cost": charges.cost,
        }

    def lines(self) -> Iterator[str]:
        """Yield the comparison as lines for people."""
        yield from self.trips.lines()
        yield from self.charges.lines()
        yield from self.health.lines()
        yield from (each.line() for each in self.cars)


def compare_analyses(lake: Lake, truth: Path) -> AnalysisComparison:
    """Compare the lake's trips, charges and verdicts with the truth in this folder."""
    return AnalysisComparison(
        trips=compare_trips(lake, truth),
        charges=compare_charges(lake, truth),
        health=compare_health(lake, truth),
        cars=compare_car_analyses(lake, truth),
    )
