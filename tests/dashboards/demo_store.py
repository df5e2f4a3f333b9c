"""The demo's data in a real InfluxDB, and beside its mopeds a car, a bike and a van from a file."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl

from logger.settings.load import load_settings
from logger.settings.schema import InfluxSettings, Settings
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from tests.dashboards.car import BIKE, CAR, MOPED, VAN, VETERAN, troubles, write_vehicles
from tests.helpers.command_line import voltrail

DAYS, VEHICLES = 4, 9
_SETTINGS = """
[vehicles.{bike}]
label = "Bike"
swappable = true

[vehicles.{car}]
label = "Car"
group = "cars & vans"
model = "Estate"

[vehicles.{van}]
label = "Van"
cadence_s = 900
group = "cars & vans"
model = "Estate"

[vehicles.{veteran}]
label = "Veteran"
group = "cars & vans"
model = "Estate"

[models.Estate]
capacity_wh = 40000
wh_per_km = 160

[places.Depot]  # where the van stands
lat_deg = {lat_deg}
lon_deg = {lon_deg}
radius_m = 100

[sinks.influx]
url = "{url}"
bucket = "{bucket}"
username = "{user}"
password_file = "influx.secret"
"""


def fill(folder: Path, influx: InfluxSettings, vehicles: int = VEHICLES, days: int = DAYS) -> Settings:
    """Run the demo in this folder, import a car, analyse, roll up, and copy all into this database."""
    out = folder / "demo"
    size = ("--vehicles", f"{vehicles}", "--days", f"{days}")
    _run(folder, "demo", *size, "--seed", "5", "--out", str(out), "--no-open")
    file = out / "voltrail.toml"
    (out / "influx.secret").write_text(influx.password)
    now = datetime.now(UTC)
    lat_deg, lon_deg = write_vehicles(folder / "vehicles.csv", now, days)
    more = _SETTINGS.format(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        car=_quoted(CAR),
        bike=_quoted(BIKE),
        van=_quoted(VAN),
        veteran=_quoted(VETERAN),
        url=influx.url,
        bucket=influx.bucket,
        user=influx.username,
    )
    file.write_text(file.read_text() + more)
    _run(folder, "import", "vehicles.csv", "--tz", "UTC", "--config", str(file))
    settings = load_settings(file)
    open_lake(settings).write("event", troubles(now))
    _run(folder, "analyze", "--config", str(file))
    _weaken(open_lake(settings), MOPED)
    _run(folder, "rollup", "--config", str(file))
    _run(folder, "copy", "--from", "lake", "--to", "influx", "--config", str(file))
    return settings


def _weaken(lake: Lake, vehicle: str) -> None:
    """Let the newest verdict on this vehicle's pack say that it is weak, which a short demo may lack."""
    verdict = pl.col("method") == "verdict"
    newest = verdict & (pl.col("time") == pl.col("time").filter(verdict).max())
    weak = pl.when(newest).then(0.97).otherwise("weak_probability").alias("weak_probability")
    rows = lake.scan("battery_health", vehicles=[vehicle]).with_columns(weak).collect()
    lake.replace("battery_health", rows, [vehicle], datetime(2000, 1, 1, tzinfo=UTC), datetime.now(UTC))


def _run(folder: Path, *words: str) -> None:
    done = voltrail(folder, *words)
    assert done.returncode == 0, f"voltrail {' '.join(words)}: {done.stderr[-2000:]}"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def create_database(influx: InfluxSettings) -> None:
    """Create the database of these settings."""
    q = f'CREATE DATABASE "{influx.bucket}"'
    httpx.post(f"{influx.url}/query", data={"q": q}, auth=(influx.username, influx.password)).raise_for_status()
