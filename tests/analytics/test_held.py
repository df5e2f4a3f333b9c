"""What packs hold: intervals keep what they promise, and nobody's figure depends on who is looked at beside it."""

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from analytics.held import MODELS, POLLS_SD, held, models, worth
from analytics.spells import SPELLS
from tests.analytics.hand import AT

C_WH, USE, FADE, MIDDLE = 1200.0, 30.0, 4e-4, 200
VEHICLE_CV, PACK_CV, KM_CV, POLLED_CV = 0.04, 0.05, 0.35, 0.85
RIDDEN = {"km": pl.Float64(), "used_pct": pl.Float64()}
Rows = list[dict[str, Any]]
Fleet = dict[str, pl.DataFrame]


def fleet(seed: int, vehicles: int = 60, times: int = 12, packs: int = 4) -> Fleet:
    """Vehicles of one model, each with packs that take turns: what they say, and what is true."""
    chance, spells, polled, true = random.Random(seed), Rows(), Rows(), Rows()
    sensed = chance.gauss(1, POLLS_SD)
    for number in range(vehicles):
        name = {"provider": "segway", "vehicle": f"{number:03d}"}
        use = chance.gauss(0, VEHICLE_CV)
        polled.append(name | power(chance, use, sensed))
        counts = [chance.randrange(20 + 100 * place, 100 + 100 * place) for place in range(packs)]
        wear = [chance.gauss(0, PACK_CV) for _ in range(packs)]
        for turn in range(times):
            which = turn % packs
            first, counts[which] = counts[which], counts[which] + 1
            begun = {"begun_at": AT + timedelta(days=turn)}
            capacity_wh = C_WH * math.exp(-wear[which]) / (1 + FADE * (first + 0.5 - MIDDLE))
            spells.append(name | begun | spell(chance, first, capacity_wh, use))
            true.append(name | {"since": begun["begun_at"]} | {"true_wh": capacity_wh, "true_use": USE * math.exp(use)})
    known = pl.DataFrame(polled).select("provider", "vehicle", model=pl.lit("moped"), capacity_wh=pl.lit(1440.0))
    made = pl.DataFrame(spells, schema={**SPELLS, **RIDDEN})
    real = pl.DataFrame(true, schema_overrides={"since": SPELLS["begun_at"]})
    return {"spells": made, "polled": pl.DataFrame(polled), "known": known, "true": real}


def spell(chance: random.Random, first: int, capacity_wh: float, use: float) -> dict[str, Any]:
    km = chance.uniform(10, 40)
    real = 100 * USE * math.exp(use) / capacity_wh
    pct = km * real * (1 + chance.gauss(0, KM_CV / km**0.5))
    ends = {f"{end}_{side}": first + (end == "last") for end in ("first", "last") for side in ("low", "high")}
    return ends | {"ports": 1, "cycles": first + 0.5, "km": km, "used_pct": pct}


def power(chance: random.Random, use: float, sensed: float, rides: int = 80) -> dict[str, Any]:
    km = [chance.uniform(1, 7) for _ in range(rides)]
    wh = [sensed * USE * math.exp(use) * (each + chance.gauss(0, POLLED_CV * each**0.5)) for each in km]
    square = sum(energy**2 / each for energy, each in zip(wh, km, strict=True))
    return {"polled_rides": rides, "polled_km": sum(km), "polled_wh": sum(wh), "polled_square": square}


def found(of: Fleet) -> pl.DataFrame:
    told = models(of["known"], of["spells"], of["polled"])
    return held(of["known"], of["spells"], of["polled"], told)


@pytest.fixture(scope="module")
def some() -> Fleet:
    return fleet(1)


def errors(fleets: int = 22, vehicles: int = 60) -> Iterator[pl.DataFrame]:
    """By how many of its standard errors each pack is off, and each vehicle."""
    for seed in range(fleets):
        of = fleet(seed, vehicles)
        rows = found(of).join(of["true"], on=["provider", "vehicle", "since"])
        off = [((pl.col(a) / pl.col(b)).log() / pl.col(c)).alias(a) for a, b, c in _FIGURES]
        yield rows.unique(["vehicle", "pack"], keep="first", maintain_order=True).select(*off)


_FIGURES = (("capacity_wh", "true_wh", "capacity_sd"), ("wh_per_km", "true_use", "wh_per_km_sd"))


def test_intervals_of_five_thousand_packs_hold_what_they_promise() -> None:
    off = pl.concat(errors())
    assert off.height > 5000
    for name in off.columns:
        inside, mean = off.select((pl.col(name).abs() < 1.96).mean().alias("inside"), pl.col(name).mean()).row(0)
        assert 0.93 <= inside <= 0.97
        assert abs(mean) < 0.3


def test_a_fleet_of_two_is_not_surer_than_it_may_be() -> None:
    off = pl.concat(errors(fleets=40, vehicles=2))
    inside = off.select((pl.col("capacity_wh").abs() < 1.96).mean()).item()
    assert inside >= 0.93


def test_the_spreads_that_made_a_fleet_are_found() -> None:
    of = fleet(2, vehicles=250)
    got = models(of["known"], of["spells"], of["polled"]).row(0, named=True)
    assert got["pack_cv"] == pytest.approx(PACK_CV, rel=0.15)
    assert got["vehicle_cv"] == pytest.approx(VEHICLE_CV, rel=0.25)
    assert got["km_cv"] == pytest.approx(KM_CV, rel=0.1)
    assert got["fade"] == pytest.approx(FADE, rel=0.3)
    assert got["capacity_wh"] == pytest.approx(C_WH, rel=0.03)
    assert got["same"] > 0.95


