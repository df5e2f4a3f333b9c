"""The client of Smartcar's cloud against a simulated one: tokens, consent, paths, errors, versions 2 and 3."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from logger.envelope import Envelope
from logger.errors import Busy, ConfigError, LoggerError, LoginNeeded, Retry
from logger.settings.schema import Settings, Smartcar
from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.failures import Failure, Reply
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.cloud.smartcar import SmartcarSimulation, error
from logger.simulator.cloud.vendor import document
from logger.sources.contract import PollOutcome
from logger.sources.smartcar.account import SmartcarAccount
from logger.sources.smartcar.api import PATHS, SmartcarCloud
from logger.sources.smartcar.bucket import Bucket
from logger.sources.smartcar.consent import SmartcarConsent
from logger.sources.smartcar.tokens import GrantEnded
from logger.sources.token_file import TokenFile, Tokens
from tests.helpers.segway_pushes import decode_all
from tests.logger.sources.smartcar.kit import ACCESS, CAR, KIT, MANAGEMENT, OTHER, REFRESH, SECRET, cloud, prepare


class Client:
    """A client of a simulated cloud, with its data in a folder."""

    def __init__(self, simulated: SmartcarSimulation, settings: Settings) -> None:
        (source,) = settings.sources
        assert isinstance(source, Smartcar)
        self.simulated, self.settings, self.source, self.folder = simulated, settings, source, settings.data_dir
        self.cloud = SmartcarCloud(source, settings.data_dir)
        self.consent = SmartcarConsent(source, settings.data_dir)

    def request(self, query: str = "state", vehicle: str = CAR, times: int = 1) -> list[tuple[Envelope, PollOutcome]]:
        async def together() -> list[tuple[Envelope, PollOutcome]]:
            async with httpx.AsyncClient() as http:
                return await asyncio.gather(*(self.cloud.request(http, query, vehicle) for _ in range(times)))

        return asyncio.run(together())

    def redeem(self, answer: str) -> list[str]:
        async def act() -> list[str]:
            async with httpx.AsyncClient() as http:
                return list(await self.consent.redeem(http, answer))

        return asyncio.run(act())

    def address(self) -> str:
        async def act() -> str:
            async with httpx.AsyncClient() as http:
                return await self.consent.address(http)

        return asyncio.run(act())

    def vehicles(self) -> tuple[str, ...]:
        async def act() -> tuple[str, ...]:
            async with httpx.AsyncClient() as http:
                return await self.cloud.list_vehicles(http)

        return asyncio.run(act())

    def calls(self, word: str) -> int:
        return sum(count for (called, _), count in self.simulated.calls.items() if called == word)

    def rows(self, table: str, message: Envelope) -> list[dict[str, Any]]:
        account = SmartcarAccount(self.source, self.settings)
        then = msgspec.structs.replace(message, received_at=int(self.simulated.now() * 1000))
        return decode_all(then, sources={account.name: account}).rows[table].to_dicts()


@contextmanager
def connect(
    folder: Path, *failures: Failure, fresh_s: float | None = 3600, settings: Any = None, **more: Any
) -> Iterator[Client]:
    simulated = cloud(*failures, **more)
    if fresh_s is not None:
        prepare(folder, fresh_s=fresh_s)
    with CloudServer(simulated) as server:
        yield Client(simulated, KIT.settings(folder, server.base_url, **(settings or {})))


# ---- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_that_holds_is_used_and_not_renewed(tmp_path: Path) -> None:
    with connect(tmp_path) as client:
        client.request()
        assert client.calls("token") == 0


def test_many_queries_at_once_renew_once_and_the_new_pair_is_on_disk_for_its_owner_alone(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=-1) as client:
        client.request(times=8)
        assert client.calls("token") == 1
        stored = TokenFile(tmp_path, "smartcar").read()
        assert stored is not None
        assert stored.refresh_token == client.simulated.refresh != REFRESH
    assert (tmp_path / "tokens-smartcar.json").stat().st_mode & 0o777 == 0o600


def test_two_processes_that_find_the_same_old_token_renew_once(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=-1) as client:
        client.request()
        other = Client(client.simulated, client.settings)
        other.request()
        assert client.calls("token") == 1


def test_a_token_that_the_cloud_refuses_is_renewed_once_and_the_query_made_again(tmp_path: Path) -> None:
    with connect(tmp_path, Failure("http", path="permissions", code=401)) as client:
        assert client.request()[0][1] == "ok"
        assert client.calls("token") == 1


def test_without_tokens_a_person_is_told_to_log_in(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=None) as client, pytest.raises(LoginNeeded, match="run `voltrail login smartcar`"):
        client.request()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"access_token": 5}', b"\xff"])
def test_a_file_of_tokens_that_cannot_be_read_is_a_lost_one(content: bytes, tmp_path: Path) -> None:
    with connect(tmp_path) as client:
        (tmp_path / "tokens-smartcar.json").write_bytes(content)
        with pytest.raises(LoginNeeded, match="run `voltrail login smartcar`"):
            client.request()


def test_a_consent_that_has_ended_is_said_and_the_dead_token_not_tried_again(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=-1) as client:
        client.simulated.refresh = "another"
        for _ in range(3):
            with pytest.raises(LoginNeeded, match="run `voltrail login smartcar`"):
                client.request()
        assert client.calls("token") == 1


def test_a_cloud_in_trouble_costs_no_token(tmp_path: Path) -> None:
    with connect(tmp_path, Failure("http", path="token", code=500), fresh_s=-1) as client:
        with pytest.raises(Retry):
            client.request()
        assert client.request()[0][1] == "ok"


def test_a_wrong_secret_is_told_from_a_consent_that_has_ended_and_costs_no_token(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=-1, settings={"client_secret": "wrong"}) as client:
        stored = (tmp_path / "tokens-smartcar.json").read_bytes()
        for _ in range(2):  # it is tried again: a person may have mended it at the vendor's
            with pytest.raises(LoginNeeded, match=r"check client_id and client_secret \(HTTP 401, invalid_client\)$"):
                client.request()
        assert client.calls("token") == 2
        assert (tmp_path / "tokens-smartcar.json").read_bytes() == stored


@pytest.mark.parametrize(
    ("reply", "raises", "text"),
    [
        (document({"error": "invalid_grant"}, 401), GrantEnded, "the consent has ended: run `voltrail login smartcar`"),
        (document({"error": "unauthorized_client"}, 400), LoginNeeded, "check client_id and client_secret"),
        (Reply(401, b"<html>"), LoginNeeded, "check client_id and client_secret"),
        (document({"error": "invalid_request"}, 400), Retry, r"and the old one is kept \(HTTP 400, invalid_request\)"),
        (document({"error": "new\x1b[2J"}, 400), Retry, r"and the old one is kept \(HTTP 400\)"),
        (Reply(403, b"<html>"), Retry, r"and the old one is kept \(HTTP 403\)"),
        (Reply(400, b'{"error":'), Retry, r"and the old one is kept \(HTTP 400\)"),
        (Reply(500, b""), Retry, "HTTP 500"),
        (Reply(200, b"", cut_after=-1), Retry, "does not answer as it should"),
    ],
)
def test_a_refused_renewal_says_what_helps_and_costs_no_token(
    reply: Reply, raises: type[LoggerError], text: str, tmp_path: Path
) -> None:
    prepare(tmp_path, fresh_s=-1)
    stored = (tmp_path / "tokens-smartcar.json").read_bytes()
    with CloudServer(refusing(reply)) as server, pytest.raises(raises, match=text) as raised:
        Client(cloud(), KIT.settings(tmp_path, server.base_url)).request()
    assert type(raised.value) is raises
    assert (tmp_path / "tokens-smartcar.json").read_bytes() == stored
    with CloudServer(cloud()) as server:
        assert Client(cloud(), KIT.settings(tmp_path, server.base_url)).request()[0][1] == "ok"


def test_a_file_that_cannot_be_used_now_costs_no_token(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=-1) as client:
        file = tmp_path / "tokens-smartcar.json"
        stored = file.read_bytes()
        file.unlink()
        file.mkdir()  # no file can take its place
        with pytest.raises(LoginNeeded):
            client.request()
        file.rmdir()
        file.write_bytes(stored)
        assert client.simulated.refresh == REFRESH
        assert client.request()[0][1] == "ok"


def test_no_token_is_in_any_text(tmp_path: Path) -> None:
    prepare(tmp_path)
    tokens = TokenFile(tmp_path, "smartcar").read()
    assert ACCESS not in repr(tokens)
    assert REFRESH not in repr(tokens)


# ---- consent -------------------------------------------------------------------------------------------------------


def test_the_address_of_the_consent_has_scopes_that_read_a_mode_and_a_state(tmp_path: Path) -> None:
    with connect(tmp_path, settings={"mode": "simulated"}) as client:
        wish = {name: texts[0] for name, texts in parse_qs(urlsplit(client.address()).query).items()}
    assert (wish["response_type"], wish["client_id"], wish["mode"]) == ("code", "client-1", "simulated")
    assert wish["redirect_uri"] == "https://ours.example/done"
    scopes = wish["scope"].split(" ")
    assert scopes[0] == "required:read_vehicle_info"
    assert all(scope.removeprefix("required:").startswith("read_") for scope in scopes)
    assert len(wish["state"]) >= 16


def test_a_code_becomes_tokens_vehicles_subscriptions_and_connections(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=None) as client:
        lines = client.redeem("good")
        assert lines == [
            f"vehicles: {CAR}, {OTHER}",
            f"{CAR} is subscribed to the webhook",
            f"{OTHER} is subscribed to the webhook",
            "connections of the application: 2 vehicles",
        ]
        assert client.simulated.subscribed == [(CAR, "webhook-1"), (OTHER, "webhook-1")]
        assert client.request()[0][1] == "ok"


def test_version_3_subscribes_each_car_of_the_owner_once(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=None, settings={"api": "v3", "user_id": "user-1"}) as client:
        for _ in range(2):  # a second login finds what is there
            assert client.redeem("good")[1:3] == [
                f"{CAR} is subscribed to the webhook",
                f"{OTHER} is subscribed to the webhook",
            ]
        assert client.simulated.subscribed == [(CAR, "webhook-1"), (OTHER, "webhook-1")]


def test_a_car_that_version_3_does_not_know_is_said_not_to_be_subscribed(tmp_path: Path) -> None:
    failure = Failure("http", path="subscriptions", code=403, count=0)
    with connect(tmp_path, failure, fresh_s=None, settings={"api": "v3", "user_id": "user-1"}) as client:
        assert client.redeem("good")[1] == f"{CAR} could not be subscribed to the webhook"


def test_the_answer_to_another_login_is_refused_before_its_code_is_used(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=None) as client:
        state = parse_qs(urlsplit(client.address()).query)["state"][0]
        with pytest.raises(ConfigError, match="another login"):
            client.redeem("https://ours.example/done?code=good&state=forged")
        assert not client.simulated.calls
        assert client.redeem(f"https://ours.example/done?code=good&state={state}")


def test_a_refused_code_leaves_the_old_tokens_as_they_are(tmp_path: Path) -> None:
    with connect(tmp_path) as client:
        with pytest.raises(LoginNeeded, match="the code is refused"):
            client.redeem("bad")
        assert client.request()[0][1] == "ok"
        assert client.calls("token") == 1


@pytest.mark.parametrize("key", ["client_id", "redirect_uri"])
def test_a_login_without_a_setting_that_it_needs_names_it(key: str, tmp_path: Path) -> None:
    (source,) = KIT.settings(tmp_path, **{key: ""}).sources
    assert isinstance(source, Smartcar)
    with pytest.raises(ConfigError, match=key):
        asyncio.run(SmartcarConsent(source, tmp_path).address(httpx.AsyncClient()))


# ---- answers -------------------------------------------------------------------------------------------------------


def test_only_paths_that_the_owner_permits_are_requested(tmp_path: Path) -> None:
    with connect(tmp_path, permissions=("read_battery", "read_odometer")) as client:
        ((answer, outcome),) = client.request()
        assert outcome == "ok"
        assert [each["path"] for each in json.loads(answer.body)["responses"]] == ["/battery", "/odometer"]
        client.request()
        assert client.calls("permissions") == 1


def test_a_single_path_is_requested_by_itself_and_kept_with_its_headers(tmp_path: Path) -> None:
    with connect(tmp_path, permissions=("read_odometer",)) as client:
        ((answer, outcome),) = client.request()
        assert (outcome, client.calls("single"), client.calls("state")) == ("ok", 1, 0)
        (item,) = json.loads(answer.body)["responses"]
        assert (item["path"], item["code"]) == ("/odometer", 200)
        assert set(item["headers"]) == {"sc-data-age", "sc-fetched-at", "sc-unit-system"}
        (row,) = client.rows("status", answer)
        assert row["odometer_m"] == pytest.approx(item["body"]["distance"] * 1000)
        assert row["clock"] == "device"


def test_where_permissions_are_not_known_all_paths_are_tried(tmp_path: Path) -> None:
    with connect(tmp_path, Failure("http", path="permissions", count=0, code=500)) as client:
        ((answer, _),) = client.request("details")
        assert len(json.loads(answer.body)["responses"]) == len(PATHS["details"])


def test_a_batch_without_any_value_is_no_answer(tmp_path: Path) -> None:
    with connect(tmp_path, permissions=("read_tires", "read_diagnostics")) as client:
        assert client.request("details")[0][1] == "unsupported"


def test_all_vehicles_are_listed(tmp_path: Path) -> None:
    with connect(tmp_path, settings={"vehicles": "all"}) as client:
        assert client.vehicles() == (CAR, OTHER)
        assert client.cloud.polls_all


def test_version_3_speaks_for_itself_and_names_the_user(tmp_path: Path) -> None:
    with connect(tmp_path, fresh_s=None, settings={"api": "v3", "user_id": "user-1"}) as client:
        assert client.cloud.queries == ("signals",)
        ((answer, outcome),) = client.request("signals", times=1)
        assert outcome == "ok"
        assert client.vehicles() == (CAR, OTHER)
        assert client.calls("token") == 1
        rows = client.rows("status", answer)
        assert {row["soc_pct"] is not None for row in rows} == {True}
        assert not (tmp_path / "tokens-smartcar.json").exists()


def test_all_signals_of_a_car_fit_into_an_answer(tmp_path: Path) -> None:
    data = [{"attributes": {"code": f"made-up-{n}", "status": {"value": "ERROR"}}} for n in range(2000)]
    reply = Reply(200, json.dumps({"data": data}).encode(), {"Content-Type": "application/json"})
    assert len(reply.body) > 100_000
    simulated = cloud()
    with CloudServer(Fixed(reply)) as server:
        client = Client(simulated, KIT.settings(tmp_path, server.base_url))
        prepare(tmp_path)
        assert client.request()[0][1] == "unreadable"  # no batch, and read to its end


class Fixed:
    """A cloud that answers everything with one reply."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def answer(self, _: Request) -> Reply:
        return self._reply


