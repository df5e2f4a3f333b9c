"""Certificates as their user makes and verifies them."""

import json
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import polars as pl
import pytest

from tests.analytics.driven import driven, located
from tests.helpers.command_line import voltrail

DOCUMENT = Path(__file__).parents[2] / "docs" / "certificate.md"
HOSTILE = "../evil\x1b]0;x\x07\u202e \"'/{}%s"
COLUMNS = ["time", "vehicle", "locked", "odometer_m", "ride_time_s", "soc_pct", "lat_deg", "lon_deg"]


def log() -> pl.DataFrame:
    """Four days of a vehicle with a hostile name, and where it was."""
    rows = pl.DataFrame(list(driven(HOSTILE, 4, 9.5, 40.2, 64.0)))
    fixes = pl.DataFrame(list(located(rows.iter_rows(named=True)))).select("time", "lat_deg", "lon_deg")
    return rows.join(fixes, on="time").with_columns(pl.col("time").dt.to_string("iso:strict")).select(COLUMNS)


def take(folder: Path, *parts: pl.DataFrame, provider: str = "import") -> None:
    """Import these rows, each part from a file of its own."""
    folder.mkdir(exist_ok=True)
    names = [f"{provider}-{number}.csv" for number in range(len(parts))]
    for name, part in zip(names, parts, strict=True):
        part.write_csv(folder / name)
        done = voltrail(folder, "import", name, "--provider", provider)
        assert done.returncode == 0, done.stderr


def certify(folder: Path, *words: str) -> dict[str, object]:
    done = voltrail(folder, "certify", *(words or (HOSTILE,)), "--out", "battery.json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return dict(json.loads((folder / "battery.json").read_text()))


@pytest.fixture
def logged(tmp_path: Path) -> Path:
    take(tmp_path / "here", log())
    return tmp_path / "here"


def test_a_certificate_is_verified_has_no_position_and_says_why_nobody_knows_a_capacity(logged: Path) -> None:
    certificate = certify(logged)
    assert certificate["vehicle"] == {"provider": "import", "vehicle": HOSTILE, "label": HOSTILE, "model": ""}
    verdict = str(certificate["verdict"])
    assert "insufficient" in verdict
    assert "no charges or trips whose energy is measured" in verdict
    assert certificate["stints"]
    text = (logged / "battery.json").read_text()
    assert not re.search(r"lat_deg|lon_deg|place|plate|52\.5|13\.4", text), "no position, and no way to it"
    done = voltrail(logged, "certify", "--verify", "battery.json")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(rf"^same +status +4 days, {log().height} rows$", done.stdout, re.M)
    assert (
        "\nall that was certified holds\nnot verified, since only the file tells them: when it was made" in done.stdout
    )
    found = json.loads(voltrail(logged, "certify", "--verify", "battery.json", "--json").stdout)
    assert found["holds"] is True
    assert {each["result"] for each in found["findings"]} == {"same"}


def test_the_same_log_in_another_order_and_split_has_the_same_digest(logged: Path, tmp_path: Path) -> None:
    order = list(range(log().height))
    Random(1).shuffle(order)
    take(tmp_path / "there", log()[order][40:], log()[order][:45])
    here, there = certify(logged), certify(tmp_path / "there")
    assert here["inputs"]["sha256"] == there["inputs"]["sha256"]  # type: ignore[index]
    done = voltrail(tmp_path / "there", "certify", "--verify", str(logged / "battery.json"))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_document_names_all_that_is_in_it_and_its_script_computes_the_digests_of_days(logged: Path) -> None:
    certificate, text = certify(logged), DOCUMENT.read_text()
    assert [name for name in certificate if f"`{name}`" not in text] == []
    assert voltrail(logged, "export", "status", "--format", "parquet", "--out", "status.parquet").returncode == 0
    (logged / "digests.py").write_text(text.partition("```python\n")[2].partition("```")[0])
    done = subprocess.run([sys.executable, "digests.py"], cwd=logged, capture_output=True, text=True, check=True)
    days = certificate["inputs"]["tables"]["status"]["days"]  # type: ignore[index]
    assert done.stdout.split() == [each["sha256"] for each in days.values()]


def test_a_changed_value_is_named_by_table_and_day_and_new_days_are_not_held_against_it(logged: Path) -> None:
    certify(logged)
    later = log().with_columns(pl.col("time").str.replace("2026-03-0", "2026-03-1"))
    take(logged, later)
    assert voltrail(logged, "certify", "--verify", "battery.json").returncode == 0
    other = log().with_columns(odometer_m=pl.col("odometer_m") - (pl.col("time") > "2026-03-03"))
    take(logged, other[-3:])
    done = voltrail(logged, "certify", "--verify", "battery.json")
    assert done.returncode == 1
    assert re.search(r"^differs +status 2026-03-04 +\d+ rows, of other values than certified$", done.stdout, re.M)
    assert re.search(r"^new +status +4 new days, 2026-03-11 to 2026-03-14: \d+ rows$", done.stdout, re.M)
    assert "voltrail: the certificate does not hold: " in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_name_of_several_providers_is_asked_for_with_its_provider(logged: Path) -> None:
    take(logged, log(), provider="fleet")
    done = voltrail(logged, "certify", HOSTILE, "--out", "battery.json")
    assert done.returncode == 2
    assert "several providers have a vehicle" in done.stderr
    assert "write PROVIDER/VEHICLE" in done.stderr
    assert "\x1b" not in done.stderr
    assert not (logged / "battery.json").exists()
    certificate = certify(logged, f"fleet/{HOSTILE}")
    assert certificate["vehicle"]["provider"] == "fleet"  # type: ignore[index]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "either `voltrail certify VEHICLE --out FILE.json` or `voltrail certify --verify FILE`"),
        (["7"], "nothing is stored of vehicle '7'; `voltrail status` lists those that are"),
        (["--verify", "none.json"], "cannot read none.json: No such file or directory"),
    ],
)
def test_wrong_use_is_one_line(tmp_path: Path, words: list[str], error: str) -> None:
    done = voltrail(tmp_path, "certify", *words)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert error in done.stderr
