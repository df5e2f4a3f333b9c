"""Figures of models by month: of months that are over, and of a month's own days only where there is nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from analytics.battery_health.calibration import CHECKS, OF_PACKS, check
from analytics.battery_health.model_months import calibration, counted, in_month
from logger.tables import shaped, table

JANUARY, FEBRUARY, MARCH, APRIL, MAY = (datetime(2026, number, 1, tzinfo=UTC) for number in (1, 2, 3, 4, 5))
DAY = timedelta(days=1)
NO_CHECKS = CHECKS.to_frame()
KNOWN = pl.DataFrame(
    {"provider": "p", "vehicle": ["a", "b", "x", "y"], "model": ["m", "m", "other", None], "sheet_wh": 1440.0}
)


def ride(at: datetime, vehicle: str = "a", **more: Any) -> dict[str, Any]:
    """Four kilometres with ten percents and 120 Wh, in a quarter of an hour from six on."""
    begins = at + timedelta(hours=6)
    span = {"time": begins, "started_at": begins, "finished_at": begins + timedelta(minutes=15)}
    used = {"soc_start_pct": 60.0, "soc_finish_pct": 50.0, "soc_used_pct": 10.0, "swaps": 0, "polled_wh": 120.0}
    return {"provider": "p", "vehicle": vehicle, **span, "distance_m": 4000.0, "riding_s": 800.0, **used, **more}


def rides(*told: dict[str, Any]) -> pl.DataFrame:
    return shaped(pl.DataFrame(told, infer_schema_length=None), "trips")


def daily(first: datetime, days: int, vehicle: str = "a") -> list[dict[str, Any]]:
    return [ride(first + day * DAY, vehicle) for day in range(days)]


def parts(*told: dict[str, Any]) -> pl.DataFrame:
    """Rows of `battery_health`."""
    rows = [{"provider": "p", "vehicle": "a", "method": "km_per_pct", "cycles": 200.0, **each} for each in told]
    return shaped(pl.DataFrame(rows, infer_schema_length=None), "battery_health")


def faults(*moments: datetime) -> pl.DataFrame:
    rows = [{"provider": "p", "vehicle": "a", "kind": "fault", "code": "7", "started_at": at} for at in moments]
    return shaped(pl.DataFrame(rows, infer_schema_length=None), "episodes")


def of(trips: pl.DataFrame, begin: datetime, **more: pl.DataFrame) -> pl.DataFrame:
    """Rows of `calibration` of this month."""
    told = {"stint_months": parts({"time": JANUARY, "stint_id": "s"}), "faults": faults(), "firmware": NO_CHECKS}
    return made(begin, trips=trips, whose=counted(trips, KNOWN, begin), **{**told, **more})


def made(begin: datetime, **frames: pl.DataFrame) -> pl.DataFrame:
    return calibration(**{name: in_month(rows, begin) for name, rows in frames.items()})


def n(rows: pl.DataFrame, name: str, model: str = "m") -> tuple[str, int]:
    return rows.filter(check=name, model=model).select("answer", "n").row(0)


# ---- which days count ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "settled"),
    [(FEBRUARY, True), (MARCH - DAY, True), (MARCH, False), (APRIL, False), (APRIL + 9 * DAY, False)],
)
def test_a_model_is_settled_that_was_there_in_the_first_two_of_three_months(first: datetime, settled: bool) -> None:
    trips = rides(ride(first), ride(APRIL + 12 * DAY), ride(APRIL + 3 * DAY))
    got = counted(trips, KNOWN, APRIL).filter(vehicle="a").row(0, named=True)
    assert got["settled"] == settled
    assert got["until"] == (APRIL if settled else APRIL + 12 * DAY)


def test_all_vehicles_of_a_model_have_its_days_even_those_that_were_not_ridden() -> None:
    got = counted(rides(ride(FEBRUARY, "b"), ride(APRIL)), KNOWN, APRIL)
    assert got.select("vehicle", "settled", "until").rows() == [
        ("a", True, APRIL),
        ("b", True, APRIL),
    ]
    assert got.select(KNOWN.columns).equals(KNOWN.filter(model="m"))


def test_models_of_one_name_and_two_providers_have_their_own_days() -> None:
    theirs = KNOWN.filter(vehicle="b").with_columns(provider=pl.lit("q"))
    both = pl.concat([KNOWN.filter(vehicle="a"), theirs])
    got = counted(rides(ride(FEBRUARY), ride(APRIL, "b", provider="q")), both, APRIL)
    assert got["settled"].to_list() == [True, False]


def test_a_month_is_told_by_the_months_before_it_once_there_are_enough() -> None:
    got = of(rides(*daily(JANUARY, 90), *daily(APRIL, 9)), APRIL)
    assert n(got, "days") == ("before", 90)
    assert n(got, "km_per_pct") == ("estimate", 90)
    assert n(got, "wh_per_km")[1] == 90


def test_the_first_months_are_told_by_themselves_too_but_for_the_last_day() -> None:
    """The last day of a log may not be whole."""
    got = of(rides(*daily(MARCH, 31), *daily(APRIL, 9), ride(APRIL + 8 * DAY, "b")), APRIL)
    assert n(got, "days") == ("to_date", 31 + 8)
    assert n(got, "km_per_pct") == ("estimate", 39)


def test_days_are_those_of_vehicles_on_which_they_were_ridden() -> None:
    twice = [*daily(JANUARY, 9), *daily(JANUARY, 9), *daily(JANUARY, 5, "b")]
    assert n(of(rides(*twice), APRIL), "days") == ("before", 14)


def test_a_log_of_one_day_tells_nothing_and_says_so() -> None:
    got = of(rides(ride(APRIL)), APRIL)
    assert got.select("check", "answer", "n").rows() == [("days", "to_date", 0)]


def test_a_later_day_changes_nothing_of_a_month_that_months_before_it_tell() -> None:
    trips = [*daily(JANUARY, 90), *daily(APRIL, 9)]
    more = [*trips, *(ride(APRIL + 10 * DAY, polled_wh=900.0) for _ in range(30))]
    assert of(rides(*more), APRIL).equals(of(rides(*trips), APRIL))
    assert not of(rides(*more, ride(APRIL + 11 * DAY)), MAY).equals(of(rides(*trips), MAY))


# ---- what is told of them ------------------------------------------------------------------------------------------


def test_trips_of_a_model_tell_what_it_uses() -> None:
    got = of(rides(*daily(JANUARY, 90)), APRIL)
    told = dict(got.select("check", "value").rows())
    assert (told["wh_per_km"], told["km_per_pct"], told["capacity_wh"]) == (30, 0.4, 1200)
    assert told["pack_wh"] == pytest.approx(1200, rel=0.03)
    assert set(got["check"]) >= {*OF_PACKS, "percent_slope", "motor_power_sign", "days", "mtbf_km", "mtbf_h"}


def test_trips_with_a_swap_on_the_way_count_for_power_and_not_for_percents() -> None:
    swapped = [ride(JANUARY + day * DAY, swaps=int(day % 3 == 0)) for day in range(90)]
    got = of(rides(*swapped), APRIL)
    assert n(got, "km_per_pct") == ("estimate", 60)
    assert n(got, "wh_per_km") == ("estimate", 90)


def test_trips_are_on_the_pack_of_their_middle() -> None:
    trips = rides(*daily(JANUARY, 90))
    middle = JANUARY + 9 * DAY + timedelta(hours=6, minutes=7)  # of the tenth trip: seven and a half
    one, two = ({"time": JANUARY, "stint_id": "s"}, {"time": middle, "stint_id": "t"})
    assert n(of(trips, APRIL, stint_months=parts(one)), "pack_cv")[1] == 1
    assert n(of(trips, APRIL, stint_months=parts(one, two)), "pack_cv")[1] == 2
    worn = parts({"time": JANUARY, "stint_id": "s", "cycles": 100.0}, {"time": MARCH, "stint_id": "t", "cycles": 500.0})
    assert of(trips, APRIL, stint_months=worn).filter(check="pack_cycles")["value"].item() == 300


def test_a_data_sheet_comes_with_the_vehicle() -> None:
    trips = rides(*daily(JANUARY, 90))
    blind = counted(trips, KNOWN.with_columns(sheet_wh=pl.lit(None, pl.Float64())), APRIL)
    told = {"stint_months": parts({"time": JANUARY, "stint_id": "s"}), "faults": faults(), "firmware": NO_CHECKS}
    got = made(APRIL, trips=trips, whose=blind, **told)
    without, sheet = (rows.filter(check="pack_wh")["value"].item() for rows in (got, of(trips, APRIL)))
    assert without == 1200
    assert sheet > 1200


def test_faults_count_on_the_days_that_trips_count() -> None:
    trips = rides(*daily(JANUARY, 90), *daily(APRIL, 9))
    got = of(trips, APRIL, faults=faults(FEBRUARY, MARCH, APRIL + DAY))
    assert n(got, "mtbf_km") == ("estimate", 2)
    assert got.filter(check="mtbf_km")["value"].item() == 180
    assert n(of(trips, APRIL), "mtbf_km") == ("none_seen", 0)


def test_what_firmware_answers_stands_beside_it() -> None:
    row = {"provider": "p", **check("m", "range", "vernier", 1.0, None, 3)}
    got = of(rides(*daily(JANUARY, 90)), APRIL, firmware=pl.DataFrame([row], schema=CHECKS))
    assert n(got, "range") == ("vernier", 3)


def test_vehicles_of_another_model_or_none_tell_nothing_of_it() -> None:
    mine = daily(JANUARY, 90)
    others = [each | {"polled_wh": 999.0} for name in ("x", "y") for each in daily(JANUARY, 90, name)]
    got = of(rides(*mine, *others), APRIL)
    assert got.filter(model="m").equals(of(rides(*mine), APRIL))
    assert set(got["model"]) == {"m", "other"}


def test_rows_are_those_of_the_table_by_its_key_and_of_no_vehicle() -> None:
    got = of(rides(*daily(JANUARY, 90), *daily(JANUARY, 30, "x")), APRIL)
    assert got.schema == table("calibration").schema
    assert set(got["time"]) == {APRIL}
    assert set(got["vehicle"]) == {"none"}
    assert got.equals(got.sort(table("calibration").key))
    assert got.select(table("calibration").key).is_unique().all()


def test_months_made_together_are_as_each_made_by_itself() -> None:
    trips = rides(*daily(JANUARY, 120), *(ride(MARCH + day * DAY, polled_wh=150.0, vehicle="b") for day in range(40)))
    told = {"stint_months": parts({"time": JANUARY, "stint_id": "s"}), "faults": faults(), "firmware": NO_CHECKS}
    alone = [of(trips, begin) for begin in (MARCH, APRIL, MAY)]
    months = [(begin, counted(trips, KNOWN, begin)) for begin in (MARCH, APRIL, MAY)]
    frames = {name: pl.concat([in_month(rows, begin) for begin, _ in months]) for name, rows in told.items()}
    whose = pl.concat([in_month(known, begin) for begin, known in months])
    all_trips = pl.concat([in_month(trips, begin) for begin, _ in months])
    together = calibration(trips=all_trips, whose=whose, **frames)
    assert together.filter(answer="estimate")["time"].n_unique() == 3
    assert together.equals(pl.concat(alone).sort("provider", "model", "time", "check"))


def test_nothing_in_nothing_out() -> None:
    none = counted(rides(), KNOWN, APRIL)
    assert none.is_empty()
    got = made(APRIL, trips=rides(), stint_months=parts(), faults=faults(), whose=none, firmware=NO_CHECKS)
    assert got.is_empty()
    assert got.schema == table("calibration").schema
