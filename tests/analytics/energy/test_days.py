"""Consumption by local day: what was driven, stood and charged adds up to what the percent lost, whatever the day."""

import math
from datetime import UTC, datetime

import polars as pl
import pytest

from analytics.charging.sessions import SESSIONS, sessions
from analytics.energy.days import days
from analytics.energy.trips import energies
from analytics.observations.soc_at import soc_at, soc_path
from analytics.observations.soc_used import parts, used
from analytics.schemas import BATTERIES, SWAPS
from analytics.trips.trips import trips
from logger.tables import DERIVED, TIME, shaped
from tests.analytics.finding import segments_of
from tests.analytics.readings_made import AT, made, moment, span

C_WH = 1440.0
Told = list[tuple[float, float, float]]


def life(hours: int, swap_at: float = math.inf, charge_from: float = math.inf) -> pl.DataFrame:
    """A ride of 15 minutes every four hours, 10 % each, at 5 m/s; a tenth of a percent an hour while parked."""
    told: Told = []
    locks, charging = [], []
    pct, way_m, second = 96.4, 0.0, 0.0
    while second < hours * 3600:
        riding = 3600 <= second % 14_400 < 4500
        charges = charge_from <= second < charge_from + 7200
        told.append((second, float(math.floor(pct)), way_m))
        locks.append(not riding)
        charging.append(charges)
        step_s = 10 if riding or 3600 - 900 <= second % 14_400 < 3600 else 300
        way_m += 5 * step_s if riding else 0
        pct += step_s * (20 / 7200 if charges else -10 / 900 if riding else -0.1 / 3600)
        if second < swap_at <= second + step_s:
            pct = 98.7
        second += step_s
    rows = made(told)
    return rows.with_columns(locked=pl.Series(locks), charging=pl.Series(charging))


def known(timezone: str | None = "UTC", capacity_wh: float | None = C_WH) -> pl.DataFrame:
    told = {"provider": ["p"], "vehicle": ["a"], "timezone": [timezone], "capacity_wh": [capacity_wh]}
    kinds = {"timezone": pl.String(), "capacity_wh": pl.Float64()}
    return pl.DataFrame(told, schema_overrides=kinds).with_columns(wh_per_km=pl.lit(31.0))


def consumed(rows: pl.DataFrame, vehicle: pl.DataFrame) -> pl.DataFrame:
    steps = segments_of(rows)
    rides = trips(steps)
    socs = pl.concat([rides, used(soc_path(rows, None, rides), rides)], how="horizontal")
    whole = pl.concat([socs, energies(socs, vehicle)], how="horizontal")
    traits = vehicle.select("provider", "vehicle", swappable=pl.lit(True))
    charged = sessions(rows, BATTERIES.to_frame(), SWAPS.to_frame(), rides, traits)
    return days(rows, steps, whole, soc_path(rows, None, rides), vehicle, charged)


def packs(*told: tuple[datetime, float]) -> pl.DataFrame:
    """What is known of vehicle a, whose packs hold so much from these moments on."""
    since = pl.DataFrame(told, schema={"since": TIME, "capacity_wh": pl.Float64()}, orient="row")
    more = {"capacity_sd": 0.03, "wh_per_km": 30.0, "wh_per_km_sd": 0.03, "timezone": "UTC"}
    who = {"provider": "p", "vehicle": "a"}
    return since.with_columns(pl.lit(value).alias(name) for name, value in (who | more).items())


def test_the_packs_of_each_time_hold_what_they_hold() -> None:
    rows = life(24, swap_at=12 * 3600.0)
    steps = segments_of(rows)
    rides = trips(steps)
    hold = packs((moment(0), 1000.0), (moment(12 * 3600.0), 1300.0))
    socs = rides.hstack(used(soc_path(rows, None, rides), rides))
    whole = socs.hstack(energies(socs, hold))
    got, plain = (days(rows, steps, whole, soc_path(rows, None, rides), each) for each in (hold, known()))
    (left, stood), (plain_left, plain_stood) = (
        each.select("residual_wh", "standby_wh").sum().row(0) for each in (got, plain)
    )
    assert abs(left) < 0.25 * abs(plain_left)
    assert stood == pytest.approx(plain_stood * (1000 + 1300) / 2 / C_WH, rel=0.05)


def rows_of_swap(at: datetime) -> pl.DataFrame:
    told = {"provider": "p", "vehicle": "a", "at": at, "since": at, "until": at}
    return pl.DataFrame([told], schema=SWAPS)


