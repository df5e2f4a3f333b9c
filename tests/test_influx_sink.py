"""A real `voltrail run` with both sinks: what the lake holds, InfluxDB holds."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from logger import config
from logger.config import InfluxSettings
from logger.copying import differences
from logger.demo.collector import Collector
from logger.demo.pushes import request
from logger.demo.sender import send
from logger.status import overview
from logger.stores import lake
from logger.stores.influx import Influx

VEHICLES = [f"86100000000000{n}" for n in range(10)]


def sink(influx: InfluxSettings, folder: Path) -> str:
    """The lines of `[sinks.influx]`."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = "token" if influx.token else "password"
    (folder / "influx.secret").write_text(influx.token or influx.password)
    who = f'org = "{influx.org}"\n' if influx.token else f'username = "{influx.username}"\n'
    return (
        f'\n[sinks.influx]\nurl = "{influx.url}"\nbucket = "{influx.bucket}"\nversion = "{influx.version}"\n'
        f'{who}{secret}_file = "influx.secret"\n'
    )


def pushes(count: int, begin: int) -> list[bytes]:
    made = []
    for n in range(count):
        fields = {"online": "true", "odometer": str(1000 + n), "statusUtcTime": str(begin + n)}
        made.append(request(VEHICLES[n % 10], "status", fields))
        made.append(
            request(VEHICLES[n % 10], "alert", {"code": "10", "alertStatus": "0", "statusUtcTime": str(begin + n)})
        )
    return made


def test_both_sinks_hold_the_same_when_the_service_has_drained(influx: InfluxSettings, tmp_path: Path) -> None:
    collector = Collector(tmp_path, VEHICLES, sink(influx, tmp_path))
    with collector:
        begin = int(datetime.now(UTC).timestamp()) - 5000
        answers = send(collector.address, pushes(500, begin), 8)
        assert {answer.status for answer in answers} == {200}
    settings = config.load(collector.settings_file)
    with closing(Influx(influx)) as there:
        assert differences(lake(settings), there) == []
        assert sum(n for _, n in there.count("status")) == 500
        assert sum(n for _, n in there.count("event")) == 500
    told = overview(settings)
    assert [(each.name, each.waiting, each.failures) for each in told.sinks] == [("lake", 0, 0), ("influx", 0, 0)]
    assert "Traceback" not in (tmp_path / "run.log").read_text()
