"""Where nothing was said, the analyses of energy give empty tables of the right columns, and checks that refuse."""

import polars as pl

from analytics.battery_health import firmware
from analytics.battery_health.calibration import CHECKS, checks
from analytics.battery_health.figures import calibrated
from analytics.energy.days import days
from analytics.energy.trips import energies
from analytics.observations.power import polled, powered
from analytics.observations.soc_at import soc_path
from analytics.observations.soc_steps import TICKS, leaps, ticks
from analytics.observations.soc_used import used
from analytics.schemas import OBSERVATIONS, PACKS
from analytics.trips.trips import trips
from logger.tables import DERIVED
from tests.analytics.energy.simulated import of_models
from tests.analytics.finding import segments_of

MS = pl.Datetime("ms", "UTC")
WHO = {"provider": pl.String(), "vehicle": pl.String()}
BATTERIES = pl.DataFrame(
    schema={**WHO, "at": MS, "power_w": pl.Float64(), "motor_power_w": pl.Float64(), "bms_charging": pl.Boolean()}
)
KNOWN = pl.DataFrame(
    schema={
        **WHO,
        "model": pl.String(),
        "timezone": pl.String(),
        "capacity_wh": pl.Float64(),
        "wh_per_km": pl.Float64(),
        "motor_power_sign": pl.String(),
    }
)
NONE = OBSERVATIONS.to_frame()


def test_nothing_makes_empty_tables() -> None:
    steps, marks = segments_of(NONE), ticks(NONE)
    rides = trips(steps)
    socs = pl.concat(
        [rides, used(soc_path(NONE, None, rides), rides), powered(rides, BATTERIES, KNOWN)], how="horizontal"
    )
    whole = pl.concat([socs.drop("regen_wh"), energies(socs, KNOWN)], how="horizontal")
    assert marks.schema == TICKS
    assert leaps(NONE).height == whole.height == 0
    got = days(NONE, steps, whole, soc_path(NONE, None, rides), KNOWN)
    assert got.schema == DERIVED["consumption"].schema
    assert got.height == 0


def test_a_model_that_said_nothing_is_asked_in_vain() -> None:
    one = pl.DataFrame([{"provider": "p", "vehicle": "a", "model": "m", "capacity_wh": 1440.0}], schema=KNOWN.schema)
    steps = segments_of(NONE)
    rides = trips(steps)
    power = polled(rides, steps, BATTERIES)
    assert power.to_frame().schema == {"polled_wh": pl.Float64()}
    told = rides.hstack(used(soc_path(NONE, None, rides), rides)).with_columns(power)
    got, of_firmware = checks(of_models(told, one)), firmware.checks(firmware.points(NONE, PACKS.to_frame()), one)
    assert got.schema == of_firmware.schema == CHECKS
    assert got.is_empty()
    assert set(of_firmware["answer"]) == {"insufficient"}
    assert calibrated(one, got)["capacity_wh"].item() == 1440
