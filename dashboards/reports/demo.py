"""The report at the end of the demo: the fleet's, with what was found beside the truth on its first screen."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from dashboards.reports.contents import Figure
from dashboards.reports.files import content
from dashboards.reports.make import open_data, report
from logger.commands.export import write_bytes
from logger.settings.schema import Settings
from logger.stores.contract import Store

_UNITS = {"trips": "1", "cost": "money", "distance_m": "m"}  # of sums; all others are energies


class Sum(Protocol):
    """What was found with its 95 % interval, None where nobody can tell, and what is true."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def true(self) -> float: ...


def write_fleet_page(store: Store, settings: Settings, sums: Mapping[str, Sum], out: Path) -> Path:
    """Write the report of the fleet with these sums beside their truth; return the file. Raises `ConfigError`."""
    data = open_data(store, settings)
    beside = [_figure(name, each) for name, each in sums.items()]
    write_bytes(content(report("fleet", data, beside=beside), data.formats, ".html"), out)
    return out


def _figure(name: str, found: Sum) -> Figure:
    reason = "" if found.value is not None else "no_energy"
    return Figure(name, _UNITS.get(name, "Wh"), found.value, found.low, found.high, reason=reason, truth=found.true)


def open_page(page: Path) -> None:
    """Open the page in the browser of the desktop; without a desktop nothing is opened."""
    if sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        webbrowser.open(page.resolve().as_uri())
