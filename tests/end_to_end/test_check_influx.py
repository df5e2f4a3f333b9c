"""`voltrail check` of an InfluxDB as its user sees it: what is wrong there, and what to do."""

import json
import signal
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from logger.settings.schema import InfluxSettings
from logger.stores.influx import buckets
from logger.stores.influx.influx import Influx
from tests.end_to_end.test_influx_sink import sink
from tests.helpers.check_setup import Setup
from tests.helpers.command_line import voltrail
from tests.helpers.influx_server import Server, own_server
from tests.logger.stores.influx.test_influx import rows


def check(folder: Path, influx: InfluxSettings, more: str = "") -> list[tuple[str, str, str]]:
    """Return the findings about InfluxDB: level, text, remedy. No secret is printed."""
    Setup(folder).add(sink(influx, folder) + more)
    done = voltrail(folder, "check", "--json")
    secret = influx.token or influx.password
    assert secret not in done.stdout + done.stderr
    found = [each for each in json.loads(done.stdout) if each["about"] == "influx"]
    assert done.returncode == int(any(each["level"] == "error" for each in json.loads(done.stdout)))
    return [(each["level"], each["text"], each["remedy"]) for each in found]


def test_a_good_one_is_well(native: InfluxSettings, tmp_path: Path) -> None:
    with closing(Influx(native)) as store:
        store.write("status", rows("status", {"soc_pct": 1.0}))
    answers, keeps, series = check(tmp_path, native)
    assert answers[1].startswith("InfluxDB ")
    assert keeps == ("ok", f"{native.bucket} keeps rows for ever", "")
    assert series == ("ok", f"{native.bucket} has 1 series", "")


@pytest.mark.parametrize("version", ["auto", "1"])
def test_a_server_that_is_down_is_an_error_and_nothing_is_well(tmp_path: Path, version: str) -> None:
    nowhere = InfluxSettings("http://127.0.0.1:1", "voltrail", "us", token="very-secret", version=version)  # type: ignore[arg-type]
    ((level, text, remedy),) = check(tmp_path, nowhere)
    assert level == "error"
    assert "http://127.0.0.1:1 does not answer" in text
    assert "sinks.influx.url" in remedy


def test_a_wrong_password_or_token_is_an_error(native: InfluxSettings, tmp_path: Path) -> None:
    wrong = {"token": "not-it:not-it"} if native.token else {"password": "not-it"}
    *_, (level, text, remedy) = check(tmp_path, msgspec.structs.replace(native, **wrong))
    assert level == "error"
    assert "check token or password" in text
    assert "sinks.influx" in remedy


def test_a_missing_database_is_a_warning_that_says_how_to_make_it(native: InfluxSettings, tmp_path: Path) -> None:
    *_, (level, text, remedy) = check(tmp_path, msgspec.structs.replace(native, bucket="nobody-made-this"))
    assert (level, text) == ("warning", "nobody-made-this is not there")
    assert "CREATE DATABASE" in remedy or "influx bucket create" in remedy


def test_one_that_keeps_rows_for_less_than_the_settings_say_is_a_warning(influx_server: Server, tmp_path: Path) -> None:
    with influx_server.database() as name:
        influx_server.drop(name)
        settings = influx_server.settings(name, retention_days=30)
        with closing(Influx(settings)) as store:
            buckets.create_missing(store.client, settings)
        *_, (level, text, remedy), _ = check(tmp_path, settings, "retention_days = 90\n")[:-1]
        influx_server.drop(f"{name}/long")
    assert level == "warning"
    assert text == f"{name} keeps rows 30 days; the settings say 90 days"
    assert "retention_days" in remedy


def test_many_series_are_a_warning(influx_server: Server, tmp_path: Path) -> None:
    if influx_server.major == "3":
        pytest.skip("it does not count them")
    with influx_server.database() as name:
        settings = influx_server.settings(name)
        lines = (f"x,vehicle=v{n} n=1 1" for n in range(buckets.MANY_SERIES))
        with closing(Influx(settings)) as store:
            store.client.write(name, "", "\n".join(lines).encode())
        *_, (level, text, remedy) = check(tmp_path, settings)
    assert level == "warning"
    assert f"has {buckets.MANY_SERIES:,} series" in text
    assert "raise the server's limit" in remedy


@pytest.mark.torture
def test_one_that_hangs_is_an_error_within_seconds(tmp_path: Path) -> None:
    with own_server(tmp_path) as place:
        assert place.process
        place.process.send(signal.SIGSTOP)
        folder = tmp_path / "ours"
        folder.mkdir()
        ((level, text, _),) = check(folder, place.settings("voltrail"))
    assert level == "error"
    assert "does not answer as it should: ReadTimeout" in text
