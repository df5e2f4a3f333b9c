"""What trips took of the packs in a vehicle, by stint and month: rows of `battery_health` that the verdicts pool.

A month at most, because what a kilometre takes changes with the season, and because a verdict counts months that are
over.
"""

import polars as pl

from analytics.battery_health import reasons
from analytics.battery_health.by_pairs import rows_by_pairs
from analytics.battery_health.pairs import PAIRS, pairs
from analytics.battery_health.ratios import KM_CV, POLLED_CV, interval, ratio_sums, spread_of_unit
from analytics.battery_health.stints import DIGITS, middles, stint_id
from analytics.frames import WHO
from analytics.observations.power import SENSOR_SD
from logger.tables import shaped

FEWEST = 8  # trips with readings of power below which their spread tells no interval
_PART = (*WHO, "time")
_OF_CAPACITY = (
    "capacity_wh", "capacity_low_wh", "capacity_high_wh", "capacity_ah", "n", "verdict", "reason",
)  # fmt: skip
_FIGURES = (
    "capacity_wh", "capacity_low_wh", "capacity_high_wh", "wh_per_km", "wh_per_km_low", "wh_per_km_high",
)  # fmt: skip


def stint_months(bounds: pl.DataFrame, trips: pl.DataFrame, charges: pl.DataFrame, packs: pl.DataFrame) -> pl.DataFrame:
    """Rows of `battery_health` with the methods `km_per_pct`, `ride_energy` and `charge_energy`.

    Parameters
    ----------
    bounds : the frame of `stints.bounds`
    trips, charges : rows of these tables since the first of these stints began
    packs : DataFrame with `provider` `vehicle` `port` `at` `pack_cycles` `pack_soc_pct`

    Returns
    -------
    DataFrame of `battery_health` by vehicle and time, which is when the stint or the month began. `km_per_pct` counts
    all trips that used a known charge of one pack, whatever they measured: to choose among them would bias the ratio.
    `ride_energy` counts those with a reading of power under way (`polled_wh`), its capacity is energy over
    charge; the sensor, which nobody has checked, errs by 2.5 %; fewer than 8 are `insufficient`. Where trips were read
    so closely that their own energies tell more, the capacity is theirs (`by_pairs`). `charge_energy` counts charges
    whose energy a counter or power tells. Of a vehicle with several ports, all packs in it count as one, and `port` is
    null.
    """
    cuts = _cuts(bounds)
    rows = _assign_parts(middles(trips), cuts).sort(*WHO, "at")
    km, polled = pl.col("distance_m") / 1000, pl.when(pl.col("pct").is_not_null()).then("polled_wh")
    sums = rows.group_by(*_PART, "cut_at", maintain_order=True).agg(
        *ratio_sums(pl.col("pct"), km, "pct"),
        *ratio_sums(polled, km, "wh"),
        pl.col("pct").filter(polled.is_not_null()).sum().alias("polled_pct"),
        (pl.col("pct") * pl.col("level_pct")).sum().alias("level_sum"),
        pl.col("finished_at").max().dt.strftime("%Y-%m-%d").alias("as_of"),
    )
    measured = rows_by_pairs(_assign_parts(pairs(charges, trips), cuts), (*_PART, "cut_at"))
    turned = charges.filter(pl.col("read_wh") < 0).select(*WHO, at="finished_at")
    measured = pl.concat([measured, _refusals(_assign_parts(turned, cuts))], how="diagonal")
    facts = _facts(packs, rows, charges, cuts)
    told, paired = (
        each.join(facts, on=_PART, how="left").join(cuts, on=[*WHO, "cut_at"], maintain_order="left")
        for each in (sums, measured)
    )
    made = pl.concat([_by_way(told), _surest([_by_power(told), paired])], how="diagonal")
    rounded = made.with_columns(pl.selectors.float().round_sig_figs(DIGITS))
    return shaped(rounded, "battery_health").sort(*_PART, "method")


