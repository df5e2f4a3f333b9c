"""One trip of a rider: unlock, ride, perhaps pause, ride on, lock."""

from collections.abc import Callable, Iterator

import msgspec

from logger.simulator.vehicle.battery import max_power_w
from logger.simulator.vehicle.environment import degrees
from logger.simulator.vehicle.moped import Moped
from logger.simulator.vehicle.motion import EnergyBalance, Motion, draw_rider
from logger.simulator.vehicle.streets import Junction, destination, nearest_junction, plan_route

_DISTANCE_M, _SPREAD, _LONGEST_M = 2900.0, 0.55, 9000.0
_PAUSES, _GARAGES, _CANCELLATIONS, _STALE_FIXES = 0.13, 0.04, 0.05, 0.3  # how often
_FALLS = 0.04  # how often in a pause
_SWAPS = 0.5  # how often in a pause with a low battery
_LIMITS = ((8, 800.0), (15, 1500.0))  # percent shown, power [W] allowed below it
_LIMIT_S = 10  # how often the controller computes the power limit
_STRANDED_SOC, _LOW_PCT = 0.012, 20
_PARTS = ("drag", "rolling", "drive", "brake", "auxiliary", "climb", "kinetic", "residual")
Moments = Iterator[float]


class _Start(msgspec.Struct, frozen=True):
    """The moped's counters when it was unlocked."""

    at: float
    odometer_m: float
    riding_s: float
    x_m: float
    y_m: float
    soc: float
    swapped_soc: float
    drawn_wh: float
    fed_wh: float
    percent: int
    swaps: int


