"""Client addresses that may call: single addresses or networks."""

import ipaddress
from collections.abc import Iterable


class Networks:
    """The addresses and networks of a setting `clients`; none admits every client."""

    def __init__(self, clients: Iterable[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(client) for client in clients)

    def admits(self, client: str) -> bool:
        """Whether this address lies in one of them; an IPv4 address written as IPv6 counts as IPv4."""
        if not self._networks:
            return True
        try:
            address = ipaddress.ip_address(client)
        except ValueError:  # a proxy that hides its caller
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in network for network in self._networks)
