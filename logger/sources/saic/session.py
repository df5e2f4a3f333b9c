"""SAIC: the login of one account, and requests in its name.

The vendor keeps one session for an account: a login of the phone ends ours, and ours that of the phone. So a session
that was ended so is not replaced within 15 minutes.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import httpx
import msgspec

from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Saic
from logger.sources.addresses import is_address
from logger.sources.grant import Grant, read_grant
from logger.sources.http import Answer, exchange, raise_for_later
from logger.sources.login_check import clock_advice
from logger.sources.saic.envelope import TENANT, open_answer, seal
from logger.sources.token_file import TokenFile, Tokens

LOGIN = "/oauth/token"
_BASE = "https://gateway-mg-{}.soimt.com/api.app/v1"
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_AFTER_EVICTION_S = 900.0
_KEPT = ("APP-SEND-DATE", "ORIGINAL-CONTENT-TYPE", "APP-CONTENT-ENCRYPTED", "event-id")
_MAX_BODY_BYTES = 256 * 1024
_MOST_QUOTED = 100


class Envelope(msgspec.Struct):
    """What every answer is: a code, 0 where all is well; what was wrong; the data."""

    code: int | str = ""
    message: str | None = ""
    data: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def has_data(self) -> bool:
        """Whether there is something in it."""
        return bytes(self.data).strip() not in (b"", b"null")


class Session:
    """The session of one account; `clock` gives epoch seconds. Raises `ConfigError` where a setting is missing."""

    def __init__(self, account: Saic, folder: Path, clock: Callable[[], float] = time.time) -> None:
        for key in ("user", "password", "client_id", "client_secret"):
            if not getattr(account, key):
                raise ConfigError(f"sources: {account.name}: {key}: requests need it")
        if account.base_url and not is_address(account.base_url):
            raise ConfigError(f"sources: {account.name}: base_url: {account.base_url!r} is not https://HOST")
        self._account, self._name, self._clock = account, account.name, clock
        self.base_url = account.base_url.rstrip("/") or _BASE.format(account.region)
        self._file = TokenFile(folder, account.name)
        self._renewal = asyncio.Lock()

    async def get(self, http: httpx.AsyncClient, path: str, event: str | None = None) -> Answer:
        """The answer at this path, opened. Raises `LoginNeeded` where the session has been ended, and `Retry`."""
        token = await self.access_token(http)
        answer = await self._send(http, "GET", path, b"", _JSON, token, {"event-id": event} if event else {})
        if answer.status in (401, 403) or str(read_envelope(answer).code) in ("401", "403"):
            await self._end(token)
            text = "another login has ended this session: that of the phone? It logs in again in 15 minutes"
            raise LoginNeeded(f"{self._name}: {text}{clock_advice(answer.date)}")
        return answer

    async def access_token(self, http: httpx.AsyncClient) -> str:
        """The token, of this process or another one, or of a new login. Raises `LoginNeeded` and `Retry`."""
        async with self._renewal, self._file.alone():
            stored = self._file.read()
            if stored is not None and self._clock() < stored.renew_at:
                return stored.access_token
            wait_s = stored.ended_at + _AFTER_EVICTION_S - self._clock() if stored is not None else 0.0
            if 0 < wait_s <= _AFTER_EVICTION_S:  # more, where the clock was set back since
                raise LoginNeeded(f"{self._name}: another login has ended this session; ours waits {wait_s:.0f} s more")
            grant = await self._log_in(http)
            self._write(Tokens(grant.access_token, "", self._clock() + grant.renew_in_s))
            return grant.access_token

    async def _end(self, token: str) -> None:
        async with self._renewal, self._file.alone():
            stored = self._file.read()
            if stored is not None and stored.access_token == token:
                self._write(Tokens("none", "", 0.0, ended_at=self._clock()))

    async def _log_in(self, http: httpx.AsyncClient) -> Grant:
        account = self._account
        form = {
            "grant_type": "password",
            "username": account.user,
            "password": hashlib.sha1(account.password.encode(), usedforsecurity=False).hexdigest(),
            "scope": "all",
            "deviceId": "voltrail",
            "deviceType": "0",
            "loginType": "1" if account.country_code else "2",
            **({"countryCode": account.country_code} if account.country_code else {}),
        }
        answer = await self._send(http, "POST", LOGIN, urlencode(form).encode(), _FORM, "", {})
        if answer.status in (400, 401, 403):
            refusal = f"{self._name}: the cloud refuses the account (HTTP {answer.status}): {_ADVICE}"
            raise LoginNeeded(f"{refusal}{clock_advice(answer.date)}")
        raise_for_later(self._name, answer)
        found = read_envelope(answer)
        if str(found.code) != "0":
            reason = f"code {found.code}: {(found.message or '')[:_MOST_QUOTED]!r}"
            raise LoginNeeded(
                f"{self._name}: the cloud refuses the account ({reason}): {_ADVICE}{clock_advice(answer.date)}"
            )
        return read_grant(self._name, bytes(found.data))

    async def _send(
        self,
        http: httpx.AsyncClient,
        method: str,
        path: str,
        body: bytes,
        content_type: str,
        token: str,
        more: dict[str, str],
    ) -> Answer:
        sealed = seal(path, body, content_type, token, str(time.time_ns() // 1_000_000), TENANT)
        headers = {**sealed.headers, "REGION": self._account.region, **more}
        headers |= {"blade-auth": token} if token else {}
        client = None if token else (self._account.client_id, self._account.client_secret)
        answer = await exchange(
            http,
            self._name,
            method,
            self.base_url + path,
            headers=headers,
            content=sealed.body or None,
            auth=client,
            keep=_KEPT,
            max_bytes=_MAX_BODY_BYTES,
        )
        return opened(self._name, answer)

    def _write(self, tokens: Tokens) -> None:
        try:
            self._file.write(tokens)
        except OSError as error:
            raise Retry(f"{self._name}: its session cannot be kept: {error}: is the disk full?", 60) from error


_ADVICE = "check user, password, client_id, client_secret and region"


def opened(name: str, answer: Answer) -> Answer:
    """The answer with its body decrypted, where it is encrypted. Raises `Retry` where it cannot be."""
    if answer.kept.get("APP-CONTENT-ENCRYPTED") != "1" or not answer.body:
        return answer
    sent_ms = answer.kept.get("APP-SEND-DATE", "")
    content_type = answer.kept.get("ORIGINAL-CONTENT-TYPE", _JSON)
    try:
        body = open_answer(answer.body.strip(), content_type, sent_ms)
    except (ValueError, UnicodeDecodeError) as error:
        raise Retry(f"{name}: an answer of the cloud cannot be decrypted: {error}", after=60) from error
    return msgspec.structs.replace(answer, body=body)


def read_envelope(answer: Answer) -> Envelope:
    """The envelope of an answer; one without a code where it is none."""
    try:
        return msgspec.json.decode(answer.body, type=Envelope)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Envelope()