class Trip:
    """From unlocking to locking. `park` and `swap` are generators of the usage; without `goal` it goes anywhere."""

    def __init__(
        self,
        moped: Moped,
        park: Callable[[float], Moments],
        swap: Callable[[int], Moments],
        goal: Junction | None = None,
    ) -> None:
        self._moped, self._chance, self._goal = moped, moped.chance, goal
        self._park, self._swap = park, swap
        self._rider = draw_rider(moped.chance)
        self._balances: list[EnergyBalance] = []
        self._top_ms, self._paused_s, self._stranded = 0.0, 0.0, False

    def moments(self) -> Moments:
        """Yield the moments of the trip, and record it in the truth."""
        moped, chance = self._moped, self._chance
        start = self._unlock()
        yield from self._park(moped.at + chance.uniform(12, 45))
        if chance.random() < _CANCELLATIONS:
            self._lock()
            times = {"started_at": start.at, "finished_at": moped.at}
            moped.truth.events.append({"what": "unlocked in vain", **times, "distance_m": 0.0})
            return
        self._take_helmet()
        yield from self._legs()
        self._return_helmet()
        yield from self._park(moped.at + chance.uniform(8, 30))
        self._record(start)
        self._lock()

    # ---- locking ---------------------------------------------------------------------------------------------------

    def _unlock(self) -> _Start:
        moped = self._moped
        moped.locked, moped.in_garage, moped.mode = False, False, self._rider.mode
        if moped.clock_lost_at is not None:
            moped.clock_lost_at = None
            moped.send_event("fault", faultStatus="1", code="E2")
        if self._chance.random() < _STALE_FIXES:
            moped.stale_fixes = self._chance.randint(1, 3)
        start = _start(moped)
        moped.report_change()
        return start

    def _lock(self) -> None:
        moped, chance = self._moped, self._chance
        moped.locked = True
        moped.in_garage = chance.random() < _GARAGES
        moped.lock_v = min(4.15, max(3.42, moped.lock_v + chance.uniform(-0.012, 0.011)))
        moped.report_change()

    def _take_helmet(self) -> None:
        moped = self._moped
        moped.helmet_taken = self._chance.random() < 0.7
        if moped.helmet_taken:
            moped.send_event("components", type="4", status="2")

    def _return_helmet(self) -> None:
        moped = self._moped
        if moped.helmet_taken:
            moped.helmet_taken = False
            moped.send_event("components", type="4", status="1")

    # ---- legs and pauses -------------------------------------------------------------------------------------------

    def _legs(self) -> Moments:
        chance = self._chance
        if self._goal is not None:
            yield from self._legs_to(self._goal)
            return
        distance_m = min(_LONGEST_M, _DISTANCE_M * chance.lognormvariate(0, _SPREAD))
        yield from self._leg(self._random_goal(distance_m))
        if not self._stranded and chance.random() < _PAUSES:
            yield from self._pause()
            yield from self._leg(self._random_goal(distance_m * chance.uniform(0.3, 1.2)))

    def _legs_to(self, goal: Junction) -> Moments:
        """Ride to the goal, perhaps with a pause elsewhere."""
        if self._chance.random() < _PAUSES:
            yield from self._leg(self._random_goal(_DISTANCE_M / 2))
            if not self._stranded:
                yield from self._pause()
        if not self._stranded:
            yield from self._leg(goal)

    def _random_goal(self, distance_m: float) -> Junction:
        return destination(self._chance, nearest_junction(self._moped.x_m, self._moped.y_m), distance_m)

    def _pause(self) -> Moments:
        """Stand unlocked, at a shop; now and then the crew, or the rider at a station, swaps a low pack."""
        moped, chance, began = self._moped, self._chance, self._moped.at
        yield from self._park(moped.at + chance.uniform(90, 700))
        if chance.random() < _FALLS:
            moped.send_event("alert", alertStatus="0", code="4")
            yield from self._park(moped.at + chance.uniform(10, 60))
            moped.send_event("alert", alertStatus="1", code="2")  # the vendor has no "4 cleared"
        if moped.percent < 40 and chance.random() < _SWAPS:
            yield from self._swap(1)
        yield from self._park(moped.at + chance.uniform(20, 400))
        self._paused_s += moped.at - began

    def _leg(self, goal: Junction) -> Moments:
        moped, chance = self._moped, self._chance
        route = plan_route(moped.environment, chance, (moped.x_m, moped.y_m), goal)
        motion = Motion(moped.environment, moped.specification.body, self._rider, route, moped.at, chance)
        self._balances.append(motion.balance)
        moped.begin_riding()
        yield from self._drive(motion)
        moped.mode_riding, moped.speed_ms = False, 0.0
        moped.x_m, moped.y_m, moped.height_m = route.x_m, route.y_m, motion.height_m

    # ---- seconds of a leg ------------------------------------------------------------------------------------------

    def _drive(self, motion: Motion) -> Moments:
        moped, second, limit_w = self._moped, 0, 0.0
        while not motion.route.done and not self._stranded:
            if second % _LIMIT_S == 0:
                limit_w = self._power_limit_w()
            second += 1
            yield moped.at + 1
            stopped = self._step(motion, limit_w)
            moped.elapse(1.0, motion.power_w)
            if stopped and motion.stop_s:
                yield from self._wait(motion, motion.stop_s)
        motion.halt()

    def _step(self, motion: Motion, limit_w: float) -> bool:
        """Move for a second; return whether the moped stopped."""
        moped = self._moped
        stopped = motion.step(limit_w)
        moped.odometer_m += motion.distance_m * moped.specification.odometer_factor
        moped.riding_s += 1
        moped.x_m, moped.y_m, moped.height_m = motion.route.x_m, motion.route.y_m, motion.height_m
        moped.speed_ms = motion.speed_ms
        self._top_ms = max(self._top_ms, motion.speed_ms)
        return stopped

    def _wait(self, motion: Motion, seconds: float) -> Moments:
        """Stand at a traffic light."""
        moped, end = self._moped, self._moped.at + seconds
        while moped.at < end:
            now = min(end, max(moped.due_at, moped.at + 0.01))
            moped.power_w = motion.auxiliary_w
            yield now
            motion.stand(now - moped.at)
            moped.riding_s += now - moped.at
            moped.elapse(now - moped.at, motion.power_w)

    def _power_limit_w(self) -> float:
        """Return the power that motor, packs and a low charge allow; an empty pack ends the trip."""
        moped = self._moped
        percent = moped.percent
        self._stranded = moped.soc < _STRANDED_SOC or not moped.fitted
        if percent < _LOW_PCT and not moped.low_power:
            moped.low_power = True
            moped.send_event("alert", alertStatus="0", code="12")
        limit_w = min(moped.specification.body.motor_w, max_power_w(moped.fitted))
        return min([limit_w, *(power_w for below, power_w in _LIMITS if percent < below)])

    # ---- the record ------------------------------------------------------------------------------------------------

    def _record(self, start: _Start) -> None:
        moped = self._moped
        km = (moped.odometer_m - start.odometer_m) / 1000
        regen_wh = moped.fed_wh - start.fed_wh
        net_wh = moped.drawn_wh - start.drawn_wh - regen_wh
        if km > 0.3:
            moped.learn_consumption(net_wh / km)
        trips = moped.truth.trips
        times = {"started_at": start.at, "finished_at": moped.at, "duration_s": moped.at - start.at}
        energy = {"energy_wh": net_wh, "regen_wh": regen_wh, "wh_per_km": net_wh / km if km > 0 else None}
        row = {"trip": len(trips) + 1, **times, **self._distances(start), **self._charges(start), **energy}
        trips.append({**row, "swaps": len(moped.truth.swaps) - start.swaps, **self._causes()})

    def _distances(self, start: _Start) -> dict[str, float]:
        moped = self._moped
        riding_s, metres = moped.riding_s - start.riding_s, moped.odometer_m - start.odometer_m
        return {
            "riding_s": riding_s,
            "paused_s": self._paused_s,
            "distance_m": int(moped.odometer_m) - int(start.odometer_m),
            "start_odometer_m": int(start.odometer_m),
            "finish_odometer_m": int(moped.odometer_m),
            **_coordinates("start", start.x_m, start.y_m),
            **_coordinates("finish", moped.x_m, moped.y_m),
            "mean_speed_kmh": 3.6 * metres / riding_s,
            "max_speed_kmh": 3.6 * self._top_ms * moped.specification.odometer_factor,
        }

    def _charges(self, start: _Start) -> dict[str, float]:
        moped = self._moped
        return {
            "soc_start_pct": 100 * start.soc,
            "soc_finish_pct": 100 * moped.soc,
            "soc_used_pct": 100 * (start.soc - moped.soc + moped.swapped_soc - start.swapped_soc),
            "shown_start_pct": start.percent,
            "shown_finish_pct": moped.percent,
        }

    def _causes(self) -> dict[str, float]:
        """Return what explains the energy and is not reported."""
        return {
            "ambient_c": self._moped.ambient_c,
            "load_kg": self._rider.mass_kg + self._rider.passenger_kg,
            "ground_m": self._sum("distance_m"),
            "ascent_m": self._sum("ascent_m"),
            **{f"{name}_wh": self._sum(f"{name}_j") / 3600 for name in _PARTS},
        }

    def _sum(self, name: str) -> float:
        return sum(float(getattr(balance, name)) for balance in self._balances)


def _start(moped: Moped) -> _Start:
    return _Start(
        at=moped.at,
        odometer_m=moped.odometer_m,
        riding_s=moped.riding_s,
        x_m=moped.x_m,
        y_m=moped.y_m,
        soc=moped.soc,
        swapped_soc=moped.swapped_soc,
        drawn_wh=moped.drawn_wh,
        fed_wh=moped.fed_wh,
        percent=moped.percent,
        swaps=len(moped.truth.swaps),
    )


def _coordinates(end: str, x_m: float, y_m: float) -> dict[str, float]:
    lat_deg, lon_deg = degrees(x_m, y_m)
    return {f"{end}_lat_deg": lat_deg, f"{end}_lon_deg": lon_deg}
