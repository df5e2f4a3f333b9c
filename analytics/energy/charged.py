"""Energy of charges by local day, as the table `charges` tells it."""

import polars as pl

from analytics.frames import WHO, marked
from logger.tables import table

_MS = pl.Datetime("ms", "UTC")
_TOLD = ("soc_pct", "charging", "charge_added_wh")


# Of no vehicle anything is charged.
NOTHING_CHARGED = pl.DataFrame(schema=table("charges").schema)


def rises(sessions: pl.DataFrame, charges: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """When the percent rose: of sessions of which it alone tells (`charge`), of those with an energy (`counted`)."""
    known = charges.drop_nulls("energy_wh").select(*WHO, pl.col("started_at").cast(_MS)).unique()
    spans = sessions.select(
        *WHO, pl.col("started_at").cast(_MS).alias("key"), started_at="rose_from", finished_at="rose_to"
    )
    own, theirs = [*WHO, "key"], [*WHO, "started_at"]
    return {
        "charge": spans.join(known, left_on=own, right_on=theirs, how="anti", maintain_order="left").drop("key"),
        "counted": spans.join(known, left_on=own, right_on=theirs, how="semi", maintain_order="left").drop("key"),
    }


def charged(charges: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """Energy that charges added on each day.

    Parameters
    ----------
    charges : DataFrame of `charges`; swaps do not count
    calendar : DataFrame with `provider` `vehicle` `day` and its begin, `time`; a vehicle's days follow each other

    Returns
    -------
    DataFrame `provider` `vehicle` `day` `counted_wh` `counts` (true), of the days on which something was charged. A
    charge over midnight is shared by time; what lies before the first day or after the last belongs to these. Charges
    of which only the percent is known count as nothing here; where one tells neither energy nor percent, the sum is
    null.
    """
    placed = _placed(charges.filter(pl.col("kind") != "swap"), _numbered(calendar))
    begin, end = pl.max_horizontal("started_at", "since"), pl.min_horizontal("finished_at", "until")
    whole_s, part_s = (
        (one - other).dt.total_milliseconds()
        for one, other in ((pl.col("finished_at"), pl.col("started_at")), (end, begin))
    )
    share = pl.when(whole_s > 0).then(part_s / whole_s).otherwise(1.0)
    by_percent = pl.when(pl.col("soc_added_pct").is_not_null()).then(0.0)
    terms = pl.coalesce(share * pl.col("energy_wh"), by_percent)
    told = pl.when(terms.is_not_null().all()).then(terms.sum())
    return placed.group_by(*WHO, "day").agg(told.alias("counted_wh"), pl.lit(True).alias("counts"))


def spoken(readings: pl.DataFrame) -> pl.DataFrame:
    """Moments at which a vehicle said anything that shows whether it charges: `provider` `vehicle` `at`."""
    names = [name for name in _TOLD if name in readings.columns]
    return readings.filter(pl.any_horizontal(pl.col(names).is_not_null())).select(*WHO, "at")


def _numbered(calendar: pl.DataFrame) -> pl.DataFrame:
    """Days with their `place` in a vehicle's calendar, from `since` until `until`; null at its ends."""
    days = marked(calendar.sort(*WHO, "time")).with_columns(pl.int_range(pl.len()).over(WHO).alias("place"))
    begin, following = pl.col("time").cast(_MS), pl.col("time").cast(_MS).shift(-1).over(WHO)
    return days.select(
        *WHO, "day", "place", begin.alias("begins"), pl.when(~pl.col("fresh")).then(begin).alias("since"),
        following.alias("until"),
    )  # fmt: skip


def _placed(charges: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Charges, once for each day that they lie in."""
    rows = charges.select(*WHO, pl.col("started_at", "finished_at").cast(_MS), "energy_wh", "soc_added_pct")
    last = pl.max_horizontal("started_at", pl.col("finished_at") - pl.duration(milliseconds=1))
    rows = rows.with_columns(pl.col("started_at").alias("first_at"), last.cast(_MS).alias("last_at"))
    begins = days.select(*WHO, "begins", "place").sort("begins")
    for name in ("first", "last"):
        asked = rows.sort(f"{name}_at")
        named = begins.rename({"place": name})
        rows = asked.join_asof(
            named, left_on=f"{name}_at", right_on="begins", by=WHO, check_sortedness=False, coalesce=True
        ).with_columns(pl.col(name).fill_null(0))  # fmt: skip
        rows = rows.drop("begins", strict=False)
    each = rows.with_columns(pl.int_ranges("first", pl.col("last") + 1).alias("place")).explode("place")
    return each.join(days, on=[*WHO, "place"])
