"""Rows of a store as what analyses take: readings, fixes, rides, and what is known of the vehicles."""

from collections.abc import Callable, Sequence
from functools import cached_property

import polars as pl

from analytics.battery_health.calibration import calibrated
from analytics.battery_health.effort import even_m, ways
from analytics.battery_health.held import worth
from analytics.battery_health.trip_packs import mixed
from analytics.charging.sessions import charges
from analytics.charging.swaps import swaps
from analytics.energy.trips import energies
from analytics.frames import WHO, Read, downtime, ordered, out_of_service
from analytics.observations import batteries
from analytics.observations.clean import TOP_SPEED_KMH, fixes, readings
from analytics.observations.power import powered
from analytics.observations.soc_steps import ticks
from analytics.observations.soc_used import used
from analytics.schemas import FIXES, READINGS
from analytics.stays.stay_points import whereabouts
from analytics.stays.trip_ends import placed
from analytics.trips.gpsonly import gps_trips
from analytics.trips.intervals import intervals
from analytics.trips.journal import MATCHES, compared, entries, matches, told_alone
from analytics.trips.silences import spoken
from analytics.trips.speedonly import speed_trips
from analytics.trips.trips import trips
from logger.settings.schema import Settings
from logger.stores.contract import Store

_T, _N = pl.String(), pl.Float64()

# What is known of a vehicle: its zone always, the rest where somebody told it.
KNOWN = pl.Schema(
    {
        "provider": _T,
        "vehicle": _T,
        "model": _T,
        "timezone": _T,
        "capacity_wh": _N,
        "wh_per_km": _N,
        "top_speed_kmh": _N,
    }
)


