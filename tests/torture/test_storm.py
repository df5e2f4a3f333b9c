"""A cloud that does everything wrong at once, while vehicles push: nothing falls, nothing is stored wrong."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from logger.poll.client_pool import CONNECTIONS
from logger.process_state import read_state
from logger.sources.segway.messages import CODES
from tests.torture.asking import books as asked_books
from tests.torture.asking import cloud
from tests.torture.fleet import Client, Story
from tests.torture.running import SOURCE, Service, resident_mib, until
from tests.torture.verdict import verdict
from tests.torture.weather import FAILURES, REFUSALS, SET_ASIDE, TYPES

_VEHICLES, _STORM_S, _PUSHES_HZ = 400, 30.0, 100.0
_ANSWERED = 'voltrail_poll_requests_total{outcome="answered",query="%s",source="segway"}'
_AFTERWARDS = 500  # answers, of each query alone


def _answered(service: Service) -> float:
    return min(service.metric(_ANSWERED % query) for query in ("status-query", "battery-info", "location-query"))


@pytest.mark.torture
def test_in_a_storm_nothing_falls_nothing_is_stored_wrong_and_afterwards_asking_goes_on(tmp_path: Path) -> None:
    story = Story()
    with cloud(tmp_path, _VEHICLES) as where:
        source = where.account(riding_s=1, charging_s=2, parked_s=3, offline_s=3, silent_s=3)
        with Service(tmp_path, source=source, debug=False) as service:
            service.start()
            client = Client(service.port, tmp_path / "oracle.log", story)
            client.begin(per_second=_PUSHES_HZ)
            children = service.children()
            where.weather("storm")
            threading.Event().wait(_STORM_S)
            where.weather("calm")
            before = _answered(service)
            calm_s = until(lambda: _answered(service) > before + _AFTERWARDS, "asking goes on by itself", 60)
            mib = resident_mib(children["receiver"])
            client.halt()
            client.end()
            assert service.children() == children, "no process was started anew"
            assert service.stop() == 0
            assert not service.log.faults(), service.log.faults()
            diary = where.read()
    told = read_state(service.settings.data_dir, "receiver")["polls"][SOURCE]
    pushes, books = verdict(service, client, story), asked_books(service.lake(), diary)
    weather = Counter(said.weather for said in diary)
    failures = sum(weather[kind] for kind in FAILURES)
    figures = {
        "calls, by the cloud": len(diary),
        "refused, and asked again": sum(weather[kind] for kind in REFUSALS),
        "failures, by the cloud": failures,
        "failures, by /metrics": told["failed"],
        "answers read": books.told_stored,
        "answers in quarantine": books.told_aside.total(),
        "pushes answered 200": pushes.answered,
        "lines in the log": len(service.log.lines),
    }
    print("\n" + "\n".join(f"{name:<30}{figure:>12,}" for name, figure in figures.items()))
    print(f"{'calm until all went on':<30}{calm_s:>10.1f} s\n{'receiver, resident':<30}{mib:>8.0f} MiB")
    assert {*FAILURES, *REFUSALS, *SET_ASIDE, TYPES, *map(str, CODES)} <= weather.keys(), "everything went wrong"
    books.check()
    assert set(client.statuses) == {200}
    assert not any((pushes.lost, pushes.doubled, pushes.delivered_twice, pushes.strange)), pushes
    assert abs(failures - told["failed"]) <= CONNECTIONS
    assert mib < 300
    assert len(service.log.lines) < 100
