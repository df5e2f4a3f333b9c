"""What is scored: one simulated fleet, whose messages reach the collector in several hard ways."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

import msgspec
import polars as pl

from logger import config
from logger.decode import decode
from logger.demo.collector import PLATFORM, SECRET
from logger.demo.physics import fleet, sent
from logger.demo.pushes import body
from logger.demo.truth import Truth
from logger.demo.world import DAY_S
from logger.fold import folded
from logger.model import Batch, Envelope
from logger.sources.segway import Segway, shapes
from logger.tables import RAW
from tests.logger.pushes import FirstSeen

BEGIN_S, SEED = 1_790_000_000, 7
OUTAGES, OUTAGE_S = 120, (60, 2400)  # in the whole story, uniformly drawn
CLOCK_S = (40, 95, 400, 3600)  # by which a clock is fast or slow
NOMINAL_V, WH_PER_KM = 48.0, 32.0  # of the data sheet
_BATCH = 20_000
Told = tuple[float, str, dict[str, str]]
Damage = Callable[[str, list[Told]], list[Told]]


class Story(msgspec.Struct):
    """What one moped said, told as often as there are scenarios."""

    vehicle: str
    truth: Truth
    keeps: int
    told: list[Told]

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
    """One scenario's rows by table, folded, and the trips and packs that there really were.

    `known` is what is known of the vehicles; `driven_m` is what their odometers rose, pushing included.
    """

    scenario: Scenario
    rows: Mapping[str, pl.DataFrame]
    trips: pl.DataFrame
    packs: pl.DataFrame
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
    return [
        Story(scooter.vehicle, scooter.truth, scooter.keeps, list(scooter.pushes()))
        for scooter in fleet(vehicles, seed, BEGIN_S, days)
    ]


def case(scenario: Scenario, stories: Sequence[Story], days: int) -> Case:
    """These stories as they reach the tables in this scenario."""
    envelopes = [each for story in stories for each in _envelopes(scenario, story, days)]
    envelopes.sort(key=lambda envelope: envelope.received_at)
    driven_m = sum(story.truth.driven_m for story in stories)
    trips, packs = _timed(_truth(stories, "trips")), _truth(stories, "packs")
    return Case(scenario, _rows(envelopes), trips, packs, _known(stories), driven_m)


def _truth(stories: Sequence[Story], name: str) -> pl.DataFrame:
    who = {"provider": "segway"}
    rows = [who | {"vehicle": story.vehicle} | row for story in stories for row in getattr(story.truth, name)]
    return pl.DataFrame(rows, infer_schema_length=None)


def _known(stories: Sequence[Story]) -> pl.DataFrame:
    """What a data sheet says; what a vehicle's packs really hold, nobody knows."""
    sheets = [
        (
            "segway",
            story.vehicle,
            "UTC",
            NOMINAL_V * story.truth.traits.nominal_ah * story.truth.traits.ports,
            WH_PER_KM,
        )
        for story in stories
    ]
    return pl.DataFrame(sheets, schema=["provider", "vehicle", "timezone", "capacity_wh", "wh_per_km"], orient="row")


def _envelopes(scenario: Scenario, story: Story, days: int) -> Iterator[Envelope]:
    told = scenario.damage(story.vehicle, story.told) if scenario.damage else story.told
    speaker = msgspec.structs.replace(story, told=told)
    for push in sent(speaker, SEED, lost=scenario.lost, outages=outages(scenario.outages, days)):
        yield Envelope("segway", push.path, int(push.sent_at * 1000), "push", body(story.vehicle, push.fields))


def outages(count: int, days: int) -> list[tuple[float, float]]:
    """When the collector is away [epoch s], disjoint, in order."""
    chance, spans = Random(f"{SEED} outages"), list[tuple[float, float]]()
    for begin in sorted(BEGIN_S + chance.uniform(0, days * DAY_S) for _ in range(count)):
        begin = max([begin, *(end for _, end in spans[-1:])])
        spans.append((begin, begin + chance.uniform(*OUTAGE_S)))
    return spans


def _rows(envelopes: list[Envelope]) -> dict[str, pl.DataFrame]:
    told = config.Segway(
        name="segway", client_id=PLATFORM, client_secret=SECRET, vehicles="all", unknown_vehicles="accept"
    )
    source, memory = Segway(told, shapes(told.model, config.Model())), FirstSeen()
    parts: dict[str, list[pl.DataFrame]] = {"status": [], "location": []}
    for begin in range(0, len(envelopes), _BATCH):
        some = envelopes[begin : begin + _BATCH]
        result = decode(Batch(list(range(begin, begin + len(some))), some), {"segway": source}, memory)
        for name, frames in parts.items():
            frames.append(result.rows[name])
    return {name: folded(pl.concat(frames).lazy(), RAW[name].key).collect() for name, frames in parts.items()}


def _timed(rows: pl.DataFrame) -> pl.DataFrame:
    moments: list[Any] = [
        (pl.col(name) * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")) for name in ("started_at", "finished_at")
    ]
    return rows.with_columns(moments)
