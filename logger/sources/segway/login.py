"""Segway "API of Gateway": where an account's cloud is, and its tokens."""

import re
import time
from collections.abc import Mapping

import httpx
import msgspec

from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Segway as Account
from logger.sources.addresses import is_address
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import LoginCheck, clock_offset

REGIONS: Mapping[str, str] = {"A": "apac", "E": "eu", "U": "us", "C": "cn"}
TOKEN_PATH = "/oauth/token"
_REFUSED = (400, 401, 403)
_AHEAD_S = 300.0  # old and new token are both valid for as long
_RENEW_AT = 0.9  # of a token's life
_LIFE_S, _LEAST_LIFE_S, _MOST_LIFE_S = 3600.0, 60.0, 86_400.0  # the default, and the bounds of what the cloud may name
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")  # what fits into a header; anything else would tear it, or be logged


class Grant(msgspec.Struct):
    """The cloud's answer to a right secret."""

    access_token: str
    expires_in: msgspec.Raw = msgspec.Raw(b"")  # of any type: a token without a usable end is a token

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


def base_url(account: Account) -> str:
    """Where this account's cloud is: by the first letter of the platform code. Raises `ConfigError`."""
    if account.base_url and not is_address(account.base_url):
        raise ConfigError(f"sources: {account.name}: base_url: {account.base_url!r} is not https://HOST")
    found = account.base_url.rstrip("/") or _home(account)
    if not found:
        raise ConfigError(
            f"sources: {account.name}: the platform code {account.client_id!r} names no region by its first letter "
            f"({', '.join(REGIONS)}): mend client_id, or set base_url"
        )
    return found


class Login:
    """Tokens of one account. Raises `ConfigError` where neither `client_id` nor `base_url` names its cloud."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.base_url = base_url(account)

    async def grant(self, http: httpx.AsyncClient) -> Grant:
        """A new token. Raises `Retry` for what may work later, `LoginNeeded` where the account is refused."""
        return self._read_grant(await self._answer(http))

    async def check(self, http: httpx.AsyncClient) -> LoginCheck:
        """Request a token and nothing else, and return the result."""
        clock, sent_at = None, time.time()
        try:
            answer = await self._answer(http)
            clock = clock_offset(answer.date, sent_at, time.time())
            self._read_grant(answer)
        except LoginNeeded:
            return LoginCheck(self.base_url, "refused", self._refusal(answer), self._advice(), clock)
        except Retry as error:
            trouble = str(error).removeprefix(f"{self._account.name}: ")
            return LoginCheck(self.base_url, "unreachable", trouble, self._where(), clock)
        return LoginCheck(self.base_url, "ok", clock=clock)

    async def _answer(self, http: httpx.AsyncClient) -> Answer:
        form = {
            "client_id": self._account.client_id,
            "client_secret": self._account.client_secret,
            "grant_type": "client_credentials",
        }
        return await exchange(http, self._account.name, "POST", self.base_url + TOKEN_PATH, data=form)

    def _read_grant(self, answer: Answer) -> Grant:
        name = self._account.name
        if answer.status in _REFUSED:
            raise LoginNeeded(f"{name}: {self._refusal(answer)}: {self._advice()}")
        raise_for_later(name, answer)
        try:
            grant = msgspec.json.decode(answer.body, type=Grant)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Retry(f"{name}: the cloud's token answer cannot be read: {error}", after=30) from error
        if not _TOKEN.fullmatch(grant.access_token):  # not quoted in the error: it may be a token all the same
            raise Retry(f"{name}: the cloud's token is empty or no word of printable characters", after=30)
        return grant

    def _refusal(self, answer: Answer) -> str:
        return f"{self.base_url} refuses the account (HTTP {answer.status})"

    def _advice(self) -> str:
        home = _home(self._account)
        if home and home != self.base_url:
            return f"check client_id, secret and region: the first letter of client_id says {home}, base_url another"
        if home:
            return "check client_id, secret and region, which is the first letter of client_id: A, E, U or C"
        return "check client_id, secret and whether base_url is its region"

    def _where(self) -> str:
        return "check base_url" if self._account.base_url else "check this machine's network, DNS and firewall"


def _home(account: Account) -> str:
    region = REGIONS.get(account.client_id[:1].upper())
    return f"https://{region}-api.segwaydiscovery.com" if region else ""
