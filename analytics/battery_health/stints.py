"""Stints: the time that one pack provably spent in one port, and what trips took of it.

A pack that is swapped has no number, so nothing of it is known beyond its stint (analytics facts, 3.0). A vehicle whose
packs are not swapped has one stint, until what its battery holds leaps (`jumps`). Where it has several ports, its
percent is that of all packs in it: what its trips took counts for each of them.
"""

import polars as pl

from analytics.battery_health.depths import COLUMNS, depth_cycles
from analytics.battery_health.jumps import JUMP, NO_JUMPS
from analytics.battery_health.ratios import KM_CV, interval, ratio_sums, spread_of_unit
from analytics.frames import WHO, escaped
from logger.tables import shaped

_PLACE = (*WHO, "port")
_CHANGE = (*_PLACE, "started_at", "finished_at")
DIGITS = 10  # a sum's last ones depend on how many rows were summed beside it
_NONE = ""  # the port of a vehicle that names none: nulls do not find each other


def bounds(
    swaps: pl.DataFrame, packs: pl.DataFrame, begun: pl.DataFrame, jumps: pl.DataFrame = NO_JUMPS
) -> pl.DataFrame:
    """When packs came into their ports and left them.

    Parameters
    ----------
    swaps : rows of `charges` of kind `swap`
    packs : DataFrame with `provider` `vehicle` `port`
    begun : DataFrame with `provider` `vehicle` `begun_at`, when the first known pack of each port was there
    jumps : DataFrame of `JUMPS`

    Returns
    -------
    DataFrame by vehicle, port (an empty text where none is named) and `started_at`, with `finished_at`, null while the
    pack is in, and `start_reason` and `end_reason`, what began and ended it. No swap can have happened between the two;
    one whose port nobody knows ends the stints of all ports.
    """
    changes = pl.concat([swaps.select(*_CHANGE, reason=pl.lit("swap")), jumps.select(*_CHANGE, reason=pl.lit(JUMP))])
    named = pl.concat([rows.select(_PLACE) for rows in (changes, packs)]).drop_nulls("port").unique()
    ports = begun.join(named, on=WHO, how="left").with_columns(pl.col("port").fill_null(_NONE))
    cuts = changes.select(*WHO, "started_at", "finished_at", "reason", of="port").join(ports.select(_PLACE), on=WHO)
    own = cuts.filter(pl.col("of").fill_null(pl.col("port")) == pl.col("port"))
    never = pl.lit(None, ports.schema["begun_at"]).alias("left_at")
    came = [
        ports.select(*_PLACE, pl.col("begun_at").alias("started_at"), never, reason=pl.lit(None, pl.String())),
        own.select(*_PLACE, pl.col("finished_at").alias("started_at"), pl.col("started_at").alias("left_at"), "reason"),
    ]
    rows = pl.concat(came).sort(*_PLACE, "started_at", "left_at", nulls_last=False)
    rows = rows.unique([*_PLACE, "started_at"], keep="first", maintain_order=True)
    left = pl.col("left_at").cum_min(reverse=True).shift(-1).over(_PLACE)  # a swap may lie within another's time
    finished = pl.when(left.is_not_null()).then(pl.max_horizontal("started_at", left))
    why = {"start_reason": pl.col("reason"), "end_reason": pl.col("reason").shift(-1).over(_PLACE)}
    return rows.select(*_PLACE, "started_at", finished.alias("finished_at"), **why)


def stints(bounds: pl.DataFrame, trips: pl.DataFrame, charges: pl.DataFrame, packs: pl.DataFrame) -> pl.DataFrame:
    """Rows of `stints`.

    Parameters
    ----------
    bounds : the frame of `bounds`
    trips, charges : rows of these tables since the first stint began
    packs : DataFrame with `provider` `vehicle` `port` `at` `pack_cycles`

    Returns
    -------
    DataFrame of `stints` by vehicle, port and time. A trip belongs to the stint in which its middle lies; one with a
    swap on the way tells of no pack.

    Notes
    -----
    `efc` is half of all that the percent fell on trips and rose on charges, in full charges; `depth_…_cycles` count the
    cycles of these percents by how deep they were. `km_per_pct` is a ratio of
    sums; its interval is by `ratios.spread_of_unit`.
    """
    ports = bounds.select(_PLACE).unique()
    cycles = packs.drop_nulls("pack_cycles").sort("at").with_columns(pl.col("port").fill_null(_NONE))
    first, last = pl.col("pack_cycles").first(), pl.col("pack_cycles").last()
    counted = _within(cycles, "at", bounds).group_by(*_PLACE, "started_at", maintain_order=True).agg(
        first.alias("first_cycles"), last.alias("last_cycles")
    )  # fmt: skip
    used = _within(middles(trips).join(ports, on=WHO), "at", bounds).sort(*_PLACE, "at")
    taken = used.group_by(*_PLACE, "started_at", maintain_order=True).agg(
        pl.col("distance_m").sum(),
        pl.col("soc_used_pct").sum(),
        *ratio_sums(pl.col("pct"), pl.col("distance_m") / 1000, "pct"),
    )
    added = _within(
        charges.filter(pl.col("kind") != "swap").drop("port").with_columns(at="finished_at").join(ports, on=WHO),
        "at",
        bounds,
    )
    rose = added.group_by(*_PLACE, "started_at").agg(pl.col("soc_added_pct").clip(0.0).sum().alias("rose_pct"))
    rows = bounds
    for found in (counted, taken, rose, _depths(trips, charges, bounds)):
        rows = rows.join(found, on=[*_PLACE, "started_at"], how="left", maintain_order="left")
    rows = rows.with_columns(*_figures(), **_named()).with_columns(pl.selectors.float().round_sig_figs(DIGITS))
    return shaped(rows.sort(*_PLACE, "started_at"), "stints")


