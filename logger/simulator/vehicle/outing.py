"""One rider's time with a moped: unlock, ride, perhaps pause, ride on, lock."""

from collections.abc import Callable, Iterator

from logger.simulator.vehicle import streets
from logger.simulator.vehicle.battery import utmost_w
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.ride import Book, Motion, rider
from logger.simulator.vehicle.world import degrees

_WAY_M, _SPREAD, _LONGEST_M = 2900.0, 0.55, 9000.0
_PAUSES, _GARAGES, _REGRETS, _STALE = 0.13, 0.04, 0.05, 0.3  # how often
_FALLS = 0.04  # of the pauses
_SWAP_ON_THE_WAY = 0.5  # of the pauses with a low battery
_LIMP = ((8, 800.0), (15, 1500.0))  # percent shown, power [W] allowed below it
_LOOK_S = 10  # how often the controller asks what the packs can give
_STRANDED, _LOW = 0.012, 20
_PARTS = ("drag", "rolling", "drive", "brake", "auxiliary", "climb", "kinetic", "residual")
Moments = Iterator[float]


class Outing:
    """From unlocking to locking. `park` and `swap` are the life's own generators; without `aim` it goes anywhere."""

    def __init__(
        self,
        moped: Moped,
        park: Callable[[float], Moments],
        swap: Callable[[int], Moments],
        aim: streets.Cell | None = None,
    ) -> None:
        self._moped, self._chance, self._aim = moped, moped.chance, aim
        self._park, self._swap = park, swap
        self._rider = rider(moped.chance)
        self._books: list[Book] = []
        self._top_ms, self._paused_s, self._stranded = 0.0, 0.0, False

    def moments(self) -> Moments:
        """All of it, and its record."""
        moped, chance = self._moped, self._chance
        begin, swaps = self._start(), len(moped.truth.swaps)
        yield from self._park(moped.at + chance.uniform(12, 45))
        if chance.random() < _REGRETS:
            self._lock()
            moped.truth.events.append(
                {"what": "unlocked in vain", "started_at": begin["at"], "finished_at": moped.at, "distance_m": 0.0}
            )
            return
        yield from self._legs()
        self._return_helmet()
        yield from self._park(moped.at + chance.uniform(8, 30))
        self._record(begin, len(moped.truth.swaps) - swaps)
        self._lock()

    def _start(self) -> dict[str, float]:
        moped = self._moped
        moped.locked, moped.in_garage, moped.mode = False, False, self._rider.mode
        if moped.clock_lost_at is not None:
            moped.clock_lost_at = None
            moped.say("fault", faultStatus="1", code="E2")
        if self._chance.random() < _STALE:
            moped.stale_fixes = self._chance.randint(1, 3)
        begin = {
            "at": moped.at,
            "odometer": moped.odometer_m,
            "riding": moped.riding_s,
            "x": moped.x_m,
            "y": moped.y_m,
            "soc": moped.soc,
            "swapped": moped.swapped_soc,
            "drawn": moped.drawn_wh,
            "fed": moped.fed_wh,
            "percent": moped.percent,
        }
        moped.speak_now()
        return begin

    def _legs(self) -> Moments:
        moped, chance = self._moped, self._chance
        moped.helmet_taken = chance.random() < 0.7
        if moped.helmet_taken:
            moped.say("components", type="4", status="2")
        if self._aim is not None:
            yield from self._straight(self._aim)
            return
        way_m = min(_LONGEST_M, _WAY_M * chance.lognormvariate(0, _SPREAD))
        yield from self._leg(self._anywhere(way_m))
        if not self._stranded and chance.random() < _PAUSES:
            yield from self._pause()
            yield from self._leg(self._anywhere(way_m * chance.uniform(0.3, 1.2)))

    def _straight(self, aim: streets.Cell) -> Moments:
        """There, perhaps by way of a shop."""
        if self._chance.random() < _PAUSES:
            yield from self._leg(self._anywhere(_WAY_M / 2))
            if not self._stranded:
                yield from self._pause()
        if not self._stranded:
            yield from self._leg(aim)

    def _anywhere(self, way_m: float) -> streets.Cell:
        return streets.goal(self._chance, streets.cell(self._moped.x_m, self._moped.y_m), way_m)

    def _pause(self) -> Moments:
        """A stop at a shop, unlocked; now and then the crew, or the rider at a station, swaps a low pack."""
        moped, chance, began = self._moped, self._chance, self._moped.at
        yield from self._park(moped.at + chance.uniform(90, 700))
        if chance.random() < _FALLS:
            moped.say("alert", alertStatus="0", code="4")
            yield from self._park(moped.at + chance.uniform(10, 60))
            moped.say("alert", alertStatus="1", code="2")  # the vendor has no "4 gone"
        if moped.percent < 40 and chance.random() < _SWAP_ON_THE_WAY:
            yield from self._swap(1)
        yield from self._park(moped.at + chance.uniform(20, 400))
        self._paused_s += moped.at - began

    def _leg(self, aim: streets.Cell) -> Moments:
        moped, chance = self._moped, self._chance
        path = streets.way(moped.world, chance, (moped.x_m, moped.y_m), aim)
        motion = Motion(moped.world, moped.traits.body, self._rider, path, moped.at, chance)
        self._books.append(motion.book)
        moped.set_off()
        yield from self._drive(motion)
        moped.mode_riding, moped.speed_ms = False, 0.0
        moped.x_m, moped.y_m, moped.height_m = path.x_m, path.y_m, motion.height_m

    def _drive(self, motion: Motion) -> Moments:
        moped, path = self._moped, motion.path
        tyre, second, limit_w = moped.traits.tyre, 0, 0.0
        while not path.done and not self._stranded:
            if second % _LOOK_S == 0:
                limit_w = self._allowed_w()
            second += 1
            yield moped.at + 1
            stopped = motion.step(limit_w)
            moped.odometer_m += motion.way_m * tyre
            moped.riding_s += 1
            moped.x_m, moped.y_m, moped.height_m = path.x_m, path.y_m, motion.height_m
            speed_ms = moped.speed_ms = motion.speed_ms
            if speed_ms > self._top_ms:
                self._top_ms = speed_ms
            moped.elapse(1.0, motion.power_w)
            if stopped and motion.stop_s:
                yield from self._wait(motion, motion.stop_s)
        motion.halt()

    def _wait(self, motion: Motion, seconds: float) -> Moments:
        """At a traffic light."""
        moped, until = self._moped, self._moped.at + seconds
        while moped.at < until:
            then = min(until, max(moped.due_at, moped.at + 0.01))
            moped.power_w = motion.auxiliary_w
            yield then
            motion.stand(then - moped.at)
            moped.riding_s += then - moped.at
            moped.elapse(then - moped.at, motion.power_w)

    def _allowed_w(self) -> float:
        """Power that motor, packs and a low charge allow; a flat pack ends the ride."""
        moped = self._moped
        percent = moped.percent
        self._stranded = moped.soc < _STRANDED or not moped.fitted
        if percent < _LOW and not moped.low_power:
            moped.low_power = True
            moped.say("alert", alertStatus="0", code="12")
        limit_w = min(moped.traits.body.motor_w, utmost_w(moped.fitted))
        return min([limit_w, *(power_w for below, power_w in _LIMP if percent < below)])

    def _return_helmet(self) -> None:
        moped = self._moped
        if moped.helmet_taken:
            moped.helmet_taken = False
            moped.say("components", type="4", status="1")

    def _lock(self) -> None:
        moped, chance = self._moped, self._chance
        moped.locked = True
        moped.in_garage = chance.random() < _GARAGES
        moped.lock_v = min(4.15, max(3.42, moped.lock_v + chance.uniform(-0.012, 0.011)))
        moped.speak_now()

    def _record(self, begin: dict[str, float], swaps: int) -> None:
        """The trip as it really was."""
        moped = self._moped
        km = (moped.odometer_m - begin["odometer"]) / 1000
        net_wh = moped.drawn_wh - begin["drawn"] - (moped.fed_wh - begin["fed"])
        if km > 0.3:
            moped.learn_use(net_wh / km)
        moped.truth.rides += 1
        times = {"started_at": begin["at"], "finished_at": moped.at, "duration_s": moped.at - begin["at"]}
        energy = {"energy_wh": net_wh, "regen_wh": moped.fed_wh - begin["fed"]}
        use = {**energy, "wh_per_km": net_wh / km if km > 0 else None}
        row = {"trip": moped.truth.rides, **times, **self._way(begin), **self._charge(begin), **use, "swaps": swaps}
        moped.truth.trips.append({**row, **self._causes()})

    def _way(self, begin: dict[str, float]) -> dict[str, float]:
        moped = self._moped
        riding_s, metres = moped.riding_s - begin["riding"], moped.odometer_m - begin["odometer"]
        return {
            "riding_s": riding_s,
            "paused_s": self._paused_s,
            "distance_m": int(moped.odometer_m) - int(begin["odometer"]),
            "start_odometer_m": int(begin["odometer"]),
            "finish_odometer_m": int(moped.odometer_m),
            **_place("start", begin["x"], begin["y"]),
            **_place("finish", moped.x_m, moped.y_m),
            "mean_speed_kmh": 3.6 * metres / riding_s,
            "max_speed_kmh": 3.6 * self._top_ms * moped.traits.tyre,
        }

    def _charge(self, begin: dict[str, float]) -> dict[str, float]:
        moped = self._moped
        return {
            "soc_start_pct": 100 * begin["soc"],
            "soc_finish_pct": 100 * moped.soc,
            "soc_used_pct": 100 * (begin["soc"] - moped.soc + moped.swapped_soc - begin["swapped"]),
            "shown_start_pct": begin["percent"],
            "shown_finish_pct": moped.percent,
        }

    def _causes(self) -> dict[str, float]:
        """What explains the energy, and nobody is told."""
        return {
            "ambient_c": self._moped.ambient_c,
            "load_kg": self._rider.mass_kg + self._rider.passenger_kg,
            "ground_m": self._sum("way_m"),
            "ascent_m": self._sum("ascent_m"),
            **{f"{name}_wh": self._sum(f"{name}_j") / 3600 for name in _PARTS},
        }

    def _sum(self, name: str) -> float:
        return sum(float(getattr(book, name)) for book in self._books)


def _place(which: str, x_m: float, y_m: float) -> dict[str, float]:
    lat_deg, lon_deg = degrees(x_m, y_m)
    return {f"{which}_lat_deg": lat_deg, f"{which}_lon_deg": lon_deg}
