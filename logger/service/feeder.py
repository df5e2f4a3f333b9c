"""The feeder process: spool → decode → one sink, until a signal; and the same work done by a command."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from logger.locks import clear_scratch, exclusive_lock, feeder_lock, is_requested
from logger.service.child import Stop
from logger.settings.schema import Settings
from logger.spool.open import open_spool

log = logging.getLogger(__name__)

_LOOK_S = 0.2  # between two looks at whether the sink is free


def run_feeder(settings: Settings, sink: str, stop: Stop) -> None:
    """Deliver to this sink until a signal to stop, then drain it. While a command requests the sink, it is let go.

    A signal that comes before anything was delivered has the sink drained as well.
    """
    wait_s, folder = 0.0, settings.data_dir
    stopped = False
    while not stopped:
        stopped, wait_s = stop.wait(wait_s), _LOOK_S
        if not is_requested(folder, sink):
            with exclusive_lock(feeder_lock(folder, sink)) as free:
                if free and _deliver(settings, sink, stop):
                    return


def _deliver(settings: Settings, sink: str, stop: Stop) -> bool:
    """Deliver until a signal to stop, and drain; or return False once a command requests the sink."""
    with _feeder(settings, sink) as feeder:
        while not stop.wait(feeder.step()):
            if is_requested(settings.data_dir, sink):
                log.info("a command requests the %s: the feeder pauses", sink)
                return False
        feeder.drain()
    return True


def wait_delivered(settings: Settings, until: int, progress: Callable[[int], None]) -> None:
    """Wait until the lake holds all messages up to this sequence; if no feeder runs, do its work. Raises `Retry`.

    Other sinks take what they can now, and the rest when the service runs.
    """
    with delivery(settings) as deliver:
        deliver(until, progress)


@contextmanager
def delivery(settings: Settings) -> Iterator[Callable[[int, Callable[[int], None]], None]]:
    """Yield a function that does what `wait_delivered` does, but for other sinks, which take their part at the end.

    If no feeder runs, one runs here as long as the block, so that it starts only once.
    """
    with exclusive_lock(feeder_lock(settings.data_dir)) as free:
        if free:
            with _feeder(settings, "lake") as feeder:
                yield lambda until, progress: feeder.drain(or_raise=True)
        else:
            yield lambda until, progress: _wait_for_lake(settings, until, progress)
    for sink in settings.sinks.names[1:]:
        drain_sink(settings, sink, or_raise=False)


def _wait_for_lake(settings: Settings, until: int, progress: Callable[[int], None]) -> None:
    """Wait for the process that feeds the lake; where it ends meanwhile, do its work."""
    with closing(open_spool(settings)) as spool:
        while (waiting := until - spool.cursor("lake")) > 0:
            progress(waiting)
            if not drain_sink(settings, "lake", or_raise=True):
                time.sleep(_LOOK_S)


def drain_sink(settings: Settings, sink: str, *, or_raise: bool, maintain: bool = False) -> bool:
    """Do the work of this sink's feeder, its maintenance too if `maintain`; return False where one runs."""
    with exclusive_lock(feeder_lock(settings.data_dir, sink)) as free:
        if free:
            with _feeder(settings, sink) as feeder:
                feeder.drain(or_raise=or_raise)
                if maintain:
                    feeder.run_maintenance()
    return free


@contextmanager
def _feeder(settings: Settings, sink: str) -> Iterator[Any]:
    from logger.deliver.sinks import open_feeder  # polars and deltalake: the receiver starts without them

    if sink == "lake":
        clear_scratch(settings.data_dir)
    with closing(open_spool(settings)) as spool, open_feeder(settings, sink, spool) as feeder:
        yield feeder
