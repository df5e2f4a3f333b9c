"""Whether the InfluxDB of the settings is there, has a place for the rows, keeps them long enough, bears the series."""

from collections.abc import Iterator
from contextlib import closing

from logger.commands.check.finding import Finding, error, ok, warning
from logger.errors import LoginNeeded, Retry
from logger.settings.schema import InfluxSettings, Settings
from logger.stores.influx.buckets import MANY_SERIES, Bucket, count_series, find_buckets, manual_commands
from logger.stores.influx.client import InfluxClient

_ABOUT = "influx"


def check_influx(settings: Settings) -> Iterator[Finding]:
    """What is found out by asking alone; nothing is made there."""
    ours = settings.sinks.influx
    if ours is None:
        return
    with closing(InfluxClient(ours)) as server:
        try:
            yield from _found(server, ours)
        except Retry as failure:
            yield error(_ABOUT, str(failure), "is the server running, and sinks.influx.url its address?")
        except LoginNeeded as failure:
            yield error(_ABOUT, str(failure), "mend sinks.influx, or what that user or token may do")


def _found(server: InfluxClient, ours: InfluxSettings) -> Iterator[Finding]:
    yield ok(_ABOUT, f"InfluxDB {server.ping()}.x answers at {ours.url}")
    found = find_buckets(server, ours)
    for place in found:
        yield _place(server, ours, place)
    if found[0].existing_days is None:
        return
    count = count_series(server, ours)
    text = f"{ours.bucket} bears {count:,} series"
    if count >= MANY_SERIES:
        mend = "raise the server's limit, keep events for less long, or split the fleet over several buckets"
        yield warning(_ABOUT, f"{text}, more than {MANY_SERIES:,}: memory and questions suffer", mend)
    else:
        yield ok(_ABOUT, text)


def _place(server: InfluxClient, ours: InfluxSettings, place: Bucket) -> Finding:
    named = f"{ours.bucket}/{place.policy}" if place.policy else ours.bucket
    by_hand = "; ".join(manual_commands(server.version, ours, place))
    if place.existing_days is None:
        return warning(_ABOUT, f"{named} is not there", f"`voltrail run` makes it where it may; by hand: {by_hand}")
    if place.existing_days and (place.existing_days < place.wanted_days or not place.wanted_days):
        wanted = f"{place.wanted_days} days" if place.wanted_days else "for ever"
        text = f"{named} keeps rows {place.existing_days} days; the settings say {wanted}"
        return warning(_ABOUT, text, "set sinks.influx.retention_days to it, or change it on the server")
    return ok(_ABOUT, f"{named} keeps rows {f'{place.existing_days} days' if place.existing_days else 'for ever'}")
