"""An InfluxDB, or a proxy in front of it, that answers wrongly: in the end both sinks hold the same rows.

One wrong answer cannot be detected: 204 for rows that were not written.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from logger.commands.output import plain_lines
from logger.commands.status import view
from logger.envelope import Envelope
from logger.errors import LoginNeeded, Retry
from logger.live.overview import read_overview
from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import Influx
from tests.helpers import two_sinks
from tests.helpers.data_folder import answer, append_messages, heartbeat, push, status, vehicle_names
from tests.helpers.faulty_proxy import Fault, Proxy, faulty_proxy
from tests.logger.stores.influx.test_influx import HOSTILE, rows

AT = 1_790_000_000_000
LOGIN_PAGE = b"<!doctype html><title>Sign in</title>"
QUOTED = re.compile(r"""'(\\.|[^'\\])*'|"(\\.|[^"\\])*\"""")
HTML = (("Content-Type", "text/html"),)


@pytest.fixture
def proxy(influx: InfluxSettings) -> Iterator[Proxy]:
    with faulty_proxy(influx.url) as proxy:
        yield proxy


@pytest.fixture
def proxied(influx: InfluxSettings, proxy: Proxy) -> InfluxSettings:
    """The settings of the server behind the proxy."""
    return msgspec.structs.replace(influx, url=proxy.url)


def messages(count: int = 40) -> Iterator[Envelope]:
    for n in range(count):
        at = AT + n * 1000
        yield status(at, 1000 + n)
        yield push("alert", at, at, code="10", alertStatus="0")
    yield from (
        vehicle_names(AT, "Moped 7"),
        heartbeat(AT),
        answer("location", AT, {"latitude": 52.0, "longitude": 5.0}),
    )


WRITES = [
    Fault("write", 500, 2),
    Fault("write", 503, headers=(("Retry-After", "45"),)),
    Fault("write", 200, headers=HTML, body=LOGIN_PAGE),
    Fault("write", 302, headers=(("Location", "/login"),)),
    *(Fault("write", kind, 2) for kind in ("cut before", "lost", "cut within")),
]
QUERIES = [
    Fault("/query", 500),
    Fault("/query", 400),
    Fault("/query", 200, headers=HTML, body=LOGIN_PAGE),
    *(Fault("/query", kind, 2) for kind in ("cut before", "lost", "cut within", "half")),
]
PINGS = [Fault("/ping", 502), Fault("/ping", "cut before")]


@pytest.mark.parametrize("lies", [WRITES, QUERIES, PINGS], ids=["writes", "queries", "pings"])
def test_whatever_the_server_answers_both_sinks_hold_the_same_in_the_end(
    influx: InfluxSettings, proxied: InfluxSettings, proxy: Proxy, tmp_path: Path, lies: list[Fault]
) -> None:
    settings = two_sinks.influx_settings(tmp_path, proxied)
    append_messages(settings, *messages())
    proxy.inject(*lies)
    waits = two_sinks.feed(settings, "influx")
    two_sinks.feed(settings, "lake")
    assert proxy.is_exhausted
    failures = sum(lie.times for lie in lies if lie.kind != "cut within")  # half a 204 may have been enough
    assert sum(wait >= 2 for wait in waits) >= failures
    two_sinks.check_same(settings, influx)


@pytest.mark.parametrize("query", range(3), ids=["columns", "counts", "rows"])
@pytest.mark.parametrize("kind", ["half", "cut within"])
def test_half_an_answer_is_never_taken_for_a_whole_one(
    proxied: InfluxSettings, proxy: Proxy, kind: str, query: int
) -> None:
    with closing(Influx(proxied)) as store:
        store.write("status", rows("status", *({"soc_pct": float(n)} for n in range(50))))
        proxy.inject(Fault("/query", kind, skip=query))
        with pytest.raises(Retry, match=r"no answer, or half of one|does not answer as it should"):
            store.scan("status").collect()
        assert proxy.is_exhausted
        assert store.scan("status").collect().height == 50


@pytest.mark.parametrize("status", [401, 503])
def test_a_secret_that_the_server_repeats_is_in_no_error(proxied: InfluxSettings, proxy: Proxy, status: int) -> None:
    secret = proxied.token or proxied.password
    with closing(Influx(proxied)) as store:
        store.write("status", rows("status", {}))
        proxy.inject(Fault("/query", status, body=f'{{"message":"refused: {secret}"}}'.encode()))
        with pytest.raises((LoginNeeded, Retry), match=f"HTTP {status}: refused: …") as raised:
            store.scan("status").collect()
    assert secret not in str(raised.value)


def test_retry_after_is_respected(proxied: InfluxSettings, proxy: Proxy, tmp_path: Path) -> None:
    settings = two_sinks.influx_settings(tmp_path, proxied)
    append_messages(settings, *messages(1))
    with two_sinks.open_feeder(settings, "influx") as feeder:
        proxy.inject(*(Fault("write", status, headers=(("Retry-After", "45"),)) for status in (503, 429, 504)))
        assert [feeder.step() for _ in range(3)] == [45, 45, 45]
        assert feeder.step() <= 1


def test_a_write_that_is_answered_200_counts_as_not_written(
    proxied: InfluxSettings, proxy: Proxy, tmp_path: Path
) -> None:
    settings = two_sinks.influx_settings(tmp_path, proxied)
    append_messages(settings, *messages(1))
    proxy.inject(Fault("write", 200, headers=HTML, body=LOGIN_PAGE))
    with two_sinks.open_feeder(settings, "influx") as feeder:
        feeder.step()
    (line,) = [line for line in plain_lines(view(read_overview(settings))) if "1 failures" in line]
    assert "HTTP 200 for rows" in line
    assert "does something else stand at that address" in line
    assert two_sinks.waiting(settings, "influx") == 5


def test_a_sink_that_has_just_failed_does_not_delay_the_stop(
    proxied: InfluxSettings, proxy: Proxy, tmp_path: Path
) -> None:
    settings = two_sinks.influx_settings(tmp_path, proxied)
    append_messages(settings, *messages(1))
    with two_sinks.open_feeder(settings, "influx") as feeder:
        proxy.inject(Fault("write", "cut before", 2))
        feeder.step()
        requests = proxy.requests.total()
        feeder.drain()
        assert proxy.requests.total() == requests
    assert two_sinks.waiting(settings, "influx") == 5


# ---- which statements are sent ---------------------------------------------------------------------------------------


def test_reading_sends_nothing_but_select_and_show(proxied: InfluxSettings, proxy: Proxy) -> None:
    with closing(Influx(proxied)) as store:
        for name in HOSTILE:
            store.write("status", rows("status", {"vehicle": name, "soc_pct": 1.0}))
            store.write("event", rows("event", {"vehicle": name, "kind": "x", "code": name, "text": name}))
        del proxy.statements[:]
        for table in ("status", "event"):
            for name in HOSTILE:
                assert store.scan(table, vehicles=[name]).collect().height == 1
                assert sum(n for _, n in store.count(table, vehicles=[name])) == 1
            assert store.latest(table).height == len(HOSTILE)
    assert len(proxy.statements) >= 2 * len(HOSTILE) * 2
    for method, statement in proxy.statements:
        assert method == "POST"
        assert statement.startswith(("SELECT ", "SHOW "))
        assert ";" not in QUOTED.sub("", statement)
        assert " INTO " not in QUOTED.sub("", statement)
