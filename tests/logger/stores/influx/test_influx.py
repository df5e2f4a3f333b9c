"""InfluxDB as a store, on a real server: rows are written, read back, replaced and counted."""

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
from logger.tables import RAW, shaped

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
VEHICLE = {"provider": "segway", "vehicle": "860000000000001"}


def rows(table: str, *values: dict[str, Any]) -> pl.DataFrame:
    """Rows of a table with these values, a second apart."""
    origin = {"via": "push", "clock": "device"}
    records = [
        {**VEHICLE, "time": AT + timedelta(seconds=at), "received_at": AT, "sequence": at + 1, **origin, **row}
        for at, row in enumerate(values)
    ]
    return shaped(pl.DataFrame(records, schema={name: RAW[table].schema[name] for name in records[0]}), table)


def stored(store: Influx, table: str, **span: Any) -> pl.DataFrame:
    return store.scan(table, **span).collect().sort(RAW[table].key)


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
def test_rows_are_read_back_in_the_columns_of_the_lake(store: Influx, table: str) -> None:
    written = rows(table, *FULL[table])
    assert store.write(table, written) == written.height
    read = stored(store, table)
    assert read.schema == RAW[table].schema
    assert_frame_equal(read, written.sort(RAW[table].key))


def test_a_table_that_nobody_wrote_is_empty_and_has_its_columns(store: Influx) -> None:
    for table in RAW:
        assert_frame_equal(stored(store, table), pl.DataFrame(schema=RAW[table].schema))
        assert store.latest(table).schema == RAW[table].schema


def test_a_row_without_values_is_a_row(store: Influx) -> None:
    store.write("status", rows("status", {}))
    assert stored(store, "status").height == 1
    assert store.scan("status").select("vehicle").collect().height == 1


def test_rows_of_one_key_are_merged_field_by_field(store: Influx) -> None:
    store.write("status", rows("status", {"soc_pct": 50.0, "speed_kmh": 7.0}))
    store.write("status", rows("status", {"soc_pct": 49.0, "locked": True}))
    (row,) = stored(store, "status").to_dicts()
    assert (row["soc_pct"], row["speed_kmh"], row["locked"]) == (49.0, 7.0, True)


def test_everything_of_one_vehicle_in_one_millisecond_is_kept(store: Influx) -> None:
    events = rows(
        "event", {"kind": "alert", "code": "10"}, {"kind": "fault", "code": "10"}, {"kind": "alert", "code": "4"}
    )
    packs = rows("pack", {"port": "1"}, {"port": "2"}, {"port": None})
    for table, written in (("event", events), ("pack", packs)):
        at_once = written.with_columns(time=pl.lit(AT).cast(RAW[table].schema["time"]))
        store.write(table, at_once)
        assert_frame_equal(stored(store, table), at_once.sort(RAW[table].key))


AWKWARD = [
    *("a b", "a,b", "a=b", 'a"b', "a'b", "a\\", "\\", "a\nb", "a\r\nb"),
    *("🛵", "none", "%41", " ", "\t", "a\\,b", "#x", "\ufeff"),
]
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20) | st.sampled_from(AWKWARD)
events = st.tuples(names, names, st.none() | names | st.just(""))
Event = tuple[str, str, str | None]  # vehicle, code, text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(events, min_size=1, max_size=8, unique_by=lambda event: event[:2]))
def test_names_and_texts_come_back_as_they_were(influx: InfluxSettings, events: list[Event]) -> None:
    store = Influx(influx)
    store.replace("event", rows("event", {"kind": "none"}).clear(), None, AT - DAY, AT + DAY)
    written = rows(
        "event", *({"vehicle": vehicle, "kind": "x", "code": code, "text": text} for vehicle, code, text in events)
    )
    store.write("event", written)
    expected = written.with_columns(code=pl.when(pl.col("code") != "none").then("code"))
    assert_frame_equal(stored(store, "event"), expected.sort(RAW["event"].key))
    for vehicle, _, _ in events:
        only = stored(store, "event", vehicles=[vehicle])
        assert_frame_equal(only, expected.filter(pl.col("vehicle") == vehicle).sort(RAW["event"].key))
    store.close()


