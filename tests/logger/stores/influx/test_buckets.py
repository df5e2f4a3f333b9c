"""The house of rows: made where it is missing and where we may, never changed where it is there."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from logger.errors import LoginNeeded
from logger.settings.schema import InfluxSettings
from logger.stores.influx.buckets import Bucket, count_series, find_buckets, make_missing
from logger.stores.influx.client import InfluxClient
from logger.stores.influx.influx import LONG, Influx
from tests.helpers.influx_server import Server as Running
from tests.logger.stores.influx.test_influx import rows


@pytest.fixture
def absent(influx_server: Running) -> Iterator[InfluxSettings]:
    """Settings of a database that is not there yet; what was made of it goes at the end."""
    with influx_server.database() as base:
        pass
    yield influx_server.settings(base)
    influx_server.drop(base)
    influx_server.drop(f"{base}/{LONG}")


def test_a_database_that_is_missing_is_made_and_takes_rows(absent: InfluxSettings) -> None:
    server = InfluxClient(absent)
    assert find_buckets(server, absent) == [Bucket("", 0, None)]
    make_missing(server, absent)
    assert find_buckets(server, absent) == [Bucket("", 0, 0)]
    store = Influx(absent)
    store.write("status", rows("status", {"soc_pct": 1.0}))
    assert store.scan("status").collect().height == 1
    make_missing(server, absent)
    assert store.scan("status").collect().height == 1
    store.close()
    server.close()


def test_raw_rows_may_have_an_end_and_what_is_made_of_them_another(absent: InfluxSettings) -> None:
    settings = msgspec.structs.replace(absent, retention_days=30, rollup_retention_days=400)
    server = InfluxClient(settings)
    assert find_buckets(server, settings) == [Bucket("", 30, None), Bucket(LONG, 400, None)]
    make_missing(server, settings)
    assert find_buckets(server, settings) == [Bucket("", 30, 30), Bucket(LONG, 400, 400)]
    longer = msgspec.structs.replace(settings, retention_days=90)
    make_missing(server, longer)
    assert find_buckets(server, longer)[0] == Bucket("", 90, 30)
    server.close()


def test_rows_older_than_the_database_keeps_any_are_no_fault(absent: InfluxSettings) -> None:
    settings = msgspec.structs.replace(absent, retention_days=30)
    store = Influx(settings)
    make_missing(store.server, settings)
    now = datetime.now(UTC).replace(microsecond=0)
    store.write("status", rows("status", {"time": now}, {"time": now - timedelta(days=300)}))
    assert store.scan("status").collect()["time"].to_list() == [now]
    store.close()


def test_series_are_counted(influx: InfluxSettings) -> None:
    store = Influx(influx)
    store.write("status", rows("status", *({"vehicle": f"v{n}"} for n in range(7))))
    store.write("event", rows("event", {"kind": "alert", "code": "1"}, {"kind": "alert", "code": "2"}))
    assert count_series(store.server, influx) == 9
    store.close()


def test_who_may_not_make_a_database_is_told_what_to_run(influx_server: Running, absent: InfluxSettings) -> None:
    if influx_server.major != "1":
        pytest.skip("the recipe of 2.x is another test")
    with influx_server.http() as http:
        http.post("/query", data={"q": "CREATE USER small WITH PASSWORD 'small'"}).raise_for_status()
    small = msgspec.structs.replace(absent, username="small", password="small")
    server = InfluxClient(small)
    with pytest.raises(LoginNeeded, match=r"By hand: CREATE DATABASE .* GRANT ALL ON"):
        make_missing(server, small)
    server.close()


def test_a_token_for_one_bucket_is_enough(influx_server: Running) -> None:
    if influx_server.major != "2":
        pytest.skip("tokens are 2.x's")
    with influx_server.database() as name, influx_server.http() as http:
        (bucket,) = http.get("/api/v2/buckets", params={"name": name}).json()["buckets"]
        where = {"type": "buckets", "id": bucket["id"], "orgID": bucket["orgID"]}
        may = [{"action": action, "resource": where} for action in ("read", "write")]
        made = http.post("/api/v2/authorizations", json={"orgID": bucket["orgID"], "permissions": may})
        settings = msgspec.structs.replace(influx_server.settings(name), token=made.json()["token"])
        store = Influx(settings)
        make_missing(store.server, settings)
        fresh = rows("status", {"soc_pct": 1.0})
        store.replace("status", fresh, ["860000000000001"], datetime(2026, 1, 1, tzinfo=UTC), datetime.now(UTC))
        assert store.scan("status").collect().height == 1
        assert count_series(store.server, settings) == 1
        absent = msgspec.structs.replace(settings, bucket="nobody-made-this")
        with pytest.raises(LoginNeeded, match=r"By hand: influx bucket create --org .* influx auth create"):
            make_missing(store.server, absent)
        store.close()
