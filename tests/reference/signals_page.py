"""`signals.md`: every signal, and the vendor fields that it is read from."""

from collections.abc import Iterator, Mapping

from logger.signals import SIGNALS, Signal, of_table
from tests.reference.markdown import TYPES, code, sentence, table, unit
from tests.reference.vendor_fields import fields_of_columns

_INTRODUCTION = """
# Signals

A signal is a quantity or a state that a vehicle reports. Whatever a vendor calls it, and in whatever unit, voltrail
stores it under one name: the last word of the name is the unit (`distance_m` is in metres). Each signal is a column of
one [table](tables.md).

- A value that was not reported is missing (empty), never 0 and never *no*.
- A value outside the *plausible* range is left empty, and the row gets the flag `implausible:SIGNAL`.
- Power and current are positive into the battery.
- *Read from* names the message of the vendor and its field. With `voltrail import`, any signal can also be read from a
  file.
- *VSS* is the path of the same signal in the Vehicle Signal Specification 6 of COVESA, below `Vehicle.`; an *extension*
  is a signal that it does not have.
"""
_HEAD = ("signal", "type", "unit", "plausible", "meaning", "read from", "VSS")


def text() -> str:
    """Return the page."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    fields = fields_of_columns()
    for name in dict.fromkeys(signal.table for signal in SIGNALS.values()):
        rows = [_row(signal, fields.get((name, signal.name), {})) for signal in of_table(name)]
        yield f"## Table `{name}`\n\n{table(_HEAD, rows)}\n"


def _row(signal: Signal, fields: Mapping[tuple[str, str], list[str]]) -> tuple[str, ...]:
    meaning = f"one of {code(*signal.words)}" if signal.words else signal.meaning
    return (
        code(signal.name),
        TYPES[signal.type],
        unit(signal.unit),
        _range(signal),
        sentence(meaning),
        read_from(fields),
        code(signal.vss) if signal.vss != "extension" else "extension",
    )


def read_from(fields: Mapping[tuple[str, str], list[str]]) -> str:
    """Return vendor, field and messages, such as "segway: `speed` (status)"; messages with the same field together."""
    vendors: dict[str, dict[str, list[str]]] = {}
    for (vendor, message), names in fields.items():
        for name in names:
            vendors.setdefault(vendor, {}).setdefault(name, []).append(message)
    return "; ".join(f"{vendor}: {_fields(messages)}" for vendor, messages in vendors.items())


def _fields(messages: Mapping[str, list[str]]) -> str:
    return ", ".join(f"{_field(name)} ({', '.join(found)})" for name, found in messages.items())


def _field(name: str) -> str:
    return " or ".join(map(code, name.split("|")))  # the vendor spells it in several ways


def _range(signal: Signal) -> str:
    if signal.low is None or signal.high is None:
        return ""
    return f"{_number(float(signal.low))} to {_number(float(signal.high))}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:g}"
