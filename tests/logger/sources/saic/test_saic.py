"""SAIC: encrypted requests, one session at a time, cars that answer late, and a 12 V battery that is spared."""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from logger.commands.poll_once import poll_once
from logger.envelope import Envelope
from logger.errors import ConfigError, LoginNeeded, Retry
from logger.live.overview import read_overview
from logger.poll.runner import PollRunner
from logger.settings import schema
from logger.simulator.cloud.cloud import Request
from logger.simulator.cloud.failures import Failure, Reply
from logger.simulator.cloud.saic import SaicSimulation
from logger.simulator.cloud.serving import CloudServer
from logger.sources import accounts
from logger.sources.contract import PollOutcome
from logger.sources.saic.api import SaicCloud
from logger.sources.saic.envelope import open_answer, open_request, seal, seal_answer
from logger.sources.token_file import TokenFile, Tokens
from logger.spool.group_commit import GroupCommit
from tests.helpers.segway_pushes import decode_all
from tests.helpers.small_letters import in_small_letters
from tests.helpers.source_kits import account_of
from tests.logger.sources.saic.kit import CAR, KIT, OTHER, cloud


class Served:
    """A simulated cloud that is served, and an account at it; each `settings` are of that account."""

    def __init__(self, simulated: SaicSimulation, folder: Path, base_url: str) -> None:
        self.simulated, self.folder, self._base_url = simulated, folder, base_url

    def settings(self, **changes: Any) -> schema.Settings:
        settings = KIT.settings(self.folder, self._base_url, **changes)
        lake = schema.LakeSettings(path=str(self.folder / "lake"))
        return msgspec.structs.replace(settings, sinks=schema.Sinks(lake))

    def cloud(self, **changes: Any) -> SaicCloud:
        """Another process's view of that account, which waits 10 ms where the vendor's is asked after 3 s."""
        (account,) = self.settings(**changes).sources
        assert isinstance(account, schema.Saic)
        return SaicCloud(account, self.folder, pause_s=0.01)

    def request(self, car: str = CAR, **changes: Any) -> tuple[Envelope, PollOutcome]:
        async def ask() -> tuple[Envelope, PollOutcome]:
            async with httpx.AsyncClient() as http:
                return await self.cloud(**changes).request(http, "car", car)

        return asyncio.run(ask())

    def calls(self, word: str) -> int:
        return sum(count for (each, _), count in self.simulated.calls.items() if each == word)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    servers: list[CloudServer] = []

    def start(*failures: Failure, **more: Any) -> Served:
        simulated = cloud(*failures, **more)
        server = CloudServer(simulated)
        servers.append(server)
        server.__enter__()
        return Served(simulated, tmp_path, server.base_url)

    yield start
    for server in servers:
        server.__exit__(None, None, None)


# ---- envelopes -------------------------------------------------------------------------------------------------------


def test_a_request_is_encrypted_and_signed_as_the_vendor_does_it() -> None:
    sealed = seal("/api/v1/data", b'{"key": "value"}', "application/json", "dummy_token", "20230514123000", "1234")
    expected = "afd4eaf98af2d964f8ea840fc144ee7bae95dbeeeb251d5e3a01371442f92eeb"
    assert sealed.headers["APP-VERIFICATION-STRING"] == expected


@pytest.mark.parametrize("body", [b"", b"x", b"0123456789abcdef", "ü".encode() * 1000])
def test_what_was_encrypted_is_read_again(body: bytes) -> None:
    assert open_answer(seal_answer(body, "application/json", "17"), "application/json", "17") == body
    if body:
        sealed = seal("/p?q=1", body, "text/plain", "token", "17")
        assert open_request(sealed.body, "/p?q=1", "text/plain", "token", "17") == body


