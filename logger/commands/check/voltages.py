"""Whether the nominal voltage of each model in the settings fits the voltages that its vehicles report."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import polars as pl

from logger.commands.check.finding import Finding, ok, warning
from logger.errors import Retry
from logger.settings.schema import Settings
from logger.stores import open_lake

_ABOUT = "nominal voltage"
_SIGNALS = {"pack": "pack_voltage_v", "battery": "voltage_v"}  # by table
# Of the nominal voltage: Li-ion cells of 3.2 to 3.7 V nominal work between 2.5 and 4.2 V, and a load pulls them below.
_LOW, _HIGH = 0.75, 1.35


class Reading(NamedTuple):
    """A vehicle's newest voltage [V] and the signal that it is from."""

    vehicle: str
    signal: str
    voltage_v: float


def check_voltages(settings: Settings) -> Iterator[Finding]:
    """Compare each model's `nominal_voltage_v` with the newest voltages of its vehicles."""
    nominal_v = {name: model.nominal_voltage_v for name, model in settings.models.items() if model.nominal_voltage_v}
    models = {vehicle: model for vehicle, model in _models(settings).items() if model in nominal_v}
    if not models:
        return
    try:
        readings = list(_readings(settings, models))
    except Retry:  # check_lake says why
        return
    wrong: dict[str, list[Reading]] = {}
    for each in readings:
        model = models[each.vehicle]
        if not _LOW * nominal_v[model] <= each.voltage_v <= _HIGH * nominal_v[model]:
            wrong.setdefault(model, []).append(each)
    yield from (_mismatch(model, nominal_v[model], outside) for model, outside in wrong.items())
    if not wrong:
        yield ok(_ABOUT, "fits what vehicles report" if readings else "no vehicle has reported a voltage yet")


def _models(settings: Settings) -> Mapping[str, str]:
    """Return the model of each vehicle: its own, else that of the account that lists it."""
    listed = {vehicle: account.model for account in settings.sources for vehicle in account.listed}
    return {**listed, **{number: each.model for number, each in settings.vehicles.items() if each.model}}


def _readings(settings: Settings, vehicles: Mapping[str, str]) -> Iterator[Reading]:
    lake = open_lake(settings)
    for table, signal in _SIGNALS.items():
        rows = lake.latest(table, signal).filter(pl.col("vehicle").is_in(list(vehicles))).sort("vehicle")
        yield from (Reading(vehicle, signal, voltage) for vehicle, voltage in rows.select("vehicle", signal).rows())


def _mismatch(model: str, nominal_v: float, outside: list[Reading]) -> Finding:
    first, others = outside[0], len({each.vehicle for each in outside}) - 1
    more = f" (and {others:,} more)" if others else ""
    limits = f"{_LOW * nominal_v:.0f} to {_HIGH * nominal_v:.0f} V"
    text = f"{first.vehicle}{more} reports {first.signal} {first.voltage_v:g} V, and {model} should have {limits}"
    return warning(_ABOUT, text, f'mend nominal_voltage_v = {nominal_v:g} in [models."{model}"]')
