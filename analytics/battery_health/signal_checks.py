"""What a model's riding time, power, volts and count of cycles mean: each a check that decides by data, or not at all.

Analytics facts, part 7. Beside the checks of `firmware`, which tell what percents and ranges mean.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from analytics.battery_health import reasons
from analytics.battery_health.calibration import CHECKS, INSUFFICIENT, check
from analytics.battery_health.moments import Moments
from analytics.battery_health.pooling import MODEL
from analytics.frames import WHO, before, marked

NEAR_S, FAR_S = 20.0, 60.0  # steps of power so short that an averaged one hardly moves, and so long that it does
STANDS_S = 120.0  # readings at a stand that are further apart may hide a way
FEWEST = {"ride_time_at_stand": 20, "power_readings": 100, "volts_and_current": 3, "cycles_count": 20}
RUNS, STANDS = 0.8, 0.2  # of the time at a stand that a riding time counts
INSTANT, AVERAGED = 0.6, 0.35  # of the squared step of power after a minute, what it makes within seconds
FULL = (0.8, 1.25)  # full cycles that a count of one is
Frames = Mapping[str, pl.DataFrame]


def points(readings: pl.DataFrame, powers: pl.DataFrame, trips: pl.DataFrame) -> Frames:
    """What readings of a sample of vehicles tell, as points `x` and `y` by vehicle, by check.

    Parameters
    ----------
    readings : DataFrame `provider` `vehicle` `at` `speed_kmh` `ride_time_s` `odometer_m`, by vehicle and time
    powers : DataFrame `provider` `vehicle` `at` `used_w`, in any sign, by vehicle and time
    trips : rows of `trips` of these vehicles

    Returns
    -------
    `ride_time_at_stand`: seconds between two readings at a stand, with no way between them, and by how much the riding
    time rose;
    `power_far` and `power_near`: 1, and the squared step of power between readings of one trip a minute or more apart,
    and up to 20 s.
    """
    rows = marked(readings.drop_nulls(["speed_kmh", "ride_time_s"]))
    seconds = (pl.col("at") - before("at")).dt.total_milliseconds() / 1000
    still = (pl.col("speed_kmh") == 0) & (before("speed_kmh") == 0) & seconds.is_between(1, STANDS_S)
    counts = (pl.col("ride_time_s") - before("ride_time_s")).is_between(0, STANDS_S)
    stood = (pl.col("odometer_m") == before("odometer_m")).fill_null(True)
    stands = rows.with_columns(seconds.alias("x"), (pl.col("ride_time_s") - before("ride_time_s")).alias("y"))
    return {
        "ride_time_at_stand": stands.filter(still & counts & stood).select(*WHO, "x", "y"),
        **_power_steps(powers, trips),
    }


def _power_steps(powers: pl.DataFrame, trips: pl.DataFrame) -> Frames:
    spans = trips.select(*WHO, "started_at", "finished_at").sort("started_at")
    inside = powers.sort("at").join_asof(
        spans, left_on="at", right_on="started_at", by=WHO, check_sortedness=False
    ).filter(pl.col("at") <= pl.col("finished_at")).sort(*WHO, "at")  # fmt: skip
    trip = (*WHO, "started_at")
    seconds = (pl.col("at").diff().over(trip)).dt.total_milliseconds() / 1000
    steps = inside.select(*WHO, seconds.alias("s"), (pl.col("used_w").diff().over(trip) ** 2).alias("y"), x=pl.lit(1.0))
    return {
        "power_near": steps.filter(pl.col("s") <= NEAR_S).select(*WHO, "x", "y"),
        "power_far": steps.filter(pl.col("s") >= FAR_S).select(*WHO, "x", "y"),
    }


def checks(told: Frames, stints: pl.DataFrame, resistances: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The checks of every model.

    Parameters
    ----------
    told : what `points` gives
    stints : rows of `stints`
    resistances : rows of `battery_health` of method `resistance`
    known : DataFrame `provider` `vehicle` `model`, of the vehicles of models that count

    Returns
    -------
    DataFrame of `CHECKS` by provider and model; `time` is null.
    """
    counted = (pl.col("last_cycles") - pl.col("first_cycles")).cast(pl.Float64)
    moment = (pl.col("verdict") == "estimate").cast(pl.Float64)
    loose = pl.col("reason") == reasons.LOOSE
    frames = {
        **told,
        "cycles_count": stints.select(*WHO, x=counted, y=pl.col("soc_used_pct") / 100).drop_nulls(),
        "volts_and_current": resistances.filter(~loose).select(*WHO, x=pl.lit(1.0), y=moment),
    }
    models = known.select(*WHO, "model").drop_nulls("model")
    sums = {name: _sums(rows.join(models, on=WHO)) for name, rows in frames.items()}
    rows = [
        {"provider": provider, **row}
        for provider, model in models.select(MODEL).unique().sort(MODEL).rows()
        for row in _of_model(model, {name: of.get((provider, model), Moments()) for name, of in sums.items()})
    ]
    return pl.DataFrame(rows, schema=CHECKS)


def _sums(rows: pl.DataFrame) -> Mapping[Any, Moments]:
    """Sums by provider and model."""
    return {key: Moments.of(part, "x", "y") for key, part in rows.partition_by(MODEL, as_dict=True).items()}


def _of_model(model: str, sums: Mapping[str, Moments]) -> Iterator[dict[str, Any]]:
    yield _ratio(model, "ride_time_at_stand", sums["ride_time_at_stand"], _stand_word)
    yield _ratio(model, "volts_and_current", sums["volts_and_current"], _moment_word)
    yield _cycles(model, sums["cycles_count"])
    yield _power(model, sums["power_near"], sums["power_far"])


def _ratio(model: str, name: str, sums: Moments, word: Any) -> dict[str, Any]:
    value, sd = sums.ratio()
    if sums.n < FEWEST[name] or value is None:
        return check(model, name, INSUFFICIENT, None, None, sums.n)
    return check(model, name, word(value), value, sd, sums.n)


def _stand_word(share: float) -> str:
    return "runs" if share >= RUNS else "stands" if share <= STANDS else "mixed"


def _moment_word(share: float) -> str:
    return "same_moment" if share >= RUNS else "other_moment" if share <= STANDS else "mixed"


def _cycles(model: str, sums: Moments) -> dict[str, Any]:
    """How many full discharges one of the pack's own count is; packs may be charged where nobody sees it."""
    value, sd = sums.ratio()
    if value is None or sums.x < FEWEST["cycles_count"]:
        return check(model, "cycles_count", INSUFFICIENT, None, None, round(sums.x))
    low, high = FULL
    word = "full_cycles" if low <= value <= high else "parts" if value < low else "several"
    return check(model, "cycles_count", word, value, sd, round(sums.x))


def _power(model: str, near: Moments, far: Moments) -> dict[str, Any]:
    """Whether a reading of power is of its moment: then it steps within seconds nearly as far as within minutes."""
    fewest = min(near.n, far.n)
    if fewest < FEWEST["power_readings"] or far.y <= 0:
        return check(model, "power_readings", INSUFFICIENT, None, None, fewest)
    value = near.y / near.n / (far.y / far.n)
    word = "instant" if value >= INSTANT else "averaged" if value <= AVERAGED else "mixed"
    return check(model, "power_readings", word, value, None, fewest)
