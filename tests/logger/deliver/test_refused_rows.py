"""Rows that InfluxDB refuses: an error where time or a person helps, the lake's quarantine where nothing does."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from logger.commands.output import plain_lines
from logger.commands.status import view
from logger.envelope import Envelope
from logger.live.overview import read_overview
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
    """Alerts with different codes, each a series of its own."""
    return [push("alert", AT, AT - n * 1000, code=str(n), alertStatus="0") for n in range(count)]


def check_refused(settings: Settings, caplog: pytest.LogCaptureFixture, *words: str) -> None:
    """Check that the sink takes no message and loses none, and that log and `voltrail status` have these words."""
    waiting = two_sinks.waiting(settings, "influx")
    with two_sinks.open_feeder(settings, "influx") as feeder:
        assert [feeder.step() for _ in range(3)] == [10, 10, 10]
    check_error(settings, caplog, waiting, *words)


def trouble_metric(settings: Settings) -> bytes:
    """Return the line of `/metrics` about the sink in trouble."""
    feeders = {"influx": read_state(settings.data_dir, "feeder-influx")}
    state = {"depth": {}, "bytes": 0, "max_bytes": 1, "feeders": feeders}
    return next(line for line in ReceiverMetrics(lambda: state).text().splitlines() if b"sink_trouble{" in line)


def check_error(settings: Settings, caplog: pytest.LogCaptureFixture, waiting: int, *words: str) -> None:
    """Check that so many messages wait, that none is in quarantine, and that the last error has these words."""
    assert two_sinks.waiting(settings, "influx") == waiting
    assert open_lake(settings).scan("quarantine").collect().is_empty()
    texts = [
        caplog.records[-1].getMessage(),
        next(line for line in plain_lines(view(read_overview(settings))) if "failures, last" in line),
    ]
    assert trouble_metric(settings) == b'voltrail_sink_trouble{sink="influx"} 1.0'
    for text in texts:
        assert all(word in text for word in words), text


# ---- errors: no row is lost, and all arrive once the fault is mended ------------------------------------------------


def test_too_many_series_are_an_error_and_rows_wait(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "influx").mkdir()
    with own_server(tmp_path / "influx", "max-series-per-database = 30") as place:
        if place.major != "1":
            pytest.skip("only 1.x has such a limit")
        settings = two_sinks.influx_settings(tmp_path, place.settings("voltrail"))
        append_messages(settings, *alerts(60), status(AT, 1000))
        check_refused(settings, caplog, "limit exceeded", "too many series", "raise the server's limit")
        assert place.process
        place.process.stop()
        place.process.configure("max-series-per-database = 0")
        place.process.start()
        two_sinks.feed(settings, "influx")
        two_sinks.feed(settings, "lake")
        two_sinks.check_same(settings, place.settings("voltrail"))


def test_a_changed_password_is_an_error_and_rows_wait(
    influx_server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    if influx_server.major != "1":
        pytest.skip("only 1.x has passwords")
    with influx_server.database() as name, influx_server.http() as http:

        def run(statement: str) -> None:
            http.post("/query", data={"q": statement}).raise_for_status()

        run(f"CREATE USER {name} WITH PASSWORD 'one'")
        run(f'GRANT ALL ON "{name}" TO {name}')
        influx = influx_server.settings(name, username=name, password="one")
        settings = two_sinks.influx_settings(tmp_path, influx)
        append_messages(settings, status(AT, 1000))
        with two_sinks.open_feeder(settings, "influx") as feeder:
            assert feeder.step() <= 1
            run(f"SET PASSWORD FOR {name} = 'two'")
            append_messages(settings, status(AT + 1000, 1001))
            assert feeder.step() == 10
            check_error(settings, caplog, 1, "HTTP 401", "check token or password")
            run(f"SET PASSWORD FOR {name} = 'one'")
            assert feeder.step() <= 1
            assert trouble_metric(settings) == b'voltrail_sink_trouble{sink="influx"} 0.0'
            feeder.drain(or_raise=True)
        two_sinks.feed(settings, "lake")
        two_sinks.check_same(settings, influx)
        run(f"DROP USER {name}")


def test_a_dropped_database_is_an_error_until_the_next_start_creates_it_again(
    influx_server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with influx_server.database() as name:
        influx = influx_server.settings(name)
        settings = two_sinks.influx_settings(tmp_path, influx)
        append_messages(settings, status(AT, 1000))
        with two_sinks.open_feeder(settings, "influx") as feeder:
            assert feeder.step() <= 1
            influx_server.drop(name)
            append_messages(settings, status(AT + 1000, 1001), *alerts(3))
            assert [feeder.step() for _ in range(2)] == [10, 10]
        check_error(settings, caplog, 4, "not found", f"does {name!r} exist there?", "A start of voltrail makes it")
        two_sinks.feed(settings, "influx")
        with closing(Influx(influx)) as store:
            assert stored(store, "status")["odometer_m"].to_list() == [1001.0]
            assert stored(store, "event").height == 3


# ---- rows that no InfluxDB takes ------------------------------------------------------------------------------------


def test_a_text_longer_than_64_kib_is_kept_whole(influx: InfluxSettings) -> None:
    text = "ä" * 70_000
    with closing(Influx(influx)) as store:
        store.write("event", rows("event", {"kind": "alert", "code": "10", "text": text}))
        assert stored(store, "event")["text"].to_list() == [text]


def test_a_row_whose_name_is_too_long_is_quarantined_alone_and_once(
    influx: InfluxSettings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings, name = two_sinks.influx_settings(tmp_path, influx), "v" * 70_000
    append_messages(
        settings, status(AT, 1000), imported_slice(AT, [TIME], name, odometer_m=[5.0]), status(AT + 1000, 1001)
    )
    assert two_sinks.feed(settings, "influx")[0] <= 1
    two_sinks.feed(settings, "lake")
    (refused,) = open_lake(settings).scan("quarantine").collect().to_dicts()
    assert (refused["source"], refused["path"], refused["vehicle"]) == ("influx", "status", name)
    assert "max key length exceeded" in refused["reason"]
    assert len(refused["reason"]) < 1000
    assert max(len(record.getMessage()) for record in caplog.records) < 1000
    assert open_lake(settings).scan("status").collect().height == 3
    others = open_lake(settings).scan("status").filter(pl.col("vehicle") != name).sort("time").collect()
    with closing(Influx(influx)) as store:
        assert_frame_equal(stored(store, "status").sort("time"), others)


def test_a_refused_row_is_quarantined_once_however_often_its_batch_is_delivered(
    influx: InfluxSettings, tmp_path: Path
) -> None:
    with faulty_proxy(influx.url) as proxy:
        settings = two_sinks.influx_settings(tmp_path, msgspec.structs.replace(influx, url=proxy.url))
        append_messages(
            settings, status(AT, 1000), imported_slice(AT, [TIME], "v" * 70_000, odometer_m=[5.0]), *alerts(2)
        )
        proxy.inject(*(Fault("write", kind, skip=3) for kind in ("lost", "cut before")))
        waits = two_sinks.feed(settings, "influx")
        assert proxy.is_exhausted
        assert [wait >= 2 for wait in waits] == [True, True, False]
        # As if the feeder had ended before the cursor moved
        with closing(sqlite3.connect(settings.data_dir / "spool.db")) as db:
            db.execute("UPDATE cursors SET sequence = 0 WHERE sink = 'influx'")
            db.commit()
        two_sinks.feed(settings, "influx")
        assert open_lake(settings).scan("quarantine").collect().height == 1
        assert open_lake(settings).unmerged_rows("quarantine", [TIME.date()]).collect().height == 1


@pytest.mark.parametrize("body", [b"no form", b"not \xff UTF-8"])
def test_an_unreadable_message_is_only_in_the_lake_and_delays_no_other(
    influx: InfluxSettings, tmp_path: Path, body: bytes
) -> None:
    settings, readable = two_sinks.influx_settings(tmp_path, influx), status(AT, 1000)
    append_messages(settings, msgspec.structs.replace(readable, body=body), readable)
    two_sinks.feed(settings, "influx")
    assert open_lake(settings).scan("quarantine").collect().is_empty()
    two_sinks.feed(settings, "lake")
    assert open_lake(settings).scan("quarantine").collect()["body"].to_list() == [body]
    with closing(Influx(influx)) as store:
        assert stored(store, "status")["odometer_m"].to_list() == [1000.0]
        assert stored(store, "quarantine").is_empty()
