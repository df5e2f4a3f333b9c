"""What every source does, whatever its vendor: one suite over all kinds, against their simulated clouds."""

import ast
import asyncio
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from logger.decode.result import DecodeResult
from logger.envelope import Envelope
from logger.errors import Busy, ConfigError, Forged, LoggerError, LoginNeeded, Retry
from logger.receive.metrics import ReceiverMetrics
from logger.settings.load import parse_settings
from logger.settings.schema import Settings
from logger.signals import SIGNALS
from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.failures import Failure, Reply
from logger.simulator.cloud.serving import CloudServer
from logger.sources import KINDS, accounts
from logger.sources.contract import Account, PollOutcome
from logger.sources.login_check import LoginCheck
from logger.tables import RAW, table
from tests.helpers.segway_pushes import decode_all
from tests.helpers.source_kit import Kit
from tests.helpers.source_kits import KITS

ALL = pytest.mark.parametrize("kit", KITS.values(), ids=KITS)
TROUBLE: list[dict[str, Any]] = [
    {"kind": "http", "code": 401},
    {"kind": "http", "code": 500},
    {"kind": "http", "code": 503},
    {"kind": "truncate"},
    {"kind": "html"},
]
Answer = tuple[Envelope, PollOutcome]


class Client:
    """An account of this kit, and what its simulated cloud answers."""

    def __init__(self, kit: Kit, settings: Settings) -> None:
        (self.account,) = accounts(settings).values()
        cloud = self.account.cloud()
        assert cloud is not None
        self.kit, self.cloud = kit, cloud

    def request(self, query: str, vehicle: str = "") -> Answer:
        async def ask() -> Answer:
            async with httpx.AsyncClient() as http:
                return await self.cloud.request(http, query, vehicle or self.kit.vehicle)

        return asyncio.run(ask())

    def check_login(self) -> LoginCheck:
        async def ask() -> LoginCheck:
            async with httpx.AsyncClient() as http:
                return await self.cloud.check_login(http)

        return asyncio.run(ask())

    def list_vehicles(self) -> tuple[str, ...]:
        async def ask() -> tuple[str, ...]:
            async with httpx.AsyncClient() as http:
                return await self.cloud.list_vehicles(http)

        return asyncio.run(ask())

    def error(self, query: str) -> LoggerError:
        """The error of this query."""
        with pytest.raises(LoggerError) as caught:
            self.request(query)
        return caught.value

    def decode(self, *messages: Envelope) -> DecodeResult:
        return decode_all(*messages, sources={self.account.name: self.account})


@pytest.fixture
def open_client(tmp_path: Path) -> Iterator[Any]:
    servers: list[CloudServer] = []

    def client(kit: Kit, *failures: Failure, cloud: Any = None, **changes: Any) -> Client:
        server = CloudServer(cloud or kit.cloud(*failures))
        server.__enter__()
        servers.append(server)
        folder = tmp_path / str(len(servers))  # its own: it knows when a car was requested last
        kit.prepare(folder)
        return Client(kit, kit.settings(folder, server.base_url, **changes))

    yield client
    for server in servers:
        server.__exit__(None, None, None)


def failing(kit: Kit, query: str, kind: str, **more: Any) -> Failure:
    """A failure of every call of this query."""
    return Failure(kind, path=kit.words[query], count=0, **more)


def first_query(client: Client) -> str:
    return client.cloud.queries[0]


# ---- settings ------------------------------------------------------------------------------------------------------


@ALL
def test_a_misspelt_key_is_named_with_the_nearest_known_one_and_nothing_is_requested(kit: Kit) -> None:
    text = f'[[sources]]\nkind = "{kit.account["kind"]}"\nname = "x"\n{kit.misspelt} = "y"\n'
    with pytest.raises(ConfigError, match=f"{kit.misspelt}.*did you mean.*{kit.misspelt}e"):
        parse_settings(text, Path("voltrail.toml"), {})


@ALL
@pytest.mark.parametrize("base_url", ["no address", "ftp://example.com", "https://"])
def test_an_address_that_is_none_is_named_before_anything_is_requested(kit: Kit, base_url: str, tmp_path: Path) -> None:
    (account,) = accounts(kit.settings(tmp_path, base_url)).values()
    with pytest.raises(ConfigError, match="base_url"):
        account.cloud()