def _depths(trips: pl.DataFrame, charges: pl.DataFrame, bounds: pl.DataFrame) -> pl.DataFrame:
    """`depth_…_cycles` of each stint, by the percents at the ends of its trips and charges."""
    charged = charges.filter(pl.col("kind") != "swap")
    ends = pl.concat(
        rows.select(*WHO, "started_at", pl.col(f"{end}ed_at").alias("at"), pl.col(f"soc_{end}_pct").alias("pct"))
        for rows in (trips, charged)
        for end in ("start", "finish")
    ).drop_nulls("pct")  # fmt: skip
    ports = bounds.select(_PLACE).unique()
    order = [*_PLACE, "started_at", "at", "begun_at"]
    known = _within(ends.rename({"started_at": "begun_at"}).join(ports, on=WHO), "at", bounds).sort(order)
    stints = known.group_by(*_PLACE, "started_at", maintain_order=True).agg("pct")
    counts = [depth_cycles(percents) for percents in stints["pct"].to_list()]
    found = pl.DataFrame(counts, schema=dict.fromkeys(COLUMNS, pl.Float64()), orient="row")
    return stints.drop("pct").hstack(found)


def middles(trips: pl.DataFrame) -> pl.DataFrame:
    """Trips with `at`, their middle; `pct`, what they used of one pack's charge, null where that is not known; and
    `level_pct`, at which level they used it."""
    one = (pl.col("swaps").fill_null(0) == 0) & (pl.col("distance_m") > 0)
    middle = pl.col("started_at") + (pl.col("finished_at") - pl.col("started_at")) / 2
    level = (pl.col("soc_start_pct") + pl.col("soc_finish_pct")) / 2
    return trips.with_columns(
        middle.alias("at"), pl.when(one).then("soc_used_pct").alias("pct"), level.fill_null(50.0).alias("level_pct")
    )


def stint_id(port: pl.Expr) -> pl.Expr:
    """Name of a stint: the same whenever it is made of the same swaps."""
    moment = pl.col("started_at").dt.epoch("ms")
    return pl.concat_str(*escaped(*WHO), port, separator="/") + pl.format("@{}", moment)


def _within(rows: pl.DataFrame, moment: str, bounds: pl.DataFrame) -> pl.DataFrame:
    """Rows with `started_at` of the stint of their port that holds at this moment; others are left out."""
    spans = bounds.rename({"finished_at": "stint_end"}).sort("started_at")
    names = [name for name in rows.columns if name not in ("started_at", "stint_end")]
    found = rows.select(names).sort(moment).join_asof(
        spans, left_on=moment, right_on="started_at", by=_PLACE, check_sortedness=False
    )  # fmt: skip
    return found.filter(pl.col("started_at").is_not_null() & (pl.col(moment) <= pl.col("stint_end")).fill_null(True))


def _figures() -> list[pl.Expr]:
    km, pct = pl.col("pct_x"), pl.col("pct_y")
    sd = spread_of_unit("pct", KM_CV) / km.sqrt()
    fell = pl.col("soc_used_pct").fill_null(0.0) + pl.col("rose_pct").fill_null(0.0)
    return [
        *interval(pl.when((km > 0) & (pct > 0)).then(km / pct), sd, "km_per_pct"),
        (fell / 200).alias("efc"),
        pl.col("distance_m", "soc_used_pct").fill_null(0.0),
    ]


def _named() -> dict[str, pl.Expr]:
    bare = pl.when(pl.col("port") != _NONE).then("port")
    return {"time": pl.col("started_at"), "stint_id": stint_id(pl.col("port")), "port": bare}
