"""Where rows go in an InfluxDB: the database or bucket, how long it keeps them, and how many series it has to bear.

What is missing is made, where our token or user may; else a person is told exactly what to run. What is there is never
changed: a shorter retention would delete rows.
"""

import re
from collections.abc import Iterator

import msgspec

from logger.errors import LoginNeeded
from logger.settings.schema import InfluxSettings
from logger.stores.influx.client import InfluxClient
from logger.stores.influx.influx import LONG
from logger.stores.influx.influxql import name

MANY_SERIES = 100_000  # a tenth of what 1.x takes at most by default; from here on memory and queries suffer
_HOURS = re.compile(r"(\d+)h")


class Bucket(msgspec.Struct, frozen=True):
    """A retention policy (1.x) or bucket (2.x): how long it is to keep rows and how long it does [d]; 0 is for ever.

    `found_days` is None where it is not there. The policy without a name is the database's default one.
    """

    policy: str
    wanted_days: int
    found_days: int | None


def find_buckets(server: InfluxClient, settings: InfluxSettings) -> list[Bucket]:
    """What these settings need, and what there is of it. Raises `Retry` and `LoginNeeded`."""
    found = _policies(server, settings)
    wanted = {"": settings.retention_days}
    if settings.retention_days:
        wanted[LONG] = settings.rollup_retention_days
    return [Bucket(policy, days, found.get(policy)) for policy, days in wanted.items()]


def make_missing(server: InfluxClient, settings: InfluxSettings) -> None:
    """Make what is missing. Raises `LoginNeeded`, which says what to run instead, where we may not."""
    if server.ping() == "3":
        return  # it makes a database at the first write
    for place in find_buckets(server, settings):
        try:
            if place.found_days is None:
                _make(server, settings, place)
            if server.version == "2":
                _map(server, settings, place)
        except LoginNeeded as error:
            raise LoginNeeded(
                f"{error}. By hand: {'; '.join(commands_by_hand(server.version, settings, place))}"
            ) from error


def commands_by_hand(version: str, settings: InfluxSettings, place: Bucket) -> Iterator[str]:
    """What a person runs to make a place, and a user or token that may do what is needed there and nothing else."""
    days = f"{place.wanted_days}d" if place.wanted_days else ("INF" if version == "1" else "0")
    if version == "1":
        yield _statement(settings, place)
        if settings.username:
            yield f"GRANT ALL ON {name(settings.bucket)} TO {name(settings.username)}"
        return
    yield f"influx bucket create --org {settings.org} --name {_bucket(settings, place)} --retention {days}"
    yield f"influx auth create --org {settings.org} --read-bucket ID --write-bucket ID --read-dbrps"


def count_series(server: InfluxClient, settings: InfluxSettings) -> int:
    """How many series the database bears; 0 where it does not say (3.x)."""
    if server.version == "3":
        return 0
    found = server.series(settings.bucket, "SHOW SERIES EXACT CARDINALITY")
    return sum(int(row[0]) for each in found for row in each["values"])


def _policies(server: InfluxClient, settings: InfluxSettings) -> dict[str, int]:
    """Days by policy, the default one without its name; empty where there is nothing."""
    if server.version == "2":
        buckets = _buckets(server)
        names = {"": settings.bucket, LONG: f"{settings.bucket}/{LONG}"}
        return {policy: buckets[bucket].days for policy, bucket in names.items() if bucket in buckets}
    listed = server.series("", "SHOW DATABASES")
    if settings.bucket not in {row[0] for each in listed for row in each.get("values", ())}:
        return {}
    if server.version == "3":
        return {"": 0}
    (found,) = server.series(settings.bucket, f"SHOW RETENTION POLICIES ON {name(settings.bucket)}")
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["values"]]
    return {"" if row["default"] else row["name"]: _days(row["duration"]) for row in rows}


class _Bucket(msgspec.Struct, frozen=True):
    id: str
    org_id: str
    days: int


def _buckets(server: InfluxClient) -> dict[str, _Bucket]:
    """All buckets that our token may see, by name."""
    found: dict[str, _Bucket] = {}
    for offset in range(0, 10_000, 100):
        page = server.call("GET", "/api/v2/buckets", params={"limit": 100, "offset": offset}).json().get("buckets", [])
        for each in page:
            seconds = max((rule.get("everySeconds", 0) for rule in each.get("retentionRules", ())), default=0)
            found[each["name"]] = _Bucket(each["id"], each["orgID"], -(-seconds // 86_400))
        if len(page) < 100:
            break
    return found


def _days(duration: str) -> int:
    """`2160h0m0s` in whole days, at least one; 0 is for ever."""
    hours = _HOURS.match(duration)
    return max(1, int(hours[1]) // 24) if hours else int(duration not in ("0s", "INF"))


def _make(server: InfluxClient, settings: InfluxSettings, place: Bucket) -> None:
    if server.version == "1":
        server.series("", _statement(settings, place))
        return
    organisations = server.call("GET", "/api/v2/orgs", params={"org": settings.org}).json().get("orgs", [])
    if not organisations:
        raise LoginNeeded(f"InfluxDB at {settings.url}: no organisation {settings.org!r} that this token may see")
    rules = [{"type": "expire", "everySeconds": place.wanted_days * 86_400}]
    body = {"orgID": organisations[0]["id"], "name": _bucket(settings, place), "retentionRules": rules}
    server.call("POST", "/api/v2/buckets", json=body)


def _statement(settings: InfluxSettings, place: Bucket) -> str:
    days = f"{place.wanted_days}d" if place.wanted_days else "INF"
    database = name(settings.bucket)
    if not place.policy:
        return f"CREATE DATABASE {database} WITH DURATION {days} REPLICATION 1"
    return f"CREATE RETENTION POLICY {name(place.policy)} ON {database} DURATION {days} REPLICATION 1"


def _bucket(settings: InfluxSettings, place: Bucket) -> str:
    return f"{settings.bucket}/{place.policy}" if place.policy else settings.bucket


def _map(server: InfluxClient, settings: InfluxSettings, place: Bucket) -> None:
    """The mapping by which InfluxQL finds a bucket; newer servers have one by its name, without being asked."""
    bucket = _buckets(server)[_bucket(settings, place)]
    words = {"orgID": bucket.org_id, "db": settings.bucket, "rp": place.policy or "autogen"}
    if not server.call("GET", "/api/v2/dbrps", params=words).json().get("content"):
        mapping = {"database": settings.bucket, "retention_policy": words["rp"], "default": not place.policy}
        server.call("POST", "/api/v2/dbrps", json={"orgID": bucket.org_id, "bucketID": bucket.id, **mapping})
