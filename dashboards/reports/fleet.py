"""The report of a fleet: how it was used, charged and kept, what is wrong with it, and what to do next."""

from collections.abc import Iterator, Sequence

import polars as pl

from dashboards.reports import charts, headline
from dashboards.reports.comparison import comparison
from dashboards.reports.consumption import MOST_BARS
from dashboards.reports.contents import MOMENT, TEXT, WORDS, Chart, Column, Figure, Report, Section, Table
from dashboards.reports.data import WHO, Data
from dashboards.reports.period import Period
from dashboards.reports.shown import axis
from dashboards.reports.sums import daily, totals
from dashboards.reports.todo import silent_vehicles, standby_of, todo
from logger.display.order import natural

_UNSEEN = ("no_data", "out_of_service")  # states in which nobody knows whether a vehicle is used
_USED = ("riding", "paused")
STATE_COLOURS = {
    "riding": charts.BLUE, "paused": charts.SKY, "charging": charts.GREEN, "discharging": charts.PURPLE,
    "parked": charts.GREY, "offline": charts.ORANGE, "no_data": charts.RED, "out_of_service": charts.BROWN,
}  # fmt: skip
_USE = (
    Column("label"), Column("model"), Column("group"), Column("use_share", "share"), Column("trips", "1"),
    Column("distance_m", "m"), Column("km_per_day", "km/d"), Column("riding_s", "s"), Column("paused_s", "s"),
    Column("charging_s", "s"), Column("parked_s", "s"), Column("no_data_s", "s"), Column("observed_share", "share"),
)  # fmt: skip


def fleet(data: Data, compare: Period | None, beside: Sequence[Figure] = ()) -> Report:
    """Return the report. `beside` are figures of a simulated fleet whose truth is known. Raises `Retry`."""
    rows = daily(data)
    spans, standby = state_days(data), data.named(standby_of(data))
    total = totals(rows).row(0, named=True)
    silent, faults = silent_vehicles(data), _faults(data)
    figures = [*_figures(rows, total, spans, data), *_troubles(standby, silent, faults)]
    sections = [
        *([Section("truth", tuple(beside), notes=(data.formats.texts("note.truth"),))] if beside else []),
        Section("summary", tuple(figures)),
        *([comparison(data, compare)] if compare else []),
        todo(data, rows, silent, standby),
        _use(rows, spans, data),
        _charging(rows, data),
        _standby(standby),
        Section("faults", tables=(_fault_table(faults),)),
        Section("silent", tables=(_silent_table(silent),)),
    ]
    return Report("fleet", data.period, data.names.height, data.now, tuple(sections), data.stored)


# ---- headline -------------------------------------------------------------------------------------------------------


def _figures(rows: pl.DataFrame, total: headline.Totals, spans: pl.DataFrame, data: Data) -> Iterator[Figure]:
    vehicles = data.names.filter("in_service").height
    driven = rows.filter(pl.col("distance_m") > 0).select(WHO).n_unique()
    share = min(1.0, driven / vehicles) if vehicles else None
    yield Figure("vehicles", "1", float(data.names.height), share=share, share_of="were_driven" if vehicles else "")
    yield headline.distance(total)
    yield headline.counted(total, "trips")
    yield headline.energy(total)
    yield headline.net(total)
    yield _use_share(spans)
    yield headline.counted(total, "charges", reason="no_charges")
    yield headline.counted(total, "swaps", reason="no_charges")
    yield headline.charged(total)
    yield headline.cost(total, data.settings)
    yield headline.carbon(total, data.settings)


def _use_share(spans: pl.DataFrame) -> Figure:
    """The share of the time that vehicles were on trips, of the time of which it is known."""
    known = spans.filter(~pl.col("state").is_in(_UNSEEN))
    seconds = float(known["duration_s"].sum())
    if not seconds:
        return Figure("use_share", "share", None, reason="no_states")
    used = float(known.filter(pl.col("state").is_in(_USED))["duration_s"].sum())
    every = float(spans.filter(pl.col("state") != "out_of_service")["duration_s"].sum())
    return Figure("use_share", "share", used / seconds, share=seconds / every, share_of="time_known")


