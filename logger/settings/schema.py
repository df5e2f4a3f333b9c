"""The settings as frozen structs: a struct for each table of `voltrail.toml`, a field with its meaning for each key.

The docstrings and descriptions are the text of `docs/reference/settings.md`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from logger.settings.analysis import Analytics as Analytics
from logger.settings.analysis import Rate as Rate
from logger.settings.analysis import Tariffs as Tariffs
from logger.settings.collector import Collector as Collector
from logger.settings.display import Display as Display
from logger.settings.display import Live as Live
from logger.settings.fleet import Model as Model
from logger.settings.fleet import Place as Place
from logger.settings.fleet import Vehicle as Vehicle
from logger.settings.notify import Notify as Notify
from logger.settings.polling import STATES as STATES
from logger.settings.polling import Polling as Polling
from logger.settings.polling import SlowPolling as SlowPolling
from logger.settings.polling import State as State
from logger.settings.polling import WakingPolling as WakingPolling
from logger.settings.reports import ReportKind as ReportKind
from logger.settings.reports import Reports as Reports
from logger.settings.stores import InfluxSettings as InfluxSettings
from logger.settings.stores import LakeSettings as LakeSettings
from logger.settings.stores import Sinks as Sinks

RESERVED_NAMES = ("import", "collector", "settings", "influx")  # sources of our own; no account may take their names


class _Named(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(description="name of the account, of your choice; the last part of its push address")]


class AccountSettings(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[sources]]`: the keys that accounts of every kind have; each kind adds its own below.

    A kind also has a `model`, which is that of every vehicle without one of its own.
    """

    secrets: ClassVar[tuple[str, ...]] = ()  # fields that only `FIELD_file` or the environment may hold
    identifiers: ClassVar[tuple[str, ...]] = ()  # fields that the settings may hold as well: no secrets
    may_lack: ClassVar[tuple[str, ...]] = ()  # of both, those that an account can do without
    by_vin: ClassVar[bool] = False  # whether the vendor knows its vehicles by their VIN
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


