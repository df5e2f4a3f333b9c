"""The text of the settings that `voltrail init` writes: commented, complete, with a random path prefix."""

import json
import secrets

import msgspec

from logger.settings.schema import Collector
from logger.settings.secrets import environment_variable

_COLLECTOR = """\
# Settings of voltrail. A relative path is relative to this file. An unknown key is an error.
# `voltrail check` says what is wrong with them, and what to do.

[collector]
{listen}  # where pushes are received; put a TLS proxy in front of it
{data_dir}  # spool, raw messages, lake
raw_days = 90  # raw messages are kept this long, so that `voltrail replay` can decode them again
max_bytes = 10_000_000_000  # limit of the spool: beyond it pushes are answered 503, nothing is dropped
{path_prefix}  # part of the address that you register; keep it secret
{public_url}  # the host in that address; `voltrail check` tries it
timezone = "UTC"  # for local days where a vehicle has no zone of its own

[sinks.lake]
# path = "voltrail-data/lake"  # the lake: a folder, or the URL of an object store (s3://, az://, gs://)

# A second store, for dashboards; 1.x takes username and password_file instead of org and token_file.
# [sinks.influx]
# url = "http://127.0.0.1:8086"
# org = "fleet"
# bucket = "voltrail"
# token_file = "influx.token"
# retention_days = 0  # days for which it keeps raw rows; 0: for ever
"""
_ACCOUNT = """
# One table for each account. Register this base URL with Segway:
#   {address}
[[sources]]
kind = "segway"
{name}
{client_id}  # the platform code that Segway gave you; its first letter is your region (A, E, U, C)
{client_secret_file}  # holds the secret and nothing else; or set
# {variable} in the environment
{base_url}  # another cloud than that of the region
{vehicles}  # the IMEI (15 digits) of each vehicle
# vehicles_file = "fleet.csv"  # or a CSV: vehicle,label,model,group,plate,timezone,in_service and so on
unknown_vehicles = "quarantine"  # what becomes of messages of others: "quarantine" or "accept"
model = "E-moped"
"""
_POLL = """
# Poll the vendor's cloud for what is not pushed (battery, packs). Without this table it is not polled.
# [sources.poll]
# riding_s = 60  # seconds between two polls of a vehicle while it is ridden; 0: never
# parked_s = 900
# calls = 20000  # most calls in a day; 0: no limit
"""
_MORE = """
# What you call a vehicle, and how it behaves; all of it may be left out. Out of service, it is not polled.
# [vehicles."861477038719116"]
# label = "Moped 7"
# plate = "AB-123"
# group = "north"
# in_service = true
# lock = "use"  # what unlocked means: "use": somebody uses it, "doors": only its doors can be opened
# swappable = true  # whether its packs can be swapped
# cadence_s = 900  # how often it speaks while parked

# A model of vehicles; all of it may be left out.
# [models."E-moped"]
# capacity_wh = 1440
# nominal_voltage_v = 48
# wh_per_km = 31
# top_speed_kmh = 45
# odometer_scale = 1  # 10 for older scooters, whose odometer counts in 10 m

# Places that trips and charges name, and in which each stay is an episode: a circle, or
# polygon = [[lat, lon], ...].
# [places."Depot"]
# lat_deg = 52.5200
# lon_deg = 13.4050
# radius_m = 80
# private = false  # true: positions in it are left out of trips, charges and tracks

# Tell people what needs them: mail, webhooks, chats. `voltrail notify --test` sends a test message.
# [notify]
# targets_file = "notify.targets"  # addresses as Apprise writes them, one a line
# quiet_from = "22:00"  # what is no emergency waits until quiet_until
# quiet_until = "07:00"

# Reports that are made by themselves; without targets_file or folder they go to the targets of [notify].
# [reports]
# weekly = ["fleet"]  # of each week, on Monday: "fleet", "consumption", "battery-health", "calibration"
# monthly = ["consumption", "battery-health"]
# folder = "reports"

# What people see: units, language, numbers.
# [display]
# units = "metric"  # or "imperial"
# locale = "en"  # or "de", or with a country, such as "de-AT"

# A page of all vehicles that updates by itself; whoever knows the token can read it.
# [live]
# listen = "127.0.0.1:8090"
# token_file = "live.token"

# [analytics]
# every_s = 900  # interval at which `voltrail run` analyses new rows; 0: never
# swap_below_pct = 20  # the forecast is when a vehicle falls below it,
# service_at = "06:00"  # and how likely that is when the crew comes, at this local time

# What energy costs at the wall; without it charges have no cost.
# [tariffs]
# currency = "EUR"
# per_kwh = 0.32
# session_fee = 0.0
# efficiency = 0.9  # wall to battery, where no charger measures it
# co2_g_per_kwh = 380  # of your supplier; without it reports state no CO2
# [[tariffs.rates]]  # another price at these local times; the day is the one on which it begins
# begin = "22:00"
# end = "06:00"
# per_kwh = 0.24
# days = ["mon", "tue", "wed", "thu", "fri"]
"""


class Answers(msgspec.Struct, frozen=True):
    """The values of the settings to write; without a `client_id` the account is written as a comment.

    `sample` is that of an account of another kind than Segway's, to be filled in.
    """

    listen: str = "127.0.0.1:8080"
    data_dir: str = "voltrail-data"
    public_url: str = ""
    name: str = "segway"
    client_id: str = ""
    client_secret_file: str = ""
    base_url: str = ""
    vehicles: tuple[str, ...] = ()
    sample: str = ""
    path_prefix: str = msgspec.field(default_factory=lambda: "/" + secrets.token_urlsafe(16))


def settings_text(answers: Answers) -> str:
    """Return the whole of a `voltrail.toml`."""
    collector = _COLLECTOR.format(
        listen=_line("listen", answers.listen),
        data_dir=_line("data_dir", answers.data_dir),
        path_prefix=_line("path_prefix", answers.path_prefix),
        public_url=_line("public_url", answers.public_url, "https://YOUR-HOST"),
    )
    if answers.sample:
        sample = "\n# Fill this in: the document of the source explains it.\n" + answers.sample
        return collector + _comment_out(sample) + _MORE
    reached = Collector(public_url=answers.public_url, path_prefix=answers.path_prefix)
    account = _ACCOUNT.format(
        address=_one_line(reached.push_address(answers.name)),
        variable=_one_line(environment_variable(answers.name, "client_secret")),
        name=_line("name", answers.name),
        client_id=_line("client_id", answers.client_id or "A00000"),
        client_secret_file=_secret_line(answers),
        base_url=_line("base_url", answers.base_url, "http://127.0.0.1:9000"),
        vehicles=f"vehicles = [{', '.join(map(toml_string, answers.vehicles))}]",
    )
    return collector + (account if answers.client_id else _comment_out(account)) + _POLL + _MORE


def toml_string(text: str) -> str:
    """Return this text as a string of TOML: JSON's escapes are TOML's too, except for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _one_line(text: str) -> str:
    """Return the text without line breaks, which would end a comment."""
    return " ".join(text.split())


def _line(key: str, value: str, example: str = "") -> str:
    return f"{key} = {toml_string(value)}" if value else f"# {key} = {toml_string(example)}"


def _secret_line(answers: Answers) -> str:
    example = f"{answers.name}.secret"
    return _line("client_secret_file", answers.client_secret_file or ("" if answers.client_id else example), example)


def _comment_out(text: str) -> str:
    return "".join(line if line.startswith(("#", "\n")) else f"# {line}" for line in text.splitlines(keepends=True))