def _troubles(standby: pl.DataFrame, silent: pl.DataFrame, faults: pl.DataFrame) -> Iterator[Figure]:
    days = float(standby["days"].sum()) if standby.height else 0.0
    lost = float(standby["soc_lost_pct"].sum()) / days if days else None
    half = float((standby["half_pct"] ** 2).sum()) ** 0.5 / days if days else 0.0
    if lost is None:
        yield Figure("pct_per_day", "%/d", None, reason="no_standby")
    else:
        yield Figure("pct_per_day", "%/d", lost, lost - half, lost + half)
    yield Figure("faults_open", "1", float(faults["open"].sum()))
    yield Figure("silent", "1", float(silent.height))


# ---- use ------------------------------------------------------------------------------------------------------------


def state_days(data: Data) -> pl.DataFrame:
    """Return how long each vehicle was in which state on each local day; a span over midnight is shared by its days."""
    zone = str(data.zone)
    ends = (
        pl.col(name).dt.convert_time_zone(zone).dt.replace_time_zone(None) for name in ("started_at", "finished_at")
    )
    spans = data.rows("states").select(*WHO, "state", *ends).filter(pl.col("finished_at") > pl.col("started_at"))
    last = (pl.col("finished_at") - pl.duration(milliseconds=1)).dt.date()
    dated = spans.with_columns(pl.col("started_at").dt.date().alias("day"), last.alias("last"))
    longer = dated.filter(pl.col("day") < pl.col("last")).with_columns(pl.date_ranges("day", "last").alias("day"))
    days = pl.concat([dated.filter(pl.col("day") == pl.col("last")), longer.explode("day")])
    midnight = pl.col("day").cast(pl.Datetime("ms"))
    begin = pl.max_horizontal("started_at", midnight)
    end = pl.min_horizontal("finished_at", midnight.dt.offset_by("1d"))
    seconds = ((end - begin).dt.total_milliseconds() / 1000).alias("duration_s")
    kept = days.with_columns(seconds).filter(pl.col("day") <= data.period.last)
    return kept.group_by(*WHO, "state", "day").agg(pl.col("duration_s").sum()).sort(*WHO, "day", "state").collect()


def _use(rows: pl.DataFrame, spans: pl.DataFrame, data: Data) -> Section:
    hours = spans.group_by(*WHO).agg(
        *(_seconds(state, pl.col("state") == state) for state in ("riding", "paused", "charging", "parked", "no_data")),
        _seconds("known", ~pl.col("state").is_in(_UNSEEN)),
    )
    share = pl.when(pl.col("known_s") > 0).then((pl.col("riding_s") + pl.col("paused_s")) / pl.col("known_s"))
    days = rows.group_by(WHO).agg(pl.len().alias("days"))
    used = totals(rows, WHO).join(days, on=WHO).join(hours, on=WHO, how="full", coalesce=True)
    per_day = pl.col("distance_m") / 1000 / pl.col("days")
    found = data.named(used.with_columns(share.alias("use_share"), per_day.alias("km_per_day")))
    table = Table(
        "use",
        _USE,
        found.sort("use_share", natural("label"), "vehicle", descending=[True, False, False], nulls_last=True),
    )
    return Section("use", charts=tuple(_state_chart(spans, data)), tables=(table,))


def _seconds(name: str, of: pl.Expr) -> pl.Expr:
    return pl.col("duration_s").filter(of).sum().alias(f"{name}_s")


