"""Polling by hand: within the budget, until a cloud is in trouble, and no call is counted twice."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from logger.commands.poll_once import poll_once
from logger.envelope import Envelope
from logger.errors import ConfigError, Retry
from logger.poll.by_hand import CallResult, poll_now
from logger.poll.runner import PollRunner
from logger.settings import schema
from logger.simulator.cloud.cloud import Cloud as SimulatedCloud
from logger.simulator.cloud.failures import Failure
from logger.simulator.cloud.serving import CloudServer
from logger.simulator.demo.collector import PLATFORM, SECRET
from logger.simulator.vehicle.environment import DAY_S
from logger.simulator.vehicle.fleet import fleet
from logger.sources.contract import Account, Cloud, PollOutcome, Query
from logger.sources.login_check import LoginCheck
from logger.sources.segway.account import SegwayAccount
from logger.spool.group_commit import GroupCommit
from tests.helpers.segway_settings import segway_accounts

START = 1_790_000_000
VEHICLES = ("860000000000001", "860000000000002")
Append = Callable[[Sequence[Envelope]], int]


def settings(folder: Path, base_url: str, **limits: int) -> schema.Settings:
    poll = schema.Polling(**limits)  # type: ignore[arg-type]
    account = schema.Segway("segway", PLATFORM, client_secret=SECRET, vehicles=VEHICLES, base_url=base_url, poll=poll)
    lake = schema.LakeSettings(path=str(folder / "lake"))
    return schema.Settings(schema.Collector(data_dir=str(folder)), schema.Sinks(lake), (account,))


def simulated(*failures: Failure) -> SimulatedCloud:
    return SimulatedCloud(fleet(2, 7, START, 1), lambda: START + DAY_S / 2, PLATFORM, SECRET, failures=failures)


def used(folder: Path) -> int:
    return sum(json.loads((folder / "calls-segway.json").read_text()).values())


def test_every_call_counts_once_tokens_too(tmp_path: Path) -> None:
    cloud = simulated()
    with CloudServer(cloud) as serving:
        results = poll_once(settings(tmp_path, serving.base_url))
    assert [result.outcome for result in results] == ["ok"] * 8
    assert used(tmp_path) == sum(cloud.calls.values()) == 9


def test_no_call_is_made_beyond_the_budget(tmp_path: Path) -> None:
    cloud = simulated()
    with CloudServer(cloud) as serving:
        first = poll_once(settings(tmp_path, serving.base_url, calls=9), VEHICLES[:1])
        second = poll_once(settings(tmp_path, serving.base_url, calls=5), VEHICLES[1:])
    assert [result.outcome for result in first] == ["ok"] * 4
    assert {result.reason for result in second} == {"not requested: the budget is used up (`calls` in [sources.poll])"}
    assert used(tmp_path) == sum(cloud.calls.values()) == 5


def test_a_cloud_in_trouble_is_left_alone(tmp_path: Path) -> None:
    cloud = simulated(Failure("http", "status", code=429, count=0, seconds=600))
    with CloudServer(cloud) as serving:
        results = poll_once(settings(tmp_path, serving.base_url))
    reasons = [result.reason for result in results if result.outcome == "failed"]
    assert any("HTTP 429" in reason for reason in reasons)
    assert cloud.calls["status", VEHICLES[0]] + cloud.calls["status", VEHICLES[1]] <= 2


def test_a_vehicle_of_no_account_is_named_with_its_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"lists the vehicle '86000000000001'; did you mean '860000000000001'"):
        poll_once(settings(tmp_path, "http://127.0.0.1:1"), ["86000000000001"])


class ListingCloud(Cloud):
    """A cloud of one's own that lists two vehicles, or fails."""

    queries, polls_all = ("state",), True

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def schedule(self) -> tuple[Query, ...]:
        return ()

    async def list_vehicles(self, http: httpx.AsyncClient) -> tuple[str, ...]:
        if self.error:
            raise self.error
        return VEHICLES

    async def request(self, http: httpx.AsyncClient, query: str, vehicle: str) -> tuple[Envelope, PollOutcome]:
        return Envelope("segway", query, 1, "poll", b"{}", vehicle), "ok"

    async def check_login(self, http: httpx.AsyncClient) -> LoginCheck:
        return LoginCheck("", "ok")


def account(folder: Path) -> Account:
    return SegwayAccount(segway_accounts(settings(folder, ""))[0], schema.Settings())


def poll_with(folder: Path, cloud: Cloud, append: Append) -> list[CallResult]:
    async def scenario() -> list[CallResult]:
        commits = GroupCommit(append)
        try:
            runner = PollRunner(account(folder), cloud, commits, folder)
            return await poll_now(runner, await runner.all_vehicles())
        finally:
            await commits.close()

    return asyncio.run(scenario())


def test_the_vehicles_of_a_cloud_that_lists_them_are_polled(tmp_path: Path) -> None:
    results = poll_with(tmp_path, ListingCloud(), len)
    assert [(result.vehicle, result.outcome) for result in results] == [(vehicle, "ok") for vehicle in VEHICLES]


def test_a_list_that_fails_is_an_error_of_that_account(tmp_path: Path) -> None:
    with pytest.raises(Retry, match="no list today"):
        poll_with(tmp_path, ListingCloud(Retry("no list today")), len)


def test_a_spool_that_refuses_is_an_error_and_not_the_clouds(tmp_path: Path) -> None:
    def full(_: Sequence[Envelope]) -> int:
        raise Retry("the disk is full")

    with pytest.raises(Retry, match="the disk is full"):
        poll_with(tmp_path, ListingCloud(), full)


def test_a_list_that_fails_for_a_reason_of_ours_is_tried_again_and_ends_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        commits = GroupCommit(len)
        runner = PollRunner(account(tmp_path), ListingCloud(RuntimeError("odd list")), commits, tmp_path)
        task = asyncio.create_task(runner.run())
        while "odd list" not in caplog.text:
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await commits.close()

    asyncio.run(asyncio.wait_for(scenario(), 30))
    assert "listing vehicles failed; again in" in caplog.text
