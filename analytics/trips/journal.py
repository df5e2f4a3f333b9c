"""Trips as a vendor's journal tells them, held against ours: neither takes the place of the other."""

from typing import Literal

import polars as pl

from analytics.frames import WHO
from analytics.schemas import JOURNAL
from logger.tables import shaped

SHARE = 0.5  # of the union of both that a pair must have in common, in time or by the odometer
ROUNDED_S = 60.0  # journals tell whole minutes
NEAR = pl.duration(days=1)  # farther apart than that, trips have nothing to do with each other
DIFFERS_M, DIFFERS = 200.0, 0.05  # ways that differ by more than both are not one
_SIDES: tuple[tuple[Literal["backward", "forward"], str], ...] = (("backward", "last_at"), ("forward", "next_at"))
_RIDE = ("started_at", "finished_at", "distance_m", "start_odometer_m", "finish_odometer_m")
# An entry of a journal, and the start of our trip that it is; null where it is none.
MATCHES = pl.Schema({**JOURNAL, "trip_at": pl.Datetime("ms", "UTC")})


def entries(journal: pl.LazyFrame) -> pl.DataFrame:
    """Rows of `journal`, one per key and in any order, as `JOURNAL` by vehicle and time.

    Where no way is told, it is the odometer's difference. Their times are taken as they are: a journal is asked for
    long after its trips, so that receipts tell nothing of its clock.
    """
    way = pl.coalesce("distance_m", pl.col("finish_odometer_m") - pl.col("start_odometer_m"))
    told = journal.select(*WHO, pl.col("time").alias("at"), way.alias("distance_m"), *list(JOURNAL)[4:])
    return told.select(JOURNAL.names()).cast(JOURNAL).collect().sort(*WHO, "at")


def matches(trips: pl.DataFrame, journal: pl.DataFrame) -> pl.DataFrame:
    """Which entry of a journal is which of our trips.

    Parameters
    ----------
    trips : DataFrame with the columns of `trips`: times, way [m], odometers [m]
    journal : DataFrame of `JOURNAL`

    Returns
    -------
    DataFrame of `MATCHES`, one row per entry, by vehicle and time.

    Notes
    -----
    One to one, the best pair first: those that share half of the union of both in time, each end of the entry moved
    towards ours by up to a minute, since journals round; then, of what is left, those that share half of the union of
    both by the odometer. A pair begins within a day.
    """
    pairs = _pairs(trips, journal)
    by_time = _chosen(pairs.with_columns(share=_share_of_time()))
    left = pairs.join(by_time, on="trip", how="anti").join(by_time, on="entry", how="anti")
    by_way = _chosen(left.with_columns(share=_share_of_way()))
    found = pl.concat([by_time, by_way]).join(pairs.select("trip", "entry", trip_at="started_at"), on=["trip", "entry"])
    numbered = journal.with_row_index("entry").join(found, on="entry", how="left", maintain_order="left")
    return numbered.select(MATCHES.names()).cast(MATCHES)


