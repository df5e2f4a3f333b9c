"""A simulated moped over time: consumption, days, and the messages that it sends."""

from collections import deque
from datetime import UTC, datetime

from logger.simulator.vehicle.battery import Pack, apply_load
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.messages import Message, location_push, status_push
from logger.simulator.vehicle.moped_state import MopedState

RIDING_S, LOCKED_S = 10, 900  # between two status pushes, and two locations; standing unlocked depends on the moped
_IOT_W, _IOT_WH = 0.25, 8.0  # the telematics unit and its own battery


class Moped(MopedState):
    """A moped whose time passes in `elapse` and `stand_until`; its messages lie in `outbox` until somebody takes them.

    `last_received` has the last status and location that the cloud received. At `due_at` the next message is due.
    """

    def __init__(self, number: int, seed: int, start_at: int) -> None:
        super().__init__(number, seed, start_at)
        self._midnight = (start_at // DAY_S + 1) * DAY_S
        self._first_m, self._day_m, self._day_pushed_m = self.odometer_m, self.odometer_m, 0.0
        self.outbox: deque[Message] = deque()
        self._status_at, self._location_at = (start_at + self.chance.uniform(0, LOCKED_S) for _ in range(2))
        self.due_at = min(self._status_at, self._location_at)
        self._last_device_s, self.stale_fixes = 0, 0
        self._fix = self.gps.fix(start_at, *self.gps_conditions, True)
        self.last_received = {"status": status_push(self), "location": location_push(self._fix)}

    # ---- time ------------------------------------------------------------------------------------------------------

    def elapse(self, seconds: float, power_w: float) -> None:
        """Let time pass at this power; send what becomes due."""
        hours = seconds / 3600
        self.power_w = power_w
        if self.fitted:
            self.volts.append(apply_load(self.fitted, power_w, seconds, self.ambient_c))
            if power_w > 0:
                self.drawn_wh += power_w * hours
            else:
                self.fed_wh -= power_w * hours
        self.at += seconds
        if self.at >= self._midnight:
            self.close_day()
        if self.at >= self.due_at:
            self._send_due()

    def stand_until(self, at: float) -> None:
        """Stand, locked or not, until this moment; it must not be later than `due_at`."""
        seconds = at - self.at
        gain_w = 2.0 if self.has_power else -_IOT_W
        self.iot_pct = min(100.0, max(1.0, self.iot_pct + gain_w * seconds / 36 / _IOT_WH))
        self.elapse(seconds, self.standing_w)
        self.at = at
        if at >= self.due_at:
            self._send_due()

    def finish(self) -> None:
        """End the simulation: complete the records of the truth."""
        if self.offline_since is not None:
            self.truth.offline.append({"started_at": self.offline_since, "finished_at": self.at})
        if self._midnight - self.at < DAY_S:  # a day that began and did not end
            self.close_day()
        self.shelf.advance(self.at)
        self.shelf.finish()

    # ---- days ------------------------------------------------------------------------------------------------------

    def close_day(self) -> None:
        """Enter the day's figures into the truth at midnight, and let the packs age."""
        moment = datetime.fromtimestamp(self._midnight - 1, UTC)
        self._midnight += DAY_S
        self._record_distance(moment)
        self.shelf.advance(self.at)
        for pack in self.shelf.packs:
            self._record_pack(pack, moment, "depot", None)
        for port, fitted in enumerate(self.packs, 1):
            if fitted is not None:
                self._record_pack(fitted, moment, "vehicle", port)

    def _record_distance(self, moment: datetime) -> None:
        day_m, pushed_m = int(self.odometer_m) - int(self._day_m), self.pushed_m - self._day_pushed_m
        distances = {"odometer_m": day_m, "pushed_m": pushed_m, "trips_m": day_m - pushed_m}
        self.truth.odometer.append({"day": moment.date(), "reading_m": int(self.odometer_m), **distances})
        self._day_m, self._day_pushed_m = self.odometer_m, self.pushed_m
        self.truth.driven_m = int(self.odometer_m) - int(self._first_m)

    def _record_pack(self, pack: Pack, moment: datetime, place: str, port: int | None) -> None:
        location = {"pack": pack.name, "day": moment.date(), "place": place, "port": port}
        capacity = {"capacity_wh": pack.capacity_wh, "capacity_ah": pack.capacity_ah, "soh_pct": pack.soh_pct}
        age = {"resistance_mohm": 1000 * pack.ohm, "efc": pack.efc, "age_days": pack.age_days}
        display = {"cycles": pack.bms.cycles, "soc_pct": 100 * pack.soc, "shown_pct": pack.bms.shown_pct}
        self.truth.packs.append({**location, **capacity, **age, **display})
        pack.age(1)

    # ---- messages --------------------------------------------------------------------------------------------------

    def send_event(self, path: str, **fields: str) -> None:
        """Send an event of this moment."""
        self.outbox.append((self.at, path, {**fields, "statusUtcTime": str(self.device_s)}))

    def report_change(self) -> None:
        """Send what a change of lock or charger makes due; some firmware waits for the next regular status."""
        if self.specification.reports_locking:
            self._status_at = self.at
        elif not self.locked:
            self._status_at = min(self._status_at, self.at + RIDING_S)
        if not self.locked:
            self._location_at = min(self._location_at, self.at + self.chance.uniform(1, 4))
        self._send_due()

    def begin_riding(self) -> None:
        """Begin to ride: the next status is at most ten seconds away."""
        self.mode_riding = True
        self._status_at = min(self._status_at, self.at + RIDING_S)
        self.due_at = min(self._status_at, self._location_at)

    def _send_due(self) -> None:
        self.ambient_c = self.environment.ambient_c(self.at)
        self._search_network()
        if self.at >= self._status_at:
            self._status_at = self.at + self._status_interval_s
            self._send_status()
        if self.at >= self._location_at:
            self._location_at = self.at + (LOCKED_S if self.locked else RIDING_S)
            self._send_location()
        self.due_at = min(self._status_at, self._location_at)

    @property
    def _status_interval_s(self) -> int:
        if self.locked:
            return LOCKED_S
        return RIDING_S if self.mode_riding else self.specification.standing_interval_s

    def _send_status(self) -> None:
        if self.device_s == self._last_device_s:  # its clock has whole seconds: no two statuses in one
            return
        self._last_device_s = self.device_s
        self._send("status", status_push(self))

    def _send_location(self) -> None:
        if self.stale_fixes > 0:
            self.stale_fixes -= 1
        elif self.in_garage or self.no_gnss:
            self._fix = self.gps.no_fix(self.at)
        else:
            self._fix = self.gps.fix(self.at, *self.gps_conditions, self.locked)
        self._send("location", location_push(self._fix))

    def _send(self, path: str, fields: dict[str, str]) -> None:
        self.outbox.append((self.at, path, fields))
        if self.online:
            self.last_received[path] = fields

    def _search_network(self) -> None:
        """Find or lose the network, and record the time without it."""
        found = not self.in_garage and self.environment.network_strength(self.x_m, self.y_m) > 0
        if found and self.offline_since is not None:
            self.truth.offline.append({"started_at": self.offline_since, "finished_at": self.at})
            self.offline_since = None
        elif not found and self.offline_since is None:
            self.offline_since = self.at
