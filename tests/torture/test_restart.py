"""Each process of `voltrail run` dies alone: a child is started again, and without their parent the children end."""

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

from tests.helpers.waiting import wait_until
from tests.torture.push_audit import audit_pushes
from tests.torture.push_client import Client, PushPlan
from tests.torture.service import ROLES, Service

ENOUGH = 2_000
# One process waits repeatedly for the signal to stop, the other sends it at any moment.
_REPEATED_STOP = """
import os, signal, subprocess, sys
from logger.service.child import Stop
sender = f"import os, time\\nwhile True: time.sleep(0.001); os.kill({os.getpid()}, {int(signal.SIGTERM)})"
signal.signal(signal.SIGTERM, signal.SIG_IGN)
with subprocess.Popen([sys.executable, "-c", sender]) as process:
    for _ in range(2000):
        stop = Stop(signal.SIGTERM)
        while not stop.wait(0.0001):
            pass
    process.kill()
"""


@contextmanager
def audited_service(folder: Path) -> Iterator[tuple[Service, Client]]:
    """Run a service and its client; afterwards no push that was answered may be missing."""
    plan = PushPlan()
    with Service(folder) as service:
        client = Client(service.port, folder / "answers.log", plan)
        service.start()
        yield service, client
        service.start() if not service.runs else None
        assert service.stop() == 0
        audit_pushes(service, client, plan).check()
        assert not service.log.faults(), service.log.faults()


def _kill(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def test_a_receiver_that_dies_is_started_again_and_the_feeder_goes_on(tmp_path: Path) -> None:
    with audited_service(tmp_path) as (service, client):
        before = service.children()
        client.begin()
        wait_until(lambda: client.answers.count >= ENOUGH, "answers before")
        _kill(before["receiver"])
        client.join()  # its connections broke
        assert client.send(ENOUGH, again=sorted(client.unanswered)), "the new receiver took the next pushes"
        assert set(client.statuses) == {200}
        assert not client.unanswered
        after = service.children()
        assert after["receiver"] != before["receiver"]
        assert after["feeder"] == before["feeder"]


def test_a_feeder_that_dies_is_started_again_and_every_push_is_answered(tmp_path: Path) -> None:
    with audited_service(tmp_path) as (service, client):
        before = service.children()
        client.begin()
        wait_until(lambda: client.answers.count >= ENOUGH, "answers before")
        _kill(before["feeder"])
        count = client.answers.count
        wait_until(lambda: client.answers.count >= count + ENOUGH, "answers meanwhile")
        client.halt()
        client.join()
        assert not client.unanswered
        wait_until(lambda: service.spool_depth() == 0, "the new feeder caught up")
        after = service.children()
        assert after["feeder"] != before["feeder"]
        assert after["receiver"] == before["receiver"]


def test_children_whose_supervisor_dies_end_by_themselves_and_the_service_can_start_again(tmp_path: Path) -> None:
    with audited_service(tmp_path) as (service, client):
        client.begin()
        wait_until(lambda: client.answers.count >= ENOUGH, "answers before")
        assert set(service.children()) == set(ROLES)
        _kill(service.supervisor)
        service.log.read_to_end()  # it ends when no process has it open any more
        client.join()
        service.kill()
        service.start()
        assert client.send(ENOUGH, again=sorted(client.unanswered))


@pytest.mark.parametrize("seed", range(8))
def test_children_end_by_themselves_however_early_their_supervisor_dies(tmp_path: Path, seed: int) -> None:
    with Service(tmp_path) as service:
        service.launch()
        threading.Event().wait(random.Random(seed).uniform(0.1, 1.0))
        _kill(service.supervisor)
        service.log.read_to_end()
        service.kill()


def test_a_signal_to_stop_is_noticed_whenever_it_comes() -> None:
    subprocess.run([sys.executable, "-c", _REPEATED_STOP], check=True, timeout=60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_to_all_processes_at_once_is_a_clean_end(tmp_path: Path, number: signal.Signals) -> None:
    with audited_service(tmp_path) as (service, client):
        client.begin()
        wait_until(lambda: client.answers.count >= ENOUGH, "answers before")
        assert service.stop(number, whole_group=True) == 0
        client.join()
        assert not service.log.faults(), service.log.faults()
