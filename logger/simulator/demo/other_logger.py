"""What another logger polled of the demo's mopeds: power and packs, minute by minute, in a file that is imported.

The demo's own polls lie hours apart, since its days last seconds. Batteries need readings of power on trips.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from logger.errors import LoggerError
from logger.simulator.demo.collector import SOURCE
from logger.simulator.vehicle.fleet import Simulation

FILE = "other-logger.csv"
_OF_BATTERY = {"currentPower": "motor_power_w", "vehiclePercent": "bms_soc_pct", "batteryCount": "pack_count"}
_OF_PACK = {
    "batteryPercent": "pack_soc_pct", "batteryVoltage": "pack_voltage_v", "cycleTimes": "pack_cycles",
    "temperatrue": "pack_c",
}  # fmt: skip


def import_readings(folder: Path, simulations: Sequence[Simulation]) -> int:
    """Write the file into the demo's folder and import it with `voltrail import`; return its rows.

    Raises `LoggerError` if the import fails.
    """
    rows = pl.DataFrame([row for each in simulations for row in _rows(each)], infer_schema_length=None)
    if rows.is_empty():
        return 0
    rows.write_csv(folder / FILE)
    options = ["--provider", SOURCE, "--config", str(folder / "voltrail.toml")]
    done = subprocess.run(
        [sys.executable, "-m", "voltrail", "import", str(folder / FILE), *options], capture_output=True, text=True
    )
    if done.returncode:
        raise LoggerError(f"`voltrail import` failed: {done.stderr.strip()}")
    return rows.height


def _rows(simulation: Simulation) -> Iterator[dict[str, Any]]:
    for at, answer in simulation.readings:
        moment = datetime.fromtimestamp(int(at), UTC).isoformat()
        own = {"time": moment, "vehicle": simulation.vehicle, "port": None, **dict.fromkeys(_OF_PACK.values())}
        yield own | _rename(answer, _OF_BATTERY)
        packs = answer["batteryData"]
        assert isinstance(packs, list)
        for pack in packs:
            yield own | {"port": str(pack["batteryPort"])} | _rename(pack, _OF_PACK)


def _rename(values: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {column: values[name] for name, column in names.items()}
