"""Segway "API of Gateway": where an account's cloud is, and its tokens."""

import time
from collections.abc import Mapping

import httpx

from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Segway as Account
from logger.sources.addresses import is_address
from logger.sources.grant import Grant, read_grant
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import LoginCheck, clock_offset

REGIONS: Mapping[str, str] = {"A": "apac", "E": "eu", "U": "us", "C": "cn"}
TOKEN_PATH = "/oauth/token"
_REFUSED = (400, 401, 403)


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
        return read_grant(name, answer.body)

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
