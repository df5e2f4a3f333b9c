"""Each process of `voltrail run` dies alone: a child is started anew, and without their parent the children end."""

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.torture.fleet import Client, Story
from tests.torture.running import ROLES, Service, until
from tests.torture.verdict import verdict

ENOUGH = 2_000
# One process waits again and again to be asked to stop, the other asks it at any moment.
_WAITING = """
import os, signal, subprocess, sys
from logger.service.child import Stop
asking = f"import os, time\\nwhile True: time.sleep(0.001); os.kill({os.getpid()}, {int(signal.SIGTERM)})"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with subprocess.Popen([sys.executable, "-c", asking]) as process:
    for _ in range(2000):
        stop = Stop(signal.SIGTERM)
        while not stop.wait(0.0001):
            pass
    process.kill()
"""


@contextmanager
def running(folder: Path) -> Iterator[tuple[Service, Client]]:
    """A service and its client; afterwards nothing that was answered may be missing."""
    story = Story()
    with Service(folder) as service:
        client = Client(service.port, folder / "oracle.log", story)
        service.start()
        yield service, client
        service.start() if not service.runs else None
        assert service.stop() == 0
        verdict(service, client, story).check()
        assert not service.log.faults(), service.log.faults()


def _kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def test_a_receiver_that_dies_is_started_anew_and_the_feeder_goes_on(tmp_path: Path) -> None:
    with running(tmp_path) as (service, client):
        before = service.children()
        client.begin()
        until(lambda: client.oracle.count >= ENOUGH, "answers before")
        _kill(before["receiver"])
        client.end()  # its lines broke
        assert client.send(ENOUGH, again=sorted(client.unanswered)), "the new receiver took the next pushes"
        assert set(client.statuses) == {200}
        assert not client.unanswered
        after = service.children()
        assert after["receiver"] != before["receiver"]
        assert after["feeder"] == before["feeder"]


def test_a_feeder_that_dies_is_started_anew_and_no_push_notices(tmp_path: Path) -> None:
    with running(tmp_path) as (service, client):
        before = service.children()
        client.begin()
        until(lambda: client.oracle.count >= ENOUGH, "answers before")
        _kill(before["feeder"])
        seen = client.oracle.count
        until(lambda: client.oracle.count >= seen + ENOUGH, "answers meanwhile")
        client.halt()
        client.end()
        assert not client.unanswered
        until(lambda: service.waiting() == 0, "the new feeder caught up")
        after = service.children()
        assert after["feeder"] != before["feeder"]
        assert after["receiver"] == before["receiver"]


def test_children_whose_supervisor_dies_end_by_themselves_and_make_room_for_the_next(tmp_path: Path) -> None:
    with running(tmp_path) as (service, client):
        client.begin()
        until(lambda: client.oracle.count >= ENOUGH, "answers before")
        assert set(service.children()) == set(ROLES)
        _kill(service.supervisor)
        service.log.rest()  # its end: no process holds it any more
        client.end()
        service.kill()
        service.start()
        assert client.send(ENOUGH, again=sorted(client.unanswered))


@pytest.mark.parametrize("seed", range(8))
def test_children_end_by_themselves_however_early_their_supervisor_dies(tmp_path: Path, seed: int) -> None:
    with Service(tmp_path) as service:
        service.launch()
        threading.Event().wait(random.Random(seed).uniform(0.1, 1.0))
        _kill(service.supervisor)
        service.log.rest()
        service.kill()


def test_a_signal_to_stop_is_noticed_whenever_it_comes() -> None:
    subprocess.run([sys.executable, "-c", _WAITING], check=True, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_to_all_processes_at_once_is_a_clean_end(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path) as (service, client):
        client.begin()
        until(lambda: client.oracle.count >= ENOUGH, "answers before")
        assert service.stop(number, everybody=True) == 0
        client.end()
        assert not service.log.faults(), service.log.faults()
