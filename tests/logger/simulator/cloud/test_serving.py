"""The server of the simulated cloud, and the process that runs it."""

import http.client
import subprocess
import sys
from urllib.parse import urlencode

import msgspec

from logger.simulator.cloud.cloud import TOKEN
from logger.simulator.demo.sender import get
from tests.logger.simulator.cloud.client import LOGIN, Client


def test_a_connection_is_closed_if_the_request_asks_for_it() -> None:
    with Client() as client:
        assert get(client.server.address, "/simulator/calls")[0] == 200  # it reads until the end


def test_a_cloud_runs_as_a_process_of_its_own() -> None:
    options = ["--vehicles", "2", "--days", "1", "--speed", "1000"]
    command = [sys.executable, "-m", "logger.simulator.cloud.serving", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        host = msgspec.json.decode(process.stdout.readline())["base_url"].removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=5)
        connection.request("POST", TOKEN, urlencode(LOGIN))
        assert connection.getresponse().status == 200
        connection.close()
        process.terminate()
        assert process.wait(timeout=5) == 0