def _state_chart(spans: pl.DataFrame, data: Data) -> Iterator[Chart]:
    """Hours in each state by day, or by week where there are too many days."""
    if spans.is_empty():
        return
    every = "1d" if spans["day"].n_unique() <= MOST_BARS else "1w"
    sums = spans.group_by(pl.col("day").dt.truncate(every), "state").agg(pl.col("duration_s").sum() / 3600)
    words = {state: data.formats.texts.word("state", state) for state in STATE_COLOURS}
    shown = sums.sort("day", "state").with_columns(pl.col("state").replace(words))
    colours = {words[state]: colour for state, colour in STATE_COLOURS.items() if state in sums["state"]}
    title = axis("hours", "h", data.formats)
    yield charts.stacked("states", shown, "day", "duration_s", "state", colours, title)


# ---- charging -------------------------------------------------------------------------------------------------------


def _charging(rows: pl.DataFrame, data: Data) -> Section:
    columns = (
        Column("charges", "1"),
        Column("swaps", "1"),
        Column("charged_wh", "Wh"),
        Column("cost", "money"),
        Column("co2_g", "g"),
    )
    vehicles = data.named(totals(rows, WHO)).filter((pl.col("charges") > 0) | (pl.col("swaps") > 0))
    table = Table("charging", (Column("label"), Column("model"), *columns), vehicles)
    return Section("charging", tables=(table, _places(data)))


def _places(data: Data) -> Table:
    charges, swap = data.rows("charges"), pl.col("kind") == "swap"
    sums = charges.group_by("place").agg(
        (~swap).sum().cast(pl.Float64).alias("charges"),
        swap.sum().cast(pl.Float64).alias("swaps"),
        pl.col("energy_wh").sum().alias("charged_wh"),
        pl.when(pl.col("cost").count() > 0).then(pl.col("cost").sum()).alias("cost"),
    )
    found = sums.sort("charges", "swaps", "place", descending=True).collect().with_columns(
        pl.col("place").fill_null(data.formats.texts("word.elsewhere"))
    )  # fmt: skip
    columns = (
        Column("place"),
        Column("charges", "1"),
        Column("swaps", "1"),
        Column("charged_wh", "Wh"),
        Column("cost", "money"),
    )
    return Table("charging_places", columns, found)


# ---- standby, faults, silent vehicles -------------------------------------------------------------------------------


def _standby(standby: pl.DataFrame) -> Section:
    columns = (
        Column("label"), Column("model"), Column("days", "number"),
        Column("pct_per_day", "%/d", "pct_per_day_low", "pct_per_day_high"), Column("resolvable", "%/d"),
        Column("mean_w", "W"),
    )  # fmt: skip
    rows = standby.sort("pct_per_day", descending=True, nulls_last=True, maintain_order=True)
    return Section("standby", tables=(Table("standby", columns, rows),))


def _faults(data: Data) -> pl.DataFrame:
    """Faults and alerts of the period, and those that began before and last."""
    events = data.rows_before_end("episodes").filter(pl.col("kind").is_in(("fault", "alert", "dtc", "component")))
    in_period = (pl.col("started_at") >= data.period.since(data.zone)) | pl.col("open")
    found = events.filter(in_period).group_by("kind", "code", "system").agg(
        pl.col("text").drop_nulls().last(),
        pl.col("count").sum().cast(pl.Float64),
        pl.struct(WHO).n_unique().cast(pl.Float64).alias("vehicles"),
        pl.col("open").fill_null(False).sum().cast(pl.Float64),
        pl.col("started_at").max().alias("last_at"),
    )  # fmt: skip
    return found.sort("open", "count", "kind", "code", descending=[True, True, False, False]).collect()


def _fault_table(faults: pl.DataFrame) -> Table:
    columns = (
        Column("kind", WORDS, group="event"), Column("code", TEXT), Column("text"), Column("count", "1"),
        Column("vehicles", "1"), Column("open", "1"), Column("last_at", MOMENT),
    )  # fmt: skip
    return Table("faults", columns, faults)


def _silent_table(silent: pl.DataFrame) -> Table:
    columns = (
        Column("label"),
        Column("model"),
        Column("seen_at", MOMENT),
        Column("silent_h", "h"),
        Column("soc_pct", "%"),
    )
    return Table("silent", columns, silent)
