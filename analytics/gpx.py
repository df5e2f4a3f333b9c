"""One trip's track as GPX 1.1, for any map."""

from collections.abc import Mapping
from datetime import timedelta
from xml.etree import ElementTree as Xml

import polars as pl

from analytics.clean import fixes
from analytics.places import private
from logger.errors import LoggerError, UnknownName
from logger.settings.schema import Place
from logger.stores.contract import Store

NAMESPACE = "http://www.topografix.com/GPX/1/1"
CLOCK = timedelta(hours=1)  # of a clock that is off by more, nothing is known without the messages of that hour


def track(store: Store, trip_id: str, places: Mapping[str, Place]) -> bytes:
    """The track of the trip of this id.

    A stretch in a private place is left out; what lies behind it is a segment of its own. Raises `UnknownName` where
    there is no such trip, `LoggerError` where none of its positions may be told.
    """
    found = store.scan("trips").filter(pl.col("trip_id") == trip_id).collect()
    if found.is_empty():
        raise UnknownName(f"there is no trip {trip_id!r}: `voltrail export trips` lists them by trip_id")
    trip = found.row(0, named=True)
    rows = store.scan("location", trip["started_at"] - CLOCK, trip["finished_at"] + CLOCK, [trip["vehicle"]])
    points = fixes(rows.filter(pl.col("provider") == trip["provider"]))[0]
    during = points.filter(pl.col("at").is_between(trip["started_at"], trip["finished_at"]))
    told = during.with_columns(segment=private(places).rle_id()).filter(~private(places))
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
