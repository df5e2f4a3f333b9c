"""The settings as frozen structs: a struct for each table of `voltrail.toml`, a field with its meaning for each key.

The docstrings and descriptions are the text of `docs/reference/settings.md`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

from msgspec import Meta, Struct

from logger.settings.fleet import Model as Model
from logger.settings.fleet import Place as Place
from logger.settings.fleet import Vehicle as Vehicle
from logger.settings.notify import Notify as Notify

DEFAULT_FOLDER = "voltrail-data"
RESERVED_NAMES = ("import", "collector", "settings", "influx")  # sources of our own; no account may take their names
State = Literal["riding", "charging", "parked", "offline", "silent", "out_of_service"]  # of a vehicle, for polling
STATES: tuple[State, ...] = get_args(State)


class Collector(Struct, frozen=True, forbid_unknown_fields=True):
    """`[collector]`: where the service listens, where it keeps its data and for how long."""

    listen: Annotated[
        str,
        Meta(description="ADDRESS:PORT at which pushes are received; put a TLS proxy in front of it"),
    ] = "127.0.0.1:8080"
    data_dir: Annotated[str, Meta(description="folder for the spool, raw messages and the lake")] = DEFAULT_FOLDER
    raw_days: Annotated[
        int,
        Meta(ge=0, description="days for which raw messages are kept, so that `voltrail replay` can decode them again"),
    ] = 90
    max_bytes: Annotated[
        int,
        Meta(ge=0, description="limit of the spool [bytes]; beyond it pushes are answered 503, and nothing is dropped"),
    ] = 10_000_000_000
    path_prefix: Annotated[
        str,
        Meta(description="first part of the path at which pushes are received, such as `/a1b2c3`; keep it secret"),
    ] = ""
    public_url: Annotated[
        str,
        Meta(description="`https://HOST` at which vendors reach this collector; `voltrail check` tries it"),
    ] = ""
    timezone: Annotated[
        str,
        Meta(description="time zone of vehicles that have none of their own, and of times on the command line"),
    ] = "UTC"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of `listen`."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def push_address(self, source: str) -> str:
        """Return the address to register with the vendor of this account, who adds a path of its own."""
        return f"{(self.public_url or 'https://YOUR-HOST').rstrip('/')}{self.path_prefix}/{source}"


class LakeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.lake]`: the lake, which holds every table as Delta Lake files."""

    path: Annotated[
        str,
        Meta(
            description="a folder, or a URL of an object store (`s3://`, `az://`, `gs://`); else `data_dir` + `/lake`"
        ),
    ] = ""
    compact_after_s: Annotated[
        int,
        Meta(ge=0, description="a day's files are put together once nothing was written to it for so long [s]"),
    ] = 600


class InfluxSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks.influx]`: a second store, for dashboards. 1.x takes `username`, 2.x and 3.x take `org` and a token."""

    secrets: ClassVar[tuple[str, ...]] = ("token", "password")  # as of an account; a server takes one of them

    url: Annotated[str, Meta(description="address of the server, such as `http://127.0.0.1:8086`")]
    bucket: Annotated[str, Meta(description="bucket, or database of 1.x, to write to")]
    org: Annotated[str, Meta(description="organisation of 2.x")] = ""
    token_file: Annotated[str, Meta(description="file that holds the token and nothing else")] = ""
    token: str = ""
    username: Annotated[str, Meta(description="user of 1.x")] = ""
    password_file: Annotated[str, Meta(description="file that holds the password and nothing else")] = ""
    password: str = ""
    version: Annotated[Literal["auto", "1", "2", "3"], Meta(description="server version; `auto` finds it")] = "auto"
    retention_days: Annotated[int, Meta(ge=0, description="days for which raw rows are kept; 0: for ever")] = 0
    rollup_retention_days: Annotated[int, Meta(ge=0, description="the same of rollups and derived rows")] = 0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.bucket!r})"  # and not the token, wherever this is printed


