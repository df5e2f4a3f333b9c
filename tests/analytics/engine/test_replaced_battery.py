"""A car that gets another battery: its health begins anew there, whenever that became known."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.analytics.battery_health.fleet_lake import Place

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DAYS, REPLACED = 56, 30  # one charge a day: on this day another battery is in
OLD_WH, NEW_WH, CHARGED_W = 40_000.0, 60_000.0, 5_000.0
LOST = 1.05  # of what goes in
Told = Iterator[tuple[str, dict[str, Any]]]


def row(hour: float, **more: Any) -> dict[str, Any]:
    at = BEGIN + timedelta(hours=hour)
    return {
        "provider": "import", "vehicle": "car", "time": at, "received_at": at, "via": "import", "clock": "server",
        **more,
    }  # fmt: skip


def told(days: Sequence[int]) -> Told:
    """Each day 100 km from eight to ten, then a charge of as much as that took from 18:00 on, polled each half hour."""
    for day in days:
        wh = NEW_WH if day >= REPLACED else OLD_WH
        used_pct, metres = 100 * 15_000 / wh, 1e7 + 1e5 * day
        for half in range(48):
            hour = half / 2
            driven = min(max(hour - 8, 0.0) / 2, 1.0)
            charged = min(max(hour - 18, 0.0) * CHARGED_W / (15_000 * LOST), 1.0)
            charging = 18 <= hour and charged < 1
            soc = 90 - used_pct * (driven - charged)
            yield "status", row(
                24 * day + hour, odometer_m=metres + 1e5 * driven, soc_pct=float(round(soc)), charging=charging,
                plugged=hour >= 18,
            )  # fmt: skip
            yield "battery", row(24 * day + hour, power_w=CHARGED_W if charging else 0.0)


def write(place: Place, days: Sequence[int]) -> None:
    if 0 in days:
        place.write("vehicles", [row(0, timezone="UTC")])
    for name in ("status", "battery"):
        place.write(name, [each for table, each in told(days) if table == name])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Place:
    place = Place(tmp_path_factory.mktemp("whole"))
    write(place, range(DAYS))
    place.analyze()
    return place


def test_its_stint_ends_with_the_last_charge_of_the_old_battery(whole: Place) -> None:
    old, new = whole.made("stints").iter_rows(named=True)
    assert (old["end_reason"], new["start_reason"]) == ("capacity_jump", "capacity_jump")
    assert BEGIN + timedelta(days=REPLACED - 1) < old["finished_at"] < BEGIN + timedelta(days=REPLACED)
    assert BEGIN + timedelta(days=REPLACED) < new["started_at"] < BEGIN + timedelta(days=REPLACED + 1)


def test_verdicts_before_are_of_the_old_battery_and_those_after_of_the_new_one(whole: Place) -> None:
    rows = whole.made("battery_health").filter(method="verdict").sort("time")
    holds = dict(rows.select(pl.col("time").dt.strftime("%m-%d"), "capacity_wh").iter_rows())
    march, april = holds["03-01"], holds["04-01"]
    assert march == pytest.approx(OLD_WH, rel=0.03)
    assert april == pytest.approx(NEW_WH, rel=0.03)
    inside = rows.filter(pl.col("time") >= BEGIN + timedelta(days=REPLACED))
    assert (inside["capacity_low_wh"] < NEW_WH).all()
    assert (inside["capacity_high_wh"] > NEW_WH).all()


@pytest.mark.parametrize("cuts", [(31, 33, 34, 40), (20, 32, 45)])
def test_it_is_the_same_whenever_rows_came(whole: Place, cuts: tuple[int, ...], tmp_path: Path) -> None:
    place = Place(tmp_path)
    for begin, end in zip((0, *cuts), (*cuts, DAYS), strict=True):
        write(place, range(begin, end))
        place.analyze()
    for name in ("stints", "battery_health", "charges", "trips", "consumption"):
        assert_frame_equal(place.made(name), whole.made(name), check_exact=False, rel_tol=1e-9)
