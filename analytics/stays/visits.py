"""Stays of vehicles in places, and vehicles that were carried: episodes that positions tell.

The rules are those of the analytics facts, 1.2.
"""

from collections.abc import Mapping

import polars as pl

from analytics.frames import WHO, marked
from analytics.observations.clocks import OFFSET_S
from analytics.stays.places import depth_m, distance_m
from analytics.stays.stay_points import reach_m
from analytics.stays.trip_ends import SIGMAS
from logger.settings.schema import Place
from logger.tables import TIME, table

STOP_S = 600.0  # a stand so short between others is a stop on the way
# Between which moments the whereabouts of a vehicle are as if everything had been read; both included.
KNOWN_SPAN = pl.Schema({"vehicle": pl.String(), "known_from": TIME, "known_to": TIME})
# Rows of `episodes`, and whether their start and their end are seen in what was read.
SEEN = pl.Schema({**table("episodes").schema, "start_seen": pl.Boolean(), "end_seen": pl.Boolean()})


def stays(whereabouts: pl.DataFrame, places: Mapping[str, Place], known: pl.DataFrame) -> pl.DataFrame:
    """When vehicles entered and left places.

    Parameters
    ----------
    whereabouts : DataFrame of `WHEREABOUTS`, by vehicle and time
    places : the settings' places; those that overlap have stays of their own
    known : DataFrame of `KNOWN_SPAN`: what to look at

    Returns
    -------
    DataFrame of `SEEN`, by vehicle and start: kind `pipeline`, system `place`, code the place's name.

    Notes
    -----
    A vehicle that stands is in a place if the median of its fixes is. Under way it enters with a fix inside and leaves
    with one that lies three sigma beyond the border; what a single fix says, and neither of its neighbours, says
    nothing. `started_at` is the first fix of the stay, `finished_at` the last: between that and the next fix it was
    left. While the vehicle's last fix is one of the stay, it is `open`, and it has no end. No position is told.
    """
    rows = _within(_sided(whereabouts, places), known)
    each = [_runs(rows, name, f"in_{number}") for number, name in enumerate(places)]
    made = pl.concat([pl.DataFrame(schema=SEEN), *each])
    return made.sort(*WHO, "started_at", "code")


