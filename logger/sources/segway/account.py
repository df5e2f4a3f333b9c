"""One Segway account: whom it knows, and who may call for it."""

import ipaddress
import re
from collections.abc import Mapping, Sequence

from logger.mapping import Shape
from logger.settings.schema import Segway as Account
from logger.sources.segway.messages import PATHS, speaks_of
from logger.sources.segway.signature import VARIANTS, Verifier

_IMEI = re.compile(r"[0-9]{15}")


class Segway:
    """One account that pushes to us, and whose cloud may be asked.

    `shapes` says what its messages mean, `variants` what they mean where these vehicles of another model send them.
    """

    provider = "segway"
    paths = PATHS

    def __init__(
        self,
        account: Account,
        shapes: Mapping[str, Shape],
        variants: Sequence[tuple[frozenset[str], Mapping[str, Shape]]] = (),
    ) -> None:
        self.name = account.name
        self.bound = account.client_id
        self.vehicles = tuple(account.vehicles)
        self.shapes, self.variants = shapes, variants
        self._verifier = Verifier(account.client_secret, account.signature or VARIANTS)
        self._known = frozenset(account.vehicles)
        self._accepts_unknown = account.unknown_vehicles == "accept"
        self._networks = tuple(ipaddress.ip_network(client) for client in account.clients)

    def verify(self, body: bytes) -> str:
        """Which reading of the signature rule this body fits. Raises `Forged`."""
        return self._verifier.verify(body)

    def admits(self, client: str) -> bool:
        """Whether this client address may call."""
        if not self._networks:
            return True
        try:
            address = ipaddress.ip_address(client)
        except ValueError:  # a proxy that hides its caller
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)

    def speaks_of(self, push: bytes) -> str:
        """The vehicle of a push, as far as a glance shows it; empty where it does not."""
        return speaks_of(push)

    def stranger(self, vehicle: str) -> bool:
        """Whether this is no number of a vehicle (an IMEI, 15 digits) that the account knows."""
        return not _IMEI.fullmatch(vehicle) or not (self._accepts_unknown or vehicle in self._known)
