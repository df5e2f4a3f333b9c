"""The options of the command line, each with its help; those of several commands are here once."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from logger.errors import ConfigError
from logger.settings.load import load_settings
from logger.settings.schema import ReportKind, Settings


def _table_names() -> list[str]:
    from logger.tables import TABLES  # which imports polars

    return [*TABLES, "gpx"]


def _store_names() -> list[str]:
    return ["lake", "influx"]


HELP = {
    "help_option_names": ["-h", "--help"],
    "terminal_width": None if sys.stdout.isatty() else 10_000,  # a pipe gets one line for each option
    "max_content_width": 100,
}

# ---- of several commands ---------------------------------------------------------------------------------------------

ConfigFile = Annotated[
    Path | None,
    Option("--config", envvar="VOLTRAIL_CONFIG", help="settings file; else ./voltrail.toml if there is one"),
]
Debug = Annotated[bool, Option("--debug", help="log every phase, and print tracebacks")]
AsJson = Annotated[bool, Option("--json", help="print JSON")]
Vehicles = Annotated[list[str] | None, Option("--vehicle", help="only this vehicle; may be given again")]
Since = Annotated[str, Option("--since", help="from this day or time on (ISO 8601)")]
Until = Annotated[str, Option("--until", help="up to, but without, this day or time")]
FromStore = Annotated[str, Option("--from", help="the store to read", autocompletion=_store_names)]

# ---- demo ------------------------------------------------------------------------------------------------------------

VehicleCount = Annotated[int, Option(min=1, max=999, help="how many vehicles")]
DayCount = Annotated[int, Option(min=1, max=28, help="how many days they drive")]
Seed = Annotated[int, Option(help="the same seed makes the same fleet")]
DemoFolder = Annotated[Path, Option(help="folder for settings, log and data")]
Providers = Annotated[Literal["segway", "all"], Option(help="all: cars of other vendors beside the mopeds")]
NoOpen = Annotated[bool, Option("--no-open", help="open nothing at the end")]

# ---- init ------------------------------------------------------------------------------------------------------------

AccountKind = Annotated[str, Option("--kind", help="kind of the account; other than segway: written as a comment")]
ClientId = Annotated[str, Option(help="the platform code that Segway gave you")]
ClientSecretFile = Annotated[str, Option(help="a file that holds its secret and nothing else")]
VehicleNumbers = Annotated[list[str] | None, Option("--vehicle", help="IMEI of a vehicle; may be given again")]
PublicUrl = Annotated[str, Option(help="where the vendor reaches this host, such as https://HOST")]
BaseUrl = Annotated[str, Option(help="another cloud than that of the account's region")]
AccountName = Annotated[str, Option(help="name of the account; else segway")]
Listen = Annotated[str, Option(help="ADDRESS:PORT where pushes come in; else 127.0.0.1:8080")]
DataFolder = Annotated[str, Option(help="folder for all data; else voltrail-data beside the settings")]
SettingsFile = Annotated[Path, Option(help="the file to write")]

# ---- login -----------------------------------------------------------------------------------------------------------

Account = Annotated[str, Argument(metavar="NAME", help="name of the account in the settings")]
Pair = Annotated[bool, Option("--pair", help="answer the vendor's test of the push address for 15 minutes")]

# ---- interval --------------------------------------------------------------------------------------------------------


def _seconds(of: str) -> Any:
    """The option of one value of the upload interval, in the vendor's range."""
    return Option(min=10, max=65_535, metavar="S", help=f"seconds between two reports of {of}")


LocationUnlocked = Annotated[int | None, _seconds("the position while unlocked")]
LocationLocked = Annotated[int | None, _seconds("the position while locked")]
StatusRiding = Annotated[int | None, _seconds("the status while riding")]
StatusIdle = Annotated[int | None, _seconds("the status while unlocked and not riding")]
StatusLocked = Annotated[int | None, _seconds("the status while locked")]
Yes = Annotated[bool, Option("--yes", help="do not ask before writing")]

# ---- check, poll, copy -----------------------------------------------------------------------------------------------

Stores = Annotated[
    tuple[str, str] | None,
    Option(metavar="STORE STORE", help="count the rows of two stores instead", autocompletion=_store_names),
]
Once = Annotated[bool, Option("--once", help="poll now, one time; it may wake a car that sleeps")]
ToStore = Annotated[str, Option("--to", help="the store to fill", autocompletion=_store_names)]

# ---- import ----------------------------------------------------------------------------------------------------------

