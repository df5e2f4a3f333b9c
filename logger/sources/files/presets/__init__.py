"""The presets of `voltrail import --format`: a module for each app, and a line here."""

from collections.abc import Collection, Mapping

from logger.errors import UnknownName
from logger.sources.files.presets import (
    gpx,
    homeassistant,
    leafspy,
    ovms,
    teslafi,
    teslalogger,
    teslamate,
    torque,
    wheellog,
)
from logger.sources.files.presets.contract import Preset, Sheet
from logger.suggest import nearest

_ALL = (teslamate, teslafi, teslalogger, leafspy, torque, wheellog, homeassistant, ovms, gpx)
PRESETS: Mapping[str, Preset] = {each.PRESET.name: each.PRESET for each in _ALL}


def preset(name: str) -> Preset:
    """Return the preset of this name. Raises `UnknownName`, which lists all."""
    if name not in PRESETS:
        raise UnknownName(f"--format: there is no {name!r}{nearest(name, PRESETS)}: one of {', '.join(PRESETS)}")
    return PRESETS[name]


def sheet_of(chosen: Preset, columns: Collection[str], table: str = "") -> Sheet | None:
    """Return the kind of this app's files that has these columns, or is this table of a dump; None for none."""
    if table:
        return next((each for each in chosen.sheets if each.table == table), None)
    return next((each for each in chosen.sheets if set(each.marks) <= set(columns)), None)


def likely_preset(columns: Collection[str]) -> Preset | None:
    """Return the preset whose files have columns like these."""
    names = set(columns)
    is_long = next((each for each in PRESETS.values() if each.long and names >= set(_names(each))), None)
    return is_long or next((each for each in PRESETS.values() if sheet_of(each, columns)), None)


def _names(chosen: Preset) -> tuple[str, ...]:
    long = chosen.long
    return (long.entity, long.state, long.time) if long else ()