def known(vehicles: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """What is known of vehicles, by the latest rows of `vehicles` and the settings' models, as `KNOWN`."""
    models = [
        {
            "model": name,
            "capacity_wh": each.capacity_wh,
            "wh_per_km": each.wh_per_km,
            "top_speed_kmh": each.top_speed_kmh,
        }
        for name, each in settings.models.items()
    ]
    schema = {name: KNOWN[name] for name in ("model", "capacity_wh", "wh_per_km", "top_speed_kmh")}
    joined = vehicles.join(pl.DataFrame(models, schema=schema), on="model", how="left")
    zoned = joined.with_columns(pl.col("timezone").fill_null(settings.collector.timezone))
    return zoned.select(KNOWN.names()).cast(KNOWN).sort(WHO)


# Of these vehicles, in what is read: what their fleet tells of its models, as `CHECKS`, and rows of `worth`.
Figures = Callable[[Sequence[str], Read], tuple[pl.DataFrame, pl.DataFrame]]


class Rows:
    """What a store holds of some vehicles in what is `read`; each frame is made once.

    `told` is what is `known` of vehicles; one that nobody told of has the zone `timezone`. `figures` are asked for when
    the first energy is: they follow from what the same rows tell of charge and way.
    """

    def __init__(
        self,
        store: Store,
        vehicles: Sequence[str],
        read: Read,
        told: pl.DataFrame,
        figures: Figures,
        settings: Settings,
    ) -> None:
        self._store, self._vehicles, self._told, self._figures = store, vehicles, told, figures
        self._since, self._until, self.read = read.since, read.until, read
        self._timezone = settings.collector.timezone
        self.places, self.tariffs = settings.places, settings.tariffs

    def scan(self, table: str) -> pl.LazyFrame:
        """The rows of a raw table."""
        return self._store.scan(table, self._since, self._until, self._vehicles)

    @cached_property
    def known(self) -> pl.DataFrame:
        """What is known of each vehicle that has readings, as `KNOWN`."""
        named = self.readings.select(WHO).unique().sort(WHO).join(self._told, on=WHO, how="left")
        return named.with_columns(pl.col("timezone").fill_null(self._timezone)).select(KNOWN.names()).cast(KNOWN)

    @cached_property
    def worth(self) -> pl.DataFrame:
        """What a percent and a kilometre of each vehicle are worth, and from when on, as `held.worth` tells."""
        checks, held = self._figures(self._vehicles, self.read)
        return worth(calibrated(self.known, checks), held)

    @cached_property
    def readings(self) -> pl.DataFrame:
        """As `READINGS`, by vehicle and time; vehicles of one top speed are cleaned together."""
        fast = self._told.drop_nulls("top_speed_kmh")
        if fast.is_empty():
            return readings(self.scan("status"))[0]
        status = self.scan("status").collect().join(fast.select(*WHO, "top_speed_kmh"), on=WHO, how="left")
        by_speed = status.with_columns(pl.col("top_speed_kmh").fill_null(TOP_SPEED_KMH)).partition_by("top_speed_kmh")
        made = [readings(part.lazy(), part["top_speed_kmh"][0])[0] for part in by_speed]
        whole = pl.concat([pl.DataFrame(schema=READINGS), *made])
        return ordered(whole, "at", "way_m", "received_at", "sequence").select(READINGS.names())

    @cached_property
    def _positions(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        return fixes(self.scan("location"))

    @cached_property
    def fixes(self) -> pl.DataFrame:
        """As `FIXES`, by vehicle and time."""
        return self._positions[0].cast(FIXES)

    @cached_property
    def spoken(self) -> pl.DataFrame:
        """When vehicles told a position, as the frame of `spoken`."""
        return spoken(*self._positions)

    @cached_property
    def packs(self) -> pl.DataFrame:
        """As `PACKS`, by vehicle, port and time."""
        return batteries.packs(self.scan("pack"))

    @cached_property
    def batteries(self) -> pl.DataFrame:
        """As `BATTERIES`, by vehicle and time."""
        return batteries.batteries(self.scan("battery"))

    @cached_property
    def events(self) -> pl.DataFrame:
        """As `EVENTS`, by vehicle and time."""
        return batteries.events(self.scan("event"))

    @cached_property
    def downtime(self) -> pl.DataFrame:
        """When the collector did not run, as `DOWNTIME`."""
        return downtime(self._store.scan("collector", self._since, self._until))

    @cached_property
    def idle(self) -> pl.DataFrame:
        """When vehicles were out of service, as `IDLE`; what held before is told by rows of any age."""
        return out_of_service(self._store.scan("vehicles", None, self._until, self._vehicles))

    @cached_property
    def steps(self) -> pl.DataFrame:
        """The frame of `intervals`."""
        return intervals(self.readings, self.downtime, self.idle, self.spoken)

    @cached_property
    def rides(self) -> pl.DataFrame:
        """The frame of `trips`."""
        return trips(self.steps)

    @cached_property
    def whereabouts(self) -> pl.DataFrame:
        """Where vehicles stood and where they were on their way, as `WHEREABOUTS`."""
        return whereabouts(self.fixes, self.steps, self.rides)

    @cached_property
    def swaps(self) -> pl.DataFrame:
        """As `SWAPS`, by vehicle and time."""
        return swaps(self.packs, self.readings, self.batteries, self.events)

    @cached_property
    def ticks(self) -> pl.DataFrame:
        """As `TICKS`, by vehicle and time."""
        return ticks(self.readings)

    @cached_property
    def charges(self) -> pl.DataFrame:
        """Rows of `charges`, without places and costs."""
        return charges(self.readings, self.batteries, self.swaps, self.worth, self.fixes)

    @cached_property
    def journal(self) -> pl.DataFrame:
        """The journals' entries, and which of our trips they are, as `MATCHES`."""
        found = entries(self.scan("journal"))
        if found.is_empty():
            return pl.DataFrame(schema=MATCHES)
        return matches(pl.concat([self.rides, *self._by_speed, *self._by_positions], how="diagonal_relaxed"), found)

    @cached_property
    def spent(self) -> pl.DataFrame:
        """The frame of `trips` with the charge that each used, and with how it was ridden."""
        source = pl.when(pl.col("start_odometer_m").is_not_null()).then(pl.lit("odometer"))
        rides = compared(self.rides, self.journal).with_columns(source.alias("distance_source"))
        charge = used(self.ticks, self.readings, rides, self.swaps)
        return rides.hstack(charge).hstack(ways(self.steps, rides))

    @cached_property
    def counted(self) -> pl.DataFrame:
        """The frame `spent` with the energy that each trip used."""
        told = self.spent.hstack(powered(self.spent, self.batteries, self.worth))
        told = told.with_columns(even_m(self.spent, self.worth))
        packs = mixed(self.spent, self.worth, self.ticks, self.readings, self.swaps)
        return self.spent.hstack(energies(told.hstack(packs), self.worth))

    @cached_property
    def travelled(self) -> pl.DataFrame:
        """Every trip, by counters, by speed or by positions, with where it began and ended."""
        return self._everywhere(self.spent)

    @cached_property
    def journeys(self) -> pl.DataFrame:
        """The frame `travelled` with energies."""
        return self._everywhere(self.counted)

    def _everywhere(self, counted: pl.DataFrame) -> pl.DataFrame:
        by_speed, by_positions = (
            [told_alone(compared(rides, self.journal)) for rides in each]
            for each in (self._by_speed, self._by_positions)
        )
        rides = pl.concat([counted, *by_speed], how="diagonal_relaxed")
        return pl.concat([placed(rides, self.fixes), *by_positions], how="diagonal_relaxed")

    @cached_property
    def _by_speed(self) -> list[pl.DataFrame]:
        """Trips of vehicles that never tell a counter, if there are any."""
        silent = self.readings.filter(pl.col("way_m").is_null().all().over(WHO))
        moving = silent.filter(pl.col("speed_kmh").is_not_null().any().over(WHO))
        return [speed_trips(moving, self.downtime, self.spoken)] if moving.height else []

    @cached_property
    def _by_positions(self) -> list[pl.DataFrame]:
        """Trips of vehicles that tell nothing but where they are, if there are any."""
        silent = self.fixes.join(self.readings.select(WHO).unique(), on=WHO, how="anti", maintain_order="left")
        return [gps_trips(silent)] if silent.height else []
