"""The route from a parked moped to its rider's destination, junction by junction."""

import math
from random import Random

import msgspec

from logger.simulator.vehicle.environment import BLOCK_M, REACH, Environment

_MAIN_MS, _SIDE_MS, _TURN_MS = 45 / 3.6, 30 / 3.6, 5.0  # main street, side street, round a corner
_STOP_MAIN, _STOP_SIDE = 0.36, 0.20  # how often a rider must stop at a junction
_WAIT_S, _LONGEST_WAIT_S = 13.0, 60.0
_STRAIGHT = 0.6  # how often a rider keeps the direction where both directions lead on
Junction = tuple[int, int]
Point = tuple[float, float]


class Block(msgspec.Struct, frozen=True):
    """A straight piece of street: its start, direction and length, its speed limit, and the speed at its end."""

    x_m: float
    y_m: float
    east: float
    north: float
    length_m: float
    limit_ms: float
    exit_ms: float
    wait_s: float


class Route:
    """The blocks between start and destination, and the moped's present position on them."""

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        self._number, self._ridden_m = 0, 0.0
        self.block = blocks[0]
        self.x_m, self.y_m = self.block.x_m, self.block.y_m
        self.done = False

    @property
    def remaining_m(self) -> float:
        """The distance to the end of the block."""
        return self.block.length_m - self._ridden_m

    def move(self, distance_m: float) -> float | None:
        """Move on; return the length of the stop [s] if the movement ended in one."""
        self._ridden_m += distance_m
        stop_s = None
        while self._ridden_m >= self.block.length_m and stop_s is None and not self.done:
            stop_s = self._next_block()
        block = self.block
        self.x_m = block.x_m + block.east * self._ridden_m
        self.y_m = block.y_m + block.north * self._ridden_m
        return stop_s

    def _next_block(self) -> float | None:
        previous = self.block
        self.done = self._number + 1 == len(self._blocks)
        if not self.done:
            self._number += 1
            self._ridden_m -= previous.length_m
            self.block = self._blocks[self._number]
        return previous.wait_s if previous.exit_ms == 0 else None


def nearest_junction(x_m: float, y_m: float) -> Junction:
    """Return the junction near this position."""
    return round(x_m / BLOCK_M), round(y_m / BLOCK_M)


def destination(chance: Random, start: Junction, distance_m: float) -> Junction:
    """Return a random junction about this far away by road, inside the town."""
    blocks = max(3, round(distance_m / BLOCK_M))
    east = round(blocks * chance.random()) * chance.choice((-1, 1))
    north = (blocks - abs(east)) * chance.choice((-1, 1))
    return _inside_town(start[0], east), _inside_town(start[1], north)


def _inside_town(start: int, step: int) -> int:
    turned = start + step if abs(start + step) <= REACH else start - step
    return max(-REACH, min(REACH, turned))


def plan_route(environment: Environment, chance: Random, start: Point, finish: Junction) -> Route:
    """Return the route from this position to a kerb just before that junction."""
    junctions = _junctions(chance, nearest_junction(*start), finish)
    points = [start, *(environment.junction(*each) for each in junctions)]
    kerb = chance.uniform(0.3, 0.9)
    (x_m, y_m), (end_x_m, end_y_m) = points[-2:]
    points[-1] = (x_m + kerb * (end_x_m - x_m), y_m + kerb * (end_y_m - y_m))
    limits = [_SIDE_MS, *map(_limit_ms, junctions, junctions[1:])]
    exits = [_block_exit(chance, junctions, number, limits) for number in range(len(junctions))]
    return Route([_block(*each) for each in zip(points, points[1:], limits, exits, strict=False)])


def _junctions(chance: Random, start: Junction, finish: Junction) -> list[Junction]:
    """Return the junctions of a route without detours, with as few turns as riders like."""
    at, junctions = start, [start]
    eastwards = chance.random() < 0.5
    while at != finish:
        east, north = finish[0] - at[0], finish[1] - at[1]
        if not (east and north):
            eastwards = bool(east)
        elif chance.random() > _STRAIGHT:
            eastwards = not eastwards
        at = (at[0] + _sign(east), at[1]) if eastwards else (at[0], at[1] + _sign(north))
        junctions.append(at)
    return junctions


def _sign(step: int) -> int:
    return 1 if step > 0 else -1


def _limit_ms(start: Junction, end: Junction) -> float:
    street = start[1] if start[0] != end[0] else start[0]
    return _MAIN_MS if street % 2 == 0 else _SIDE_MS


def _block_exit(chance: Random, junctions: list[Junction], number: int, limits: list[float]) -> tuple[float, float]:
    """Return the speed at this junction [m/s], and how long a rider waits there [s]."""
    if number == len(junctions) - 1:
        return 0.0, 0.0
    main = limits[number + 1] == _MAIN_MS
    if chance.random() < (_STOP_MAIN if main else _STOP_SIDE):
        return 0.0, min(_LONGEST_WAIT_S, 2 + chance.expovariate(1 / _WAIT_S))
    if 0 < number and _is_turn(junctions[number - 1], junctions[number], junctions[number + 1]):
        return _TURN_MS, 0.0
    return limits[number + 1], 0.0


def _is_turn(before: Junction, at: Junction, after: Junction) -> bool:
    return (at[0] - before[0], at[1] - before[1]) != (after[0] - at[0], after[1] - at[1])


def _block(start: Point, end: Point, limit_ms: float, exit_: tuple[float, float]) -> Block:
    east_m, north_m = end[0] - start[0], end[1] - start[1]
    length_m = max(0.1, math.hypot(east_m, north_m))
    return Block(*start, east_m / length_m, north_m / length_m, length_m, limit_ms, *exit_)
