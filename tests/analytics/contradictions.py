"""Where derived tables contradict each other or themselves: each function returns the rows that should not be.

A row that comes back names its `vehicle` and when it is; an empty frame is right. `slack_s` of a trip is how far its
start and end may be off by its own uncertainty columns.
"""

from collections.abc import Callable, Mapping

import polars as pl

from tests.cases.reports.checks import Tables

WHO = ["provider", "vehicle"]
Contradiction = Callable[[Tables], pl.DataFrame]
FASTEST_KMH = 200.0
_MS = pl.Datetime("ms", "UTC")
_INTERVALS: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "trips": (
        ("energy_low_wh", "energy_wh", "energy_high_wh"), ("soc_used_low_pct", "soc_used_pct", "soc_used_high_pct"),
    ),
    "charges": (("energy_low_wh", "energy_wh", "energy_high_wh"),),
    "consumption": (("driven_low_wh", "driven_wh", "driven_high_wh"),),
    "consumption_by": (("energy_low_wh", "energy_wh", "energy_high_wh"),),
    "standby": (("pct_per_day_low", "pct_per_day", "pct_per_day_high"),),
}  # fmt: skip


def _seconds(amount: pl.Expr) -> pl.Expr:
    return pl.duration(milliseconds=(1000 * amount.fill_null(0.0)).cast(pl.Int64))


def _overlap_s(first: tuple[str, str], second: tuple[str, str]) -> pl.Expr:
    """How long both last at once [s]; 0 where there is no second one."""
    begin, end = pl.max_horizontal(first[0], second[0]), pl.min_horizontal(first[1], second[1])
    both = ((end - begin).dt.total_milliseconds() / 1000).clip(0.0)
    return pl.when(pl.col(second[0]).is_not_null()).then(both).otherwise(0.0)


def _sure(trips: pl.DataFrame) -> pl.DataFrame:
    """Trips with `surely_since` and `surely_until`, and with `maybe_since` and `maybe_until`."""
    start, finish = _seconds(pl.col("start_uncertainty_s")), _seconds(pl.col("finish_uncertainty_s"))
    return trips.with_columns(
        (pl.col("started_at") + start).cast(_MS).alias("surely_since"),
        (pl.col("finished_at") - finish).cast(_MS).alias("surely_until"),
        (pl.col("started_at") - start).cast(_MS).alias("maybe_since"),
        (pl.col("finished_at") + finish).cast(_MS).alias("maybe_until"),
    )


# ---- time ----------------------------------------------------------------------------------------------------------


def trips_that_overlap(tables: Tables) -> pl.DataFrame:
    """A trip begins before the one before it has ended, or ends before it begins."""
    before = pl.col("finished_at").shift(1).over(WHO)
    wrong = (pl.col("started_at") < before).fill_null(False) | (pl.col("finished_at") < pl.col("started_at"))
    rows = tables["trips"].sort(*WHO, "started_at").with_columns(before.alias("before"))
    return rows.filter(wrong).select("vehicle", "started_at", "finished_at", "before")


def states_that_leave_a_gap(tables: Tables) -> pl.DataFrame:
    """A state does not begin where the one before it ended, has no length or another than it tells."""
    rows = tables["states"].sort(*WHO, "started_at")
    next_at = pl.col("started_at").shift(-1).over(WHO)
    length_s = (pl.col("finished_at") - pl.col("started_at")).dt.total_milliseconds() / 1000
    wrong = (
        (next_at != pl.col("finished_at")).fill_null(False)
        | (length_s <= 0)
        | ((length_s - pl.col("duration_s")).abs() > 1e-3)
    )
    return rows.with_columns(next_at.alias("next_at")).filter(wrong).select(
        "vehicle", "state", "started_at", "finished_at", "next_at", "duration_s"
    )  # fmt: skip


def riding_without_a_trip(tables: Tables) -> pl.DataFrame:
    """More than a second of riding or a pause lies outside of all trips as far as they may reach.

    What a vehicle does at the end of its log may be a ride under way, which is no trip yet.
    """
    rides = _riding(tables["states"]).filter(pl.col("finished_at") < pl.col("last_at"))
    covered = _covered(rides, _sure(tables["trips"]), ("maybe_since", "maybe_until"))
    return covered.filter(pl.col("duration_s") - pl.col("covered_s") > 1).select(
        "vehicle", "state", "started_at", "duration_s", "covered_s"
    )


