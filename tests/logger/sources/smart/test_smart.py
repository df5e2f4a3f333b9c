"""Smart: signed requests, sessions that end, one car at a time, and what real cars sent."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from logger.decode.result import DecodeResult
from logger.envelope import Envelope
from logger.errors import Busy, ConfigError, LoginNeeded, Retry
from logger.settings.load import parse_settings
from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.failures import Failure, Reply
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.cloud.smart import SmartSimulation
from logger.sources import accounts
from logger.sources.contract import Account, Cloud, PollOutcome
from logger.sources.numbers import number
from logger.sources.smart.codes import Backoff
from logger.sources.smart.hosts import FIRST, SECOND, Hosts
from logger.sources.smart.signature import sign
from tests.conftest import SHARED
from tests.helpers.segway_pushes import decode_all
from tests.helpers.small_letters import in_small_letters
from tests.helpers.source_kits import account_of
from tests.logger.sources.smart.kit import CAR, KIT, LOGIN, OTHER, TOKEN, cloud

FOLDER = SHARED / "data" / "payloads" / "smart"
NONCE, AT_MS = "0123456789abcdef", 1_706_028_240_000
SELECTION = b'{"vin": "TESTVIN0000000001", "sessionToken": "tok", "language": ""}'


class Served:
    """A simulated cloud that is served, and an account at it."""

    def __init__(self, simulated: SmartSimulation, folder: Path, base_url: str, **changes: Any) -> None:
        self.simulated, self._folder, self._base_url, self._changes = simulated, folder, base_url, changes
        self.account = self._account()
        self.cloud = self._cloud()

    def _account(self) -> Account:
        (account,) = accounts(KIT.settings(self._folder, self._base_url, **self._changes)).values()
        return account

    def _cloud(self) -> Cloud:
        found = self.account.cloud()
        assert found is not None
        return found

    def restart(self) -> None:
        """The service begins anew."""
        self.account = self._account()
        self.cloud = self._cloud()

    def request(self, *calls: tuple[str, str]) -> list[tuple[Envelope, PollOutcome]]:
        """The answers to these queries of these cars, all at once."""

        async def ask() -> list[tuple[Envelope, PollOutcome]]:
            async with httpx.AsyncClient() as http:
                return list(await asyncio.gather(*(self.cloud.request(http, *call) for call in calls)))

        return asyncio.run(ask())

    def outcome(self, query: str = "status", car: str = CAR) -> PollOutcome:
        ((_, outcome),) = self.request((query, car))
        return outcome

    def calls(self, word: str) -> int:
        return sum(count for (each, _), count in self.simulated.calls.items() if each == word)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    servers: list[CloudServer] = []

    def start(*failures: Failure, login: str = "", token: str = TOKEN, **more: Any) -> Served:
        simulated = cloud(*failures, login=login, **more)
        server = CloudServer(simulated)
        servers.append(server)
        server.__enter__()
        return Served(simulated, tmp_path, server.base_url, token=token, login_token=login)

    yield start
    for server in servers:
        server.__exit__(None, None, None)


# ---- signatures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "signature"),
    [
        (
            "GET",
            "/remote-control/vehicle/status/soc/TESTVIN0000000001",
            "setting=charging",
            b"",
            "lnrrDEZvp3ca/7XtOhl/V95f0Nk=",
        ),
        (
            "GET",
            "/remote-control/vehicle/status/TESTVIN0000000001",
            "latest=True&target=basic%2Cmore&userId=112233",
            b"",
            "RCFYpQZJZjScgB/baO8AHBY/v7A=",
        ),
        ("POST", "/device-platform/user/session/update", "", SELECTION, "cXDSD7bYRDGH7M/JOln7ez7Kemk="),
    ],
)
def test_a_request_is_signed_as_the_vendor_signs_it(
    method: str, path: str, query: str, body: bytes, signature: str
) -> None:
    assert sign("test-secret", method, path, query, body, NONCE, AT_MS) == signature


def test_the_digest_of_a_body_is_that_of_its_very_bytes() -> None:
    assert base64.b64encode(hashlib.md5(SELECTION).digest()) == b"cYiXHca36GBXS/mT9o9cOw=="
    compact = json.dumps(json.loads(SELECTION), separators=(",", ":")).encode()
    signatures = {sign("k", "POST", "/p", "", body, NONCE, AT_MS) for body in (SELECTION, compact)}
    assert len(signatures) == 2


def test_a_wrong_key_is_a_matter_for_a_person_and_is_tried_once(tmp_path: Path) -> None:
    simulated = cloud()
    with CloudServer(simulated) as server:
        served = Served(simulated, tmp_path, server.base_url, app_secret="another")
        with pytest.raises(LoginNeeded, match="signature wrong: check app_secret"):
            served.outcome()
    assert served.calls("vehicles") == 1


# ---- sessions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["app_id", "operator_code", "user_id", "device_id", "token"])
def test_a_setting_that_is_missing_is_named_before_anything_is_requested(key: str, tmp_path: Path) -> None:
    (account,) = accounts(KIT.settings(tmp_path, **{key: ""})).values()
    with pytest.raises(ConfigError, match=rf"smart: {key}: "):
        account.cloud()


def test_a_session_that_has_ended_needs_a_person_who_reads_what_to_do(serve: Any) -> None:
    served = serve()
    served.simulated.tokens.clear()
    with pytest.raises(LoginNeeded, match="session has ended: take token_file"):
        served.outcome()


def test_a_session_is_renewed_where_there_is_a_login_and_kept_over_a_restart(serve: Any) -> None:
    served = serve(login=LOGIN, token="")
    assert served.outcome() == "ok"
    served.restart()
    assert served.outcome() == "ok"
    assert served.calls("session") == 1
    served.simulated.tokens.clear()
    assert served.outcome() == "ok"
    assert served.calls("session") == 2


def test_a_login_that_is_refused_is_not_tried_again(serve: Any) -> None:
    served = serve(login=LOGIN, token="")
    served.simulated.forget_login()
    for _ in range(3):
        with pytest.raises(LoginNeeded, match="login_token"):
            served.outcome()
    assert served.calls("session") == 1


def test_ten_requests_at_once_renew_a_session_once(serve: Any) -> None:
    served = serve(login=LOGIN)
    served.simulated.tokens.clear()
    assert [outcome for _, outcome in served.request(*[("status", CAR)] * 10)] == ["ok"] * 10
    assert served.calls("session") == 1


# ---- cars ------------------------------------------------------------------------------------------------------------


def test_requests_of_two_cars_at_once_do_not_mix_them_up(serve: Any) -> None:
    served = serve()
    answers = served.request(*[("status", car) for car in (CAR, OTHER) * 4])
    for (envelope, outcome), car in zip(answers, (CAR, OTHER) * 4, strict=True):
        assert outcome == "ok"
        assert json.loads(envelope.body)["data"]["vehicleStatus"]["configuration"]["vin"] == car


def test_a_car_stays_selected_until_another_one_or_another_session_is(serve: Any) -> None:
    served = serve()
    for query in ("status", "state", "limit"):
        served.outcome(query)
    assert served.calls("select") == 1


def test_a_session_that_has_forgotten_its_car_is_told_again(serve: Any) -> None:
    served = serve()
    served.outcome()
    served.simulated.forget_car()
    assert served.outcome() == "ok"
    assert served.calls("select") == 2


def test_a_car_of_somebody_else_is_said_to_be_unavailable(serve: Any) -> None:
    assert serve().outcome(car="TESTVIN0000000009") == "unavailable"


def test_the_cars_of_an_account_are_listed(serve: Any) -> None:
    async def ask(found: Cloud) -> tuple[str, ...]:
        async with httpx.AsyncClient() as http:
            return await found.list_vehicles(http)

    for kind in (SmartSimulation, InSmallLetters):
        assert asyncio.run(ask(serve(kind=kind).cloud)) == (CAR, OTHER)


class InSmallLetters(SmartSimulation):
    """A cloud that writes VINs in small letters."""

    def reply(self, word: str, car: str, request: Request) -> Reply:
        return in_small_letters(super().reply(word, car, request), CAR, OTHER)


@pytest.mark.parametrize(
    ("series", "region", "host"),
    [("HX11", "eu", FIRST), ("HC11", "eu", FIRST), ("HY11", "eu", SECOND), ("", "eu", FIRST), ("HY11", "intl", FIRST)],
)
def test_the_series_of_a_car_tells_its_host(series: str, region: str, host: str) -> None:
    (account,) = KIT.settings(Path("nowhere"), "", region=region).sources
    assert Hosts(account).of_car(series) == host  # type: ignore[arg-type]


def test_a_5_has_messages_of_its_own_since_its_current_is_in_tenths(serve: Any) -> None:
    ((envelope, _),) = serve(series="HY11").request(("status", CAR))
    assert envelope.path == "status-5"


def test_at_a_fast_charger_its_measurements_are_beside_the_status(serve: Any) -> None:
    served = serve(on_direct_current=True)
    ((envelope, outcome),) = served.request(("status", CAR))
    assert (outcome, served.calls("direct-current")) == ("ok", 1)
    (battery,) = decode_all(envelope, sources={"smart": served.account}).rows["battery"].to_dicts()
    assert (battery["voltage_v"], battery["current_a"], battery["power_w"]) == (400, 150, 60_000)
    assert (battery["charger_kind"], battery["charger_power_w"]) == ("dc", 60_000)


def test_without_its_measurements_the_status_alone_is_stored(serve: Any) -> None:
    served = serve(Failure("http", path="direct-current", count=0), on_direct_current=True)
    ((envelope, outcome),) = served.request(("status", CAR))
    assert (outcome, b"answers" in envelope.body) == ("ok", False)


def test_elsewhere_direct_current_is_not_requested(serve: Any) -> None:
    served = serve()
    served.outcome()
    assert served.calls("direct-current") == 0


def test_the_journal_is_granted_once_where_the_session_that_this_ends_can_be_renewed(serve: Any) -> None:
    served = serve(login=LOGIN)
    assert [served.outcome("journal") for _ in range(3)] == ["ok"] * 3
    assert (served.calls("grant"), served.calls("session")) == (1, 1)


def test_the_journal_is_not_granted_where_that_would_end_the_session_for_good(serve: Any) -> None:
    served = serve()
    assert served.outcome("journal") == "unavailable"
    assert served.calls("grant") == 0
    assert served.outcome("status") == "ok"


# ---- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [(1400, "unsupported"), (1405, "unsupported"), (8040, "unavailable"), (8153, "unavailable"), (9999, "unreadable")],
)
def test_the_vendors_codes_have_the_right_outcome(code: int, expected: str, serve: Any) -> None:
    assert serve(Failure("code", path="status", code=code, count=0)).outcome() == expected


def test_a_vendor_who_wants_time_gets_it(serve: Any) -> None:
    with pytest.raises(Retry) as caught:
        serve(Failure("code", path="status", code=7065)).outcome()
    assert caught.value.after == 600


def test_each_refusal_waits_longer_than_the_one_before_and_each_answer_shortens_that(serve: Any) -> None:
    backoff = Backoff()
    assert [backoff.refused() for _ in range(3)] == [120, 180, 270]
    for _ in range(20):
        backoff.refused()
    assert backoff.refused() == 5400
    for _ in range(100):
        backoff.shorten()
    assert backoff.refused() == 120
    with pytest.raises(Busy) as caught:
        serve(Failure("http", path="status", code=403)).outcome()
    assert caught.value.after == 120


def test_a_region_without_the_host_of_firmware_is_not_asked_again_soon(serve: Any) -> None:
    assert serve(Failure("http", path="firmware", code=403)).outcome("firmware") == "unsupported"


def test_an_interval_below_a_minute_is_an_error() -> None:
    text = '[[sources]]\nkind = "smart"\nname = "s"\n[sources.poll]\nriding_s = 30\n'
    with pytest.raises(ConfigError, match=r"riding_s: 30 is too short .* write 60 or more"):
        parse_settings(text, Path("voltrail.toml"), {})


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (b'{"chargerState": "2", "engineStatus":"engine_off"}', "charging"),
        (b'{"chargerState": "0", "engineStatus":"engine_running"}', "riding"),
        (b'{"chargerState": "25","engineStatus":"engine_off"}', "parked"),
        (b'{"chargerState": "25"}', "parked"),
        (b'{"code": "8153"}', None),
    ],
)
def test_the_state_of_a_car_is_seen_before_its_status_is_decoded(body: bytes, state: str | None) -> None:
    assert account_of("smart").glance(Envelope("smart", "status", 0, "poll", body, CAR)).state == state


@pytest.mark.parametrize("value", ["nan", "inf", "x", None, True, [1], {}])
def test_what_is_no_number_is_none(value: object) -> None:
    assert number(value) is None


# ---- real cars -------------------------------------------------------------------------------------------------------


def recorded(name: str) -> bytes:
    path = FOLDER / name
    if not path.is_file():
        pytest.skip(f"no recordings: {path} is not there")
    return path.read_bytes()


def decode(body: bytes, path: str, received: str, vehicle: str = "TestVIN0000000001") -> DecodeResult:
    at = int(datetime.fromisoformat(received).timestamp() * 1000)
    account = account_of("smart", unknown_vehicles="accept")
    return decode_all(Envelope("smart", path, at, "poll", body, vehicle), sources={"smart": account})


def test_the_status_of_a_real_car_decodes_to_what_it_said() -> None:
    rows = decode(recorded("vehicle_info.json"), "status", "2024-01-23T16:45:00Z").rows
    (status,), (body,), (place,) = (rows[name].to_dicts() for name in ("status", "body", "location"))
    assert str(status["time"]) == "2024-01-23 16:44:00+00:00"
    assert (status["soc_pct"], status["odometer_m"], status["range_m"], status["range_full_m"]) == (
        47,
        500_000,
        128_000,
        330_000,
    )
    assert (status["locked"], status["moving"], status["charging"], status["plugged"]) == (True, False, False, False)
    assert (status["speed_kmh"], status["charge_left_s"], status["charge_state"]) == (None, None, "unplugged")
    assert (status["aux_voltage_v"], status["aux_soc_pct"]) == (12.4, 94.2)
    assert (status["ambient_c"], status["cabin_c"], status["service_in_d"]) == (6.4, 6.6, 321)
    assert [body[f"tyre_{at}_kpa"] for at in ("fl", "fr", "rl", "rr")] == [241.648, 244.394, 240.275, 237.529]
    names = ("doors_open", "windows_open", "trunk_open", "hood_open", "tyre_warning", "charge_lid_open", "climate_on")
    assert [body[name] for name in names] == [False] * 7
    assert (body["sunroof_open"], body["parking_brake"], body["cabin_humidity_pct"]) == (None, True, 80)
    assert place["altitude_m"] == 105
    assert "battery" not in rows  # nothing charges, so that nothing is measured


def test_another_status_of_that_car_says_that_its_motor_runs() -> None:
    rows = decode(recorded("vehicle_info2.json"), "status", "2024-01-23T16:45:00Z").rows
    assert rows["status"]["moving"].to_list() == [True]


@pytest.mark.parametrize(("name", "limit"), [("soc_80.json", 80), ("soc_90.json", 90)])
def test_what_the_vendor_calls_the_charge_is_its_limit(name: str, limit: int) -> None:
    rows = decode(recorded(name), "limit", "2024-05-21T08:30:00Z").rows
    assert rows["status"]["charge_limit_pct"].to_list() == [limit]
    assert rows["status"]["soc_pct"].to_list() == [None]


@pytest.mark.parametrize("name", ["token_expired.json", "Human_and_vehicle_relationship_does_not_exist.json"])
def test_real_refusals_make_no_row_and_are_no_fault(name: str) -> None:
    assert decode(recorded(name), "status", "2024-01-23T16:45:00Z").rows == {}


def test_a_real_list_of_cars_tells_their_series(tmp_path: Path) -> None:
    class Real:
        def answer(self, request: object) -> Reply:
            return Reply(200, recorded("vehicle_response.json"))

    with CloudServer(Real()) as server:
        (account,) = accounts(KIT.settings(tmp_path, server.base_url)).values()
        found = account.cloud()
        assert found is not None

        async def ask() -> tuple[str, ...]:
            async with httpx.AsyncClient() as http:
                return await found.list_vehicles(http)

        assert asyncio.run(ask()) == ("TESTVIN0000000001", "TESTVIN0000000002"), "a VIN has capital letters"
