"""Simulated mopeds that obey physics, what analyses of energy make of them, and what they really used."""

from collections.abc import Iterator, Sequence

import polars as pl

from analytics.battery_health.calibration import checks
from analytics.battery_health.figures import calibrated
from analytics.battery_health.stints import middles
from analytics.energy.days import days as by_day
from analytics.energy.trips import energies
from analytics.observations.power import polled
from analytics.observations.soc_at import soc_path
from analytics.observations.soc_used import used
from analytics.trips.trips import trips
from logger.simulator.vehicle.fleet import Simulation
from logger.simulator.vehicle.transmission import transmit
from logger.tables import TIME, shaped
from tests.analytics.finding import observed, segments_of

START = 1_790_000_000
WHO = {"provider": pl.lit("segway")}
MS = pl.Datetime("ms", "UTC")
CAPACITY_WH = 1440.0  # as on the data sheet; the packs have aged
STATUS = {
    "locked": "locked", "charging": "charging", "speed_kmh": "speed", "soc_pct": "powerPercent",
    "odometer_m": "odometer", "ride_time_s": "totalRidingSecs",
}  # fmt: skip


def statuses(scooters: list[Simulation], seed: int) -> Iterator[dict[str, object]]:
    """What arrives of their pushes."""
    for scooter in scooters:
        for number, push in enumerate(transmit(scooter, seed)):
            if push.path == "status":
                told = {name: _value(push.fields[theirs]) for name, theirs in STATUS.items()}
                times = {"time": int(push.fields["statusUtcTime"]) * 1000, "received_at": int(push.sent_at * 1000)}
                yield {"vehicle": scooter.vehicle, "sequence": number, **times, **told}


def _value(text: str) -> float | bool:
    return text == "true" if text in ("true", "false") else float(text)


def battery_answers(scooters: list[Simulation], days: int) -> Iterator[dict[str, object]]:
    """Every minute while unlocked."""
    for scooter in scooters:
        for at in range(START, START + days * 86_400, 60):
            scooter.advance(at)
            if not scooter.moped.locked:
                yield {
                    "vehicle": scooter.vehicle,
                    "at": at * 1000,
                    "motor_power_w": float(round(scooter.moped.power_w)),
                }


Fleet = dict[str, pl.DataFrame]


def status_of(scooters: list[Simulation], seed: int) -> pl.DataFrame:
    """Rows of `status`."""
    rows = pl.DataFrame(list(statuses(scooters, seed)), infer_schema_length=None)
    times = {name: pl.col(name).cast(MS) for name in ("time", "received_at")}
    made = rows.unique(["vehicle", "time"], maintain_order=True)
    return shaped(made.with_columns(**WHO, **times, via=pl.lit("push"), clock=pl.lit("device")), "status")


def polls_of(scooters: list[Simulation], days: int) -> pl.DataFrame:
    """Rows of BATTERIES."""
    rows = pl.DataFrame(list(battery_answers(scooters, days)), infer_schema_length=None)
    return rows.with_columns(
        **WHO, at=pl.col("at").cast(MS), power_w=pl.lit(None, pl.Float64()), bms_charging=pl.lit(False)
    )


def known_of(rides: pl.DataFrame) -> pl.DataFrame:
    """A data sheet."""
    vehicles = rides.select("provider", "vehicle").unique().sort("vehicle")
    told = {"model": "moped", "timezone": "UTC", "capacity_wh": CAPACITY_WH, "wh_per_km": 31.0}
    return vehicles.with_columns(pl.lit(value).alias(name) for name, value in told.items())


def analysed(numbers: Sequence[int], seed: int, days: int) -> Fleet:
    """What analyses make of these mopeds, and the truth: `checks`, `true`, `trips` (with both), `days`."""
    scooters, asked = ([Simulation(number, seed, START, days) for number in numbers] for _ in range(2))
    clean = observed(status_of(scooters, seed).lazy())
    steps = segments_of(clean)
    rides = trips(steps)
    path = soc_path(clean, None, rides)
    told = rides.hstack(used(path, rides)).with_columns(polled(rides, steps, polls_of(asked, days)))
    known = known_of(rides)
    found = checks(of_models(told, known)).with_columns(time=pl.lit(rides["started_at"].min(), MS))
    sure = calibrated(known, found)
    whole = told.hstack(energies(told, sure))
    truths = [{"vehicle": scooter.vehicle, **trip} for scooter in scooters for trip in scooter.truth.trips]
    true = pl.DataFrame(truths, infer_schema_length=None)
    ledger = by_day(clean, steps, whole, path, sure)
    return {"checks": found, "true": true, "trips": matched(whole, true), "days": ledger}


def of_models(rides: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Trips as `calibration.checks` takes them; each of these vehicles has one pack, which nobody asked."""
    named = middles(rides).join(known, on=["provider", "vehicle"], maintain_order="left")
    return named.select(
        "provider", "vehicle", "model", "pct", "level_pct", "polled_wh", sheet_wh="capacity_wh", stint_id="vehicle",
        day=pl.col("started_at").dt.date(), cycles=pl.lit(None, pl.Float64()),
        since=pl.lit(None, TIME), first_cycles=pl.lit(None, pl.Int64()), last_cycles=pl.lit(None, pl.Int64()),
        km=pl.col("distance_m") / 1000,
    )  # fmt: skip


def matched(rides: pl.DataFrame, true: pl.DataFrame) -> pl.DataFrame:
    """Trips with their true energy, where the trip is the right one by its place and way."""
    when = (pl.col("started_at") * 1000).cast(pl.Int64).cast(MS)
    truths = true.select(
        "vehicle", when.alias("true_at"), pl.col("energy_wh").alias("true_wh"), pl.col("distance_m").alias("true_m"),
        pl.col("soc_used_pct").alias("true_pct"),
    ).sort("true_at")  # fmt: skip
    middle = pl.col("started_at") + (pl.col("finished_at") - pl.col("started_at")) / 2
    placed = rides.with_columns(middle.alias("mid")).sort("mid")
    both = placed.join_asof(truths, left_on="mid", right_on="true_at", by="vehicle", check_sortedness=False)
    return both.filter((pl.col("distance_m") - pl.col("true_m")).abs() < 60)