def trips_without_riding(tables: Tables) -> pl.DataFrame:
    """More than a second of what surely is a trip is neither riding nor a pause."""
    span = (pl.col("surely_until") - pl.col("surely_since")).dt.total_milliseconds() / 1000
    trips = _sure(tables["trips"]).with_columns(span.clip(0.0).alias("sure_s"))
    spans = trips.select(*WHO, "trip_id", "surely_since", "surely_until", "sure_s").rename(
        {"surely_since": "started_at", "surely_until": "finished_at"}
    )
    states = _riding(tables["states"]).rename({"started_at": "since", "finished_at": "until"})
    covered = _covered(spans, states, ("since", "until"))
    return covered.filter(pl.col("sure_s") - pl.col("covered_s") > 1).select(
        "vehicle", "started_at", "finished_at", "sure_s", "covered_s"
    )


def _riding(states: pl.DataFrame) -> pl.DataFrame:
    """Of a vehicle on a trip, with `last_at`: when its log ends."""
    return states.with_columns(pl.col("finished_at").max().over(WHO).alias("last_at")).filter(
        pl.col("state").is_in(["riding", "paused"])
    )


def _covered(rows: pl.DataFrame, spans: pl.DataFrame, names: tuple[str, str]) -> pl.DataFrame:
    """Rows with `covered_s`: how much of each lies in these spans."""
    own = ("started_at", "finished_at")
    numbered = rows.with_row_index("row")
    others = spans.select(*WHO, pl.col(names[0]).alias("span_since"), pl.col(names[1]).alias("span_until"))
    pairs = numbered.join(others, on=WHO, how="left")
    overlap = _overlap_s(own, ("span_since", "span_until")).sum().alias("covered_s")
    return numbered.join(pairs.group_by("row").agg(overlap), on="row").sort("row")


def _meetings(left: pl.DataFrame, right: pl.DataFrame, longest_s: float) -> pl.DataFrame:
    """Pairs of spans `started_at` to `finished_at` of one vehicle that overlap for longer."""
    names = ("started_at", "finished_at")
    others = right.select(*WHO, *(pl.col(name).alias(f"other_{name}") for name in names))
    pairs = left.join(others, on=WHO, how="inner")
    overlap = _overlap_s(names, ("other_started_at", "other_finished_at"))
    return pairs.with_columns(overlap.alias("both_s")).filter(pl.col("both_s") > longest_s).select(
        "vehicle", *names, "other_started_at", "other_finished_at", "both_s"
    )  # fmt: skip


def charges_under_way(tables: Tables) -> pl.DataFrame:
    """A charge lies in a trip that was observed, beyond a minute and what both leave open."""
    unsure = pl.col("flags").list.set_intersection(["start_unsure", "finish_unsure"]).list.len().fill_null(0) > 0
    charges = tables["charges"].filter((pl.col("kind") == "charge") & ~unsure)
    trips = _sure(tables["trips"].filter(kind="observed"))
    spans = trips.select(*WHO, pl.col("surely_since").alias("started_at"), pl.col("surely_until").alias("finished_at"))
    return _meetings(charges, spans, 60)


def standby_on_trips_or_charges(tables: Tables) -> pl.DataFrame:
    """An interval of standby reaches into a trip or a charge by more than a second."""
    busy = [tables[name].select(*WHO, "started_at", "finished_at") for name in ("trips", "charges")]
    return _meetings(tables["standby"], pl.concat(busy), 1)


# ---- metres and energy ---------------------------------------------------------------------------------------------