def stint_pairs(bounds: pl.DataFrame, charges: pl.DataFrame, trips: pl.DataFrame) -> pl.DataFrame:
    """Pairs of charges and trips with the `stint_id` that rows of `stint_months` have; others are left out.

    Parameters
    ----------
    bounds, charges, trips : as of `stint_months`
    """
    cuts = _cuts(bounds)
    told = _assign_parts(pairs(charges, trips), cuts).join(cuts.select(*WHO, "cut_at", "stint_id"), on=[*WHO, "cut_at"])
    return told.select(*PAIRS.names(), "stint_id")


def _refusals(charges: pl.DataFrame) -> pl.DataFrame:
    """A row for each part in which power of the other sign tells nothing of what was charged."""
    return charges.group_by(*_PART, "cut_at", maintain_order=True).agg(
        pl.lit("charge_energy").alias("method"), pl.lit("insufficient").alias("verdict"),
        pl.lit(reasons.POWER_SIGN).alias("reason"), pl.len().cast(pl.Int64).alias("n"),
        pl.col("at").max().dt.strftime("%Y-%m-%d").alias("as_of"),
    )  # fmt: skip


def _surest(methods: list[pl.DataFrame]) -> pl.DataFrame:
    """One row for each part and method: capacity, its `n` and reason of the surer, the sums of the first."""
    rows = pl.concat(methods, how="diagonal")
    width = (pl.col("capacity_high_wh") / pl.col("capacity_wh")).fill_null(float("inf"))
    surer = rows.select(*_PART, "method", *_OF_CAPACITY, width.alias("width")).sort("width", maintain_order=True)
    first = rows.unique([*_PART, "method"], keep="first", maintain_order=True).drop(_OF_CAPACITY)
    best = surer.unique([*_PART, "method"], keep="first", maintain_order=True).drop("width")
    return first.join(best, on=[*_PART, "method"], how="left", maintain_order="left")


def _cuts(bounds: pl.DataFrame) -> pl.DataFrame:
    """Times in which the same packs are in a vehicle: `cut_at`, `cut_end`, its port if it has but one, `stint_id`."""
    one = pl.col("port").n_unique().over(WHO) == 1
    port = pl.when(one).then("port").otherwise(pl.lit(""))
    moments = bounds.with_columns(port.alias("port")).unique([*WHO, "started_at"]).sort(*WHO, "started_at")
    named = moments.with_columns(stint_id(pl.col("port")).alias("stint_id"))
    bare = pl.when(pl.col("port") != "").then("port")
    cuts = named.select(*WHO, pl.col("started_at").alias("cut_at"), "stint_id", bare.alias("port")).sort("cut_at")
    ends = bounds.select(*WHO, pl.col("finished_at").alias("cut_end")).drop_nulls().sort("cut_end")
    return cuts.join_asof(
        ends, left_on="cut_at", right_on="cut_end", by=WHO, strategy="forward", check_sortedness=False, coalesce=False,
        allow_exact_matches=False
    ).sort(*WHO, "cut_at")  # fmt: skip


