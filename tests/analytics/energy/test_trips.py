"""Energy of trips: intervals hold what they promise, weights never know the measurement, bins refuse thin data."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from analytics.energy.trips import RIDE_CV, RIDE_MORE_CV, energies, with_reasons
from analytics.observations.capacity import USE_SD

KNOWN = {"provider": ["p"], "vehicle": ["a"], "capacity_wh": [1440.0], "wh_per_km": [31.0]}


def trips(km: list[float], used: list[float | None], sd: float = 0.3) -> pl.DataFrame:
    """Of one vehicle."""
    told = {"distance_m": [1000 * each for each in km], "soc_used_pct": used}
    kinds = {"soc_used_pct": pl.Float64()}
    return pl.DataFrame(told, schema_overrides=kinds).with_columns(
        provider=pl.lit("p"), vehicle=pl.lit("a"), soc_used_sd_pct=pl.lit(sd), soc_mean_pct=pl.lit(50.0)
    )  # fmt: skip


def known(**more: float | None) -> pl.DataFrame:
    kinds = dict.fromkeys(("capacity_wh", "wh_per_km", *more), pl.Float64())
    return pl.DataFrame({**KNOWN, **{name: [value] for name, value in more.items()}}, schema_overrides=kinds)


def test_percent_and_way_are_weighed_and_both_are_named() -> None:
    got = energies(trips([4.0], [8.6]), known())
    by_soc, by_way = 14.4 * 8.6, 31 * 4.0
    assert min(by_soc, by_way) <= got["energy_wh"].item() <= max(by_soc, by_way)
    assert got["energy_source"].item() == "soc+model"
    assert got["energy_low_wh"].item() < got["energy_wh"].item() < got["energy_high_wh"].item()
    assert got["wh_per_km"].item() == pytest.approx(got["energy_wh"].item() / 4)
    assert got["regen_wh"].item() is None


def test_what_is_not_known_is_left_out_and_named() -> None:
    of = pl.lit(None, pl.Float64())
    assert energies(trips([4.0], [8.6]), known().with_columns(wh_per_km=of))["energy_source"].item() == "soc"
    assert energies(trips([4.0], [None]), known())["energy_source"].item() == "model"
    nothing = energies(trips([4.0], [None]), known().with_columns(wh_per_km=of))
    assert nothing.row(0) == (None,) * nothing.width


def test_a_short_ride_without_a_step_is_never_nothing() -> None:
    got = energies(trips([0.3], [1 / 3]), known())
    assert got["energy_wh"].item() > 0
    assert got["energy_high_wh"].item() > 0.3 * 31


def test_a_percent_holds_more_where_the_voltage_is_higher() -> None:
    ride = trips([4.0], [8.6])
    low, high = (
        energies(ride.with_columns(soc_mean_pct=pl.lit(pct)), known(percent_slope=0.1))["energy_wh"].item()
        for pct in (20.0, 90.0)
    )
    assert low < energies(ride, known())["energy_wh"].item() < high


def test_close_readings_of_power_outweigh_the_rest_and_tell_what_was_fed_back() -> None:
    power = {"power_wh": 118.0, "power_sd_wh": 6.0, "regen_wh": 9.0}
    got = energies(
        trips([4.0], [8.6]).with_columns(pl.lit(value).alias(name) for name, value in power.items()), known()
    )
    assert got["energy_source"].item() == "soc+power+model"
    assert got["regen_wh"].item() == 9
    plain = energies(trips([4.0], [8.6]), known())
    width = pl.col("energy_high_wh") - pl.col("energy_low_wh")
    assert got.select(width).item() < plain.select(width).item()
    assert abs(got["energy_wh"].item() - 118) < abs(plain["energy_wh"].item() - 118)


NO_MODEL: dict[str, float | None] = {"wh_per_km": None}


def half(rides: pl.DataFrame, worth: pl.DataFrame) -> float:
    """Half of the interval, relative."""
    got = energies(rides, worth)
    return float((got["energy_high_wh"] - got["energy_wh"]).item() / got["energy_wh"].item())


def by(ride: pl.DataFrame, **told: float | None) -> pl.DataFrame:
    return ride.with_columns(pl.lit(value, pl.Float64()).alias(name) for name, value in told.items())


def test_power_that_misses_little_stands_alone_and_errs_by_five_percent() -> None:
    ride = by(trips([4.0], [8.6]), power_wh=125.0, power_sd_wh=0.5, regen_wh=9.0)
    got = energies(ride, known())
    assert got.select("energy_wh", "energy_source").row(0) == (125, "power")
    assert 0.04 < half(ride, known()) <= 0.05


def test_power_alone_is_enough_where_nothing_is_known_of_the_battery() -> None:
    nobody = known(capacity_wh=None, wh_per_km=None)
    got = energies(by(trips([4.0], [None]), power_wh=125.0, power_sd_wh=20.0, regen_wh=None), nobody)
    assert got.select("energy_wh", "energy_source").row(0) == (125, "power")


def test_sparser_power_widens_the_interval() -> None:
    nobody = known(capacity_wh=None, wh_per_km=None)
    halves = [half(by(trips([4.0], [None]), power_wh=125.0, power_sd_wh=sd), nobody) for sd in (0.5, 5.0, 30.0)]
    assert halves == sorted(halves)
    assert halves[-1] > 5 * halves[0]


@pytest.mark.parametrize("sd", [0.5, 10.0], ids=["alone", "weighed"])
def test_power_and_percent_that_contradict_each_other_widen_the_interval(sd: float) -> None:
    agree, differ = (
        half(by(trips([4.0], [8.6]), power_wh=wh, power_sd_wh=sd), known(capacity_sd=0.03, **NO_MODEL))
        for wh in (124.0, 190.0)
    )
    assert differ > 1.5 * agree


def test_a_content_in_watt_hours_takes_the_place_of_the_percent() -> None:
    got = energies(by(trips([4.0], [8.6]), content_wh=130.0, content_sd_wh=2.0), known(**NO_MODEL))
    assert got.select("energy_wh", "energy_source").row(0) == (130, "content")
    nobody = known(capacity_wh=None, wh_per_km=None)
    assert energies(by(trips([4.0], [None]), content_wh=130.0, content_sd_wh=2.0), nobody)["energy_wh"].item() == 130


def test_a_content_that_the_percent_contradicts_is_less_sure() -> None:
    agree, differ = (
        half(by(trips([4.0], [8.6]), content_wh=wh, content_sd_wh=2.0), known(capacity_sd=0.04, **NO_MODEL))
        for wh in (124.0, 240.0)
    )
    assert differ > 2 * agree


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_what_was_fed_back_on_the_whole_is_negative(sign: float) -> None:
    nobody = known(capacity_wh=None, wh_per_km=None)
    got = energies(by(trips([4.0], [None]), power_wh=sign * 125.0, power_sd_wh=10.0, regen_wh=140.0), nobody)
    assert got["energy_wh"].item() == sign * 125


@pytest.mark.parametrize(
    ("ends", "used", "reason"),
    [
        ((90.0, 81.4), 8.6, "no_capacity"),
        ((90.0, 60.0), None, "pack_changed"),
        ((None, None), None, "no_percent"),
    ],
)
def test_a_trip_without_an_energy_says_why(ends: tuple[float | None, float | None], used: float, reason: str) -> None:
    ride = by(trips([4.0], [used]), soc_start_pct=ends[0], soc_finish_pct=ends[1])
    ride = ride.with_columns(flags=pl.Series([["open_end"]]))
    bare = with_reasons(ride.hstack(energies(ride, known(capacity_wh=None, wh_per_km=None))))
    assert bare["flags"].to_list() == [sorted(["open_end", reason])]
    told = with_reasons(ride.hstack(energies(ride, known())))
    assert told["flags"].to_list() == [["open_end"]]


def test_what_a_vendor_reports_stands_alone_and_errs_by_ten_percent() -> None:
    ride = by(trips([4.0], [8.6]), reported_wh=131.0)
    got = energies(ride, known())
    assert got.select("energy_wh", "energy_source").row(0) == (pytest.approx(131.0), "reported")
    assert 0.09 < half(ride, known()) < 0.11
    nobody = energies(by(trips([4.0], [None]), reported_wh=131.0), known(capacity_wh=None, wh_per_km=None))
    assert nobody["energy_low_wh"].item() < 131 < nobody["energy_high_wh"].item()


def test_a_report_that_the_percent_contradicts_is_less_sure() -> None:
    agree, differ = (
        half(by(trips([4.0], [8.6]), reported_wh=wh), known(capacity_sd=0.03, **NO_MODEL)) for wh in (124.0, 210.0)
    )
    assert differ > 1.5 * agree


def test_a_trip_that_a_vendor_reports_as_nothing_used_nothing() -> None:
    got = energies(by(trips([4.0], [None]), reported_wh=0.0), known(capacity_wh=None, wh_per_km=None))
    assert got.select("energy_wh", "energy_low_wh").row(0) == (0, 0)


@pytest.mark.parametrize("told", [{"power_wh": -125.0, "regen_wh": 125.0}, {"content_wh": 0.0}, {"content_wh": 0.125}])
def test_what_the_percent_denies_by_sign_or_unit_does_not_count(told: dict[str, float]) -> None:
    ride = by(trips([4.0], [8.6]), power_sd_wh=0.5, content_sd_wh=0.5, **told)
    got = energies(ride, known(**NO_MODEL))
    assert got.select("energy_wh", "energy_source").row(0) == (pytest.approx(14.4 * 8.6), "soc")
    nothing = energies(ride, known(capacity_wh=None, wh_per_km=None))
    assert nothing.select("energy_wh", "energy_high_wh", "regen_wh").row(0) == (None, None, None)


def test_a_content_that_a_long_way_did_not_change_is_frozen() -> None:
    far, near = (
        energies(by(trips([km], [None]), content_wh=0.0, content_sd_wh=40.0), known(capacity_wh=None, wh_per_km=None))
        for km in (25.0, 0.4)
    )
    assert (far["energy_wh"].item(), near["energy_wh"].item()) == (None, 0)


def test_what_was_fed_back_on_the_whole_lies_in_its_interval() -> None:
    nobody = known(capacity_wh=None, wh_per_km=None)
    got = energies(by(trips([4.0], [None]), power_wh=-125.0, power_sd_wh=10.0, regen_wh=140.0), nobody)
    assert got["energy_low_wh"].item() <= -125 <= got["energy_high_wh"].item()


def test_the_order_of_trips_is_kept() -> None:
    some = trips([4.0, 1.0, 2.0], [8.6, 2.0, None])
    got = energies(some, known())
    assert energies(some.reverse(), known()).reverse().equals(got)


# ---- many truths ---------------------------------------------------------------------------------------------------


MEASURED_SD = 0.05  # of a capacity that a fleet's own data tell


def fleet(count: int, seed: int = 3) -> tuple[pl.DataFrame, pl.DataFrame, npt.NDArray[np.float64]]:
    """So many rides, each of a vehicle of its own, whose capacity and use err as they are said to."""
    chance = np.random.default_rng(seed)
    km = np.exp(chance.normal(1.1, 0.5, count))
    use = 31 * (1 + USE_SD * chance.standard_normal(count))
    cv = np.sqrt(RIDE_CV**2 + RIDE_MORE_CV**2 / km)
    true = np.maximum(use * km * (1 + cv * chance.standard_normal(count)), 0.5)
    capacity = 1440 * (1 + MEASURED_SD * chance.standard_normal(count))
    seen = 100 * true / capacity + 0.3 * chance.standard_normal(count)
    names = pl.Series("vehicle", [str(number) for number in range(count)])
    rides = trips(km.tolist(), seen.tolist()).with_columns(names)
    vehicles = pl.concat([known(capacity_sd=MEASURED_SD)] * count).with_columns(names)
    return rides, vehicles, true


def test_intervals_cover_the_truth_as_often_as_they_promise() -> None:
    rides, vehicles, true = fleet(6000)
    got = energies(rides, vehicles).with_columns(pl.Series("true", true))
    inside = got.select(pl.col("true").is_between("energy_low_wh", "energy_high_wh").mean()).item()
    assert 0.93 <= inside <= 0.97
    error = (got["energy_wh"].to_numpy() - true) / (31 * rides["distance_m"].to_numpy() / 1000)
    assert abs(float(error.mean())) < 0.03 * float(error.std())


def test_weights_that_know_the_measurement_would_be_biased() -> None:
    """The guard of the rule that variances are made of the way alone: the mutant fails what the estimate passes."""
    rides, vehicles, true = fleet(6000)
    km, seen = rides["distance_m"].to_numpy() / 1000, rides["soc_used_pct"].to_numpy() * 14.4
    by_way = 31 * km
    of_seen = (0.3 * 14.4) ** 2 + (0.2 * np.maximum(seen, 0.1)) ** 2
    of_way = (0.25 * by_way) ** 2
    mutant = (seen / of_seen + by_way / of_way) / (1 / of_seen + 1 / of_way)
    ours = energies(rides, vehicles)["energy_wh"].to_numpy()
    assert abs(float(ours.sum() / true.sum()) - 1) < 0.01
    assert abs(float(mutant.sum() / true.sum()) - 1) > 0.02
