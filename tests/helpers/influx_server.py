"""A real InfluxDB for tests: one that the environment names, or an `influxd` of our own on a loopback port.

`VOLTRAIL_TEST_INFLUX_URL`, `_TOKEN` and `_ORG` name a 2.x or 3.x. Else `influxd` is found on PATH, or unpacked, without
installing, from the distribution's package `influxdb` into `.cache`. Each test has a database of its own.
"""

import itertools
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from logger.locks import exclusive_lock
from logger.settings.schema import InfluxSettings
from logger.simulator.demo.collector import free_port
from tests.helpers.http_server import http_server

USER, PASSWORD = "tester", "tester-password"
_CACHE = Path(__file__).parents[2] / ".cache" / "influxdb"
_START_S = 20.0
_numbers = itertools.count(1)


class Server(msgspec.Struct):
    """A server's address and administrator; `major` is its own version, `process` runs it if it is ours."""

    url: str
    major: str
    org: str = ""
    token: str = ""
    process: "InfluxProcess | None" = None

    def settings(self, bucket: str, version: str = "auto", **more: Any) -> InfluxSettings:
        """Return settings for a database of this name."""
        login = {"token": self.token, "org": self.org} if self.token else {"username": USER, "password": PASSWORD}
        return InfluxSettings(self.url, bucket, version=version, **{**login, **more})  # type: ignore[arg-type]

    def http(self) -> httpx.Client:
        """Return a client with the rights of the administrator."""
        if self.token:
            return httpx.Client(base_url=self.url, headers={"Authorization": f"Token {self.token}"}, timeout=60)
        return httpx.Client(base_url=self.url, auth=(USER, PASSWORD), timeout=60)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create a database with an unused name, and drop it at the end of the block."""
        name = f"test{os.getpid()}x{next(_numbers)}"
        with self.http() as http:
            self._create(http, name).raise_for_status()
        yield name
        self.drop(name)

    def _create(self, http: httpx.Client, name: str) -> httpx.Response:
        if self.major == "2":
            org = http.get("/api/v2/orgs", params={"org": self.org}).json()["orgs"][0]["id"]
            return http.post("/api/v2/buckets", json={"orgID": org, "name": name, "retentionRules": []})
        if self.major == "3":
            return http.post("/api/v3/configure/database", json={"db": name})
        return http.post("/query", data={"q": f'CREATE DATABASE "{name}"'})

    def drop(self, name: str) -> None:
        """Remove a database with all its rows, if it exists."""
        with self.http() as http:
            if self.major == "2":
                for bucket in http.get("/api/v2/buckets", params={"name": name}).json().get("buckets", ()):
                    http.delete(f"/api/v2/buckets/{bucket['id']}").raise_for_status()
            elif self.major == "3":
                http.delete("/api/v3/configure/database", params={"db": name})
            else:
                http.post("/query", data={"q": f'DROP DATABASE "{name}"'}).raise_for_status()


class InfluxProcess:
    """`influxd` with a port and a folder of its own; it may be killed, and started again on the same ones."""

    def __init__(self, program: str, folder: Path, data: str = "") -> None:
        """`data` is further lines of `[data]` in the settings of a 1.x."""
        self.major = _major_version(program)
        self._folder, self._port = folder, free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        if self.major == "1":
            self._command = [program, "-config", str(self._write_settings(data))]
        else:
            paths = {"bolt-path": "influxd.bolt", "sqlite-path": "influxd.sqlite", "engine-path": "engine"}
            options = [f"--{name}={folder / path}" for name, path in paths.items()]
            self._command = [program, f"--http-bind-address=127.0.0.1:{self._port}", "--reporting-disabled", *options]

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, cwd=self._folder)
        end = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, f"influxd ended: {(self._folder / 'log').read_text()[-2000:]}"
            assert time.monotonic() < end, "influxd does not answer"
            threading.Event().wait(0.01)

    @property
    def process_id(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal: with SIGSTOP it keeps its connections and answers nothing, until SIGCONT."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it and wait for its end."""
        self._process.send_signal(number)
        self._process.wait()

    def set_up(self) -> Server:
        """Create the administrator."""
        if self.major == "1":
            q = f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES"
            httpx.post(f"{self.url}/query", data={"q": q}).raise_for_status()
            return Server(self.url, "1", process=self)
        setup = {"username": USER, "password": PASSWORD, "org": "tests", "bucket": "first", "token": "tests-token"}
        httpx.post(f"{self.url}/api/v2/setup", json=setup).raise_for_status()
        return Server(self.url, "2", "tests", "tests-token", self)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ping").status_code < 300
        except httpx.HTTPError:
            return False

    def configure(self, data: str) -> None:
        """Replace the further lines of `[data]`, for the next start."""
        self._write_settings(data)

    def _write_settings(self, data: str) -> Path:
        path, folder, rpc_port = self._folder / "influxdb.conf", self._folder, free_port()
        path.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc_port}"\n[meta]\ndir = "{folder}/meta"\n'
            f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n{data}\n'
            f'[http]\nbind-address = "127.0.0.1:{self._port}"\nauth-enabled = true\nlog-enabled = false\n'
        )
        return path


