"""What to do next in a fleet: what needs somebody, the most urgent first, each with the figure that says so."""

from collections.abc import Iterator

import polars as pl

from dashboards.reports.contents import WORDS, Column, Section, Table
from dashboards.reports.data import WHO, Data

_WEAK, _LIKELY = 0.9, 0.5
_LOSS_PCT = 5.0  # a loss while parked that is surely above this [%/d] empties a pack within three weeks
_LATE_SHARE = 0.8  # fewer messages than this part of those expected
_MOST = 50
RANKS = ("open_fault", "low", "low_soon", "silent", "weak", "standby", "messages", "unused")  # the most urgent first


def todo(data: Data, rows: pl.DataFrame, silent: pl.DataFrame, standby: pl.DataFrame) -> Section:
    """Return the ranking. Raises `Retry`."""
    ready = data.names.filter("in_service").select(WHO)
    parts = [*_forecasts(data), _open_faults(data), _weak(data), _late(data), _unused(rows, data)]
    parts += [_list_needs(silent, "silent", pl.col("silent_h"), "h"), _losing(standby)]
    found = pl.concat(parts).join(ready, on=WHO).with_columns(pl.col("what").cast(pl.Enum(RANKS)))
    ranked = found.sort("what", "urgency", "vehicle", descending=[False, True, False])
    shown = data.named(ranked.with_columns(pl.col("what").cast(pl.String()))).with_row_index("rank", 1).head(_MOST)
    why = [_why(what, figure, of, data) for what, figure, of in shown.select("what", "figure", "of").iter_rows()]
    columns = (Column("rank", "1"), Column("label"), Column("what", WORDS, group="todo"), Column("why"))
    table = Table(
        "todo", columns, shown.with_columns(pl.col("rank").cast(pl.Float64), pl.Series("why", why, pl.String()))
    )
    notes = (data.formats.texts("note.newest", shown=_MOST, all=ranked.height),) if ranked.height > _MOST else ()
    return Section("todo", tables=(table,), notes=notes)


def _why(what: str, figure: float | None, of: str, data: Data) -> str:
    return data.formats.texts(f"why.{what}", value=data.formats.value(figure, of))


def _list_needs(rows: pl.LazyFrame | pl.DataFrame, what: str, figure: pl.Expr, of: str, sign: int = 1) -> pl.DataFrame:
    """Vehicles that need this, with the figure that says so; with a `sign` of -1 the lowest is the most urgent."""
    value = figure.cast(pl.Float64)
    words = (pl.lit(what).alias("what"), value.alias("figure"), pl.lit(of).alias("of"), (value * sign).alias("urgency"))
    return rows.lazy().select(*WHO, *words).collect()


def _forecasts(data: Data) -> Iterator[pl.DataFrame]:
    """Vehicles that are low, and those that will be before the crew comes next; the emptiest first."""
    newest = newest_forecast(data)
    is_low = pl.col("soc_pct") < data.settings.analytics.swap_below_pct
    soon = (pl.col("below_at_next_service") >= _LIKELY) & ~is_low.fill_null(False)
    yield _list_needs(newest.filter(is_low), "low", pl.col("soc_pct"), "%", -1)
    yield _list_needs(newest.filter(soon), "low_soon", pl.col("below_at_next_service"), "share")


def newest_forecast(data: Data) -> pl.DataFrame:
    """Return each vehicle's newest row of `forecast` up to the end of the period."""
    rows = data.rows_before_end("forecast").sort("time").collect()
    return rows.unique(WHO, keep="last", maintain_order=True)


def _open_faults(data: Data) -> pl.DataFrame:
    faults = data.rows_before_end("episodes").filter(pl.col("kind").is_in(("fault", "dtc")) & pl.col("open"))
    return _list_needs(faults.group_by(WHO).agg(pl.len().alias("n")), "open_fault", pl.col("n"), "1")


def _weak(data: Data) -> pl.DataFrame:
    rows = data.rows_before_end("battery_health").drop_nulls("weak_probability").sort("time")
    newest = rows.unique([*WHO, "port"], keep="last", maintain_order=True).filter(pl.col("weak_probability") > _WEAK)
    return _list_needs(
        newest.group_by(WHO).agg(pl.col("weak_probability").max()), "weak", pl.col("weak_probability"), "share"
    )


def _late(data: Data) -> pl.DataFrame:
    days = data.days("coverage").drop_nulls(["expected", "received"]).group_by(WHO)
    share = (pl.col("received").sum() / pl.col("expected").sum()).alias("share")
    rows = days.agg(share, pl.col("expected").sum()).filter((pl.col("expected") > 0) & (pl.col("share") < _LATE_SHARE))
    return _list_needs(rows, "messages", pl.col("share"), "share", -1)


def _unused(rows: pl.DataFrame, data: Data) -> pl.DataFrame:
    """Vehicles of which days are known, and none with a trip."""
    days = rows.group_by(WHO).agg(pl.col("distance_m").sum(), pl.len().cast(pl.Float64).alias("days"))
    return _list_needs(days.filter((pl.col("distance_m") <= 0) & (pl.col("days") > 1)), "unused", pl.col("days"), "1")


def _losing(standby: pl.DataFrame) -> pl.DataFrame:
    return _list_needs(standby.filter(pl.col("pct_per_day_low") > _LOSS_PCT), "standby", pl.col("pct_per_day"), "%/d")


def standby_of(data: Data) -> pl.DataFrame:
    """Return what each vehicle lost while parked: sums over its intervals at rest, whose errors are independent."""
    days = (pl.col("finished_at") - pl.col("started_at")).dt.total_seconds() / 86_400
    half = (pl.col("pct_per_day_high") - pl.col("pct_per_day_low")) / 2 * pl.col("days")
    rows = data.rows("standby").with_columns(days.alias("days")).with_columns(half.alias("half_pct"))
    sums = rows.filter(pl.col("days") > 0).group_by(WHO).agg(
        pl.col("days").sum(), pl.col("soc_lost_pct").sum(), (pl.col("half_pct") ** 2).sum().sqrt().alias("half_pct"),
        (pl.col("mean_w") * pl.col("days")).sum() / pl.col("days").sum(),
        pl.col("resolvable").min(),
    )  # fmt: skip
    per_day, wide = pl.col("soc_lost_pct") / pl.col("days"), pl.col("half_pct") / pl.col("days")
    ends = {"pct_per_day": per_day, "pct_per_day_low": per_day - wide, "pct_per_day_high": per_day + wide}
    return sums.with_columns(each.alias(name) for name, each in ends.items()).sort(WHO).collect()


def silent_vehicles(data: Data) -> pl.DataFrame:
    """Return vehicles in service that say nothing for longer than `[notify] silent_h`, the longest first."""
    age_h = ((pl.lit(data.end) - pl.col("time")).dt.total_seconds() / 3600).alias("silent_h")
    newest = newest_forecast(data).with_columns(age_h, pl.col("time").alias("seen_at"))
    silent = newest.filter(pl.col("silent_h") > data.settings.notify.silent_h)
    named = data.named(silent).filter(pl.col("in_service").fill_null(True))
    return named.sort("silent_h", descending=True, maintain_order=True)
