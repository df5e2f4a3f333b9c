"""Simulated mopeds that obey physics: the demo's vehicles. What they model, and from where: `physics.md` beside it.

    python -m logger.simulator.vehicle.physics --vehicles 20 --days 7

generates a fleet, prints what it did, and with `--truth FOLDER` writes what really happened.
"""

import argparse
import math
import statistics
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from logger.simulator.vehicle import truth as records
from logger.simulator.vehicle.home import Home
from logger.simulator.vehicle.life import Life
from logger.simulator.vehicle.moped import Moped, Said
from logger.simulator.vehicle.traits import PRIVATE
from logger.simulator.vehicle.truth import Truth
from logger.simulator.vehicle.wire import Push, sent

__all__ = ["Push", "Scooter", "fleet", "sent", "town", "write_truth"]


class Scooter:
    """One moped over some days. Its story is told once: by `pushes`, or step by step by `advance`.

    Another instance with the same arguments tells the same story: one can push while another answers queries.
    """

    def __init__(self, number: int, seed: int, start_at: int, days: int) -> None:
        self.moped = Moped(number, seed, start_at)
        self.vehicle, self.truth = self.moped.vehicle, self.moped.truth
        life = Home if self.moped.traits.private else Life
        self._moments = life(self.moped, days).moments()
        self._next = next(self._moments, math.inf)

    @property
    def keeps(self) -> int:
        """Messages that wait for the network."""
        return self.moped.traits.keeps

    def pushes(self) -> Iterator[Said]:
        """(moment [epoch s], path, fields) of everything it says. The fields have the device's own clock."""
        outbox = self.moped.outbox
        while self._next < math.inf:
            self._next = next(self._moments, math.inf)
            while outbox:
                yield outbox.popleft()

    def advance(self, at: float) -> list[Said]:
        """Live on until this moment; what was said meanwhile. `moped` is then as it is at that moment."""
        while self._next <= at and self._next < math.inf:
            self._next = next(self._moments, math.inf)
        told = list(self.moped.outbox)
        self.moped.outbox.clear()
        return told


def fleet(vehicles: int, seed: int, start_at: int, days: int) -> list[Scooter]:
    """So many shared mopeds whose story begins at `start_at` [epoch s]; each is the same in any fleet of the seed."""
    return [Scooter(number, seed, start_at, days) for number in range(1, vehicles + 1)]


def town(vehicles: int, seed: int, start_at: int, days: int) -> list[Scooter]:
    """A fleet of which every third moped is a private one instead, that its owner charges at home."""
    numbers = (number + PRIVATE * (number % 3 == 0) for number in range(1, vehicles + 1))
    return [Scooter(number, seed, start_at, days) for number in numbers]


def write_truth(scooters: Iterable[Scooter], folder: Path) -> None:
    """What really happened, for scoring: call it when all results are written. Their stories must have been told."""
    records.write((scooter.truth for scooter in scooters), folder)


def _figures(truths: list[Truth], seconds: float, pushes: int) -> Iterator[str]:
    trips = [trip for truth in truths for trip in truth.trips]
    km = sum(trip["distance_m"] for trip in trips) / 1000
    minutes = sum(trip["riding_s"] for trip in trips) / 60
    lost, late = (sum(getattr(truth, name) for truth in truths) for name in ("lost", "late"))
    yield f"generated in  {seconds:.1f} s: {pushes:,} pushes sent ({late:,} late), {lost:,} lost"
    yield f"trips         {len(trips)} of {1000 * km / len(trips):,.0f} m, {minutes / len(trips):.1f} min; {km:,.0f} km"
    use = [trip["wh_per_km"] for trip in trips if trip["distance_m"] > 500]
    tenths = statistics.quantiles(use, n=20)
    yield f"Wh/km         5 %: {tenths[0]:.1f}  median: {statistics.median(use):.1f}  95 %: {tenths[-1]:.1f}"
    net_wh, back_wh = (sum(trip[name] for trip in trips) for name in ("energy_wh", "regen_wh"))
    yield f"in all        {net_wh / km:.1f} Wh/km net, {100 * back_wh / (net_wh + back_wh):.1f} % regenerated"
    wrong = [row["shown_pct"] - row["soc_pct"] for truth in truths for row in truth.packs if row["port"]]
    spread, most = statistics.stdev(wrong), max(map(abs, wrong))
    yield f"shown percent mean error {statistics.mean(wrong):+.2f} %, sd {spread:.2f} %, at most {most:.1f} %"
    yield f"by percent    {_of_trips(truths):+.1%} of what trips take, {_of_charges(truths):+.1%} of what charges bring"
    for table in records.TABLES:
        yield f"{table:<14}{sum(len(getattr(truth, table)) for truth in truths):,} rows"


def _of_trips(truths: list[Truth]) -> float:
    """By how much percent times capacity is off what trips take; swaps on the way leave a trip out."""
    rides = [(truth, trip) for truth in truths for trip in truth.trips if not trip["swaps"]]
    by_percent = math.fsum(trip["soc_used_pct"] / 100 * _held_wh(truth) for truth, trip in rides)
    return by_percent / math.fsum(trip["energy_wh"] for _, trip in rides) - 1


def _held_wh(truth: Truth) -> float:
    """What its fitted packs hold, on the mean of all days."""
    return statistics.fmean(row["capacity_wh"] for row in truth.packs if row["port"]) * truth.traits.ports


def _of_charges(truths: list[Truth]) -> float:
    """... off what charges bring to the terminals."""
    held = {row["pack"]: row["capacity_wh"] for truth in truths for row in truth.packs}
    charges = [row for truth in truths for row in truth.charges]
    by_percent = math.fsum(row["soc_added_pct"] / 100 * held[row["pack"]] for row in charges)
    return by_percent / math.fsum(row["energy_wh"] for row in charges) - 1


def main() -> None:
    """Generate a fleet and print its figures."""
    options = argparse.ArgumentParser(description=main.__doc__)
    for name, usual in (("vehicles", 20), ("days", 7), ("seed", 1)):
        options.add_argument(f"--{name}", type=int, default=usual)
    options.add_argument("--start", type=int, default=1_790_000_000, help="epoch seconds")
    options.add_argument("--truth", type=Path, help="folder for what really happened")
    told = options.parse_args()
    began = time.perf_counter()
    scooters = fleet(told.vehicles, told.seed, told.start, told.days)
    pushes = sum(len(sent(scooter, told.seed)) for scooter in scooters)
    for line in _figures([scooter.truth for scooter in scooters], time.perf_counter() - began, pushes):
        print(line)
    if told.truth:
        write_truth(scooters, told.truth)


if __name__ == "__main__":
    main()