def test_version_3_without_a_user_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="user_id"):
        connect(tmp_path, settings={"api": "v3"}).__enter__()


# ---- errors --------------------------------------------------------------------------------------------------------


class Failing(SmartcarSimulation):
    """A cloud that answers every request of one word with one error."""

    failing: Reply
    word: str

    def reply(self, word: str, car: str, request: Request) -> Reply:
        return self.failing if word == self.word else super().reply(word, car, request)


def refusing(reply: Reply, word: str = "token") -> SmartcarSimulation:
    """A cloud that answers this to every request of the word."""
    simulated = cloud()
    simulated.__class__ = Failing
    assert isinstance(simulated, Failing)
    simulated.failing, simulated.word = reply, word
    return simulated


def answer_to(reply: Reply, folder: Path) -> PollOutcome:
    simulated = refusing(reply, "state")
    prepare(folder)
    with CloudServer(simulated) as server:
        return Client(simulated, KIT.settings(folder, server.base_url)).request()[0][1]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (error(403, "PERMISSION", None), "unsupported"),
        (error(404, "RESOURCE_NOT_FOUND", "PATH"), "unsupported"),
        (error(409, "VEHICLE_STATE", "ASLEEP"), "unavailable"),
        (error(400, "CONNECTED_SERVICES_ACCOUNT", "NO_VEHICLES"), "unavailable"),
        (error(430, "BILLING", "VEHICLE_REQUEST_LIMIT"), "unsupported"),
        (error(501, "COMPATIBILITY", "MAKE_NOT_COMPATIBLE"), "unsupported"),
        (error(502, "UPSTREAM", "RATE_LIMIT"), "unavailable"),
        (error(599, "UPSTREAM", None), "unavailable"),
        (Reply(501, b""), "unsupported"),
        (Reply(430, b"<html>"), "unsupported"),
    ],
)
def test_an_error_of_one_vehicle_holds_up_no_other(reply: Reply, outcome: str, tmp_path: Path) -> None:
    assert answer_to(reply, tmp_path) == outcome


