"""What hand-made vehicles say: status rows by the second."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl
from hypothesis import strategies as st

from analytics.trips.trips import trips
from logger.tables import shaped
from tests.analytics.finding import observed, segments_of

AT = datetime(2026, 3, 1, 6, tzinfo=UTC)
Said = tuple[float, bool | None, float | None, float | None]  # second, locked, odometer, riding seconds


def moment(second: float) -> datetime:
    """So long after the story begins."""
    return AT + timedelta(seconds=second)


def status(rows: Iterable[Said], vehicle: str = "a", behind_s: float = 0.0) -> pl.LazyFrame:
    """Status rows in this order of receipt; the vehicle's clock is behind by so much."""
    made = [
        {
            "provider": "p",
            "vehicle": vehicle,
            "time": moment(second - behind_s),
            "received_at": moment(second),
            "via": "push",
            "clock": "device",
            "sequence": number,
            "locked": locked,
            "odometer_m": odometer,
            "ride_time_s": ride,
        }
        for number, (second, locked, odometer, ride) in enumerate(rows, 1)
    ]
    return shaped(pl.DataFrame(made, infer_schema_length=None), "status").lazy()


def parked(begin: int, end: int, odometer: float, ride: float, every: int = 900) -> list[Said]:
    """Locked, by its cadence."""
    return [(second, True, odometer, ride) for second in range(begin, end, every)]


def ridden(begin: int, end: int, odometer: float, ride: float, every: int = 10) -> list[Said]:
    """Unlocked and ridden at 10 m/s from `begin` on, by its cadence."""
    return [
        (second, False, odometer + 10 * (second - begin), ride + second - begin) for second in range(begin, end, every)
    ]


def outing(ride_s: int = 600, before_s: int = 3600, after_s: int = 3600) -> list[Said]:
    """An hour locked, ten minutes ridden (6000 m), an hour locked; the odometer begins at 1000 m, riding at 500 s."""
    begin = before_s + 10
    end = begin + ride_s
    way_m = 10 * ride_s
    return [
        *parked(0, before_s + 1, 1000, 500),
        *ridden(begin, end, 1000, 500),
        *parked(end, end + after_s + 1, 1000 + way_m, 500 + ride_s),
    ]


def two_rides(silent_s: int = 90, between_m: float = 0.0) -> list[Said]:
    """Ridden for 200 s, standing for 10 s, silent for so long, standing for 10 s, ridden for 200 s."""
    again = 220 + silent_s
    stands: list[Said] = [(210, False, 3000, 700), (220, False, 3000, 700), (again, False, 3000 + between_m, 700)]
    rides = [*ridden(10, 210, 1000, 500), *stands, *ridden(again + 10, again + 210, 3000 + between_m, 700)]
    return [*parked(0, 1, 1000, 500), *rides, *parked(again + 210, again + 211, 5000 + between_m, 900)]


def location(told: Iterable[tuple[float, bool]]) -> pl.LazyFrame:
    """Rows of `location`: positions of these seconds, valid or not, received at once."""
    rows = [
        {"provider": "p", "vehicle": "a", "time": moment(second), "received_at": moment(second), "via": "push"}
        | {"clock": "device", "sequence": number, "lat_deg": 52.5, "lon_deg": 13.4, "fix_valid": valid}
        for number, (second, valid) in enumerate(told, 1)
    ]
    return shaped(pl.DataFrame(rows, infer_schema_length=None), "location").lazy()


def made(rows: Iterable[Said]) -> pl.DataFrame:
    """Their trips."""
    return trips(segments_of(observed(status(rows))))


def seconds(found: pl.DataFrame, *names: str) -> list[tuple[float, ...]]:
    """These columns of times as seconds of the story."""
    return found.select((pl.col(name) - AT).dt.total_milliseconds() / 1000 for name in names).rows()


@st.composite
def stories(draw: st.DrawFn) -> list[Said]:
    """A vehicle that rides, stands, is pushed and is silent as it likes; its counters never fall."""
    rows: list[Said] = []
    second, way, ran = 0.0, 1000.0, 500.0
    for _ in range(draw(st.integers(2, 25))):
        gap = draw(st.sampled_from([10, 10, 30, 61, 900, 4000, 40_000]))
        rides = draw(st.integers(0, gap))
        second, ran = second + gap, ran + rides
        way += draw(st.integers(0, 12)) * rides + draw(st.sampled_from([0, 0, 3, 40]))
        rows.append((second, draw(st.sampled_from([True, False, None])), way, ran))
    return rows
