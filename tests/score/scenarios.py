"""What is scored: one simulated fleet, whose messages reach the collector in several hard ways.

Besides, the collector asks for the battery, as often as `[sources.poll]` does by default, and gets an answer where
there is a network and nobody is away.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import msgspec
import polars as pl

from logger.decode.messages import decode
from logger.envelope import Batch, Envelope
from logger.settings import schema
from logger.simulator.demo.collector import PLATFORM, SECRET
from logger.simulator.demo.pushes import body
from logger.simulator.vehicle import messages
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import Simulation, fleet
from logger.simulator.vehicle.transmission import transmit
from logger.simulator.vehicle.truth import Truth
from logger.sources.segway.account import SegwayAccount
from logger.stores.merge import merge_rows
from logger.tables import RAW
from tests.helpers.segway_pushes import MemoryReceipts

BEGIN_S, SEED = 1_790_000_000, 7
OUTAGES, OUTAGE_S = 120, (60, 2400)  # in the whole story, uniformly drawn
CLOCK_S = (40, 95, 400, 3600)  # by which a clock is fast or slow
NOMINAL_V, WH_PER_KM = 48.0, 32.0  # of the data sheet
POLL_S = {False: 60, True: 900}  # by whether it is locked; the defaults of `[sources.poll]`
_BATCH, _STEP_S = 20_000, 30
_TABLES = ("status", "location", "event", "battery", "pack")
Told = tuple[float, str, dict[str, str]]
Damage = Callable[[str, list[Told]], list[Told]]


class Story(msgspec.Struct):
    """What one moped said, told as often as there are scenarios."""

    vehicle: str
    truth: Truth
    buffer_size: int
    told: list[Told]
    polls: list[tuple[int, bytes]]  # answers to the question for the battery, and when [epoch s]

    def pushes(self) -> list[Told]:
        """Everything it says."""
        return self.told


class Scenario(msgspec.Struct, frozen=True):
    """How messages reach the collector. `damage` changes what a vehicle says."""

    name: str
    lost: float = 0.0
    outages: int = 0
    damage: Damage | None = None


class Case(msgspec.Struct, frozen=True):
    """One scenario's rows by table, folded, and the trips that there really were.

    `known` is what is known of the vehicles; `driven_m` is what their odometers rose, pushing included.
    """

    scenario: Scenario
    rows: Mapping[str, pl.DataFrame]
    trips: pl.DataFrame
    known: pl.DataFrame
    driven_m: int


def _chance(vehicle: str) -> Random:
    return Random(f"{SEED} {vehicle} damage")


def wrong_clocks(vehicle: str, told: list[Told]) -> list[Told]:
    """The vehicle's own clock is fast or slow; that of its satellite receiver is not."""
    chance = _chance(vehicle)
    offset = round(chance.choice((-1, 1)) * chance.choice(CLOCK_S) * chance.uniform(0.9, 1.1))
    return [_changed(each, "statusUtcTime", lambda at: str(int(at) + offset)) for each in told]


