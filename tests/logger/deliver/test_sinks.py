"""influxdb-client takes 24 MB of memory: only a process that writes to InfluxDB 2.x or 3.x imports it."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from logger.deliver.sinks import open_feeder
from logger.errors import ConfigError
from logger.settings.load import encode_settings
from logger.spool.open import open_spool
from logger.stores import open_lake
from tests.helpers.data_folder import Rules, append_messages, make_settings, status

AT = 1_790_000_000_000
FEED = """
from logger.deliver.sinks import open_feeder
from logger.deliver.sinks import open_feeder
from logger.errors import ConfigError
from logger.settings.load import decode_settings
from logger.spool.open import open_spool
spool = open_spool(settings := decode_settings(sys.stdin.buffer.read()))
with open_feeder(settings, "lake", spool) as feeder:
    feeder.drain(or_raise=True)
spool.close()
"""
HELP = """
import voltrail
sys.argv[1:] = ["--help"]
try:
    voltrail.main()
except SystemExit as exit:
    assert not exit.code
"""
PROCESSES = [f"import logger.service.{name}" for name in ("supervisor", "main", "receiver", "feeder")]


def imports_influxdb_client(code: str, stdin: bytes = b"") -> bool:
    """Whether a process that runs this code has imported it in the end."""
    watched = f"import sys\n{code}\nprint('influxdb_client' in sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", watched], input=stdin, capture_output=True, check=True, timeout=120)
    return {"True": True, "False": False}[done.stderr.decode().splitlines()[-1]]


def test_a_feeder_of_the_lake_delivers_without_influxdb_client(tmp_path: Path) -> None:
    lake_only = make_settings(tmp_path, Rules())
    append_messages(lake_only, status(AT, 1000))
    assert not imports_influxdb_client(FEED, encode_settings(lake_only))
    assert open_lake(lake_only).scan("status").collect()["odometer_m"].to_list() == [1000.0]


@pytest.mark.parametrize(
    "code", [*PROCESSES, "import analytics.engine.process", "import logger.commands.check.check", HELP]
)
def test_other_processes_and_the_help_start_without_influxdb_client(code: str) -> None:
    assert not imports_influxdb_client(code)


def test_a_sink_that_does_not_exist_is_an_error_that_names_those_there_are(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, Rules())
    with (
        closing(open_spool(settings)) as spool,
        pytest.raises(ConfigError, match="no sink 'lakes'; there are: lake, influx"),
        open_feeder(settings, "lakes", spool),
    ):
        pass


def test_writes_to_later_versions_of_influxdb_do_import_it() -> None:
    assert imports_influxdb_client("import logger.stores.influx.write_api")
