"""Forecasts: quantiles that hold in a simulated fleet, and what is known without one."""

import random
from datetime import time, timedelta
from itertools import pairwise

import polars as pl

from analytics.forecast import forecast
from analytics.tables import READINGS
from logger.tables import DERIVED
from tests.analytics.hand import AT, at

_SPANS = {
    "provider": pl.String(),
    "vehicle": pl.String(),
    **dict.fromkeys(("started_at", "finished_at"), READINGS["at"]),
}
_DAYS = 28


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


def frames(lives: list[list[tuple[str, int, float]]]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    rows = [
        {"provider": "p", "vehicle": name, "at": AT + timedelta(hours=hour), "soc_pct": float(int(soc))}
        for told in lives for name, hour, soc in told
    ]  # fmt: skip
    swaps = [
        {"provider": "p", "vehicle": name, "started_at": AT + timedelta(hours=hour - 0.5)}
        for told in lives for (_, _, was), (name, hour, soc) in pairwise(told) if soc > was
    ]  # fmt: skip
    spans = pl.DataFrame(swaps, schema={key: _SPANS[key] for key in ("provider", "vehicle", "started_at")})
    names = sorted({told[0][0] for told in lives})
    known = pl.DataFrame(
        {"provider": "p", "vehicle": names, "timezone": "UTC"}, schema_overrides={"vehicle": pl.String()}
    )
    return pl.DataFrame(rows, schema=READINGS), spans.with_columns(finished_at="started_at"), known


def found(readings: pl.DataFrame, spans: pl.DataFrame, known: pl.DataFrame, threshold: float = 20.0) -> pl.DataFrame:
    return forecast(readings, spans, known, threshold_pct=threshold, service_at=time(3))


def test_eight_of_ten_vehicles_fall_below_the_threshold_between_t10_and_t90() -> None:
    chance = random.Random(3)
    lives = [life(f"{n:03}", chance, _DAYS + 14) for n in range(60)]
    now = 24 * _DAYS - 12
    readings, spans, known = frames([told[:now] for told in lives])
    got = {row["vehicle"]: row for row in found(readings, spans, known).iter_rows(named=True)}
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
    got = found(*frames([busy, idle, low]))
    assert got.schema == DERIVED["forecast"].schema
    times = {row["vehicle"]: row for row in got.iter_rows(named=True)}
    assert times["busy"]["t10"] < times["busy"]["t50"] < times["busy"]["t90"]
    assert times["idle"]["t50"] is None or times["busy"]["t50"] < times["idle"]["t50"]
    assert times["low"]["t10"] == times["low"]["t90"] == AT + timedelta(hours=24 * _DAYS - 1)
    assert times["low"]["below_at_next_service"] == 1


def test_an_hour_of_much_use_before_the_crew_comes_makes_a_swap_likely() -> None:
    told = [(str(n), hour, 90.0 - (40 if hour % 24 == 1 else 0)) for n in range(3) for hour in range(24 * 14 + 1)]
    lives = [[row for row in told if row[0] == str(n)] for n in range(3)]
    readings, spans, known = frames(lives)
    assert found(readings, spans, known, threshold=70.0)["below_at_next_service"].min() > 0.5  # type: ignore[operator]
    assert found(readings, spans, known, threshold=10.0)["below_at_next_service"].max() < 0.1  # type: ignore[operator]


def test_what_a_charge_brings_is_no_use() -> None:
    readings = pl.DataFrame(
        [
            {"provider": "p", "vehicle": "a", "at": at(60 * n), "soc_pct": soc}
            for n, soc in enumerate((50.0, 20.0, 90.0))
        ],
        schema=READINGS,
    )
    spans = pl.DataFrame(
        {"provider": "p", "vehicle": "a", "started_at": [at(90)], "finished_at": [at(100)]}, schema=_SPANS
    )
    known = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "timezone": ["Europe/Berlin"]})
    got = found(readings, spans, known)
    assert got["soc_pct"].to_list() == [90]
    assert got["t90"].to_list()[0] > at(120)


def test_without_a_percent_there_is_no_forecast() -> None:
    readings = pl.DataFrame([{"provider": "p", "vehicle": "a", "at": AT}], schema=READINGS)
    known = pl.DataFrame({"provider": ["p"], "vehicle": ["a"], "timezone": ["UTC"]})
    assert found(readings, pl.DataFrame(schema=_SPANS), known).is_empty()
