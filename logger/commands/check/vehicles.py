"""Who spoke: whether a push of each account ever came, and which of its vehicles never said anything."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from logger.commands.check.addresses import register
from logger.commands.check.finding import Finding, ok, warning
from logger.errors import Retry
from logger.settings.schema import Settings
from logger.sources import accounts
from logger.sources.contract import Account
from logger.spool.inspect import SpoolReader
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from logger.tables import RAW

_SEARCHED = 500_000  # messages of the spool that are looked at
_NAMED = 8  # vehicles that one line names
_OWN = ("intake", "collector", "vehicles")  # tables that nobody's message makes
Spoken = set[tuple[str, str, str]]  # (account, via, vehicle)


def check_vehicles(settings: Settings) -> Iterator[Finding]:
    """By account: whether a push ever came, and which vehicles never said anything."""
    hooks = tuple(accounts(settings).values())
    spooled = _in_spool(settings, hooks)
    accepting = {account.name for account in settings.sources if account.unknown_vehicles == "accept"}
    for hook in hooks:
        try:
            yield from _pushes(settings, hook, spooled)
            yield from _vehicles(settings, hook, spooled, hook.name in accepting)
        except Retry:  # a finding of its own says so
            yield warning(f"vehicles {hook.name}", "not looked at: the lake cannot be read", "mend the lake first")


def _in_spool(settings: Settings, hooks: Sequence[Account]) -> Spoken:
    seen, known = SpoolReader(settings.data_dir), {hook.name: hook for hook in hooks}
    if not seen.exists:
        return set()
    try:
        return {
            (each.source, each.via, each.vehicle or known[each.source].glance(each).vehicle)
            for each in seen.newest(_SEARCHED)
            if each.source in known
        }
    except Retry:  # a finding of its own says so
        return set()


def _pushes(settings: Settings, hook: Account, spooled: Spoken) -> Iterator[Finding]:
    about = f"pushes {hook.name}"
    came = any((source, via) == (hook.name, "push") for source, via, _ in spooled)
    if came or _pushed(open_lake(settings), hook):
        yield ok(about, "have come")
        return
    yield warning(about, "none has ever come: is the address registered?", register(settings, hook))


def _pushed(store: Lake, hook: Account) -> bool:
    """Whether the lake holds a push of this account, newest days first."""
    refused = store.scan("quarantine").filter(pl.col("source") == hook.name, pl.col("via") == "push")
    if not refused.head(1).collect().is_empty():
        return True
    known = store.scan("intake").filter(pl.col("source") == hook.name).select("vehicle").unique().collect()["vehicle"]
    made = {rows.table for shape in hook.shapes.values() for rows in shape.rows}
    return any(_pushed_in(store, table, hook.provider, {*known, *hook.vehicles}) for table in sorted(made))


def _pushed_in(store: Lake, table: str, provider: str, vehicles: set[str]) -> bool:
    for day in sorted({file.day for file in store.files(table)}, reverse=True):
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        rows = store.scan(table, start, start + timedelta(days=1), sorted(vehicles))
        if not rows.filter(_of(provider), pl.col("via") == "push").head(1).collect().is_empty():
            return True
    return False


def _of(provider: str) -> pl.Expr:
    return pl.col("provider") == provider


def _vehicles(settings: Settings, hook: Account, spooled: Spoken, accepts: bool) -> Iterator[Finding]:
    about = f"vehicles {hook.name}"
    listed = [each for each in hook.vehicles if each not in settings.vehicles or settings.vehicles[each].in_service]
    odd = [each for each in listed if not hook.is_known(each)]
    if odd:
        yield warning(about, f"no number of a vehicle: {_some(odd)}", "write the number that the vendor knows it by")
    if not listed and not accepts:
        what = "none is listed: whatever they say goes to quarantine"
        yield warning(about, what, 'list them in `vehicles`, or set unknown_vehicles = "accept"')
        return
    spoke = {vehicle for source, _, vehicle in spooled if source == hook.name}
    silent = _never_heard(open_lake(settings), hook, [each for each in listed if each not in spoke])
    if silent:
        what = f"{len(silent)} of {len(listed)} never said anything: {_some(silent)}"
        yield warning(about, what, "check each number, and that the vehicle belongs to the account")
    else:
        yield ok(about, f"all {len(listed)} have spoken" if listed else "none is listed, all are accepted")


def _never_heard(store: Lake, hook: Account, vehicles: Sequence[str]) -> list[str]:
    """Those of which the lake holds no row that they made themselves; the small table of the books is asked first."""
    booked = store.scan("intake", vehicles=vehicles).filter(pl.col("source") == hook.name)
    silent = set(vehicles) - set(booked.select("vehicle").unique().collect()["vehicle"])
    for table in RAW:
        if silent and table not in _OWN:
            rows = store.scan(table, vehicles=sorted(silent)).filter(_of(hook.provider), pl.col("via") != "import")
            silent -= set(rows.select("vehicle").unique().collect()["vehicle"])
    return sorted(silent)


def _some(vehicles: Sequence[str]) -> str:
    rest = len(vehicles) - _NAMED
    return ", ".join(vehicles[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
