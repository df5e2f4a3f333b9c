"""The way from a parked moped to where its rider wants to be, junction by junction."""

import math
from random import Random

import msgspec

from logger.simulator.vehicle.world import BLOCK_M, REACH, World

_FAST_MS, _SLOW_MS, _TURN_MS = 45 / 3.6, 30 / 3.6, 5.0  # main street, side street, round a corner
_STOP_MAIN, _STOP_SIDE = 0.36, 0.20  # how often a junction makes one stop
_WAIT_S, _LONGEST_WAIT_S = 13.0, 60.0
_STRAIGHT = 0.6  # how often a rider keeps the direction where both lead on
Cell = tuple[int, int]
Point = tuple[float, float]


class Block(msgspec.Struct, frozen=True):
    """A straight piece of street: where it begins, its direction, how fast it is ridden and how fast it is left."""

    x_m: float
    y_m: float
    east: float
    north: float
    length_m: float
    limit_ms: float
    exit_ms: float
    wait_s: float


class Path:
    """Where on its way a moped is."""

    def __init__(self, blocks: list[Block]) -> None:
        self._blocks = blocks
        self._place, self._ridden_m = 0, 0.0
        self.block = blocks[0]
        self.x_m, self.y_m = self.block.x_m, self.block.y_m
        self.done = False

    @property
    def room_m(self) -> float:
        """To the end of the block."""
        return self.block.length_m - self._ridden_m

    def move(self, way_m: float) -> float | None:
        """Go on; where that ends in a stop, how long it lasts [s]."""
        self._ridden_m += way_m
        stop = None
        while self._ridden_m >= self.block.length_m and stop is None and not self.done:
            stop = self._next()
        block = self.block
        self.x_m = block.x_m + block.east * self._ridden_m
        self.y_m = block.y_m + block.north * self._ridden_m
        return stop

    def _next(self) -> float | None:
        left = self.block
        self.done = self._place + 1 == len(self._blocks)
        if not self.done:
            self._place += 1
            self._ridden_m -= left.length_m
            self.block = self._blocks[self._place]
        return left.wait_s if left.exit_ms == 0 else None


def cell(x_m: float, y_m: float) -> Cell:
    """The junction near this position."""
    return round(x_m / BLOCK_M), round(y_m / BLOCK_M)


def goal(chance: Random, start: Cell, way_m: float) -> Cell:
    """A junction about so far by road, inside the place."""
    blocks = max(3, round(way_m / BLOCK_M))
    east = round(blocks * chance.random()) * chance.choice((-1, 1))
    north = (blocks - abs(east)) * chance.choice((-1, 1))
    return _inside(start[0], east), _inside(start[1], north)


def _inside(start: int, step: int) -> int:
    turned = start + step if abs(start + step) <= REACH else start - step
    return max(-REACH, min(REACH, turned))


def way(world: World, chance: Random, start: Point, finish: Cell) -> Path:
    """The streets from here to a kerb just before that junction."""
    cells = _cells(chance, cell(*start), finish)
    points = [start, *(world.junction(*each) for each in cells)]
    kerb = chance.uniform(0.3, 0.9)
    (x_m, y_m), (end_x_m, end_y_m) = points[-2:]
    points[-1] = (x_m + kerb * (end_x_m - x_m), y_m + kerb * (end_y_m - y_m))
    limits = [_SLOW_MS, *map(_limit, cells, cells[1:])]
    corners = [_corner(chance, cells, place, limits) for place in range(len(cells))]
    return Path([_block(*each) for each in zip(points, points[1:], limits, corners, strict=False)])


def _cells(chance: Random, start: Cell, finish: Cell) -> list[Cell]:
    """Junctions on a way without detours, as straight as people like to ride."""
    at, cells = start, [start]
    along = chance.random() < 0.5
    while at != finish:
        east, north = finish[0] - at[0], finish[1] - at[1]
        if not (east and north):
            along = bool(east)
        elif chance.random() > _STRAIGHT:
            along = not along
        at = (at[0] + _sign(east), at[1]) if along else (at[0], at[1] + _sign(north))
        cells.append(at)
    return cells


def _sign(step: int) -> int:
    return 1 if step > 0 else -1


def _limit(here: Cell, there: Cell) -> float:
    street = here[1] if here[0] != there[0] else here[0]
    return _FAST_MS if street % 2 == 0 else _SLOW_MS


def _corner(chance: Random, cells: list[Cell], place: int, limits: list[float]) -> tuple[float, float]:
    """How fast the junction at this place is left [m/s], and how long it holds one up [s]."""
    if place == len(cells) - 1:
        return 0.0, 0.0
    main = limits[place + 1] == _FAST_MS
    if chance.random() < (_STOP_MAIN if main else _STOP_SIDE):
        return 0.0, min(_LONGEST_WAIT_S, 2 + chance.expovariate(1 / _WAIT_S))
    if 0 < place and _turns(cells[place - 1], cells[place], cells[place + 1]):
        return _TURN_MS, 0.0
    return limits[place + 1], 0.0


def _turns(before: Cell, here: Cell, after: Cell) -> bool:
    return (here[0] - before[0], here[1] - before[1]) != (after[0] - here[0], after[1] - here[1])


def _block(start: Point, end: Point, limit_ms: float, corner: tuple[float, float]) -> Block:
    east_m, north_m = end[0] - start[0], end[1] - start[1]
    length_m = max(0.1, math.hypot(east_m, north_m))
    return Block(*start, east_m / length_m, north_m / length_m, length_m, limit_ms, *corner)
