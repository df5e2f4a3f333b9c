"""InfluxDB as a store, against a real server: what is written is read back, is removed, and is nobody else's."""

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from logger.errors import LoginNeeded, Retry
from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import Influx
from logger.stores.influx.line_protocol import encode_lines
from logger.tables import RAW, Table, shaped
from tests.helpers.faulty_proxy import faulty_proxy

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
WHO = {"provider": "segway", "vehicle": "860000000000001"}


def rows(table: str, *told: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table, a second apart, with an origin."""
    origin = {"via": "push", "clock": "device"}
    made = [
        {**WHO, "time": AT + timedelta(seconds=at), "received_at": AT, "sequence": at + 1, **origin, **row}
        for at, row in enumerate(told)
    ]
    return shaped(pl.DataFrame(made, schema={name: RAW[table].schema[name] for name in made[0]}), table)


def stored(store: Influx, table: str, **span: Any) -> pl.DataFrame:
    return store.scan(table, **span).collect().sort(RAW[table].key)


@pytest.fixture
def store(influx: InfluxSettings) -> Iterator[Influx]:
    with closing(Influx(influx)) as made:
        yield made


FULL: dict[str, list[dict[str, Any]]] = {
    "status": [
        {
            "soc_pct": 50.5,
            "locked": True,
            "online": False,
            "ride_mode": 2,
            "charge_state": "charging",
            "flags": ["a", "b"],
        },
        {"odometer_m": 1e6, "speed_kmh": 0.1 + 0.2},
    ],
    "location": [{"lat_deg": -33.123456789, "lon_deg": 151.5, "fix_valid": True}],
    "battery": [{"voltage_v": 48.1, "bms_charging": False}],
    "body": [{"helmets_seat": 1}],
    "pack": [{"port": "1", "pack_soc_pct": 5.0}, {"port": "2", "pack_soc_pct": 7.0}],
    "event": [{"kind": "alert", "code": "10", "text": "low", "state": "appeared"}],
    "journal": [{"finished_at": AT + DAY, "distance_m": 12.5}],
    "intake": [{"source": "city", "received": 5, "median_latency_s": 0.3}],
    "collector": [{"provider": "none", "vehicle": "none"}],
    "vehicles": [{"label": "Moped 7", "in_service": False}],
}


@pytest.mark.parametrize("table", sorted(set(RAW) - {"quarantine"}))
def test_what_is_written_is_read_back_in_the_columns_of_the_lake(store: Influx, table: str) -> None:
    wrote = rows(table, *FULL[table])
    assert store.write(table, wrote) == wrote.height
    found = stored(store, table)
    assert found.schema == RAW[table].schema
    assert_frame_equal(found, wrote.sort(RAW[table].key))


def test_a_table_that_nobody_wrote_is_empty_and_has_its_columns(store: Influx) -> None:
    for table in RAW:
        assert_frame_equal(stored(store, table), pl.DataFrame(schema=RAW[table].schema))
        assert store.latest(table).schema == RAW[table].schema


def test_a_row_of_nothing_but_its_origin_is_a_row(store: Influx) -> None:
    store.write("status", rows("status", {}))
    assert stored(store, "status").height == 1
    assert store.scan("status").select("vehicle").collect().height == 1


def test_rows_of_one_key_become_one_field_by_field(store: Influx) -> None:
    store.write("status", rows("status", {"soc_pct": 50.0, "speed_kmh": 7.0}))
    store.write("status", rows("status", {"soc_pct": 49.0, "locked": True}))
    (row,) = stored(store, "status").to_dicts()
    assert (row["soc_pct"], row["speed_kmh"], row["locked"]) == (49.0, 7.0, True)


def test_everything_of_one_vehicle_in_one_millisecond_is_kept(store: Influx) -> None:
    events = rows(
        "event", {"kind": "alert", "code": "10"}, {"kind": "fault", "code": "10"}, {"kind": "alert", "code": "4"}
    )
    packs = rows("pack", {"port": "1"}, {"port": "2"}, {"port": None})
    for table, wrote in (("event", events), ("pack", packs)):
        at_once = wrote.with_columns(time=pl.lit(AT).cast(RAW[table].schema["time"]))
        store.write(table, at_once)
        assert_frame_equal(stored(store, table), at_once.sort(RAW[table].key))


AWKWARD = [
    *("a b", "a,b", "a=b", 'a"b', "a'b", "a\\", "\\", "a\nb", "a\r\nb"),
    *("🛵", "none", "%41", " ", "\t", "a\\,b", "#x", "\ufeff"),
]
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20) | st.sampled_from(AWKWARD)
told_names = st.tuples(names, names, st.none() | names | st.just(""))
Named = tuple[str, str, str | None]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(told_names, min_size=1, max_size=8, unique_by=lambda told: told[:2]))
def test_names_and_texts_come_back_as_they_were(influx: InfluxSettings, told: list[Named]) -> None:
    store = Influx(influx)
    store.replace("event", rows("event", {"kind": "none"}).clear(), None, AT - DAY, AT + DAY)
    wrote = rows(
        "event", *({"vehicle": vehicle, "kind": "x", "code": code, "text": text} for vehicle, code, text in told)
    )
    store.write("event", wrote)
    expected = wrote.with_columns(code=pl.when(pl.col("code") != "none").then("code"))
    assert_frame_equal(stored(store, "event"), expected.sort(RAW["event"].key))
    for vehicle, _, _ in told:
        only = stored(store, "event", vehicles=[vehicle])
        assert_frame_equal(only, expected.filter(pl.col("vehicle") == vehicle).sort(RAW["event"].key))
    store.close()


HOSTILE = ["x' OR '1'='1", 'x"; DROP MEASUREMENT "status"', "x\\' OR time > 0 --", "'; DROP DATABASE x; --", "x\n;y"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_of_a_vehicle_is_a_name_and_nothing_else(store: Influx, name: str) -> None:
    store.write("status", rows("status", {"soc_pct": 1.0}, {"vehicle": name, "soc_pct": 2.0}))
    assert stored(store, "status", vehicles=[name])["soc_pct"].to_list() == [2.0]
    store.replace("status", rows("status", {}).clear(), [name], AT - DAY, AT + DAY)
    assert stored(store, "status")["soc_pct"].to_list() == [1.0]


def test_scan_takes_a_span_whose_end_is_not_included_some_vehicles_and_some_columns(store: Influx) -> None:
    store.write("status", rows("status", *({"vehicle": f"v{n % 3}", "soc_pct": float(n)} for n in range(9))))
    second = timedelta(seconds=1)
    span = stored(store, "status", since=AT + 2 * second, until=AT + 5 * second)
    assert span["soc_pct"].sort().to_list() == [2.0, 3.0, 4.0]
    assert stored(store, "status", vehicles=["v0", "v2"])["vehicle"].unique().sort().to_list() == ["v0", "v2"]
    assert stored(store, "status", vehicles=[]).is_empty()
    lazy = store.scan("status").filter(pl.col("soc_pct") > 6).select("time", "soc_pct")
    assert lazy.collect().to_dict(as_series=False) == {
        "time": [AT + 7 * second, AT + 8 * second],
        "soc_pct": [7.0, 8.0],
    }
    assert store.scan("status").head(2).collect().height == 2


@pytest.mark.parametrize("window_rows", [1, 7, 100, 10_000])
def test_a_long_range_is_read_in_windows_and_none_is_lost_or_twice(influx: InfluxSettings, window_rows: int) -> None:
    store = Influx(influx, window_rows=window_rows)
    spread = [AT + timedelta(seconds=40 * n + 86_400 * (n // 40) * 3) for n in range(200)]
    wrote = rows("status", *({"time": at, "soc_pct": 1.0} for at in spread))
    store.write("status", wrote)
    assert_frame_equal(stored(store, "status"), wrote)
    store.close()


def test_the_latest_row_of_each_vehicle_comes_in_one_question(store: Influx) -> None:
    store.write("status", rows("status", *({"vehicle": f"v{n % 3}", "soc_pct": float(n)} for n in range(9))))
    found = store.latest("status").sort("vehicle")
    assert found["soc_pct"].to_list() == [6.0, 7.0, 8.0]
    assert found.schema == RAW["status"].schema
    store.write("status", rows("status", {"vehicle": "v1", "time": AT + DAY, "odometer_m": None}))
    assert store.latest("status", "soc_pct").sort("vehicle")["soc_pct"].to_list() == [6.0, 7.0, 8.0]
    assert store.latest("status", "odometer_m").is_empty()
    store.write("pack", rows("pack", {"port": "1"}, {"port": "2"}, {"port": "1"}))
    assert store.latest("pack").sort("port")["port"].to_list() == ["1", "2"]


def test_counts_are_by_day_of_utc(store: Influx) -> None:
    store.write("status", rows("status", {}, {}, {"time": AT + DAY}, {"time": AT - 30 * 365 * DAY}))
    assert [(at.date().isoformat(), n) for at, n in store.count("status")] == [
        ("1996-03-08", 1),
        ("2026-03-01", 2),
        ("2026-03-02", 1),
    ]


@pytest.mark.parametrize("version", ["", "3"])
def test_replace_removes_what_is_in_the_span_and_nothing_beside_it(influx: InfluxSettings, version: str) -> None:
    store = Influx(as_version(influx, version))
    second = timedelta(seconds=1)
    store.write("status", rows("status", *({"vehicle": f"v{n % 2}", "soc_pct": float(n)} for n in range(10))))
    fresh = rows("status", {"vehicle": "v0", "time": AT + 4 * second, "soc_pct": 44.0, "speed_kmh": 1.0})
    store.replace("status", fresh, ["v0"], AT + 2 * second, AT + 8 * second)
    left = {row["time"]: row["soc_pct"] for row in stored(store, "status").to_dicts()}
    assert left == {AT + n * second: (44.0 if n == 4 else float(n)) for n in (0, 1, 3, 4, 5, 7, 8, 9)}
    store.replace("status", fresh.clear(), None, AT, AT + 9 * second)
    assert stored(store, "status")["soc_pct"].to_list() == [9.0]
    assert [n for _, n in store.count("status")] == [1]
    store.close()


@pytest.mark.parametrize("version", ["", "3"])
def test_a_replaced_row_keeps_nothing_of_the_one_before_it(influx: InfluxSettings, version: str) -> None:
    if version == "3":
        pytest.skip("a server that cannot delete keeps the fields that a new row does not have")
    store = Influx(influx)
    store.write("status", rows("status", {"soc_pct": 1.0, "speed_kmh": 3.0}))
    store.replace("status", rows("status", {"soc_pct": 2.0}), None, AT, AT + DAY)
    assert stored(store, "status").select("soc_pct", "speed_kmh").rows() == [(2.0, None)]
    store.close()


def test_what_was_retracted_may_come_back(influx: InfluxSettings) -> None:
    store = Influx(as_version(influx, "3"))
    wrote = rows("status", {"soc_pct": 1.0})
    for held in (wrote, wrote.clear(), wrote):
        store.replace("status", held, None, AT, AT + DAY)
        assert_frame_equal(stored(store, "status"), held)
    store.close()


def test_a_field_of_another_type_costs_its_row_alone(influx: InfluxSettings) -> None:
    refused: list[tuple[str, str, str]] = []
    wrote = rows("status", *({"vehicle": f"v{n}", "soc_pct": float(n)} for n in range(5000)))
    broken = table_of_another_type("status", "soc_pct")
    one = wrote[2345:2346].with_columns(pl.lit("a word").alias("soc_pct"))
    with faulty_proxy(influx.url) as proxy:
        behind = msgspec.structs.replace(influx, url=proxy.url)
        store = Influx(behind, lambda table, row, words: refused.append((table.name, row["vehicle"][0], words)))
        store.write("status", rows("status", {"soc_pct": 1.0}))
        before = proxy.requests.total()
        assert post(store, broken, wrote, one) == 4999
        assert proxy.requests.total() - before <= 1 + 2 * math.ceil(math.log2(5000))
        assert stored(store, "status", since=AT).height == 5000
        store.close()
    ((*which, words),) = refused
    assert which == ["status", "v2345"]
    assert {"type", '"soc_pct"'} <= set(words.split())


def table_of_another_type(table: str, column: str) -> Table:
    shape = RAW[table]
    return Table(table, shape.key, {**shape.columns, column: pl.String()})


def post(store: Influx, shape: Table, rows: pl.DataFrame, wrong: pl.DataFrame) -> int:
    """Write these lines, one of them with a word where numbers are."""
    (place,) = rows.with_row_index().filter(pl.col("vehicle") == wrong["vehicle"][0])["index"]
    made = encode_lines(RAW["status"], rows).to_list()
    made[place] = encode_lines(shape, wrong)[0]
    return store.post(RAW["status"], rows, pl.Series("line", made))


def test_without_anybody_to_take_it_a_refused_row_is_an_error_that_names_it(store: Influx) -> None:
    store.write("status", rows("status", {"soc_pct": 1.0}))
    wrong = rows("status", {"soc_pct": 1.0}).with_columns(pl.lit("a word").alias("soc_pct"))
    with pytest.raises(Retry, match=r"refuses a row of status of 860000000000001"):
        post(store, table_of_another_type("status", "soc_pct"), rows("status", {}), wrong)


def test_a_database_that_is_not_there_is_an_alarm_and_no_drop(influx: InfluxSettings) -> None:
    store = Influx(msgspec.structs.replace(influx, bucket="nobody-made-this"))
    for act in (
        lambda: store.write("status", rows("status", {})),
        lambda: store.scan("status").collect(),
        lambda: store.latest("status"),
        lambda: store.count("status"),
    ):
        with pytest.raises((LoginNeeded, pl.exceptions.ComputeError), match=r"not found|nobody-made-this"):
            act()
    store.close()


def test_a_wrong_password_or_token_is_an_alarm_without_the_secret(influx: InfluxSettings) -> None:
    wrong = {"token": "not-it:not-it"} if influx.token else {"password": "not-it"}
    store = Influx(msgspec.structs.replace(influx, **wrong))
    with pytest.raises(LoginNeeded, match="check token or password") as told:
        store.write("status", rows("status", {}))
    assert "not-it" not in str(told.value)
    store.close()


def test_a_server_that_is_not_there_is_to_be_asked_again() -> None:
    with closing(Influx(InfluxSettings("http://127.0.0.1:9", "x", token="t"))) as nowhere:
        with pytest.raises(Retry, match="does not answer as it should"):
            nowhere.write("status", rows("status", {}))


def as_version(influx: InfluxSettings, version: str) -> InfluxSettings:
    """The same server taken for another version, where its API can be had."""
    if version == "3" and influx.version == "auto" and not influx.token:
        pytest.skip("spoken to by the API of 1.x")
    return msgspec.structs.replace(influx, version=version) if version else influx
