"""`voltrail status`: each vehicle's newest values, and how far each sink has come. Creates and changes nothing."""

from collections.abc import Iterator

from logger.commands.output import Block, Cell, Styled, Table, format_count, format_duration, format_size
from logger.live.overview import Account, Analysis, Overview, Resting, Sink, Vehicle

_POLL_COUNTERS = ("requests", "answered", "skipped", "delayed", "failed")  # in receiver.json
_STATE_STYLES = {"riding": "green", "charging": "cyan", "silent": "yellow", "offline": "yellow"}


def view(overview: Overview) -> Iterator[Block]:
    """Yield the overview for people."""
    headers = ("vehicle", "age", "charge", "state", "odometer", "position")
    yield Table(headers, [*map(_vehicle_cells, overview.vehicles)], right=("age", "charge", "odometer"))
    if not overview.vehicles:
        yield "(nothing is stored yet)"
    yield from map(_resting_line, overview.resting)
    yield ""
    size = f"{format_size(overview.spool_bytes)} of {format_size(overview.spool_max_bytes)}"
    rows: list[tuple[Cell, Cell]] = [row for account in overview.accounts for row in _account_rows(account)]
    rows += [row for sink in overview.sinks for row in _sink_rows(sink)]
    rows += [("spool", f"{size}, {format_count(overview.per_minute, 'message')} in the last minute")]
    rows += [("analysis", _analysis_text(overview.analysis))]
    yield Table((), rows)


def _vehicle_cells(each: Vehicle) -> tuple[Cell, ...]:
    no_position = each.lat_deg is None or each.lon_deg is None
    return (
        each.label,
        format_duration(each.age_s),
        "-" if each.soc_pct is None else f"{each.soc_pct:.0f} %",
        Styled(each.state, _STATE_STYLES.get(each.state, "")),
        "-" if each.odometer_m is None else f"{each.odometer_m / 1000:,.1f} km",
        "-" if no_position else f"{each.lat_deg:.5f}, {each.lon_deg:.5f}",
    )


def _resting_line(each: Resting) -> str:
    until = "" if each.seconds is None else f" (for another {format_duration(each.seconds)})"
    return f"{each.label} {each.reason}{until}"


def _account_rows(each: Account) -> Iterator[tuple[Cell, Cell]]:
    refused = f", {each.refused:,} refused" if each.refused else ""
    not_stored = f", {each.not_stored:,} answered 503" if each.not_stored else ""
    yield each.name, f"{each.taken:,} pushes taken{refused}{not_stored}"
    if each.polls is not None:
        yield "", f"polls: {', '.join(f'{each.polls[word]:,} {word}' for word in _POLL_COUNTERS)}"
        if each.polls["trouble"]:
            pause_s = each.polls["pause_s"]
            pause = f" (no request for another {format_duration(pause_s)})" if pause_s else ""
            yield "", Styled(f"last error: {each.polls['trouble']}{pause}", "red")


def _sink_rows(each: Sink) -> Iterator[tuple[Cell, Cell]]:
    report = "has never run" if each.age_s is None else f"last reported {format_duration(each.age_s)} ago"
    yield each.name, f"{each.waiting:,} messages wait, its feeder {report}"
    if each.error:
        yield "", Styled(f"{each.failures:,} failures, last: {each.error}", "red")


def _analysis_text(each: Analysis | None) -> Cell:
    if each is None:
        return "none yet: `voltrail run` does one on schedule, `voltrail analyze` at once"
    if each.error:
        return Styled(f"the last one failed {format_duration(each.age_s)} ago: {each.error}", "red")
    took = f"took {each.seconds:.1f} s, touched {each.vehicles:,} vehicles, looked at {sum(each.rows.values()):,} rows"
    return f"the last one ended {format_duration(each.age_s)} ago, {took}"
