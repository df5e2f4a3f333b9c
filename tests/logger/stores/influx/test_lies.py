"""An InfluxDB, or what stands before it, that lies: whatever it says, the sink ends up with what the lake has.

One lie cannot be found out by anybody: 204 for rows that were not written.
"""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from logger.commands.status import lines, read_overview
from logger.envelope import Envelope
from logger.errors import Retry
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
    with faulty_proxy(influx.url) as made:
        yield made


@pytest.fixture
def behind(influx: InfluxSettings, proxy: Proxy) -> InfluxSettings:
    """The settings of who is lied to."""
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
QUESTIONS = [
    Fault("/query", 500),
    Fault("/query", 400),
    Fault("/query", 200, headers=HTML, body=LOGIN_PAGE),
    *(Fault("/query", kind, 2) for kind in ("cut before", "lost", "cut within", "half")),
]
PINGS = [Fault("/ping", 502), Fault("/ping", "cut before")]


@pytest.mark.parametrize("lies", [WRITES, QUESTIONS, PINGS], ids=["of rows", "of questions", "of itself"])
def test_whatever_it_says_both_sinks_hold_the_same_in_the_end(
    influx: InfluxSettings, behind: InfluxSettings, proxy: Proxy, tmp_path: Path, lies: list[Fault]
) -> None:
    ours = two_sinks.settings(tmp_path, behind)
    append_messages(ours, *messages())
    proxy.inject(*lies)
    waits = two_sinks.feed(ours, "influx")
    two_sinks.feed(ours, "lake")
    assert proxy.exhausted
    told = sum(lie.times for lie in lies if lie.kind != "cut within")  # half of 204 may have said enough
    assert sum(wait >= 2 for wait in waits) >= told
    two_sinks.check_same(ours, influx)


@pytest.mark.parametrize("question", range(3), ids=["which columns", "how many", "rows"])
@pytest.mark.parametrize("kind", ["half", "cut within"])
def test_half_an_answer_is_never_taken_for_a_whole_one(
    behind: InfluxSettings, proxy: Proxy, kind: str, question: int
) -> None:
    with closing(Influx(behind)) as store:
        store.write("status", rows("status", *({"soc_pct": float(n)} for n in range(50))))
        proxy.inject(Fault("/query", kind, skip=question))
        with pytest.raises(Retry, match=r"no answer, or half of one|does not answer as it should"):
            store.scan("status").collect()
        assert proxy.exhausted
        assert store.scan("status").collect().height == 50


def test_a_server_that_wants_to_be_left_alone_is(behind: InfluxSettings, proxy: Proxy, tmp_path: Path) -> None:
    ours = two_sinks.settings(tmp_path, behind)
    append_messages(ours, *messages(1))
    with two_sinks.feeding(ours, "influx") as feeder:
        proxy.inject(*(Fault("write", status, headers=(("Retry-After", "45"),)) for status in (503, 429, 504)))
        assert [feeder.step() for _ in range(3)] == [45, 45, 45]
        assert feeder.step() <= 1


def test_what_stands_in_front_of_it_and_says_200_took_nothing(
    behind: InfluxSettings, proxy: Proxy, tmp_path: Path
) -> None:
    ours = two_sinks.settings(tmp_path, behind)
    append_messages(ours, *messages(1))
    proxy.inject(Fault("write", 200, headers=HTML, body=LOGIN_PAGE))
    with two_sinks.feeding(ours, "influx") as feeder:
        feeder.step()
    (told,) = [line for line in lines(read_overview(ours)) if "1 failures" in line]
    assert "HTTP 200 for rows" in told
    assert "does something else stand at that address" in told
    assert two_sinks.waiting(ours, "influx") == 5


def test_a_sink_that_failed_a_moment_ago_does_not_hold_up_the_end(
    behind: InfluxSettings, proxy: Proxy, tmp_path: Path
) -> None:
    ours = two_sinks.settings(tmp_path, behind)
    append_messages(ours, *messages(1))
    with two_sinks.feeding(ours, "influx") as feeder:
        proxy.inject(Fault("write", "cut before", 2))
        feeder.step()
        asked = proxy.requests.total()
        feeder.drain()
        assert proxy.requests.total() == asked
    assert two_sinks.waiting(ours, "influx") == 5


# ---- what it is asked ----------------------------------------------------------------------------------------------


def test_reading_sends_nothing_but_select_and_show(behind: InfluxSettings, proxy: Proxy) -> None:
    with closing(Influx(behind)) as store:
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
