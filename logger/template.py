"""The settings that `voltrail init` writes: commented, complete, with a path prefix that nobody guesses."""

import secrets

_TEXT = """\
# Settings of voltrail. A relative path is relative to this file. An unknown key is an error.

[collector]
listen = "127.0.0.1:8080"      # where pushes come in; put a TLS proxy in front of it
data_dir = "voltrail-data"     # spool, raw messages, lake
raw_days = 90                  # raw messages stay this long, so that a better rule can decode them again
max_bytes = 10_000_000_000     # the spool's limit: beyond it pushes are answered 503, nothing is dropped
path_prefix = "{prefix}"  # part of the address that you register with the vendor; keep it to yourself
timezone = "UTC"               # for local days where a vehicle has no zone of its own

[sinks.lake]
path = "voltrail-data/lake"    # a folder, or the URL of an object store (s3://, az://, gs://)

# One table for each account. Register this base URL with Segway:
#   https://YOUR-HOST{prefix}/segway
[[sources]]
kind = "segway"
name = "segway"
client_id = "A00000"                     # the platform code that Segway gave you
client_secret_file = "segway.secret"     # a file that holds the secret and nothing else; or set
                                         # VOLTRAIL_SEGWAY_CLIENT_SECRET in the environment
vehicles = []                            # the IMEI (15 digits) of each vehicle
# vehicles_file = "fleet.csv"            # or a CSV: vehicle,label,model,group,plate,timezone,in_service
unknown_vehicles = "quarantine"          # what to do with any other: "quarantine", or "accept" it
model = "E-moped"

# Ask the vendor's cloud for what is not pushed (battery, packs); leave the table out to ask nothing.
# [sources.poll]
# riding_s = 60          # seconds between two questions while riding; 0: never
# parked_s = 900
# calls = 20000          # the most in a day; 0: no limit

# What you call a vehicle; all of it may be left out. Out of service, it is asked no more.
# [vehicles."861477038719116"]
# label = "Moped 7"
# plate = "AB-123"
# group = "north"
# in_service = true

# What is known of a model; all of it may be left out.
# [models."E-moped"]
# capacity_wh = 1440
# nominal_voltage_v = 48
# wh_per_km = 31
# top_speed_kmh = 45
# odometer_scale = 1     # 10 for older scooters, which count in 10 m
"""


def settings_text() -> str:
    """A fresh `voltrail.toml`."""
    return _TEXT.format(prefix="/" + secrets.token_urlsafe(16))
