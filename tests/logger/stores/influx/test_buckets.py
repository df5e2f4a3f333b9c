"""Buckets are created where they are missing and our user may do so; existing ones are never changed."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from logger.errors import LoginNeeded
from logger.settings.schema import InfluxSettings
from logger.stores.influx.buckets import Bucket, count_series, create_missing, find_buckets
from logger.stores.influx.client import InfluxClient
from logger.stores.influx.influx import LONG_POLICY, Influx
from tests.helpers.influx_server import Server
from tests.logger.stores.influx.test_influx import rows


@pytest.fixture
def missing(influx_server: Server) -> Iterator[InfluxSettings]:
    """Settings of a database that does not exist yet; what a test creates is dropped at the end."""
    with influx_server.database() as base:
        pass
    yield influx_server.settings(base)
    influx_server.drop(base)
    influx_server.drop(f"{base}/{LONG_POLICY}")


def test_a_missing_database_is_created_and_takes_rows(missing: InfluxSettings) -> None:
    client = InfluxClient(missing)
    assert find_buckets(client, missing) == [Bucket("", 0, None)]
    create_missing(client, missing)
    assert find_buckets(client, missing) == [Bucket("", 0, 0)]
    store = Influx(missing)
    store.write("status", rows("status", {"soc_pct": 1.0}))
    assert store.scan("status").collect().height == 1
    create_missing(client, missing)
    assert store.scan("status").collect().height == 1
    store.close()
    client.close()


def test_raw_and_derived_rows_can_have_different_retentions(missing: InfluxSettings) -> None:
    settings = msgspec.structs.replace(missing, retention_days=30, rollup_retention_days=400)
    client = InfluxClient(settings)
    assert find_buckets(client, settings) == [Bucket("", 30, None), Bucket(LONG_POLICY, 400, None)]
    create_missing(client, settings)
    assert find_buckets(client, settings) == [Bucket("", 30, 30), Bucket(LONG_POLICY, 400, 400)]
    longer = msgspec.structs.replace(settings, retention_days=90)
    create_missing(client, longer)
    assert find_buckets(client, longer)[0] == Bucket("", 90, 30)
    client.close()


def test_what_is_kept_long_lies_in_shards_of_four_weeks(influx_server: Server, missing: InfluxSettings) -> None:
    settings = msgspec.structs.replace(missing, retention_days=30)  # derived rows for ever
    with closing(InfluxClient(settings)) as client:
        create_missing(client, settings)
        assert shard_days(client, settings) == {"": 1, LONG_POLICY: 28}


def shard_days(client: InfluxClient, settings: InfluxSettings) -> dict[str, int]:
    """How long the shards of a database are, by policy."""
    if client.version == "2":
        buckets = {
            each["name"]: each["retentionRules"] for each in client.call_api("GET", "/api/v2/buckets").json()["buckets"]
        }
        names = {"": settings.bucket, LONG_POLICY: f"{settings.bucket}/{LONG_POLICY}"}
        return {policy: buckets[name][0]["shardGroupDurationSeconds"] // 86_400 for policy, name in names.items()}
    if client.version == "3":
        pytest.skip("3.x has no shards")
    (found,) = client.query_series(settings.bucket, f'SHOW RETENTION POLICIES ON "{settings.bucket}"')
    rows = [dict(zip(found["columns"], row, strict=True)) for row in found["values"]]
    return {
        "" if row["default"] else row["name"]: int(row["shardGroupDuration"].partition("h")[0]) // 24 for row in rows
    }


def test_rows_older_than_the_retention_are_left_out_without_an_error(missing: InfluxSettings) -> None:
    settings = msgspec.structs.replace(missing, retention_days=30)
    store = Influx(settings)
    create_missing(store.client, settings)
    now = datetime.now(UTC).replace(microsecond=0)
    store.write("status", rows("status", {"time": now}, {"time": now - timedelta(days=300)}))
    assert store.scan("status").collect()["time"].to_list() == [now]
    store.close()


def test_series_are_counted(influx: InfluxSettings) -> None:
    store = Influx(influx)
    store.write("status", rows("status", *({"vehicle": f"v{n}"} for n in range(7))))
    store.write("event", rows("event", {"kind": "alert", "code": "1"}, {"kind": "alert", "code": "2"}))
    assert count_series(store.client, influx) == 9
    store.close()


def test_a_user_without_the_right_to_create_a_database_gets_the_commands_to_run(
    influx_server: Server, missing: InfluxSettings
) -> None:
    if influx_server.major != "1":
        pytest.skip("the commands of 2.x are in another test")
    with influx_server.http() as http:
        http.post("/query", data={"q": "CREATE USER small WITH PASSWORD 'small'"}).raise_for_status()
    small = msgspec.structs.replace(missing, username="small", password="small")
    client = InfluxClient(small)
    with pytest.raises(LoginNeeded, match=r"By hand: CREATE DATABASE .* GRANT ALL ON"):
        create_missing(client, small)
    client.close()


def test_a_token_for_one_bucket_is_enough(influx_server: Server) -> None:
    if influx_server.major != "2":
        pytest.skip("only 2.x has tokens")
    with influx_server.database() as name, influx_server.http() as http:
        (bucket,) = http.get("/api/v2/buckets", params={"name": name}).json()["buckets"]
        resource = {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}
        permissions = [{"action": action, "resource": resource} for action in ("read", "write")]
        answer = http.post("/api/v2/authorizations", json={"orgID": bucket["orgID"], "permissions": permissions})
        settings = msgspec.structs.replace(influx_server.settings(name), token=answer.json()["token"])
        store = Influx(settings)
        create_missing(store.client, settings)
        row = rows("status", {"soc_pct": 1.0})
        store.replace("status", row, ["860000000000001"], datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC))
        assert store.scan("status").collect().height == 1
        assert count_series(store.client, settings) == 1
        missing = msgspec.structs.replace(settings, bucket="nobody-made-this")
        with pytest.raises(LoginNeeded, match=r"By hand: influx bucket create --org .* influx auth create"):
            create_missing(store.client, missing)
        store.close()