class Sinks(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sinks]`: the stores that decoded rows are written to."""

    lake: LakeSettings = LakeSettings()
    influx: InfluxSettings | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The sinks that are set up, each with a cursor of its own in the spool."""
        return ("lake",) if self.influx is None else ("lake", "influx")


class Polling(Struct, frozen=True, forbid_unknown_fields=True):
    """`[sources.poll]`: how often the vendor's cloud is polled for each vehicle. Without this table it is not polled.

    The interval follows the state of the vehicle; 0 is never.
    """

    riding_s: Annotated[int, Meta(ge=0, description="interval while riding [s]")] = 60
    charging_s: Annotated[int, Meta(ge=0, description="interval while charging [s]")] = 120
    parked_s: Annotated[int, Meta(ge=0, description="interval while parked [s]")] = 900
    offline_s: Annotated[int, Meta(ge=0, description="interval while the cloud cannot reach the vehicle [s]")] = 3600
    silent_s: Annotated[int, Meta(ge=0, description="interval after a long time without a message [s]")] = 1800
    out_of_service_s: Annotated[int, Meta(ge=0, description="interval while it is out of service [s]")] = 0
    calls: Annotated[
        int,
        Meta(ge=0, description="most calls in a period; where they do not suffice, all intervals grow. 0: no limit"),
    ] = 0
    per: Annotated[Literal["day", "month"], Meta(description="the period of `calls`")] = "day"

    @property
    def every_s(self) -> dict[State, float]:
        """The interval by state [s]; a state in which nothing is polled is left out."""
        return {state: float(seconds) for state in STATES if (seconds := getattr(self, f"{state}_s"))}


class _Named(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(description="name of the account, of your choice; the last part of its push address")]


class AccountSettings(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[sources]]`: the keys that accounts of every kind have; each kind adds its own below.

    A kind also has a `model`, which is that of every vehicle without one of its own.
    """

    secrets: ClassVar[tuple[str, ...]] = ()  # fields that only `FIELD_file` or the environment may hold
    identifiers: ClassVar[tuple[str, ...]] = ()  # fields that the settings may hold as well: no secrets
    lists_vehicles: ClassVar[bool] = False  # whether the vendor lists them, so that `vehicles = "all"` is possible

    base_url: Annotated[str, Meta(description="address of another cloud than the vendor's own")] = ""
    vehicles: Annotated[
        tuple[str, ...] | Literal["all"],
        Meta(description="the vendor's number of each vehicle; `all` where the vendor lists them (Segway does not)"),
    ] = ()
    vehicles_file: Annotated[
        str,
        Meta(description='CSV of more vehicles: `vehicle`, and any keys of `[vehicles."NUMBER"]` as columns'),
    ] = ""
    unknown_vehicles: Annotated[
        Literal["quarantine", "accept"],
        Meta(description="what becomes of messages of other vehicles"),
    ] = "quarantine"
    poll: Polling | None = None
    clients: Annotated[
        tuple[str, ...],
        Meta(description="addresses or networks that may push, such as `203.0.113.0/24`; empty admits all"),
    ] = ()

    @property
    def listed(self) -> tuple[str, ...]:
        """The vehicles that the settings name; none where the cloud lists them."""
        return () if self.vehicles == "all" else self.vehicles

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"  # and not the secret, wherever this is printed


class Segway(AccountSettings, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="segway"):
    """`[[sources]]` with `kind = "segway"`: one account of Segway's gateway; repeat the table for another account."""

    secrets: ClassVar[tuple[str, ...]] = ("client_secret",)
    identifiers: ClassVar[tuple[str, ...]] = ("client_id",)

    client_id: Annotated[
        str,
        Meta(description="platform code from Segway; its first letter is the region (A, E, U, C)"),
    ] = ""
    client_id_file: Annotated[str, Meta(description="file that holds the platform code and nothing else")] = ""
    client_secret_file: Annotated[str, Meta(description="file that holds the secret and nothing else")] = ""
    client_secret: str = ""
    model: Annotated[str, Meta(description="model of every vehicle that has none of its own")] = "E-moped"
    signature: Annotated[
        tuple[Literal["decoded", "decoded-no-blanks", "raw", "raw-no-blanks"], ...],
        Meta(description="accepted readings of the vendor's signature rule; empty tries all"),
    ] = ()


Source = Segway


class Analytics(Struct, frozen=True, forbid_unknown_fields=True):
    """`[analytics]`: when analyses run, and the limits they use."""

    every_s: Annotated[int, Meta(ge=0, description="interval of analyses in `voltrail run` [s]; 0: never")] = 900
    swap_below_pct: Annotated[float, Meta(description="packs are swapped or charged below this [%]")] = 20.0
    service_at: Annotated[str, Meta(description="local time at which the crew comes, HH:MM")] = "06:00"


class Rate(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[tariffs.rates]]`: a price at certain times; repeat the table for another rate. The first that fits counts."""

    begin: Annotated[str, Meta(description="local time at which it begins, HH:MM")]
    end: Annotated[str, Meta(description="local time at which it ends, HH:MM; may be past midnight")]
    per_kwh: Annotated[float, Meta(description="price of a kWh")]
    days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...],
        Meta(description="days on which it begins; empty is every day"),
    ] = ()


class Tariffs(Struct, frozen=True, forbid_unknown_fields=True):
    """`[tariffs]`: what energy costs. Prices are per kWh at the wall."""

    currency: Annotated[
        str, Meta(description="currency of all prices, such as `EUR`; without it there are no prices")
    ] = ""
    per_kwh: Annotated[float | None, Meta(description="price of a kWh where no rate fits")] = None
    session_fee: Annotated[float, Meta(description="fee for each charge")] = 0.0
    efficiency: Annotated[
        float | None,
        Meta(description="energy into the battery as a share of that from the wall, where no charger measures it"),
    ] = None
    rates: tuple[Rate, ...] = ()


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `voltrail.toml`, paths made absolute and secrets filled in."""

    collector: Collector = Collector()
    sinks: Sinks = Sinks()
    sources: tuple[Source, ...] = ()
    models: Mapping[str, Model] = {}
    vehicles: Mapping[str, Vehicle] = {}
    places: Mapping[str, Place] = {}
    analytics: Analytics = Analytics()
    tariffs: Tariffs = Tariffs()
    notify: Notify = Notify()

    @property
    def polled_sources(self) -> tuple[Source, ...]:
        """The accounts whose cloud the service polls."""
        return tuple(source for source in self.sources if source.poll is not None)

    @property
    def out_of_service(self) -> frozenset[str]:
        """The vehicles that the settings take out of service."""
        return frozenset(number for number, vehicle in self.vehicles.items() if not vehicle.in_service)

    @property
    def data_dir(self) -> Path:
        """The folder for the spool, the archive and the state of processes."""
        return Path(self.collector.data_dir)

    def model(self, name: str) -> Model:
        """Return the settings of this model; the defaults where there are none."""
        return self.models.get(name, Model())
