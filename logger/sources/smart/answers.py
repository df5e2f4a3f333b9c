"""Smart: the form of an answer, and the values in it as texts."""

from typing import Any

import msgspec

from logger.sources.picking import Other
from logger.sources.smart.codes import EXPIRED, OK, OUTCOMES, SIGNATURE, WAIT

_KNOWN = {*OUTCOMES, EXPIRED, SIGNATURE, WAIT}


class Data(msgspec.Struct):
    """What answers with a status, or with measurements of direct current, hold; a status is left unread."""

    vehicleStatus: msgspec.Raw = msgspec.Raw()
    chargeU: Any = None
    chargeI: Any = None


class Answer(msgspec.Struct):
    """An answer with its code; beside a status, measurements may be the second of two answers."""

    code: Any = None
    data: Data | Other = None
    answers: "list[Answer] | None" = None


class _Envelope(msgspec.Struct):
    """The code of an answer, and what it holds, unread."""

    code: Any = None
    data: msgspec.Raw = msgspec.Raw(b"null")


_READ_ANSWER, _READ_ENVELOPE = msgspec.json.Decoder(Answer), msgspec.json.Decoder(_Envelope)


def read_answer(body: bytes) -> Answer:
    """Return the answer. Raises `msgspec.DecodeError`."""
    return _READ_ANSWER.decode(body)


def raw_data_of(body: bytes) -> msgspec.Raw:
    """Return what an answer holds, unread; null where its code says why it holds nothing.

    Raises `ValueError` for any other code, `msgspec.DecodeError`.
    """
    found = _READ_ENVELOPE.decode(body)
    return found.data if is_good(found.code) else msgspec.Raw(b"null")


def data_of(body: bytes) -> Any:
    """Return what an answer holds. Raises as `raw_data_of`."""
    return msgspec.json.decode(raw_data_of(body))


def is_good(code: Any) -> bool:
    """Whether an answer with this code holds something. Raises `ValueError` for a code that does not say why not."""
    word = text(code)
    if word == OK:
        return True
    if word in _KNOWN:
        return False
    raise ValueError(f"the vendor answered {word or 'without a code'}")


def elements(document: Any, name: str) -> list[Any]:
    """The elements of this list of an object; none where it has none."""
    found = document.get(name) if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def text(value: Any) -> str | None:
    """The value as the vendor writes it: of a number and of a boolean, the text."""
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).strip().lower()
