"""Rows of a store as what analyses take: readings, fixes, rides, and what is known of the vehicles."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal

import polars as pl

from analytics.battery_health.figures import calibrated, with_verdicts
from analytics.charging.charges import charges
from analytics.charging.discharges import discharges
from analytics.charging.sessions import sessions
from analytics.charging.swaps import swaps
from analytics.energy.trips import energies, with_reasons
from analytics.frames import WHO, Read, downtime, ordered, out_of_service
from analytics.observations import batteries
from analytics.observations.capacity import capacities
from analytics.observations.clocks import ORIGIN, TABLES, Clocks, clocks
from analytics.observations.content import content_used
from analytics.observations.dates import right_span, rows_by_day, set_aside, unsure, wrong_dates, years_apart
from analytics.observations.observations import TOP_SPEED_KMH, observations
from analytics.observations.power import charge_used, polled, powered
from analytics.observations.soc import clean_soc
from analytics.observations.soc_at import SocPath, soc_path
from analytics.observations.soc_used import used
from analytics.schemas import FIXES, OBSERVATIONS
from analytics.stays.stay_points import whereabouts
from analytics.stays.trip_ends import placed
from analytics.trips.journal import MATCHES, compared, entries, matches
from analytics.trips.segments import segments, travelled
from analytics.trips.trips import trips
from logger.settings.schema import Settings
from logger.stores.contract import Store

PARKED_S = 3600.0  # a content told so long before a trip or after it is that of the parked vehicle
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


_OF_MODEL = ("capacity_wh", "wh_per_km", "top_speed_kmh")


def known(vehicles: pl.DataFrame, settings: Settings) -> pl.DataFrame:
    """What is known of vehicles, as `KNOWN`, by vehicle.

    Parameters
    ----------
    vehicles : DataFrame with `provider` `vehicle`, and perhaps `model` `timezone` as in the table `vehicles`
    settings : what they say of a vehicle or its model holds where `vehicles` is silent
    """
    said = [{"vehicle": name, "own": each.model, "zone": each.timezone} for name, each in settings.vehicles.items()]
    own = pl.DataFrame(said, schema={"vehicle": _T, "own": _T, "zone": _T})
    models = [
        {"model": name, **{key: getattr(each, key) for key in _OF_MODEL}} for name, each in settings.models.items()
    ]
    sheets = pl.DataFrame(models, schema={"model": _T, **dict.fromkeys(_OF_MODEL, _N)})
    missing = [pl.lit(None, _T).alias(name) for name in ("model", "timezone") if name not in vehicles.columns]
    told = vehicles.with_columns(missing).join(own, on="vehicle", how="left").with_columns(
        pl.coalesce("model", "own").alias("model"),
        pl.coalesce("timezone", "zone", pl.lit(settings.collector.timezone)).alias("timezone"),
    )  # fmt: skip
    return told.join(sheets, on="model", how="left").select(KNOWN.names()).cast(KNOWN).sort(WHO)


# Of these vehicles, in what is read: what their fleet tells of its models, as `CHECKS`, and rows of `battery_health`.
Figures = Callable[[Sequence[str], Read], tuple[pl.DataFrame, pl.DataFrame]]


class Rows:
    """What a store holds of some vehicles in what is `read`; each frame is made once.

    `told` is what is `known` of vehicles, `traits` gives what their signals mean. `figures` are asked for when
    the first energy is: they follow from what the same rows tell of charge and way.
    """

    def __init__(
        self,
        store: Store,
        vehicles: Sequence[str],
        read: Read,
        told: pl.DataFrame,
        traits: Callable[[pl.DataFrame], pl.DataFrame],
        figures: Figures,
        settings: Settings,
    ) -> None:
        self._store, self._vehicles, self._told, self._figures = store, vehicles, told, figures
        self._traits = traits
        self._since, self._until, self.read = read.since, read.until, read
        self._settings = settings
        self.places, self.tariffs = settings.places, settings.tariffs

    def scan(self, table: str) -> pl.LazyFrame:
        """The rows of a raw table."""
        return self._store.scan(table, self._since, self._until, self._vehicles)

    @cached_property
    def _dated(self) -> tuple[Clocks, pl.DataFrame, pl.DataFrame]:
        """The vehicles' clocks, by all that they say; what was set aside, as `SET_ASIDE`; the frame of `right_span`."""
        frames = {name: self.scan(name).select(*WHO, *ORIGIN).collect() for name in TABLES}
        days = years_apart(frames)
        whole = self.read.from_begin and self.read.to_end
        if doubtful := [] if whole else unsure(frames):
            log = rows_by_day(self._store.scan(name, None, None, doubtful) for name in TABLES)
            days = pl.concat([days.filter(~pl.col("vehicle").is_in(doubtful)), log])
        wrong = wrong_dates(days)
        return clocks(frames, wrong), set_aside(frames, wrong), right_span(frames, wrong)

    @property
    def set_aside(self) -> pl.DataFrame:
        """Rows that carry a date that never was, as `SET_ASIDE`."""
        return self._dated[1]

    @property
    def dated(self) -> pl.DataFrame:
        """Between which moments all is read, as the frame of `right_span`."""
        return self._dated[2]

    @cached_property
    def known(self) -> pl.DataFrame:
        """What is known of each vehicle that was observed, as `KNOWN`."""
        named = self.observations.select(WHO).unique()
        return pl.concat([self._told.join(named, on=WHO, how="semi"), self._unnamed(named)]).sort(WHO)

    def _unnamed(self, vehicles: pl.DataFrame) -> pl.DataFrame:
        """As `KNOWN`, of those of which the table `vehicles` has no row."""
        return known(vehicles.join(self._told, on=WHO, how="anti"), self._settings)

    @cached_property
    def traits(self) -> pl.DataFrame:
        """What the signals of these vehicles mean, as `TRAITS`."""
        frames = (self.observations, self.packs, self.batteries, self.events)
        return self._traits(pl.concat([rows.select(WHO) for rows in frames]).unique())

    @cached_property
    def worth(self) -> pl.DataFrame:
        """What a percent and a kilometre of each vehicle are worth, and from when on, as `capacities` tells."""
        checks, verdicts = self._figures(self._vehicles, self.read)
        return capacities(with_verdicts(calibrated(self.known, checks), verdicts), self.batteries, self.readings)

    @property
    def range_meanings(self) -> pl.DataFrame:
        """What the range of each vehicle's model says: `provider` `vehicle` `meaning`, the latest answer."""
        checks, _ = self._figures(self._vehicles, self.read)
        answers = checks.filter(pl.col("check") == "range").sort("time").group_by("provider", "model").last()
        told = self.known.join(answers, on=["provider", "model"])
        return told.select(*WHO, meaning="answer")

    def forget_worth(self) -> None:
        """Make anew, when it is asked for, what follows from figures of the fleet: they are others now."""
        for name in ("worth", "charges", "counted", "journeys"):
            self.__dict__.pop(name, None)

    @cached_property
    def observations(self) -> pl.DataFrame:
        """As `OBSERVATIONS`, by vehicle and time; vehicles of one top speed are looked at together."""
        fast = self._told.drop_nulls("top_speed_kmh")
        if fast.is_empty():
            return observations(self.scan("status"), self.scan("location"), known=self._dated[0])
        speeds = fast["top_speed_kmh"].unique().sort().to_list()
        made = [self._observed(fast, speed) for speed in (None, *speeds)]
        return ordered(pl.concat(made), "at", "received_at", "sequence").select(OBSERVATIONS.names())

    def _observed(self, fast: pl.DataFrame, speed: float | None) -> pl.DataFrame:
        """Of vehicles with this top speed; null: of which nobody knows it."""
        whose = fast if speed is None else fast.filter(pl.col("top_speed_kmh") == speed)
        how: Literal["anti", "semi"] = "anti" if speed is None else "semi"
        tables = [self.scan(name).join(whose.select(WHO).lazy(), on=WHO, how=how) for name in ("status", "location")]
        return observations(tables[0], tables[1], speed or TOP_SPEED_KMH, self._dated[0])

    @cached_property
    def readings(self) -> pl.DataFrame:
        """Observations of what vehicles told, with their way so far, without percents that no battery had."""
        return clean_soc(travelled(self.observations, self.steps), self.traits)

    @cached_property
    def fixes(self) -> pl.DataFrame:
        """As `FIXES`, by vehicle and time."""
        return self.observations.drop_nulls("lat_deg").select(FIXES.names()).cast(FIXES)

    @cached_property
    def packs(self) -> pl.DataFrame:
        """As `PACKS`, by vehicle, port and time."""
        return batteries.packs(self.scan("pack"), self._dated[0])

    @cached_property
    def batteries(self) -> pl.DataFrame:
        """As `BATTERIES`, by vehicle and time."""
        return batteries.batteries(self.scan("battery"), self._dated[0])

    @cached_property
    def events(self) -> pl.DataFrame:
        """As `EVENTS`, by vehicle and time."""
        return batteries.events(self.scan("event"), self._dated[0])

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
        """The frame of `segments`."""
        return segments(self.observations, self.traits, self.downtime, self.idle)

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
        return swaps(self.packs, self.readings, self.batteries, self.events, self.traits)

    @cached_property
    def soc_path(self) -> SocPath:
        """How the charge went on, on trips and between them."""
        return soc_path(self.readings, self.swaps, self.rides)

    @cached_property
    def sessions(self) -> pl.DataFrame:
        """As `SESSIONS`, by vehicle and start."""
        return sessions(self.readings, self.batteries, self.swaps, self.rides, self.traits)

    @cached_property
    def discharges(self) -> pl.DataFrame:
        """As `DISCHARGES`, by vehicle and start."""
        return discharges(self.readings, self.batteries)

    @cached_property
    def charges(self) -> pl.DataFrame:
        """Rows of `charges`, without places and costs."""
        return charges(self.sessions, self.swaps, self.readings, self.batteries, self.worth, self.fixes)

    @cached_property
    def journal(self) -> pl.DataFrame:
        """The journals' entries, and which of our trips they are, as `MATCHES`."""
        found = entries(self.scan("journal"))
        if found.is_empty():
            return pl.DataFrame(schema=MATCHES)
        return matches(self.rides, found)

    @cached_property
    def spent(self) -> pl.DataFrame:
        """The frame of `trips` with the charge that each used, `polled_wh` and `used_ah`."""
        rides = compared(self.rides, self.journal)
        told = rides.hstack(used(self.soc_path, rides, self.swaps))
        return told.with_columns(polled(rides, self.steps, self.batteries), charge_used(rides, self.batteries))

    @cached_property
    def counted(self) -> pl.DataFrame:
        """The frame `spent` with the energy that each trip used."""
        told = self.spent.hstack(powered(self.spent, self.batteries, self.worth))
        charged = self.sessions.select(*WHO, started_at="rose_from", finished_at="rose_to")
        told = told.hstack(content_used(self.spent, self.batteries, PARKED_S, charged))
        return with_reasons(self.spent.hstack(energies(told, self.worth)))

    @cached_property
    def journeys(self) -> pl.DataFrame:
        """The frame `counted` with where each trip began and ended."""
        return placed(self.counted, self.fixes)
