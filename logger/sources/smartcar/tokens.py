"""Smartcar: access to vehicles (smartcar.com/docs, authentication): tokens that are renewed, and kept on disk.

Each renewal ends the token that it was made with. So only one process renews at a time, the new pair is on disk before
it is used, and a disk that takes nothing is found out before, while the old pair still holds.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import httpx
import msgspec

from logger.errors import LoginNeeded, Retry
from logger.settings.schema import Smartcar
from logger.sources.grant import Grant, read_grant
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.smartcar.hosts import Hosts
from logger.sources.token_file import TokenFile, Tokens

_REFUSED = (400, 401, 403)
_REFUSED_S = 60.0  # to the next try after a refusal that may pass
_WRONG_CLIENT = ("invalid_client", "unauthorized_client")
_CODES = (*_WRONG_CLIENT, "invalid_grant", "invalid_request", "invalid_scope", "unsupported_grant_type")


class UserSession:
    """The tokens of an account whose owners consented; `clock` gives epoch seconds."""

    def __init__(self, account: Smartcar, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._account, self._clock = account, clock
        self._file, self._hosts = TokenFile(folder, account.name), Hosts(account)
        self._tokens: Tokens | None = None
        self._renewal = asyncio.Lock()
        self._dead = ""  # a token that the cloud refused to renew: it does so for good

    async def access_token(self, http: httpx.AsyncClient, refused: str = "") -> str:
        """The token, renewed ahead of its end or where `refused` is it; one caller renews, the others wait for it.

        Raises `LoginNeeded` where nobody has consented, the consent has ended or the secret is wrong, and `Retry`.
        """
        async with self._renewal:
            if self._tokens is None or not self._is_fresh(self._tokens, refused):
                self._tokens = await self._renew(http, refused)
            return self._tokens.access_token

    async def redeem(self, http: httpx.AsyncClient, code: str) -> None:
        """Exchange a code of the consent for tokens. Raises `LoginNeeded` where it is refused, `Retry`."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._account.redirect_uri}
        async with self._renewal, self._file.alone():
            self._check_disk(None)
            self._tokens = self._store(await self._grant(http, form, "the code is refused: log in again"), "")

    async def _renew(self, http: httpx.AsyncClient, refused: str) -> Tokens:
        async with self._file.alone():
            stored = self._file.read()
            if stored is None:
                raise LoginNeeded(self._advice("nobody has consented yet, or the tokens are lost"))
            if self._is_fresh(stored, refused):  # another process has renewed them
                return stored
            if stored.refresh_token == self._dead:
                raise LoginNeeded(self._advice("the consent has ended"))
            self._check_disk(stored)
            form = {"grant_type": "refresh_token", "refresh_token": stored.refresh_token}
            try:
                grant = await self._grant(http, form, self._advice("the consent has ended"))
            except GrantEnded:
                self._dead = stored.refresh_token
                raise
            return self._store(grant, stored.refresh_token)

    def _is_fresh(self, tokens: Tokens, refused: str) -> bool:
        return tokens.access_token != refused and self._clock() < tokens.renew_at

    async def _grant(self, http: httpx.AsyncClient, form: dict[str, str], advice: str) -> Grant:
        return await request_grant(http, self._account, self._hosts.token, form, advice)

    def _store(self, grant: Grant, refresh_token: str) -> Tokens:
        """Put the new tokens on disk; `refresh_token` goes on to hold where the cloud gives no new one."""
        renewed = grant.refresh_token or refresh_token
        tokens = Tokens(grant.access_token, renewed, self._clock() + grant.renew_in_s)
        self._write(tokens)
        return tokens

    def _check_disk(self, tokens: Tokens | None) -> None:
        self._write(tokens or self._file.read() or Tokens("none", "none", 0.0))

    def _write(self, tokens: Tokens) -> None:
        try:
            self._file.write(tokens)
        except OSError as error:
            raise Retry(f"{self._account.name}: its tokens cannot be kept: {error}: is the disk full?", 60) from error

    def _advice(self, trouble: str) -> str:
        name = self._account.name
        return f"{name}: {trouble}: run `voltrail login {name}`"


class MachineSession:
    """The token of an application that speaks for itself, which version 3 of the vendor's API wants."""

    def __init__(self, account: Smartcar, clock: Callable[[], float] = time.time) -> None:
        self._account, self._clock, self._hosts = account, clock, Hosts(account)
        self._token, self._renew_at = "", 0.0
        self._renewal = asyncio.Lock()

    async def access_token(self, http: httpx.AsyncClient, refused: str = "") -> str:
        """The token, renewed as that of `UserSession`. Raises `LoginNeeded`, `Retry`."""
        async with self._renewal:
            if not self._token or self._token == refused or self._clock() >= self._renew_at:
                form, advice = (
                    {"grant_type": "client_credentials"},
                    f"{self._account.name}: check client_id and client_secret",
                )
                grant = await request_grant(http, self._account, self._hosts.machine_token, form, advice)
                self._token, self._renew_at = grant.access_token, self._clock() + grant.renew_in_s
            return self._token


class GrantEnded(LoginNeeded):
    """The code or token that was to be exchanged holds no more: no other try can help, only a new consent."""


async def request_grant(
    http: httpx.AsyncClient, account: Smartcar, url: str, form: dict[str, str], advice: str
) -> Grant:
    """Tokens for this form. Raises `GrantEnded` with the advice, `LoginNeeded` for a wrong secret, and `Retry`."""
    login = (account.client_id, account.client_secret)
    answer = await exchange(http, account.name, "POST", url, data=form, auth=login)
    if answer.status in _REFUSED:
        _raise_for_refusal(account.name, answer, advice)
    raise_for_later(account.name, answer)
    return read_grant(account.name, answer.body)


def _raise_for_refusal(name: str, answer: Answer, advice: str) -> NoReturn:
    """Raise what the code of a refusal asks for (RFC 6749, section 5.2); one without a known code may pass."""
    code = _error_code(answer.body)
    what = f"HTTP {answer.status}, {code}" if code else f"HTTP {answer.status}"
    if code == "invalid_grant":
        raise GrantEnded(f"{advice} ({what})")
    if code in _WRONG_CLIENT or (answer.status == 401 and not code):
        raise LoginNeeded(
            f"{name}: the cloud does not know this application: check client_id and client_secret ({what})"
        )
    raise Retry(f"{name}: the cloud gives no token now, and the old one is kept ({what})", after=_REFUSED_S)


def _error_code(body: bytes) -> str:
    """The code of an error, of those that the standard has; empty for any other answer."""
    try:
        code = msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return code if code in _CODES else ""


class _Refusal(msgspec.Struct):
    error: str
