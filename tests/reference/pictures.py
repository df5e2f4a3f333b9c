"""The pictures of `docs/analytics/`: what the real analyses find in made-up stories, and the truth beside it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import polars as pl

from tests.cases.reports.story import Row, Story
from tests.reference.drawing import Picture
from tests.reference.stories import Told, of_charges, of_energies, of_trips

FOLDER = Path(__file__).parents[2] / "docs" / "analytics"
_ROLES = {"park": "rest", "rest": "rest", "hidden": "amber"}
_SHORT = {"observed": "green", "bridged": "blue", "inferred": "amber"}
_WORDS = {"unplugged": "rest", "charging_ac": "green", "discharging": "amber"}
_STATES = {"parked": "rest", "riding": "blue", "paused": "blue", "charging": "green", "discharging": "amber"}


def pictures() -> dict[str, Callable[[], str]]:
    """What makes the text of every picture, by its file name."""
    return {"trips.svg": trips, "charging.svg": charging, "energy.svg": energy}


# ---- trips ---------------------------------------------------------------------------------------------------------


def trips() -> str:
    """A shared moped that tells its lock, speed and odometer."""
    told = of_trips()
    picture = _picture("What a shared moped reports, and the trips that are found", told)
    _shade(picture, told.rows, timedelta(minutes=10))
    low = told.rows[0]["odometer_m"]
    truth = [(at, (true["odometer_m"] - low) / 1000) for at, true in _true(told.story)]
    dots = [(row["time"], (row["odometer_m"] - low) / 1000) for row in told.rows]
    _ends(picture, picture.curve(("odometer", "km since 08:00"), 90, 0, 14, truth, dots), 90, "14", "0")
    speeds = [(at, true["speed_kmh"]) for at, true in _true(told.story)]
    readings = [(row["time"], row["speed_kmh"]) for row in told.rows]
    _ends(picture, picture.curve(("speed", "km/h"), 60, 0, 40, speeds, readings), 60, "40", "0")
    _lock(picture, told.rows)
    _segments(picture, told)
    _trips(picture, told)
    _drives(picture, told.story)
    picture.axis(told.rows[0]["time"], timedelta(minutes=15))
    return picture.svg()


def _lock(picture: Picture, rows: Sequence[Row]) -> None:
    top = picture.row(22, "lock")
    for begin, end, locked in _spans(rows, "locked", timedelta(minutes=10)):
        picture.bar(top, 22, begin, end, "rest" if locked else "amber", "locked" if locked else "unlocked")


def _segments(picture: Picture, told: Told) -> None:
    top = picture.row(22, "segments", "blue: in use", space=20)
    for since, at, role in told.frames["segments"].select("since", "at", "role").drop_nulls("since").rows():
        picture.bar(top, 22, since, at, _ROLES.get(role, "blue"))


def _trips(picture: Picture, told: Told) -> None:
    top = picture.row(64, "trips found", "with 95 % bounds")
    columns = ("kind", "started_at", "finished_at", "start_uncertainty_s", "finish_uncertainty_s", "distance_m")
    for kind, start, finish, early_s, late_s, way_m in told.frames["trips"].select(columns).rows():
        picture.bar(top, 22, start, finish, _SHORT[kind])
        picture.whisker(top + 7, start, early_s)
        picture.whisker(top + 15, finish, late_s)
        picture.note(top + 42, start, finish, kind, f"{way_m / 1000:.1f} km")


def _drives(picture: Picture, story: Story) -> None:
    top = picture.row(22, "truth", "solid: in motion")
    for locked, legs in groupby(story.legs, lambda leg: leg.state["locked"]):
        whole = list(legs)
        if not locked:
            picture.bar(top, 22, *_times(story, whole[0].begin_s, whole[-1].end_s), "outline")
        for leg in whole:
            if leg.kind == "drive":
                picture.bar(top, 22, *_times(story, leg.begin_s, leg.end_s), "green")


# ---- charging ------------------------------------------------------------------------------------------------------


def charging() -> str:
    """A car that is polled every ten minutes."""
    told = of_charges()
    picture = _picture("What a polled car reports, and the charges and states that are found", told)
    _shade(picture, told.rows, timedelta(hours=1))
    _percents(picture, told)
    truth = [(at, true["power_w"] / 1000) for at, true in _true(told.story)]
    readings = [(row["time"], row["power_w"] / 1000) for row in told.rows]
    _ends(picture, picture.curve(("power", "kW into the battery"), 60, -2, 14, truth, readings), 60, "14", "−2")
    top = picture.row(22, "cable, by words")
    for begin, end, word in _spans(told.rows, "charge_state", timedelta(hours=1)):
        picture.bar(top, 22, begin, end, _WORDS.get(word, "blue"), word)
    _charges(picture, told)
    top = picture.row(22, "states found")
    for state, begin, end in told.frames["states"].select("state", "started_at", "finished_at").rows():
        picture.bar(top, 22, begin, end, _STATES[state], state)
    _doings(picture, told.story)
    picture.axis(told.rows[0]["time"].replace(hour=18, minute=0), timedelta(hours=2))
    return picture.svg()


def _percents(picture: Picture, told: Told) -> None:
    refused = set(told.frames["readings"].filter(told.frames["readings"]["soc_pct"].is_null())["at"])
    dots = [(row["time"], row["soc_pct"]) for row in told.rows if row["time"] not in refused]
    wrong = [(row["time"], row["soc_pct"]) for row in told.rows if row["time"] in refused]
    truth = [(at, true["soc_pct"]) for at, true in _true(told.story)]
    top = picture.curve(("state of charge", "%"), 110, 0, 100, truth, dots, wrong)
    _ends(picture, top, 110, "100", "0")
    picture.note(top + 98, wrong[0][0], wrong[-1][0], "refused: a percent of 0 that comes and goes")


def _charges(picture: Picture, told: Told) -> None:
    top = picture.row(62, "charges found")
    for row in told.frames["charges"].iter_rows(named=True):
        begin, end = row["started_at"], row["finished_at"]
        picture.bar(top, 22, begin, end, "green" if row["kind"] == "charge" else "window")
        rise = f"{row['kind']}: {row['soc_start_pct']:.0f} to {row['soc_finish_pct']:.0f} %"
        low, value, high = (row[f"energy_{name}wh"] / 1000 for name in ("low_", "", "high_"))
        picture.note(top + 40, begin, end, rise, f"{value:.1f} kWh ({low:.1f} to {high:.1f})")


def _doings(picture: Picture, story: Story) -> None:
    top = picture.row(22, "truth", space=30)
    kinds = {"drive": ("blue", "drive"), "charge": ("green", "charge")}
    for leg in story.legs:
        draws = leg.state["charge_state"] == "discharging"
        kind, label = kinds.get(leg.kind, ("amber", "power tool") if draws else ("outline", ""))
        span = _times(story, leg.begin_s, leg.end_s)
        if label:
            picture.bar(top, 22, *span, kind, label)
        if label and not picture.fits(label, *span):
            picture.note(top + 37, *span, label)


# ---- energy --------------------------------------------------------------------------------------------------------


def energy() -> str:
    """A car that tells less from drive to drive."""
    told = of_energies()
    picture = _picture("What a car reports of three equal drives, and the energies that are found", told, shaded=False)
    _readings(picture, told, ("state of charge", "%"), "soc_pct", 110, (50, 90), 1)
    _readings(picture, told, ("power", "kW into the battery"), "power_w", 60, (-12, 2), 1000)
    _energies(picture, told.frames["energies"])
    top = picture.row(22, "truth")
    for leg in told.story.legs:
        if leg.kind == "drive":
            picture.bar(top, 22, *_times(told.story, leg.begin_s, leg.end_s), "green", "5.0 kWh")
    picture.axis(told.story.begin, timedelta(minutes=30))
    return picture.svg()


def _readings(picture: Picture, told: Told, words: tuple[str, str], name: str, height: float,
              ends: tuple[float, float], unit: float) -> None:  # fmt: skip
    """A row of one signal, at most a dot a minute."""
    dots = [(row["time"], row[name] / unit) for row in told.rows if name in row and not row["time"].second]
    truth = [(at, true[name] / unit) for at, true in _true(told.story)]
    low, high = ends
    top = picture.curve(words, height, low, high, truth, dots)
    _ends(picture, top, height, f"{high}", f"{low}".replace("-", "−"))


def _energies(picture: Picture, found: pl.DataFrame) -> None:
    top = picture.row(22, "energies found", space=50)
    columns = ("started_at", "finished_at", "energy_wh", "energy_low_wh", "energy_high_wh", "energy_source")
    for begin, end, wh, low, high, source in found.select(columns).rows():
        picture.bar(top, 22, begin, end, "blue", f"{wh / 1000:.1f} kWh")
        picture.note(top + 38, begin, end, source, f"{low / 1000:.1f} to {high / 1000:.1f} kWh")


# ---- all -----------------------------------------------------------------------------------------------------------


def _picture(title: str, told: Told, *, shaded: bool = True) -> Picture:
    about = "Dots: readings. Green lines and the lowest row: what truly happened."
    about += " Shaded: no message arrived." if shaded else ""
    return Picture(title, about, *_times(told.story, 0, told.story.legs[-1].end_s))


def _ends(picture: Picture, top: float, height: float, high: str, low: str) -> None:
    for y, word in ((top + 9, high), (top + height, low)):
        picture.text(144, y, word, "pale", "end")


def _times(story: Story, begin_s: float, end_s: float) -> tuple[datetime, datetime]:
    return story.begin + timedelta(seconds=begin_s), story.begin + timedelta(seconds=end_s)


def _true(story: Story) -> Iterator[tuple[datetime, Row]]:
    """What is true at the beginning and the end of each leg."""
    for leg in story.legs:
        for second in (leg.begin_s, leg.end_s):
            yield story.begin + timedelta(seconds=second), leg.true(second)


def _shade(picture: Picture, rows: Sequence[Row], longest: timedelta) -> None:
    for row, after in pairwise(rows):
        if after["time"] - row["time"] > longest:
            picture.gap(row["time"], after["time"], "no message")


def _spans(rows: Sequence[Row], signal: str, longest: timedelta) -> Iterator[tuple[datetime, datetime, Any]]:
    """From the first row of a value to the next of another, or to the last before a silence."""
    pairs = [(row, after) for row, after in pairwise(rows) if after["time"] - row["time"] <= longest]
    for (value, _), group in groupby(pairs, lambda pair: (pair[0][signal], _silences(rows, pair[0], longest))):
        known = list(group)
        yield known[0][0]["time"], known[-1][1]["time"], value


def _silences(rows: Sequence[Row], row: Row, longest: timedelta) -> int:
    """How many silences lie before a row."""
    return sum(after["time"] - each["time"] > longest for each, after in pairwise(rows) if after["time"] <= row["time"])
