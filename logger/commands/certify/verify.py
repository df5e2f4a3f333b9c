"""Verify a certificate: make all of it again from the stores, and compare."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import msgspec

from logger.commands.certify.certificate import Certificate, read_certificate, row_time
from logger.commands.certify.certify import Analyses, Progress, voltrail_version
from logger.commands.certify.compare_figures import Later, are_equal, compare_figures, compare_model
from logger.commands.certify.compare_inputs import compare_inputs
from logger.commands.certify.figures import read_figures, read_model_figures, verdict
from logger.commands.certify.finding import Finding, Verification, verification, view
from logger.commands.certify.inputs import came_since, read_rows
from logger.commands.output import progress, show
from logger.errors import ConfigError, LoggerError
from logger.settings.schema import Settings
from logger.stores import open_lake


def show_verification(settings: Settings, path: Path, analyses: Analyses, as_json: bool) -> None:
    """Verify the certificate in this file and print what was found. Raises `LoggerError` where it does not hold."""
    with progress() as show_progress:
        found = verify_file(settings, path, analyses, show_progress)
    show(found, as_json, view)
    if not found.holds:
        raise LoggerError(found.advice)


def verify_file(
    settings: Settings, path: Path, analyses: Analyses, report: Progress = lambda text: None
) -> Verification:
    """Return what of the certificate in this file holds. Raises `ConfigError` where it cannot be verified here.

    Raises `LoggerError` for a vehicle of which nothing is stored.
    """
    certificate = read_certificate(path)
    _check_rules(path, certificate, analyses.rules)
    subject = certificate.vehicle
    report(f"reading what {subject.vehicle} has reported")
    frames = read_rows(open_lake(settings), subject.provider, subject.vehicle)
    if not frames:
        raise LoggerError(
            f"nothing is stored of vehicle {subject.vehicle!r} of {subject.provider!r}: verify where its data is, with"
            " --config and the settings of that place"
        )
    analyses.renew(settings, subject.vehicle, report)
    inputs = compare_inputs(frames, certificate.inputs)
    known = _compare_known(settings, certificate, analyses)
    figures = _compare_all_figures(settings, certificate, inputs.days_with_more)
    return verification([*inputs.findings, *known, *figures])


def _check_rules(path: Path, certificate: Certificate, rules: str) -> None:
    if certificate.rules != rules:
        raise ConfigError(
            f"{path} was made by rules {certificate.rules} of analysis (voltrail {certificate.voltrail}), and voltrail"
            f" {voltrail_version()} has rules {rules}, which give other figures: verify it with the voltrail that made"
            " it, or make a new one"
        )


def _compare_known(settings: Settings, certificate: Certificate, analyses: Analyses) -> Iterator[Finding]:
    """Compare the settings that figures follow from, and the model; the label is a mere name."""
    subject = certificate.vehicle
    known = dict(analyses.known(settings, subject.provider, subject.vehicle))
    then, now = certificate.settings | {"model": subject.model}, {**known}
    del now["label"]
    both = {*then} & {*now}
    changed = [name for name in sorted({*then, *now}) if name not in both or not are_equal(then[name], now[name])]
    for name in changed:
        yield Finding("differs", f"settings: {name}", f"{then.get(name, 'none')} -> {now.get(name, 'none')}")
    if not changed:
        yield Finding("same", "settings", ", ".join(f"{name} {value}" for name, value in sorted(now.items())))


def _compare_all_figures(settings: Settings, certificate: Certificate, more: list[str]) -> Iterator[Finding]:
    """Compare stints, figures and verdict."""
    lake, subject = open_lake(settings), certificate.vehicle
    health, who = certificate.battery_health, (subject.provider, subject.vehicle)
    figures = read_model_figures(lake, subject.provider, subject.model, health)
    may_move = bool(more) or came_since(lake, subject.provider, certificate.inputs.received_until)
    model = compare_model(certificate.model_figures, figures, may_move=may_move)
    yield model
    first_day = min(map(date.fromisoformat, more), default=None)
    later = Later(first_day, model.result == "moved", row_time(certificate.inputs.last_at))
    for table_name, rows in (("stints", certificate.stints), ("battery_health", health)):
        yield from compare_figures(table_name, rows, read_figures(lake, table_name, *who), later)
    yield _compare_verdict(certificate)


def _compare_verdict(certificate: Certificate) -> Finding:
    """Compare the verdict with the figures of the certificate that it is from."""
    try:
        same = verdict(certificate.battery_health) == certificate.verdict
    except msgspec.ValidationError:  # such a row is in no table
        same = False
    if same:
        return Finding("same", "verdict", f"{certificate.verdict.verdict}, as the certificate's own figures say")
    return Finding("differs", "verdict", "not that of the certificate's own figures: the file was changed")