class Hiven(AccountSettings, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hiven"):
    """`[[sources]]` with `kind = "hiven"`: the vehicles of one user of Hiven; repeat the table for another user."""

    secrets: ClassVar[tuple[str, ...]] = ("api_key",)
    identifiers: ClassVar[tuple[str, ...]] = ("user_id",)
    lists_vehicles: ClassVar[bool] = True

    api_key_file: Annotated[str, Meta(description="file that holds the API key and nothing else")] = ""
    api_key: str = ""
    user_id: Annotated[str, Meta(description="the user whose vehicles these are, as Hiven knows them")] = ""
    user_id_file: Annotated[str, Meta(description="file that holds the user's id and nothing else")] = ""
    redirect_uri: Annotated[str, Meta(description="where the browser ends after the consent of `voltrail login`")] = ""
    manufacturer: Annotated[str, Meta(description="maker of the vehicle to consent to, such as `VOLKSWAGEN`")] = ""
    country: Annotated[str, Meta(description="country of the vehicle, two letters")] = "FI"
    mode: Annotated[Literal["live", "test", "simulated"], Meta(description="real vehicles, or the vendor's own")] = (
        "live"
    )
    model: Annotated[str, Meta(description="model of every vehicle that has none of its own")] = ""
    poll: SlowPolling | None = None


class Smartcar(AccountSettings, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="smartcar"):
    """`[[sources]]` with `kind = "smartcar"`: one application at Smartcar; repeat the table for another one."""

    secrets: ClassVar[tuple[str, ...]] = ("client_secret", "management_token")
    may_lack: ClassVar[tuple[str, ...]] = ("client_secret", "management_token")  # polls need one, pushes the other
    lists_vehicles: ClassVar[bool] = True

    client_id: Annotated[str, Meta(description="id of the application")] = ""
    client_secret_file: Annotated[str, Meta(description="file that holds its secret and nothing else")] = ""
    client_secret: str = ""
    management_token_file: Annotated[
        str, Meta(description="file that holds its management token and nothing else: the key of pushes")
    ] = ""
    management_token: str = ""
    redirect_uri: Annotated[str, Meta(description="where the browser ends after the consent of `voltrail login`")] = ""
    mode: Annotated[Literal["live", "test", "simulated"], Meta(description="real vehicles, or made up")] = "live"
    webhook_id: Annotated[str, Meta(description="webhook to which `voltrail login` subscribes each vehicle")] = ""
    api: Annotated[Literal["v2", "v3"], Meta(description="version of the API that is polled")] = "v2"
    user_id: Annotated[str, Meta(description="with `v3`: the user whose vehicles these are")] = ""
    calls_per_vehicle: Annotated[
        int,
        Meta(ge=0, description="calls for a vehicle in a month by your plan; the last tenth is kept. 0: no limit"),
    ] = 500
    model: Annotated[str, Meta(description="model of every vehicle that has none of its own")] = ""
    poll: SlowPolling | None = None


class SaicGateway(AccountSettings, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="saic-gateway"):
    """`[[sources]]` with `kind = "saic-gateway"`: a car at the iSmart gateway, an add-on of Home Assistant."""

    by_vin: ClassVar[bool] = True
    secrets: ClassVar[tuple[str, ...]] = ("password",)
    identifiers: ClassVar[tuple[str, ...]] = ("user",)

    user: Annotated[str, Meta(description="the login of the iSmart app")] = ""
    user_file: Annotated[str, Meta(description="file that holds the login and nothing else")] = ""
    password_file: Annotated[str, Meta(description="file that holds the password and nothing else")] = ""
    password: str = ""
    model: Annotated[str, Meta(description="model of every vehicle that has none of its own")] = ""
    poll: WakingPolling | None = None


class SmartPolling(Polling, frozen=True, forbid_unknown_fields=True):
    """`[sources.poll]` of Smart: as above, at least 60 s apart, beyond which the vendor locks accounts out."""

    least_s: ClassVar[int] = 60

    charging_s: Annotated[int, Meta(ge=0, description="interval while charging [s]")] = 60
    parked_s: Annotated[int, Meta(ge=0, description="interval while parked [s]")] = 300


class Smart(AccountSettings, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="smart"):
    """`[[sources]]` with `kind = "smart"`: one account of the Hello smart app; repeat the table for another account."""

    by_vin: ClassVar[bool] = True
    secrets: ClassVar[tuple[str, ...]] = ("app_secret", "token", "login_token")
    may_lack: ClassVar[tuple[str, ...]] = ("token", "login_token")  # one of them is enough
    lists_vehicles: ClassVar[bool] = True

    app_secret_file: Annotated[str, Meta(description="file that holds the key by which the app signs")] = ""
    app_secret: str = ""
    token_file: Annotated[str, Meta(description="file that holds the token of a session of the app")] = ""
    token: str = ""
    login_token_file: Annotated[
        str, Meta(description="file that holds a token of the app's login (EU), which renews a session that has ended")
    ] = ""
    login_token: str = ""
    app_id: Annotated[str, Meta(description="what the app calls itself to the vendor (`x-app-id`)")] = ""
    operator_code: Annotated[str, Meta(description="the app's market (`x-operator-code`)")] = ""
    user_id: Annotated[str, Meta(description="the user of that session, as the vendor numbers it")] = ""
    device_id: Annotated[str, Meta(description="the device of that session (`x-device-identifier`)")] = ""
    client_id: Annotated[str, Meta(description="with `intl`: the client of that session (`x-client-id`)")] = ""
    region: Annotated[Literal["eu", "intl"], Meta(description="which of the vendor's apps the session is of")] = "eu"
    model: Annotated[str, Meta(description="model of every vehicle that has none of its own")] = ""
    poll: SmartPolling | None = None


class Saic(AccountSettings, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="saic"):
    """`[[sources]]` with `kind = "saic"`: one account of the iSmart app of SAIC (MG), at the vendor's own cloud."""

    by_vin: ClassVar[bool] = True
    secrets: ClassVar[tuple[str, ...]] = ("password", "client_secret")
    identifiers: ClassVar[tuple[str, ...]] = ("user",)
    lists_vehicles: ClassVar[bool] = True

    user: Annotated[str, Meta(description="login of the iSmart app: an address of mail, or a number of a phone")] = ""
    user_file: Annotated[str, Meta(description="file that holds the login and nothing else")] = ""
    password_file: Annotated[str, Meta(description="file that holds the password and nothing else")] = ""
    password: str = ""
    country_code: Annotated[str, Meta(description="where the login is a phone: its country, such as `49`")] = ""
    client_id: Annotated[str, Meta(description="name under which the app asks for a token")] = ""
    client_secret_file: Annotated[str, Meta(description="file that holds the app's key to that")] = ""
    client_secret: str = ""
    region: Annotated[Literal["eu", "au"], Meta(description="which of the vendor's clouds it is at")] = "eu"
    least_voltage_v: Annotated[
        float,
        Meta(ge=0, description="12 V battery: below this, a car is not polled by schedule, and by hand once a day [V]"),
    ] = 12.2
    model: Annotated[str, Meta(description="model of every vehicle that has none of its own")] = ""
    poll: WakingPolling | None = None


# fmt: off
Source = (  # a line for each kind
    Segway
    | Hiven
    | Smartcar
    | SaicGateway
    | Saic
    | Smart
)
# fmt: on


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
    display: Display = Display()
    reports: Reports = Reports()
    live: Live = Live()

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
