"""`sources.md`: what each field of each vendor's messages becomes, from the tables that decode it."""

from collections.abc import Iterator

from logger.commands.sources import field_path, traits_sentences, unit_of
from logger.mapping import Band, Field, Shape
from logger.sources import accounts
from tests.reference.markdown import code, table
from tests.reference.vendor_fields import settings_of_all_kinds

_INTRODUCTION = """
# Sources

What each vendor's field becomes, message by message, as `voltrail sources` lists it for the accounts of your settings.
How an account is set up, and what a vendor cannot tell, is in the document of each source.

- *Unit* is the vendor's; a number is multiplied by *times*. Where the message names the unit, its spellings are there.
- `a` or `b`: either spelling. `a[].b`: of each element of the array `a`.
- A word that is not among the *words* is no value: it is left empty and flagged, unless something else is said.
"""
_HEAD = ("message", "field", "table", "column", "unit", "times", "words")


def text() -> str:
    """Return the page."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for name, account in accounts(settings_of_all_kinds()).items():
        rows = [row for message, shape in account.shapes.items() for row in _rows(message, shape)]
        said = "".join(f"- {sentence}\n" for sentence in traits_sentences(account.traits))
        about = f"Set-up and limits: [its document](../../logger/sources/{name.replace('-', '_')}/README.md).\n"
        yield f"## {name}\n\n{about}\n{said}\n{table(_HEAD, rows)}\n"


def _rows(message: str, shape: Shape) -> Iterator[tuple[str, ...]]:
    first = code(message)
    for rows in shape.rows:
        for field in rows.fields:
            yield (
                first,
                " or ".join(map(code, field_path(field, rows.each).split("|"))),
                rows.table,
                code(field.to),
                unit_of(field),
                _times(field),
                _words(field),
            )
            first = ""


def _times(field: Field) -> str:
    if field.units:
        return "; ".join(f"{unit or 'no unit'}: {_scale(scale) or 1}" for unit, scale in field.units.items())
    return _scale(field.bands or field.scale)


def _scale(scale: float | tuple[Band, ...]) -> str:
    if isinstance(scale, tuple):
        return ", ".join(f"{band.scale:g} from {band.low:g} to {band.high:g}" for band in scale)
    return "" if scale == 1 else f"{scale:.10g}"


def _words(field: Field) -> str:
    words = [f"{code(word)} → {str(value).lower()}" for word, value in (field.choices or {}).items()]
    if len(words) > 12:
        return f"a table of {len(words)} texts"
    rest = [f"any other → {field.otherwise}"] if field.otherwise else []
    rest += ["any other: empty"] if field.lookup and words else []
    unknown = [f"{code(word)}: empty" for word in field.unknown]
    return ", ".join([*words, *unknown, *rest])
