"""The unit that Grafana shows: it follows from the column, as `logger/tables.py` states it, or from its last word."""

from logger.columns import Column
from logger.tables import TABLES

_ROW_TIME = "Time"  # what Grafana calls the time of a row
TIME, WORDS, COUNT, SHARE = "dateTimeAsLocal", "string", "short", "percentunit"
# Units of ours → units of Grafana, which scales them by itself (1,500 m are 1.5 km)
GRAFANA_UNITS = {
    "m": "lengthm",
    "km": "lengthkm",
    "km/h": "velocitykmh",
    "%": "percent",
    "%/d": "suffix: %/d",
    "%/a": "suffix: % a year",
    "Wh": "watth",
    "Wh/km": "suffix: Wh/km",
    "W": "watt",
    "V": "volt",
    "A": "amp",
    "degC": "celsius",
    "s": "dtdurations",
    "d": "suffix: d",
    "deg": "degree",
    "kPa": "pressurekpa",
    "ug/m3": "conμgm3",
    "h": "suffix: h",
    "km/%": "suffix: km per %",
    "mOhm": "suffix: mΩ",
    "Ah": "amph",
    "currency": "none",
    "1": SHARE,
    "": "none",
}
COUNTED = {"cycles", "efc", "months"}  # words of names whose numbers are counts, whole or not, and no shares
# The last word of a name → unit of ours, for figures that a query computes
_LAST_WORDS = {
    "m": "m",
    "km": "km",
    "kmh": "km/h",
    "pct": "%",
    "wh": "Wh",
    "w": "W",
    "v": "V",
    "a": "A",
    "c": "degC",
    "s": "s",
    "h": "h",
    "d": "d",
    "mohm": "mOhm",
    "ah": "Ah",
    "share": "1",
}


def columns() -> dict[str, Column]:
    """Return every column of every table by its name; where tables differ, the first one counts."""
    found: dict[str, Column] = {}
    for table in TABLES.values():
        for column in table.described:
            found.setdefault(column.name, column)
    return found


_COLUMNS = columns()


def unit_of(name: str) -> str:
    """Return Grafana's unit of a field with this name. Raises `KeyError` for a name without a known unit."""
    if name == _ROW_TIME:
        return TIME
    column = _COLUMNS.get(name)
    if column is not None:
        return _unit_of_column(column)
    if "wh_per_km" in name:
        return GRAFANA_UNITS["Wh/km"]
    if "pct_per_day" in name:
        return GRAFANA_UNITS["%/d"]
    if "km_per_pct" in name:
        return GRAFANA_UNITS["km/%"]
    last = name.rpartition("_")[2]
    return GRAFANA_UNITS[_LAST_WORDS[last]] if last in _LAST_WORDS else COUNT


def _unit_of_column(column: Column) -> str:
    if column.type == "time":
        return TIME
    if column.type in ("text", "enum", "words", "bool"):
        return WORDS
    if column.unit == "1" and (column.type == "int" or COUNTED & {*column.name.split("_")}):
        return COUNT
    return GRAFANA_UNITS[column.unit]


def caption(name: str) -> str:
    """Return what a field is called: its words, without the unit, which stands at each value."""
    words = name.split("_")
    if len(words) > 1 and words[-1] in _LAST_WORDS:
        words = words[:-1]
    return _CAPTIONS.get(name, " ".join(words))


_CAPTIONS = {
    "soc_pct": "charge",
    "soc_start_pct": "charge at start",
    "soc_finish_pct": "charge at end",
    "soc_used_pct": "charge used",
    "soc_added_pct": "charge added",
    "soc_lost_pct": "charge lost",
    "started_at": "start",
    "finished_at": "end",
    "wh_per_km": "consumption",
    "wh_per_km_net": "consumption",
    "wh_per_km_low": "at least",
    "wh_per_km_high": "at most",
    "energy_low_wh": "at least",
    "energy_high_wh": "at most",
    "soc_used_low_pct": "charge used at least",
    "soc_used_high_pct": "charge used at most",
    "fade_pct_per_year": "fade",
    "fade_low": "fade at least",
    "fade_high": "fade at most",
    "months_to_80": "months to 80 %",
    "months_to_80_low": "months at least",
    "months_to_80_high": "months at most",
    "soh_low_pct": "at least",
    "soh_high_pct": "at most",
    "pct_per_day": "loss",
    "pct_per_day_low": "at least",
    "pct_per_day_high": "at most",
    "km_per_pct": "reach",
    "km_per_pct_low": "at least",
    "km_per_pct_high": "at most",
    "pack_soc_pct": "charge of the pack",
    "ambient_c": "outside",
    "t10": "10 % sure before",
    "t50": "even odds before",
    "t90": "90 % sure before",
    "below_at_next_service": "low at next service",
    "title": "name",
    _ROW_TIME: "time",
    "n": "points",
}
