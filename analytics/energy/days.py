"""Consumption by vehicle and local day: a ledger in which charge driven, stood, charged and left over add up.

Analytics facts, 4.3. Time is cut at local midnights and where rides and charges begin and end; the charge at a cut is
one figure for both of its sides, so that the parts of any time add up to the difference of its ends.
"""

from collections.abc import Mapping

import polars as pl

from analytics.energy.charged import NOTHING_CHARGED, charged, rises, spoken
from analytics.energy.trips import lower_end
from analytics.frames import WHO, as_of, before, marked, within
from analytics.observations.capacity import sure
from analytics.observations.soc_at import SocPath
from analytics.observations.soc_used import parts
from logger.tables import table

_Z = 1.96
_MS = pl.Datetime("ms", "UTC")
_COLUMNS = table("consumption").values
_OF_TRIPS = ("distance_m", "driven_wh", "own_variance", "common_sd_wh", "regen_wh", "driving_s")
_SCHEMA = table("consumption").schema
_SPANS = {"provider": pl.String(), "vehicle": pl.String(), "started_at": _MS, "finished_at": _MS}


def days(
    readings: pl.DataFrame,
    steps: pl.DataFrame,
    trips: pl.DataFrame,
    path: SocPath,
    known: pl.DataFrame,
    sessions: pl.DataFrame | None = None,
    discharges: pl.DataFrame | None = None,
    charges: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Consumption of vehicles by local day.

    Parameters
    ----------
    readings, steps : DataFrame of `OBSERVATIONS`, and their segments
    trips : DataFrame of `trips.trips` with the columns of `energy.trips.energies`
    path : of these readings and trips
    known : as for `energy.trips.energies`, with `timezone` (null: UTC)
    sessions, discharges : DataFrames of `SESSIONS` and `DISCHARGES`: when vehicles charged, and when they gave energy
        on purpose, or None: they never did
    charges : DataFrame of `charges`, what these sessions added, or None: nobody tells more than the percent

    Returns
    -------
    DataFrame of `provider` `vehicle` `time` (local midnight, UTC) and the columns of `consumption`: `driven_wh` (sum of
    trips, with a 95 % interval: what they share of their error does not average out), `standby_wh` (may be below 0:
    the percent recovers; what was given on purpose is not in it), `charged_wh` (the energy of `charges`; of one that
    has none, percent times capacity; swaps bring none), `residual_wh` (what the percent says of the rides beyond
    `driven_wh`), `wh_per_km_net`; `wh_per_km_gross` is null unless what was fed back is known. A trip over midnight is
    shared by its way, a charge by time. Where no capacity is known, what the percent says is null.

    Driven, left over and stood, less what charges brought by the percent, is what the percent lost. The energy of
    `charges` is more than that by what is lost on the way in, and where their source contradicts the percent.
    """
    zoned = known.select(*WHO, "timezone").unique(WHO, keep="last", maintain_order=True)
    calendar = _calendar(readings, zoned)
    ridden = _ridden(steps, trips, zoned)
    begun = _begun(trips, zoned)
    never = pl.DataFrame(schema=_SPANS)
    told_of = NOTHING_CHARGED if charges is None else charges
    given = never if discharges is None else discharges
    drawn = {"given": given} if sessions is None else {**rises(sessions, told_of), "given": given}
    soc = _by_soc(readings, trips, calendar, path, known, drawn)
    said = _dated(spoken(readings), "at", zoned).select(*WHO, "day", said=pl.lit(True)).unique()
    both = calendar
    for each in (begun, ridden, soc, said, charged(told_of, calendar)):
        both = both.join(each, on=[*WHO, "day"], how="left")
    both = both.with_columns(_charged_wh().alias("charged_wh"))
    none = pl.col("distance_m").is_null()  # a day without a trip: nothing was driven, and that is known
    ridden_none = [pl.when(none).then(0.0).otherwise(name).alias(name) for name in _OF_TRIPS]
    residual = (pl.col("soc_driven_wh") - pl.col("driven_wh")).alias("residual_wh")
    told = both.with_columns(ridden_none).with_columns(pl.when(pl.col("standby_wh").is_not_null()).then(residual))
    return told.sort(*WHO, "time").select(*WHO, "time", *_named()).cast(_SCHEMA)


def _charged_wh() -> pl.Expr:
    """What charges added: those that tell an energy, and the others by percent; null where either is not known."""
    by_percent = pl.when(pl.col("told").is_null()).then(0.0).otherwise("soc_charged_wh")
    counted = pl.when(pl.col("counts").is_null()).then(0.0).otherwise("counted_wh")
    heard = pl.any_horizontal("told", "said", "counts")
    return pl.when(heard.fill_null(False)).then(by_percent + counted)


def _named() -> list[pl.Expr]:
    km = pl.col("distance_m") / 1000
    driven, sd = pl.col("driven_wh"), (pl.col("own_variance") + pl.col("common_sd_wh") ** 2).sqrt()
    made = {
        "day": pl.col("day").dt.to_string("%Y-%m-%d"),
        "distance_m": pl.col("distance_m"),
        "driven_wh": driven,
        "driven_low_wh": lower_end(driven, _Z * sd),
        "driven_high_wh": driven + _Z * sd,
        "standby_wh": pl.col("standby_wh"),
        "charged_wh": pl.col("charged_wh"),
        "residual_wh": pl.col("residual_wh"),
        "wh_per_km_net": pl.when(km > 0).then(driven / km),
        "wh_per_km_gross": pl.when(km > 0).then((driven + pl.col("regen_wh")) / km),
        "trips": pl.col("trips").fill_null(0),
        "driving_s": pl.col("driving_s"),
    }
    return [made[name].alias(name) for name in _COLUMNS]


# ---- local days ----------------------------------------------------------------------------------------------------


def _zone(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    told = rows.join(known.select(*WHO, "timezone"), on=WHO, how="left", maintain_order="left")
    return told.with_columns(pl.col("timezone").fill_null("UTC"))


def _dated(rows: pl.DataFrame, moment: str, known: pl.DataFrame) -> pl.DataFrame:
    """These rows with the local `day` of a moment."""
    zoned = _zone(rows, known)
    at = [
        pl.when(pl.col("timezone") == zone).then(pl.col(moment).dt.convert_time_zone(zone).dt.date())
        for zone in zoned["timezone"].unique().sort()
    ]
    return zoned.with_columns(pl.coalesce(*at, pl.lit(None, pl.Date())).alias("day")).drop("timezone")


def _calendar(readings: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Each local day from a vehicle's first reading to its last, and its midnight (one o'clock where it has none)."""
    spans = readings.group_by(WHO).agg(pl.col("at").min().alias("first"), pl.col("at").max().alias("final"))
    first, final = _dated(spans, "first", known), _dated(spans, "final", known)
    both = first.rename({"day": "begin"}).join(final.select(*WHO, "day"), on=WHO)
    each = both.select(*WHO, pl.date_ranges("begin", "day").alias("day")).explode("day")
    zoned = _zone(each, known)
    at = [pl.when(pl.col("timezone") == zone).then(_midnight(zone)) for zone in zoned["timezone"].unique().sort()]
    return zoned.with_columns(pl.coalesce(*at, pl.lit(None, _MS)).alias("time")).drop("timezone")


def _midnight(zone: str) -> pl.Expr:
    naive = pl.col("day").cast(pl.Datetime("ms"))
    hours = (naive, naive.dt.offset_by("1h"))
    found = [each.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null") for each in hours]
    return pl.coalesce(found).dt.convert_time_zone("UTC")


# ---- rides ---------------------------------------------------------------------------------------------------------


def _ridden(steps: pl.DataFrame, trips: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Trips shared among local days by their way: an interval belongs to the day of its later reading."""
    placed = pl.when(pl.col("role") != "split").then(pl.col("d_m")).otherwise(0.0)
    ways = _dated(steps.drop_nulls("ride").with_columns(placed.alias("part_m")), "at", known)
    by_day = ways.group_by(*WHO, "ride", "day").agg(pl.col("part_m").sum(), pl.col("dt_s").sum().alias("part_s"))
    whole = [pl.col(name).sum().over(*WHO, "ride") for name in ("part_m", "part_s")]
    share = pl.when(whole[0] > 0).then(pl.col("part_m") / whole[0]).when(whole[1] > 0).then(pl.col("part_s") / whole[1])
    shared = by_day.with_columns(share.fill_null(1.0).alias("share")).join(trips, on=[*WHO, "ride"])
    return shared.group_by(*WHO, "day").agg(*_shares())


def _begun(trips: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """How many `trips` began on each local day."""
    return _dated(trips, "started_at", known).group_by(*WHO, "day").agg(pl.len().cast(pl.Int64).alias("trips"))


def _shares() -> list[pl.Expr]:
    share = pl.col("share")
    driving = pl.coalesce("riding_s", "duration_s")
    return [
        pl.col("part_m").sum().alias("distance_m"),
        _whole(share * pl.col("energy_wh")).alias("driven_wh"),
        _whole((share * pl.col("own_sd_wh")) ** 2).alias("own_variance"),
        _whole(share * pl.col("common_sd_wh")).alias("common_sd_wh"),
        _whole(share * pl.col("regen_wh")).alias("regen_wh"),
        (share * driving).sum().alias("driving_s"),
    ]


def _whole(terms: pl.Expr) -> pl.Expr:
    """Their sum, null where one is not known."""
    return pl.when(terms.is_not_null().all()).then(terms.sum())


# ---- the ledger ----------------------------------------------------------------------------------------------------


def _by_soc(
    readings: pl.DataFrame,
    trips: pl.DataFrame,
    calendar: pl.DataFrame,
    path: SocPath,
    known: pl.DataFrame,
    drawn: Mapping[str, pl.DataFrame],
) -> pl.DataFrame:
    """What the percent says was driven, stood and charged on each local day [Wh]; of charges, those without an energy.

    `told` is whether anything of the day is known.
    """
    zoned = known.select(*WHO, "timezone").unique(WHO, keep="last", maintain_order=True)
    spans = _dated(_spans(readings, trips, calendar, drawn), "started_at", zoned).with_row_index("span")
    names = ("span", "from_at", "from_pct", "to_pct", "used", "swap")
    rows = parts(path, spans).select(names)
    pieces = spans.join(rows, on="span", maintain_order="left_right").with_columns(_with_leaps().alias("used"))
    told = as_of(pieces, "from_at", sure(known))
    level = 1 + pl.col("percent_slope") * ((pl.col("from_pct") + pl.col("to_pct")) / 2 - 50) / 50
    energy = told.with_columns((pl.col("used") * level * pl.col("capacity_wh") / 100).alias("wh"))
    sums = [_whole(pl.col("wh").filter(pl.col("what") == what)).alias(what) for what in ("ride", "park", "charge")]
    by_day = energy.group_by(*WHO, "day").agg(*sums, pl.col("wh").is_not_null().any().alias("told"))
    return by_day.select(
        *WHO, "day",
        "told",
        pl.col("ride").alias("soc_driven_wh"),
        pl.when("told").then("park").alias("standby_wh"),
        pl.when(pl.col("charge") == 0).then(0.0).otherwise(-pl.col("charge")).alias("soc_charged_wh"),
    )  # fmt: skip


def _with_leaps() -> pl.Expr:
    """What a part used; of a charge, with the percent that leapt right before the part, if no pack was changed."""
    leapt = (pl.col("to_pct").shift(1).over("span") - pl.col("from_pct")).fill_null(0.0)
    return pl.when((pl.col("what") == "charge") & ~pl.col("swap")).then(pl.col("used") + leapt).otherwise("used")


def _spans(
    readings: pl.DataFrame, trips: pl.DataFrame, calendar: pl.DataFrame, drawn: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Time from a vehicle's first percent to its last, cut, and `what` each is: as `drawn`, `ride` or `park`."""
    told = readings.drop_nulls("soc_pct")
    ends = told.group_by(WHO, maintain_order=True).agg(
        pl.col("at").min().alias("first"), pl.col("at").max().alias("final")
    )
    kinds = {"ride": trips, **drawn}
    edges = [(rows, name) for rows in kinds.values() for name in ("started_at", "finished_at")]
    found = [(ends, "first"), (ends, "final"), (calendar, "time"), *edges]
    cuts = pl.concat([rows.select(*WHO, pl.col(name).cast(_MS).alias("at")) for rows, name in found])
    inside = cuts.join(ends, on=WHO).filter(pl.col("at").is_between("first", "final")).select(*WHO, "at")
    rows = marked(inside.unique().sort(*WHO, "at")).with_columns(before("at").alias("started_at"))
    spans = rows.drop_nulls("started_at").select(*WHO, "started_at", pl.col("at").alias("finished_at"))
    middle = pl.col("started_at") + (pl.col("finished_at") - pl.col("started_at")) / 2
    placed = spans.with_columns(middle.cast(_MS).alias("mid"))
    known = placed.with_columns(
        within(placed, "mid", each.select(*WHO, begin=pl.col("started_at").cast(_MS), end="finished_at")).alias(what)
        for what, each in kinds.items()
    )
    what = pl.coalesce(*(pl.when(name).then(pl.lit(name)) for name in kinds), pl.lit("park"))
    return known.select(*WHO, "started_at", "finished_at", what.alias("what")).sort(*WHO, "started_at")
