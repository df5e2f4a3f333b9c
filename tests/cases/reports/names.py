"""Names that break files and screens, and the units of another country."""

import tempfile
from pathlib import Path

import polars as pl

from logger.decode.messages import decode
from logger.envelope import Batch
from logger.sources.files.read import Options, envelopes, parse_mapping, read_file
from tests.cases.reports.checks import Check, count, one
from tests.cases.reports.situations import Situation, situation
from tests.cases.reports.story import Row, Story
from tests.helpers.segway_pushes import MemoryReceipts

FORMULA, ESCAPE = "=1+cmd|'/c calc'!A0", "\x1b[35mpink\x1b[0m"
HOSTILE = (
    "depot/7", "...", "../../up", "<img src=x onerror=alert(2)>", FORMULA, "@SUM(B2:B9)", "+49 171", "-n", "two\nlines",
    ESCAPE, "🛵 №7 čžš", "n" * 280,
    "o'neill\"; DROP TABLE trips; --", "null", "NaN", "a,b;c\td", "%2e%2e%2f", "C:\\car",
)  # fmt: skip
_TWINS = (("yard", "b/c"), ("yard/b", "c"))  # provider and name, which join to the same words


def _outing(number: int) -> list[Row]:
    story = Story("03-25 06:00", odometer_m=1_000_000.0 * (number + 1)).stands(60).drives(20, km=8, pct=3).stands(60)
    return story.polled("odometer_m", "soc_pct", "lat_deg", "lon_deg", every_s=600)


def _named() -> list[Row]:
    own = [{"vehicle": name, **row} for number, name in enumerate(HOSTILE) for row in _outing(number)]
    twins = [{"provider": provider, "vehicle": name, **row} for provider, name in _TWINS for row in _outing(40)]
    return [*own, *twins]


def _repeated_ids(trips: pl.DataFrame) -> int:
    return trips.height - trips["trip_id"].n_unique()


@situation
def names_that_break_things() -> Situation:
    """Vehicles are called like paths, formulas, tags, options and escape sequences; each drives once."""
    return Situation(
        _named(),
        (
            count("trips", len(HOSTILE) + len(_TWINS)),
            *(count("trips", 1, vehicle=name) for name in HOSTILE),
            *(count("trips", 1, provider=provider, vehicle=name) for provider, name in _TWINS),
            Check("no two trips share a trip_id", "trips", _repeated_ids, 0, 0),
        ),
    )


# ---- units ---------------------------------------------------------------------------------------------------------

_COLUMNS = {
    "total miles": ("odometer_m:mi", 48_210.25), "est. range": ("range_m:mi", 188.5), "mph": ("speed_kmh:mph", 47),
    "outside F": ("ambient_c:degF", 23), "tyre psi": ("tyre_rr_kpa:psi", 38.5), "usable": ("capacity_wh:kWh", 61.7),
    "battery kW out": ("power_w:-kW", 22.4), "battery A out": ("current_a:-A", 61.25),
    "gauge": ("soc_pct:fraction", 0.585),
}  # fmt: skip


def _imported() -> list[Row]:
    """Rows as `voltrail import` makes them of a file with these columns."""
    heads, values = ",".join(["time", "vehicle", *_COLUMNS]), ",".join(str(value) for _, value in _COLUMNS.values())
    mappings = tuple(parse_mapping(f"{name}={to}") for name, (to, _) in _COLUMNS.items())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "us.csv"
        path.write_text(f"{heads}\n2026-03-25T15:00:00Z,miles_psi_and_a_turned_sign,{values}\n")
        slices = list(envelopes(read_file(path, Options(mappings=mappings))))
    made = decode(Batch([*range(1, len(slices) + 1)], slices), {}, MemoryReceipts())
    return [{"table": name, **_known(row)} for name, rows in made.rows.items() for row in rows.iter_rows(named=True)]


def _known(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None and name not in ("sequence", "flags")}


@situation
def miles_psi_and_a_turned_sign() -> Situation:
    """A file in miles, mph, °F, psi, kWh, kW and A with discharge positive, and a charge of 0.585."""
    return Situation(
        _imported(),
        (
            one("status", "odometer_m", 77_586_876, 77_586_878),
            one("status", "range_m", 303_361, 303_362),
            one("status", "speed_kmh", 75.63, 75.65),
            one("status", "ambient_c", -5.01, -4.99),
            one("status", "soc_pct", 58.49, 58.51),
            one("body", "tyre_rr_kpa", 265.4, 265.5),
            one("battery", "power_w", -22_401, -22_399),
            one("battery", "current_a", -61.26, -61.24),
            one("battery", "capacity_wh", 61_699, 61_701),
            count("trips", 0),
        ),
    )
