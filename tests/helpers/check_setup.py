"""Settings to be checked, and what was found about one thing."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from logger.commands.check.check import Finding, check_setup
from logger.simulator.cloud.cloud import Cloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.demo.collector import PLATFORM, PREFIX, SECRET, Collector, free_port

ONE, OTHER = "861000000000001", "861000000000002"
NOWHERE = "http://127.0.0.1:1"


class Setup:
    """A folder with a `voltrail.toml` of one account; `replace` changes words in it."""

    def __init__(self, folder: Path, base_url: str = NOWHERE) -> None:
        self.folder, self.file, self.data = folder, folder / "voltrail.toml", folder / "data"
        self.port = free_port()
        (folder / "segway.secret").write_text(SECRET)
        self.file.write_text(
            f'[collector]\nlisten = "127.0.0.1:{self.port}"\ndata_dir = "data"\npath_prefix = "{PREFIX}"\n\n'
            f'[[sources]]\nkind = "segway"\nname = "segway"\nclient_id = "{PLATFORM}"\n'
            f'client_secret_file = "segway.secret"\nbase_url = "{base_url}"\nvehicles = ["{ONE}", "{OTHER}"]\n'
        )

    @classmethod
    def of(cls, collector: Collector) -> "Setup":
        """The settings of a service that runs."""
        setup = cls.__new__(cls)
        setup.folder, setup.file = collector.folder, collector.settings_file
        setup.data, setup.port = collector.folder / "data", collector.address[1]
        return setup

    def replace(self, old: str, new: str) -> "Setup":
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))
        return self

    def add(self, text: str) -> "Setup":
        self.file.write_text(self.file.read_text() + text)
        return self

    def public(self, url: str = "") -> "Setup":
        return self.replace("[collector]", f'[collector]\npublic_url = "{url or f"http://127.0.0.1:{self.port}"}"')

    def findings(self) -> list[Finding]:
        found = check_setup(self.file)
        for each in found:
            assert SECRET not in each.text + each.remedy
            assert "could not be looked at" not in each.text
            assert bool(each.remedy) == (each.level != "ok")
        return found

    def found(self, about: str) -> Finding:
        """The one finding about this."""
        return only(self.findings(), about)


def only(findings: list[Finding], about: str) -> Finding:
    (one,) = [each for each in findings if each.about == about]
    return one


@contextmanager
def cloud(*failures: Failure, clock: Callable[[], float] = time.time) -> Iterator[str]:
    """A simulated cloud without vehicles; yields its address."""
    with CloudServer(Cloud([], time.time, PLATFORM, SECRET, failures=failures, clock=clock)) as serving:
        yield serving.base_url
