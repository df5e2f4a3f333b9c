"""The client of Hiven's cloud against a simulated one: devices, consent, and what each answer means."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from logger.envelope import Envelope
from logger.errors import ConfigError, LoginNeeded, Retry
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.hiven import HivenSimulation
from logger.simulator.cloud.serving import CloudServer
from logger.sources import accounts
from logger.sources.contract import Account, Cloud, Consent
from tests.helpers.command_line import voltrail_with_input
from tests.logger.sources.hiven.kit import KEY, KIT, USER, cloud


@pytest.fixture
def simulated() -> HivenSimulation:
    return cloud()


@pytest.fixture
def account(simulated: HivenSimulation, tmp_path: Path) -> Iterator[Account]:
    with CloudServer(simulated) as server:
        yield only_account(tmp_path, server.base_url, vehicles="all")


def only_account(folder: Path, base_url: str, **changes: Any) -> Account:
    (account,) = accounts(KIT.settings(folder, base_url, **changes)).values()
    return account


def the_cloud(account: Account) -> Cloud:
    found = account.cloud()
    assert found is not None
    return found


def the_consent(account: Account) -> Consent:
    assert account.consent is not None
    return account.consent


def redeem(account: Account, answer: str) -> list[str]:
    async def act() -> list[str]:
        async with httpx.AsyncClient() as http:
            return list(await the_consent(account).redeem(http, answer))

    return asyncio.run(act())


def address(account: Account) -> str:
    async def act() -> str:
        async with httpx.AsyncClient() as http:
            return await the_consent(account).address(http)

    return asyncio.run(act())


def test_cars_are_listed_and_chargers_left_aside(account: Account) -> None:
    async def act() -> tuple[str, ...]:
        async with httpx.AsyncClient() as http:
            return await the_cloud(account).list_vehicles(http)

    assert asyncio.run(act()) == ("ev-1", "ev-2")
    assert the_cloud(account).polls_all


def test_a_device_of_somebody_else_is_not_polled_again_soon(account: Account) -> None:
    async def act() -> tuple[Envelope, str]:
        async with httpx.AsyncClient() as http:
            return await the_cloud(account).request(http, "status", "ev-9")

    assert asyncio.run(act())[1] == "unsupported"


def test_the_cloud_gives_the_address_of_the_consent_by_the_vendors_spelling(account: Account) -> None:
    assert address(account) == "https://consent.example/?make=LANDROVER&mode=live"


@pytest.mark.parametrize("key", ["redirect_uri", "manufacturer"])
def test_a_login_without_a_setting_that_it_needs_names_it(key: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=key):
        address(only_account(tmp_path, "http://127.0.0.1:1", **{key: ""}))


def test_the_answers_to_a_code_are_told_apart(account: Account) -> None:
    assert redeem(account, "new")[0] == "the vehicle was added"
    assert redeem(account, "https://ours.example/done?code=mine&state=x")[0] == "the vehicle was this user's already"
    with pytest.raises(LoginNeeded, match="belongs to another user"):
        redeem(account, "taken")
    with pytest.raises(Retry, match="log in again"):
        redeem(account, "broken")


def test_after_a_login_the_vehicles_and_the_models_that_report_their_capacity_are_named(account: Account) -> None:
    models = "models of this vendor that report the capacity of their battery: 1"
    assert redeem(account, "new")[1:] == ["vehicles: ev-1, ev-2", models]


def test_a_login_succeeds_without_the_list_of_models(tmp_path: Path) -> None:
    with CloudServer(cloud(Failure("http", path="capabilities", count=0))) as server:
        assert "not known now" in redeem(only_account(tmp_path, server.base_url), "new")[-1]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("", "no code"),
        ("https://ours.example/done", "no code"),
        ("https://ours.example/done?error=access_denied", "access_denied"),
        ("two words", "no code"),
    ],
)
def test_what_holds_no_code_is_refused_before_anything_is_sent(
    account: Account, simulated: HivenSimulation, answer: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why):
        redeem(account, answer)
    assert not simulated.calls


def test_without_an_address_of_the_cloud_the_account_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        only_account(tmp_path, "").cloud()


def test_a_login_on_the_command_line_prints_the_address_reads_the_code_and_shows_no_key(
    account: Account, simulated: HivenSimulation, tmp_path: Path
) -> None:
    with CloudServer(simulated) as server:
        (tmp_path / "key").write_text(KEY)
        (tmp_path / "voltrail.toml").write_text(
            f'[[sources]]\nkind = "hiven"\nname = "cars"\nbase_url = "{server.base_url}"\napi_key_file = "key"\n'
            f'user_id = "{USER}"\nredirect_uri = "https://ours.example"\nmanufacturer = "EXAMPLE"\n'
        )
        done = voltrail_with_input(tmp_path, "login", "cars", text="new\n")
        other = voltrail_with_input(tmp_path, "login", "car", text="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:2] == ["https://consent.example/?make=EXAMPLE&mode=live", "the vehicle was added"]
    assert KEY not in done.stdout + done.stderr
    assert (other.returncode, "did you mean 'cars'" in other.stderr) == (2, True)
