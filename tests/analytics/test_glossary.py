"""Every word in a name of `analytics/` is plain, of the vocabulary of signals or states, or in the glossary."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl

import analytics
from logger.derived_tables import STATES
from logger.signals import SIGNALS
from logger.tables import TABLES

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
MOST = 45  # terms of our own
PLAIN = frozenset(
    """
    after anew answer before began begin below bin bins cells certified changes charged cost counters currency dates
    day days depth depths discharges downtime driving duration efficiency end ended ends engine expected fade
    figures firmware first fleet frames from gap gross health high hour id idle imbalance imported
    jobs jumps km known least level load longest lost low matches mean method mohm months moved n near net next
    of offset offsets own paused peak per place placed places plan polled positions probability
    process ratios read recompute reference registry reliability reported reset resistance riding rises rising
    rose rows runs returns samples schema schemas sd seen segmentation seldom sigma silent sleeps span spans
    squares started steps stood straight sure swappable swaps t table tariffs tells timeline to told top
    total track trends trip uncertainty until use value var visits wall way weak wrong year
    """.split()
)


def terms() -> list[str]:
    return re.findall(r"^- \*\*(.+?)\*\*: .+\.$", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)


def words(*names: str) -> set[str]:
    return {word for name in names for word in re.findall(r"[a-z]+", name.lower())}


def names() -> Iterator[str]:
    """Modules of `analytics/`, the schemas and columns that they hand to each other, derived tables and columns."""
    for found in pkgutil.walk_packages(analytics.__path__, "analytics."):
        yield from found.name.split(".")[1:]
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, pl.Schema):
                yield from (name, *value.names())
    for name, table in TABLES.items():
        if not table.raw:
            yield from (name, *table.schema.names())


def explained(word: str, known: set[str]) -> bool:
    """Whether the word, or the singular of it, is known."""
    forms = (word, word.removesuffix("s"), word.removesuffix("es"), re.sub("ies$", "y", word))
    return any(form in known for form in forms)


def test_every_word_in_a_name_is_plain_or_of_the_vocabulary_or_in_the_glossary() -> None:
    raw = [name for table in TABLES.values() if table.raw for name in (*table.key, *table.schema.names())]
    known = words(*SIGNALS, *raw, *TABLES, *STATES, *terms()) | PLAIN
    assert sorted(word for word in words(*names()) if not explained(word, known)) == []


def test_every_term_of_the_glossary_is_used_in_a_name() -> None:
    used = {form for word in words(*names()) for form in (word, word.removesuffix("s"), word.removesuffix("es"))}
    assert [term for term in terms() if not words(term) & used] == []


def test_terms_are_few_and_in_order() -> None:
    assert terms() == sorted(terms())
    assert 0 < len(terms()) <= MOST


def test_no_plain_word_is_listed_without_a_use() -> None:
    assert sorted(PLAIN - words(*names())) == []
