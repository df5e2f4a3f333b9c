"""Headline figures of a period, from its totals; where there is no figure, the reason."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.reports.contents import Figure
from logger.settings.schema import Settings

Totals = Mapping[str, Any]  # the one row of `sums.totals`


def distance(row: Totals) -> Figure:
    """The metres on trips, and how many of the odometer's were observed."""
    return _figure("distance_m", "m", row["distance_m"], "no_trips", share=row["observed_share"], of="metres_observed")


def energy(row: Totals) -> Figure:
    """The energy of trips, and of how many metres it is known."""
    value = row["driven_wh"] if row["known_m"] else None
    low, high = row["driven_low_wh"], row["driven_high_wh"]
    return _figure("driven_wh", "Wh", value, "no_energy", low, high, row["known_share"], "metres_with_energy")


def net(row: Totals) -> Figure:
    """Consumption, less what was fed back."""
    ends = (row["wh_per_km_low"], row["wh_per_km_high"])
    share = row["known_share"]
    return _figure("wh_per_km", "Wh/km", row["wh_per_km"], "no_energy", *ends, share=share, of="metres_with_energy")


def gross(row: Totals) -> Figure:
    """Consumption before what was fed back."""
    value, share = row["gross_wh_per_km"], row["gross_share"]
    return _figure(
        "gross_wh_per_km", "Wh/km", value, "no_regen", share=share if value else None, of="metres_with_regen"
    )


def standby(row: Totals) -> Figure:
    """Energy lost while parked."""
    return _figure("standby_wh", "Wh", row["standby_wh"], "no_standby")


def charged(row: Totals) -> Figure:
    """Energy that charges added."""
    return _figure("charged_wh", "Wh", row["charged_wh"], "no_charges")


def cost(row: Totals, settings: Settings) -> Figure:
    """What charges cost, and for how many of them that is known."""
    reason = "no_price" if settings.tariffs.currency else "no_tariffs"
    return _figure("cost", "money", row["cost"], reason, share=row["priced_share"], of="charges_with_price")


def carbon(row: Totals, settings: Settings) -> Figure:
    """Carbon dioxide of the energy from the grid."""
    reason = "no_co2" if settings.tariffs.co2_g_per_kwh is None else "no_charges"
    return _figure("co2_g", "g", row["co2_g"], reason)


def counted(row: Totals, name: str, unit: str = "1", reason: str = "no_trips") -> Figure:
    """A sum without an interval, such as the number of trips."""
    return _figure(name, unit, row[name], reason)


def of_consumption(row: Totals, settings: Settings) -> Iterator[Figure]:
    """Yield the figures of the report of consumption."""
    yield from (distance(row), energy(row), net(row), gross(row), standby(row), charged(row))
    yield from (cost(row, settings), carbon(row, settings), counted(row, "trips"), counted(row, "driving_s", "s"))


def _figure(
    name: str, unit: str, value: float | None, reason: str, low: float | None = None, high: float | None = None,
    share: float | None = None, of: str = "",
) -> Figure:  # fmt: skip
    if value is None:
        return Figure(name, unit, None, reason=reason)
    return Figure(name, unit, value, low, high, share, of if share is not None else "")
