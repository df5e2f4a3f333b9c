"""Where rows go in an InfluxDB: its databases, retention policies and buckets, and how many series they hold.

What is missing is created where our user or token may do so; else an error names the commands to run. What exists is
never changed: a shorter retention would delete rows.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from logger.errors import LoginNeeded
from logger.settings.schema import InfluxSettings
from logger.stores.influx.client import InfluxClient, bucket_name
from logger.stores.influx.influx import LONG_POLICY
from logger.stores.influx.influxql import identifier

MANY_SERIES = 100_000  # a tenth of the default limit of 1.x; with more, memory and queries suffer
# A query opens each series once a shard, and a year is 52 shards of the server's usual week: a fleet's year is read
# faster from 13. What is kept for less than half a year stays in small shards, which are dropped as a whole.
_SHARD_DAYS, _KEPT_LONG_DAYS = 28, 180
_HOURS = re.compile(r"(\d+)h")


class Bucket(msgspec.Struct, frozen=True):
    """A retention policy (1.x) or bucket (2.x, 3.x): how long it should keep rows and how long it does [d].

    0 is for ever; `existing_days` is None where it does not exist. The policy "" is the database's default one.
    """

    policy: str
    wanted_days: int
    existing_days: int | None


def find_buckets(client: InfluxClient, settings: InfluxSettings) -> list[Bucket]:
    """Return the buckets that these settings need, with what exists of them. Raises `Retry` and `LoginNeeded`."""
    existing = _existing_days(client, settings)
    wanted = {"": settings.retention_days}
    if settings.retention_days:
        wanted[LONG_POLICY] = settings.rollup_retention_days
    return [Bucket(policy, days, existing.get(policy)) for policy, days in wanted.items()]


def create_missing(client: InfluxClient, settings: InfluxSettings) -> None:
    """Create the buckets that do not exist. Raises `Retry`, and `LoginNeeded` with the commands to run instead."""
    if client.ping() == "3":
        return  # it creates a database at the first write
    for bucket in find_buckets(client, settings):
        try:
            if bucket.existing_days is None:
                _create(client, settings, bucket)
            if client.version == "2":
                _map_to_database(client, settings, bucket)
        except LoginNeeded as error:
            commands = "; ".join(manual_commands(client.version, settings, bucket))
            raise LoginNeeded(f"{error}. By hand: {commands}") from error


def manual_commands(version: str, settings: InfluxSettings, bucket: Bucket) -> Iterator[str]:
    """Yield the commands that create a bucket, and a user or token with no more rights than needed there."""
    if version == "1":
        yield _create_statement(settings, bucket)
        if settings.username:
            yield f"GRANT ALL ON {identifier(settings.bucket)} TO {identifier(settings.username)}"
        return
    days = f"{bucket.wanted_days}d" if bucket.wanted_days else "0"
    shards = f" --shard-group-duration {_SHARD_DAYS}d" if _is_kept_long(bucket) else ""
    name = bucket_name(settings.bucket, bucket.policy)
    yield f"influx bucket create --org {settings.org} --name {name} --retention {days}{shards}"
    yield f"influx auth create --org {settings.org} --read-bucket ID --write-bucket ID --read-dbrps"


def count_series(client: InfluxClient, settings: InfluxSettings) -> int:
    """Return how many series the database holds; 0 for a server of 3.x, which does not count them."""
    if client.version == "3":
        return 0
    series = client.query_series(settings.bucket, "SHOW SERIES EXACT CARDINALITY")
    return sum(int(row[0]) for each in series for row in each["values"])


def _existing_days(client: InfluxClient, settings: InfluxSettings) -> dict[str, int]:
    """Return how long each policy keeps rows [d], the default one as ""; empty where the database does not exist."""
    if client.version == "2":
        buckets = _server_buckets(client)
        names = {policy: bucket_name(settings.bucket, policy) for policy in ("", LONG_POLICY)}
        return {policy: buckets[name].days for policy, name in names.items() if name in buckets}
    databases = client.query_series("", "SHOW DATABASES")
    if settings.bucket not in {row[0] for each in databases for row in each.get("values", ())}:
        return {}
    if client.version == "3":
        return {"": 0}
    (policies,) = client.query_series(settings.bucket, f"SHOW RETENTION POLICIES ON {identifier(settings.bucket)}")
    rows = [dict(zip(policies["columns"], row, strict=True)) for row in policies["values"]]
    return {"" if row["default"] else row["name"]: _duration_days(row["duration"]) for row in rows}


def _duration_days(duration: str) -> int:
    """Return a duration such as `2160h0m0s` in whole days, at least one; 0 is for ever."""
    hours = _HOURS.match(duration)
    return max(1, int(hours[1]) // 24) if hours else int(duration not in ("0s", "INF"))


def _create(client: InfluxClient, settings: InfluxSettings, bucket: Bucket) -> None:
    if client.version == "1":
        client.query_series("", _create_statement(settings, bucket))
        return
    organisations = client.call_api("GET", "/api/v2/orgs", params={"org": settings.org}).json().get("orgs", [])
    if not organisations:
        raise LoginNeeded(f"InfluxDB at {settings.url}: no organisation {settings.org!r} that this token may see")
    rule: dict[str, Any] = {"type": "expire", "everySeconds": bucket.wanted_days * 86_400}
    if _is_kept_long(bucket):
        rule["shardGroupDurationSeconds"] = _SHARD_DAYS * 86_400
    name = bucket_name(settings.bucket, bucket.policy)
    body = {"orgID": organisations[0]["id"], "name": name, "retentionRules": [rule]}
    client.call_api("POST", "/api/v2/buckets", json=body)


def _create_statement(settings: InfluxSettings, bucket: Bucket) -> str:
    duration = f"{bucket.wanted_days}d" if bucket.wanted_days else "INF"
    database = identifier(settings.bucket)
    kept = f"DURATION {duration} REPLICATION 1" + (f" SHARD DURATION {_SHARD_DAYS}d" if _is_kept_long(bucket) else "")
    if not bucket.policy:
        return f"CREATE DATABASE {database} WITH {kept}"
    return f"CREATE RETENTION POLICY {identifier(bucket.policy)} ON {database} {kept}"


def _is_kept_long(bucket: Bucket) -> bool:
    return not bucket.wanted_days or bucket.wanted_days >= _KEPT_LONG_DAYS


class _ServerBucket(msgspec.Struct, frozen=True):
    """A bucket of a 2.x server, as its API lists it; `days` is how long it keeps rows [d], 0 is for ever."""

    id: str
    org_id: str
    days: int


def _server_buckets(client: InfluxClient) -> dict[str, _ServerBucket]:
    """Return all buckets that our token may see, by name."""
    buckets: dict[str, _ServerBucket] = {}
    for offset in range(0, 10_000, 100):
        answer = client.call_api("GET", "/api/v2/buckets", params={"limit": 100, "offset": offset})
        page = answer.json().get("buckets", [])
        for each in page:
            seconds = max((rule.get("everySeconds", 0) for rule in each.get("retentionRules", ())), default=0)
            buckets[each["name"]] = _ServerBucket(each["id"], each["orgID"], -(-seconds // 86_400))
        if len(page) < 100:
            break
    return buckets


def _map_to_database(client: InfluxClient, settings: InfluxSettings, bucket: Bucket) -> None:
    """Create the mapping by which InfluxQL finds a bucket, where the server did not create one with the bucket."""
    stored = _server_buckets(client)[bucket_name(settings.bucket, bucket.policy)]
    policy = bucket.policy or "autogen"
    params = {"orgID": stored.org_id, "db": settings.bucket, "rp": policy}
    if not client.call_api("GET", "/api/v2/dbrps", params=params).json().get("content"):
        mapping = {"database": settings.bucket, "retention_policy": policy, "default": not bucket.policy}
        body = {"orgID": stored.org_id, "bucketID": stored.id, **mapping}
        client.call_api("POST", "/api/v2/dbrps", json=body)
