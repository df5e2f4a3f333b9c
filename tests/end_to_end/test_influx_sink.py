"""A real `voltrail run` with both sinks: what the lake holds, InfluxDB holds."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from logger.live.overview import read_overview
from logger.settings.load import load_settings
from logger.settings.schema import InfluxSettings
from logger.simulator.demo.collector import Collector
from logger.simulator.demo.pushes import request
from logger.simulator.demo.sender import send
from logger.stores import open_lake
from logger.stores.compare import differences
from logger.stores.influx.influx import Influx

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
    settings = load_settings(collector.settings_file)
    with closing(Influx(influx)) as there:
        assert differences(open_lake(settings), there) == []
        assert sum(n for _, n in there.count("status")) == 500
        assert sum(n for _, n in there.count("event")) == 500
    overview = read_overview(settings)
    assert [(each.name, each.waiting, each.failures) for each in overview.sinks] == [("lake", 0, 0), ("influx", 0, 0)]
    assert "Traceback" not in (tmp_path / "run.log").read_text()


def test_a_field_of_another_type_costs_one_row_of_five_thousand_and_the_sink_goes_on(
    native: InfluxSettings, tmp_path: Path
) -> None:
    begin = int(datetime.now(UTC).timestamp()) - 8000
    with closing(Influx(native)) as there:
        foreign = f'status,provider=other,vehicle=other speed_kmh="fast" {(begin + 2500) * 1000}'
        there.client.write(native.bucket, "", foreign.encode())
    collector = Collector(tmp_path, VEHICLES, sink(native, tmp_path))
    with collector:
        sent = [_status(n, begin + n, {"speed": "20"} if n == 2500 else {}) for n in range(5000)]
        assert {answer.status for answer in send(collector.address, sent, 8)} == {200}
        assert {answer.status for answer in send(collector.address, [_status(7, begin + 6000, {})], 1)} == {200}
    settings = load_settings(collector.settings_file)
    with closing(Influx(native)) as there:
        assert there.scan("status", vehicles=VEHICLES).collect().height == 5000
    assert open_lake(settings).scan("status").collect().height == 5001
    (aside,) = open_lake(settings).scan("quarantine").collect().to_dicts()
    assert (aside["source"], aside["path"], aside["vehicle"]) == ("influx", "status", VEHICLES[0])
    assert '"speed_kmh"' in aside["reason"]
    assert "already exists as type string" in aside["reason"]
    assert b'"speed_kmh":' in aside["body"]
    (line,) = [line for line in (tmp_path / "run.log").read_text().splitlines() if "refuses" in line]
    assert f"InfluxDB refuses a row of status of {VEHICLES[0]} at " in line
    assert "field type conflict" in line
    assert [each.failures for each in read_overview(settings).sinks] == [0, 0]


def _status(number: int, at_s: int, more: dict[str, str]) -> bytes:
    fields = {"odometer": str(number), "statusUtcTime": str(at_s), **more}
    return request(VEHICLES[number % len(VEHICLES)], "status", fields)