@ALL
def test_no_secret_is_in_the_text_of_an_account_or_its_settings(kit: Kit, tmp_path: Path) -> None:
    settings = kit.settings(tmp_path)
    (account,) = accounts(settings).values()
    texts = [repr(each) for each in (settings.sources, account, account.cloud(), account.webhook, account.consent)]
    assert not [secret for secret in kit.secrets if secret in "".join(texts)]


def test_a_kind_has_a_kit_a_document_and_traits() -> None:
    assert KITS.keys() == {kind.provider for kind in KINDS.values()}


# ---- answers -------------------------------------------------------------------------------------------------------


@ALL
def test_every_query_is_answered_and_kept_byte_for_byte(kit: Kit, open_client: Any) -> None:
    client = open_client(kit)
    for query in client.cloud.queries:
        envelope, outcome = client.request(query)
        assert (envelope.source, envelope.path, envelope.via) == (client.account.name, query, "poll")
        assert envelope.vehicle == kit.vehicle
        assert outcome in ("ok", "unavailable")
        assert msgspec.json.decode(envelope.body)
        assert envelope.path in client.account.shapes


@ALL
def test_every_answer_makes_rows_of_known_signals_in_their_range(kit: Kit, open_client: Any) -> None:
    client = open_client(kit)
    result = client.decode(*(client.request(query)[0] for query in client.cloud.queries))
    assert "quarantine" not in result.rows
    assert result.rows
    for name, rows in result.rows.items():
        assert set(rows.columns) == set(table(name).columns)
        assert set(rows["vehicle"]) == {kit.vehicle}
        for signal in (SIGNALS[each] for each in rows.columns if each in SIGNALS):
            if signal.low is not None and signal.high is not None:
                assert rows[signal.name].drop_nulls().is_between(signal.low, signal.high).all()


@ALL
def test_every_line_of_a_table_leads_to_a_column_of_its_table(kit: Kit, tmp_path: Path) -> None:
    (account,) = accounts(kit.settings(tmp_path)).values()
    for shape in account.shapes.values():
        for rows in shape.rows:
            assert rows.table in RAW
            assert {field.to for field in rows.fields} <= set(table(rows.table).columns)
            assert len({field.to for field in rows.fields}) == len(rows.fields)
        assert not shape.step or shape.step in account.steps


@ALL
def test_a_repeat_and_another_order_make_the_same_rows(kit: Kit, open_client: Any) -> None:
    client = open_client(kit)
    answers = [client.request(query)[0] for query in client.cloud.queries]
    once, again = client.decode(*answers), client.decode(*answers[::-1], *answers)
    keys = {name: table(name).key for name in once.rows}
    for name, rows in once.rows.items():
        assert (
            again.rows[name]
            .select(keys[name])
            .unique()
            .sort(keys[name])
            .equals(rows.select(keys[name]).unique().sort(keys[name]))
        )


@ALL
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"5", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_document_is_in_quarantine_with_its_bytes(kit: Kit, body: bytes, tmp_path: Path) -> None:
    (account,) = accounts(kit.settings(tmp_path)).values()
    for path, shape in account.shapes.items():
        if shape.json:
            message = Envelope(account.name, path, 1_790_000_000_000, "poll", body, kit.vehicle)
            result = decode_all(message, sources={account.name: account})
            assert [row["body"] for row in result.rows["quarantine"].to_dicts()] == [body]


@ALL
def test_fields_that_nobody_knows_change_nothing(kit: Kit, open_client: Any) -> None:
    client = open_client(kit)
    for query in client.cloud.queries:
        answer, _ = client.request(query)
        more = json.dumps({**json.loads(answer.body), "extra": {"a": [1]}, "": None, "x" * 300: 5}).encode()
        assert same_rows(client, answer, msgspec.structs.replace(answer, body=more))


def same_rows(client: Client, left: Envelope, right: Envelope) -> bool:
    first, second = client.decode(left), client.decode(right)
    return first.rows.keys() == second.rows.keys() and all(
        first.rows[name].equals(second.rows[name]) for name in first.rows
    )


