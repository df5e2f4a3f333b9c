"""Whether what comes in also gets into the stores."""

import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from logger.commands.check.addresses import is_running
from logger.commands.check.finding import Finding, error, ok, warning
from logger.commands.output import format_count, format_duration
from logger.errors import Retry
from logger.process_state import feeder_process, read_state
from logger.settings.schema import Settings
from logger.spool.inspect import SpoolReader, Waiting
from logger.stores import open_lake
from logger.tables import RAW

_DELAYED_S = 60.0  # a batch a second is usual; once a minute the feeder does maintenance
_SILENT_S = 600.0  # compacting a large day takes minutes
_NEARLY_FULL = 0.9  # of max_bytes: from here on /metrics raises its alarm, too
_FILLING = 0.5  # it has taken as long as it will take until it is full


def check_spool(settings: Settings) -> Iterator[Finding]:
    """Check what waits for each sink, for how long, and whether its feeder fails."""
    spool, limit_bytes = SpoolReader(settings.data_dir), settings.collector.max_bytes
    if not spool.exists:
        yield ok("spool", "there is none yet: the first message creates it")
        return
    try:
        used_bytes, sinks = spool.bytes(), spool.waiting(settings.sinks.names)
    except Retry as failure:
        yield error("spool", str(failure), _broken_spool(settings.data_dir))
        return
    if used_bytes >= _FILLING * limit_bytes:
        yield _filling(used_bytes / limit_bytes, max(sinks, key=lambda sink: sink.messages))
    runs = is_running(settings)
    for sink in sinks:
        yield _sink(sink, read_state(settings.data_dir, feeder_process(sink.sink)), runs)


def _filling(share: float, slowest: Waiting) -> Finding:
    text = (
        f"{share:.0%} of max_bytes are in use, for {format_count(slowest.messages, 'message')} that wait for the sink "
        f"{slowest.sink}: once it is full, pushes are answered 503, whatever the other sinks do"
    )
    find = error if share >= _NEARLY_FULL else warning
    return find("spool", text, f"mend {slowest.sink}, raise max_bytes in [collector], or take that sink out of [sinks]")


def _broken_spool(folder: Path) -> str:
    return (
        f"check as the user that runs voltrail; where the file is broken, stop voltrail, keep a copy of {folder} "
        "(it may hold messages that are nowhere else) and move spool.db* away: the next start makes a new one"
    )


def _sink(sink: Waiting, state: dict[str, Any], runs: bool) -> Finding:
    about = f"sink {sink.sink}"
    waited_s = max(0.0, time.time() - sink.oldest_at / 1000) if sink.oldest_at else 0.0
    failure = f": {state['error']}" if sink.messages and state.get("error") else ""
    messages = format_count(sink.messages, "message")
    text = f"{messages} waiting, the oldest for {format_duration(waited_s)}{failure}"
    if sink.messages and not runs:
        return warning(about, f"no voltrail is running; {text}", "start `voltrail run`: it delivers them")
    if failure:
        return error(about, text, "mend the store; until the spool is full, nothing is lost")
    if runs and (silent_s := _state_age_s(state)) > _SILENT_S:
        text = f"{text}; the feeder is silent for {format_duration(silent_s)}"
        return error(about, text, "see the log of `voltrail run`")
    if waited_s > _DELAYED_S:
        return warning(about, text, "check again in a minute; where it gets no less, see the log of `voltrail run`")
    return ok(about, text if sink.messages else "nothing waits")


def _state_age_s(state: dict[str, Any]) -> float:
    try:
        return time.time() - datetime.fromisoformat(state.get("at", "")).timestamp()
    except ValueError:
        return 0.0  # it has not reported yet


def check_lake(settings: Settings) -> Iterator[Finding]:
    """Check that each table of the lake can be opened."""
    lake, files = open_lake(settings), 0
    for name in RAW:
        try:
            files += len(lake.files(name))
        except Retry as failure:
            remedy = "restore that folder from a copy; what came in the last raw_days is in raw/ too"
            yield error("lake", str(failure), remedy)
            return
    yield ok("lake", f"{len(RAW)} tables, {files:,} files" if files else "holds nothing yet")
