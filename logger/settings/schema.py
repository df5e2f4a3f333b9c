"""What settings are: frozen structs, one for each table of `voltrail.toml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import msgspec

DEFAULT_FOLDER = "voltrail-data"
BUILT_IN = (
    "import",
    "collector",
    "settings",
    "influx",
)  # sources that are always there; no account may take their names
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Collector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[collector]`: where it listens, what it keeps and for how long."""

    listen: str = "127.0.0.1:8080"
    data_dir: str = DEFAULT_FOLDER
    raw_days: _Count = 90
    max_bytes: _Count = 10_000_000_000
    path_prefix: str = ""
    public_url: str = ""
    timezone: str = "UTC"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def push_address(self, source: str) -> str:
        """What to register with the vendor of this account, who adds a path of its own."""
        return f"{(self.public_url or 'https://YOUR-HOST').rstrip('/')}{self.path_prefix}/{source}"


class LakeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.lake]`: a folder or an object-store URL, and how long a day rests before it is compacted [s]."""

    path: str = ""
    compact_after_s: _Count = 600


class InfluxSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.influx]`: server, bucket (1.x: database), who we are there, and how long rows are kept [d] (0: for ever).

    `retention_days` is that of raw rows, `rollup_retention_days` that of what is made of them. `version` is found.
    """

    url: str
    bucket: str
    org: str = ""
    token_file: str = ""
    token: str = ""
    username: str = ""
    password_file: str = ""
    password: str = ""
    version: Literal["auto", "1", "2", "3"] = "auto"
    retention_days: _Count = 0
    rollup_retention_days: _Count = 0

    def __repr__(self) -> str:
        return f"Influx({self.url!r}, {self.bucket!r})"  # and not the token, wherever this is printed


class Sinks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks]`: where decoded rows go."""

    lake: LakeSettings = LakeSettings()
    influx: InfluxSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The sinks that are set up, each with a cursor of its own in the spool."""
        return ("lake",) if self.influx is None else ("lake", "influx")


class Polling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[sources.poll]`: how often a vehicle is asked in each state [s] (0: never), and the most calls `per` period."""

    riding_s: _Count = 60
    charging_s: _Count = 120
    parked_s: _Count = 900
    offline_s: _Count = 3600
    silent_s: _Count = 1800
    out_of_service_s: _Count = 0
    calls: _Count = 0
    per: Literal["day", "month"] = "day"

    @property
    def every_s(self) -> dict[str, float]:
        """The interval by state; a state that is never asked is left out."""
        states = ("riding", "charging", "parked", "offline", "silent", "out_of_service")
        return {state: float(seconds) for state in states if (seconds := getattr(self, f"{state}_s"))}


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str


class AccountSettings(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[sources]]`: what the accounts of every kind of source have; each kind adds its own below.

    `vehicles_file` is a CSV of more vehicles and what a person calls them. Without `poll` the cloud is not polled.
    `clients` limits who may call, by address or network; empty admits all. A kind also has a `model`, that of every
    vehicle without one of its own.
    """

    secrets: ClassVar[tuple[str, ...]] = ()  # fields that come from `FIELD_file` or the environment
    lists_vehicles: ClassVar[bool] = False  # whether the vendor lists them, so that `vehicles = "all"` is possible

    base_url: str = ""
    vehicles: tuple[str, ...] | Literal["all"] = ()
    vehicles_file: str = ""
    unknown_vehicles: Literal["quarantine", "accept"] = "quarantine"
    poll: Polling | None = None
    clients: tuple[str, ...] = ()

    @property
    def listed(self) -> tuple[str, ...]:
        """The vehicles that the settings name; none where the cloud lists them."""
        return () if self.vehicles == "all" else self.vehicles

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"  # and not the secret, wherever this is printed


class Segway(AccountSettings, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="segway"):
    """`[[sources]]` of kind `segway`: one account of the Segway gateway.

    `signature` limits the readings of the vendor's signature rule that are accepted; empty tries all.
    """

    secrets: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")

    client_id: str = ""
    client_id_file: str = ""
    client_secret_file: str = ""
    client_secret: str = ""
    model: str = "E-moped"
    signature: tuple[Literal["decoded", "decoded-no-blanks", "raw", "raw-no-blanks"], ...] = ()


Source = Segway


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[models."NAME"]`: what is known of a model. The scales turn its readings into m and km/h."""

    capacity_wh: float | None = None
    nominal_voltage_v: float | None = None
    wh_per_km: float | None = None
    top_speed_kmh: float | None = None
    odometer_scale: float = 1.0
    speed_scale: float = 1.0


class Vehicle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[vehicles."NUMBER"]`: what a person calls a vehicle; out of service, it is asked no more."""

    label: str | None = None
    model: str | None = None
    group: str | None = None
    plate: str | None = None
    timezone: str | None = None
    in_service: bool = True


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[places."NAME"]`: a circle (centre and radius) or a polygon of (latitude, longitude) [deg].

    Trips and charges name it, and each vehicle's stay in it is an episode. In a `private` place positions are left out
    of whatever is made of the raw tables.
    """

    lat_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    lon_deg: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    radius_m: Annotated[float, msgspec.Meta(gt=0)] | None = None
    polygon: tuple[tuple[float, float], ...] = ()
    private: bool = False


class Analytics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[analytics]`: how often `voltrail run` analyses what is new [s] (0: never), and what a forecast is for.

    A pack is swapped, or a vehicle charged, below `swap_below_pct` [%]; `service_at` (HH:MM, local) is when the crew
    comes.
    """

    every_s: _Count = 900
    swap_below_pct: float = 20.0
    service_at: str = "06:00"


class Rate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[[tariffs.rates]]`: what a kWh costs from `begin` to `end` (HH:MM, local) on these days; past midnight too.

    A day is that on which the rate begins. The first rate that fits holds.
    """

    begin: str
    end: str
    per_kwh: float
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()


class Tariffs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[tariffs]`: what energy costs. Without `currency` nothing is priced.

    `per_kwh` holds where none of `rates` does, `session_fee` once a charge. A kWh is one at the wall: where that is not
    metered, it is the battery's by `efficiency`, wall to battery, or the battery's own where that is not given.
    """

    currency: str = ""
    per_kwh: float | None = None
    session_fee: float = 0.0
    efficiency: float | None = None
    rates: tuple[Rate, ...] = ()


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `voltrail.toml`, paths made absolute and secrets filled in."""

    collector: Collector = Collector()
    sinks: Sinks = Sinks()
    sources: tuple[Source, ...] = ()
    models: Mapping[str, Model] = {}
    vehicles: Mapping[str, Vehicle] = {}
    places: Mapping[str, Place] = {}
    analytics: Analytics = Analytics()
    tariffs: Tariffs = Tariffs()

    @property
    def polled(self) -> tuple[Source, ...]:
        """The accounts whose cloud is polled regularly."""
        return tuple(source for source in self.sources if source.poll is not None)

    @property
    def out_of_service(self) -> frozenset[str]:
        """The vehicles that the settings take out of service."""
        return frozenset(number for number, vehicle in self.vehicles.items() if not vehicle.in_service)

    @property
    def data_dir(self) -> Path:
        """Where spool, day files and notes of the processes lie."""
        return Path(self.collector.data_dir)

    def model(self, name: str) -> Model:
        """What the settings say of this model; the defaults where they say nothing."""
        return self.models.get(name, Model())
