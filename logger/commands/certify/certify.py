"""Make the certificate of a vehicle's battery: what was reported of it, what follows from that, and by which rules."""

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import polars as pl

from logger.commands.certify.certificate import FORMAT, VERSION, Certificate, Subject, encode
from logger.commands.certify.figures import latest, read_figures, read_model_figures, verdict
from logger.commands.certify.inputs import INPUTS, inputs_of, read_rows
from logger.commands.export import write_bytes
from logger.commands.output import progress
from logger.errors import ConfigError
from logger.settings.schema import Settings
from logger.stores import open_lake
from logger.stores.lake.lake import Lake

Progress = Callable[[str], None]


class Analyses(msgspec.Struct, frozen=True):
    """What a certificate needs of analyses: the version of their rules, and two functions.

    `known` returns what is known of a provider's vehicle by these settings: `label`, `model` and whatever its figures
    follow from. `renew` makes the figures of a vehicle anew from its rows.
    """

    rules: str
    known: Callable[[Settings, str, str], Mapping[str, Any]]
    renew: Callable[[Settings, str, Progress], None]


def write_certificate(settings: Settings, name: str, out: Path | BinaryIO, analyses: Analyses) -> None:
    """Write the certificate of the vehicle of this name. Raises `ConfigError` for a name that tells no one vehicle."""
    provider, vehicle = find_vehicle(open_lake(settings), name)
    with progress() as show_progress:
        certificate = make_certificate(settings, provider, vehicle, analyses, show_progress)
    write_bytes(encode(certificate), out)


def make_certificate(
    settings: Settings, provider: str, vehicle: str, analyses: Analyses, report: Progress = lambda text: None
) -> Certificate:
    """Return a certificate of now. Rows that come meanwhile may be in its figures and are not in its inputs."""
    report(f"reading what {vehicle} has reported")
    inputs = inputs_of(read_rows(open_lake(settings), provider, vehicle))
    analyses.renew(settings, vehicle, report)
    lake = open_lake(settings)
    health = latest(read_figures(lake, "battery_health", provider, vehicle))
    known = dict(analyses.known(settings, provider, vehicle))
    subject = Subject(provider, vehicle, label=known.pop("label"), model=known.pop("model"))
    return Certificate(
        format=FORMAT,
        version=VERSION,
        made_at=_now(),
        voltrail=voltrail_version(),
        rules=analyses.rules,
        vehicle=subject,
        settings=known,
        verdict=verdict(health),
        battery_health=health,
        stints=read_figures(lake, "stints", provider, vehicle),
        model_figures=read_model_figures(lake, provider, subject.model, health),
        inputs=inputs,
    )


def voltrail_version() -> str:
    """Return the version of this voltrail."""
    return importlib.metadata.version("voltrail")


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


# ---- which vehicle ---------------------------------------------------------------------------------------------------


def find_vehicle(lake: Lake, name: str) -> tuple[str, str]:
    """Return provider and vehicle of this name, `VEHICLE` or `PROVIDER/VEHICLE`. Raises `ConfigError`.

    Both may contain a `/`; a name that can be read in both ways is taken as `PROVIDER/VEHICLE`.
    """
    ends = [name[at + 1 :] for at, letter in enumerate(name) if letter == "/"]
    there = list(_vehicles(lake, [name, *ends]))
    full = [each for each in there if "/".join(each) == name]
    found = full or [each for each in there if each[1] == name]
    if not found:
        raise ConfigError(f"nothing is stored of vehicle {name!r}; `voltrail status` lists those that are")
    if len(found) > 1:
        names = " or ".join(repr("/".join(each)) for each in found)
        raise ConfigError(f"several providers have a vehicle {name!r}: write PROVIDER/VEHICLE, which is {names}")
    return found[0]


def _vehicles(lake: Lake, names: list[str]) -> Iterator[tuple[str, str]]:
    """Yield provider and name of each vehicle that has one of these names and rows, in order."""
    scans = [lake.scan(table, None, None, names).select("provider", "vehicle").unique() for table in INPUTS]
    yield from pl.concat(scans).unique().sort("provider", "vehicle").collect().iter_rows()
