"""Certificates of a small fleet's batteries: what stays as certified, what moves as rows come, what is forged."""

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from analytics.engine.certified import known_of, renew
from analytics.engine.registry import RULES
from logger.commands.certify.certificate import Certificate, Row, encode, read_certificate
from logger.commands.certify.certify import Analyses, write_certificate
from logger.commands.certify.figures import verdict
from logger.commands.certify.finding import Verification
from logger.commands.certify.verify import verify_file
from logger.errors import ConfigError, LoggerError
from logger.settings.schema import Model, Vehicle
from tests.analytics.battery_health.fleet_lake import Place
from tests.analytics.battery_health.test_fleet import DAYS, NAMED, STATUS, powers
from tests.analytics.driven import BEGIN, HOUR, driven

ANALYSES = Analyses(RULES, known_of, renew)
Said = list[dict[str, Any]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sixteen days of two mopeds, and the certificate of one of them."""
    place = Place(tmp_path_factory.mktemp("fleet") / "data")
    for name, rows in {"vehicles": NAMED, "status": STATUS, "battery": powers()}.items():
        place.write(name, rows)
    write_certificate(place.settings, "a", Path(place.settings.data_dir).parent / "a.json", ANALYSES)
    return Path(place.settings.data_dir).parent


@pytest.fixture
def place(filled: Path, tmp_path: Path) -> Place:
    """A copy of it that a test may change."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    made = Place(tmp_path / "data")
    made.sequence = 100_000
    return made


def file_of(place: Place) -> Path:
    return place.settings.data_dir.parent / "a.json"


def verified(place: Place, certificate: Certificate | None = None) -> Verification:
    if certificate is not None:
        file_of(place).write_bytes(encode(certificate))
    return verify_file(place.settings, file_of(place), ANALYSES)


def results(found: Verification, *wanted: str) -> dict[str, str]:
    return {each.what: each.result for each in found.findings if each.result in (wanted or ("new", "moved", "differs"))}


def more(vehicle: str, day: float, soc_pct: float = 0.0) -> Said:
    """Rows of a day more, as `driven` goes on, with a percent that falls from there."""
    hours = [24 * day + 7.5, 24 * day + 15.5]
    rows = [row for row in driven(vehicle, int(day) + 1, *hours) if row["time"] >= BEGIN + 24 * day * HOUR]
    ahead = (2 * DAYS * 1800.0, 2 * DAYS * 300.0)
    return [
        row | {"odometer_m": row["odometer_m"] + ahead[0], "ride_time_s": row["ride_time_s"] + ahead[1]} for row in rows
    ]


def test_what_was_certified_is_what_the_tables_hold(place: Place) -> None:
    certificate = read_certificate(file_of(place))
    verdict = place.made("battery_health").filter(vehicle="a", method="verdict").row(-1, named=True)
    assert certificate.verdict.capacity_wh == verdict["capacity_wh"] == pytest.approx(1845, rel=0.01)
    assert {row["method"] for row in certificate.battery_health} == {*place.made("battery_health")["method"]}
    assert len(certificate.stints) == place.made("stints").filter(vehicle="a").height
    assert certificate.settings == {
        "timezone": "UTC", "swappable": True, "capacity_wh": 1440.0, "wh_per_km": 30.0, "odometer_scale": 1.0,
        "speed_scale": 1.0,
    }  # fmt: skip
    assert abs(certificate.made_at - datetime.now(UTC)) < timedelta(hours=1)


def test_nothing_new_is_all_the_same(place: Place) -> None:
    found = verified(place)
    assert found.holds
    assert results(found) == {}


def test_a_day_more_of_the_vehicle_moves_the_figures_of_its_month_and_all_holds(place: Place) -> None:
    place.write("status", more("a", DAYS + 1))
    found = verified(place)
    assert found.holds, found.findings
    told = results(found)
    assert told["status"] == "new"
    assert told["stints: from 2026-03-01"] == "moved"
    assert told["battery_health: km_per_pct, from 2026-03-01"] == "moved"


def test_rows_of_another_vehicle_move_figures_of_the_model_and_all_holds(place: Place) -> None:
    place.write("status", more("b", DAYS + 1))
    place.write("battery", [row | {"time": row["time"] + 3 * HOUR} for row in powers() if row["vehicle"] == "b"][:9])
    found = verified(place)
    assert found.holds, found.findings
    assert results(found, "differs", "new") == {}
    assert results(found)["figures of the model"] == "moved"


def test_a_changed_value_is_found_in_rows_and_in_figures(place: Place) -> None:
    at = pl.col("time").is_between(BEGIN, BEGIN + 24 * HOUR)
    rows = place.lake.scan("status", None, None, ["a"]).filter(at).collect()
    kinder = rows.with_columns(pl.col("soc_pct") + pl.when(pl.col("time") > BEGIN + 9 * HOUR).then(2).otherwise(0))
    place.lake.replace("status", kinder, ["a"], BEGIN, BEGIN + 24 * HOUR + timedelta(milliseconds=1))
    found = verified(place)
    assert not found.holds
    told = results(found, "differs")
    assert "status 2026-03-01" in told
    assert "stints: from 2026-03-01" in told
    assert "does not hold" in found.advice


def test_a_figure_that_was_changed_in_the_lake_is_made_anew_from_the_rows(place: Place) -> None:
    rows = place.made("battery_health").filter(vehicle="a").with_columns(pl.col("capacity_wh") * 2)
    place.lake.replace("battery_health", rows, ["a"], BEGIN, BEGIN + 24 * HOUR)
    assert results(verified(place)) == {}


def better(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value * 1.3 if name.startswith("capacity") else value for name, value in row.items()}


def higher_answers(certificate: Certificate) -> list[Row]:
    first, *rest = certificate.model_figures
    return [first | {"n": 1000}, *rest]


def forged(certificate: Certificate) -> dict[str, Certificate]:
    """The certificate with one thing changed, by what a verification must name."""
    health = [better(row) if row["method"] == "verdict" else row for row in certificate.battery_health]
    bare = [row for row in certificate.battery_health if row["method"] != "ride_energy"]
    change, verdict = msgspec.structs.replace, certificate.verdict
    higher = change(verdict, **better(msgspec.structs.asdict(verdict)))
    return {
        "verdict": change(certificate, verdict=higher),
        "battery_health: verdict, from 2026-03-01": change(certificate, verdict=higher, battery_health=health),
        "battery_health: ride_energy, from 2026-03-01": change(certificate, battery_health=bare),
        "stints: from 2026-03-01": change(certificate, stints=[]),
        "settings: capacity_wh": change(certificate, settings=certificate.settings | {"capacity_wh": 1000.0}),
        "settings: extra": change(certificate, settings=certificate.settings | {"extra": None}),
        "settings: odometer_scale": change(certificate, settings=certificate.settings | {"odometer_scale": True}),
        "figures of the model": change(certificate, model_figures=higher_answers(certificate)),
        "settings: model": change(certificate, vehicle=change(certificate.vehicle, model="other"), model_figures=[]),
    }


def test_a_forged_certificate_does_not_hold(place: Place) -> None:
    for what, each in forged(read_certificate(file_of(place))).items():
        found = verified(place, each)
        assert not found.holds, what
        assert what in results(found, "differs")


def test_a_forged_capacity_does_not_hold_where_rows_have_come_since(place: Place) -> None:
    place.write("status", more("a", DAYS + 1))
    forgery = forged(read_certificate(file_of(place)))["battery_health: verdict, from 2026-03-01"]
    assert "battery_health: verdict, from 2026-03-01" in results(verified(place, forgery), "differs")


@pytest.mark.parametrize(
    "forge",
    [
        lambda row: row | {"capacity_wh": 9999.0},
        lambda row: (
            {name: each for name, each in row.items() if "_low" not in name and "_high" not in name}
            | {"capacity_wh": 9999.0}
        ),
    ],
    ids=["outside of its interval", "without an interval"],
)
def test_a_figure_that_its_own_interval_does_not_hold_is_forged_where_rows_have_come_since(
    place: Place, forge: Callable[[Row], Row]
) -> None:
    place.write("status", more("a", DAYS + 1))
    certificate = read_certificate(file_of(place))
    health = [forge(row) if row["method"] == "verdict" else row for row in certificate.battery_health]
    forgery = msgspec.structs.replace(certificate, battery_health=health, verdict=verdict(health))
    assert results(verified(place, forgery), "differs") == {"battery_health: verdict, from 2026-03-01": "differs"}


def test_another_label_changes_nothing_and_another_model_does(place: Place) -> None:
    place.settings = msgspec.structs.replace(place.settings, vehicles={"a": Vehicle(label="Moped 7")})
    assert results(verified(place)) == {}
    other = {"moped": Model(capacity_wh=1500.0, wh_per_km=30.0)}
    place.settings = msgspec.structs.replace(place.settings, models=other)
    assert results(verified(place), "differs")["settings: capacity_wh"] == "differs"


def test_other_rules_and_a_vehicle_that_is_gone_are_errors_that_say_what_to_do(place: Place) -> None:
    certificate = read_certificate(file_of(place))
    with pytest.raises(ConfigError, match=r"by rules 6 of analysis .* verify it with the voltrail that made it"):
        verified(place, msgspec.structs.replace(certificate, rules="6"))
    gone = msgspec.structs.replace(certificate.vehicle, vehicle="z")
    with pytest.raises(LoggerError, match="nothing is stored of vehicle 'z' of 'segway': verify where its data is"):
        verified(place, msgspec.structs.replace(certificate, vehicle=gone))
