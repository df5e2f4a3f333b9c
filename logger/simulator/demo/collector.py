"""A real `voltrail run` as a process: settings on a free loopback port, started, and stopped by its process id."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from logger.errors import LoggerError
from logger.simulator.demo.sender import get
from logger.sources.pace import SPEED

SOURCE, PLATFORM, SECRET, PREFIX = "segway", "A00000", "simulated-secret", "/simulated"
_START_S = 60.0  # a second on a quiet machine, half a minute on one with far too much to do
_PORTS = range(20_000, 32_000)  # below those of outgoing connections, so that none of them takes the port meanwhile
_chance = random.Random()  # not the shared one, which property tests seed


class Collector:
    """`voltrail run` in `folder` while the block lasts: one Segway account named `segway` with these vehicles.

    The end of the block sends SIGTERM and waits until the spool is drained. Raises `LoggerError` if the service does
    not become ready or ends with an error.
    """

    def __init__(self, folder: Path, vehicles: Sequence[str], more: str = "", speed: float = 1.0) -> None:
        """`more` is further lines of the settings, at first of the account; the vehicles' time runs at this speed."""
        self.folder, self._speed = folder, speed
        self.settings_file = folder / "voltrail.toml"
        self.address = ("127.0.0.1", free_port())
        self.ready_after_s = 0.0
        self._log = folder / "run.log"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "segway.secret").write_text(SECRET)
        names = ", ".join(f'"{vehicle}"' for vehicle in vehicles)
        self.settings_file.write_text(
            f'[collector]\nlisten = "127.0.0.1:{self.address[1]}"\ndata_dir = "data"\npath_prefix = "{PREFIX}"\n\n'
            f'[[sources]]\nkind = "segway"\nname = "{SOURCE}"\nclient_id = "{PLATFORM}"\n'
            f'client_secret_file = "segway.secret"\nvehicles = [{names}]\n{more}'
        )

    def __enter__(self) -> "Collector":
        began = time.monotonic()
        command = [sys.executable, "-m", "voltrail", "run", "--config", str(self.settings_file)]
        with self._log.open("ab") as log:
            environment = {**os.environ, SPEED: str(self._speed)}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        while time.monotonic() - began < _START_S and self.process.poll() is None:
            try:
                if get(self.address, "/readyz")[0] == 200:
                    self.ready_after_s = time.monotonic() - began
                    return self
            except OSError:
                time.sleep(0.01)
        self.__exit__()
        raise LoggerError(f"`voltrail run` did not become ready; see {self._log}")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait() != 0:
            raise LoggerError(f"`voltrail run` ended with {self.process.returncode}; see {self._log}")


def free_port() -> int:
    """Return a loopback port on which nothing listens now, and which no outgoing connection is given."""
    for port in _chance.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
