"""What is no certificate, or one that cannot be verified here, is an error that says what to do."""

import re
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from logger.commands.certify.certificate import (
    Certificate,
    Inputs,
    Row,
    Subject,
    Verdict,
    encode,
    read_certificate,
    row_time,
)
from logger.errors import ConfigError

AT = datetime(2026, 11, 1, tzinfo=UTC)
ROW: Row = {"time": "2026-11-01T00:00:00.000Z", "method": "verdict", "capacity_wh": 1440.5, "n": 3}
GOOD = Certificate(
    "voltrail battery certificate", 1, AT, "0.1.0", "7", Subject("segway", "7", "Moped 7", "E-moped"),
    {"swappable": True}, Verdict("insufficient", "too few trips"), [ROW], [ROW], [],
    Inputs("0" * 64, AT, AT, AT, [], {}),
)  # fmt: skip


def test_a_certificate_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(encode(GOOD))
    assert read_certificate(tmp_path / "c.json") == GOOD


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (encode(GOOD)[:200], "is no JSON file, or only a part of one .*: copy it again, or write a new one"),
        (b"", "is no JSON file, or only a part of one"),
        (b"\xff\xfe\x00", "is no JSON file, or only a part of one"),
        (b"[" * 100_000, "is no"),
        (b"[]", "is no certificate, or was changed"),
        (b'{"format": "other"}', "is no battery certificate: `voltrail certify VEHICLE --out FILE.json` writes one"),
        (b"{}", "is no battery certificate"),
        (encode(msgspec.structs.replace(GOOD, version=2)), "format version 2, and .* reads version 1: verify it with"),
        (encode(GOOD).replace(b'"rules"', b'"rule"'), "is no certificate, or was changed: .*rule"),
        (encode(GOOD).replace(b'"2026-11-01T00:00:00.000Z"', b'"then"'), "was changed: a row without its time"),
        (encode(GOOD).replace(b'"method"', b'"means"'), "was changed: a row of battery_health without its method"),
    ],
)
def test_a_file_that_is_no_certificate_says_what_to_do(tmp_path: Path, data: bytes, error: str) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))} .*{error}"):
        read_certificate(path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*: No such file"):
        read_certificate(tmp_path / "c.json")


def test_a_moment_is_written_as_rows_have_it() -> None:
    assert row_time(AT.replace(microsecond=7000)) == "2026-11-01T00:00:00.007Z"