def lost_wh(rows: pl.DataFrame) -> float:
    """What the percent lost from the first reading to the last, but for what a swap brought."""
    whole = rows.select("provider", "vehicle", pl.col("at").min().alias("started_at")).unique()
    whole = whole.with_columns(finished_at=pl.lit(rows["at"].max(), rows.schema["at"]))
    return float(parts(soc_path(rows), whole)["used"].sum()) * C_WH / 100


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "America/St_Johns", None])
@pytest.mark.parametrize(("swap_at", "charge_from"), [(math.inf, math.inf), (52_000, math.inf), (math.inf, 50_000)])
def test_the_ledger_telescopes(timezone: str | None, swap_at: float, charge_from: float) -> None:
    """T10."""
    rows = life(30, swap_at, charge_from)
    got = consumed(rows, known(timezone))
    parted = got.select(
        (pl.col("driven_wh") + pl.col("residual_wh") + pl.col("standby_wh") - pl.col("charged_wh")).sum()
    )
    assert parted.item() == pytest.approx(lost_wh(rows), abs=1e-6)


def test_distances_of_days_are_the_trips_and_each_trip_counts_once() -> None:
    rows = life(50)
    got = consumed(rows, known("Asia/Tokyo"))
    rides = trips(segments_of(rows))
    assert got["distance_m"].sum() == pytest.approx(rides["distance_m"].sum())
    assert got["trips"].sum() == rides.height == 13
    assert got["day"].to_list() == ["2026-03-01", "2026-03-02", "2026-03-03"]


def test_driven_stood_and_charged_are_what_they_were() -> None:
    got = consumed(life(36, charge_from=50_000), known())
    sums = got.select("driven_wh", "standby_wh", "charged_wh", "residual_wh").sum().row(0)
    driven, standby, charged = 9 * 0.1 * C_WH, 0.1 * (36 - 9 / 4 - 2) / 100 * C_WH, 0.2 * C_WH
    assert sums[0] == pytest.approx(driven, rel=0.03)
    coarse = 3 * 0.2887 / 100 * C_WH  # three standard errors of a percent where it turns from falling to rising
    assert sums[1] == pytest.approx(standby, abs=math.sqrt(3) * coarse)
    assert sums[2] == pytest.approx(charged, abs=math.sqrt(2) * coarse)
    assert abs(sums[3]) < 0.02 * driven


def test_a_trip_over_midnight_is_shared_by_its_way_and_counts_once() -> None:
    rows = life(24).with_columns((pl.col("at") + pl.duration(minutes=53)).dt.cast_time_unit("ms"))
    steps = segments_of(rows)
    rides = trips(steps)
    socs = pl.concat([rides, used(soc_path(rows, None, rides), rides)], how="horizontal")
    whole = pl.concat([socs, energies(socs, known())], how="horizontal")
    got = days(rows, steps, whole, soc_path(rows, None, rides), known())
    assert got["trips"].to_list() == [5, 1]
    assert got["driven_wh"].sum() == pytest.approx(whole["energy_wh"].sum())
    assert got["distance_m"].to_list() == [
        pytest.approx(4500 * (4 + 7 / 15), abs=60),
        pytest.approx(4500 * (1 + 8 / 15), abs=60),
    ]


def test_what_trips_share_of_their_error_does_not_average_out() -> None:
    """Twice as many trips on a pack of unknown capacity make a day no surer."""
    got = consumed(life(24), known())
    narrow = (got["driven_high_wh"] - got["driven_low_wh"]) / got["driven_wh"]
    rides = trips(segments_of(life(24)))
    socs = pl.concat([rides, used(soc_path(life(24), None, rides), rides)], how="horizontal")
    common = energies(socs, known()).select(2 * 1.96 * pl.col("common_sd_wh") / pl.col("energy_wh")).to_series()
    assert narrow[0] > common.mean()


def test_a_swap_charges_nothing() -> None:
    got = consumed(life(36, swap_at=52_000), known())
    assert got["charged_wh"].to_list() == [0.0, 0.0]


def brought(*told: tuple[float, float, float | None], pct: float | None = 20.0) -> pl.DataFrame:
    """Charges from one second to another that added so much [Wh], and 20 %."""
    rows = [
        {"provider": "p", "vehicle": "a", "kind": "charge", "time": moment(begin), "started_at": moment(begin),
         "finished_at": moment(end), "energy_wh": wh, "soc_added_pct": pct}
        for begin, end, wh in told
    ]  # fmt: skip
    return shaped(pl.DataFrame(rows, infer_schema_length=None), "charges")