@contextmanager
def running_server() -> Iterator[Server]:
    """The server that the environment names, or one of our own while the block lasts."""
    if url := os.environ.get("VOLTRAIL_TEST_INFLUX_URL"):
        version = httpx.get(f"{url}/ping").headers.get("X-Influxdb-Version", "2").lstrip("v")
        org, token = (os.environ.get(f"VOLTRAIL_TEST_INFLUX_{name}", "") for name in ("ORG", "TOKEN"))
        yield Server(url, version[0], org, token)
        return
    with tempfile.TemporaryDirectory() as folder, own_server(Path(folder)) as server:
        yield server


@contextmanager
def own_server(folder: Path, data: str = "") -> Iterator[Server]:
    """Run a server of our own in this folder while the block lasts; `data` as in `InfluxProcess`."""
    process = InfluxProcess(_find_program(), folder, data)
    process.start()
    try:
        yield process.set_up()
    finally:
        process.send(signal.SIGCONT)
        process.stop()


def _find_program() -> str:
    """Return the path of `influxd`; unpack it if it is not there."""
    if path := shutil.which("influxd"):
        return path
    with exclusive_lock(_CACHE / "lock", wait=True):  # tests run in parallel, and one of them unpacks it
        return next(iter(map(str, _CACHE.glob("*/usr/bin/influxd"))), None) or _unpack_program()


def _unpack_program() -> str:
    """Download the distribution's package and unpack it without installing it."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["apt-get", "download", "influxdb"], cwd=_CACHE, check=True, capture_output=True, text=True)
        (package,) = _CACHE.glob("influxdb_*.deb")
        subprocess.run(["dpkg-deb", "-x", package, _CACHE / "unpacked"], check=True, capture_output=True, text=True)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        pytest.fail(
            "these tests need a real InfluxDB: put influxd on PATH, or let `apt-get download influxdb` work, or set "
            f"VOLTRAIL_TEST_INFLUX_URL ({error}: {getattr(error, 'stderr', '')})"
        )
    return str(_CACHE / "unpacked" / "usr" / "bin" / "influxd")


def _major_version(program: str) -> str:
    output = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    return output.partition("InfluxDB v")[2][0]


# ---- a 1.x with the API of 2.x and 3.x -----------------------------------------------------------------------------


class _Adapter(BaseHTTPRequestHandler):
    """Translates `/api/v2/write` and `/api/v2/delete` for a 1.x, and passes everything else on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes
    upstream: httpx.Client

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        path, parameters = url.path, {name: values[0] for name, values in parse_qs(url.query).items()}
        headers = {k: v for k, v in self.headers.items() if k in ("Accept", "Content-Encoding", "Content-Type")}
        if path == "/api/v2/write":
            database, _, policy = parameters["bucket"].partition("/")
            path, parameters = "/write", {"db": database, "rp": policy, "precision": parameters["precision"]}
        elif path == "/api/v2/delete":
            path, database = "/query", parameters["bucket"].partition("/")[0]
            parameters, body = {"db": database, "q": _delete_statement(json.loads(body))}, b""
        self._answer(self._request("POST", path, parameters, body, headers))

    def do_GET(self) -> None:
        """Answer a ping, or list the databases as buckets, each mapped by its name."""
        if self.path == "/ping":
            self._answer(self.upstream.get("/ping"))
            return
        databases = self._request("GET", "/query", {"q": "SHOW DATABASES"}, b"", {})
        if databases.is_error:
            self._answer(databases)
            return
        names = [row[0] for row in databases.json()["results"][0]["series"][0]["values"]]
        buckets = [{"id": name, "orgID": "1", "name": name, "retentionRules": []} for name in names]
        answers = {"/api/v2/buckets": {"buckets": buckets}, "/api/v2/dbrps": {"content": names}}
        self._answer(httpx.Response(200, json=answers[urlsplit(self.path).path]))

    def _request(
        self, method: str, path: str, parameters: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        user, _, password = self.headers.get("Authorization", "").removeprefix("Token ").partition(":")
        auth = (user, password)
        return self.upstream.request(method, path, params=parameters, content=body, headers=headers, auth=auth)

    def _answer(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name in ("Content-Type", "X-Influxdb-Version"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


def _delete_statement(request: dict[str, str]) -> str:
    """Return the InfluxQL for a deletion by the API of 2.x: a measurement, a time range, perhaps a vehicle."""
    measurement, _, rest = request["predicate"].partition('_measurement="')[2].partition('"')
    vehicle = rest.partition("vehicle=")[2][1:-1].replace('\\"', '"').replace("'", "\\'")
    condition = f" AND \"vehicle\" = '{vehicle}'" if rest else ""
    times = f"time >= '{request['start']}' AND time <= '{request['stop']}'"
    return f'DELETE FROM "{measurement}" WHERE {times}{condition}'


@contextmanager
def v2_adapter(server: Server) -> Iterator[Server]:
    """The same server with the API of 2.x, while the block lasts."""
    with httpx.Client(base_url=server.url, timeout=60) as upstream, http_server(_Adapter, upstream=upstream) as url:
        yield Server(url, "1", "tests", f"{USER}:{PASSWORD}")
