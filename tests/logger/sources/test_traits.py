"""What vendors say of all their vehicles."""

import re
from importlib.resources import files

import msgspec
import pytest

from logger.settings.schema import Vehicle
from logger.sources import KINDS, TRAITS
from logger.sources.contract import Account, Traits


def test_what_a_vendor_says_of_all_its_vehicles_people_may_say_of_one() -> None:
    of_vehicles = {field.name: field for field in msgspec.structs.fields(Vehicle)}
    for field in msgspec.structs.fields(Traits):
        assert field.default is of_vehicles[field.name].default is None
        assert field.type == getattr(of_vehicles[field.name].type, "__origin__", None), field.name


def test_every_kind_of_source_is_there_by_its_provider() -> None:
    assert TRAITS.keys() == {kind.provider for kind in KINDS.values()}


def test_vehicles_of_segway_are_in_use_when_unlocked_swap_packs_and_speak_every_quarter_of_an_hour() -> None:
    assert TRAITS["segway"] == Traits(lock="use", swappable=True, cadence_s=900)


def test_of_a_vendor_that_says_nothing_nothing_is_known() -> None:
    class Silent(Account):
        provider = "silent"

    assert Silent.traits == Traits(lock=None, swappable=None, cadence_s=None)


def test_of_cars_an_unlocked_one_need_not_be_in_use_and_packs_stay() -> None:
    assert TRAITS["smartcar"] == Traits(lock="doors", swappable=False)


def test_a_cloud_that_reports_no_lock_says_nothing_of_it() -> None:
    assert TRAITS["hiven"] == Traits(swappable=False)


@pytest.mark.parametrize("provider", TRAITS)
def test_the_document_of_a_source_says_what_its_signals_mean_to_analyses(provider: str) -> None:
    text = (files("logger.sources") / provider.replace("-", "_") / "README.md").read_text(encoding="utf-8")
    lines = text.partition("## Traits\n")[2].partition("\n## ")[0]
    said = dict(re.findall(r"^\| ([a-z ]+) \| (.+) \|$", lines, re.MULTILINE))
    assert list(said) == ["of", "lock", "charging words", "odometer", "repeats", "cadence", "packs"]
    swappable = TRAITS[provider].swappable
    assert said["packs"] == f"{'can' if swappable else 'cannot'} be swapped"
    if TRAITS[provider].lock is None:
        assert said["lock"].startswith("not reported")
