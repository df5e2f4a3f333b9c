"""What an InfluxDB does not take: an alarm where time or a person helps, the lake's quarantine where nothing does."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from logger.commands.status import lines, read_overview
from logger.envelope import Envelope
from logger.process_state import read_state
from logger.receive.metrics import ReceiverMetrics
from logger.settings.schema import InfluxSettings, Settings
from logger.stores import open_lake
from logger.stores.influx.influx import Influx
from tests.helpers import two_sinks
from tests.helpers.data_folder import append_messages, imported_slice, push, status
from tests.helpers.faulty_proxy import Fault, faulty_proxy
from tests.helpers.influx_server import Server, own_server
from tests.logger.stores.influx.test_influx import rows, stored

AT = 1_790_000_000_000
TIME = datetime.fromtimestamp(AT / 1000, UTC)


def alerts(count: int) -> list[Envelope]:
    """As many series."""
    return [push("alert", AT, AT - n * 1000, code=str(n), alertStatus="0") for n in range(count)]


def refused(ours: Settings, caplog: pytest.LogCaptureFixture, *words: str) -> None:
    """The sink takes nothing and drops nothing; log and `voltrail status` say why and what to do."""
    waited = two_sinks.waiting(ours, "influx")
    with two_sinks.feeding(ours, "influx") as feeder:
        assert [feeder.step() for _ in range(3)] == [10, 10, 10]
    check_alarm(ours, caplog, waited, *words)


def trouble(ours: Settings) -> bytes:
    """The line of `/metrics`."""
    told = {"depth": {}, "bytes": 0, "max_bytes": 1, "feeders": {"influx": read_state(ours.data_dir, "feeder-influx")}}
    return next(line for line in ReceiverMetrics(lambda: told).text().splitlines() if b"sink_trouble{" in line)


def check_alarm(ours: Settings, caplog: pytest.LogCaptureFixture, waited: int, *words: str) -> None:
    assert two_sinks.waiting(ours, "influx") == waited
    assert open_lake(ours).scan("quarantine").collect().is_empty()
    told = [
        caplog.records[-1].getMessage(),
        next(line for line in lines(read_overview(ours)) if "failures, last" in line),
    ]
    assert trouble(ours) == b'voltrail_sink_trouble{sink="influx"} 1.0'
    for line in told:
        assert all(word in line for word in words), line


# ---- alarms: nothing is dropped, and once it is mended all arrive ---------------------------------------------------


def test_too_many_series_are_an_alarm_and_rows_wait(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "influx").mkdir()
    with own_server(tmp_path / "influx", "max-series-per-database = 30") as place:
        if place.major != "1":
            pytest.skip("only 1.x has such a limit")
        ours = two_sinks.settings(tmp_path, place.settings("voltrail"))
        append_messages(ours, *alerts(60), status(AT, 1000))
        refused(ours, caplog, "limit exceeded", "too many series", "raise the server's limit")
        assert place.process
        place.process.stop()
        place.process.configure("max-series-per-database = 0")
        place.process.start()
        two_sinks.feed(ours, "influx")
        two_sinks.feed(ours, "lake")
        two_sinks.check_same(ours, place.settings("voltrail"))


def test_a_password_that_no_longer_holds_is_an_alarm_and_rows_wait(
    influx_server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if influx_server.major != "1":
        pytest.skip("passwords are 1.x's")
    with influx_server.database() as name, influx_server.http() as http:

        def run(statement: str) -> None:
            http.post("/query", data={"q": statement}).raise_for_status()

        run(f"CREATE USER {name} WITH PASSWORD 'one'")
        run(f'GRANT ALL ON "{name}" TO {name}')
        influx = influx_server.settings(name, username=name, password="one")
        ours = two_sinks.settings(tmp_path, influx)
        append_messages(ours, status(AT, 1000))
        with two_sinks.feeding(ours, "influx") as feeder:
            assert feeder.step() <= 1
            run(f"SET PASSWORD FOR {name} = 'two'")
            append_messages(ours, status(AT + 1000, 1001))
            assert feeder.step() == 10
            check_alarm(ours, caplog, 1, "HTTP 401", "check token or password")
            run(f"SET PASSWORD FOR {name} = 'one'")
            assert feeder.step() <= 1
            assert trouble(ours) == b'voltrail_sink_trouble{sink="influx"} 0.0'
            feeder.drain(or_raise=True)
        two_sinks.feed(ours, "lake")
        two_sinks.check_same(ours, influx)
        run(f"DROP USER {name}")


def test_a_database_that_is_dropped_is_an_alarm_until_the_next_start_makes_it_again(
    influx_server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with influx_server.database() as name:
        influx = influx_server.settings(name)
        ours = two_sinks.settings(tmp_path, influx)
        append_messages(ours, status(AT, 1000))
        with two_sinks.feeding(ours, "influx") as feeder:
            assert feeder.step() <= 1
            influx_server.drop(name)
            append_messages(ours, status(AT + 1000, 1001), *alerts(3))
            assert [feeder.step() for _ in range(2)] == [10, 10]
        check_alarm(ours, caplog, 4, "not found", f"does {name!r} exist there?", "A start of voltrail makes it")
        two_sinks.feed(ours, "influx")
        with closing(Influx(influx)) as store:
            assert stored(store, "status")["odometer_m"].to_list() == [1001.0]
            assert stored(store, "event").height == 3


# ---- rows that no InfluxDB takes ------------------------------------------------------------------------------------


def test_a_text_longer_than_64_kib_is_kept_whole(influx: InfluxSettings) -> None:
    text = "ä" * 70_000
    with closing(Influx(influx)) as store:
        store.write("event", rows("event", {"kind": "alert", "code": "10", "text": text}))
        assert stored(store, "event")["text"].to_list() == [text]


def test_a_row_whose_name_is_too_long_is_set_aside_alone_and_once(
    influx: InfluxSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ours, name = two_sinks.settings(tmp_path, influx), "v" * 70_000
    append_messages(ours, status(AT, 1000), imported_slice(AT, [TIME], name, odometer_m=[5.0]), status(AT + 1000, 1001))
    assert two_sinks.feed(ours, "influx")[0] <= 1
    two_sinks.feed(ours, "lake")
    (aside,) = open_lake(ours).scan("quarantine").collect().to_dicts()
    assert (aside["source"], aside["path"], aside["vehicle"]) == ("influx", "status", name)
    assert "max key length exceeded" in aside["reason"]
    assert len(aside["reason"]) < 1000
    assert max(len(record.getMessage()) for record in caplog.records) < 1000
    assert open_lake(ours).scan("status").collect().height == 3
    others = open_lake(ours).scan("status").filter(pl.col("vehicle") != name).sort("time").collect()
    with closing(Influx(influx)) as store:
        assert_frame_equal(stored(store, "status").sort("time"), others)


def test_a_refused_row_is_set_aside_once_however_often_its_batch_is_delivered(
    influx: InfluxSettings, tmp_path: Path
) -> None:
    with faulty_proxy(influx.url) as proxy:
        ours = two_sinks.settings(tmp_path, msgspec.structs.replace(influx, url=proxy.url))
        append_messages(ours, status(AT, 1000), imported_slice(AT, [TIME], "v" * 70_000, odometer_m=[5.0]), *alerts(2))
        proxy.inject(*(Fault("write", kind, skip=3) for kind in ("lost", "cut before")))
        waits = two_sinks.feed(ours, "influx")
        assert proxy.exhausted
        assert [wait >= 2 for wait in waits] == [True, True, False]
        with closing(sqlite3.connect(ours.data_dir / "spool.db")) as db:  # as an end before the cursor moved leaves it
            db.execute("UPDATE cursors SET sequence = 0 WHERE sink = 'influx'")
            db.commit()
        two_sinks.feed(ours, "influx")
        assert open_lake(ours).scan("quarantine").collect().height == 1
        assert open_lake(ours).unmerged("quarantine", TIME.date()).collect().height == 1
