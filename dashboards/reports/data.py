"""What a report reads: the derived tables of a period, of all vehicles or of some, and what vehicles are called."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import polars as pl

from dashboards.reports.period import Period, usual_period
from logger.display.formats import Formats
from logger.display.order import natural
from logger.errors import ConfigError
from logger.settings.schema import Settings
from logger.stores.contract import Store

WHO = ["provider", "vehicle"]
_DAY = timedelta(days=1)
_NAMES = {**dict.fromkeys((*WHO, "label", "model", "group"), pl.String()), "in_service": pl.Boolean()}


class Data:
    """The tables of one store for one report. A table that is not there, or that is empty, has no rows."""

    def __init__(
        self, store: Store, settings: Settings, period: Period | None, vehicles: Sequence[str], now: datetime
    ) -> None:
        self._store, self.settings, self.now = store, settings, now
        self.zone: tzinfo = ZoneInfo(settings.collector.timezone)
        self.formats = Formats(settings.display, settings.tariffs.currency, self.zone)
        self.names = _names(store, settings)
        self.chosen = _numbers(self.names, vehicles)
        self.stored, self._is_over = self._stored(), period is not None
        self.period = period or usual_period(self.stored[1] if self.stored else now.astimezone(self.zone).date())
        if self.chosen is not None:
            self.names = self.names.filter(pl.col("vehicle").is_in(self.chosen))

    def of_period(self, period: Period) -> "Data":
        """Return the same tables of another period."""
        return Data(self._store, self.settings, period, self.chosen or (), self.now)

    @property
    def end(self) -> datetime:
        """The moment for which it is told how things stand: now, or the end of a period that was named and is over."""
        return min(self.now, self.period.until(self.zone).astimezone(UTC)) if self._is_over else self.now

    def days(self, table: str) -> pl.LazyFrame:
        """Return the rows of this table of local days; `day` is a date."""
        since, until = self.period.since(self.zone) - _DAY, self.period.until(self.zone) + _DAY
        rows = self._store.scan(table, since.astimezone(UTC), until.astimezone(UTC), self.chosen)
        return rows.with_columns(pl.col("day").str.to_date("%Y-%m-%d", strict=False)).filter(
            pl.col("day").is_between(self.period.first, self.period.last)
        )

    def rows(self, table: str) -> pl.LazyFrame:
        """Return the rows of this table that begin in the period, with `day`, the local day of the collector."""
        since, until = (
            moment.astimezone(UTC) for moment in (self.period.since(self.zone), self.period.until(self.zone))
        )
        rows = self._store.scan(table, since, until, self.chosen)
        return rows.with_columns(pl.col("time").dt.convert_time_zone(str(self.zone)).dt.date().alias("day"))

    def rows_before_end(self, table: str) -> pl.LazyFrame:
        """Return all rows of this table up to the end of the period."""
        return self._store.scan(table, None, self.period.until(self.zone).astimezone(UTC), self.chosen)

    def of_models(self, table: str) -> pl.LazyFrame:
        """Return all rows up to the end of the period of a table that speaks of models and not of vehicles."""
        return self._store.scan(table, None, self.period.until(self.zone).astimezone(UTC))

    def newest(self, table: str) -> pl.DataFrame:
        """Return the newest row of each vehicle in this raw table, of all time."""
        rows = self._store.latest(table)
        return rows if self.chosen is None else rows.filter(pl.col("vehicle").is_in(self.chosen))

    def named(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows with the label, model and group of their vehicle; in the order of labels."""
        named = rows.join(self.names, on=WHO, how="left", maintain_order="left")
        return named.with_columns(pl.coalesce("label", "vehicle").alias("label"))

    def _stored(self) -> tuple[date, date] | None:
        days = self._store.scan("consumption", None, None, self.chosen).select("day")
        ends = days.select(pl.col("day").min().alias("first"), pl.col("day").max().alias("last")).collect()
        first, last = ends.row(0) if ends.height else (None, None)
        return None if first is None else (date.fromisoformat(first), date.fromisoformat(last))


def _names(store: Store, settings: Settings) -> pl.DataFrame:
    """Return a row for each vehicle that anything is known of: as the settings call it, else as it was stored."""
    stored = store.latest("vehicles").select(pl.col(name).cast(kind) for name, kind in _NAMES.items())
    seen = [store.scan(table).select(WHO).unique().collect() for table in ("consumption", "forecast")]
    own = pl.DataFrame(
        [(name, v.label, v.model, v.group, v.in_service) for name, v in settings.vehicles.items()],
        schema={name: kind for name, kind in _NAMES.items() if name != "provider"},
        orient="row",
    )
    every = pl.concat([stored.select(WHO), *seen]).filter(pl.col("vehicle") != "none").unique(maintain_order=True)
    known = every.join(stored, on=WHO, how="left").join(own, on="vehicle", how="left", suffix="_own")
    return known.select(
        *WHO,
        pl.coalesce("label_own", "label", "vehicle").alias("label"),
        pl.coalesce("model_own", pl.when(pl.col("model") != "").then("model")).alias("model"),
        pl.coalesce("group_own", "group").alias("group"),
        pl.coalesce("in_service_own", "in_service").fill_null(True).alias("in_service"),
    ).sort(natural("label"), "label", *WHO)


def _numbers(names: pl.DataFrame, vehicles: Sequence[str]) -> list[str] | None:
    """Return the numbers of these vehicles, which may be named by their labels. Raises `ConfigError`."""
    if not vehicles:
        return None
    for vehicle in vehicles:
        if vehicle not in names["vehicle"] and vehicle not in names["label"]:
            raise ConfigError(f"nothing is stored of vehicle {vehicle!r}; `voltrail status` lists those that are")
    wanted = pl.col("vehicle").is_in(list(vehicles)) | pl.col("label").is_in(list(vehicles))
    return names.filter(wanted)["vehicle"].unique(maintain_order=True).to_list()
