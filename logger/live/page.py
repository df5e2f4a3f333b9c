"""The live page: its frame as HTML, and what it shows as texts in the reader's language and units."""

import base64
import hashlib
import html
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec

from logger.display.formats import NOTHING, Formats
from logger.live.overview import Sink
from logger.live.vehicles import LiveVehicle, Snapshot, Trouble

_FOLDER = Path(__file__).parent
_COLUMNS = ("vehicle", "age", "charge", "state", "place", "last_trip")
_STORE_COLUMNS = ("store", "messages_wait", "last_report")


class Shown(msgspec.Struct, frozen=True):
    """What an open page gets: rows of texts, and the state of each vehicle as a word for its colour."""

    updated: str
    vehicles: list[tuple[str, ...]]
    states: list[str]
    stores: list[tuple[str, ...]]
    troubles: list[str]


def frame(formats: Formats) -> str:
    """Return the page; its rows come with the first event."""
    text = formats.texts
    values = {name: text(f"live.{name}") for name in _FRAME_TEXTS}
    heads = {"heads": _heads(_COLUMNS, formats), "store_heads": _heads(_STORE_COLUMNS, formats)}
    plain = {name: html.escape(value) for name, value in {**values, "lang": formats.tag}.items()}
    own = {"style": _read("page.css"), "script": _read("page.js"), "hash": _hash(_read("page.js"))}
    return _template().substitute(**plain, **heads, **own)


_FRAME_TEXTS = (
    "title", "waiting", "lost", "stores", "troubles", "no_troubles", "no_vehicles",
)  # fmt: skip


def login_page(formats: Formats, *, refused: bool) -> str:
    """Return the page that asks for the token."""
    text = formats.texts
    note = html.escape(text("live.wrong_token")) if refused else ""
    words = {"title": text("live.title"), "login": text("live.login"), "open": text("live.open"), "lang": formats.tag}
    plain = {name: html.escape(value) for name, value in words.items()}
    return string.Template(_read("login.html")).substitute(**plain, note=note, style=_read("page.css"))


def policy() -> str:
    """Return the policy by which a browser runs the page's own script and asks nobody else for anything."""
    script = f"'sha256-{_hash(_read('page.js'))}'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {script}; connect-src 'self'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def shown(snapshot: Snapshot, formats: Formats) -> Shown:
    """Return what an open page gets."""
    text = formats.texts
    return Shown(
        updated=text("live.updated", at=f"{formats.local(snapshot.at):%H:%M:%S}"),
        vehicles=[tuple(_cells(each, formats)) for each in snapshot.vehicles],
        states=[each.state for each in snapshot.vehicles],
        stores=[tuple(_store_cells(each, formats)) for each in snapshot.stores],
        troubles=[_trouble(each, formats) for each in snapshot.troubles],
    )


def _cells(each: LiveVehicle, formats: Formats) -> Iterator[str]:
    yield each.label
    yield formats.age(each.age_s)
    yield formats.value(each.soc_pct, "%")
    yield formats.texts.word("state", each.state.replace(" ", "_"))
    yield each.place or _position(each)
    yield _last_trip(each, formats)


def _position(each: LiveVehicle) -> str:
    return NOTHING if each.lat_deg is None or each.lon_deg is None else f"{each.lat_deg:.4f}, {each.lon_deg:.4f}"


def _last_trip(each: LiveVehicle, formats: Formats) -> str:
    if each.last_trip is None:
        return NOTHING
    return f"{formats.moment(each.last_trip.finished_at)} · {formats.value(each.last_trip.distance_m, 'm')}"


def _store_cells(each: Sink, formats: Formats) -> Iterator[str]:
    yield each.name
    yield formats.number(each.waiting, "1")
    yield formats.texts("live.never_ran") if each.age_s is None else formats.age(each.age_s)


def _trouble(each: Trouble, formats: Formats) -> str:
    values = {"store": {"store": each.name}, "account": {"account": each.name}}.get(each.kind, {})
    return formats.texts(f"live.{each.kind}_error", error=each.error, **values)


def _heads(names: tuple[str, ...], formats: Formats) -> str:
    return "".join(f'<th scope="col">{html.escape(formats.texts(f"live.{name}"))}</th>' for name in names)


@cache
def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def _template() -> string.Template:
    return string.Template(_read("page.html"))


@cache
def _hash(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
