"""A real InfluxDB for tests: one that the environment names, or `influxd` of its own on a loopback port.

`VOLTRAIL_TEST_INFLUX_URL`, `_TOKEN` and `_ORG` name a 2.x or 3.x. Else `influxd` is found on PATH, or unpacked, without
installing, from the distribution's package `influxdb` into `.cache`. A database each test.
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from logger.settings.schema import InfluxSettings
from logger.simulator.demo.collector import free_port

USER, PASSWORD = "tester", "tester-password"
_CACHE = Path(__file__).parents[2] / ".cache" / "influxdb"
_START_S = 20.0
_numbers = itertools.count(1)


class Place(msgspec.Struct):
    """Where a server is and who may do all there; `major` is its own version, `process` runs it where it is ours."""

    url: str
    major: str
    org: str = ""
    token: str = ""
    process: "Process | None" = None

    def settings(self, bucket: str, version: str = "auto", **more: Any) -> InfluxSettings:
        """For a database of this name."""
        who = {"token": self.token, "org": self.org} if self.token else {"username": USER, "password": PASSWORD}
        return InfluxSettings(self.url, bucket, version=version, **{**who, **more})  # type: ignore[arg-type]

    def http(self) -> httpx.Client:
        """A client who may do all."""
        if self.token:
            return httpx.Client(base_url=self.url, headers={"Authorization": f"Token {self.token}"}, timeout=60)
        return httpx.Client(base_url=self.url, auth=(USER, PASSWORD), timeout=60)

    @contextmanager
    def database(self) -> Iterator[str]:
        """A new one of a name nobody uses, dropped at the end."""
        name = f"test{os.getpid()}x{next(_numbers)}"
        with self.http() as http:
            if self.major == "2":
                org = http.get("/api/v2/orgs", params={"org": self.org}).json()["orgs"][0]["id"]
                made = http.post("/api/v2/buckets", json={"orgID": org, "name": name, "retentionRules": []})
            elif self.major == "3":
                made = http.post("/api/v3/configure/database", json={"db": name})
            else:
                made = http.post("/query", data={"q": f'CREATE DATABASE "{name}"'})
            made.raise_for_status()
        yield name
        self.drop(name)

    def drop(self, name: str) -> None:
        """Remove a database and all in it, if it is there."""
        with self.http() as http:
            if self.major == "2":
                for bucket in http.get("/api/v2/buckets", params={"name": name}).json().get("buckets", ()):
                    http.delete(f"/api/v2/buckets/{bucket['id']}").raise_for_status()
            elif self.major == "3":
                http.delete("/api/v3/configure/database", params={"db": name})
            else:
                http.post("/query", data={"q": f'DROP DATABASE "{name}"'}).raise_for_status()


class Process:
    """`influxd` on a port and a folder of its own; may be killed, and started again on the same."""

    def __init__(self, program: str, folder: Path, data: str = "") -> None:
        """`data` is more lines of `[data]` in the settings of a 1.x."""
        self.major = _major(program)
        self._folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        if self.major == "1":
            self._words = [program, "-config", str(self._written(data))]
        else:
            paths = {"bolt-path": "influxd.bolt", "sqlite-path": "influxd.sqlite", "engine-path": "engine"}
            words = [f"--{name}={folder / path}" for name, path in paths.items()]
            self._words = [program, f"--http-bind-address=127.0.0.1:{self.port}", "--reporting-disabled", *words]

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._words, stdout=log, stderr=log, cwd=self._folder)
        end = time.monotonic() + _START_S
        while not self._answers():
            assert self._process.poll() is None, f"influxd ended: {(self._folder / 'log').read_text()[-2000:]}"
            assert time.monotonic() < end, "influxd does not answer"
            threading.Event().wait(0.01)

    @property
    def number(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Such as SIGSTOP, by which it keeps its connections and says no more, and SIGCONT."""
        self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it and wait for its end."""
        self._process.send_signal(number)
        self._process.wait()

    def set_up(self) -> Place:
        """Make the one who may do all."""
        if self.major == "1":
            q = f"CREATE USER {USER} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES"
            httpx.post(f"{self.url}/query", data={"q": q}).raise_for_status()
            return Place(self.url, "1", process=self)
        words = {"username": USER, "password": PASSWORD, "org": "tests", "bucket": "first", "token": "tests-token"}
        httpx.post(f"{self.url}/api/v2/setup", json=words).raise_for_status()
        return Place(self.url, "2", "tests", "tests-token", self)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/ping").status_code < 300
        except httpx.HTTPError:
            return False

    def configure(self, data: str) -> None:
        """Other lines of `[data]`, from the next start on."""
        self._written(data)

    def _written(self, data: str) -> Path:
        path, folder, other_port = self._folder / "influxdb.conf", self._folder, free_port()
        path.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{other_port}"\n[meta]\ndir = "{folder}/meta"\n'
            f'[data]\ndir = "{folder}/data"\nwal-dir = "{folder}/wal"\n{data}\n'
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nauth-enabled = true\nlog-enabled = false\n'
        )
        return path


@contextmanager
def server() -> Iterator[Place]:
    """The server that the environment names, or one of our own while the block lasts."""
    if url := os.environ.get("VOLTRAIL_TEST_INFLUX_URL"):
        said = httpx.get(f"{url}/ping").headers.get("X-Influxdb-Version", "2").lstrip("v")
        org, token = (os.environ.get(f"VOLTRAIL_TEST_INFLUX_{name}", "") for name in ("ORG", "TOKEN"))
        yield Place(url, said[0], org, token)
        return
    with tempfile.TemporaryDirectory() as folder, own(Path(folder)) as place:
        yield place


@contextmanager
def own(folder: Path, data: str = "") -> Iterator[Place]:
    """One of our own on this folder while the block lasts; `data` as in `Process`."""
    process = Process(program(), folder, data)
    process.start()
    try:
        yield process.set_up()
    finally:
        process.send(signal.SIGCONT)
        process.stop()


def program() -> str:
    """Where `influxd` is."""
    found = shutil.which("influxd") or next(iter(map(str, _CACHE.glob("*/usr/bin/influxd"))), None)
    return found or _unpacked()


def _unpacked() -> str:
    """The distribution's package, fetched and unpacked, not installed."""
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


