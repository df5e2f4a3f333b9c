"""Digests of raw rows: of what was reported, and of nothing else."""

import hashlib
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logger.commands.certify.inputs import INPUTS, inputs_of, row_texts
from logger.settings.schema import InfluxSettings
from logger.stores.influx.influx import Influx
from logger.tables import RAW, TABLES
from tests.logger.commands.certify.rows import HOUR, frames, lake_of, told

ROWS = told(range(0, 40, 4))


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    return inputs_of(frames(lake_of(tmp_path_factory.mktemp("lake"), ROWS))).sha256


def test_a_row_is_a_line_of_json_and_the_digests_are_those_of_the_lines(tmp_path: Path) -> None:
    inputs = inputs_of(frames(lake_of(tmp_path, told([0]))))
    line = '{"provider":"segway","vehicle":"7","time":1793512800000,"locked":true,"soc_pct":90.0}\n'
    of_day = hashlib.sha256(line.encode()).hexdigest()
    assert [*row_texts("status", frames(lake_of(tmp_path))["status"])] == [line]
    assert inputs.tables["status"].days["2026-11-01"].sha256 == of_day
    assert inputs.sha256 == hashlib.sha256(f"status 2026-11-01 1 {of_day}\n".encode()).hexdigest()


@given(order=st.permutations(ROWS), cuts=st.lists(st.integers(0, len(ROWS)), max_size=2))
@settings(max_examples=4)
def test_the_same_rows_in_another_order_and_split_give_the_same_digest(
    tmp_path_factory: pytest.TempPathFactory, digest: str, order: list[dict[str, object]], cuts: list[int]
) -> None:
    ends = [0, *sorted(cuts), len(order)]
    parts = [order[a:b] for a, b in pairwise(ends) if a < b]
    assert inputs_of(frames(lake_of(tmp_path_factory.mktemp("lake"), *parts))).sha256 == digest


def test_a_compaction_and_a_message_that_comes_once_more_change_nothing(tmp_path: Path, digest: str) -> None:
    again = [row | {"via": "poll", "received_at": row["received_at"] + 9 * HOUR} for row in ROWS[3:5]]
    lake = lake_of(tmp_path, ROWS, again)
    assert inputs_of(frames(lake)).sha256 == digest
    for day in lake.days(["status"]):
        lake.compact_day("status", day)
    assert inputs_of(frames(lake)).sha256 == digest


def test_rows_of_other_vehicles_and_providers_do_not_count(tmp_path: Path, digest: str) -> None:
    others = told([1, 2], vehicle="8") + told([1, 2], provider="import")
    assert inputs_of(frames(lake_of(tmp_path, others + ROWS))).sha256 == digest


def test_no_number_at_all_counts_as_missing_and_zero_has_no_sign(tmp_path: Path) -> None:
    odd = told([0], soc_pct=float("nan"), odometer_m=-0.0)
    even = told([0], soc_pct=None, odometer_m=0.0)
    assert (
        inputs_of(frames(lake_of(tmp_path / "a", odd))).sha256
        == inputs_of(frames(lake_of(tmp_path / "b", even))).sha256
    )


def test_a_value_a_millisecond_and_a_word_each_make_another_digest(tmp_path: Path, digest: str) -> None:
    first, *rest = ROWS
    for place, other in enumerate(
        ({"soc_pct": 90.00000001}, {"time": first["time"] + timedelta(milliseconds=1)}, {"locked": None})
    ):
        assert inputs_of(frames(lake_of(tmp_path / str(place), [first | other, *rest]))).sha256 != digest


def test_influxdb_gives_the_same_digests_as_the_lake(tmp_path: Path, native: InfluxSettings) -> None:
    lake = lake_of(tmp_path, ROWS)
    odd = {**ROWS[0], "port": "", "pack_soc_pct": 80.0, "pack_cycles": 12}
    lake_of(tmp_path, [odd, odd | {"port": "2"}], table="pack")
    with closing(Influx(native)) as influx:
        for name in ("status", "pack"):
            influx.write(name, lake.scan(name).collect())
        assert inputs_of(frames(influx)) == inputs_of(frames(lake))


def test_all_tables_are_certified_but_our_own_counts_and_names() -> None:
    assert {*RAW} - {*INPUTS} == {"collector", "intake", "quarantine", "vehicles"}
    assert {"provider", "vehicle", "time"} <= set.intersection(*({*TABLES[name].key} for name in INPUTS))