@ALL
def test_wrong_types_cost_their_fields_and_are_never_taken_for_values(kit: Kit, open_client: Any) -> None:
    for query in open_client(kit).cloud.queries:
        right = open_client(kit)
        wrong = open_client(kit, failing(kit, query, "wrong_types"))
        expected = right.decode(right.request(query)[0]).rows
        found = wrong.decode(wrong.request(query)[0]).rows
        for name in found.keys() - {"quarantine"}:
            values = [each for each in table(name).values if each in SIGNALS]
            for row in found[name].select(values).to_dicts():
                kept = {column: value for column, value in row.items() if value is not None}
                assert any(kept.items() <= other.items() for other in expected[name].select(values).to_dicts()), kept


NO_NUMBERS = ["1_000", "0x1F", "NaN", "-Infinity", "1,5", "9" * 400, 10**400, -(10**30), [7], {"value": 7}]


def with_numbers(document: Any, new: Any) -> Any:
    """The document with another value in place of each number, and of each text of one; codes of answers stay."""
    if isinstance(document, dict):
        return {key: each if key == "code" else with_numbers(each, new) for key, each in document.items()}
    if isinstance(document, list):
        return [with_numbers(each, new) for each in document]
    is_number = isinstance(document, int | float | str) and not isinstance(document, bool)
    return new if is_number and re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", str(document)) else document


def measured(client: Client, answer: Envelope, new: Any) -> dict[str, Any]:
    """The numbers that this answer still makes where all its numbers are replaced by this."""
    body = json.dumps(with_numbers(json.loads(answer.body), new)).encode()
    result = client.decode(msgspec.structs.replace(answer, body=body))
    reasons = result.rows["quarantine"]["reason"].to_list() if "quarantine" in result.rows else []
    assert not [reason for reason in reasons if "decoder failed" in reason]
    rows = (row for name, rows in result.rows.items() if name != "quarantine" for row in rows.to_dicts())
    found = {name: value for row in rows for name, value in row.items() if name in SIGNALS and value is not None}
    return {name: value for name, value in found.items() if SIGNALS[name].type in ("float", "int")}


@ALL
def test_what_is_no_number_is_none_nor_a_part_of_one(kit: Kit, open_client: Any) -> None:
    for query in open_client(kit).cloud.queries:
        client = open_client(kit)
        answer, _ = client.request(query)
        for new in NO_NUMBERS:
            assert measured(client, answer, new) == {}, new


@ALL
def test_no_power_is_made_of_values_that_cannot_be(kit: Kit, open_client: Any) -> None:
    for query in open_client(kit).cloud.queries:
        client = open_client(kit)
        assert not measured(client, client.request(query)[0], -7).keys() & {"power_w", "charger_power_w", "energy_wh"}


@ALL
def test_the_answer_for_another_vehicle_than_the_requested_one_is_not_stored(kit: Kit, tmp_path: Path) -> None:
    (account,) = accounts(kit.settings(tmp_path)).values()
    for path, shape in account.shapes.items():
        if shape.json and not shape.step and "." not in shape.vehicle:
            message = Envelope(account.name, path, 1_790_000_000_000, "poll", b'{"id": "another"}', kit.vehicle)
            assert decode_all(message, sources={account.name: account}).rows.keys() <= {"quarantine"}


# ---- clouds in trouble ---------------------------------------------------------------------------------------------


@ALL
def test_a_login_that_is_refused_asks_for_a_person_and_says_what_to_check(kit: Kit, open_client: Any) -> None:
    client = open_client(kit, failing(kit, "login", "http", code=401))
    found = client.check_login()
    assert (found.meaning, bool(found.trouble), bool(found.remedy)) == ("refused", True, True)


@ALL
def test_a_right_login_is_found_right_with_the_offset_of_the_clock(kit: Kit, open_client: Any) -> None:
    found = open_client(kit).check_login()
    assert found.meaning == "ok"
    assert found.clock is not None
    assert found.clock.off_s < 2


@ALL
@pytest.mark.parametrize("kind", ["no_answer", "disconnect", "http"])
def test_a_cloud_that_does_not_answer_is_said_to_be_unreachable(kit: Kit, kind: str, open_client: Any) -> None:
    found = open_client(kit, failing(kit, "login", kind, seconds=0)).check_login()
    assert found.meaning == "unreachable"
    assert found.remedy


