"""All dashboards, in the order in which people meet them; adding one is its module and a line here."""

from collections.abc import Callable, Mapping

from dashboards import (
    battery,
    charging,
    consumption,
    faults,
    fleet,
    operations,
    packs,
    pipeline,
    standby,
    timeline,
    trip,
    trips,
    vehicle,
)
from dashboards.kit.page import Page

PAGES: Mapping[str, Callable[[], Page]] = {
    "fleet": fleet.page,
    "vehicle": vehicle.page,
    "timeline": timeline.page,
    "trips": trips.page,
    "trip": trip.page,
    "consumption": consumption.page,
    "charging": charging.page,
    "battery": battery.page,
    "packs": packs.page,
    "standby": standby.page,
    "faults": faults.page,
    "pipeline": pipeline.page,
    "operations": operations.page,
}


def pages() -> dict[str, Page]:
    """Return every dashboard by the name of its file."""
    return {name: page() for name, page in PAGES.items()}
