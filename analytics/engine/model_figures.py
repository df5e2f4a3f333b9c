"""Figures of models in the lake: made anew for the months that may have changed, several of them together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import polars as pl

from analytics.battery_health import firmware, signal_checks
from analytics.battery_health.cells import at_rest, cells
from analytics.battery_health.model_months import MONTHS, calibration, counted, in_month
from analytics.battery_health.pooling import MODEL
from analytics.frames import DAY, WHO, month
from logger.stores.contract import Store
from logger.stores.lake.data_files import files_in_span
from logger.stores.lake.lake import Lake

# What figures and stints ask of a trip.
TRIPS = (
    *WHO, "time", "started_at", "finished_at", "distance_m", "riding_s", "soc_start_pct", "soc_finish_pct",
    "soc_used_pct", "soc_used_low_pct", "soc_used_high_pct", "swaps", "energy_wh", "energy_source",
    "polled_wh", "used_ah",
)  # fmt: skip
Whose = Mapping[datetime, pl.DataFrame]  # vehicles whose models have figures, by month
_SAMPLE, _SAMPLE_DAYS = 20, 7  # vehicles of a model, and days, that tell of its firmware
_TOGETHER_TRIPS = 50_000  # of months that are made together, so that memory stays flat


class ModelFigures:
    """The rows of `calibration`: `checks`. `known` is `provider` `vehicle` `model` `sheet_wh`."""

    def __init__(self, lake: Lake, store: Store, known: pl.DataFrame) -> None:
        self._lake, self._store, self._known = lake, store, known
        self.checks = lake.scan("calibration").collect()
        self.counts = [0, 0, 0]

    def make(self, begins: Sequence[datetime]) -> None:
        """Make the figures of these months anew; no other month counts for them, whichever are made together."""
        for some in self._parts(begins):
            new, old = self._rows(some), self.checks.filter(pl.col("time").is_in(some))
            if new.equals(old.sort("provider", "model", "time", "check")):
                continue
            others = self.checks.filter(~pl.col("time").is_in(some))
            self.checks = pl.concat([others, new])
            inside = self.checks.filter(pl.col("time").is_between(some[0], some[-1]))
            self._lake.replace("calibration", inside, None, some[0], some[-1] + DAY)
            self.counts[1] += new.height
            self.counts[2] += 1

    def _parts(self, begins: Sequence[datetime]) -> Iterator[list[datetime]]:
        """These months in order, as many at a time as have few trips in all and none that no month asks for."""
        some: list[datetime] = []
        trips = 0
        for begin in sorted(begins):
            first, end = _span(begin)
            count = sum(file.rows for file in files_in_span(self._lake.files("trips"), first, end))
            if some and (trips + count > _TOGETHER_TRIPS or _span(some[-1])[1] < first):
                yield some
                some, trips = [], 0
            some.append(begin)
            trips += count
        if some:
            yield some

    def _rows(self, begins: Sequence[datetime]) -> pl.DataFrame:
        read = self._scan("trips", begins).select(TRIPS).sort(*WHO, "time").collect()
        whose = {begin: each for begin in begins if (each := self._count(begin, read)).height}
        if not whose:
            return self.checks.clear()
        trips = _split(read, whose, _begins)
        faults = self._scan("episodes", begins).filter(pl.col("kind") == "fault")
        own = self._scan("battery_health", begins).filter(pl.col("method") == "km_per_pct")
        some = {begin: _sample(each) for begin, each in whose.items()}
        told = [self._firmware(some), self._signals(some, whose, trips)]
        return calibration(
            trips,
            _split(own.collect(), whose, _begins),
            _split(faults.collect(), whose, _begins),
            _together(whose),
            pl.concat(told),
        )

    def _scan(self, table: str, begins: Sequence[datetime]) -> pl.LazyFrame:
        """Rows of a derived table that began in the months that count for these."""
        return self._lake.scan(table, _span(begins[0])[0], _span(begins[-1])[1])

    def _count(self, begin: datetime, trips: pl.DataFrame) -> pl.DataFrame:
        """The frame of `counted` of the month that begins then; empty where it has no trip."""
        told = trips.filter(_begins(*_span(begin)))
        here = told.select((pl.col("time") >= begin).any()).item()
        return counted(told, self._known, begin) if here else self._known.clear()

    def _firmware(self, some: Whose) -> pl.DataFrame:
        """What a sample of each model's vehicles tells of its firmware in the last days that count."""
        readings = self._read(some, "status", "soc_pct", "range_m")
        polls = self._read(some, "pack", "port", "pack_soc_pct")
        return firmware.checks(firmware.points(readings, polls), _together(some))

    def _signals(self, some: Whose, whose: Whose, trips: pl.DataFrame) -> pl.DataFrame:
        """What the signals of each model mean, by a sample of its vehicles, its stints and its resistances."""
        readings = self._read(some, "status", "speed_kmh", "ride_time_s", "odometer_m", "soc_pct")
        batteries = self._read(some, "battery", "power_w", "motor_power_w", "voltage_v")
        powers = batteries.with_columns(used_w=pl.coalesce("power_w", "motor_power_w")).drop_nulls("used_w")
        packs = self._read(some, "pack", "port", "pack_voltage_v", "pack_soc_pct")
        begins = [*whose]
        vehicles = pl.concat(whose.values())["vehicle"].unique().to_list()
        there = self._lake.scan_overlapping("stints", _span(begins[0])[0], _span(begins[-1])[1], vehicles)
        stints = _split(there.collect(), whose, _overlaps)
        days = self._scan("battery_health", begins).filter(pl.col("method") == "resistance").collect()
        known = _together(whose)
        told = signal_checks.checks(
            signal_checks.points(readings, powers, trips), stints, _split(days, whose, _begins), known
        )
        return pl.concat([told, cells(at_rest(batteries, readings, packs, trips), known)])

    def _read(self, some: Whose, table: str, *columns: str) -> pl.DataFrame:
        """Rows of these vehicles in the last days that count, by vehicle and time."""
        told = [in_month(self._last_days(table, of), begin) for begin, of in some.items()]
        rows = pl.concat(told).select(*WHO, *columns, at="time").sort(*WHO, "at", *columns[:1]).collect()
        dated = rows.join(_together(some).select(*WHO, "until"), on=WHO, maintain_order="left")
        near = (pl.col("at") < pl.col("until")) & (pl.col("at") >= pl.col("until") - _SAMPLE_DAYS * DAY)
        return dated.filter(near).drop("until")

    def _last_days(self, table: str, of: pl.DataFrame) -> pl.LazyFrame:
        first, last = min(of["until"]) - _SAMPLE_DAYS * DAY, max(of["until"])
        return self._store.scan(table, first, last, _vehicles(of))


def _span(begin: datetime) -> tuple[datetime, datetime]:
    """Of the months that count for the one that begins then, and of that."""
    return month(begin, -MONTHS), month(begin, 1)


def _begins(first: datetime, end: datetime) -> pl.Expr:
    return pl.col("time").is_between(first, end, closed="left")


def _overlaps(first: datetime, end: datetime) -> pl.Expr:
    return (pl.col("started_at") < end) & (pl.col("finished_at") >= first).fill_null(True)


def _split(rows: pl.DataFrame, whose: Whose, inside: Callable[[datetime, datetime], pl.Expr]) -> pl.DataFrame:
    """Rows that count for each month, `in_month`."""
    return pl.concat([in_month(rows.filter(inside(*_span(begin))), begin) for begin in whose])


def _together(whose: Whose) -> pl.DataFrame:
    return pl.concat([in_month(each, begin) for begin, each in whose.items()])


def _sample(whose: pl.DataFrame) -> pl.DataFrame:
    return whose.sort(*WHO).group_by(MODEL, maintain_order=True).head(_SAMPLE)


def _vehicles(of: pl.DataFrame) -> list[str]:
    return of["vehicle"].to_list()