def resets(vehicle: str, told: list[Told]) -> list[Told]:
    """Its odometer begins anew at a third and at two thirds of the story, and a wrong reading comes now and then."""
    chance, thirds = _chance(vehicle), [told[len(told) * part // 3][0] for part in (1, 2)]
    bases = [0, *(_odometer_at(told, at) for at in thirds)]
    return [_reset(each, bases[sum(each[0] >= at for at in thirds)], chance.random() < 0.0005) for each in told]


def _odometer_at(told: list[Told], at: float) -> int:
    return max(int(fields["odometer"]) for moment, _, fields in told if moment <= at and "odometer" in fields)


def _reset(each: Told, base: int, glitch: bool) -> Told:
    return _changed(each, "odometer", lambda metres: "0" if glitch else str(max(0, int(metres) - base)))


def _changed(each: Told, name: str, new: Callable[[str], str]) -> Told:
    at, path, fields = each
    return (at, path, {**fields, name: new(fields[name])}) if name in fields else each


SCENARIOS = (
    Scenario("no loss"),
    Scenario("10 % lost", 0.1),
    Scenario("10 % lost, 120 outages", 0.1, OUTAGES),
    Scenario("30 % lost, 120 outages", 0.3, OUTAGES),
    Scenario("wrong clocks, 1 % lost", 0.01, 0, wrong_clocks),
    Scenario("odometer resets, 1 % lost", 0.01, 0, resets),
)


def stories(vehicles: int, days: int, seed: int = SEED) -> list[Story]:
    """A fleet's stories, swaps, pauses, pushing, vans, garages and lost clocks included."""
    return [story(scooter, days) for scooter in fleet(vehicles, seed, BEGIN_S, days)]


def story(scooter: Simulation, days: int) -> Story:
    """One moped's days: what it pushes, and what it answers when it is asked."""
    told, polls, asked_at = list[Told](), list[tuple[int, bytes]](), 0
    for at in range(BEGIN_S, BEGIN_S + days * DAY_S, _STEP_S):
        told += scooter.advance(at)
        moped = scooter.moped
        if moped.online and at - asked_at >= POLL_S[moped.locked]:
            answer = {"code": 0, "msg": "success", "data": messages.battery_answer(moped), "t": at * 1000}
            polls.append((at, msgspec.json.encode({**answer, moped.specification.trace_field: f"{at}"})))
            asked_at = at
    told += scooter.pushes()
    return Story(scooter.vehicle, scooter.truth, scooter.buffer_size, told, polls)


def case(scenario: Scenario, stories: Sequence[Story], days: int) -> Case:
    """These stories as they reach the tables in this scenario."""
    envelopes = [each for story in stories for each in _envelopes(scenario, story, days)]
    envelopes.sort(key=lambda envelope: envelope.received_at)
    driven_m = sum(story.truth.driven_m for story in stories)
    return Case(scenario, _rows(envelopes), _timed(_trips(stories)), _known(stories), driven_m)


def _trips(stories: Sequence[Story]) -> pl.DataFrame:
    who = {"provider": "segway"}
    rows = [who | {"vehicle": story.vehicle} | row for story in stories for row in story.truth.trips]
    return pl.DataFrame(rows, infer_schema_length=None)


def _known(stories: Sequence[Story]) -> pl.DataFrame:
    """What a data sheet says; what a vehicle's packs really hold, nobody knows."""
    sheets = [
        {
            "provider": "segway",
            "vehicle": story.vehicle,
            "model": f"{story.truth.specification.ports} x {story.truth.specification.nominal_ah:.0f} Ah",
            "timezone": "UTC",
            "capacity_wh": NOMINAL_V * story.truth.specification.nominal_ah * story.truth.specification.ports,
            "wh_per_km": WH_PER_KM,
        }
        for story in stories
    ]
    return pl.DataFrame(sheets)


def _envelopes(scenario: Scenario, story: Story, days: int) -> Iterator[Envelope]:
    told = scenario.damage(story.vehicle, story.told) if scenario.damage else story.told
    speaker, away = msgspec.structs.replace(story, told=told), outages(scenario.outages, days)
    for push in transmit(speaker, SEED, lost=scenario.lost, outages=away):
        yield Envelope("segway", push.path, int(push.sent_at * 1000), "push", body(story.vehicle, push.fields))
    for at, answer in story.polls:
        if not any(begin <= at < end for begin, end in away):
            yield Envelope("segway", "battery-info", at * 1000, "poll", answer, story.vehicle)


def outages(count: int, days: int) -> list[tuple[float, float]]:
    """When the collector is away [epoch s], disjoint, in order."""
    chance, spans = Random(f"{SEED} outages"), list[tuple[float, float]]()
    for begin in sorted(BEGIN_S + chance.uniform(0, days * DAY_S) for _ in range(count)):
        begin = max([begin, *(end for _, end in spans[-1:])])
        spans.append((begin, begin + chance.uniform(*OUTAGE_S)))
    return spans


def _rows(envelopes: list[Envelope]) -> dict[str, pl.DataFrame]:
    told = schema.Segway(name="segway", client_id=PLATFORM, client_secret=SECRET, unknown_vehicles="accept")
    source, memory = SegwayAccount(told, schema.Settings()), MemoryReceipts()
    parts = {name: [pl.DataFrame(schema=RAW[name].schema)] for name in _TABLES}
    for begin in range(0, len(envelopes), _BATCH):
        some = envelopes[begin : begin + _BATCH]
        result = decode(Batch(list(range(begin, begin + len(some))), some), {"segway": source}, memory)
        for name in result.rows.keys() & parts:
            parts[name].append(result.rows[name])
    return {name: merge_rows(pl.concat(frames).lazy(), RAW[name].key).collect() for name, frames in parts.items()}


def _timed(rows: pl.DataFrame) -> pl.DataFrame:
    moments: list[Any] = [
        (pl.col(name) * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")) for name in ("started_at", "finished_at")
    ]
    return rows.with_columns(moments)
