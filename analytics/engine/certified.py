"""What a battery certificate needs of analyses: figures made anew from a vehicle's rows, and what is known of it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import polars as pl

from analytics.engine.habits import Habits
from analytics.engine.jobs import Wish, analyze
from analytics.engine.load import known
from analytics.frames import WHO
from logger.errors import UnknownName
from logger.settings.schema import Settings
from logger.stores import open_lake


def renew(settings: Settings, vehicle: str, progress: Callable[[str], None] = lambda text: None) -> None:
    """Bring all tables up to date, then make those of this vehicle's battery anew from all of its rows.

    Raises `Retry` while another analysis is under way.
    """
    analyze(settings, Wish(), progress)
    with suppress(UnknownName):  # of what analyses read there is no row, so that there are no figures either
        analyze(settings, Wish(("battery_health",), vehicles=(vehicle,)), progress)


def known_of(settings: Settings, provider: str, vehicle: str) -> dict[str, Any]:
    """Return what its figures follow from beside its rows: `timezone`, `swappable`, the keys of its model's settings.

    And what it is called: `label`, and `model`, empty where nobody tells it. What is null is left out.
    """
    lake, own = open_lake(settings), settings.vehicles.get(vehicle)
    who = pl.DataFrame({"provider": [provider], "vehicle": [vehicle]})
    named = who.join(lake.latest("vehicles"), on=WHO, how="left")
    row = known(named, settings).row(0, named=True)
    label = (own.label if own else None) or named["label"].item() or vehicle
    swappable = Habits(lake, settings, []).of(who)["swappable"].item()
    sheet = msgspec.structs.asdict(settings.model(row["model"] or ""))
    facts = {"timezone": row["timezone"], "swappable": swappable, **sheet}
    told = {name: value for name, value in facts.items() if value is not None}
    return {"label": label, "model": row["model"] or "", **told}
