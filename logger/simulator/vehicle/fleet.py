"""Simulated fleets: mopeds that obey physics. What they model, and from which sources, is in `physics.md`.

    python -m logger.simulator.vehicle.fleet --vehicles 20 --days 7

simulates a fleet, prints its figures, and with `--truth FOLDER` writes what really happened.
"""

import argparse
import math
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from logger.simulator.vehicle.messages import Data, Message, battery_answer
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.private_usage import PrivateUsage
from logger.simulator.vehicle.shared_usage import SharedUsage
from logger.simulator.vehicle.specification import PRIVATE
from logger.simulator.vehicle.transmission import transmit
from logger.simulator.vehicle.truth import TABLES, Truth, write_truth

READ_S = {False: 60, True: 900}  # by whether it is locked


class Simulation:
    """One moped over some days. It runs once: all of it by `pushes`, or step by step by `advance`.

    `readings` are what regular polls of the battery would have told until then, by the clock of the device; `pushes`
    keeps them.

    Another instance with the same arguments gives the same messages: one can push while another answers queries.
    """

    def __init__(self, number: int, seed: int, start_at: int, days: int) -> None:
        self.moped = Moped(number, seed, start_at)
        self.vehicle, self.truth = self.moped.vehicle, self.moped.truth
        usage = PrivateUsage if self.moped.specification.private else SharedUsage
        self._moments = usage(self.moped, days).moments()
        self._next = next(self._moments, math.inf)
        self._asked_at, self.readings = float(start_at), list[tuple[float, Data]]()

    @property
    def buffer_size(self) -> int:
        """How many messages wait for the network; all others are lost without it."""
        return self.moped.specification.buffer_size

    def pushes(self) -> Iterator[Message]:
        """Yield every message (moment [epoch s], path, fields). Times in the fields are of the device's own clock."""
        outbox = self.moped.outbox
        while self._next < math.inf:
            self._read_battery()
            self._next = next(self._moments, math.inf)
            while outbox:
                yield outbox.popleft()

    def _read_battery(self) -> None:
        """Keep what polls would tell until something changes: every minute in use, else every quarter of an hour.

        By a clock of its own: polls that waited for something to happen would choose their moments by the power.
        """
        while (due := self._asked_at + READ_S[self.moped.locked]) < self._next:
            if self.moped.online and self.moped.clock_lost_at is None:
                self.readings.append((due + self.moped.device_s - self.moped.at, battery_answer(self.moped)))
            self._asked_at = due

    def advance(self, at: float) -> list[Message]:
        """Run until this moment [epoch s]; return the new messages. `moped` then has the state of that moment."""
        while self._next <= at and self._next < math.inf:
            self._next = next(self._moments, math.inf)
        messages = list(self.moped.outbox)
        self.moped.outbox.clear()
        return messages


def fleet(vehicles: int, seed: int, start_at: int, days: int) -> list[Simulation]:
    """Return shared mopeds from `start_at` [epoch s] on; each is the same in any fleet of the seed."""
    return [Simulation(number, seed, start_at, days) for number in range(1, vehicles + 1)]


def town(vehicles: int, seed: int, start_at: int, days: int) -> list[Simulation]:
    """Return a fleet in which every third moped is a private one instead, which its owner charges at home."""
    numbers = (number + PRIVATE * (number % 3 == 0) for number in range(1, vehicles + 1))
    return [Simulation(number, seed, start_at, days) for number in numbers]


# ---- the command ---------------------------------------------------------------------------------------------------


def _figures(truths: list[Truth]) -> Iterator[str]:
    trips = [trip for truth in truths for trip in truth.trips]
    km = sum(trip["distance_m"] for trip in trips) / 1000
    minutes = sum(trip["riding_s"] for trip in trips) / 60
    yield f"trips         {len(trips)} of {1000 * km / len(trips):,.0f} m, {minutes / len(trips):.1f} min; {km:,.0f} km"
    consumption = [trip["wh_per_km"] for trip in trips if trip["distance_m"] > 500]
    shares, median = statistics.quantiles(consumption, n=20), statistics.median(consumption)
    yield f"Wh/km         5 %: {shares[0]:.1f}  median: {median:.1f}  95 %: {shares[-1]:.1f}"
    net_wh, regen_wh = (sum(trip[name] for trip in trips) for name in ("energy_wh", "regen_wh"))
    yield f"in all        {net_wh / km:.1f} Wh/km net, {100 * regen_wh / (net_wh + regen_wh):.1f} % regenerated"
    errors = [row["shown_pct"] - row["soc_pct"] for truth in truths for row in truth.packs if row["port"]]
    spread, most = statistics.stdev(errors), max(map(abs, errors))
    yield f"shown percent mean error {statistics.mean(errors):+.2f} %, sd {spread:.2f} %, at most {most:.1f} %"
    yield f"by percent    {_trip_bias(truths):+.1%} of the energy of trips, {_charge_bias(truths):+.1%} of charges"
    for table in TABLES:
        yield f"{table:<14}{sum(len(getattr(truth, table)) for truth in truths):,} rows"


def _trip_bias(truths: list[Truth]) -> float:
    """Return the relative error of percent times capacity for the energy of trips without a swap."""
    trips = [(truth, trip) for truth in truths for trip in truth.trips if not trip["swaps"]]
    by_percent_wh = math.fsum(trip["soc_used_pct"] / 100 * _mean_capacity_wh(truth) for truth, trip in trips)
    return by_percent_wh / math.fsum(trip["energy_wh"] for _, trip in trips) - 1


def _mean_capacity_wh(truth: Truth) -> float:
    """Return the capacity of the fitted packs together, on the mean of all days."""
    return statistics.fmean(row["capacity_wh"] for row in truth.packs if row["port"]) * truth.specification.ports


def _charge_bias(truths: list[Truth]) -> float:
    """Return the relative error of percent times capacity for the energy of charges at the terminals."""
    capacities_wh = {row["pack"]: row["capacity_wh"] for truth in truths for row in truth.packs}
    charges = [row for truth in truths for row in truth.charges]
    by_percent_wh = math.fsum(row["soc_added_pct"] / 100 * capacities_wh[row["pack"]] for row in charges)
    return by_percent_wh / math.fsum(row["energy_wh"] for row in charges) - 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=main.__doc__)
    for name, default in (("vehicles", 20), ("days", 7), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--start", type=int, default=1_790_000_000, help="epoch seconds")
    parser.add_argument("--truth", type=Path, help="folder for the true history")
    return parser.parse_args()


def main() -> None:
    """Simulate a fleet and print its figures."""
    options = _options()
    began = time.perf_counter()
    simulations = fleet(options.vehicles, options.seed, options.start, options.days)
    pushes = sum(len(transmit(each, options.seed)) for each in simulations)
    seconds, truths = time.perf_counter() - began, [each.truth for each in simulations]
    lost, delayed = sum(truth.lost for truth in truths), sum(truth.delayed for truth in truths)
    print(f"simulated in  {seconds:.1f} s: {pushes:,} pushes arrived ({delayed:,} delayed), {lost:,} lost")
    print("\n".join(_figures(truths)))
    if options.truth:
        write_truth(truths, options.truth)


if __name__ == "__main__":
    main()
