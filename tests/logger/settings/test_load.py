import re
from pathlib import Path
from typing import Any

import pytest

from logger.errors import ConfigError, UnknownName
from logger.settings.load import decode_settings, encode_settings, load_settings
from logger.settings.schema import Segway, Settings
from logger.settings.template import Answers, settings_text
from logger.settings.validation import check_settings
from tests.helpers.segway_settings import segway_accounts

SEGWAY = """
[[sources]]
kind = "segway"
name = "city"
client_id = "A20081"
client_secret_file = "city.secret"
"""
GATEWAY = """
[[sources]]
kind = "saic-gateway"
name = "gateway"
base_url = "http://127.0.0.1:8099"
user = "user"
password_file = "city.secret"
vehicles = ["lsjtest0000000001"]
"""
INFLUX = """
[sinks.influx]
url = "http://host:8086"
bucket = "fleet"
org = "fleet"
"""


def write_settings(folder: Path, text: str) -> Path:
    (folder / "city.secret").write_text("s3cret\n")
    path = folder / "voltrail.toml"
    path.write_text(text)
    return path


def test_paths_are_relative_to_the_file_and_the_secret_is_read(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, '[collector]\ndata_dir = "here"\n' + SEGWAY))
    assert settings.data_dir == tmp_path / "here"
    assert settings.sinks.lake.path == str(tmp_path / "here" / "lake")
    assert segway_accounts(settings)[0].client_secret == "s3cret"


def test_an_account_is_polled_as_its_table_says(tmp_path: Path) -> None:
    text = SEGWAY + '[sources.poll]\nriding_s = 30\nparked_s = 0\ncalls = 500\nper = "month"\n'
    (account,) = load_settings(write_settings(tmp_path, text)).polled_sources
    assert account.poll is not None
    assert (account.poll.calls, account.poll.per) == (500, "month")
    assert account.poll.every_s == {"riding": 30, "charging": 120, "offline": 3600, "silent": 1800}


def test_the_url_of_an_object_store_is_not_taken_for_a_path(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, '[sinks.lake]\npath = "s3://fleet/lake"\n'))
    assert settings.sinks.lake.path == "s3://fleet/lake"


@pytest.mark.parametrize(("sign", "shown"), [*((each, each) for each in "[]^|\\"), ("\n", "\\n")])
def test_a_folder_that_the_lake_cannot_be_in_is_refused_with_its_sign(tmp_path: Path, sign: str, shown: str) -> None:
    folder = tmp_path / f"a{sign}b"
    folder.mkdir()
    with pytest.raises(ConfigError, match=re.escape(f"for its {shown}: set data_dir")):
        load_settings(write_settings(folder, ""))


def test_without_a_file_the_data_folder_is_in_the_current_folder() -> None:
    assert load_settings(None).data_dir == Path.cwd() / "voltrail-data"


def test_the_secret_may_come_from_the_environment(tmp_path: Path) -> None:
    path = write_settings(tmp_path, SEGWAY.replace('client_secret_file = "city.secret"', ""))
    settings = load_settings(path, {"VOLTRAIL_CITY_CLIENT_SECRET": "from outside"})
    assert segway_accounts(settings)[0].client_secret == "from outside"


def test_the_platform_code_may_come_from_a_file_or_the_environment_and_is_no_secret(tmp_path: Path) -> None:
    path = write_settings(tmp_path, SEGWAY.replace('client_id = "A20081"', 'client_id_file = "city.code"'))
    (tmp_path / "city.code").write_text("E10001\n")
    assert segway_accounts(load_settings(path))[0].client_id == "E10001"
    path.write_text(SEGWAY.replace('client_id = "A20081"', ""))
    assert segway_accounts(load_settings(path, {"VOLTRAIL_CITY_CLIENT_ID": "E10002"}))[0].client_id == "E10002"


def test_every_declared_secret_is_refused_in_the_settings_whatever_its_name() -> None:
    class Other(Segway, frozen=True, tag_field="kind", tag="other"):
        secrets = ("pin",)
        pin: str = ""

    account: Any = Other(name="city", pin="1234")
    with pytest.raises(ConfigError, match="put it into a file and name that as `pin_file`") as raised:
        check_settings(Settings(sources=(account,)))
    assert "1234" not in str(raised.value)


def test_settings_can_be_printed_without_their_secret(tmp_path: Path) -> None:
    assert "s3cret" not in repr(load_settings(write_settings(tmp_path, SEGWAY)))


def test_settings_reach_a_child_process_unchanged(tmp_path: Path) -> None:
    settings = load_settings(write_settings(tmp_path, SEGWAY + '[models."E-moped"]\nodometer_scale = 10\n'))
    assert decode_settings(encode_settings(settings)) == settings
    assert settings.model("E-moped").odometer_scale == 10
    assert settings.model("another").odometer_scale == 1


