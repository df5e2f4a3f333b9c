"""One simulated moped: its state, the passing of time, and when it speaks."""

from collections import deque
from datetime import UTC, datetime
from random import Random

from logger.simulator.vehicle import speech
from logger.simulator.vehicle.battery import Pack, feed
from logger.simulator.vehicle.depot import Shelf
from logger.simulator.vehicle.gps import Fix, Gps
from logger.simulator.vehicle.traits import traits
from logger.simulator.vehicle.truth import Truth
from logger.simulator.vehicle.world import DAY_S, REACH, world

RIDING_S, LOCKED_S = 10, 900  # between two status pushes, and two locations; standing unlocked is a trait
_NOMINAL_V, _WH_PER_KM = 48.0, 32.0  # what the firmware expects of a pack and of a kilometre
_SPARES = 2  # on the shelf, besides one for each port
_EMPTY = 0.004  # a pack's electronics let go of it
_IOT_W, _IOT_WH = 0.25, 8.0  # the telematics unit and its own battery
_YEAR_2000 = 946_684_800
Said = tuple[float, str, dict[str, str]]


class Moped:
    """State at the moment `at` [epoch s]. Whoever moves it (see `life`) lets time pass by `elapse`."""

    def __init__(self, number: int, seed: int, start_at: int) -> None:
        chance = self.chance = Random(f"{seed} {number}")
        self.world, self.traits = world(seed), traits(chance, number)
        self.vehicle = f"{860_000_000_000_000 + number:015d}"
        self.truth = Truth(self.vehicle, self.traits)
        self.at, self.start_at = float(start_at), start_at
        self._midnight = (start_at // DAY_S + 1) * DAY_S
        self.ambient_c = self.world.ambient_c(start_at)
        self._place()
        self._fill(number)
        self.gps = Gps(chance)
        self.outbox: deque[Said] = deque()
        self.told: dict[str, dict[str, str]] = {}
        self._status_at, self._location_at = (start_at + chance.uniform(0, LOCKED_S) for _ in range(2))
        self.due_at = min(self._status_at, self._location_at)
        self._last_device_s, self.stale_fixes, self._fix = 0, 0, self.gps.fix(start_at, *self._seen(), True)
        self.told = {"status": speech.status(self), "location": speech.location(self._fix)}

    def _place(self) -> None:
        chance = self.chance
        self.x_m, self.y_m = self.world.junction(chance.randint(-REACH, REACH), chance.randint(-REACH, REACH))
        self.height_m = self.world.height_m(self.x_m, self.y_m)
        self.odometer_m = float(chance.randrange(50_000, 4_000_000)) + chance.random()
        self._first_m, self._day_m, self.pushed_m, self._day_pushed_m = self.odometer_m, self.odometer_m, 0.0, 0.0
        self.riding_s, self.speed_ms, self.mode = self.odometer_m / 5.7, 0.0, 2
        self.locked, self.mode_riding, self.charging, self.charger_w = True, False, False, 0.0
        self.saddle_open, self.helmet_taken, self.no_gnss, self.low_power = False, False, False, False
        self.lock_v, self.iot_pct = chance.uniform(3.95, 4.15), 100.0
        self.dark_since: float | None = None
        self.in_garage = False
        self.clock_lost_at: float | None = None

    def _fill(self, number: int) -> None:
        traits = self.traits
        owned = traits.ports if traits.private else 2 * traits.ports + _SPARES
        packs = [Pack(f"{number}-{each}", self.chance, traits.nominal_ah) for each in range(owned)]
        self.packs: list[Pack | None] = [*packs[: traits.ports]]
        self.fitted = packs[: traits.ports]
        self.shelf = Shelf(packs[traits.ports :], self.at, self.chance, self.truth)
        self.drawn_wh, self.fed_wh, self.swapped_soc, self.power_w = 0.0, 0.0, 0.0, 0.0
        self.volts: deque[float] = deque([self.fitted[0].voltage_v], maxlen=8)
        self.m_per_pct = 10 * self._full_wh / _WH_PER_KM

    # ---- what it is ------------------------------------------------------------------------------------------------

    @property
    def _full_wh(self) -> float:
        return _NOMINAL_V * self.traits.nominal_ah * self.traits.ports

    @property
    def soc(self) -> float:
        """True charge of the fitted packs, 0 to 1."""
        return sum(pack.soc for pack in self.fitted) / len(self.fitted) if self.fitted else 0.0

    @property
    def percent(self) -> int:
        """What the rider sees."""
        return sum(pack.bms.shown_pct for pack in self.fitted) // self.traits.ports

    @property
    def range_m(self) -> float:
        """By this firmware's rule; `recent` follows the use of late."""
        if self.traits.range_kind == "fine":
            fine_pct = sum(pack.bms.fine_pct for pack in self.fitted) / self.traits.ports
            return max(0.0, fine_pct) * 10 * self._full_wh / _WH_PER_KM
        return self.percent * (
            self.m_per_pct if self.traits.range_kind == "recent" else 10 * self._full_wh / _WH_PER_KM
        )

    @property
    def device_s(self) -> int:
        """What its own clock says [epoch s]."""
        if self.clock_lost_at is not None:
            return int(_YEAR_2000 + self.at - self.clock_lost_at)
        drift_s = self.traits.clock_drift_ppm * 1e-6 * (self.at - self.start_at)
        return int(self.at + self.traits.clock_offset_s + drift_s)

    @property
    def rest_w(self) -> float:
        """What it takes while it stands."""
        return (self.traits.locked_w if self.locked else self.traits.unlocked_w) if self._alive else 0.0

    @property
    def _alive(self) -> bool:
        return self.soc > _EMPTY

    @property
    def online(self) -> bool:
        """Whether the cloud can reach it."""
        return self.dark_since is None

    def learn_use(self, wh_per_km: float) -> None:
        """A ride used so much: firmware that looks back adapts its range."""
        usual = 10 * self._full_wh / min(60.0, max(18.0, wh_per_km))
        self.m_per_pct += 0.3 * (usual - self.m_per_pct)

    def _seen(self) -> tuple[float, float, float, float]:
        return self.x_m, self.y_m, self.height_m, self.world.hidden(self.x_m, self.y_m)

    def peek(self, chance: Random) -> Fix:
        """A position of this very moment, for the query that asks for one."""
        return self.gps.peek(self.at, *self._seen(), chance)

    # ---- time passes -----------------------------------------------------------------------------------------------

    def elapse(self, seconds: float, power_w: float) -> None:
        """So much time passes at this power; speak where it is time to."""
        hours = seconds / 3600
        self.power_w = power_w
        if self.fitted:
            self.volts.append(feed(self.fitted, power_w, seconds, self.ambient_c))
            if power_w > 0:
                self.drawn_wh += power_w * hours
            else:
                self.fed_wh -= power_w * hours
        self._pass(self.at + seconds)

    def rest_until(self, then: float) -> None:
        """Stand, locked or not, until then; at most until `due_at`."""
        seconds = then - self.at
        gain_w = 2.0 if self._alive else -_IOT_W
        self.iot_pct = min(100.0, max(1.0, self.iot_pct + gain_w * seconds / 36 / _IOT_WH))
        self.elapse(seconds, self.rest_w)
        self.at = then
        if then >= self.due_at:
            self._tell()

    def _pass(self, then: float) -> None:
        self.at = then
        if then >= self._midnight:
            self.close_day()
        if then >= self.due_at:
            self._tell()

    def close_day(self) -> None:
        """Midnight: the day's figures go to the truth, packs grow older."""
        moment = datetime.fromtimestamp(self._midnight - 1, UTC)
        self._midnight += DAY_S
        day_m, pushed_m = int(self.odometer_m) - int(self._day_m), self.pushed_m - self._day_pushed_m
        told = {"odometer_m": day_m, "pushed_m": pushed_m, "trips_m": day_m - pushed_m}
        self.truth.odometer.append({"day": moment.date(), "reading_m": int(self.odometer_m), **told})
        self._day_m, self._day_pushed_m = self.odometer_m, self.pushed_m
        self.truth.driven_m = int(self.odometer_m) - int(self._first_m)
        self.shelf.advance(self.at)
        for pack in self.shelf.packs:
            self._enter(pack, moment, "depot", None)
        for port, fitted in enumerate(self.packs, 1):
            if fitted is not None:
                self._enter(fitted, moment, "vehicle", port)

    def _enter(self, pack: Pack, moment: datetime, place: str, port: int | None) -> None:
        told = {"pack": pack.name, "day": moment.date(), "place": place, "port": port}
        capacity = {"capacity_wh": pack.capacity_wh, "capacity_ah": pack.capacity_ah, "soh_pct": pack.soh_pct}
        age = {"resistance_mohm": 1000 * pack.ohm, "efc": pack.efc, "age_days": pack.age_days}
        seen = {"cycles": pack.bms.cycles, "soc_pct": 100 * pack.soc, "shown_pct": pack.bms.shown_pct}
        self.truth.packs.append({**told, **capacity, **age, **seen})
        pack.age(1)

    # ---- speaking --------------------------------------------------------------------------------------------------

    def say(self, path: str, **fields: str) -> None:
        """An event, now."""
        self.outbox.append((self.at, path, {**fields, "statusUtcTime": str(self.device_s)}))

    def speak_now(self) -> None:
        """The lock changed: who tells at once, tells."""
        if self.traits.tells_locking:
            self._status_at = self.at
        elif not self.locked:
            self._status_at = min(self._status_at, self.at + RIDING_S)
        if not self.locked:
            self._location_at = min(self._location_at, self.at + self.chance.uniform(1, 4))
        self._tell()

    def set_off(self) -> None:
        """Riding begins: the next status is at most ten seconds away."""
        self.mode_riding = True
        self._status_at = min(self._status_at, self.at + RIDING_S)
        self.due_at = min(self._status_at, self._location_at)

    def _tell(self) -> None:
        self.ambient_c = self.world.ambient_c(self.at)
        self._listen()
        if self.at >= self._status_at:
            cadence_s = LOCKED_S if self.locked else RIDING_S if self.mode_riding else self.traits.standing_s
            self._status_at = self.at + cadence_s
            self._tell_status()
        if self.at >= self._location_at:
            self._location_at = self.at + (LOCKED_S if self.locked else RIDING_S)
            self._tell_location()
        self.due_at = min(self._status_at, self._location_at)

    def _tell_status(self) -> None:
        if self.device_s == self._last_device_s:  # its clock has seconds only: not twice in one
            return
        self._last_device_s = self.device_s
        fields = speech.status(self)
        self.outbox.append((self.at, "status", fields))
        if self.online:
            self.told["status"] = fields

    def _tell_location(self) -> None:
        if self.stale_fixes > 0:
            self.stale_fixes -= 1
        elif self.in_garage or self.no_gnss:
            self._fix = self.gps.none(self.at)
        else:
            self._fix = self.gps.fix(self.at, *self._seen(), self.locked)
        fields = speech.location(self._fix)
        self.outbox.append((self.at, "location", fields))
        if self.online:
            self.told["location"] = fields

    def _listen(self) -> None:
        """Find or lose the network."""
        bright = not self.in_garage and self.world.radio(self.x_m, self.y_m) > 0
        if bright and self.dark_since is not None:
            self.truth.dark.append({"started_at": self.dark_since, "finished_at": self.at})
            self.dark_since = None
        elif not bright and self.dark_since is None:
            self.dark_since = self.at

    def settle(self) -> None:
        """The end of the story: what is open is closed, so that the truth is whole."""
        if self.dark_since is not None:
            self.truth.dark.append({"started_at": self.dark_since, "finished_at": self.at})
        if self._midnight - self.at < DAY_S:  # a day that began and did not end
            self.close_day()
        self.shelf.advance(self.at)
        self.shelf.settle()
