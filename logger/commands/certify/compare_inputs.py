"""Compare the raw rows of a store with those that a certificate is of: the same, changed, gone, or new."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec
import polars as pl

from logger.commands.certify.certificate import DayDigest, Inputs, TableDigest
from logger.commands.certify.finding import Finding
from logger.commands.certify.inputs import INPUTS, Frames, by_day, day_digest, inputs_of, sources_of
from logger.commands.output import format_count


class Comparison(msgspec.Struct, frozen=True):
    """Findings, the rows that are as certified, and the UTC days (YYYY-MM-DD) on which there are more rows."""

    findings: list[Finding]
    kept: dict[str, pl.DataFrame]
    days_with_more: list[str]


def compare_inputs(frames: Frames, certified: Inputs) -> Comparison:
    """Compare all rows of a vehicle, by table, with those that were certified."""
    findings, kept, more = list[Finding](), dict[str, pl.DataFrame](), list[str]()
    for name in INPUTS:
        days = dict(by_day(frames[name])) if name in frames else {}
        if name in certified.tables:
            table = _compare_table(name, days, certified.tables[name], certified.received_until)
            findings += table.findings
            kept |= table.kept
            more += table.days_with_more
        new = {day: rows for day, rows in days.items() if day not in _days(certified, name)}
        findings += _new_days(name, new)
        more += new
    findings += _compare_whole(kept, certified, whole=all(each.result != "differs" for each in findings))
    return Comparison(findings, kept, more)


def _days(certified: Inputs, name: str) -> Mapping[str, DayDigest]:
    return certified.tables[name].days if name in certified.tables else {}


def _compare_table(
    name: str, days: Mapping[str, pl.DataFrame], certified: TableDigest, received_until: datetime
) -> Comparison:
    findings, kept, more = list[Finding](), list[pl.DataFrame](), list[str]()
    for day, digest in certified.days.items():
        there = days.get(day)
        part = None if there is None else _certified_part(name, there, digest, certified.last_at, received_until)
        if there is None or part is None:
            findings.append(Finding("differs", f"{name} {day}", _difference(digest, there)))
            continue
        kept.append(part)
        if later := there.height - part.height:
            detail = f"{format_count(later, 'row')} came later; {format_count(part.height, 'row')} as certified"
            findings.append(Finding("new", f"{name} {day}", detail))
            more.append(day)
    if not kept:
        return Comparison(findings, {}, more)
    rows = pl.concat(kept)
    same = Finding("same", name, f"{format_count(len(kept), 'day')}, {format_count(rows.height, 'row')}")
    return Comparison([same, *findings], {name: rows}, more)


def _certified_part(
    name: str, rows: pl.DataFrame, certified: DayDigest, last_at: datetime, received_until: datetime
) -> pl.DataFrame | None:
    """Return those rows of a day that were certified; None where no such choice of rows gives the same digest.

    First all rows up to the last one that was certified: a message that came once more changes none. Then, of these,
    the ones that were received until then.
    """
    before = rows.filter(pl.col("time") <= last_at)
    for part in (before, before.filter(pl.col("received_at") <= received_until)):
        if day_digest(name, part) == certified:
            return part
    return None


def _difference(certified: DayDigest, there: pl.DataFrame | None) -> str:
    then, now = format_count(certified.rows, "row"), 0 if there is None else there.height
    if now == certified.rows:
        return f"{then}, of other values than certified"
    return f"{then} certified, {now or 'none'} stored" + (", of other values" if now > certified.rows else "")


def _new_days(name: str, days: Mapping[str, pl.DataFrame]) -> Iterator[Finding]:
    if days:
        rows = sum(part.height for part in days.values())
        span = f"{min(days)} to {max(days)}" if len(days) > 1 else min(days)
        detail = f"{format_count(len(days), 'new day')}, {span}: {format_count(rows, 'row')}"
        yield Finding("new", name, detail)


def _compare_whole(kept: Frames, certified: Inputs, *, whole: bool) -> Iterator[Finding]:
    """Compare what follows from the certified rows, where each of these is there."""
    if not kept:
        yield Finding("differs", "inputs", "none of the certified rows is stored")
    elif whole:
        again = inputs_of(kept)
        if (again.sha256, again.tables, again.first_at, again.last_at) != (
            certified.sha256, certified.tables, certified.first_at, certified.last_at
        ):  # fmt: skip
            yield Finding("differs", "inputs", "counts, span or digest are not those of the days: the file was changed")
        else:
            yield Finding("same", "all inputs", f"sha256 {again.sha256}")
        yield from _compare_receipt(kept, again, certified)


def _compare_receipt(kept: Frames, again: Inputs, certified: Inputs) -> Iterator[Finding]:
    """Compare how and when rows came: one that comes once more has another way and receipt from then on."""
    first = {name: rows.filter(pl.col("received_at") <= certified.received_until) for name, rows in kept.items()}
    came_once_more = sum(rows.height for rows in kept.values()) - sum(rows.height for rows in first.values())
    if again.received_until < certified.received_until:
        yield Finding("differs", "received_until", "no certified row came as late as that: the file was changed")
    if unknown := [each for each in certified.sources if each not in again.sources and not came_once_more]:
        yield Finding("differs", "sources", f"no row is from {unknown[0].provider} by {unknown[0].via}")
    elif hidden := [each for each in sources_of(first) if each not in certified.sources]:
        yield Finding("differs", "sources", f"rows are from {hidden[0].provider} by {hidden[0].via}, which is left out")
    if came_once_more:
        yield Finding("moved", "receipt", f"{format_count(came_once_more, 'certified row')} came once more")