HOSTILE = ["x' OR '1'='1", 'x"; DROP MEASUREMENT "status"', "x\\' OR time > 0 --", "'; DROP DATABASE x; --", "x\n;y"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_vehicle_name_with_quotes_or_statements_is_only_a_name(store: Influx, name: str) -> None:
    store.write("status", rows("status", {"soc_pct": 1.0}, {"vehicle": name, "soc_pct": 2.0}))
    assert stored(store, "status", vehicles=[name])["soc_pct"].to_list() == [2.0]
    store.replace("status", rows("status", {}).clear(), [name], AT - DAY, AT + DAY)
    assert stored(store, "status")["soc_pct"].to_list() == [1.0]


@pytest.mark.parametrize(
    "text",
    [
        "a\x1b]0;x\x07b",
        "a\x00b",
        "a\nb\r\nc",
        "\u202egnp\u2066",
        "\x9b2J",
        "q\"\\'",
        "ends in \\",
        "\x7f\t",
        "x" * 5000,
    ],
    ids=ascii,
)
def test_the_text_of_an_event_is_only_text(store: Influx, text: str) -> None:
    event = {"kind": "fault", "code": "7", "text": text, "state": "appeared"}
    store.write("event", rows("event", event, {**event, "text": "after it"}))
    assert stored(store, "event")["text"].to_list() == [text, "after it"]


def test_a_column_that_is_named_like_a_word_of_the_query_language_is_only_a_column(store: Influx) -> None:
    row = {**VEHICLE, "time": AT, "day": "2026-03-01", "trips": 2, "distance_m": 3600.0, "energy_wh": 70.5}
    hour, place = {"by": "hour", "bin": "09", "bin_start": 9.0}, {"by": "place", "bin": "Depot, east"}
    sums = shaped(pl.DataFrame([row | hour, row | place]), "consumption_by")
    store.replace("consumption_by", sums, None, AT - DAY, AT + DAY)
    assert_frame_equal(store.scan("consumption_by").collect().sort("by"), sums)


def test_scan_reads_a_span_without_its_end_some_vehicles_and_some_columns(store: Influx) -> None:
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
def test_a_long_span_is_read_in_windows_and_no_row_is_lost_or_twice(influx: InfluxSettings, window_rows: int) -> None:
    store = Influx(influx, window_rows=window_rows)
    spread = [AT + timedelta(seconds=40 * n + 86_400 * (n // 40) * 3) for n in range(200)]
    written = rows("status", *({"time": at, "soc_pct": 1.0} for at in spread))
    store.write("status", written)
    assert_frame_equal(stored(store, "status"), written)
    store.close()


def test_the_latest_row_of_each_vehicle_is_found_also_with_a_value(store: Influx) -> None:
    store.write("status", rows("status", *({"vehicle": f"v{n % 3}", "soc_pct": float(n)} for n in range(9))))
    latest = store.latest("status").sort("vehicle")
    assert latest["soc_pct"].to_list() == [6.0, 7.0, 8.0]
    assert latest.schema == RAW["status"].schema
    store.write("status", rows("status", {"vehicle": "v1", "time": AT + DAY, "odometer_m": None}))
    assert store.latest("status", "soc_pct").sort("vehicle")["soc_pct"].to_list() == [6.0, 7.0, 8.0]
    assert store.latest("status", "odometer_m").is_empty()
    store.write("pack", rows("pack", {"port": "1"}, {"port": "2"}, {"port": "1"}))
    assert store.latest("pack").sort("port")["port"].to_list() == ["1", "2"]


def test_rows_are_counted_by_utc_day(store: Influx) -> None:
    store.write("status", rows("status", {}, {}, {"time": AT + DAY}, {"time": AT - 30 * 365 * DAY}))
    assert [(at.date().isoformat(), n) for at, n in store.count("status")] == [
        ("1996-03-08", 1),
        ("2026-03-01", 2),
        ("2026-03-02", 1),
    ]


@pytest.mark.parametrize("version", ["", "3"])
def test_replace_removes_the_rows_in_the_span_and_no_others(influx: InfluxSettings, version: str) -> None:
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
def test_a_replaced_row_keeps_no_field_of_the_one_before_it(influx: InfluxSettings, version: str) -> None:
    if version == "3":
        pytest.skip("a server that cannot delete keeps the fields that a new row does not have")
    store = Influx(influx)
    store.write("status", rows("status", {"soc_pct": 1.0, "speed_kmh": 3.0}))
    store.replace("status", rows("status", {"soc_pct": 2.0}), None, AT, AT + DAY)
    assert stored(store, "status").select("soc_pct", "speed_kmh").rows() == [(2.0, None)]
    store.close()


def test_a_retracted_row_can_be_written_again(influx: InfluxSettings) -> None:
    store = Influx(as_version(influx, "3"))
    row = rows("status", {"soc_pct": 1.0})
    for replaced_by in (row, row.clear(), row):
        store.replace("status", replaced_by, None, AT, AT + DAY)
        assert_frame_equal(stored(store, "status"), replaced_by)
    store.close()


def test_a_missing_database_is_an_error_and_loses_no_row(influx: InfluxSettings) -> None:
    store = Influx(msgspec.structs.replace(influx, bucket="nobody-made-this"))
    for use in (
        lambda: store.write("status", rows("status", {})),
        lambda: store.scan("status").collect(),
        lambda: store.latest("status"),
        lambda: store.count("status"),
    ):
        with pytest.raises((LoginNeeded, pl.exceptions.ComputeError), match=r"not found|nobody-made-this"):
            use()
    store.close()


def test_a_wrong_password_or_token_is_an_error_without_the_secret(influx: InfluxSettings) -> None:
    wrong = {"token": "not-it:not-it"} if influx.token else {"password": "not-it"}
    store = Influx(msgspec.structs.replace(influx, **wrong))
    with pytest.raises(LoginNeeded, match="check token or password") as raised:
        store.write("status", rows("status", {}))
    assert "not-it" not in str(raised.value)
    store.close()


def test_a_server_that_is_not_there_raises_retry() -> None:
    with closing(Influx(InfluxSettings("http://127.0.0.1:9", "x", token="t"))) as store:
        with pytest.raises(Retry, match="does not answer as it should"):
            store.write("status", rows("status", {}))


def as_version(influx: InfluxSettings, version: str) -> InfluxSettings:
    """The settings of the same server for the API of another version, where it serves that."""
    if version == "3" and influx.version == "auto" and not influx.token:
        pytest.skip("serves only the API of 1.x")
    return msgspec.structs.replace(influx, version=version) if version else influx
