"""Trips of simulated mopeds beside what they really did: as the wire lets it through, with losses and repetition."""

from functools import cache

import polars as pl

from analytics.observations.observations import observations
from analytics.schemas import FIXES
from analytics.stays.stay_points import whereabouts
from analytics.stays.trip_ends import placed
from analytics.stays.visits import known_span, relocations
from analytics.trips.coverage import coverage
from analytics.trips.trips import trips
from logger.simulator.vehicle.fleet import Simulation, fleet
from logger.simulator.vehicle.transmission import Push, transmit
from logger.tables import RAW, TIME, shaped
from tests.analytics.finding import segments_of

SEED, START, DAYS, VEHICLES = 11, 1_790_000_000, 4, 8
COSINE = 0.575  # of their latitude
STATUS = {
    "locked": "locked",
    "charging": "charging",
    "online": "online",
    "speed_kmh": "speed",
    "odometer_m": "odometer",
    "ride_time_s": "totalRidingSecs",
}


LOCATION = {"lat_deg": "latitude", "lon_deg": "longitude", "hdop": "hdop", "satellites": "satelliteNumber"}


def decoded(scooter: Simulation, pushes: list[Push], table: str, time: str, names: dict[str, str]) -> pl.DataFrame:
    """Rows by the vendor's names, one for each moment of the device; a time that cannot be is that of the receipt."""
    said = [
        {**push.fields, "sequence": number, "device": int(push.fields[time]) * 1000, "received": push.sent_at * 1000}
        for number, push in enumerate(pushes)
        if push.path == table
    ]
    right = (pl.col("device") - pl.col("received")).abs() < 30 * 86_400_000
    rows = pl.DataFrame(said, infer_schema_length=None).with_columns(
        pl.when(right).then("device").otherwise("received").cast(pl.Int64).cast(TIME).alias("time"),
        pl.col("received").cast(pl.Int64).cast(TIME).alias("received_at"),
        pl.when(right).then(pl.lit("device")).otherwise(pl.lit("received")).alias("clock"),
        pl.lit("push").alias("via"),
        pl.lit("segway").alias("provider"),
        pl.lit(scooter.vehicle).alias("vehicle"),
        *(_value(table, ours, theirs) for ours, theirs in names.items()),
    )
    return shaped(rows.unique("time", keep="last", maintain_order=True), table)


def _value(table: str, ours: str, theirs: str) -> pl.Expr:
    told = pl.col(theirs)
    return (told == "true" if RAW[table].columns[ours] == pl.Boolean() else told.replace("", None)).alias(ours)


@cache
def heard() -> tuple[list[Simulation], pl.DataFrame, pl.DataFrame]:
    """Mopeds whose clocks are right; their intervals; their fixes."""
    scooters = [each for each in fleet(VEHICLES, SEED, START, DAYS) if each.moped.specification.clock_offset_s == 0]
    told = [(each, transmit(each, SEED, lost=0.03)) for each in scooters]
    status = [decoded(scooter, pushes, "status", "statusUtcTime", STATUS) for scooter, pushes in told]
    location = [decoded(scooter, pushes, "location", "gpsUtcTime", LOCATION) for scooter, pushes in told]
    found = observations(pl.concat(status).lazy(), pl.concat(location).lazy())
    return scooters, segments_of(found), found.drop_nulls("lat_deg").select(FIXES.names())