def _major(program: str) -> str:
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    return said.partition("InfluxDB v")[2][0]


# ---- a 1.x that answers as 2.x and 3.x do --------------------------------------------------------------------------


class _Adapter(BaseHTTPRequestHandler):
    """Turns `/api/v2/write` and `/api/v2/delete` into what 1.x has, and passes everything else on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes
    upstream: httpx.Client

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, words = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        headers = {k: v for k, v in self.headers.items() if k in ("Accept", "Content-Encoding", "Content-Type")}
        if path == "/api/v2/write":
            database, _, policy = words["bucket"].partition("/")
            path, words = "/write", {"db": database, "rp": policy, "precision": words["precision"]}
        elif path == "/api/v2/delete":
            told = json.loads(body)
            _, _, measurement = told["predicate"].partition('_measurement="')
            measurement, _, rest = measurement.partition('"')
            named = rest.partition("vehicle=")[2][1:-1].replace('\\"', '"').replace("'", "\\'")
            vehicle = f" AND \"vehicle\" = '{named}'" if rest else ""
            where = f"time >= '{told['start']}' AND time <= '{told['stop']}'{vehicle}"
            statement = f'DELETE FROM "{measurement}" WHERE {where}'
            path, words, body = "/query", {"db": words["bucket"].partition("/")[0], "q": statement}, b""
        self._answer(self._asked("POST", path, words, body, headers))

    def do_GET(self) -> None:
        """Databases as buckets, each mapped by its name; and whether it is there."""
        if self.path == "/ping":
            self._answer(self.upstream.get("/ping"))
            return
        listed = self._asked("GET", "/query", {"q": "SHOW DATABASES"}, b"", {})
        if listed.is_error:
            self._answer(listed)
            return
        names = [row[0] for row in listed.json()["results"][0]["series"][0]["values"]]
        buckets = [{"id": name, "orgID": "1", "name": name, "retentionRules": []} for name in names]
        told = {"/api/v2/buckets": {"buckets": buckets}, "/api/v2/dbrps": {"content": names}}
        self._answer(httpx.Response(200, json=told[urlsplit(self.path).path]))

    def _asked(
        self, method: str, path: str, words: dict[str, str], body: bytes, headers: dict[str, str]
    ) -> httpx.Response:
        user, _, password = self.headers.get("Authorization", "").removeprefix("Token ").partition(":")
        return self.upstream.request(method, path, params=words, content=body, headers=headers, auth=(user, password))

    def _answer(self, answer: httpx.Response) -> None:
        self.send_response(answer.status_code)
        for name in ("Content-Type", "X-Influxdb-Version"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@contextmanager
def adapter(place: Place) -> Iterator[Place]:
    """The same server as one that speaks the API of 2.x, for as long as the block lasts."""
    with (
        httpx.Client(base_url=place.url, timeout=60) as upstream,
        ThreadingHTTPServer(("127.0.0.1", 0), type("Adapter", (_Adapter,), {"upstream": upstream})) as served,
    ):
        thread = threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield Place(f"http://127.0.0.1:{served.server_address[1]}", "1", "tests", f"{USER}:{PASSWORD}")
        served.shutdown()
        thread.join()
