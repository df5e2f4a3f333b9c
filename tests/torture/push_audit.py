"""Compares the lake with the client's log of answers, push by push."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import polars as pl

from logger.spool.log import Spool
from logger.stores.lake.lake import Lake
from logger.tables import RAW
from tests.torture.push_client import TABLES, Client, PushPlan
from tests.torture.service import Service


class PushAudit(msgspec.Struct, frozen=True):
    """The lake compared with the log of answers; pushes by number, messages by sequence."""

    answered: int
    stored: int
    lost: list[int]
    duplicated: list[int]
    delivered_twice: list[int]
    unexpected: list[tuple[str, str, int, int]]
    quarantined: int
    received: int
    in_lake: int
    in_spool: int

    @property
    def complete(self) -> bool:
        """Whether every push that was answered 200 is stored exactly once with its own values, and nothing else is."""
        errors = self.lost or self.duplicated or self.delivered_twice or self.unexpected or self.quarantined
        return not errors and self.in_lake == self.in_spool

    def __str__(self) -> str:
        """The figures for people."""
        figures = (
            ("pushes answered 200", self.answered),
            ("rows stored", self.stored),
            ("lost", len(self.lost)),
            ("duplicated", len(self.duplicated)),
            ("delivered twice", len(self.delivered_twice)),
            ("never sent like that", len(self.unexpected)),
            ("messages in the spool", self.in_spool),
            ("messages in the lake", self.in_lake),
        )
        return "\n".join(f"{name:<26}{number:>10,}" for name, number in figures)

    def check(self) -> None:
        """Fail with figures and a few cases, not with all of them."""
        if not self.complete:
            cases = [each[:5] for each in (self.lost, self.duplicated, self.delivered_twice, self.unexpected)]
            raise AssertionError(f"not complete:\n{self}\n{cases}")


def audit_pushes(service: Service, client: Client, plan: PushPlan) -> PushAudit:
    """Read the lake as any reader does, and compare it with the client's log; the service has ended."""
    lake = service.lake()
    rows = [row for name in TABLES.values() for row in _rows(lake, name)]
    times = Counter(number for *_, number in rows)
    answered = client.answers.numbers()
    return PushAudit(
        answered=len(answered),
        stored=len(rows),
        lost=[number for number in answered if number not in times],
        duplicated=[number for number, count in times.items() if count > 1],
        delivered_twice=[sequence for name in TABLES.values() for sequence in _duplicate_sequences(lake, name)],
        unexpected=[row for row in rows if row[3] not in client.sent or row != plan.push(row[3]).row],
        quarantined=lake.scan("quarantine").collect().height,
        received=_received_count(lake),
        in_lake=messages_in_lake(lake),
        in_spool=messages_in_spool(service),
    )


def messages_in_lake(lake: Lake) -> int:
    """Count the messages that the lake knows of: intake statistics, quarantine and the collector's heartbeats."""
    return _received_count(lake) + sum(lake.scan(name).collect().height for name in ("quarantine", "collector"))


def _received_count(lake: Lake) -> int:
    return int(lake.scan("intake").collect()["received"].sum())


def messages_in_spool(service: Service) -> int:
    """Count the messages that the spool ever took; none of them may wait any more."""
    spool = Spool(service.settings.data_dir, service.settings.sinks.names)
    try:
        assert spool.depth("lake") == 0
        return spool.cursor("lake")
    finally:
        spool.close()


def _rows(lake: Lake, name: str) -> list[tuple[str, str, int, int]]:
    number = {
        "status": pl.col("odometer_m").cast(pl.Int64),
        "location": (pl.col("lat_deg") * 1e6).round().cast(pl.Int64),
        "event": pl.col("code").cast(pl.Int64),
    }[name]
    pushed = lake.scan(name).filter(pl.col("via") == "push")
    rows = pushed.select(pl.lit(name), "vehicle", pl.col("time").dt.epoch("ms"), number.alias("number"))
    return list(rows.collect().iter_rows())


def _duplicate_sequences(lake: Lake, name: str) -> Sequence[int]:
    """Return the sequences that more than one row of the files has, before rows are merged."""
    uris = [file.uri for file in lake.files(name)]
    if not uris:
        return ()
    sequences = pl.scan_parquet(uris, schema={"sequence": RAW[name].schema["sequence"]}, extra_columns="ignore")
    return sequences.filter(pl.col("sequence").is_duplicated()).unique().collect()["sequence"].to_list()
