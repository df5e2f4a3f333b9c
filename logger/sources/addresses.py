"""Web addresses in settings and answers, and the values that they carry."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx

from logger.errors import ConfigError

_VEHICLE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def is_address(text: str, *, queries: bool = False) -> bool:
    """Whether this is `http://HOST` or `https://HOST`, with or without a path, with a query only where it may be."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return False
    host = bool(url.host) and "%" not in url.host and (url.port or 0) < 1 << 16
    return url.scheme in ("http", "https") and host and not url.userinfo and (queries or not url.query)


def is_vehicle_id(text: str) -> bool:
    """Whether a vendor may know a vehicle by this: it fits into an address as it is, and is no word of ours."""
    return bool(_VEHICLE_ID.fullmatch(text)) and text != "none"


def query_value(answer: str, key: str, name: str) -> str:
    """The value of this key in an address, or the text itself where it is none.

    Raises `ConfigError` where the account `name` got an address with an error, or nothing at all.
    """
    if "://" not in answer:
        found = answer
    else:
        values = {each: texts[0] for each, texts in parse_qs(urlsplit(answer).query).items()}
        if "error" in values:
            raise ConfigError(f"{name}: the consent was not given: {values['error'][:80]!r}: try again")
        found = values.get(key, "")
    if not found or not found.isascii() or not found.isprintable() or " " in found:
        raise ConfigError(f"{name}: no {key} in this: paste it, or the whole address at which the browser ended")
    return found