def compared(trips: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Trips with what their journal says.

    Parameters
    ----------
    trips : DataFrame with the columns of `trips`
    found : DataFrame of `MATCHES`

    Returns
    -------
    `trips` in their order with `reported_wh` [Wh], null where no entry tells, and more `flags`: `journal_differs` where
    the way of the entry differs from ours by more than 200 m and 5 % of the longer one; `not_in_journal` where no entry
    is the trip, though the journal has entries within a day before and after its start.
    """
    if found.is_empty():
        return trips.with_columns(pl.lit(None, pl.Float64).alias("reported_wh"))
    own = found.drop_nulls("trip_at").select(
        *WHO, pl.col("trip_at").alias("started_at"), pl.col("energy_wh").alias("reported_wh"),
        pl.col("distance_m").alias("reported_m"), pl.lit(True).alias("matched"),
    )  # fmt: skip
    told = _between(trips.join(own, on=[*WHO, "started_at"], how="left", maintain_order="left"), found)
    apart = (pl.col("distance_m") - pl.col("reported_m")).abs()
    most = pl.max_horizontal(pl.lit(DIFFERS_M), DIFFERS * pl.max_horizontal("distance_m", "reported_m"))
    words = {"journal_differs": apart > most, "not_in_journal": pl.col("matched").is_null() & pl.col("between")}
    return _flagged(told, words).drop("reported_m", "matched", "between")


def unmatched(found: pl.DataFrame) -> pl.DataFrame:
    """Entries that are none of our trips, as rows of `episodes`: kind `pipeline`, system `journal`, `trip_unmatched`.

    `text` tells the way, `odometer_m` the journal's odometer [m] at the start.
    """
    alone = found.filter(pl.col("trip_at").is_null())
    way = pl.format("a trip of {} km in the journal alone", (pl.col("distance_m") / 1000).round(1))
    return shaped(
        alone.with_columns(
            time="at", kind=pl.lit("pipeline"), code=pl.lit("trip_unmatched"), system=pl.lit("journal"),
            text=way.fill_null("a trip in the journal alone"), started_at="at", count=1, open=False,
            odometer_m="start_odometer_m",
        ), "episodes",
    )  # fmt: skip


# ---- pairs ---------------------------------------------------------------------------------------------------------


def _pairs(trips: pl.DataFrame, journal: pl.DataFrame) -> pl.DataFrame:
    """Every trip beside every entry that begins within a day: numbers `trip` and `entry`, theirs with a `their_`."""
    day = pl.col("started_at").dt.truncate("1d")
    ours = trips.select(*WHO, *_RIDE).join(journal, on=WHO, how="semi", maintain_order="left").with_row_index("trip")
    around = ours.with_columns(pl.concat_list(day - NEAR, day, day + NEAR).alias("day")).explode("day")
    theirs = journal.with_row_index("entry").rename({"at": "started_at"})
    named = theirs.select(*WHO, "entry", pl.col(_RIDE).name.prefix("their_"), day.alias("day"))
    both = around.join(named, on=[*WHO, "day"])
    return both.filter((pl.col("started_at") - pl.col("their_started_at")).abs() <= NEAR)


def _chosen(pairs: pl.DataFrame) -> pl.DataFrame:
    """One to one, the best first: `trip` and `entry`."""
    by = ("share", *WHO, "started_at", "their_started_at")
    good = pairs.filter(pl.col("share") >= SHARE).sort(by, descending=[True, *(False for _ in by[1:])])
    trips: set[int] = set()
    taken: set[int] = set()
    pairs_taken = []
    for trip, entry in good.select("trip", "entry").iter_rows():
        if trip not in trips and entry not in taken:
            trips.add(trip)
            taken.add(entry)
            pairs_taken.append((trip, entry))
    return pl.DataFrame(pairs_taken, schema={"trip": pl.UInt32, "entry": pl.UInt32}, orient="row")


def _share_of_time() -> pl.Expr:
    ours = [_seconds(name) for name in ("started_at", "finished_at")]
    theirs = [_seconds(f"their_{name}") for name in ("started_at", "finished_at")]
    moved = [their + (our - their).clip(-ROUNDED_S, ROUNDED_S) for our, their in zip(ours, theirs, strict=True)]
    return _share(ours, moved)


def _seconds(name: str) -> pl.Expr:
    return pl.col(name).dt.epoch("ms") / 1000


def _share_of_way() -> pl.Expr:
    names = ("start_odometer_m", "finish_odometer_m")
    return _share([pl.col(name) for name in names], [pl.col(f"their_{name}") for name in names])


def _share(ours: list[pl.Expr], theirs: list[pl.Expr]) -> pl.Expr:
    """Intersection over union of two spans; null where an end is not known."""
    known = pl.all_horizontal(each.is_not_null() for each in (*ours, *theirs))
    common = pl.min_horizontal(ours[1], theirs[1]) - pl.max_horizontal(ours[0], theirs[0])
    union = pl.max_horizontal(ours[1], theirs[1]) - pl.min_horizontal(ours[0], theirs[0])
    return pl.when(known & (union > 0)).then(common / union)


# ---- flags ---------------------------------------------------------------------------------------------------------


def _between(trips: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """`between`: whether the journal has an entry within a day before and one within a day after the trip's start."""
    told = found.select(*WHO, pl.col("at").alias("told_at")).sort("told_at")
    rows = trips.select(*WHO, "started_at").with_row_index("trip").sort("started_at")
    for strategy, name in _SIDES:
        rows = rows.join_asof(
            told.rename({"told_at": name}), left_on="started_at", right_on=name, by=WHO, strategy=strategy,
            tolerance="1d", check_sortedness=False,
        )  # fmt: skip
    both = rows.sort("trip").select(pl.all_horizontal(pl.col("last_at", "next_at").is_not_null()).alias("between"))
    return trips.hstack(both)


def _flagged(trips: pl.DataFrame, words: dict[str, pl.Expr]) -> pl.DataFrame:
    more = [pl.when(there.fill_null(False)).then(pl.lit(word)) for word, there in words.items()]
    every = pl.concat_list(pl.col("flags").fill_null([]), *more).list.drop_nulls().list.sort()
    return trips.with_columns(pl.when(every.list.len() > 0).then(every).alias("flags"))
