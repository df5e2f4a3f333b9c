"""The HTTP clients of an account, which count the requests that really go out."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import httpx

_CLIENTS, EACH = 4, 8  # measured: a client of httpx is quickest at 8 calls at once, and slows down beyond
CONNECTIONS = _CLIENTS * EACH  # a cloud that takes 0.2 s for an answer is polled 40 times a second by 8
wire_calls: contextvars.ContextVar[int] = contextvars.ContextVar("wire_calls", default=0)  # of one task


class ClientPool:
    """The HTTP clients of an account; the first with a free connection is used, so that few connections stay open."""

    def __init__(self) -> None:
        self._clients = [open_client() for _ in range(_CLIENTS)]
        self._under_way = [0] * _CLIENTS

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients:
            await client.aclose()

    @contextmanager
    def free(self) -> Iterator[httpx.AsyncClient]:
        """A client with a free connection; there is one for each of `CONNECTIONS`."""
        at = next(at for at, calls in enumerate(self._under_way) if calls < EACH)
        self._under_way[at] += 1
        try:
            yield self._clients[at]
        finally:
            self._under_way[at] -= 1


def open_client() -> httpx.AsyncClient:
    async def count(_: httpx.Request) -> None:
        wire_calls.set(wire_calls.get() + 1)  # each call is a task, and has a count of its own

    return httpx.AsyncClient(
        limits=httpx.Limits(max_connections=EACH, max_keepalive_connections=EACH),
        follow_redirects=False,
        event_hooks={"request": [count]},
    )
