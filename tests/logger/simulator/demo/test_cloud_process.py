"""The simulated cloud as the demo controls it."""

import http.client
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from logger.simulator.cloud.cloud import TOKEN
from logger.simulator.demo.cloud_process import CloudProcess
from tests.logger.simulator.cloud.client import FIRST, LOGIN, PATHS, SEED, START


def test_before_its_time_runs_a_cloud_answers_and_counts_requests_by_the_collectors_names(tmp_path: Path) -> None:
    with CloudProcess(tmp_path / "cloud.log", 2, 1, SEED, START, speed=1000.0, wait_s=60) as cloud:
        assert 50_000 < 1000 * cloud.info.seconds_until(START) <= 60_000
        assert cloud.info.seconds_until(START + 1000) == pytest.approx(cloud.info.seconds_until(START) + 1, abs=0.1)
        connection = http.client.HTTPConnection(cloud.info.base_url.removeprefix("http://"), timeout=5)
        connection.request("POST", TOKEN, urlencode(LOGIN))
        headers = {"Authorization": f"bearer {json.loads(connection.getresponse().read())['access_token']}"}
        connection.request("GET", f"{PATHS['status']}?iotCode={FIRST}", headers=headers)
        assert json.loads(connection.getresponse().read())["t"] == START * 1000
        connection.close()
        assert cloud.requests() == {"token": 1, "status-query": 1}
