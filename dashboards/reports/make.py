"""Make a report of what is in the lake."""

from collections.abc import Sequence
from datetime import UTC, datetime

from dashboards.reports.battery_health import battery_health
from dashboards.reports.calibration import calibration
from dashboards.reports.consumption import consumption
from dashboards.reports.contents import Figure, Report
from dashboards.reports.data import Data
from dashboards.reports.fleet import fleet
from dashboards.reports.period import Period
from logger.errors import ConfigError
from logger.settings.schema import ReportKind, Settings
from logger.stores.contract import Store


def open_data(
    store: Store, settings: Settings, period: Period | None = None, vehicles: Sequence[str] = (),
    now: datetime | None = None,
) -> Data:  # fmt: skip
    """Return what a report reads; the usual period are the thirty days up to the newest data. Raises `ConfigError`."""
    return Data(store, settings, period, vehicles, now or datetime.now(UTC))


def report(kind: ReportKind, data: Data, compare: Period | None = None, beside: Sequence[Figure] = ()) -> Report:
    """Return a report. `beside` are figures of a fleet whose truth is known. Raises `ConfigError` and `Retry`."""
    if compare and kind not in ("consumption", "fleet"):
        raise ConfigError(f"--compare: {kind} speaks of how things stand, not of a period: leave it out")
    if kind == "consumption":
        return consumption(data, compare)
    if kind == "fleet":
        return fleet(data, compare, beside)
    return battery_health(data) if kind == "battery-health" else calibration(data)