def _of_days(tables: Tables) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Trips and days of `consumption` with `block`: days that a trip over midnight joins are one."""
    days = tables["consumption"].sort(*WHO, "time").with_columns(pl.int_range(pl.len()).over(WHO).alias("place"))
    begins = days.select(*WHO, "time", "place").sort("time")
    reach = _sure(tables["trips"])
    for name, column in (("first", "maybe_since"), ("last", "maybe_until")):
        asked = reach.sort(column).with_columns(pl.col(column).alias("at"))
        placed = begins.rename({"place": name, "time": "day_at"})
        reach = asked.join_asof(placed, left_on="at", right_on="day_at", by=WHO, check_sortedness=False).drop("at")
        reach = reach.drop("day_at").with_columns(pl.col(name).fill_null(0))
    # an interval between two readings belongs to the day of the later one: a trip that nobody saw may lie before it
    late = reach.with_columns(pl.col("last") + (pl.col("kind") != "observed").cast(pl.Int64))
    joined = late.select(*WHO, pl.int_ranges(pl.col("first") + 1, pl.col("last") + 1).alias("place")).explode("place")
    linked = joined.drop_nulls().unique().with_columns(pl.lit(True).alias("linked"))
    marked = days.join(linked, on=[*WHO, "place"], how="left", maintain_order="left")
    block = (~pl.col("linked").fill_null(False)).cum_sum().over(WHO).alias("block")
    blocks = marked.with_columns(block)
    first = blocks.select(*WHO, pl.col("place").alias("first"), "block")
    return late.join(first, on=[*WHO, "first"], how="left"), blocks


def _by_block(tables: Tables) -> pl.DataFrame:
    trips, days = _of_days(tables)
    own = trips.group_by(*WHO, "block").agg(pl.col("distance_m").sum().alias("of_trips_m"), pl.len().alias("n"))
    told = days.group_by(*WHO, "block").agg(
        pl.col("day").first(), pl.col("distance_m").fill_null(0.0).sum(), pl.col("trips").fill_null(0).sum()
    )
    return told.join(own, on=[*WHO, "block"], how="full", coalesce=True, nulls_equal=True).with_columns(
        pl.col("distance_m", "trips", "of_trips_m", "n").fill_null(0)
    )


def days_with_other_metres_than_their_trips(tables: Tables) -> pl.DataFrame:
    """`consumption` has more or less metres than the trips of the day; days that a trip joins count together."""
    wrong = (pl.col("distance_m") - pl.col("of_trips_m")).abs() > 1
    return _by_block(tables).filter(wrong).select("vehicle", "day", "distance_m", "of_trips_m")


def days_with_another_count_of_trips(tables: Tables) -> pl.DataFrame:
    """`consumption` counts more or fewer trips than there are."""
    return _by_block(tables).filter(pl.col("trips") != pl.col("n")).select("vehicle", "day", "trips", "n")


def days_with_another_energy_than_their_charges(tables: Tables) -> pl.DataFrame:
    """`charged_wh` of a day is not the energy of its charges, each shared by time, where all of these have one."""
    days = tables["consumption"].sort(*WHO, "time").with_columns(
        pl.when(pl.int_range(pl.len()).over(WHO) > 0).then("time").alias("since"),
        pl.col("time").shift(-1).over(WHO).alias("until"),
    )  # fmt: skip
    charges = tables["charges"].filter(pl.col("kind") != "swap").select(*WHO, "started_at", "finished_at", "energy_wh")
    pairs = days.drop("time").join(charges, on=WHO)
    begin, end = pl.max_horizontal("started_at", "since"), pl.min_horizontal("finished_at", "until")
    whole_s, part_s = pl.col("finished_at") - pl.col("started_at"), end - begin
    part = part_s.dt.total_milliseconds().clip(0) / whole_s.dt.total_milliseconds()
    here = pl.col("started_at").is_between(pl.coalesce("since", "started_at"), pl.coalesce("until", "started_at"))
    share = pl.when(whole_s > pl.duration()).then(part).otherwise(here.cast(pl.Float64))
    shares = pairs.with_columns(share.alias("share")).filter(pl.col("share") > 0)
    sums = shares.group_by(*WHO, "day").agg(
        (pl.col("share") * pl.col("energy_wh")).sum().alias("of_charges_wh"),
        pl.col("energy_wh").is_null().any().alias("unsure"),
    )
    both = days.join(sums, on=[*WHO, "day"], how="left").with_columns(pl.col("unsure").fill_null(False))
    charged = pl.col("of_charges_wh").is_not_null()
    apart = (pl.col("charged_wh") - pl.col("of_charges_wh").fill_null(0.0)).abs() > 1e-3
    wrong = ~pl.col("unsure") & (apart.fill_null(False) | (charged & pl.col("charged_wh").is_null()))
    return both.filter(wrong).select("vehicle", "day", "charged_wh", "of_charges_wh")


def hours_with_other_sums_than_their_trips(tables: Tables) -> pl.DataFrame:
    """`consumption_by` has by hours more or less trips, metres or energy than a vehicle's trips that were seen."""
    names, sure = ("n", "distance_m", "energy_wh"), pl.col("kind") != "inferred"
    trips = tables["trips"].filter(sure & (pl.col("distance_m") > 0)).drop_nulls("energy_wh").with_columns(n=1)
    hours = tables["consumption_by"].filter(pl.col("by") == "hour").with_columns(n="trips")
    own, told = (rows.group_by(WHO).agg(pl.col(names).sum()) for rows in (trips, hours))
    both = told.join(own, on=WHO, how="full", coalesce=True, suffix="_of_trips")
    off = [(pl.col(name).fill_null(0) - pl.col(f"{name}_of_trips").fill_null(0)).abs() > 1e-3 for name in names]
    return both.filter(pl.any_horizontal(off)).drop("provider")


