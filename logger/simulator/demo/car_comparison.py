"""Compares what is stored of the demo's cars with what they reported and with what really happened to them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import polars as pl

from logger.simulator.demo.cars import HIVEN, SMARTCAR, CarFleet
from logger.stores.lake.lake import Lake


class CarResult(msgspec.Struct, frozen=True):
    """The cars of one provider: events that were answered 200, and the rows that these lack or that are wrong."""

    provider: str
    cars: int
    events: int
    refused: int
    missing_rows: int
    rows: int

    @property
    def complete(self) -> bool:
        """Whether all that was answered is stored."""
        return not self.refused and not self.missing_rows and self.rows > 0


class CarAnalysis(msgspec.Struct, frozen=True):
    """Trips and charges of the cars of one provider, found and true; without an odometer there are no trips.

    Those `apart` are the most that anybody could find: there are readings before, between and after them.
    """

    provider: str
    trips: int
    true_trips: int
    apart_trips: int
    distance_m: float
    true_distance_m: float
    charges: int
    true_charges: int
    apart_charges: int

    def line(self) -> str:
        """Return the comparison for people."""
        found = f"{self.charges:,} charges of {self.true_charges:,} by cable ({self.apart_charges:,} by readings)"
        if self.provider != HIVEN:
            km, true_km = self.distance_m / 1000, self.true_distance_m / 1000
            trips = f"{self.trips:,} trips for {self.true_trips:,} ({self.apart_trips:,} by readings)"
            found = f"{trips}, {km:,.1f} km of {true_km:,.1f}; {found}"
        return f"{self.provider:<14}{found}"


def compare_cars(lake: Lake, fleet: CarFleet) -> tuple[CarResult, ...]:
    """Compare what is stored with the events that were sent."""
    accepted = {answer.number for answer in fleet.answers if answer.status == 200}
    sent = [(each.car, 1000 * each.measured_at) for number, each in enumerate(fleet.events) if number in accepted]
    expected = pl.DataFrame(sent, schema={"vehicle": pl.String(), "time": pl.Int64()}, orient="row").unique()
    status = lake.scan("status").filter(pl.col("provider") == SMARTCAR).collect()
    stored = status.select("vehicle", pl.col("time").dt.epoch("ms"))
    missing = expected.join(stored, on=["vehicle", "time"], how="anti").height
    smartcar = {"events": len(sent), "refused": len(fleet.events) - len(sent), "missing_rows": missing}
    others = {"events": 0, "refused": 0, "missing_rows": 0}
    return tuple(
        CarResult(provider, len(cars), rows=_rows(lake, provider), **(smartcar if provider == SMARTCAR else others))
        for provider, cars in fleet.vehicles.items()
    )


def _rows(lake: Lake, provider: str) -> int:
    tables = ("status", "location", "battery")
    counts = (lake.scan(name).filter(pl.col("provider") == provider).select(pl.len()) for name in tables)
    return sum(int(each.collect().item()) for each in counts)


def lines(results: Sequence[CarResult]) -> Iterator[str]:
    """Yield what became of the cars' messages, for people."""
    for each in results:
        pushed = (
            f"{each.events:,} events answered 200, {each.missing_rows:,} of their rows missing; " if each.events else ""
        )
        yield f"{each.provider:<14}{each.cars} cars: {pushed}{each.rows:,} rows"


def compare_car_analyses(lake: Lake, truth: Path) -> tuple[CarAnalysis, ...]:
    """Compare the trips and charges of each provider's cars with the truth in its folder below this one."""
    folders = sorted(folder for folder in truth.glob("*") if folder.is_dir())
    return tuple(_analysis(lake, folder) for folder in folders)


def _analysis(lake: Lake, folder: Path) -> CarAnalysis:
    tables = {name: pl.read_parquet(folder / f"{name}.parquet") for name in ("trips", "charges")}
    own = pl.col("provider") == folder.name
    trips, charges = (lake.scan(name).filter(own).collect() for name in ("trips", "charges"))
    status, sessions = lake.scan("status").filter(own).collect(), _sessions(tables["charges"])
    return CarAnalysis(
        provider=folder.name,
        trips=trips.height,
        true_trips=tables["trips"].height,
        apart_trips=told_apart(tables["trips"], status.drop_nulls("odometer_m")),
        distance_m=float(trips["distance_m"].sum()),
        true_distance_m=_sum(tables["trips"], "distance_m"),
        charges=charges.filter(pl.col("kind") != "swap").height,
        true_charges=sessions.height,
        apart_charges=told_apart(sessions, status.drop_nulls("soc_pct")),
    )


def told_apart(events: pl.DataFrame, readings: pl.DataFrame) -> int:
    """Return how many of these events, with `started_at` and `finished_at`, have readings between them and around all.

    Events between the same two readings count as one, and one that lacks a reading before or after it as none.
    """
    if "started_at" not in events.columns:
        return 0
    at = pl.col("time").cast(events.schema["started_at"])
    last = readings.select("vehicle", at.alias("started_at"), at.alias("last_at")).sort("started_at")
    following = readings.select("vehicle", at.alias("finished_at"), at.alias("next_at")).sort("finished_at")
    both = events.select("vehicle", "started_at", "finished_at").sort(
        "started_at"
    )  # which polars cannot check with `by`
    both = both.join_asof(last, on="started_at", by="vehicle", check_sortedness=False).sort("finished_at")
    both = both.join_asof(following, on="finished_at", by="vehicle", strategy="forward", check_sortedness=False)
    return both.drop_nulls(["last_at", "next_at"]).n_unique(["vehicle", "last_at", "next_at"])


def _sum(rows: pl.DataFrame, column: str) -> float:
    return float(rows[column].sum()) if column in rows.columns else 0.0


def _sessions(charges: pl.DataFrame) -> pl.DataFrame:
    """The times that a cable charged: packs that were charged together are one session."""
    if "started_at" not in charges.columns:
        return pl.DataFrame()
    return charges.drop_nulls("port").unique(["vehicle", "started_at"])
