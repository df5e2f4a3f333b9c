"""Which pushes of a moped arrive, and what the truth counts and writes."""

import math
from pathlib import Path

import polars as pl
import pytest

from logger.simulator.vehicle.effects import EFFECTS
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation
from logger.simulator.vehicle.transmission import transmit
from logger.simulator.vehicle.truth import write_truth
from tests.helpers.segway_pushes import CLIENT, account, decode_all, envelope, signed_body
from tests.logger.simulator.vehicle.conftest import DAYS, SEED, START, Messages


def test_every_push_that_arrives_is_decoded_and_makes_as_many_rows_as_the_truth_says() -> None:
    simulation = Simulation(4, SEED, START, DAYS)
    names = {"iotCode": simulation.vehicle, "platformCode": CLIENT}
    pushes = [
        envelope(push.path, signed_body({**names, **push.fields}), int(push.sent_at * 1000))
        for push in transmit(simulation, SEED)
    ]
    result = decode_all(*pushes, sources={"moped": account((simulation.vehicle,))})
    assert set(result.rows) == {"status", "location", "event"}
    assert result.rows["status"]["soc_pct"].null_count() == 0
    rows = sum(
        result.rows[table].unique([*("time", "kind", "code")[: 3 if table == "event" else 1]]).height
        for table in ("status", "location", "event")
    )
    assert rows == simulation.truth.distinct_rows


def test_pushes_are_lost_delayed_and_repeated_and_the_truth_counts_it() -> None:
    simulation = Simulation(1, SEED, START, DAYS)
    pushes = transmit(simulation, SEED, lost=0.05, delayed=0.05, repeated=0.05)
    truth = simulation.truth
    assert len(pushes) == truth.generated - truth.lost + truth.repeated
    assert min(truth.lost, truth.delayed, truth.repeated) > 0.03 * truth.generated
    assert truth.distinct_rows <= len(pushes) - truth.repeated
    order = [int(push.fields["statusUtcTime"]) for push in pushes if push.path == "status"]
    assert [push.sent_at for push in pushes] == sorted(push.sent_at for push in pushes)
    assert order != sorted(order)


def test_the_truth_has_the_moment_of_the_last_status_that_arrives() -> None:
    simulation = Simulation(1, SEED, START, DAYS)
    arrived_at = [push.sent_at for push in transmit(simulation, SEED, delayed=0) if push.path == "status"]
    assert max(arrived_at) - 10 < simulation.truth.last_status_at < max(arrived_at)
    outage_at = START + DAYS * DAY_S / 2
    cut = Simulation(1, SEED, START, DAYS)
    transmit(cut, SEED, outages=[(outage_at, math.inf)])
    assert outage_at - 1000 < cut.truth.last_status_at < outage_at


def test_in_an_outage_nothing_arrives_and_the_one_retry_may_come_after_it() -> None:
    begin, end = START + DAY_S / 2, START + DAY_S
    whole, cut = (Simulation(1, SEED, START, DAYS) for _ in range(2))
    without_outage = transmit(whole, SEED, lost=0, delayed=0, repeated=0)
    with_outage = transmit(cut, SEED, lost=0, delayed=0, repeated=0, outages=[(begin, end)])
    assert not any(begin <= push.sent_at < end for push in with_outage)
    missing = [push for push in without_outage if begin <= push.sent_at < end - 5]
    assert cut.truth.lost - whole.truth.lost == len(missing) > 20


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_without_network_only_the_last_messages_arrive_and_they_are_delayed(number: int) -> None:
    simulation = Simulation(number, SEED, START, DAYS)
    pushes = transmit(simulation, SEED, lost=0, delayed=0, repeated=0)
    truth = simulation.truth
    assert truth.offline
    assert truth.lost == truth.generated - len(pushes) > 0
    assert truth.delayed <= simulation.buffer_size * len(truth.offline)
    assert (truth.delayed > 0) == (simulation.buffer_size > 0)
    for window in truth.offline:
        assert not any(window["started_at"] + 5 < push.sent_at < window["finished_at"] for push in pushes)


def test_the_truth_is_written_to_files_with_times_in_utc(
    simulations: list[Simulation], messages: Messages, tmp_path: Path
) -> None:
    write_truth((simulation.truth for simulation in simulations), tmp_path / "truth")
    tables = {path.stem: pl.read_parquet(path) for path in (tmp_path / "truth").glob("*.parquet")}
    assert set(tables) == {"trips", "packs", "swaps", "charges", "odometer", "events", "offline"}
    assert tables["trips"].schema["started_at"] == pl.Datetime("ms", "UTC")
    assert {"vehicle", "energy_wh", "wh_per_km", "soc_used_pct", "distance_m"} <= set(tables["trips"].columns)
    assert {"capacity_wh", "resistance_mohm", "day", "cycles"} <= set(tables["packs"].columns)
    assert all(name in (tmp_path / "truth" / "effects.json").read_text() for name in EFFECTS)
