"""What a fleet's own data say of its models: usual consumption, kilometres and watt hours of a percent, and oddities.

Absolute energy comes from many single readings of power, pooled over the fleet (analytics facts, F4, F5). A check that
the data cannot answer says `insufficient`, never a guess. Each check is a row of the table `calibration`.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from analytics.battery_health import spreads
from analytics.battery_health.moments import Moments, line_of_two
from analytics.battery_health.pooling import MODEL, SPREADS, at_half
from analytics.observations.power import SIGNS
from logger.tables import TIME

CHECKS = pl.Schema(
    {
        "provider": pl.String(),
        "time": TIME,
        "model": pl.String(),
        "check": pl.String(),
        "answer": pl.String(),
        "value": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "n": pl.Int64(),
    }
)
INSUFFICIENT = "insufficient"
TRIPS, LEVELS = 20, 100  # trips that an answer needs, and that the levels of percents need
SURE_SD = 4.0  # standard errors from nothing at which a sign is one
DIGITS = 3  # that a figure has: what it does not tell must not make a fleet's history anew
OF_PACKS = ("pack_wh", "pack_wh_cv", "pack_pct_per_km", "pack_wh_per_km", "packs_return", *SPREADS)
_COARSE = {
    "pack_wh_cv",
    "packs_return",
    *SPREADS,
}  # two digits: the third of a spread must not make a fleet's packs anew
_Z = 1.96


def check(model: str, name: str, answer: str, value: float | None, sd: float | None, n: int) -> dict[str, Any]:
    """A row of `CHECKS` without provider and time, with the 95 % interval of this standard error."""
    half = None if value is None or sd is None else _Z * sd
    low, high = (None, None) if value is None or half is None else (value - half, value + half)
    return answered(model, name, answer, (value, low, high), n)


def answered(
    model: str, name: str, answer: str, ends: tuple[float | None, float | None, float | None], n: int
) -> dict[str, Any]:
    """A row of `CHECKS` without provider and time; `ends` are value, low and high, of which three digits are kept."""
    rounded = dict(zip(("value", "low", "high"), map(_rounded, ends), strict=True))
    return {"model": model, "check": name, "answer": answer, **rounded, "n": n}


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.{DIGITS}g}")


def checks(trips: pl.DataFrame) -> pl.DataFrame:
    """The checks of what each model uses and holds.

    Parameters
    ----------
    trips : DataFrame by vehicle and time, of the days that count: `provider` `vehicle` `model` `sheet_wh` (null where
        no data sheet is known), `since`, `stint_id`, `cycles`,
        `first_cycles`, `last_cycles`, `km`, `pct` and `level_pct` (what of one pack's charge was used,
        null where a trip does not tell, and at which level), `polled_wh` (by single readings of power, in the sign of
        `motor_power_w` where only that is told; null where there are none)

    Returns
    -------
    DataFrame of `CHECKS` by provider, model and check; `time` is null.
    """
    ridden = trips.drop_nulls("model").filter(pl.col("km") > 0)
    rows: list[dict[str, Any]] = []
    known: list[tuple[Any, ...]] = []
    for key, part in ridden.group_by(MODEL, maintain_order=True):
        found = list(_of_model(str(key[1]), part))
        turn = SIGNS.get(found[0]["answer"]) if found[2]["answer"] != INSUFFICIENT else None
        known.append((*key, turn, found[1]["value"] or 0.0))
        rows += [{"provider": key[0], **row} for row in found]
    of = ridden.join(pl.DataFrame(known, schema=_OF_MODELS, orient="row"), on=MODEL, maintain_order="left")
    even = of.with_columns(at_half("pct", "level_pct"), (pl.col("polled_wh") * pl.col("power_sign")).alias("wh"))
    rows += [row for each in spreads.models(even).iter_rows(named=True) for row in _of_packs(each)]
    return pl.DataFrame(rows, schema=CHECKS).sort(*MODEL, "check")


_T, _N = pl.String(), pl.Float64()
_OF_MODELS = {"provider": _T, "model": _T, "power_sign": _N, "percent_slope": _N}


def _of_model(model: str, trips: pl.DataFrame) -> Iterator[dict[str, Any]]:
    sign, slope = power_sign(model, trips), percent_slope(model, trips)
    use, way = use_of_model(model, trips, sign["answer"]), km_per_percent(model, trips, slope["value"] or 0.0)
    yield from (sign, slope, use, way, capacity_of_model(model, use, way))


def _of_packs(figures: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    model, n = figures["model"], figures["packs"]
    power = figures["pack_wh"] is not None  # without it nobody can say what packs hold, nor by how much they differ
    for name in OF_PACKS:
        value = figures[name] if power else None
        if value is not None and name in _COARSE:
            value = float(f"{value:.2g}")
        sd = None if value is None else {"pack_wh": value * figures["pack_wh_cv"], "fade": figures["fade_sd"]}.get(name)
        answer = "estimate" if value is not None and math.isfinite(value) else INSUFFICIENT
        yield {"provider": figures["provider"], **check(model, name, answer, value, sd, n)}


# ---- what a kilometre and a percent are worth ----------------------------------------------------------------------


def power_sign(model: str, trips: pl.DataFrame) -> dict[str, Any]:
    """Which way `motor_power_w` is positive: no vehicle gains energy by all its trips.

    Returns
    -------
    Row of check `motor_power_sign`: `discharge_positive`, `charge_positive`, or `insufficient` where fewer than 20
    trips tell, or their sum is not 4 standard errors from 0. `value` is the energy of a kilometre [Wh/km].
    """
    use = Moments.of(trips, "km", "polled_wh")
    value, sd = use.ratio()
    sure = use.n >= TRIPS and value is not None and sd is not None and abs(value) > SURE_SD * sd
    word = "discharge_positive" if (value or 0.0) > 0 else "charge_positive"
    return check(model, "motor_power_sign", word if sure else INSUFFICIENT, value, sd, use.n)


def use_of_model(model: str, trips: pl.DataFrame, sign: str) -> dict[str, Any]:
    """Wh/km of a model, from single readings of power pooled over its trips.

    Returns
    -------
    Row of check `wh_per_km`: net, with the interval of a ratio of sums over trips, each of which has used its mean
    power for its time. It assumes that readings do not choose their moments by the power. `n` counts trips.
    `insufficient` where nobody knows which way power is positive.
    """
    use = Moments.of(trips, "km", "polled_wh")
    found, sd = use.ratio()
    value = None if found is None else SIGNS.get(sign, 1.0) * found
    return check(model, "wh_per_km", "estimate" if sign in SIGNS else INSUFFICIENT, value, sd, use.n)


def km_per_percent(model: str, trips: pl.DataFrame, slope: float = 0.0) -> dict[str, Any]:
    """Kilometres of a percent at 50 %, a ratio of sums.

    Parameters
    ----------
    slope : the value of `percent_slope`

    Returns
    -------
    Row of check `km_per_pct`; `insufficient` below 20 trips.
    """
    known = trips.drop_nulls("pct")
    way = Moments.of(known, "pct", "km")
    found, sd = way.ratio()
    even = known.with_columns(percent_slope=slope).select(at_half("pct", "level_pct").sum()).item()
    if found is None or sd is None or not even > 0:
        return check(model, "km_per_pct", INSUFFICIENT, None, None, way.n)
    enough = way.n >= TRIPS and way.y > 0
    answer = "estimate" if enough else INSUFFICIENT
    return check(model, "km_per_pct", answer, way.y / even, sd * way.x / even, way.n)


def percent_slope(model: str, trips: pl.DataFrame) -> dict[str, Any]:
    """How much more a percent holds at 100 % than at 50 %, relative: its voltage is higher.

    Returns
    -------
    Row of check `percent_slope`: what trips used for their way against the level at which they used it, by least
    squares that know the way alone, from 20 % on (below, the controller saves). It assumes that riders do not ride
    otherwise at other levels. `insufficient` below 100 trips.
    """
    known = trips.drop_nulls("pct").filter(pl.col("level_pct") >= 20)
    above = pl.col("km") * (pl.col("level_pct") - 50) / 50
    fit = line_of_two(known.select(weight=1 / (1 + pl.col("km")), one="km", two=above, y="pct"))
    if known.height < LEVELS or fit is None or fit[0] <= 0:
        return check(model, "percent_slope", INSUFFICIENT, None, None, known.height)
    of_way, of_level, sd = fit
    return check(model, "percent_slope", "estimate", -of_level / of_way, sd / of_way, known.height)


def capacity_of_model(model: str, use: Mapping[str, Any], way: Mapping[str, Any]) -> dict[str, Any]:
    """What 100 % are worth [Wh]: Wh/km (`use_of_model`) times km of a percent (`km_per_percent`) times 100."""
    if INSUFFICIENT in (use["answer"], way["answer"]):
        return check(model, "capacity_wh", INSUFFICIENT, None, None, min(use["n"], way["n"]))
    value = 100 * use["value"] * way["value"]
    sd = value * math.hypot(_relative_sd(use), _relative_sd(way))
    return check(model, "capacity_wh", "estimate", value, sd, min(use["n"], way["n"]))


def _relative_sd(row: Mapping[str, Any]) -> float:
    return float((row["high"] - row["low"]) / (2 * _Z) / row["value"])
