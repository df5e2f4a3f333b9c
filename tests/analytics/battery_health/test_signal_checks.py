"""What a model's signals mean is told by its own readings, where they tell it."""

import random
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from analytics.battery_health import reasons
from analytics.battery_health.signal_checks import checks, points
from logger.tables import TIME, shaped
from tests.analytics.hand import AT

WHOSE = {"provider": "p", "vehicle": "v"}
KNOWN = pl.DataFrame({**WHOSE, "model": ["m"]})
TRIPS = shaped(
    pl.DataFrame({**WHOSE, "started_at": [AT], "finished_at": [AT + timedelta(hours=8)]}).with_columns(
        pl.col("started_at", "finished_at").cast(TIME)
    ),
    "trips",
)
NO_STINTS, NO_DAYS = shaped(pl.DataFrame(), "stints").clear(), shaped(pl.DataFrame(), "battery_health").clear()


def at(*seconds: float) -> pl.Series:
    return pl.Series("at", [AT + timedelta(seconds=each) for each in seconds], TIME)


def readings(share: float = 0.0, count: int = 60) -> pl.DataFrame:
    """At a stand, every ten seconds, while the riding time counts this share of them."""
    rows = {**WHOSE, "at": at(*(10 * k for k in range(count))), "speed_kmh": 0.0, "odometer_m": 77.0}
    return pl.DataFrame({**rows, "ride_time_s": [1000 + 10 * share * k for k in range(count)]})


def powers(window_s: int) -> pl.DataFrame:
    """Of a ride in town, read every 10 s: the mean of so many seconds."""
    chance, now, each = random.Random(4), 0.0, []
    for _ in range(20_000):
        now = 0.75 * now + chance.gauss(0, 300)
        each.append(500 + now)
    moments = range(window_s, 20_000, 10)
    told = [sum(each[second - window_s : second]) / window_s for second in moments]
    return pl.DataFrame({**WHOSE, "at": at(*moments), "used_w": told})


def answer(name: str, **frames: pl.DataFrame) -> dict[str, Any]:
    told = points(frames.get("readings", readings(count=1)), frames.get("powers", powers(1).head(1)), TRIPS)
    found = checks(told, frames.get("stints", NO_STINTS), frames.get("days", NO_DAYS), KNOWN)
    return found.filter(check=name).row(0, named=True)


@pytest.mark.parametrize(("share", "word"), [(1.0, "runs"), (0.0, "stands"), (0.5, "mixed")])
def test_whether_riding_time_goes_on_at_a_stand(share: float, word: str) -> None:
    got = answer("ride_time_at_stand", readings=readings(share))
    assert (got["answer"], got["value"], got["n"]) == (word, pytest.approx(share, abs=0.01), 59)


def test_readings_that_move_or_are_far_apart_tell_nothing_of_stands() -> None:
    moving = readings(1.0).with_columns(speed_kmh=pl.lit(20.0))
    assert answer("ride_time_at_stand", readings=moving)["answer"] == "insufficient"
    stop_and_go = readings(1.0).with_columns(odometer_m=pl.col("ride_time_s") * 5)
    assert answer("ride_time_at_stand", readings=stop_and_go)["answer"] == "insufficient"
    assert answer("ride_time_at_stand", readings=readings(1.0).gather_every(20))["answer"] == "insufficient"


@pytest.mark.parametrize(("window_s", "word"), [(1, "instant"), (120, "averaged")])
def test_whether_power_is_of_its_moment_or_of_the_minutes_before(window_s: int, word: str) -> None:
    near = powers(window_s)
    far = near.with_columns(vehicle=pl.lit("w")).gather_every(12)
    both = pl.concat([near, far]).sort("provider", "vehicle", "at")
    known = pl.concat([KNOWN, KNOWN.with_columns(vehicle=pl.lit("w"))])
    trips = pl.concat([TRIPS, TRIPS.with_columns(vehicle=pl.lit("w"))])
    told = points(readings(count=1), both, trips)
    got = checks(told, NO_STINTS, NO_DAYS, known).filter(check="power_readings").row(0, named=True)
    assert got["answer"] == word


def test_what_a_count_of_cycles_counts() -> None:
    def told(used: float, cycles: int = 10) -> dict[str, Any]:
        rows = [{**WHOSE, "first_cycles": 5, "last_cycles": 5 + cycles, "soc_used_pct": 100 * used}] * 4
        return answer("cycles_count", stints=shaped(pl.DataFrame(rows), "stints"))

    assert told(10.2)["answer"] == "full_cycles"
    assert told(4.0)["answer"] == "parts"
    assert told(30.0)["answer"] == "several"
    assert told(3.0, cycles=3)["answer"] == "insufficient"


def test_whether_volts_and_current_are_of_one_moment() -> None:
    def told(*verdicts: str, reason: str = "") -> str:
        rows = [{**WHOSE, "verdict": verdict, "reason": reason} for verdict in verdicts]
        return str(answer("volts_and_current", days=shaped(pl.DataFrame(rows), "battery_health"))["answer"])

    assert told(*["estimate"] * 4) == "same_moment"
    assert told(*["insufficient"] * 4) == "other_moment"
    assert told("estimate", "insufficient", "estimate") == "mixed"
    assert told("estimate") == "insufficient"
    assert told(*["insufficient"] * 4, reason=reasons.LOOSE) == "insufficient"


def test_every_model_has_a_row_of_each_check() -> None:
    told = points(readings(count=1), powers(1).head(1), TRIPS)
    got = checks(told, NO_STINTS, NO_DAYS, KNOWN)
    assert sorted(got["check"]) == ["cycles_count", "power_readings", "ride_time_at_stand", "volts_and_current"]
    assert set(got["answer"]) == {"insufficient"}
