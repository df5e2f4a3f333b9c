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
TIME = "2026-11-01T00:00:00.000Z"
ROW: Row = {"time": TIME, "method": "verdict", "capacity_wh": 1440.5, "n": 3}
STINT: Row = {"time": TIME, "stint_id": "a", "finished_at": TIME}
ANSWER: Row = {"time": TIME, "model": "E-moped", "check": "days", "answer": "to_date"}
GOOD = Certificate(
    "voltrail battery certificate", 1, AT, "0.1.0", "7", Subject("segway", "7", "Moped 7", "E-moped"),
    {"swappable": True}, Verdict("insufficient", "too few trips"), [ROW], [STINT], [ANSWER],
    Inputs("0" * 64, AT, AT, AT, [], {}),
)  # fmt: skip


ODD_ROWS: tuple[tuple[Row, str], ...] = (
    ({"guaranteed_wh": 9999}, "a row of battery_health with 'guaranteed_wh', which is no column of it"),
    ({"vehicle": "8"}, "a row of battery_health with 'vehicle', which is no column of it"),
    ({"time": "2026W447T00:00:00"}, "a row of battery_health without its time: time is '2026W447T00:00:00'"),
    ({"time": "9999-12-31T00:00:00.000Z"}, "a time of the year 9999"),
    ({"n": 4}, f"battery_health has two rows of {TIME} verdict"),
)


def with_row(changes: Row) -> Certificate:
    """The certificate with a row more, which is as `ROW` but for these."""
    return msgspec.structs.replace(GOOD, battery_health=[{**ROW, **changes}, ROW])


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
        (
            encode(GOOD).replace(b'"2026-11-01T00:00:00.000Z"', b'"then"'),
            "was changed: a row of stints without its time",
        ),
        (encode(GOOD).replace(b'"method": "verdict",', b""), "was changed: a row of battery_health without its method"),
        *((encode(with_row(row)), f"is no certificate, or was changed: {error}") for row, error in ODD_ROWS),
        (encode(GOOD).replace(b'"n": 3', b'"n": 4, "n": 3'), "was changed: 'n' is there twice"),
        (encode(GOOD).replace(b'"n": 3', b'"n": 1e999'), "was changed: .*Number out of range"),
        (encode(GOOD).replace(b'"n": 3', b'"n": ' + b"9" * 400), "was changed: .*(out of range|9223372036854775807)"),
        (encode(GOOD).replace(b'"n": 3', b'"n": NaN'), "is no JSON file"),
        (encode(GOOD).replace(b'"swappable": true', b'"model": "E-car"'), "was changed: settings: 'model' belongs to"),
        (encode(GOOD).replace(b'"2026-11-01T00:00:00Z"', b'"9999-12-31T23:59:59-23:59"'), "a time of the year 9999"),
        (encode(GOOD).replace(b'"2026-11-01T00:00:00Z"', b'"0001-01-01T00:00:00+23:59"'), "a time of the year 1"),
    ],
)
def test_a_file_that_is_no_certificate_says_what_to_do(tmp_path: Path, data: bytes, error: str) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=f"^{re.escape(str(path))} .*{error}"):
        read_certificate(path)


def test_a_file_that_never_ends_is_read_up_to_what_a_certificate_can_have() -> None:
    with pytest.raises(ConfigError, match="/dev/zero is no battery certificate: it is larger than 64 MB"):
        read_certificate(Path("/dev/zero"))


def test_a_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*: Is a directory"):
        read_certificate(tmp_path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read .*: No such file"):
        read_certificate(tmp_path / "c.json")


def test_a_moment_is_written_as_rows_have_it() -> None:
    assert row_time(AT.replace(microsecond=7000)) == "2026-11-01T00:00:00.007Z"
