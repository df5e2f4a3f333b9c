"""The minimal HTTP client of the demo."""

import time

from logger.simulator.demo.sender import send
from tests.logger.simulator.cloud.client import Client


def test_requests_are_sent_at_their_moments() -> None:
    with Client() as client:
        began = time.perf_counter()
        request = b"GET /simulator/calls HTTP/1.1\r\n\r\n"
        answers = list(send(client.server.address, [request] * 3, 1, at_s=(0.0, 0.05, 0.1)))
        assert [answer.number for answer in answers] == [0, 1, 2]
        assert time.perf_counter() - began >= 0.1
