"""The feeder process: whenever its signal to stop comes, what waits is delivered first."""

import signal
import subprocess
import sys
from pathlib import Path

from logger.locks import take_over
from logger.service.child import Stop
from logger.service.feeder import run_feeder
from logger.service.supervisor import signals_blocked
from logger.settings.load import encode_settings
from logger.stores import open_lake
from tests.helpers.data_folder import Rules, append_messages, make_settings, status

AT = 1_790_000_000_000


class Stopped(Stop):
    """A signal that has come already."""

    def __init__(self) -> None:
        super().__init__()
        self._signals.put(None)


def odometers(folder: Path) -> list[float]:
    return open_lake(make_settings(folder, Rules())).scan("status").collect()["odometer_m"].to_list()


def test_a_signal_before_the_first_delivery_drains_all_the_same(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, Rules())
    append_messages(settings, status(AT, 1000))
    run_feeder(settings, "lake", Stopped())
    assert odometers(tmp_path) == [1000.0]


def test_a_sink_that_a_command_holds_is_left_to_it(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, Rules())
    append_messages(settings, status(AT, 1000))
    with take_over(settings.data_dir):
        run_feeder(settings, "lake", Stopped())
    assert odometers(tmp_path) == []


def test_a_signal_while_the_process_still_starts_drains_all_the_same(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, Rules())
    append_messages(settings, status(AT, 1000))
    with signals_blocked():
        command = [sys.executable, "-m", "logger.service.main", "feeder", "lake"]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    child.send_signal(signal.SIGTERM)
    assert child.stdin
    child.stdin.write(encode_settings(settings) + b"\n")
    child.stdin.flush()
    assert child.wait(60) == 0, child.stderr and child.stderr.read()
    child.communicate()
    assert odometers(tmp_path) == [1000.0]
