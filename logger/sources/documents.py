"""What the document of a source says: its sample settings, and what the source cannot tell."""

import re
from importlib.resources import files

_SAMPLE = re.compile(r"```toml\n(?:.*?\n)??(\[\[sources\]\]\n.*?)```", re.S)


def limits(provider: str) -> str:
    """Return the list of what this vendor does not report."""
    return _document(provider).partition("## What it cannot tell\n")[2].partition("\n## ")[0].strip()


def sample_settings(provider: str) -> str:
    """Return the sample settings of an account of this vendor, empty where the document has none."""
    found = _SAMPLE.search(_document(provider))
    return found[1] if found else ""


def _document(provider: str) -> str:
    folder = files("logger.sources") / provider.replace("-", "_")
    return (folder / "README.md").read_text(encoding="utf-8")
