"""How near the energy of trips and days comes to the truth, on simulated mopeds of one pack.

    python -m tests.benchmarks.energy --vehicles 40 --days 6 --seed 5

Status is pushed as mopeds do, 1 % of it lost; power is asked once a minute while unlocked.
"""

import argparse

import polars as pl

from tests.analytics.simulated import analysed

_WITHIN = pl.col("true_wh").is_between("energy_low_wh", "energy_high_wh")
_ERROR = (pl.col("energy_wh") / pl.col("true_wh") - 1).abs()
_HALF = (pl.col("energy_high_wh") - pl.col("energy_low_wh")) / 2 / pl.col("energy_wh")
_ENDLESS_M = 1_000_000
_WAYS_M = ((0, 1500), (1500, 3000), (3000, 5000), (5000, _ENDLESS_M), (0, _ENDLESS_M))


def main() -> None:
    """Simulate a fleet and print how well its energy is known."""
    options = argparse.ArgumentParser(description=main.__doc__)
    for name, usual in (("vehicles", 40), ("days", 6), ("seed", 5)):
        options.add_argument(f"--{name}", type=int, default=usual)
    told = options.parse_args()
    numbers = [number for number in range(1, told.vehicles + 1) if number % 4]
    fleet = analysed(numbers, told.seed, told.days)
    row = fleet["checks"].filter(pl.col("check") == "wh_per_km").row(0, named=True)
    true = fleet["true"].select(1000 * pl.col("energy_wh").sum() / pl.col("distance_m").sum()).item()
    print(f"Wh/km of the fleet: {row['value']:.2f} ({row['low']:.2f} to {row['high']:.2f}), truly {true:.2f}")
    print("metres               trips   covered   half interval   half of errors below   in all")
    for low_m, high_m in _WAYS_M:
        rows = fleet["trips"].filter(pl.col("distance_m").is_between(low_m, high_m, closed="left"))
        whole = pl.col("energy_wh").sum() / pl.col("true_wh").sum() - 1
        figures = rows.select(
            _WITHIN.mean().alias("in"), _HALF.median().alias("half"), _ERROR.median().alias("e"), whole
        )
        covered, half, error, bias = (100 * value for value in figures.row(0))
        name = f"{low_m:,} to {high_m:,}" if high_m < _ENDLESS_M else f"{low_m:,} and more"
        print(f"{name:<18}{rows.height:>8}{covered:>8.1f} %{half:>12.1f} %{error:>17.1f} %{bias:>+14.1f} %")


if __name__ == "__main__":
    main()