@cache
def story() -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What really happened to them; their intervals; their trips."""
    scooters, steps, places = heard()
    truth = [{"vehicle": each.vehicle, **trip} for each in scooters for trip in each.truth.trips]
    found = placed(trips(steps), places)
    return pl.DataFrame(truth, infer_schema_length=None), steps, found


def matched() -> pl.DataFrame:
    """Trips beside the true ones, `true_…`, of which half of the time of both is common."""
    truth, _, found = story()
    named = truth.rename({name: f"true_{name}" for name in truth.columns if name != "vehicle"})
    begin, end = (pl.col(name).dt.epoch("ms") / 1000 for name in ("started_at", "finished_at"))
    pairs = found.with_columns(begin.alias("begin"), end.alias("end")).join(named, on="vehicle")
    both = pl.min_horizontal("end", "true_finished_at") - pl.max_horizontal("begin", "true_started_at")
    either = pl.max_horizontal("end", "true_finished_at") - pl.min_horizontal("begin", "true_started_at")
    return pairs.filter(both / either >= 0.5)


def test_nearly_every_trip_is_found_and_nearly_none_that_was_not() -> None:
    truth, _, found = story()
    assert matched().height >= 0.98 * max(truth.height, found.height)


def share(pairs: pl.DataFrame, holds: pl.Expr) -> float:
    """Of these trips, how many."""
    return pairs.filter(holds).height / pairs.height


def test_nineteen_of_twenty_trips_begin_and_end_within_the_bounds_that_they_state() -> None:
    for end, true, bound in (("begin", "started_at", "start"), ("end", "finished_at", "finish")):
        apart_s = (pl.col(end) - pl.col(f"true_{true}")).abs()
        assert share(matched(), apart_s <= pl.col(f"{bound}_uncertainty_s")) >= 0.95, end


def test_trips_that_are_found_have_the_distance_of_the_odometer() -> None:
    assert share(matched(), (pl.col("distance_m") - pl.col("true_distance_m")).abs() <= 2) >= 0.95


def test_trips_begin_and_end_where_the_vehicle_stood() -> None:
    for end in ("start", "finish"):
        lat, lon = (pl.col(f"{end}_{name}") - pl.col(f"true_{end}_{name}") for name in ("lat_deg", "lon_deg"))
        apart_m = (lat**2 + (lon * COSINE) ** 2).sqrt() * 111_195
        assert share(matched(), apart_m < 30) >= 0.95, end


def test_no_trip_is_shorter_than_from_its_start_to_its_finish() -> None:
    """T3: 2 % for tyres, three standard errors of 5 m for each position."""
    _, _, found = story()
    lat, lon = (pl.col(f"finish_{name}") - pl.col(f"start_{name}") for name in ("lat_deg", "lon_deg"))
    apart_m = (lat**2 + (lon * COSINE) ** 2).sqrt() * 111_195
    placed = found.filter(apart_m.is_not_null())
    assert placed.height > 0.9 * found.height
    assert placed.select((pl.col("distance_m") >= 0.98 * apart_m - 3 * 5 * 2**0.5).all()).item()


def test_the_books_hold_every_metre_of_the_odometer() -> None:
    _, steps, found = story()
    known = pl.DataFrame(schema={"provider": pl.String, "vehicle": pl.String, "timezone": pl.String})
    books = coverage(steps, found, RAW["intake"].schema.to_frame(), known)
    gone = steps.group_by("vehicle").agg(pl.col("odometer_m").last() - pl.col("odometer_m").first())
    summed = books.group_by("vehicle").agg(pl.sum_horizontal("trips_m", "pushed_m", "unplaced_m").sum())
    assert dict(summed.iter_rows()) == dict(gone.iter_rows())
    assert books["trips_m"].sum() == found["distance_m"].sum()


def test_who_was_carried_is_told_and_nobody_else() -> None:
    """Of one that is pushed, the odometer may count nothing: then it was moved as if it had been carried."""
    scooters, steps, places = heard()
    stood = whereabouts(places, steps, trips(steps))
    found = relocations(stood, steps, known_span(stood, {}, from_begin=True, to_end=True))
    moved = [
        (each.vehicle, event["what"], event["started_at"], event["finished_at"])
        for each in scooters for event in each.truth.events
        if event["what"] in ("relocated", "out_of_service", "pushed")
    ]  # fmt: skip
    hits: set[tuple[str, str, float, float]] = set()
    for vehicle, left, back in found.select("vehicle", "started_at", "finished_at").iter_rows():
        by = [e for e in moved if e[0] == vehicle and left.timestamp() <= e[3] + 900 and back.timestamp() >= e[2]]
        assert by, (vehicle, left)
        hits.update(by)
    carried = [event for event in moved if event[1] == "relocated"]
    assert carried
    assert set(carried) <= hits
