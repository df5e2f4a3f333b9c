"""The source that CONTRIBUTING.md works out: with its blocks, a copy of the project collects from a new vendor."""

import hashlib
import hmac
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from logger.stores.lake.lake import Lake

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```(\w+) title=(\S+)\n(.*?)^```$", re.M | re.S)
FOLDER = "logger/sources/tiny/"
KEY = b"a-key-of-the-test"
VEHICLES = ("TINY1", "TINY2")
PATIENCE_S = 30.0
SETTINGS = """
[collector]
listen = "127.0.0.1:{port}"
data_dir = "data"
path_prefix = "/p"

[analytics]
every_s = 0

[[sources]]
kind = "tiny"
name = "small"
api_key_file = "key"
base_url = "http://127.0.0.1:{cloud}"
vehicles = "all"

[sources.poll]
parked_s = 1
silent_s = 1

[vehicles.TINY1]
label = "the first"
"""


def blocks() -> list[tuple[str, str, str]]:
    """Kind, file and text of each block of the worked example."""
    return BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())


def apply_diff(text: str, diff: str) -> str:
    """The text with this block: after its first line, which must be there once, lines go (-) and come (+)."""
    first, *rest = diff.splitlines()
    anchor = first[1:] + "\n"
    assert text.count(anchor) == 1, f"not there once: {first}"
    new = "".join(line[1:] + "\n" for line in rest if line.startswith("+"))
    kept = "" if f"-{first[1:]}" in rest else anchor
    return text.replace(anchor, kept + new)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the source in it."""
    copy = tmp_path_factory.mktemp("project")
    for name in ("logger", "analytics"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "voltrail.py", copy)
    for kind, name, text in blocks():
        file = copy / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(apply_diff(file.read_text(), text) if kind == "diff" else text)
    (copy / FOLDER / "__init__.py").write_text('"""Tiny."""\n')
    return copy


class Vendor(http.server.BaseHTTPRequestHandler):
    """The cloud: two vehicles, for whoever has the key."""

    def do_GET(self) -> None:
        right = self.headers["Authorization"] == f"Bearer {KEY.decode()}"
        answer: Any = list(VEHICLES)
        if self.path != "/vehicles":
            answer = {"vin": self.path.split("/")[2], "charge": 0.5, "odometer_km": 12.5, "time": int(time.time())}
        body = json.dumps(answer).encode()
        self.send_response(200 if right else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not on the test's output."""


@contextmanager
def vendor() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Service:
    """`voltrail run` of the copy, and its other commands, in a folder of settings."""

    def __init__(self, project: Path, folder: Path, cloud: int, port: int) -> None:
        self.folder, self.address = folder, f"http://127.0.0.1:{port}/p/small"
        (folder / "voltrail.toml").write_text(SETTINGS.format(port=port, cloud=cloud))
        (folder / "key").write_bytes(KEY)
        self._environment = {**os.environ, "PYTHONPATH": str(project), "PYTHONSAFEPATH": "1"}

    def start(self, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "voltrail", *words]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=self._environment, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: str) -> str:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        return out

    def push(self, signature: str = "", **fields: object) -> int:
        body = json.dumps({"vin": VEHICLES[0], "time": int(time.time()) - 60, **fields}).encode()
        right = hmac.new(KEY, body, hashlib.sha256).hexdigest()
        return httpx.post(self.address, content=body, headers={"tiny-signature": signature or right}).status_code


@pytest.fixture(scope="module")
def service(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with vendor() as cloud:
        port = free_port()
        here = Service(project, tmp_path_factory.mktemp("service"), cloud, port)
        with here.start("run") as process:
            try:
                until(lambda: is_up(port), process)
                yield here
            finally:
                process.send_signal(signal.SIGTERM)
                log = process.communicate(timeout=60)[1]
        assert process.returncode == 0, log
        assert "Traceback" not in log, log


def free_port() -> int:
    with http.server.HTTPServer(("127.0.0.1", 0), Vendor) as probe:
        return int(probe.server_address[1])


def is_up(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def until(true: Callable[[], bool], process: "subprocess.Popen[str] | None" = None) -> None:
    end, tick = time.monotonic() + PATIENCE_S, threading.Event()
    while not true():
        assert time.monotonic() < end, "it did not come true"
        assert process is None or process.poll() is None, process and process.communicate()[1]
        tick.wait(0.1)


def stored(service: Service, table: str) -> list[dict[str, Any]]:
    return Lake(str(service.folder / "data" / "lake")).scan(table).collect().to_dicts()


def test_at_most_four_files_outside_its_folder_are_touched() -> None:
    outside = {name for _, name, _ in blocks() if not name.startswith(FOLDER)}
    assert outside <= {"logger/sources/__init__.py", "logger/settings/schema.py"}
    assert {Path(name).name for name in outside} <= edited_files("a source")


def test_what_a_store_and_a_signal_touch_is_as_little_as_promised() -> None:
    assert 1 <= len(edited_files("a store")) <= 4
    assert edited_files("a signal") == {"signals.py"}


def edited_files(what: str) -> set[str]:
    """The names of files that CONTRIBUTING.md says are edited to add this."""
    lines = (ROOT / "CONTRIBUTING.md").read_text().splitlines()
    row = next(line for line in lines if line.startswith(f"| {what} |"))
    return {Path(name).name for name in re.findall(r"`([\w/.]+\.py)`", row.split("|")[3])}


def test_a_handshake_is_answered_and_stores_nothing(service: Service) -> None:
    reply = httpx.get(service.address, headers={"tiny-challenge": "a1b2"})
    assert (reply.status_code, reply.text) == (200, "a1b2")


def test_a_signed_push_becomes_a_row_and_a_forged_one_gets_the_vendors_refusal(service: Service) -> None:
    assert service.push(charge=0.75, locked=True) == 202
    assert service.push(signature="0" * 64, charge=0.1) == 403
    until(lambda: any(row["via"] == "push" for row in stored(service, "status")))
    (row,) = [row for row in stored(service, "status") if row["via"] == "push"]
    assert (row["provider"], row["vehicle"], row["soc_pct"], row["locked"]) == ("tiny", VEHICLES[0], 75, True)


def test_a_push_over_the_vendors_limit_is_refused(service: Service) -> None:
    assert service.push(note="x" * 5000) == 413
    assert httpx.post(service.address + "/elsewhere").status_code == 404


def test_all_vehicles_that_the_cloud_lists_are_polled_and_named(service: Service) -> None:
    def polled() -> list[dict[str, Any]]:
        return [row for row in stored(service, "status") if row["via"] == "poll"]

    until(lambda: {row["vehicle"] for row in polled()} == set(VEHICLES))
    assert {(row["soc_pct"], row["odometer_m"]) for row in polled()} == {(50, 12_500)}
    until(lambda: {row["vehicle"]: row["label"] for row in stored(service, "vehicles")}.keys() == set(VEHICLES))
    assert {row["label"] for row in stored(service, "vehicles")} == {"the first", None}


def test_the_commands_know_it(service: Service) -> None:
    results = json.loads(service.run("poll", "--once", "--vehicle", VEHICLES[1], "--json"))
    assert [(each["vehicle"], each["query"], each["outcome"]) for each in results] == [(VEHICLES[1], "state", "ok")]
    described = service.run("sources")
    assert "Where the vehicle is" in described
    assert "Parked, it speaks every 3600 s." in described
    checked = json.loads(service.run("check", "--json"))
    assert ("ok", "cloud small") in {(each["level"], each["about"]) for each in checked}
