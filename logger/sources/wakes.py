"""When each car was requested last: a request wakes a car that sleeps, and costs its 12 V battery.

The moments are on disk, before a request is sent, so that they hold over restarts and for all processes. Between them
time is counted by a clock that nobody sets; only over a reboot the time of day has to be believed.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from logger.atomic import write_file
from logger.errors import Retry
from logger.locks import exclusive_lock
from logger.settings.schema import State
from logger.sources.contract import Rest
from logger.sources.pace import speed

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Clock(msgspec.Struct, frozen=True):
    """The clocks of this machine: which of its runs this is, how long it has run [s], the time of day [epoch s]."""

    boot: str
    uptime_s: Callable[[], float]
    now: Callable[[], float] = time.time


class Wake(msgspec.Struct, frozen=True):
    """One request, by these clocks, and what the answer said: the car's state, and its 12 V battery [V]."""

    boot: str
    uptime_s: float
    at: float
    state: State = "parked"
    aux_voltage_v: float | None = None


class WakeRules(msgspec.Struct, frozen=True):
    """A car is requested every `least_s` at most, by whatever means, and by schedule as its state says [s].

    Below `least_voltage_v` of its 12 V battery it is not requested by schedule, and by hand as if it slept.
    """

    every_s: Mapping[State, float]
    least_s: float = 600.0
    least_voltage_v: float = 0.0

    @property
    def asleep_s(self) -> float:
        """How often a car that sleeps may be requested [s]; never where it is not."""
        return self.every_s.get("parked", math.inf)


def machine_clock() -> Clock:
    """The clocks of this machine, which go on while it is suspended."""
    try:
        boot = _BOOT.read_text().strip()
    except OSError:
        boot = ""
    source = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Clock(boot, lambda: time.clock_gettime(source))


class WakeLog:
    """The file `wakes-ACCOUNT.json` of a data folder."""

    def __init__(self, folder: Path, account: str, rules: WakeRules, clock: Clock | None = None) -> None:
        self._file, self._account, self._rules = folder / f"wakes-{account}.json", account, rules
        self._clock = clock or machine_clock()

    def rest(self, vehicle: str, *, by_hand: bool = False) -> Rest | None:
        """Why this car may not be requested now; None where it may."""
        wakes = self._read()
        if wakes is None:
            return Rest(math.inf, f"is left alone for its 12 V battery: {self._damage}")
        wake = wakes.get(vehicle)
        return None if wake is None else self._rest(wake, by_hand=by_hand)

    def begin(self, vehicle: str) -> None:
        """Note a request before it is sent. Raises `Retry` where it must not be, or cannot be noted."""
        with self._changing() as wakes:
            last = wakes.get(vehicle)
            rest = last and self._rest(last, by_hand=True)
            if rest:
                raise Retry(f"{self._account}: {vehicle} {rest.reason}", after=rest.seconds)
            wake = Wake(self._clock.boot, self._clock.uptime_s(), self._clock.now())
            state, volts = (last.state, last.aux_voltage_v) if last else ("parked", None)
            wakes[vehicle] = msgspec.structs.replace(wake, state=state, aux_voltage_v=volts)

    def record(self, vehicle: str, state: State, aux_voltage_v: float | None = None) -> None:
        """Note what the answer said; without a voltage, that of the one before holds. Raises `Retry`, as `begin`."""
        with self._changing() as wakes:
            wake = wakes[vehicle]
            volts = wake.aux_voltage_v if aux_voltage_v is None else aux_voltage_v
            wakes[vehicle] = msgspec.structs.replace(wake, state=state, aux_voltage_v=volts)

    # ---- how long --------------------------------------------------------------------------------------------------

    def _rest(self, wake: Wake, *, by_hand: bool) -> Rest | None:
        pauses = [(self._rules.least_s - self._proven_s(wake), self._least_reason(wake))]
        pauses += [(pause - self._believed_s(wake), reason) for pause, reason in self._pauses(wake, by_hand=by_hand)]
        seconds, reason = max(pauses)
        return Rest(seconds / speed(), reason) if seconds > 0 else None

    def _pauses(self, wake: Wake, *, by_hand: bool) -> Iterator[tuple[float, str]]:
        """How long after a request the next one may come, and why [s]."""
        low = wake.aux_voltage_v is not None and wake.aux_voltage_v < self._rules.least_voltage_v
        if low:
            reason = f"has {wake.aux_voltage_v:g} V in its 12 V battery, of at least {self._rules.least_voltage_v:g} V"
            yield (self._rules.asleep_s if by_hand else math.inf), f"{reason}: poll it by hand when it was driven"
        elif not by_hand:
            text = "sleeps, and is left alone for its 12 V battery: `voltrail poll --once` requests it now"
            every_s = self._rules.every_s.get(wake.state, math.inf)
            yield every_s, text if wake.state == "parked" else f"is {wake.state}, and was requested a while ago"

    def _least_reason(self, wake: Wake) -> str:
        ago_s = self._believed_s(wake)
        return f"was requested {ago_s:.0f} s ago; it may be every {self._rules.least_s:.0f} s, for its 12 V battery"

    def _proven_s(self, wake: Wake) -> float:
        """How long ago this was at least, whatever the time of day has been set to [s]."""
        up_s = self._clock.uptime_s()
        return speed() * (up_s - wake.uptime_s if self._is_this_boot(wake) else up_s)

    def _believed_s(self, wake: Wake) -> float:
        """How long ago this was; over a reboot, by the time of day [s]."""
        elapsed_s = 0.0 if self._is_this_boot(wake) else speed() * (self._clock.now() - wake.at)
        return max(self._proven_s(wake), elapsed_s)

    def _is_this_boot(self, wake: Wake) -> bool:
        return wake.boot == self._clock.boot and wake.uptime_s <= self._clock.uptime_s()

    # ---- the file --------------------------------------------------------------------------------------------------

    def _read(self) -> dict[str, Wake] | None:
        """The last request of each car; None where the file is there and cannot be read."""
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, Wake])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    @property
    def _damage(self) -> str:
        return f"{self._file.name} cannot be read; delete it if no car was requested for a day"

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Wake]]:
        """The wakes, which are on disk when the block ends well; no other process changes them meanwhile."""
        try:
            with exclusive_lock(self._file.with_suffix(".lock"), wait=True):
                wakes = self._read()
                if wakes is None:
                    raise Retry(f"{self._account}: {self._damage}", after=self._rules.least_s)
                yield wakes
                write_file(self._file, msgspec.json.encode(wakes))
        except OSError as error:
            raise Retry(
                f"{self._account}: {self._file.name} cannot be written: {error}: is the disk full?", 60
            ) from error