def test_what_init_writes_can_be_read_and_no_two_path_prefixes_are_the_same(tmp_path: Path) -> None:
    path = write_settings(tmp_path, settings_text(Answers()))
    (tmp_path / "segway.secret").write_text("x")
    assert len(load_settings(path).collector.path_prefix) > 20
    assert settings_text(Answers()) != settings_text(Answers())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[collector]\nlissten = '127.0.0.1:1'", r"unknown key 'lissten' in \[collector\]; did you mean 'listen'\?"),
        ("[sink.lake]\npath = 'x'", r"unknown key 'sink'.*did you mean 'sinks'"),
        ("[sinks.lake]\npth = 'x'", r"unknown key 'pth' in \[sinks.lake\]; did you mean 'path'"),
        (SEGWAY + "vehicle = []", r"unknown key 'vehicle'.*did you mean 'vehicles'"),
        (SEGWAY + "[sources.poll]\nridding_s = 1", r"unknown key 'ridding_s'.*did you mean 'riding_s'"),
        (SEGWAY + "[models.'X']\ncapacity = 1", r"unknown key 'capacity'.*did you mean 'capacity_wh'"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest_known_one(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message):
        load_settings(write_settings(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[collector]\nraw_days = 'many'", r"collector\.raw_days: Expected `int`"),
        ("[collector]\nraw_days = -1", r"collector\.raw_days"),
        ("[collector]\nlisten = '8080'", "not ADDRESS:PORT"),
        ("[collector]\nlisten = 'localhost:99999'", "not ADDRESS:PORT"),
        ("[collector]\npath_prefix = 'no slash'", "path_prefix"),
        ("[collector]\ntimezone = 'Europe/Nowhere'", "no zone 'Europe/Nowhere'"),
        ("[collector", "not valid TOML"),
        (SEGWAY.replace("segway", "segwey", 1), "unknown kind 'segwey'; did you mean 'segway'"),
        (SEGWAY.replace("city.secret", "nowhere.secret"), r"client_secret_file: cannot read .*nowhere\.secret"),
        (SEGWAY.replace('client_secret_file = "city.secret"', ""), "no client_secret: name a file"),
        (SEGWAY + "client_secret = 'abc'", "a secret does not belong in the settings"),
        (INFLUX + "token = 'abc'", "sinks.influx: a secret does not belong in the settings.*`token_file`"),
        (INFLUX + "password = 'abc'", "sinks.influx: a secret does not belong in the settings.*`password_file`"),
        (INFLUX.replace("//", "//me:s3cret@"), r"sinks\.influx\.url: user and password.*username and password_file"),
        (SEGWAY + "base_url = 'https://me:s3cret@host'", "sources: city: base_url: user and password do not belong"),
        ("[collector]\npublic_url = 'https://me:s3cret@host'", r"collector\.public_url: user and password"),
        (SEGWAY + SEGWAY, "'city' stands twice"),
        (SEGWAY.replace('"city"', '"import"'), "the name 'import'"),
        (SEGWAY.replace('"city"', '"a/b"'), "the name 'a/b'"),
        (SEGWAY + "clients = ['10.0.0.0/33']", "clients: "),
        (SEGWAY + "vehicles = 'all'", "kind segway does not list its vehicles"),
        (SEGWAY + "vehicles = ['a1', 'A1']", "city: 'a1' and 'A1' are one vehicle: write it in one way"),
        (SEGWAY + "vehicles = ['A1']\n[vehicles.a1]\nlabel = 'Car'", "city: 'a1' and 'A1' are one vehicle"),
        (GATEWAY, "gateway: vehicles: a VIN has capital letters: write 'LSJTEST0000000001'"),
    ],
)
def test_what_cannot_work_says_where_and_what_to_do(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as raised:
        load_settings(write_settings(tmp_path, text))
    assert "voltrail.toml" in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert "'abc'" not in str(raised.value)


def test_an_empty_secret_file_is_no_secret(tmp_path: Path) -> None:
    path = write_settings(tmp_path, SEGWAY)
    (tmp_path / "city.secret").write_text("\n")
    with pytest.raises(ConfigError, match="no client_secret"):
        load_settings(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", r"cannot read .*voltrail\.toml: no text in UTF-8, at byte 0; `voltrail init`"),
        (b"a = " + b"[" * 100_000, r"voltrail\.toml: not valid TOML"),
        (b"\x00", r"voltrail\.toml: not valid TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "voltrail.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_settings(tmp_path / "voltrail.toml")


def test_a_folder_in_the_place_of_the_settings_or_a_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^cannot read .*: Is a directory; `voltrail init`"):
        load_settings(tmp_path)
    path = write_settings(tmp_path, SEGWAY)
    (tmp_path / "city.secret").unlink()
    (tmp_path / "city.secret").mkdir()
    with pytest.raises(ConfigError, match=r"client_secret_file: cannot read .*city\.secret: Is a directory$"):
        load_settings(path)


def test_a_file_that_is_not_there_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="voltrail init"):
        load_settings(tmp_path / "nothing.toml")
