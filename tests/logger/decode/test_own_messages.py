"""Heartbeats and slices of imported files become rows."""

from datetime import UTC, datetime, timedelta

from logger.envelope import Envelope
from tests.helpers.data_folder import imported_slice
from tests.helpers.segway_pushes import (
    RECEIVED,
    decode_all,
    rows,
)

TIMES = [datetime(2026, 10, 1, 12, minute, tzinfo=UTC) for minute in (0, 1)]


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=milliseconds)


def test_an_imported_slice_is_split_over_the_tables_of_its_columns() -> None:
    slice_ = imported_slice(RECEIVED, TIMES, soc_pct=[50.0, 101.0], lat_deg=[0.0, 48.0], lon_deg=[0.0, 11.0])
    result = decode_all(slice_)
    assert sorted(result.rows) == ["location", "status"]
    assert [(each["soc_pct"], each["flags"]) for each in rows(result, "status")] == [
        (50.0, None),
        (None, ["implausible:soc_pct"]),
    ]
    places = [(each["lat_deg"], each["fix_valid"], each["flags"]) for each in rows(result, "location")]
    assert places == [(None, False, ["null_island"]), (48.0, None, None)]
    assert {each["clock"] for each in rows(result, "status")} == {"device"}


def test_an_imported_slice_that_is_no_parquet_is_quarantined() -> None:
    broken = Envelope("import", "rows", RECEIVED, "import", b"PAR1 no more")
    result = decode_all(broken, imported_slice(RECEIVED, TIMES[:1], soc_pct=[50.0]))
    assert (result.rows["status"].height, result.quarantined) == (1, 1)
    assert rows(result, "quarantine")[0]["reason"].startswith("decoder failed: ComputeError: parquet: ")


def test_a_heartbeat_is_a_row_of_no_vehicle() -> None:
    (heartbeat,) = rows(decode_all(Envelope("collector", "heartbeat", RECEIVED, "push", b"")), "collector")
    assert (heartbeat["provider"], heartbeat["vehicle"], heartbeat["time"], heartbeat["clock"]) == (
        "none",
        "none",
        at(RECEIVED),
        "server",
    )


def test_a_heartbeat_tells_what_waits_for_the_stores() -> None:
    body = b'{"spool_share":0.25,"lake_waiting":3,"quarantined":2}'
    (heartbeat,) = rows(decode_all(Envelope("collector", "heartbeat", RECEIVED, "push", body)), "collector")
    names = ("spool_share", "lake_waiting", "influx_waiting", "quarantined")
    assert [heartbeat[name] for name in names] == [0.25, 3, None, 2]


def test_a_heartbeat_of_an_older_version_tells_nothing_of_them() -> None:
    (heartbeat,) = rows(decode_all(Envelope("collector", "heartbeat", RECEIVED, "push", b"")), "collector")
    assert (heartbeat["spool_share"], heartbeat["lake_waiting"]) == (None, None)
