"""Messages to people: each cause once until it is over, urgent ones also at night, over real HTTP to a target."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from logger.errors import ConfigError
from logger.notify.causes import causes
from logger.notify.notify import Message, is_quiet, tell
from logger.notify.targets import addresses, send
from logger.settings import schema
from logger.settings.load import load_settings
from logger.settings.schema import LakeSettings, Notify, Settings, Sinks, Vehicle
from logger.stores import open_lake
from logger.stores.lake.lake import Lake
from logger.tables import TIME, shaped
from tests.helpers.command_line import voltrail
from tests.helpers.http_server import http_server

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
NIGHT = NOON.replace(hour=23)


class Inbox(BaseHTTPRequestHandler):
    """A webhook that keeps what it is sent; with `status` it refuses."""

    received: list[dict[str, Any]]
    status = 200

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@pytest.fixture
def received() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def target(received: list[dict[str, Any]]) -> Iterator[str]:
    with http_server(Inbox, received=received) as url:
        yield url.replace("http://", "json://")


def make_settings(folder: Path, target: str, quiet: tuple[str, str] = ("", "")) -> Settings:
    return Settings(
        schema.Collector(data_dir=str(folder)),
        Sinks(LakeSettings(path=str(folder / "lake"))),
        vehicles={"1": Vehicle(label="Moped 1")},
        notify=Notify(targets=target, quiet_from=quiet[0], quiet_until=quiet[1]),
    )


def write(store: Lake, table: str, *rows: dict[str, Any]) -> None:
    """Put these rows in the place of all there are."""
    frame = pl.DataFrame([{"provider": "segway", **row} for row in rows], infer_schema_length=None)
    times = [pl.col(name).cast(TIME) for name in ("time", "received_at") if name in frame.columns]
    store.replace(
        table, shaped(frame.with_columns(times), table), None, NOON - timedelta(days=60), NOON + timedelta(days=60)
    )


def charge(percent: float, at: datetime = NOON, vehicle: str = "1") -> dict[str, Any]:
    return {"vehicle": vehicle, "time": at, "soc_pct": percent}


def event(code: str, kind: str = "alert", at: datetime = NOON) -> dict[str, Any]:
    row = {"vehicle": "1", "time": at, "received_at": at, "kind": kind, "code": code}
    return {**row, "state": "appeared", "text": "it happened"}


def titles(messages: list[Message]) -> list[str]:
    return [message.title.removeprefix("voltrail: ") for message in messages]


def test_a_low_charge_is_told_once_by_the_vehicles_name_until_it_has_risen(
    tmp_path: Path, target: str, received: list[dict[str, Any]]
) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    counts = []
    for percent in (19, 18, 22, 19, 26, 19):
        write(store, "forecast", charge(percent))
        counts.append(len(tell(store, settings, NOON)))
    assert counts == [1, 0, 0, 0, 0, 1]
    assert [(each["title"], each["message"]) for each in received] == [
        ("voltrail: Low charge", "Moped 1 (1) is at 19 %")
    ] * 2


def test_what_many_vehicles_have_in_common_is_one_message(tmp_path: Path, target: str, received: list[Any]) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    write(store, "forecast", *(charge(5, vehicle=f"{number}") for number in range(100, 130)))
    (message,) = tell(store, settings, NOON)
    assert message.title == "voltrail: Low charge (30)"
    assert len(received) == 1
    assert received[0]["message"].endswith("… and 10 more")


def test_a_vehicle_without_a_word_for_a_day_is_silent_until_it_speaks(tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    write(store, "forecast", charge(80))
    assert [titles(tell(store, settings, NOON + timedelta(hours=hours))) for hours in (23, 25, 26)] == [
        [],
        ["Silent"],
        [],
    ]
    write(store, "forecast", charge(80, NOON + timedelta(hours=27)))
    assert tell(store, settings, NOON + timedelta(hours=28)) == []
    assert titles(tell(store, settings, NOON + timedelta(hours=52))) == ["Silent"]


@pytest.mark.parametrize(
    ("kind", "code", "title"),
    [
        ("alert", "1", "Moved while locked"),
        ("alert", "2", "Fell over"),
        ("alert", "4", "Fell over"),
        ("fault", "E6", "Fault opened"),
    ],
)
def test_an_event_is_told_once(kind: str, code: str, title: str, tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    write(store, "event", event(code, kind))
    later = NOON + timedelta(minutes=5)
    assert titles(tell(store, settings, later)) == [title]
    assert tell(store, settings, later + timedelta(minutes=15)) == []
    write(store, "event", event(code, kind), event(code, kind, later))
    assert titles(tell(store, settings, later + timedelta(minutes=15))) == [title]


def test_other_alerts_are_no_message(tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    write(store, "event", event("10"), event("4", "component"))
    assert tell(store, settings, NOON + timedelta(minutes=5)) == []


def test_a_wrong_clock_is_told(tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    row = {"vehicle": "1", "time": NOON, "received_at": NOON, "clock": "received", "via": "push", "sequence": 1}
    write(store, "status", row)
    assert titles(tell(store, settings, NOON + timedelta(minutes=5))) == ["Clock off"]


def test_voltrails_own_troubles_are_told(tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    row = {"provider": "none", "vehicle": "none", "time": NOON, "received_at": NOON, "via": "push", "sequence": 1}
    write(store, "collector", {**row, "spool_share": 0.6, "influx_waiting": 20_000})
    assert titles(tell(store, settings, NOON + timedelta(minutes=1))) == ["Spool fills", "Store behind"]
    write(store, "collector", {**row, "spool_share": 0.45, "influx_waiting": 5_000})
    assert tell(store, settings, NOON + timedelta(minutes=2)) == []
    assert titles(tell(store, settings, NOON + timedelta(minutes=20))) == ["Store behind"]  # no heartbeat any more


def test_at_night_what_is_no_emergency_waits_for_the_morning(tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target, quiet=("22:00", "07:00"))
    store = open_lake(settings)
    write(store, "forecast", charge(5, NIGHT))
    write(store, "event", event("1", at=NIGHT))
    assert titles(tell(store, settings, NIGHT + timedelta(minutes=5))) == ["Moved while locked"]
    assert titles(tell(store, settings, NIGHT + timedelta(hours=8, minutes=5))) == ["Low charge"]


def test_quiet_hours_are_local_and_may_be_past_midnight() -> None:
    settings = Settings(
        schema.Collector(timezone="Europe/Berlin"), notify=Notify(quiet_from="22:00", quiet_until="07:00")
    )
    assert [is_quiet(settings, NOON.replace(hour=hour)) for hour in (20, 21, 0, 5, 6, 12)] == [
        False,
        True,
        True,
        True,
        False,
        False,
    ]
    day = msgspec.structs.replace(settings, notify=Notify(quiet_from="12:00", quiet_until="14:00"))
    assert [is_quiet(day, NOON.replace(hour=hour)) for hour in (10, 11, 12, 13)] == [False, True, True, False]


def test_what_could_not_be_sent_is_sent_the_next_time(
    tmp_path: Path, received: list[dict[str, Any]], target: str
) -> None:
    settings = make_settings(tmp_path, "json://127.0.0.1:1/")
    store = open_lake(settings)
    write(store, "forecast", charge(5))
    assert tell(store, settings, NOON) == []
    assert titles(tell(store, make_settings(tmp_path, target), NOON)) == ["Low charge"]
    assert len(received) == 1


class Moody(Inbox):
    """A webhook that answers with these statuses, one after the other; `notes` is what is noted when it is called."""

    statuses: list[int]
    file: Path
    notes: list[str]

    def do_POST(self) -> None:
        self.notes.append(self.file.read_text() if self.file.exists() else "")
        self.status = self.statuses.pop(0)
        super().do_POST()


def test_a_target_that_is_down_gets_what_it_missed_and_the_others_nothing_twice(
    tmp_path: Path, received: list[dict[str, Any]], target: str
) -> None:
    file, late = tmp_path / "notified.json", list[dict[str, Any]]()
    with http_server(Moody, received=late, statuses=[503, 200], file=file, notes=[]) as url:
        settings = make_settings(tmp_path, f"{url.replace('http://', 'json://')}\n{target}\njson://127.0.0.1:1/")
        store = open_lake(settings)
        write(store, "forecast", charge(5))
        for _ in range(3):
            tell(store, settings, NOON)
    assert [each["title"] for each in received] == ["voltrail: Low charge"]
    assert [each["title"] for each in late] == ["voltrail: Low charge"] * 2  # refused, then taken


def test_what_one_message_told_is_noted_before_the_next_is_sent(tmp_path: Path) -> None:
    notes = list[str]()
    with http_server(Moody, received=[], statuses=[200, 200], file=tmp_path / "notified.json", notes=notes) as url:
        settings = make_settings(tmp_path, url.replace("http://", "json://"))
        store = open_lake(settings)
        write(store, "forecast", charge(5), charge(90, NOON - timedelta(days=3), "2"))
        assert titles(tell(store, settings, NOON)) == ["Silent", "Low charge"]
    assert "Silent/2" in notes[1]
    assert "Low charge" not in notes[1]


def test_a_weak_pack_is_told_once_on_whatever_day_of_the_month(tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    begin = NOON.replace(day=1, hour=0)
    verdict = {"vehicle": "1", "port": "1", "time": begin, "method": "verdict", "weak_probability": 0.97}
    write(store, "battery_health", verdict)
    assert [titles(tell(store, settings, begin + timedelta(days=day))) for day in (20, 25, 30)] == [
        ["Pack weak"],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        ("2026-10-25T00:30", True),  # 02:30 for the first time
        ("2026-10-25T01:30", True),  # and again
        ("2026-10-25T05:59", True),
        ("2026-10-25T06:00", False),
        ("2026-03-29T00:59", False),
        ("2026-03-29T01:00", True),  # 03:00: there is no 02:30
        ("2026-03-29T04:59", True),
        ("2026-03-29T05:00", False),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall_when_it_changes(moment: str, quiet: bool) -> None:
    begin = "22:00" if moment.startswith("2026-10") else "02:30"
    settings = Settings(
        schema.Collector(timezone="Europe/Berlin"), notify=Notify(quiet_from=begin, quiet_until="07:00")
    )
    assert is_quiet(settings, datetime.fromisoformat(moment).replace(tzinfo=UTC)) is quiet


def test_half_written_notes_cost_at_most_a_second_message(tmp_path: Path, target: str) -> None:
    settings = make_settings(tmp_path, target)
    store = open_lake(settings)
    write(store, "forecast", charge(5))
    assert len(tell(store, settings, NOON)) == 1
    (tmp_path / "notified.json").write_text('["Low')
    assert len(tell(store, settings, NOON)) == 1
    assert tell(store, settings, NOON) == []


def test_an_empty_lake_gives_no_cause_and_nobody_to_tell_is_no_error(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, "")
    assert causes(open_lake(settings), settings, NOON) == []
    assert tell(open_lake(settings), settings, NOON) == []


def test_a_test_message_goes_to_every_target_and_says_who_took_it(
    tmp_path: Path, received: list[dict[str, Any]], target: str
) -> None:
    (tmp_path / "targets").write_text(f"# mine\n\n{target}\njson://user:secret@127.0.0.1:1/\n")
    (tmp_path / "voltrail.toml").write_text('[notify]\ntargets_file = "targets"\n')
    done = voltrail(tmp_path, "notify", "--test")
    assert done.returncode == 1
    assert "1 of 2 targets took no message" in done.stderr
    assert [each["title"] for each in received] == ["voltrail: test"]
    assert "secret" not in done.stdout + done.stderr
    (tmp_path / "targets").write_text(target)
    assert voltrail(tmp_path, "notify", "--test").returncode == 0


def test_without_anybody_to_tell_the_command_says_what_to_set(tmp_path: Path) -> None:
    done = voltrail(tmp_path, "notify", "--test")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "targets_file" in done.stderr


def test_an_address_that_apprise_does_not_know_is_named_without_its_secret() -> None:
    with pytest.raises(ConfigError, match=r"address 1 \(nonsense://…\)") as raised:
        send("nonsense://secret", "title", "body")
    assert "secret" not in str(raised.value)


def test_a_file_without_an_address_is_an_error() -> None:
    with pytest.raises(ConfigError, match="holds no address"):
        send("# nobody\n", "title", "body")


def test_before_anything_came_nothing_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "targets").write_text("json://127.0.0.1:1/\n")
    (tmp_path / "voltrail.toml").write_text('[notify]\ntargets_file = "targets"\n')
    done = voltrail(tmp_path, "notify")
    assert (done.returncode, done.stdout, done.stderr) == (0, "nothing new\n", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["targets", "voltrail.toml"]


def test_addresses_are_lines_without_comments() -> None:
    assert addresses(" json://a \n# b\n\nmailto://c\n") == ["json://a", "mailto://c"]


@pytest.mark.parametrize(
    ("text", "error"), [('quiet_from = "22:00"', "both"), ('quiet_from = "22"\nquiet_until = "7"', "HH:MM")]
)
def test_quiet_hours_that_are_none_are_an_error(text: str, error: str, tmp_path: Path) -> None:
    (tmp_path / "voltrail.toml").write_text(f"[notify]\n{text}\n")
    with pytest.raises(ConfigError, match=error):
        load_settings(tmp_path / "voltrail.toml")


def test_targets_are_never_printed_with_the_settings(tmp_path: Path) -> None:
    assert "secret" not in repr(make_settings(tmp_path, "json://secret"))
