"""The lake held against the oracle, push by push."""

from collections import Counter
from collections.abc import Sequence

import msgspec
import polars as pl

from logger.spool.log import Spool
from logger.stores.lake.lake import Lake
from logger.tables import RAW
from tests.torture.fleet import TABLES, Client, Story
from tests.torture.running import Service


class Verdict(msgspec.Struct, frozen=True):
    """The lake held against the oracle, by number of push."""

    answered: int
    stored: int
    lost: list[int]
    doubled: list[int]
    delivered_twice: list[int]
    strange: list[tuple[str, str, int, int]]
    quarantined: int
    received: int
    booked: int
    settled: int

    @property
    def whole(self) -> bool:
        """Every push that was answered 200 is there exactly once with its own values, and nothing else is."""
        odd = self.lost or self.doubled or self.delivered_twice or self.strange or self.quarantined
        return not odd and self.booked == self.settled

    def __str__(self) -> str:
        """For people."""
        return "\n".join(
            f"{name:<26}{number:>10,}"
            for name, number in (
                ("pushes answered 200", self.answered),
                ("rows stored", self.stored),
                ("lost", len(self.lost)),
                ("doubled", len(self.doubled)),
                ("delivered twice", len(self.delivered_twice)),
                ("never sent like that", len(self.strange)),
                ("in the spool", self.settled),
                ("in the books on intake", self.booked),
            )
        )

    def check(self) -> None:
        """Fail with figures and a few cases, not with all of them."""
        if not self.whole:
            odd = [each[:5] for each in (self.lost, self.doubled, self.delivered_twice, self.strange)]
            raise AssertionError(f"not whole:\n{self}\n{odd}")


def verdict(service: Service, client: Client, story: Story) -> Verdict:
    """Read the lake as any reader does, and hold it against what the client knows; the service has ended."""
    lake = service.lake()
    rows = [row for name in TABLES.values() for row in _rows(lake, name)]
    times = Counter(number for *_, number in rows)
    oracle = client.oracle.numbers()
    return Verdict(
        answered=len(oracle),
        stored=len(rows),
        lost=[number for number in oracle if number not in times],
        doubled=[number for number, count in times.items() if count > 1],
        delivered_twice=[sequence for name in TABLES.values() for sequence in _sequences_twice(lake, name)],
        strange=[row for row in rows if row[3] not in client.sent or row != story.push(row[3]).row],
        quarantined=lake.scan("quarantine").collect().height,
        received=_received(lake),
        booked=booked(lake),
        settled=settled(service),
    )


def booked(lake: Lake) -> int:
    """How many messages the lake tells of: the books on intake, the quarantine and the collector's own heartbeats."""
    return _received(lake) + sum(lake.scan(name).collect().height for name in ("quarantine", "collector"))


def _received(lake: Lake) -> int:
    return int(lake.scan("intake").collect()["received"].sum())


def settled(service: Service) -> int:
    """How many messages the spool ever took; none of them waits any more."""
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


def _sequences_twice(lake: Lake, name: str) -> Sequence[int]:
    """Sequences that lie in more than one row of the files, fold or no fold."""
    uris = [file.uri for file in lake.files(name)]
    if not uris:
        return ()
    sequences = pl.scan_parquet(uris, schema={"sequence": RAW[name].schema["sequence"]}, extra_columns="ignore")
    return sequences.filter(pl.col("sequence").is_duplicated()).unique().collect()["sequence"].to_list()