def test_packs_are_better_known_than_by_their_model_alone(some: Fleet) -> None:
    sd = found(some).select((pl.col("capacity_sd") ** 2 - pl.col("model_sd") ** 2).sqrt().median()).item()
    assert sd < 0.75 * PACK_CV


def test_a_vehicle_alone_is_told_the_same_as_in_its_fleet(some: Fleet) -> None:
    told = models(some["known"], some["spells"], some["polled"])
    whole = held(some["known"], some["spells"], some["polled"], told)
    mine = {name: rows.filter(pl.col("vehicle") == "007") for name, rows in some.items()}
    alone = held(mine["known"], mine["spells"], mine["polled"], told)
    assert alone.height == 12
    figures = ["capacity_wh", "capacity_sd", "wh_per_km"]
    both = whole.filter(pl.col("vehicle") == "007")
    for name in figures:
        assert alone[name].to_list() == pytest.approx(both[name].to_list())


def test_the_order_of_rows_does_not_matter(some: Fleet) -> None:
    mixed = {name: rows.sample(fraction=1.0, shuffle=True, seed=5) for name, rows in some.items()}
    keys = ["vehicle", "since"]
    a, b = (found(each).sort(keys) for each in (some, mixed))
    assert a["capacity_wh"].to_list() == pytest.approx(b["capacity_wh"].to_list())


def test_twice_the_power_is_twice_the_capacity(some: Fleet) -> None:
    double = some["polled"].with_columns(pl.col("polled_wh") * 2, pl.col("polled_square") * 4)
    sheets = some["known"].with_columns(pl.col("capacity_wh") * 2)
    once, twice = found(some), found({**some, "polled": double, "known": sheets})
    assert twice["capacity_wh"].to_list() == pytest.approx((2 * once["capacity_wh"]).to_list())
    assert twice["capacity_sd"].to_list() == pytest.approx(once["capacity_sd"].to_list())


def test_without_power_a_data_sheet_tells_the_mean_of_packs_and_its_error_is_common(some: Fleet) -> None:
    none = some["polled"].clear()
    row = models(some["known"], some["spells"], none).row(0, named=True)
    assert (row["wh_per_km"], row["capacity_wh"]) == (None, 1440)
    assert row["capacity_sd"] == pytest.approx(0.1)
    got = found({**some, "polled": none})
    assert got["capacity_wh"].n_unique() > 200
    assert got["capacity_sd"].min() > 0.1  # type: ignore[operator]


def test_without_power_and_without_a_data_sheet_nothing_is_told(some: Fleet) -> None:
    sheets = some["known"].with_columns(capacity_wh=pl.lit(None, pl.Float64()))
    assert found({**some, "polled": some["polled"].clear(), "known": sheets}).is_empty()


def test_a_pack_that_was_never_ridden_is_one_of_its_cycles(some: Fleet) -> None:
    mine = some["spells"].filter(pl.col("vehicle") == "000").head(1)
    new = mine.with_columns(
        first_low=900, first_high=900, last_low=901, last_high=901, cycles=900.5, km=0.0, used_pct=0.0,
        begun_at=AT + timedelta(days=99),
    ).cast(mine.schema)  # fmt: skip
    told = models(some["known"], some["spells"], some["polled"])
    got = held(some["known"], pl.concat([mine, new]), some["polled"], told).row(1, named=True)
    row = told.row(0, named=True)
    worn = row["capacity_wh"] / (1 + row["fade"] * (900.5 - row["cycles"]))
    assert got["capacity_wh"] == pytest.approx(worn)
    assert got["capacity_sd"] == pytest.approx((row["pack_cv"] ** 2 + row["capacity_sd"] ** 2) ** 0.5)


def test_a_model_without_cycles_is_known_by_its_ways_alone(some: Fleet) -> None:
    blind = some["spells"].with_columns(pl.lit(None, SPELLS[name]).alias(name) for name in list(SPELLS)[3:])
    row = models(some["known"], blind, some["polled"]).row(0, named=True)
    assert row["same"] == 0
    assert row["fade"] == pytest.approx(3e-4)
    assert found({**some, "spells": blind})["pack"].n_unique() == some["spells"].height


def test_nothing_in_nothing_out() -> None:
    of = {name: rows.clear() for name, rows in fleet(1, vehicles=1).items()}
    told = models(of["known"], of["spells"], of["polled"])
    assert told.schema == MODELS
    assert told.is_empty()
    assert found(of).is_empty()


def test_what_the_packs_of_a_time_hold_goes_before_what_their_model_does(some: Fleet) -> None:
    always = pl.lit(datetime(1, 1, 1, tzinfo=UTC)).cast(SPELLS["begun_at"])
    sheets = some["known"].with_columns(
        since=always, wh_per_km=32.0, capacity_sd=0.1, wh_per_km_sd=0.15, percent_slope=0.1,
        motor_power_sign=pl.lit("discharge_positive"),
    )  # fmt: skip
    told = found(some)
    got = worth(sheets, told).filter(pl.col("vehicle") == "000")
    mine = told.filter(pl.col("vehicle") == "000")
    assert got.columns == sheets.columns
    assert got["capacity_wh"].to_list() == [1440.0, *mine["capacity_wh"]]
    assert got["since"].to_list()[1:] == mine["since"].to_list()
    assert set(got["percent_slope"]) == {0.1}
    assert worth(sheets, told.clear()).equals(sheets.sort("provider", "vehicle"))