def _assign_parts(rows: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """Rows with the cut that holds `at` them and `time`, when that or their month began, whichever is later.

    Between two cuts, while a pack may have been changed, none holds.
    """
    spans = cuts.select(*WHO, "cut_at", "cut_end").sort("cut_at")
    found = rows.sort("at").join_asof(spans, left_on="at", right_on="cut_at", by=WHO, check_sortedness=False)
    inside = pl.col("cut_at").is_not_null() & (pl.col("at") <= pl.col("cut_end")).fill_null(True)
    month = pl.col("at").dt.truncate("1mo")
    return found.filter(inside).with_columns(pl.max_horizontal("cut_at", month).alias("time"))


def _facts(packs: pl.DataFrame, trips: pl.DataFrame, charges: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """What is known of the packs of each part beside trips and charges: cycles, full cycles so far, imbalance."""
    frames = (_cycles(packs, cuts), _full_cycles(trips, charges, cuts), _imbalance(packs, cuts))
    parts = pl.concat([each.select(_PART) for each in frames]).unique().sort(_PART)
    for each in frames:
        parts = parts.join(each, on=_PART, how="left", maintain_order="left")
    return parts


def _full_cycles(trips: pl.DataFrame, charges: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """`efc` of each part's stint until the end of the part: half of what the percent fell and rose, in full charges."""
    risen = charges.filter(pl.col("kind") != "swap").drop("port").with_columns(at="finished_at")
    moved = [
        trips.select(*_PART, "cut_at", moved="soc_used_pct"),
        _assign_parts(risen, cuts).select(*_PART, "cut_at", moved=pl.col("soc_added_pct").clip(0.0)),
    ]
    parts = pl.concat(moved).group_by(*_PART, "cut_at").agg(pl.col("moved").sum() / 200).sort(_PART)
    return parts.select(*_PART, pl.col("moved").cum_sum().over(*WHO, "cut_at").alias("efc"))


def _imbalance(packs: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """By how much more the first port's pack shows than the last's, on the mean over the polls of both."""
    asked = packs.drop_nulls(["pack_soc_pct", "port"]).sort("port")
    polls = _assign_parts(asked, cuts).group_by(*_PART, "at").agg(
        (pl.col("pack_soc_pct").first() - pl.col("pack_soc_pct").last()).alias("apart_pct"), pl.len().alias("ports")
    )  # fmt: skip
    both = polls.filter(pl.col("ports") > 1).sort(*_PART, "at")
    return both.group_by(_PART, maintain_order=True).agg(pl.col("apart_pct").mean().alias("imbalance_pct"))


def _cycles(packs: pl.DataFrame, cuts: pl.DataFrame) -> pl.DataFrame:
    """The counts of cycles of the packs in a vehicle, null where nobody asked them."""
    rows = _assign_parts(packs.drop_nulls("pack_cycles"), cuts)
    least, most = pl.col("pack_cycles").min(), pl.col("pack_cycles").max()
    ports = rows.group_by(*_PART, "port").agg(least.alias("first_cycles"), most.alias("last_cycles"))
    mean = ((pl.col("first_cycles") + pl.col("last_cycles")) / 2).mean()
    return ports.group_by(_PART).agg(mean.alias("cycles"), pl.col("first_cycles", "last_cycles").sum())


def _by_way(sums: pl.DataFrame) -> pl.DataFrame:
    km, pct = pl.col("pct_x"), pl.col("pct_y")
    sd = spread_of_unit("pct", KM_CV) / km.sqrt()
    made = sums.filter((km > 0) & (pct > 0)).with_columns(*interval(km / pct, sd, "km_per_pct"))
    own = {
        "n": pl.col("pct_n"),
        "distance_m": 1000 * km,
        "soc_used_pct": pct,
        "soc_mean_pct": pl.col("level_sum") / pct,
    }
    return made.with_columns(**own, method=pl.lit("km_per_pct"), verdict=pl.lit("estimate"))


def _by_power(sums: pl.DataFrame) -> pl.DataFrame:
    km, wh, pct = pl.col("wh_x"), pl.col("wh_y"), pl.col("polled_pct")
    sd = (spread_of_unit("wh", POLLED_CV) ** 2 / km + SENSOR_SD**2).sqrt()
    made = sums.filter((km > 0) & (pct > 0) & (wh != 0)).with_columns(
        *interval(100 * (wh / pct).abs(), sd, "capacity_wh"), *interval((wh / km).abs(), sd, "wh_per_km")
    )
    own = {"n": pl.col("wh_n"), "distance_m": 1000 * km, "soc_used_pct": pct, "energy_wh": wh}
    few = pl.when(pl.col("wh_n") < FEWEST)
    told = [few.then(None).otherwise(pl.col(name)).alias(name) for name in _FIGURES]
    reason = few.then(pl.format(reasons.FEW_TRIPS, pl.lit(FEWEST)))
    verdict = few.then(pl.lit("insufficient")).otherwise(pl.lit("estimate"))
    return made.with_columns(*told, **own, method=pl.lit("ride_energy"), reason=reason, verdict=verdict)
