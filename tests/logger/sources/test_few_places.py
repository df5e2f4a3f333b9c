"""A source is its folder, its document and its cases: few other files know that it exists."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from logger.sources import KINDS

ROOT = Path(__file__).parents[3]
CODE = [path for room in ("logger", "analytics", "dashboards") for path in (ROOT / room).rglob("*.py")]
SETTINGS = {kind.provider: settings.__name__ for settings, kind in KINDS.items()}
MORE = {
    "smartcar": {"logger/simulator/demo/cars.py", "logger/simulator/cloud/hiven.py"},  # the demo's one that pushes
    "hiven": {"logger/simulator/demo/cars.py"},  # whose cars have no odometer, so that the demo compares no trips
    "saic-gateway": {"logger/simulator/cloud/saic.py"},  # which sends the same charging data
}


def places(provider: str) -> Iterator[str]:
    """The files of code that name this source, without those in the folders of sources."""
    folder = provider.replace("-", "_")
    words = (rf"\b(sources|cloud)\.{folder}\b", rf"\b{folder}\.DEMO\b", f'"{provider}"')
    named = re.compile("|".join((*words, rf"\b{SETTINGS[provider]}\(AccountSettings")))
    for path in (ROOT / "voltrail.py", *CODE):
        place = path.relative_to(ROOT)
        in_a_folder = place.parts[:2] == ("logger", "sources") and len(place.parts) > 3
        if not in_a_folder and named.search(path.read_text()):
            yield str(place)


@pytest.mark.parametrize("provider", [name for name in SETTINGS if name != "segway"])  # whose mopeds the demo is about
def test_a_source_is_named_in_three_lists_and_by_its_simulated_cloud_alone(provider: str) -> None:
    cloud = f"logger/simulator/cloud/{provider.replace('-', '_')}.py"
    lists = {"logger/settings/schema.py", "logger/sources/__init__.py", "logger/simulator/demo/vendors.py"}
    assert set(places(provider)) - MORE.get(provider, set()) == {*lists, cloud}
