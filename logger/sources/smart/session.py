"""Smart: a session at the vendor's cloud: its token from the settings, or exchanged for one of the app's login.

The login itself is the app's: it changes often, and a login of ours would log out the phone.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec

from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Smart
from logger.sources.http import Answer, exchange
from logger.sources.smart.codes import OK, Backoff, code_of, raise_for_refusal
from logger.sources.smart.hosts import Hosts
from logger.sources.smart.signature import signed_headers
from logger.sources.token_file import TokenFile, Tokens

PATH, _QUERY = "/auth/account/session/secure", "identity_type=smart"
_LIFE_S = 53 * 86_400.0  # of a session; it is exchanged again when it is refused, or this old
_NEW = "take token_file, or login_token_file, from a new login of the app"


class _Data(msgspec.Struct):
    accessToken: str = ""


class _Answer(msgspec.Struct):
    data: _Data | None = None


class Session:
    """The session of one account; `clock` gives epoch seconds. Raises `ConfigError` where it has no token at all."""

    def __init__(
        self, account: Smart, folder: Path, hosts: Hosts, backoff: Backoff, clock: Callable[[], float] = time.time
    ) -> None:
        if not account.token and not account.login_token:
            raise ConfigError(f"sources: {account.name}: token: {_NEW}")
        self._account, self._hosts, self._backoff, self._clock = account, hosts, backoff, clock
        self._file = TokenFile(folder, account.name)
        self._refused: set[str] = set()  # tokens, of sessions and of logins
        self._renewal = asyncio.Lock()

    @property
    def is_renewable(self) -> bool:
        """Whether a session that has ended can be replaced by another one."""
        return bool(self._account.login_token)

    async def access_token(self, http: httpx.AsyncClient, refused: str = "") -> str:
        """The token; another one where `refused` is it. Raises `LoginNeeded` where there is no other, and `Retry`."""
        async with self._renewal, self._file.alone():
            self._refused |= {refused} - {""}
            return self._known_token() or await self._exchange(http)

    def _known_token(self) -> str:
        """A token that nobody has refused: that of the settings, else one that was exchanged."""
        stored = self._file.read()
        known = [self._account.token]
        if stored is not None and self._clock() < stored.renew_at:
            known.append(stored.access_token)
        return next((token for token in known if token and token not in self._refused), "")

    async def _exchange(self, http: httpx.AsyncClient) -> str:
        name, login = self._account.name, self._account.login_token
        if not login or login in self._refused:
            raise LoginNeeded(f"{name}: the session has ended: {_NEW}")
        answer = await self._request(http, login)
        if answer.status != 401:  # which is told like any refusal of the login, below
            raise_for_refusal(name, answer, self._backoff)
        token = _token(answer)
        if not token:
            self._refused.add(login)
            raise LoginNeeded(f"{name}: the vendor gives no session for login_token: {_NEW}")
        self._store(token)
        return token

    async def _request(self, http: httpx.AsyncClient, login: str) -> Answer:
        body = json.dumps({"accessToken": login}).encode()
        headers = signed_headers(self._account, "POST", PATH, _QUERY, body)
        url = f"{self._hosts.first}{PATH}?{_QUERY}"
        return await exchange(http, self._account.name, "POST", url, content=body, headers=headers)

    def _store(self, token: str) -> None:
        try:
            self._file.write(Tokens(token, "", self._clock() + _LIFE_S))
        except OSError as error:
            raise Retry(f"{self._account.name}: its session cannot be kept: {error}: is the disk full?", 60) from error


def _token(answer: Answer) -> str:
    if code_of(answer) != OK:
        return ""
    try:
        data = msgspec.json.decode(answer.body, type=_Answer).data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    token = data.accessToken if data else ""
    return token if token.isascii() and token.isprintable() and " " not in token else ""
