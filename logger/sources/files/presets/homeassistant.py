"""The history that Home Assistant downloads: a line for each entity and change, in UTC.

Its columns are `entity_id`, `state` and `last_changed` (download button of the history page). Which entity is which
signal, and in which unit, only its owner knows: each is named with `--map`.
"""

from logger.sources.files.options import LongTable
from logger.sources.files.presets.contract import Preset

PRESET = Preset(
    "homeassistant",
    "Home Assistant: the download of its history; each entity needs --map ENTITY=SIGNAL:UNIT",
    zone="UTC",
    long=LongTable("entity_id", "state", "last_changed"),
)
