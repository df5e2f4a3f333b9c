"""The state of one simulated moped at one moment: position, packs, lock, odometer, clock, network."""

from collections import deque
from random import Random

from logger.simulator.vehicle.battery import Pack
from logger.simulator.vehicle.depot import Shelf
from logger.simulator.vehicle.environment import REACH, environment
from logger.simulator.vehicle.gps import Fix, Gps
from logger.simulator.vehicle.specification import draw_specification
from logger.simulator.vehicle.truth import Truth

_NOMINAL_V, _WH_PER_KM = 48.0, 32.0  # what the firmware assumes of a pack and of a kilometre
_SPARES = 2  # packs on the shelf, besides one for each port
_EMPTY = 0.004  # the charge at which a pack's electronics switch it off
_YEAR_2000 = 946_684_800


class MopedState:
    """A moped at the moment `at` [epoch s]. `chance` is the source of all randomness of this moped."""

    def __init__(self, number: int, seed: int, start_at: int) -> None:
        chance = self.chance = Random(f"{seed} {number}")
        self.environment, self.specification = environment(seed), draw_specification(chance, number)
        self.vehicle = f"{860_000_000_000_000 + number:015d}"
        self.truth = Truth(self.vehicle, self.specification)
        self.at, self.start_at = float(start_at), start_at
        self.ambient_c = self.environment.ambient_c(start_at)
        self._place_at_random()
        self._set_initial_counters()
        self._fit_packs(number)
        self.gps = Gps(chance)

    def _place_at_random(self) -> None:
        chance = self.chance
        self.x_m, self.y_m = self.environment.junction(chance.randint(-REACH, REACH), chance.randint(-REACH, REACH))
        self.height_m = self.environment.height_m(self.x_m, self.y_m)
        self.in_garage = False
        self.offline_since: float | None = None

    def _set_initial_counters(self) -> None:
        chance = self.chance
        self.odometer_m = float(chance.randrange(50_000, 4_000_000)) + chance.random()
        self.pushed_m = 0.0  # of the odometer: pushed by hand
        self.riding_s, self.speed_ms, self.mode = self.odometer_m / 5.7, 0.0, 2
        self.locked, self.mode_riding, self.charging, self.charger_w = True, False, False, 0.0
        self.saddle_open, self.helmet_taken, self.no_gnss, self.low_power = False, False, False, False
        self.lock_v, self.iot_pct = chance.uniform(3.95, 4.15), 100.0
        self.clock_lost_at: float | None = None

    def _fit_packs(self, number: int) -> None:
        specification = self.specification
        count = specification.ports if specification.private else 2 * specification.ports + _SPARES
        packs = [Pack(f"{number}-{each}", self.chance, specification.nominal_ah) for each in range(count)]
        self.packs: list[Pack | None] = [*packs[: specification.ports]]
        self.fitted = packs[: specification.ports]
        self.shelf = Shelf(packs[specification.ports :], self.at, self.chance, self.truth)
        self.drawn_wh, self.fed_wh, self.swapped_soc, self.power_w = 0.0, 0.0, 0.0, 0.0
        self.volts: deque[float] = deque([self.fitted[0].voltage_v], maxlen=8)
        self._recent_m_per_pct = self._nominal_m_per_pct

    # ---- packs -----------------------------------------------------------------------------------------------------

    @property
    def _full_wh(self) -> float:
        return _NOMINAL_V * self.specification.nominal_ah * self.specification.ports

    @property
    def soc(self) -> float:
        """The true charge of the fitted packs, 0 to 1."""
        return sum(pack.soc for pack in self.fitted) / len(self.fitted) if self.fitted else 0.0

    @property
    def percent(self) -> int:
        """The percent that the rider sees."""
        return sum(pack.bms.shown_pct for pack in self.fitted) // self.specification.ports

    def fit_pack(self, port: int, pack: Pack | None) -> None:
        """Put a pack into a port, or take the one there out."""
        self.packs[port - 1] = pack
        self.fitted = [each for each in self.packs if each is not None]

    @property
    def has_power(self) -> bool:
        """Whether the packs can supply the electronics."""
        return self.soc > _EMPTY

    @property
    def standing_w(self) -> float:
        """The consumption while standing, locked or not."""
        specification = self.specification
        return (specification.locked_w if self.locked else specification.unlocked_w) if self.has_power else 0.0

    # ---- range -----------------------------------------------------------------------------------------------------

    @property
    def _nominal_m_per_pct(self) -> float:
        return 10 * self._full_wh / _WH_PER_KM

    @property
    def range_m(self) -> float:
        """The range by this firmware's rule; `recent` follows the recent consumption."""
        if self.specification.range_kind == "fine":
            fine_pct = sum(pack.bms.fine_pct for pack in self.fitted) / self.specification.ports
            return max(0.0, fine_pct) * 10 * self._full_wh / _WH_PER_KM
        recent = self.specification.range_kind == "recent"
        return self.percent * (self._recent_m_per_pct if recent else self._nominal_m_per_pct)

    def learn_consumption(self, wh_per_km: float) -> None:
        """Adapt the range to a trip's consumption, as firmware of the kind `recent` does."""
        m_per_pct = 10 * self._full_wh / min(60.0, max(18.0, wh_per_km))
        self._recent_m_per_pct += 0.3 * (m_per_pct - self._recent_m_per_pct)

    # ---- clock, network, position ----------------------------------------------------------------------------------

    @property
    def device_s(self) -> int:
        """The time by the moped's own clock [epoch s]."""
        if self.clock_lost_at is not None:
            return int(_YEAR_2000 + self.at - self.clock_lost_at)
        drift_s = self.specification.clock_drift_ppm * 1e-6 * (self.at - self.start_at)
        return int(self.at + self.specification.clock_offset_s + drift_s)

    @property
    def online(self) -> bool:
        """Whether the cloud can reach it."""
        return self.offline_since is None

    def move_to(self, x_m: float, y_m: float) -> None:
        """Put it to another position."""
        self.x_m, self.y_m = x_m, y_m
        self.height_m = self.environment.height_m(x_m, y_m)

    def measure_position(self, chance: Random) -> Fix:
        """Return a fix of this moment, as the real-time location query does; the state stays as it is."""
        return self.gps.measure(self.at, *self.gps_conditions, chance)

    @property
    def gps_conditions(self) -> tuple[float, float, float, float]:
        """Position [m], height [m] and the hidden share of the sky."""
        return self.x_m, self.y_m, self.height_m, self.environment.sky_obstruction(self.x_m, self.y_m)