@pytest.mark.parametrize("body", [b"", b"zz", b"00", b"\xff", b"00" * 16])
def test_what_is_not_encrypted_so_is_an_error_and_no_text(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  each library has words of its own
        open_answer(body, "application/json", "17")


# ---- sessions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["user", "password", "client_id", "client_secret"])
def test_a_setting_that_is_missing_is_named_before_anything_is_requested(key: str, tmp_path: Path) -> None:
    (account,) = accounts(KIT.settings(tmp_path, **{key: ""})).values()
    with pytest.raises(ConfigError, match=rf"mg: {key}: requests need it"):
        account.cloud()


@pytest.mark.parametrize("key", ["password", "client_secret"])
def test_a_wrong_secret_is_refused_and_wakes_no_car(key: str, serve: Any) -> None:
    served = serve()
    with pytest.raises(LoginNeeded, match=r"code 2: 'wrong account or password'\): check user, password"):
        served.request(**{key: "another"})
    assert (served.calls("login"), served.calls("status")) == (1, 0)
    assert served.cloud().rest(CAR) is None


def test_two_processes_share_a_session(serve: Any) -> None:
    served = serve()
    served.request(CAR)
    served.request(OTHER)
    assert served.calls("login") == 1


def test_a_session_that_a_phone_has_ended_is_not_replaced_at_once(serve: Any, tmp_path: Path) -> None:
    served = serve()

    async def ask() -> list[str]:
        found, errors = served.cloud(), list[str]()
        async with httpx.AsyncClient() as http:
            await found.request(http, "car", CAR)
            served.simulated.evict()
            for _ in range(3):
                with pytest.raises(LoginNeeded) as caught:
                    await found.request(http, "car", OTHER)
                errors.append(str(caught.value))
        return errors

    errors = asyncio.run(ask())
    assert "that of the phone? It logs in again in 15 minutes" in errors[0]
    assert "ours waits 900 s more" in errors[1]
    assert served.calls("login") == 1
    with pytest.raises(LoginNeeded, match=r"ours waits \d+ s more"):
        served.request(OTHER)  # as another process, or after a restart
    assert served.calls("login") == 1
    stored = TokenFile(tmp_path, "mg").read()
    assert stored is not None
    assert stored.renew_at == 0


def test_a_clock_that_was_set_back_does_not_keep_the_account_out_for_long(serve: Any, tmp_path: Path) -> None:
    TokenFile(tmp_path, "mg").write(Tokens("none", "", 0.0, ended_at=time.time() + 86_400))
    served = serve()
    assert served.request(CAR)[1] == "ok"


# ---- cars ------------------------------------------------------------------------------------------------------------


def test_a_car_that_answers_late_is_asked_under_the_number_of_its_event(serve: Any) -> None:
    served = serve(tries=3)
    envelope, outcome = served.request()
    assert (outcome, served.calls("status"), served.calls("charging")) == ("ok", 4, 4)
    assert json.loads(envelope.body)["charging"]["data"]["chrgMgmtData"]


def test_a_car_that_stays_silent_is_left_alone_and_makes_no_row(serve: Any) -> None:
    served = serve(tries=99)
    envelope, outcome = served.request()
    assert (outcome, served.calls("status"), served.calls("charging")) == ("unavailable", 10, 0)
    assert decode_all(envelope, sources={"mg": account_of("saic")}).rows == {}
    assert served.cloud().rest(CAR) is not None


def test_without_charging_data_the_status_has_percent_and_range(serve: Any) -> None:
    served = serve(Failure("http", path="charging", count=0))
    envelope, outcome = served.request()
    rows = decode_all(envelope, sources={"mg": account_of("saic")}).rows
    assert (outcome, "battery" in rows) == ("ok", False)
    (status,) = rows["status"].to_dicts()
    assert status["soc_pct"] == json.loads(envelope.body)["status"]["data"]["basicVehicleStatus"]["extendedData1"]
    assert status["range_m"] > 0


def test_a_car_of_somebody_else_rests(serve: Any) -> None:
    assert serve().request("LSJTESTCAR0000009")[1] == "unsupported"


def test_the_vin_is_never_in_an_address(serve: Any) -> None:
    targets: list[str] = []

    class Seeing(SaicSimulation):
        def answer(self, request: Request) -> Reply:
            targets.append(request.target)
            return super().answer(request)

    served = serve(kind=Seeing)
    served.request()
    assert targets
    assert not [target for target in targets if CAR in target]


def cars_of(served: Served) -> tuple[str, ...]:
    async def ask(found: SaicCloud) -> tuple[str, ...]:
        async with httpx.AsyncClient() as http:
            return await found.list_vehicles(http)

    return asyncio.run(ask(served.cloud(vehicles="all")))


def test_the_cars_of_the_account_are_listed_without_waking_one(serve: Any) -> None:
    served = serve()
    assert cars_of(served) == (CAR, OTHER)
    assert served.calls("status") == 0


def test_a_car_that_is_listed_in_small_letters_is_the_same_car(serve: Any) -> None:
    assert cars_of(serve(kind=InSmallLetters)) == (CAR, OTHER)


class InSmallLetters(SaicSimulation):
    """A cloud that writes VINs in small letters."""

    def reply(self, word: str, car: str, request: Request) -> Reply:
        return in_small_letters(super().reply(word, car, request), CAR, OTHER)


@pytest.mark.parametrize(
    ("body", "state"),
    [
        (b'{"bmsChrgSts": 3, "engineStatus": 0}', "charging"),
        (b'{"extendedData2":1}', "charging"),
        (b'{"engineStatus":1,"bmsChrgSts":0}', "riding"),
        (b'{"engineStatus":0}', "parked"),
        (b"{}", None),
    ],
)
def test_the_state_of_a_car_is_seen_before_it_is_decoded(body: bytes, state: str | None) -> None:
    assert account_of("saic").glance(Envelope("mg", "car", 0, "poll", body, CAR)).state == state


# ---- the 12 V battery ------------------------------------------------------------------------------------------------


def test_a_car_is_requested_by_hand_every_ten_minutes_at_most(serve: Any) -> None:
    served = serve()
    settings = served.settings(poll={}, vehicles=[CAR])
    results = [each for _ in range(3) for each in poll_once(settings)]
    assert [each.outcome for each in results] == ["ok", "failed", "failed"]
    assert "it may be every 600 s, for its 12 V battery" in results[2].reason
    assert (served.calls("status"), served.calls("charging")) == (1, 1)


def test_a_request_that_fails_is_not_repeated_by_itself(serve: Any) -> None:
    served = serve(Failure("http", path="status", code=500, count=0))
    with pytest.raises(Retry):
        served.request()
    with pytest.raises(Retry, match=r"was requested \d+ s ago"):
        served.request()
    assert served.calls("status") == 1


def test_a_schedule_leaves_a_sleeping_car_alone_whatever_it_would_like(serve: Any, tmp_path: Path) -> None:
    served = serve()
    served.request()

    async def schedule() -> list[str]:
        settings = served.settings(poll={"parked_s": 86_400, "silent_s": 600})
        (account,) = accounts(settings).values()
        found = account.cloud()
        assert found is not None
        runner = PollRunner(account, found, GroupCommit(lambda envelopes: 1), tmp_path, settings.sources[0].poll)
        return [call.vehicle for call in runner.scheduler.due_calls(9, 1e9, datetime(2026, 10, 1, tzinfo=UTC))]

    assert asyncio.run(schedule()) == [OTHER]  # of which nothing is known yet


def test_a_low_12_v_battery_ends_the_schedule_and_a_person_reads_why(serve: Any) -> None:
    served = serve(battery=119)
    settings = served.settings(poll={}, vehicles=[CAR])
    poll_once(settings)
    rest = served.cloud(poll={}).rest(CAR)
    assert rest is not None
    assert (rest.seconds, "has 11.9 V in its 12 V battery, of at least 12.2 V" in rest.reason) == (float("inf"), True)
    (resting,) = read_overview(settings).resting
    assert (resting.label, resting.seconds) == (CAR, None)
    (result,) = poll_once(settings)
    assert "poll it by hand when it was driven" in result.reason


def test_the_limit_of_the_12_v_battery_is_a_setting(serve: Any) -> None:
    served = serve(battery=119)
    served.request(least_voltage_v=11.5)
    rest = served.cloud(least_voltage_v=11.5).rest(CAR)
    assert rest is not None
    assert "sleeps" in rest.reason
