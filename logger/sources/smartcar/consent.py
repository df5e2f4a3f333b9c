"""Smartcar: an owner's consent (smartcar.com/docs, Connect), and what follows from it."""

import hmac
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import urlencode

import httpx

from logger.errors import ConfigError, LoginNeeded, Retry
from logger.settings.schema import Smartcar
from logger.sources.addresses import query_value
from logger.sources.contract import Consent
from logger.sources.http import exchange, raise_for_later
from logger.sources.smartcar.api import PERMISSIONS, SmartcarCloud
from logger.sources.smartcar.hosts import Hosts
from logger.sources.smartcar.pages import connected_vehicles
from logger.sources.smartcar.tokens import UserSession

SCOPES = ("required:read_vehicle_info", *dict.fromkeys(PERMISSIONS.values()))  # all of them read


class SmartcarConsent(Consent):
    """The consent to one account. Its tokens come into the data folder; nothing of them is printed."""

    def __init__(self, account: Smartcar, folder: Path) -> None:
        self._account, self._folder = account, folder
        self._state = secrets.token_urlsafe(16)

    async def address(self, http: httpx.AsyncClient) -> str:
        """The address to open, with scopes, mode and a state. Raises `ConfigError` where a setting is missing."""
        account = self._account
        for key in ("client_id", "redirect_uri"):
            if not getattr(account, key):
                raise ConfigError(f"sources: {account.name}: {key}: `voltrail login` needs it")
        wish: Mapping[str, str] = {
            "response_type": "code",
            "client_id": account.client_id,
            "redirect_uri": account.redirect_uri,
            "scope": " ".join(SCOPES),
            "mode": account.mode,
            "state": self._state,
        }
        return f"{Hosts(account).consent}?{urlencode(wish)}"

    async def redeem(self, http: httpx.AsyncClient, answer: str) -> Sequence[str]:
        """Keep the tokens of this code, and name what it gives access to. Raises as `Consent.redeem`."""
        code = query_value(answer, "code", self._account.name)
        if "://" in answer:
            self._check_state(answer)
        if self._account.api == "v2":
            await UserSession(self._account, self._folder).redeem(http, code)
        cloud = SmartcarCloud(self._account, self._folder)
        vehicles = await cloud.list_vehicles(http)
        lines = [f"vehicles: {', '.join(vehicles) or 'none yet'}"]
        lines += [line async for line in self._subscriptions(http, cloud, vehicles)]
        return [*lines, *await self._connections(http)]

    def _check_state(self, answer: str) -> None:
        state = query_value(answer, "state", self._account.name)
        if not hmac.compare_digest(state.encode(), self._state.encode()):
            raise ConfigError(f"{self._account.name}: this is the answer to another login: open the address again")

    async def _subscriptions(
        self, http: httpx.AsyncClient, cloud: SmartcarCloud, vehicles: Sequence[str]
    ) -> AsyncIterator[str]:
        for vehicle in vehicles if self._account.webhook_id else ():
            done = await cloud.subscribe(http, vehicle)
            yield f"{vehicle} {'is subscribed' if done else 'could not be subscribed'} to the webhook"

    async def _connections(self, http: httpx.AsyncClient) -> list[str]:
        """The connections of the whole application; the login does not depend on their list."""
        account = self._account
        if not account.management_token:
            return []
        login = ("default", account.management_token)
        try:
            answer = await exchange(http, account.name, "GET", f"{Hosts(account).management}/connections", auth=login)
            raise_for_later(account.name, answer)
            return [f"connections of the application: {len(connected_vehicles(account.name, answer.body))} vehicles"]
        except (Retry, LoginNeeded) as error:
            return [f"the connections of the application are not known now: {error}"]
