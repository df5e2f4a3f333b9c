"""One trip's track as GPX 1.1, for any map."""

from datetime import timedelta
from xml.etree import ElementTree as Xml

import polars as pl

from analytics.observations.clocks import clocks, corrected
from analytics.observations.positions import fixes
from logger.errors import LoggerError, UnknownName
from logger.stores.contract import Store

NAMESPACE = "http://www.topografix.com/GPX/1/1"
CLOCK = timedelta(hours=1)  # of a clock that is off by more, nothing is known without the messages of that hour


def track(store: Store, trip_id: str, hidden: pl.Expr) -> bytes:
    """The track of the trip of this id.

    Positions that are `hidden`, as `places.private` tells by `lat_deg` and `lon_deg`, are left out; what lies behind
    them is a segment of its own. Raises `UnknownName` where there is no such trip, `LoggerError` where none of its
    positions may be told.
    """
    found = store.scan("trips").filter(pl.col("trip_id") == trip_id).collect()
    if found.is_empty():
        raise UnknownName(f"there is no trip {trip_id!r}: `voltrail export trips` lists them by trip_id")
    trip = found.row(0, named=True)
    rows = store.scan("location", trip["started_at"] - CLOCK, trip["finished_at"] + CLOCK, [trip["vehicle"]])
    raw = {"location": rows.filter(pl.col("provider") == trip["provider"]).collect()}
    points = fixes(corrected(raw["location"], "location", clocks(raw)).drop_nulls("at"))
    during = points.filter(pl.col("at").is_between(trip["started_at"], trip["finished_at"]))
    told = during.with_columns(segment=hidden.rle_id()).filter(~hidden)
    if told.is_empty():
        raise LoggerError(f"no position of trip {trip_id!r} is stored, or may be told")
    return document(trip_id, told)


def document(name: str, points: pl.DataFrame) -> bytes:
    """A GPX document with one track of this name; `points` are `at` `lat_deg` `lon_deg` `segment`, in order."""
    Xml.register_namespace("", NAMESPACE)
    root = Xml.Element(f"{{{NAMESPACE}}}gpx", version="1.1", creator="voltrail")
    line = Xml.SubElement(root, f"{{{NAMESPACE}}}trk")
    Xml.SubElement(line, f"{{{NAMESPACE}}}name").text = name
    for _, part in points.group_by("segment", maintain_order=True):
        segment = Xml.SubElement(line, f"{{{NAMESPACE}}}trkseg")
        for at, lat, lon in part.select("at", "lat_deg", "lon_deg").iter_rows():
            point = Xml.SubElement(segment, f"{{{NAMESPACE}}}trkpt", lat=f"{lat:.7f}", lon=f"{lon:.7f}")
            Xml.SubElement(point, f"{{{NAMESPACE}}}time").text = at.isoformat().replace("+00:00", "Z")
    Xml.indent(root)
    made: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return made + b"\n"
