"""Whether the InfluxDB of the settings answers, has the buckets, keeps rows long enough, and has few enough series."""

from collections.abc import Iterator
from contextlib import closing

from logger.commands.check.finding import Finding, error, ok, warning
from logger.errors import LoginNeeded, Retry
from logger.settings.schema import InfluxSettings, Settings
from logger.stores.influx.buckets import MANY_SERIES, Bucket, count_series, find_buckets, manual_commands
from logger.stores.influx.client import InfluxClient

_ABOUT = "influx"


def check_influx(settings: Settings) -> Iterator[Finding]:
    """Check by queries alone; nothing is created on the server."""
    influx = settings.sinks.influx
    if influx is None:
        return
    with closing(InfluxClient(influx)) as server:
        try:
            yield from _server(server, influx)
        except Retry as failure:
            yield error(_ABOUT, str(failure), "is the server running, and sinks.influx.url its address?")
        except LoginNeeded as failure:
            yield error(_ABOUT, str(failure), "mend sinks.influx, or what that user or token may do")


def _server(server: InfluxClient, influx: InfluxSettings) -> Iterator[Finding]:
    yield ok(_ABOUT, f"InfluxDB {server.ping()}.x answers at {influx.url}")
    buckets = find_buckets(server, influx)
    for bucket in buckets:
        yield _bucket(server, influx, bucket)
    if buckets[0].existing_days is not None:
        yield _series(influx, count_series(server, influx))


def _series(influx: InfluxSettings, count: int) -> Finding:
    text = f"{influx.bucket} has {count:,} series"
    if count < MANY_SERIES:
        return ok(_ABOUT, text)
    remedy = "raise the server's limit, keep events for less long, or split the fleet over several buckets"
    return warning(_ABOUT, f"{text}, more than {MANY_SERIES:,}: memory and queries suffer", remedy)


def _bucket(server: InfluxClient, influx: InfluxSettings, bucket: Bucket) -> Finding:
    name = f"{influx.bucket}/{bucket.policy}" if bucket.policy else influx.bucket
    if bucket.existing_days is None:
        commands = "; ".join(manual_commands(server.version, influx, bucket))
        remedy = f"`voltrail run` creates it where it may; by hand: {commands}"
        return warning(_ABOUT, f"{name} is not there", remedy)
    if bucket.existing_days and (bucket.existing_days < bucket.wanted_days or not bucket.wanted_days):
        text = f"{name} keeps rows {bucket.existing_days} days; the settings say {_span(bucket.wanted_days)}"
        return warning(_ABOUT, text, "set sinks.influx.retention_days to it, or change it on the server")
    return ok(_ABOUT, f"{name} keeps rows {_span(bucket.existing_days)}")


def _span(days: int) -> str:
    return f"{days} days" if days else "for ever"