Files = Annotated[
    list[Path] | None, Argument(metavar="FILE...", help="CSV, Parquet, GPX or a dump; also packed by gzip or zip")
]
Provider = Annotated[str, Option(help="where the data is from; else the column `provider`, else `import`")]
VehicleName = Annotated[str, Option(help="the vehicle's name; else the column `vehicle`")]
Mappings = Annotated[list[str] | None, Option("--map", help="COLUMN=SIGNAL[:UNIT], or A+B=time; may be given again")]
Ignored = Annotated[list[str] | None, Option(help="leave this column out; may be given again")]
OnlyMapped = Annotated[bool, Option("--only-mapped", help="leave out all other columns whose name is no signal")]
Zone = Annotated[str, Option(help="zone of times that carry none, such as Europe/Berlin; and of the vehicle")]
TimeFormat = Annotated[str, Option(help="format of times, as in Python's strptime")]
Preset = Annotated[str, Option("--format", help="the app that wrote the file; see --list-formats")]
ListFormats = Annotated[bool, Option("--list-formats", help="list the apps whose files are known")]
Long = Annotated[
    str, Option(help="ENTITY,STATE,TIME: the columns of a long table; --map ENTITY=SIGNAL[:UNIT] for each entity")
]
Separator = Annotated[
    str, Option(help="what parts cells: comma, semicolon, tab, pipe, space or a character; else found")
]
Decimal = Annotated[str, Option(help="decimal sign of numbers: point or comma; else found")]
Encoding = Annotated[str, Option(help="of the text, such as utf-16 or latin-1; else found")]
Quote = Annotated[str, Option(help="what quotes cells; none: quotes are plain text")]
Compression = Annotated[str, Option(help="gzip, zip or none; else found")]
Columns = Annotated[str, Option(help="A,B,C: the names of the columns, of a file that does not hold them")]
NothingWords = Annotated[list[str] | None, Option("--null", help="another word for nothing; may be given again")]
TrueWords = Annotated[list[str] | None, Option("--true", help="another word for yes; may be given again")]
FalseWords = Annotated[list[str] | None, Option("--false", help="another word for no; may be given again")]
Label = Annotated[str | None, Option(help="what people call the vehicle")]
Model = Annotated[str | None, Option(help="its model, which [models] of the settings may describe")]
Group = Annotated[str | None, Option(help="its group within the fleet")]
Plate = Annotated[str | None, Option(help="its number plate")]
Capacity = Annotated[float | None, Option(min=1, help="capacity of its battery by the data sheet [Wh]")]
LockMeaning = Annotated[
    Literal["use", "doors"] | None, Option("--lock", help="what unlocked means: use, or only its doors")
]
Swappable = Annotated[bool | None, Option(help="whether its packs can be swapped")]
Cadence = Annotated[float | None, Option(min=0.001, help="how often it speaks while parked [s]")]

# ---- export ----------------------------------------------------------------------------------------------------------

TableName = Annotated[
    str, Argument(help="a table, such as status; or gpx: a trip's track", autocompletion=_table_names)
]
OutFile = Annotated[Path | None, Option(help="the file to write; else stdout")]
FileFormat = Annotated[str, Option("--format", help="csv, parquet, ndjson or xlsx")]
TripId = Annotated[str, Option(help="with gpx: the trip_id of a trip")]

# ---- analyze, certify ------------------------------------------------------------------------------------------------

CertifiedVehicle = Annotated[str, Argument(metavar="[VEHICLE]", help="the vehicle, or PROVIDER/VEHICLE")]
Certificate = Annotated[Path | None, Option("--verify", help="a certificate to compute again and compare")]


def analysis_names(complete: Callable[[], list[str]]) -> Any:
    """Return the argument that names analyses; `complete` lists all of them."""
    return Argument(metavar="[NAME]...", help="tables such as trips; else all", autocompletion=complete)


# ---- report ----------------------------------------------------------------------------------------------------------

ReportName = Annotated[ReportKind, Argument(metavar="KIND", help="consumption, battery-health, calibration or fleet")]
PeriodOfReport = Annotated[
    str, Option("--period", help="2026, 2026-10, 2026-W41, a day, or DAY..DAY; else the 30 days up to the newest data")
]
OtherPeriod = Annotated[str, Option("--compare", help="a second period beside it")]
ReportFile = Annotated[Path | None, Option("--out", help="FILE.html, .pdf, .csv or .xlsx; else HTML to stdout")]

# ---- notify ----------------------------------------------------------------------------------------------------------

TestMessage = Annotated[bool, Option("--test", help="send a test message to every target instead")]

# ---- dashboards ------------------------------------------------------------------------------------------------------

DashboardAction = Annotated[
    Literal["build", "check", "push"],
    Argument(help="build: write the files; check: name those that are stale; push: put dashboards into a Grafana"),
]
GrafanaFolder = Annotated[Path, Option("--out", help="folder of Grafana's files")]
GrafanaUrl = Annotated[str, Option("--url", help="with push: the address of Grafana")]
TokenFile = Annotated[Path, Option(help="with push: file that holds the token of a service account")]

# ---- values ----------------------------------------------------------------------------------------------------------


def wants_track(table: str, trip: str) -> bool:
    """Whether the track of a trip is wanted, and not a table. Raises `ConfigError` where only half of it is said."""
    if (table == "gpx") != bool(trip):
        raise ConfigError("a track is `voltrail export gpx --trip ID`, with a trip_id of `voltrail export trips`")
    return table == "gpx"


def config_file(path: Path | None) -> Path | None:
    """Return the settings file: the one that is named, else `./voltrail.toml` if there is one."""
    default = Path("voltrail.toml")
    return path or (default if default.exists() else None)


def settings_of(path: Path | None) -> Settings:
    """Return the settings of this file, else the default ones. Raises `ConfigError`."""
    return load_settings(config_file(path))


def span(since: str, until: str, settings: Settings) -> tuple[datetime | None, datetime | None]:
    """Return the times of `--since` and `--until`, None where not given. Raises `ConfigError`."""
    return _time(since, settings, "--since"), _time(until, settings, "--until")


def check_certify(vehicle: str, out: Path | None, verify: Path | None) -> None:
    """Raise `ConfigError` unless these options of `voltrail certify` fit together."""
    if bool(vehicle) == bool(verify) or (verify and out):
        raise ConfigError("either `voltrail certify VEHICLE --out FILE.json` or `voltrail certify --verify FILE`")


def _time(text: str, settings: Settings, option: str) -> datetime | None:
    from logger.times import parse_moment  # which imports polars

    if not text:
        return None
    try:
        return parse_moment(text, settings.collector.timezone)
    except ConfigError as error:
        raise ConfigError(f"{option} {error}") from error
