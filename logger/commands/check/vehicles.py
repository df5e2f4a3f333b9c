"""Whether each account has ever pushed, and which of its vehicles have never reported."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from logger.commands.check.addresses import register
from logger.commands.check.finding import Finding, ok, warning
from logger.errors import Retry
from logger.settings.schema import Settings, Source
from logger.sources import accounts
from logger.sources.contract import Account
from logger.spool.inspect import SpoolReader
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from logger.tables import RAW

_SPOOL_MESSAGES = 500_000  # of the spool, the newest that are looked at
_NAMED = 8  # vehicles that one line names
_NOT_REPORTED = ("intake", "collector", "vehicles")  # tables whose rows no vehicle's message makes
Reports = set[tuple[str, str, str]]  # (account, via, vehicle)


def check_vehicles(settings: Settings) -> Iterator[Finding]:
    """Check for each account whether a push has ever come, and which vehicles have never reported."""
    known = accounts(settings)
    spooled = _reports_in_spool(settings, known)
    for source in settings.sources:
        account = known[source.name]
        try:
            if account.webhook:
                yield from _pushes(settings, account, spooled)
            yield from _vehicles(settings, account, spooled, _why_unlisted(source))
        except Retry:  # check_lake says why
            yield warning(f"vehicles {account.name}", "not looked at: the lake cannot be read", "mend the lake first")


def _reports_in_spool(settings: Settings, known: Mapping[str, Account]) -> Reports:
    spool = SpoolReader(settings.data_dir)
    if not spool.exists:
        return set()
    try:
        return {
            (each.source, each.via, each.vehicle or known[each.source].glance(each).vehicle)
            for each in spool.newest(_SPOOL_MESSAGES)
            if each.source in known
        }
    except Retry:  # check_spool says why
        return set()


# ---- pushes ----------------------------------------------------------------------------------------------------------


def _pushes(settings: Settings, account: Account, spooled: Reports) -> Iterator[Finding]:
    about = f"pushes {account.name}"
    in_spool = any((source, via) == (account.name, "push") for source, via, _ in spooled)
    if in_spool or _push_in_lake(open_lake(settings), account):
        yield ok(about, "have come")
        return
    yield warning(about, "none has ever come: is the address registered?", register(settings, account))


def _push_in_lake(lake: Lake, account: Account) -> bool:
    quarantined = lake.scan("quarantine").filter(pl.col("source") == account.name, pl.col("via") == "push")
    if not quarantined.head(1).collect().is_empty():
        return True
    counted = lake.scan("intake").filter(pl.col("source") == account.name).select("vehicle").unique().collect()
    vehicles = {*counted["vehicle"], *account.vehicles}
    tables = {rows.table for shape in account.shapes.values() for rows in shape.rows}
    return any(_push_in_table(lake, table, account.provider, vehicles) for table in sorted(tables))


def _push_in_table(lake: Lake, table: str, provider: str, vehicles: set[str]) -> bool:
    """Return whether the table holds a pushed row of these vehicles; newest days are read first."""
    for day in sorted({file.day for file in lake.files(table)}, reverse=True):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        rows = lake.scan(table, start, start + timedelta(days=1), sorted(vehicles))
        if not rows.filter(_is_of(provider), pl.col("via") == "push").head(1).collect().is_empty():
            return True
    return False


def _is_of(provider: str) -> pl.Expr:
    return pl.col("provider") == provider


# ---- vehicles --------------------------------------------------------------------------------------------------------


def _why_unlisted(source: Source) -> str:
    """Return why the account may take vehicles that the settings do not list; empty where it may not."""
    if source.vehicles == "all":
        return "its cloud lists them"
    return "none is listed, all are accepted" if source.unknown_vehicles == "accept" else ""


def _vehicles(settings: Settings, account: Account, spooled: Reports, unlisted: str) -> Iterator[Finding]:
    about = f"vehicles {account.name}"
    listed = [each for each in account.vehicles if each not in settings.vehicles or settings.vehicles[each].in_service]
    malformed = [each for each in listed if not account.is_known(each)]
    if malformed:
        remedy = "write the number that the vendor knows it by"
        yield warning(about, f"no number of a vehicle: {_name_some(malformed)}", remedy)
    if not listed and not unlisted:
        text = "none is listed: whatever they report goes to quarantine"
        yield warning(about, text, 'list them in `vehicles`, or set unknown_vehicles = "accept"')
        return
    in_spool = {vehicle for source, _, vehicle in spooled if source == account.name}
    missing = _not_in_lake(open_lake(settings), account, [each for each in listed if each not in in_spool])
    yield _reports_finding(about, listed, missing, unlisted)


def _reports_finding(about: str, listed: Sequence[str], missing: Sequence[str], unlisted: str) -> Finding:
    if missing:
        has = "has" if len(missing) == 1 else "have"
        text = f"{len(missing)} of {len(listed)} {has} never reported: {_name_some(missing)}"
        return warning(about, text, "check each number, and that the vehicle belongs to the account")
    return ok(about, f"all {len(listed)} have reported" if listed else unlisted)


def _not_in_lake(lake: Lake, account: Account, vehicles: Sequence[str]) -> list[str]:
    """Return the vehicles without a row of their own messages. The small table `intake` is read first."""
    counted = lake.scan("intake", vehicles=vehicles).filter(pl.col("source") == account.name)
    missing = set(vehicles) - set(counted.select("vehicle").unique().collect()["vehicle"])
    for table in RAW:
        if missing and table not in _NOT_REPORTED:
            rows = lake.scan(table, vehicles=sorted(missing)).filter(
                _is_of(account.provider), pl.col("via") != "import"
            )
            missing -= set(rows.select("vehicle").unique().collect()["vehicle"])
    return sorted(missing)


def _name_some(vehicles: Sequence[str]) -> str:
    rest = len(vehicles) - _NAMED
    return ", ".join(vehicles[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
