"""Whether what comes in also gets into the stores."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from logger.commands.check.addresses import is_running
from logger.commands.check.finding import Finding, count, duration, error, ok, warning
from logger.errors import Retry
from logger.process_state import feeder_process, read_state
from logger.settings.schema import Settings
from logger.spool.inspect import SpoolReader, Waiting
from logger.stores import open_lake
from logger.tables import RAW

_LATE_S = 60.0  # a batch a second is usual; once a minute the feeder keeps house
_SILENT_S = 600.0  # a large day takes minutes to compact
_NEARLY_FULL = 0.9  # of max_bytes: where the alarm of /metrics begins
_FILLING = 0.5  # as much time again until it is full


def check_spool(settings: Settings) -> Iterator[Finding]:
    """What waits for each sink, for how long, and whether the feeder has trouble."""
    seen, limit = SpoolReader(settings.data_dir), settings.collector.max_bytes
    if not seen.exists:
        yield ok("spool", "there is none yet: the first message makes it")
        return
    try:
        size, waiting = seen.bytes(), seen.waiting(settings.sinks.names)
    except Retry as failure:
        yield error("spool", str(failure), _broken_spool(settings.data_dir))
        return
    if size >= _FILLING * limit:
        yield _filling(size / limit, max(waiting, key=lambda sink: sink.messages))
    runs = is_running(settings)
    for sink in waiting:
        yield _sink(sink, read_state(settings.data_dir, feeder_process(sink.sink)), runs)


def _filling(share: float, slowest: Waiting) -> Finding:
    text = (
        f"{share:.0%} of max_bytes are in use, for {count(slowest.messages, 'message')} that wait for the sink "
        f"{slowest.sink}: once it is full, pushes are answered 503, whatever the other sinks do"
    )
    find = error if share >= _NEARLY_FULL else warning
    return find("spool", text, f"mend {slowest.sink}, raise max_bytes in [collector], or take that sink out of [sinks]")


def _broken_spool(folder: Path) -> str:
    return (
        f"check as the user that runs voltrail; where the file is broken, stop voltrail, keep a copy of {folder} "
        "(it may hold messages that are nowhere else) and move spool.db* away: the next start makes a new one"
    )


def _sink(sink: Waiting, told: dict[str, Any], runs: bool) -> Finding:
    about = f"sink {sink.sink}"
    now = time.time()
    late_s = max(0.0, now - sink.oldest_at / 1000) if sink.oldest_at else 0.0
    trouble = f": {told['error']}" if sink.messages and told.get("error") else ""
    text = f"{count(sink.messages, 'message')} waiting, the oldest for {duration(late_s)}{trouble}"
    if sink.messages and not runs:
        return warning(about, f"no voltrail is running; {text}", "start `voltrail run`: it delivers them")
    if trouble:
        return error(about, text, "mend the store; until the spool is full, nothing is lost")
    if runs and (silent_s := now - _epoch(told.get("at"))) > _SILENT_S:
        return error(about, f"{text}; the feeder is silent for {duration(silent_s)}", "see the log of `voltrail run`")
    if late_s > _LATE_S:
        return warning(about, text, "check again in a minute; where it gets no less, see the log of `voltrail run`")
    return ok(about, text if sink.messages else "nothing waits")


def _epoch(moment: str | None) -> float:
    try:
        return datetime.fromisoformat(moment or "").timestamp()
    except ValueError:
        return time.time()  # it has not said anything yet


def check_lake(settings: Settings) -> Iterator[Finding]:
    """Whether each table of the lake can be opened."""
    store, files = open_lake(settings), 0
    for name in RAW:
        try:
            files += len(store.files(name))
        except Retry as failure:
            yield error(
                "lake", str(failure), "restore that folder from a copy; what came in the last raw_days lies in raw/ too"
            )
            return
    yield ok("lake", f"{len(RAW)} tables, {files:,} files" if files else "holds nothing yet")