STILL = [(float(at), 80.0, 0.0) for at in range(0, 200_000, 900)]
MIDNIGHT_S = (datetime(AT.year, AT.month, AT.day + 1, tzinfo=UTC) - AT).total_seconds()


def charged_wh(charges: pl.DataFrame, capacity_wh: float | None = None) -> list[float | None]:
    rows, steps = made(STILL), segments_of(made(STILL))
    rides = used_energy(rows, steps, known(capacity_wh=capacity_wh))
    nothing = SESSIONS.to_frame()
    told = days(rows, steps, rides, soc_path(rows, None, rides), known(capacity_wh=capacity_wh), nothing, None, charges)
    return told["charged_wh"].to_list()


def used_energy(rows: pl.DataFrame, steps: pl.DataFrame, vehicle: pl.DataFrame) -> pl.DataFrame:
    """Its trips with what each used."""
    rides = trips(steps)
    socs = rides.hstack(used(soc_path(rows, None, rides), rides))
    return socs.hstack(energies(socs, vehicle))


@pytest.mark.parametrize("capacity_wh", [None, C_WH])
def test_a_day_charged_what_its_charges_tell_whatever_a_percent_is_worth(capacity_wh: float | None) -> None:
    got = charged_wh(brought((1000, 8000, 500.0), (9000, 9900, 70.0)), capacity_wh)
    assert got == [570, 0, 0]


def test_a_charge_over_midnight_is_shared_by_time() -> None:
    got = charged_wh(brought((MIDNIGHT_S - 3600, MIDNIGHT_S + 7200, 900.0)))
    assert got == [pytest.approx(300), pytest.approx(600), 0]


def test_what_a_day_charged_is_not_known_where_one_of_its_charges_tells_nothing() -> None:
    assert charged_wh(brought((1000, 8000, 500.0), (9000, 9900, None), pct=None)) == [None, 0, 0]


def test_a_charge_without_an_energy_counts_by_its_percent() -> None:
    rows = life(30, charge_from=50_000)
    steps = segments_of(rows)
    rides = used_energy(rows, steps, known())
    path, traits = soc_path(rows, None, rides), known().select("provider", "vehicle", swappable=pl.lit(True))
    rose = sessions(rows, BATTERIES.to_frame(), SWAPS.to_frame(), rides, traits)
    bare = shaped(rose.with_columns(time="started_at", soc_added_pct=pl.lit(20.0)), "charges")
    sums = [
        days(rows, steps, rides, path, known(), rose, None, charges)["charged_wh"].sum()
        for charges in (None, bare, bare.with_columns(energy_wh=pl.lit(333.0)))
    ]
    assert sums == [pytest.approx(0.2 * C_WH, rel=0.05), pytest.approx(sums[0]), pytest.approx(333 * rose.height)]


def test_a_day_without_a_ride_drove_nothing_and_a_pack_nobody_knows_is_null() -> None:
    parked = made([(float(at), 80.0 - at // 20_000, 0.0) for at in range(0, 200_000, 900)])
    got = consumed(parked, known())
    assert got.select("driven_wh", "distance_m", "trips").unique().rows() == [(0.0, 0.0, 0)]
    assert got["standby_wh"].sum() == pytest.approx(0.095 * C_WH, rel=0.1)
    unknown = consumed(parked, known(capacity_wh=None))
    assert unknown["standby_wh"].null_count() == unknown["residual_wh"].null_count() == unknown.height


def test_days_have_the_columns_of_their_table() -> None:
    got = consumed(life(30), known())
    assert got.schema == DERIVED["consumption"].schema
    low, value, high = (got[name].sum() for name in ("driven_low_wh", "driven_wh", "driven_high_wh"))
    assert low < value < high
    assert got["wh_per_km_gross"].null_count() == got.height  # nobody told what was fed back


def test_the_charge_at_a_cut_is_one_figure_for_both_sides() -> None:
    rows = life(20)
    spans = pl.concat([span(3600, 4000), span(4000, 4500), span(3600, 4500)])
    sums = parts(soc_path(rows), spans)["used"]
    assert sums[0] + sums[1] == pytest.approx(sums[2], abs=1e-9)
    ends = spans[2:].select("provider", "vehicle", pl.col("started_at").alias("at"))
    assert soc_at(soc_path(rows), ends)["pct"].is_not_null().all()