@ALL
def test_a_refused_query_asks_for_a_person(kit: Kit, open_client: Any) -> None:
    query = first_query(open_client(kit))
    error = open_client(kit, failing(kit, query, "http", code=401)).error(query)
    assert isinstance(error, LoginNeeded)


@ALL
def test_too_many_requests_pause_the_account_for_as_long_as_the_cloud_says(kit: Kit, open_client: Any) -> None:
    query = first_query(open_client(kit))
    error = open_client(kit, failing(kit, query, "http", code=429, seconds=77)).error(query)
    assert isinstance(error, Busy)
    assert error.after == 77


@ALL
@pytest.mark.parametrize("failure", [*TROUBLE[1:3], {"kind": "disconnect"}])
def test_what_may_pass_is_tried_again(kit: Kit, failure: dict[str, Any], open_client: Any) -> None:
    query = first_query(open_client(kit))
    error = open_client(kit, failing(kit, query, **failure)).error(query)
    assert type(error) is Retry
    assert error.after > 0


@ALL
def test_an_answer_that_is_cut_off_is_tried_again(kit: Kit, open_client: Any) -> None:
    query = first_query(open_client(kit))
    assert isinstance(open_client(kit, failing(kit, query, "truncate")).error(query), Retry)


class Changed:
    """A simulated cloud whose every answer is replaced by this one."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def answer(self, request: Request) -> Reply:
        return self._reply


WAITS = [{}, {"Retry-After": "soon"}, {"Retry-After": "-5"}, {"Retry-After": "9" * 30}, {"Retry-After": "NaN"}]
STRANGE = [
    *(Reply(429, b"slow down", wait) for wait in WAITS),
    Reply(302, b"", {"Location": "http://127.0.0.1:9/"}),
    Reply(307, b"", {"Location": "/"}),
    Reply(204, b""),
    Reply(418, b"", {"Date": "yesterday"}),
    Reply(200, b"not packed", {"Content-Encoding": "gzip"}),
    Reply(200, b'{"error":{"message":"internal"},"statusCode":500}'),
    Reply(200, b'{"code":0,"data":null,"access_token":null,"expires_in":"soon"}'),
]


@ALL
@pytest.mark.parametrize("reply", STRANGE, ids=lambda reply: f"{reply.status} {[*reply.headers.items()]}")
def test_whatever_is_answered_ends_in_an_outcome_or_in_an_error_with_a_bounded_wait(
    kit: Kit, reply: Reply, open_client: Any
) -> None:
    client = open_client(kit, cloud=Changed(reply))
    answers, waits = list[Answer](), list[float]()
    try:
        answers.append(client.request(first_query(client)))
    except LoggerError as error:
        waits.append(getattr(error, "after", 1))
    assert all(0 < wait <= 5400 for wait in waits)
    assert all(outcome != "ok" for _, outcome in answers)
    assert client.decode(*(envelope for envelope, _ in answers)).rows.keys() <= {"quarantine"}


LONG_AGO = {"Date": "Thu, 01 Oct 2026 00:00:00 GMT"}  # by a clock that is no longer ours
SIGNED = {"smart": Reply(200, b'{"code":"1445"}', LONG_AGO), "saic": Reply(401, b"", LONG_AGO)}


@pytest.mark.parametrize("provider", SIGNED)
def test_a_refusal_of_what_is_signed_with_our_clock_says_that_it_is_off(provider: str, open_client: Any) -> None:
    client = open_client(KITS[provider], cloud=Changed(SIGNED[provider]))
    error = client.error(first_query(client))
    assert isinstance(error, LoginNeeded)
    assert re.search(r"; this machine's clock is \d+ s (behind|ahead of) the vendor's: set it", str(error))


@ALL
def test_a_page_in_place_of_an_answer_is_kept_and_said_to_be_unreadable(kit: Kit, open_client: Any) -> None:
    query = first_query(open_client(kit))
    client = open_client(kit, failing(kit, query, "html"))
    envelope, outcome = client.request(query)
    assert outcome == "unreadable"
    assert b"<html>" in envelope.body
    assert client.decode(envelope).quarantined == 1


@ALL
def test_no_secret_is_in_an_error_or_the_log(kit: Kit, open_client: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "logger")
    texts = []
    for query in ("login", *open_client(kit).cloud.queries):
        for failure in TROUBLE:
            client = open_client(kit, failing(kit, query, **failure))
            texts += [client.check_login().trouble, *failures_of(client)]
    text = "\n".join([*texts, caplog.text])
    assert texts
    assert not [secret for secret in kit.secrets if secret in text]


def failures_of(client: Client) -> Iterator[str]:
    for query in client.cloud.queries:
        try:
            client.request(query)
        except LoggerError as error:
            yield f"{error!r} {error} {error.__cause__!r}"


@ALL
def test_no_call_controls_a_vehicle(kit: Kit, open_client: Any) -> None:
    cloud = kit.cloud()
    client = open_client(kit, cloud=cloud)
    client.check_login()
    for query in client.cloud.queries:
        client.request(query)
    assert not getattr(cloud, "forbidden", None)


class Recording:
    """A simulated cloud, and what it was asked."""

    def __init__(self, simulated: Any) -> None:
        self._simulated = simulated
        self.requests: list[Request] = []

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        reply: Reply = self._simulated.answer(request)
        return reply


@ALL
def test_all_that_is_sent_reads_or_is_one_of_a_few_that_are_named(kit: Kit, open_client: Any) -> None:
    recording = Recording(kit.cloud())
    client = open_client(kit, cloud=recording)
    client.check_login()
    client.list_vehicles()
    for query in client.cloud.queries:
        client.request(query)
    assert {request.method for request in recording.requests} <= {"GET", "POST"}
    posts = {each.path.replace(kit.vehicle, "CAR") for each in recording.requests if each.method == "POST"}
    assert posts <= kit.posts


CONTROLS = set("lock unlock start stop climate navigation charge-limit ev-preferences control setting".split())
CONTROLS |= set("door find horn lights ptcheat chargectrl reservation scheduledcharging remote-vehicle-control".split())
THE_SETTING = ("interval.py", "/api/v2/vehicle/setting/interval")


def test_no_source_has_a_line_that_would_control_a_vehicle_but_for_one_setting() -> None:
    found = set()
    for path in sorted((Path(__file__).parents[3] / "logger" / "sources").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("/"):
                if set(re.split(r"[/{}?=]+", node.value.lower())) & CONTROLS:
                    found.add((path.name, node.value))
            if isinstance(node, ast.Constant):
                assert node.value not in ("PUT", "PATCH", "DELETE"), path.name
    assert found == {THE_SETTING}


def test_only_a_persons_command_writes_that_setting() -> None:
    room = Path(__file__).parents[3] / "logger"
    users = {
        str(path.relative_to(room))
        for path in room.rglob("*.py")
        if re.search(r"\b(IntervalWriter|SegwayInterval)\b", path.read_text())
    }
    writers = {"sources/contract.py", "sources/segway/account.py", "sources/segway/interval.py"}
    assert users == {*writers, "commands/write_interval.py"}


@ALL
def test_no_secret_is_among_the_metrics(kit: Kit, tmp_path: Path) -> None:
    (account,) = accounts(kit.settings(tmp_path)).values()
    metrics = ReceiverMetrics(lambda: {"depth": {}, "bytes": 0, "max_bytes": 1, "feeders": {}})
    if account.webhook:
        for headers in ({}, {"sc-signature": kit.secrets[0]}):
            with pytest.raises(Forged) as caught:
                account.webhook.accept("POST", next(iter(account.webhook.paths)), headers, b"a=1")
            metrics.count_refusal(account.name, str(caught.value))
    text = metrics.text().decode()
    assert not [secret for secret in kit.secrets if secret in text]


# ---- vehicles ------------------------------------------------------------------------------------------------------

HOSTILE = ["", " ", "../../etc/passwd", "a/b", "a?b=c", "a#b", "ev-1\r\nX: y", "x" * 300, "\u202eev", "none"]


@ALL
@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_that_is_no_vehicle_is_never_one(kit: Kit, name: str, tmp_path: Path) -> None:
    account: Account
    for changes in ({}, {"unknown_vehicles": "accept"}):
        (account,) = accounts(kit.settings(tmp_path, **changes)).values()
        assert account.is_known(kit.vehicle)
        assert not account.is_known(name)
