"""An OAuth token as a cloud grants it (RFC 6749, section 5.1), bounded: it may name any end, or none."""

import re

import msgspec

from logger.errors import Retry

_AHEAD_S = 300.0  # a new token is requested so long before the end of the old one
_RENEW_AT = 0.9  # of a token's life
_LIFE_S, _LEAST_LIFE_S, _MOST_LIFE_S = 3600.0, 60.0, 86_400.0  # the default, and the bounds of what the cloud may name
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")  # what fits into a header; anything else would tear it, or be logged


class Grant(msgspec.Struct):
    """The cloud's answer to a right secret, and the token that renews it, if there is one."""

    access_token: str
    expires_in: msgspec.Raw = msgspec.Raw(b"")  # of any type: a token without a usable end is a token
    refresh_token: str = ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(renew_in_s={self.renew_in_s:g})"  # and not the token, wherever this is printed

    @property
    def renew_in_s(self) -> float:
        """When to request the next one [s]; never at once, which would be a token for each query."""
        try:
            life_s = float(bytes(self.expires_in).strip(b'"'))
        except ValueError:
            life_s = _LIFE_S
        life_s = max(_LEAST_LIFE_S, min(_MOST_LIFE_S, life_s)) if life_s == life_s else _LIFE_S
        return max(_LEAST_LIFE_S, min(life_s * _RENEW_AT, life_s - _AHEAD_S))


def read_grant(name: str, body: bytes) -> Grant:
    """The grant in an answer to the account `name`. Raises `Retry` where there is none that can be used."""
    try:
        grant = msgspec.json.decode(body, type=Grant)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Retry(f"{name}: the cloud's token answer cannot be read: {error}", after=30) from error
    tokens = filter(None, (grant.access_token or " ", grant.refresh_token))
    if not all(map(_TOKEN.fullmatch, tokens)):  # not quoted in the error: it may be a token all the same
        raise Retry(f"{name}: the cloud's token is empty or no word of printable characters", after=30)
    return grant