@pytest.mark.parametrize(
    ("reply", "kind", "after"),
    [
        (error(429, "RATE_LIMIT", "VEHICLE", **{"Retry-After": "900"}), Retry, 900),
        (error(429, "RATE_LIMIT", "SMARTCAR_API", **{"Retry-After": "30"}), Busy, 30),
        (error(429, "RATE_LIMIT", "SMARTCAR_API"), Busy, 60),
        (error(500, "SERVER", "INTERNAL"), Retry, 10),
        (error(400, "VALIDATION", None), Retry, 60),
    ],
)
def test_an_error_that_passes_says_how_long_to_wait_and_whether_all_must(
    reply: Reply, kind: type[Retry], after: float, tmp_path: Path
) -> None:
    with pytest.raises(Retry) as caught:
        answer_to(reply, tmp_path)
    assert (type(caught.value), caught.value.after) == (kind, after)


@pytest.mark.parametrize("code", ["VEHICLE_LIMIT", "INVALID_PLAN", "ACCOUNT_SUSPENDED"])
def test_an_error_of_the_plan_asks_for_a_person(code: str, tmp_path: Path) -> None:
    with pytest.raises(LoginNeeded, match=code):
        answer_to(error(430, "BILLING", code), tmp_path)


def test_the_text_of_an_error_is_kept_and_makes_no_row(tmp_path: Path) -> None:
    with connect(tmp_path, Failure("http", path="state", count=0, code=404)) as client:
        ((answer, _),) = client.request()
        assert answer.body == b'{"error":"simulated"}'


# ---- limits --------------------------------------------------------------------------------------------------------


def test_a_query_costs_what_its_paths_cost_and_the_last_tenth_of_the_plan_is_kept(tmp_path: Path) -> None:
    with connect(tmp_path, settings={"calls_per_vehicle": 500}) as client:
        assert client.cloud.costs == {"state": 4, "details": 6}
        assert client.cloud.calls_per_vehicle == 450


def test_the_bucket_of_requests_refills_by_two_in_a_minute() -> None:
    bucket = Bucket(0.0)
    bucket.take("cars", 120, 0.0)
    with pytest.raises(Busy) as caught:
        bucket.take("cars", 4, 60.0)
    assert caught.value.after == pytest.approx(60)
    bucket.take("cars", 4, 120.0)


def test_an_empty_bucket_sends_nothing(tmp_path: Path) -> None:
    with connect(tmp_path) as client:
        client.cloud._bucket.take("cars", 120, time.monotonic())
        with pytest.raises(Busy):
            client.request()
        assert not client.simulated.calls


def test_the_secrets_of_the_kit_are_those_of_the_account() -> None:
    assert {SECRET, MANAGEMENT} <= set(KIT.secrets)
    assert Tokens("a", "b", 0.0).renew_at == 0
