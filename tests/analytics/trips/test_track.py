"""A trip's track: whole, valid, and silent about private places."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from analytics.stays.places import private
from analytics.trips.track import NAMESPACE, track
from logger.errors import LoggerError, UnknownName
from logger.settings.schema import Place
from logger.stores.lake.lake import Lake
from tests.analytics.driven import BEGIN, stored

SECOND = timedelta(seconds=1)
TRIP = {
    "provider": "segway", "vehicle": "a", "time": BEGIN, "trip_id": "segway/a/1", "started_at": BEGIN,
    "finished_at": BEGIN + 60 * SECOND,
}  # fmt: skip
HOME = Place(lat_deg=52.003, lon_deg=5.0, radius_m=50, private=True)


def fix(second: int, lat_deg: float) -> dict[str, Any]:
    at = BEGIN + second * SECOND
    return {
        "provider": "segway", "vehicle": "a", "time": at, "received_at": at, "via": "push", "clock": "device",
        "lat_deg": lat_deg, "lon_deg": 5.0, "satellites": 9, "fix_valid": True,
    }  # fmt: skip


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path), "log")
    fixes = [fix(10 * place, 52 + place / 1000) for place in range(-2, 10)]
    made.write("location", stored(fixes, table="location"))
    made.replace("trips", stored([TRIP], table="trips"), ["a"], BEGIN, BEGIN + SECOND)
    return made


def segments(document: bytes) -> list[list[str]]:
    root = Xml.fromstring(document)
    assert (root.tag, root.get("version"), root.get("creator")) == (f"{{{NAMESPACE}}}gpx", "1.1", "voltrail")
    named = {"": NAMESPACE}
    return [
        [point.get("lat", "") for point in each.findall("trkpt", named)] for each in root.iterfind(".//trkseg", named)
    ]


def test_a_track_holds_the_positions_of_the_trip_in_order(lake: Lake) -> None:
    document = track(lake, "segway/a/1", private({}))
    assert segments(document) == [[f"{52 + place / 1000:.7f}" for place in range(7)]]
    assert b"<time>2026-03-01T00:00:10Z</time>" in document


def test_a_private_place_cuts_the_track_in_two(lake: Lake) -> None:
    got = segments(track(lake, "segway/a/1", private({"home": HOME})))
    assert got == [["52.0000000", "52.0010000", "52.0020000"], ["52.0040000", "52.0050000", "52.0060000"]]


def test_a_trip_within_a_private_place_has_no_track(lake: Lake) -> None:
    town = Place(lat_deg=52.0, lon_deg=5.0, radius_m=9000, private=True)
    with pytest.raises(LoggerError, match="no position of trip 'segway/a/1' is stored, or may be told"):
        track(lake, "segway/a/1", private({"town": town}))


def test_a_trip_that_is_not_there_is_an_error_that_says_where_to_look(lake: Lake) -> None:
    with pytest.raises(UnknownName, match="voltrail export trips"):
        track(lake, "segway/a/2", private({}))
