"""Writes to InfluxDB 2.x and 3.x through influxdb-client, whose import takes 24 MB: only such a server imports this."""

import queue
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from logger.errors import Retry
from logger.settings.schema import InfluxSettings


class WriteApi:
    """The write endpoint of the server in these settings, for any number of threads."""

    def __init__(self, settings: InfluxSettings, *, gzipped: bool, connect_s: float, write_s: float) -> None:
        self._settings, self._gzipped = settings, gzipped
        self._timeout_ms = (connect_s * 1000, write_s * 1000)
        self._idle: queue.LifoQueue[InfluxDBClient] = queue.LifoQueue()

    def close(self) -> None:
        """Close the connections."""
        while not self._idle.empty():
            self._idle.get_nowait().close()  # type: ignore[no-untyped-call]

    def write(self, bucket: str, body: bytes) -> tuple[int, str, Mapping[str, str]]:
        """Write lines with times in ms; return status, text and headers of the answer. Raises `Retry` without one."""
        with self._client() as client:
            try:
                client.write_api(write_options=SYNCHRONOUS).write(bucket, self._settings.org, body, "ms")  # type: ignore[arg-type]
            except ApiException as error:
                return error.status or 0, _text(error.body or str(error.reason)), error.headers or {}
            except (HTTPError, OSError) as error:
                text = f"InfluxDB at {self._settings.url} does not answer as it should: {error}"
                raise Retry(text, after=2) from error
            return client.api_client.last_response.status, "", {}

    @contextmanager
    def _client(self) -> Iterator[InfluxDBClient]:
        """Lend a client to one write alone: it keeps its last answer, which must be the one to that write."""
        try:
            client = self._idle.get_nowait()
        except queue.Empty:
            client = self._new_client()
        try:
            yield client
        finally:
            self._idle.put(client)

    def _new_client(self) -> InfluxDBClient:
        settings = self._settings
        token = settings.token or f"{settings.username}:{settings.password}"
        client = InfluxDBClient(settings.url, token, timeout=self._timeout_ms, org=settings.org)
        if self._gzipped:  # the client's own gzip is at level 9, which takes longer than the network it saves
            client.api_client.set_default_header("Content-Encoding", "gzip")  # type: ignore[no-untyped-call]
        return client


def _text(body: str | bytes) -> str:
    return body.decode(errors="replace") if isinstance(body, bytes) else body
