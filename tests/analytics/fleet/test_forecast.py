"""Forecasts: quantiles that hold in a simulated fleet, and what is known without one."""

import random
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from analytics.fleet.forecast import forecast
from logger.tables import DERIVED, TIME, shaped
from tests.analytics.hand import AT, at

_DAYS = 28
WHO = {"provider": pl.String(), "vehicle": pl.String()}
Told = tuple[str, int, float]  # vehicle, hour, percent
Frames = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame]


def life(name: str, chance: random.Random, days: int) -> list[tuple[str, int, float]]:
    """A reading an hour, (vehicle, hour, percent): rides by day, some percent each, and swaps at night if it is low."""
    busy, soc, told = chance.uniform(0.1, 0.3), chance.uniform(30, 100), []
    for hour in range(24 * days):
        if hour % 24 == 3 and soc < 40:
            soc = 100.0
        if 7 <= hour % 24 < 22 and chance.random() < busy:
            soc -= chance.uniform(3, 11)
        soc -= 0.04
        told.append((name, hour, max(soc, 0.0)))
    return told


def frames(lives: list[list[Told]], timezone: str = "UTC") -> Frames:
    """What is left at the end, trips that used a percent or more in an hour, rests of the hours between."""
    now, trips, rests = [], [], []
    for told in lives:
        for (name, _, was), (_, hour, soc) in pairwise(told):
            span = {"provider": "p", "vehicle": name, "started_at": AT + timedelta(hours=hour - 1)}
            span |= {"time": span["started_at"], "finished_at": AT + timedelta(hours=hour)}
            if was - soc >= 1:
                trips.append(span | {"soc_used_pct": was - soc})
            elif was >= soc:
                rests.append(span | {"soc_lost_pct": was - soc})
        name, hour, soc = told[-1]
        now.append({"provider": "p", "vehicle": name, "at": AT + timedelta(hours=hour), "soc_pct": float(int(soc))})
    names = [told[0][0] for told in lives]
    known = pl.DataFrame({"provider": "p", "vehicle": names, "timezone": timezone}, {**WHO, "timezone": pl.String()})
    latest = pl.DataFrame(
        now, schema={**known.select("provider", "vehicle").schema, "at": TIME, "soc_pct": pl.Float64()}
    )
    return latest, table("trips", trips), table("standby", rests), known


def table(name: str, rows: list[dict[str, object]]) -> pl.DataFrame:
    return shaped(pl.DataFrame(rows), name) if rows else DERIVED[name].schema.to_frame()


def found(frames: Frames, threshold: float = 20.0) -> pl.DataFrame:
    return forecast(*frames, threshold_pct=threshold, service_at=time(3))


def test_eight_of_ten_vehicles_fall_below_the_threshold_between_t10_and_t90() -> None:
    chance = random.Random(3)
    lives = [life(f"{n:03}", chance, _DAYS + 14) for n in range(60)]
    now = 24 * _DAYS - 12
    got = {row["vehicle"]: row for row in found(frames([told[:now] for told in lives])).iter_rows(named=True)}
    inside, early, seen = 0, 0, 0
    for told in lives:
        row, soc = got[told[0][0]], told[now - 1][2]
        ahead = soc
        for hour in range(now, len(told)):  # as if nobody came
            ahead -= max(0.0, told[hour - 1][2] - told[hour][2])
            if ahead < 20:
                crossed = AT + timedelta(hours=hour)
                seen, inside = seen + 1, inside + (row["t10"] <= crossed <= row["t90"])
                early += crossed < row["t50"]
                break
    assert seen == 60
    assert 0.7 <= inside / seen <= 0.9
    assert 0.35 <= early / seen <= 0.65


def test_a_vehicle_that_is_used_more_falls_sooner_and_one_that_is_low_is_low_now() -> None:
    chance = random.Random(1)
    idle = [("idle", hour, 80.0) for hour in range(24 * _DAYS)]
    low = [("low", hour, 15.0) for hour in range(24 * _DAYS)]
    busy = [*life("busy", chance, _DAYS)[:-1], ("busy", 24 * _DAYS - 1, 80.0)]
    got = found(frames([busy, idle, low]))
    assert got.schema == DERIVED["forecast"].schema
    times = {row["vehicle"]: row for row in got.iter_rows(named=True)}
    assert times["busy"]["t10"] < times["busy"]["t50"] < times["busy"]["t90"]
    assert times["idle"]["t50"] is None or times["busy"]["t50"] < times["idle"]["t50"]
    assert times["low"]["t10"] == times["low"]["t90"] == AT + timedelta(hours=24 * _DAYS - 1)
    assert times["low"]["below_at_next_service"] == 1


def test_an_hour_of_much_use_before_the_crew_comes_makes_a_swap_likely() -> None:
    told = [(str(n), hour, 90.0 - (40 if hour % 24 == 1 else 0)) for n in range(3) for hour in range(24 * 14 + 1)]
    lives = [[row for row in told if row[0] == str(n)] for n in range(3)]
    assert min(found(frames(lives), threshold=70.0)["below_at_next_service"]) > 0.5
    assert max(found(frames(lives), threshold=10.0)["below_at_next_service"]) < 0.1


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_use_comes_at_its_local_hour_before_and_after_clocks_change(zone: str) -> None:
    """By UTC, the hour before seven is another one in summer than in winter."""
    begin = datetime(2026, 9, 14, tzinfo=ZoneInfo(zone))
    mornings = [begin + timedelta(days=n, hours=6, minutes=30) for n in range(60)]
    rides = [{"provider": "p", "vehicle": "a", "started_at": each.astimezone(UTC)} for each in mornings]
    trips = table("trips", [ride | {"time": ride["started_at"], "soc_used_pct": 10.0} for ride in rides])
    known = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "timezone": [zone]})
    for number in range(14, 50):
        at = (begin + timedelta(days=number, minutes=17)).astimezone(UTC)
        row = {"provider": "p", "vehicle": "a", "at": at, "soc_pct": 85.0}
        now = pl.DataFrame([row], schema={**WHO, "at": TIME, "soc_pct": pl.Float64()})
        got = found((now, trips, table("standby", []), known))["t50"].item().astimezone(ZoneInfo(zone))
        assert (got.date() - begin.date()).days == number + 6
        assert (got - timedelta(minutes=30)).hour == 6  # in the middle of the hour in which it falls below


def test_a_vehicle_of_which_nothing_but_its_percent_is_known_is_not_expected_to_fall() -> None:
    got = found(frames([[("a", 0, 90.0)]], "Europe/Berlin"))
    assert got.select("time", "soc_pct", "t10", "t50", "t90").row(0) == (at(0), 90.0, None, None, None)
    assert got["below_at_next_service"].item() == 0


def test_a_long_rest_counts_as_time_in_which_nobody_rode() -> None:
    """A vehicle that stood for five weeks and rode today is no vehicle that rides every day."""
    hours = 24 * 7 * 5
    told = [*(("a", hour, 90.0) for hour in range(0, hours + 1, hours)), ("a", hours + 1, 80.0)]
    stood = found(frames([told]))
    rode = found(frames([told[1:]]))
    assert (stood["t50"].item() or AT + timedelta(weeks=99)) > (rode["t50"].item() or AT + timedelta(weeks=98))


def test_where_nothing_is_known_there_is_no_forecast() -> None:
    assert found(frames([])).schema == DERIVED["forecast"].schema