def relocations(whereabouts: pl.DataFrame, steps: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """When vehicles were carried to another place.

    Parameters
    ----------
    whereabouts : DataFrame of `WHEREABOUTS`, by vehicle and time
    steps : DataFrame of `intervals`
    known : DataFrame of `KNOWN_SPAN`: what to look at

    Returns
    -------
    DataFrame of `SEEN`, by vehicle and start: kind `pipeline`, system `relocation`, code `relocated`.

    Notes
    -----
    A vehicle was carried from one stand to the next, no ride between them, if they lie farther apart than it rolled:
    by more than 50 m and three sigma. How far it rolled is the odometer's difference from the reading before it was
    last seen at the one to the reading after it was first seen at the other, by two minutes each, since the clocks of
    counters and of positions may differ by so much; where it was reset, or where the vehicle has none, nothing is said.
    A stop of less than 10 min on the way, between two other stands, is a part of it. Where the positions of a ride
    beside it tell of no motion, and the vehicle rolled as far on it, its two clocks differ by more than that: it was
    ridden. The row lies from the last fix here to the first there; `text` tells how far, rounded.
    """
    stood = _within(whereabouts, known).filter("stood").filter(_stays_long())
    names = ("ended_at", "lat_deg", "lon_deg", "sigma_m")
    last = [pl.col(name).shift(1).over(*WHO, "outing").alias(f"from_{name}") for name in names]
    moved = stood.with_columns(last).drop_nulls("from_ended_at")
    far = distance_m(pl.col("from_lat_deg"), pl.col("from_lon_deg"), pl.col("lat_deg"), pl.col("lon_deg"))
    told = _rolled(moved.with_columns(far_m=far), steps)
    carried = told.filter(_farther_than(pl.col("rolled_m")).fill_null(False))
    made = _not_ridden(carried, _unseen(whereabouts, steps)).with_columns(
        system=pl.lit("relocation"), code=pl.lit("relocated"), text=pl.format("carried {}", _rounded("far_m")),
        started_at="from_ended_at", finished_at="began_at", open=pl.lit(False), start_seen=pl.lit(True),
        end_seen=pl.lit(True),
    )  # fmt: skip
    return _shaped(made).sort(*WHO, "started_at")


def known_span(
    whereabouts: pl.DataFrame, places: Mapping[str, Place], *, from_begin: bool, to_end: bool
) -> pl.DataFrame:
    """As `KNOWN_SPAN`: where more must be read to know any, both moments are null.

    It begins with the first position of which it is sure in which places it lay: a stand that is there from its first
    fix on, or fixes that no border is near. It ends before the last ride: a stand after it may go on. Between rests a
    part of the log tells of rides what the whole tells. Where nothing lies before (`from_begin`) or after
    (`to_end`) what was read, all is known.
    """
    rows = _sided(whereabouts, places)
    decided = pl.all_horizontal(pl.lit(True), *(pl.col(f"in_{number}").is_not_null() for number in range(len(places))))
    sure = ~pl.col("told") | (pl.col("began_at") > pl.col("sure_from"))
    heard = pl.col("stood") | ~pl.col("final")  # what a last fix says, the next one may confirm
    begun = decided & sure | pl.lit(from_begin)
    over = heard & (~pl.col("told") | (pl.col("ended_at") < pl.col("sure_to"))) | pl.lit(to_end)
    return (
        rows.group_by("provider", "vehicle")
        .agg(
            pl.col("began_at").filter(begun).min().alias("known_from"),
            pl.col("ended_at").filter(over).max().alias("known_to"),
        )
        .group_by("vehicle")
        .agg(_of_all("known_from").max(), _of_all("known_to").min())
        .cast(KNOWN_SPAN)
        .sort("vehicle")
    )


def _of_all(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null().all()).then(pl.col(name))


def _within(whereabouts: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    told = whereabouts.join(known, on="vehicle", how="left", maintain_order="left")
    inside = (pl.col("began_at") >= pl.col("known_from")) & (pl.col("ended_at") <= pl.col("known_to"))
    return told.filter(inside)


# ---- stays ---------------------------------------------------------------------------------------------------------


def _sided(whereabouts: pl.DataFrame, places: Mapping[str, Place]) -> pl.DataFrame:
    """Whereabouts with `in_0`, `in_1` …: whether each lies in the place of this number, null where that is not sure."""
    names = [f"in_{number}" for number in range(len(places))]
    said = [_side(each).alias(name) for name, each in zip(names, places.values(), strict=True)]
    rows = marked(whereabouts.with_columns(said)).with_columns(final=pl.col("fresh").shift(-1).fill_null(True))
    return rows.with_columns(pl.when(pl.col("stood") | _agreed(name)).then(name).alias(name) for name in names)


def _side(each: Place) -> pl.Expr:
    depth = depth_m(each)
    out = pl.when(depth < pl.when("stood").then(0.0).otherwise(-SIGMAS * pl.col("sigma_m"))).then(False)
    return pl.when(depth >= 0).then(True).otherwise(out)


def _agreed(name: str) -> pl.Expr:
    """Whether a neighbour of the same vehicle says the same."""
    last = ~pl.col("fresh") & (pl.col(name) == pl.col(name).shift(1))
    soon = ~pl.col("final") & (pl.col(name) == pl.col(name).shift(-1))
    return last.fill_null(False) | soon.fill_null(False)


def _runs(rows: pl.DataFrame, code: str, name: str) -> pl.DataFrame:
    """Stays in one place: a position that is not sure is where the vehicle was before."""
    inside = pl.col(name).forward_fill().over(WHO).fill_null(False)
    here = marked(rows.with_columns(inside.alias("inside")))
    turns = here.with_columns(run=(pl.col("fresh") | (pl.col("inside") != pl.col("inside").shift(1))).cum_sum())
    found = turns.with_columns(final=pl.col("fresh").shift(-1).fill_null(True)).filter("inside").group_by("run").agg(
        pl.col(WHO).first(), pl.col("began_at").first().alias("started_at"),
        pl.col("ended_at").last().alias("finished_at"), pl.col("final").last(), pl.col("fresh").first(),
    )  # fmt: skip
    return _shaped(
        found.with_columns(
            system=pl.lit("place"), code=pl.lit(code), text=pl.lit(f"in {code}"), open="final",
            finished_at=pl.when(~pl.col("final")).then("finished_at"), start_seen=~pl.col("fresh"),
            end_seen=~pl.col("final"),
        )
    )  # fmt: skip


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    told = rows.with_columns(
        time="started_at", kind=pl.lit("pipeline"), count=pl.lit(1), odometer_m=pl.lit(None, pl.Float64)
    )
    return told.select(SEEN.names()).cast(SEEN)


# ---- relocations ---------------------------------------------------------------------------------------------------


def _stays_long() -> pl.Expr:
    """Whether a stand is no stop on the way: it lasts, or is the first or last between two rides."""
    lasts = pl.col("ended_at") - pl.col("began_at") >= pl.duration(seconds=round(STOP_S))
    number = pl.int_range(pl.len()).over(*WHO, "outing")
    return lasts | (number == 0) | (number == pl.len().over(*WHO, "outing") - 1)


def _unseen(whereabouts: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Rides of which positions tell nothing: `outing`, and how far each rolled, `unseen_m`.

    The vehicle stood at one place before, after, and with every fix in between.
    """
    place = ("lat_deg", "lon_deg", "sigma_m")
    stands = whereabouts.filter("stood").group_by(*WHO, "outing", maintain_order=True)
    first = stands.agg(pl.col(*place, "began_at").first())
    last = stands.agg(pl.col(name).last().alias(f"from_{name}") for name in (*place, "ended_at"))
    before = last.with_columns(pl.col("outing") + 1)
    back = first.select(*WHO, "outing", back_at="began_at")
    fixes = whereabouts.filter(~pl.col("stood")).join(before, on=[*WHO, "outing"]).join(back, on=[*WHO, "outing"])
    moving = fixes.filter(_elsewhere() & (pl.col("began_at") < pl.col("back_at")))
    still = first.join(before, on=[*WHO, "outing"]).filter(~_elsewhere())
    return _rolled(still.join(moving, on=[*WHO, "outing"], how="anti"), steps).select(
        *WHO, "outing", unseen_m="rolled_m"
    )


def _elsewhere() -> pl.Expr:
    far = distance_m(pl.col("from_lat_deg"), pl.col("from_lon_deg"), pl.col("lat_deg"), pl.col("lon_deg"))
    return far > reach_m(pl.col("from_sigma_m"))


def _not_ridden(moves: pl.DataFrame, unseen: pl.DataFrame) -> pl.DataFrame:
    """Moves but for those that a ride before or after them explains, which positions told at another time."""
    after = unseen.select(*WHO, pl.col("outing") - 1, after_m="unseen_m")
    known = moves.join(unseen, on=[*WHO, "outing"], how="left", maintain_order="left").join(
        after, on=[*WHO, "outing"], how="left", maintain_order="left"
    )
    return known.filter(_farther_than(pl.max_horizontal("unseen_m", "after_m")).fill_null(True))


def _farther_than(rolled_m: pl.Expr) -> pl.Expr:
    return pl.col("far_m") - rolled_m > reach_m(pl.col("from_sigma_m"))


def _rolled(moved: pl.DataFrame, steps: pl.DataFrame) -> pl.DataFrame:
    """Moves with `rolled_m` [m], null where that is not known."""
    resets = pl.col("reset").cast(pl.Int64).cum_sum().over(WHO)
    counts = steps.select(*WHO, "at", "count_m", resets.alias("resets")).drop_nulls("count_m").sort("at")
    apart = pl.duration(seconds=round(OFFSET_S))
    rows = moved.with_columns(
        (pl.col("from_ended_at") - apart).alias("left_at"), (pl.col("began_at") + apart).alias("back_at")
    )
    left = rows.sort("left_at").join_asof(
        counts, left_on="left_at", right_on="at", by=WHO, check_sortedness=False
    ).drop("at").sort("back_at")  # fmt: skip
    after = {"count_m": "back_m", "resets": "resets_then"}
    both = left.join_asof(
        counts.rename(after), left_on="back_at", right_on="at", by=WHO, strategy="forward", check_sortedness=False
    )
    same = pl.col("resets") == pl.col("resets_then")
    return both.with_columns(rolled_m=pl.when(same).then(pl.col("back_m") - pl.col("count_m")))


def _rounded(name: str) -> pl.Expr:
    """Metres for people: to 10 m, from a kilometre on to 100 m."""
    near = pl.format("{} m", (pl.col(name) / 10).round().cast(pl.Int64) * 10)
    return pl.when(pl.col(name) < 995).then(near).otherwise(pl.format("{} km", (pl.col(name) / 1000).round(1)))
