"""The live page in a real server and a real Chromium: behind a token, by itself up to date, and nothing but reading."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
import polars as pl
import pytest
from playwright.sync_api import Browser

from logger.display.formats import Formats
from logger.live.vehicles import LiveVehicle, Snapshot
from logger.settings.load import parse_settings
from logger.settings.schema import Display, Settings
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from logger.tables import shaped
from tests.helpers.accessibility import serious_findings
from tests.helpers.browser import opened
from tests.helpers.live_page import TOKEN, served

HOSTILE = "<script>alert(1)</script>"
_SETTINGS = """
[collector]
data_dir = "data"
[places.Depot]
lat_deg = 52.5
lon_deg = 13.4
radius_m = 200
[places.Home]
lat_deg = 52.6
lon_deg = 13.5
radius_m = 200
private = true
[vehicles.one]
label = "Moped <1>"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = parse_settings(_SETTINGS, tmp_path / "voltrail.toml", {})
    lake, now = open_lake(found), datetime.now(UTC).replace(microsecond=0)
    report(lake, 1, "one", now, soc_pct=80.0, locked=True)
    report(lake, 2, HOSTILE, now - timedelta(days=1), soc_pct=None, locked=True)
    for number, (name, lat, lon) in enumerate((("one", 52.5, 13.4), (HOSTILE, 52.6, 13.5)), 1):
        write(lake, "location", number, vehicle=name, time=now, received_at=now, lat_deg=lat, lon_deg=lon)
    trip = {
        "provider": "made",
        "vehicle": "one",
        "time": now,
        "started_at": now,
        "finished_at": now,
        "distance_m": 1234.0,
    }
    lake.replace("trips", shaped(pl.DataFrame([{**trip, "trip_id": "t"}]), "trips"), None, now, now + timedelta(days=1))
    return found


def report(lake: Lake, sequence: int, vehicle: str, at: datetime, **values: Any) -> None:
    write(lake, "status", sequence, vehicle=vehicle, time=at, received_at=at, **values)


def write(lake: Lake, table: str, sequence: int, **values: Any) -> None:
    row = {"provider": "made", "via": "push", "clock": "device", "sequence": sequence, **values}
    lake.write(table, shaped(pl.DataFrame([row]), table))


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    with served(settings, Formats(Display())) as url:
        yield url


def get(url: str, token: str = TOKEN) -> httpx.Response:
    return httpx.get(url, headers={"authorization": f"Bearer {token}"})


@pytest.mark.parametrize("path", ["/", "/events", "/api/vehicles", "/nothing"])
def test_without_the_token_nothing_is_told(address: str, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": "voltrail-live=wrong"}):
        answer = httpx.get(address + path, headers=headers)
        assert answer.status_code == 401
        assert "one" not in answer.text.replace("none", "").replace("Token", "")


def test_nothing_can_be_changed(address: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = httpx.request(method, f"{address}/api/vehicles", headers={"authorization": f"Bearer {TOKEN}"})
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_the_api_states_every_vehicle_with_stable_names(address: str) -> None:
    answer = get(f"{address}/api/vehicles")
    assert answer.headers["content-type"] == "application/json"
    snapshot = msgspec.json.decode(answer.content, type=Snapshot)
    one = next(each for each in snapshot.vehicles if each.vehicle == "one")
    assert (one.label, one.state, one.soc_pct, one.place) == ("Moped <1>", "parked", 80.0, "Depot")
    assert one.last_trip is not None
    assert one.last_trip.distance_m == 1234.0
    assert set(json.loads(answer.content)) == {"at", "vehicles", "stores", "troubles"}
    assert LiveVehicle.__struct_fields__ == (
        "vehicle", "label", "provider", "age_s", "state", "soc_pct", "odometer_m", "lat_deg", "lon_deg", "place",
        "last_trip",
    )  # fmt: skip


def test_a_position_in_a_private_place_is_not_told(address: str) -> None:
    other = next(each for each in get(f"{address}/api/vehicles").json()["vehicles"] if each["vehicle"] == HOSTILE)
    assert (other["lat_deg"], other["lon_deg"]) == (None, None)


def test_a_page_updates_by_itself_and_runs_no_script_but_its_own(
    browser: Browser, address: str, settings: Settings
) -> None:
    with opened(browser, address, allowed=address) as watched:
        page = watched.page
        watched.troubles.clear()  # Chromium logs the answer 401 to the page without a token
        page.get_by_label("Token").fill(TOKEN)
        page.get_by_role("button", name="Open").click()
        row = page.locator("#vehicles tbody tr", has_text="Moped")
        row.get_by_text("80 %").wait_for()
        report(open_lake(settings), 9, "one", datetime.now(UTC) + timedelta(seconds=1), soc_pct=79.0, locked=True)
        row.get_by_text("79 %").wait_for()
        assert page.locator("#vehicles tbody tr").count() == 2
        assert page.locator("#vehicles").get_by_text(HOSTILE).count() == 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert serious_findings(page) == []
        assert watched.troubles == []


def test_a_wrong_token_is_refused_in_words(browser: Browser, address: str) -> None:
    with opened(browser, address, allowed=address) as watched:
        watched.page.get_by_label("Token").fill("guess")
        watched.page.get_by_role("button", name="Open").click()
        watched.page.get_by_text("That is not the token.").wait_for()


def test_the_page_speaks_german(settings: Settings) -> None:
    with served(settings, Formats(Display(locale="de"))) as url:
        assert "Fahrzeuge jetzt" in get(url).text