def metres_that_are_in_no_book(tables: Tables) -> pl.DataFrame:
    """`odometer_m` of a day is not what its three books add up to."""
    books = pl.sum_horizontal("trips_m", "pushed_m", "unplaced_m")
    wrong = (pl.col("odometer_m") - books).abs() > 1e-3
    return tables["coverage"].filter(wrong).select("vehicle", "day", "odometer_m", "trips_m", "pushed_m", "unplaced_m")


def trips_faster_than_the_vehicle(tables: Tables) -> pl.DataFrame:
    """A trip is faster than 200 km/h, or than 1.3 times `top_speed_kmh` where that is told, by 50 m or more."""
    seconds = pl.sum_horizontal("duration_s", "start_uncertainty_s", "finish_uncertainty_s")
    top = pl.col("top_speed_kmh") * 1.3 if "top_speed_kmh" in tables["trips"].columns else pl.lit(None, pl.Float64())
    most_m = pl.min_horizontal(top, pl.lit(FASTEST_KMH)) / 3.6 * seconds + 50
    rows = tables["trips"].with_columns(most_m.alias("most_m"))
    return rows.filter(pl.col("distance_m") > pl.col("most_m")).select(
        "vehicle", "started_at", "duration_s", "distance_m", "most_m"
    )


def trips_that_gain_percent(tables: Tables) -> pl.DataFrame:
    """A trip ends with more than it began with, and no swap, charge, flag or way downhill explains it.

    A way downhill gives at most 2 % and half a percent a km.
    """
    most_pct = 2 + 0.5 * pl.col("distance_m").fill_null(0.0) / 1000
    gain = tables["trips"].filter(
        (-pl.col("soc_used_pct") > most_pct)
        & (pl.col("swaps").fill_null(0) == 0)
        & (pl.col("flags").list.len().fill_null(0) == 0)
        & (pl.col("regen_wh").fill_null(0.0) == 0)
    )
    met = gain.join(_meetings(gain, tables["charges"], 0), on=["vehicle", "started_at"], how="anti")
    return met.select("vehicle", "started_at", "soc_start_pct", "soc_finish_pct", "soc_used_pct")


def values_outside_of_their_interval(tables: Tables) -> pl.DataFrame:
    """A value is below its low or above its high."""
    found = []
    for name, intervals in _INTERVALS.items():
        for low, value, high in intervals:
            slack = 1e-6 * pl.max_horizontal(pl.col(value).abs(), 1.0)
            wrong = (pl.col(low) > pl.col(value) + slack) | (pl.col(high) < pl.col(value) - slack)
            rows = tables[name].filter(wrong.fill_null(False))
            found.append(rows.select("vehicle", "time", pl.lit(value).alias("of"),
                                     *(pl.col(one).alias(word) for one, word in
                                       ((low, "low"), (value, "value"), (high, "high")))))  # fmt: skip
    return pl.concat(found)


def rows_that_are_not_finite(tables: Tables) -> pl.DataFrame:
    """A number is NaN or without end."""
    found = [
        rows.filter(~pl.col(name).is_finite()).select("vehicle", "time", pl.lit(f"{table}.{name}").alias("of"))
        for table, rows in tables.items()
        for name, kind in rows.schema.items()
        if kind == pl.Float64()
    ]
    return pl.concat(found)


CONTRADICTIONS: Mapping[str, Contradiction] = {
    each.__name__: each
    for each in (
        trips_that_overlap, states_that_leave_a_gap, riding_without_a_trip, trips_without_riding, charges_under_way,
        standby_on_trips_or_charges, days_with_other_metres_than_their_trips, days_with_another_count_of_trips,
        days_with_another_energy_than_their_charges, hours_with_other_sums_than_their_trips,
        metres_that_are_in_no_book, trips_faster_than_the_vehicle,
        trips_that_gain_percent, values_outside_of_their_interval, rows_that_are_not_finite,
    )
}  # fmt: skip
